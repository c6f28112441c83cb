//! Query parameters: only those that a route knows, each once.

use std::fmt::Display;

use crate::problem::Problem;

/// Longest name that an error repeats. A token that landed here by mistake is longer.
const LONGEST_NAME: usize = 32;

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    /// Takes a query apart.
    pub(crate) fn parse(query: &str, known: &[&'static str]) -> Result<Self, Problem> {
        let mut parameters = Self(Vec::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let Some(name) = known.iter().find(|known| **known == name) else { return Err(unknown(&name, known)) };
            if parameters.get(name).is_some() {
                return Err(Problem::BadRequest(format!("The query parameter `{name}` is there more than once.")));
            }
            parameters.0.push((name, value.into_owned()));
        }
        Ok(parameters)
    }

    /// The value of one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The value of one, read. What is wrong with it is said without it.
    pub(crate) fn read<T, E: Display>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let value = self.get(name).map(read).transpose();
        value.map_err(|rule| Problem::BadRequest(format!("The query parameter `{name}` is not valid: {rule}.")))
    }
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let takes = if known.is_empty() { "takes none".into() } else { format!("takes `{}`", known.join("`, `")) };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let shown = if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_name) {
        format!("The query parameter `{name}` is unknown")
    } else {
        "A query parameter is unknown".into()
    };
    Problem::BadRequest(format!("{shown}: this route {takes}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(query: &str, known: &[&'static str]) -> String {
        match Parameters::parse(query, known) {
            Err(Problem::BadRequest(what)) => what,
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn unknown_and_repeated_ones_are_named() {
        assert_eq!(
            refused("min_tll=5", &["min_ttl"]),
            "The query parameter `min_tll` is unknown: this route takes `min_ttl`."
        );
        assert_eq!(refused("x=5", &[]), "The query parameter `x` is unknown: this route takes none.");
        assert!(refused("min_ttl=5&min%5Fttl=6", &["min_ttl"]).contains("more than once"));
        let token = "TTP_OPHSu4HHu3b-AdwJjt4nfQg_y7pZ-gH2P1nf2rmm0773d9EiU0bLKbao";
        assert!(!refused(token, &[]).contains(token) && !refused("a<b", &[]).contains('<'));
        assert!(Parameters::parse("", &[]).is_ok());
    }
}
