//! The query of a list, read.

use std::str::FromStr;

use shop_keyring::names::InvalidName;

use super::{
    cursor::{Position, cursor, position},
    filters::{Filters, STATUSES},
};
use crate::{parameters::Parameters, problem::Problem};

/// Connections in one page.
const LIMIT: usize = 50;
const HIGHEST_LIMIT: usize = 100;

/// What the list can be asked for.
pub(crate) const PARAMETERS: &[&str] =
    &["account_id", "marketplace", "app", "status", "needs_attention", "limit", "cursor"];

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// Which connections.
    pub filters: Filters,
    /// At most so many: 1 to 100.
    pub limit: usize,
    /// Where the page begins.
    pub from: Position,
}

impl ListRequest {
    /// Reads a query.
    ///
    /// # Errors
    /// [`Problem::BadRequest`], which names the parameter.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let parameters = Parameters::parse(query, PARAMETERS)?;
        let filters = Filters {
            account: parameters.read("account_id", name)?,
            marketplace: parameters.read("marketplace", name)?,
            app: parameters.read("app", name)?,
            status: parameters.read("status", |text| {
                let known = STATUSES.into_iter().find(|status| *status == text);
                known.ok_or_else(|| format!("one of `{}`", STATUSES.join("`, `")))
            })?,
            needs_attention: parameters.read("needs_attention", |text| match text {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err("`true` or `false`"),
            })?,
        };
        if filters.app.is_some() && filters.marketplace.is_none() {
            return Err(Problem::BadRequest("`app` needs `marketplace`: an app's name is its marketplace's.".into()));
        }
        let limit = parameters.read("limit", |text| {
            let limit = text.parse().ok().filter(|limit| (1..=HIGHEST_LIMIT).contains(limit));
            limit.ok_or_else(|| format!("1 to {HIGHEST_LIMIT}"))
        })?;
        let from = match parameters.get("cursor") {
            Some(text) => position(text, &filters)?,
            None => Position::Shard(0),
        };
        Ok(Self { filters, limit: limit.unwrap_or(LIMIT), from })
    }

    /// The cursor of the page that it asks for.
    pub fn cursor(&self) -> String {
        cursor(&self.from, &self.filters)
    }
}

fn name<T: FromStr<Err = InvalidName>>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|error: InvalidName| error.rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(query: &str) -> String {
        match ListRequest::parse(query) {
            Err(Problem::BadRequest(what)) => what,
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn each_filter_alone_and_together() {
        let nothing = ListRequest::parse("").unwrap();
        assert_eq!((nothing.limit, &nothing.filters, &nothing.from), (50, &Filters::default(), &Position::Shard(0)));
        let all = "account_id=a%20b&marketplace=temu&app=us&status=active&needs_attention=true&limit=100";
        let all = ListRequest::parse(all).unwrap();
        assert_eq!(all.filters.account.as_ref().unwrap().as_str(), "a b");
        assert_eq!((all.filters.prefix().as_str(), all.limit), ("temu/us/", 100));
        let next = format!(
            "needs_attention=true&marketplace=temu&app=us&status=active&account_id=a+b&cursor={}",
            all.cursor()
        );
        assert_eq!(ListRequest::parse(&next).unwrap(), ListRequest { limit: 50, ..all });
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, what) in [
            ("limit=0", "`limit`"),
            ("limit=101", "`limit`"),
            ("limit=x", "1 to 100"),
            ("marketplace=amazon", "`marketplace`"),
            ("marketplace=temu&app=US", "`app`"),
            ("app=us", "`marketplace`"),
            ("status=broken", "`reauthorization_required`"),
            ("needs_attention=yes", "`needs_attention`"),
            ("account_id=", "`account_id`"),
            ("cursor=", "`cursor`"),
            ("limit=5&limit=5", "`limit`"),
            ("acount_id=x", "`acount_id`"),
        ] {
            assert!(refused(query).contains(what), "{query}: {}", refused(query));
        }
    }
}
