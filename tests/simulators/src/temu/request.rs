use std::time::Instant;

use super::app::Router;
use super::ordered_json::Ordered;
use crate::conduct::machine_time;

/// A call as it arrived at a router.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) router: Router,
    /// In the order sent; empty where the body was no JSON object.
    pub(super) members: Vec<(String, Ordered)>,
    /// By the machine's clocks.
    pub(super) machine_time: u64,
    pub(super) arrived: Instant,
}

impl Request {
    pub(super) fn parse(router: Router, body: &[u8]) -> Self {
        let members = match serde_json::from_slice(body) {
            Ok(Ordered::Object(members)) => members,
            _ => Vec::new(),
        };
        Self { router, members, machine_time: machine_time(), arrived: Instant::now() }
    }

    /// Empty where it is missing or no text.
    pub(super) fn text(&self, key: &str) -> &str {
        match self.member(key) {
            Some(Ordered::Text(text)) => text,
            _ => "",
        }
    }

    /// Numbers in quotation marks are taken as well.
    pub(super) fn timestamp(&self) -> Option<u64> {
        match self.member("timestamp")? {
            Ordered::Number(number) => number.as_u64(),
            Ordered::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn member(&self, key: &str) -> Option<&Ordered> {
        self.members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}
