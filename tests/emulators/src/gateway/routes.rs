//! Which route a request takes.

use std::io;

use axum::http::Method;

use super::{Route, event::percent_decoded};

#[derive(Debug)]
pub(super) struct Routes(Vec<(Pattern, Route)>);

/// A route that matches a request.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) route: &'a Route,
    pub(super) path_parameters: Vec<(&'a str, String)>,
}

#[derive(Debug)]
enum Pattern {
    Default,
    Path { method: Option<Method>, segments: Vec<Segment> },
}

/// In the order in which they win.
#[derive(Debug)]
enum Segment {
    Literal(String),
    Variable(String),
    Greedy(String),
}

impl Routes {
    /// # Errors
    /// When a key is malformed.
    pub(super) fn parse(routes: Vec<Route>) -> io::Result<Self> {
        let parsed = routes.into_iter().map(|route| match Pattern::parse(&route.key) {
            Some(pattern) => Ok((pattern, route)),
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("malformed route key: {}", route.key))),
        });
        parsed.collect::<io::Result<_>>().map(Self)
    }

    /// The most specific match. Segments are matched as they were sent, so that `%2F` separates none.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        let candidates = self.0.iter().filter_map(|(pattern, route)| {
            let path_parameters = pattern.path_parameters(method, path)?;
            Some((pattern.rank(), Found { route, path_parameters }))
        });
        candidates.min_by(|(left, _), (right, _)| left.cmp(right)).map(|(_, found)| found)
    }
}

impl Pattern {
    fn parse(key: &str) -> Option<Self> {
        if key == "$default" {
            return Some(Self::Default);
        }
        let (method, path) = key.split_once(" /")?;
        let method = match method {
            "ANY" => None,
            method => Some(method.parse().ok()?),
        };
        let segments: Vec<Segment> = path.split('/').map(Segment::parse).collect();
        let greedy = segments.iter().position(|segment| matches!(segment, Segment::Greedy(_)));
        let greedy_is_last = greedy.is_none_or(|at| at + 1 == segments.len());
        greedy_is_last.then_some(Self::Path { method, segments })
    }

    /// Smaller wins: segment by segment the more literal one, then the named method.
    fn rank(&self) -> (Vec<u8>, bool) {
        match self {
            Self::Default => (vec![u8::MAX], true),
            Self::Path { method, segments } => (segments.iter().map(Segment::rank).collect(), method.is_none()),
        }
    }

    fn path_parameters(&self, method: &Method, path: &str) -> Option<Vec<(&str, String)>> {
        let Self::Path { method: wanted, segments } = self else {
            return Some(Vec::new());
        };
        if wanted.as_ref().is_some_and(|wanted| wanted != method) {
            return None;
        }
        let mut rest = Some(path.strip_prefix('/')?);
        let mut parameters = Vec::new();
        for segment in segments {
            let (head, tail) = segment.take(rest?)?;
            if let Some(name) = segment.variable() {
                parameters.push((name, percent_decoded(head)));
            }
            rest = tail;
        }
        rest.is_none().then_some(parameters)
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Self::Literal(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                None => Self::Variable(name.to_owned()),
                Some(name) => Self::Greedy(name.to_owned()),
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Variable(_) => 1,
            Self::Greedy(_) => 2,
        }
    }

    fn variable(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Variable(name) | Self::Greedy(name) => Some(name),
        }
    }

    /// What of `path` this segment matches, and what then remains.
    fn take<'p>(&self, path: &'p str) -> Option<(&'p str, Option<&'p str>)> {
        let mut parts = path.splitn(2, '/');
        let (head, tail) = (parts.next()?, parts.next());
        match self {
            Self::Literal(literal) => (head == literal).then_some((head, tail)),
            Self::Variable(_) => (!head.is_empty()).then_some((head, tail)),
            Self::Greedy(_) => (!path.is_empty()).then_some((path, None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route_of(method: &str, path: &str) -> Option<String> {
        let keys = [
            "ANY /v1/{proxy+}",
            "GET /pets/dog/1",
            "GET /pets/dog/{id}",
            "ANY /pets/dog/{id}",
            "GET /pets/{proxy+}",
            "GET /",
        ];
        let routes = Routes::parse(keys.iter().map(|key| Route::open(key, "f")).collect()).unwrap();
        routes.find(&method.parse().unwrap(), path).map(|found| found.route.key.clone())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let cases = [
            ("GET", "/pets/dog/1", Some("GET /pets/dog/1")),
            ("GET", "/pets/dog/2", Some("GET /pets/dog/{id}")),
            ("PUT", "/pets/dog/2", Some("ANY /pets/dog/{id}")),
            ("GET", "/pets/cat/1", Some("GET /pets/{proxy+}")),
            ("GET", "/pets/dog/1/2", Some("GET /pets/{proxy+}")),
            ("PUT", "/pets/cat/1", None),
            ("DELETE", "/v1/a/b", Some("ANY /v1/{proxy+}")),
            ("GET", "/v1", None),
            ("GET", "/v1/", None),
            ("GET", "/", Some("GET /")),
        ];
        for (method, path, expected) in cases {
            assert_eq!(route_of(method, path).as_deref(), expected, "{method} {path}");
        }
    }

    #[test]
    fn variables_are_decoded_and_default_comes_last() {
        let keys = ["$default", "GET /a/{x}/{rest+}"];
        let routes = Routes::parse(keys.iter().map(|key| Route::open(key, "f")).collect()).unwrap();
        let found = routes.find(&Method::GET, "/a/1%2F2/b/c").unwrap();
        assert_eq!(found.path_parameters, [("x", "1/2".to_owned()), ("rest", "b/c".to_owned())]);
        assert_eq!(routes.find(&Method::POST, "/a/b/c").unwrap().route.key, "$default");
    }

    #[test]
    fn malformed_keys_are_refused() {
        for key in ["GET", "/path", "GET path", "GET /{a+}/b"] {
            assert!(Routes::parse(vec![Route::open(key, "f")]).is_err(), "{key}");
        }
    }
}
