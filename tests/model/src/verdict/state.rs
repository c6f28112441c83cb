//! A state: the observed connection, the others, the marketplace, and where the evidence lies.

use std::sync::Arc;

use shop_keyring::{
    connection::{Connection, evidence::Evidence},
    names::ConnectionKey,
    time::Timestamp,
};

use super::config::{Config, Incident, Lane};
use crate::state::{T0, due};

/// How long incidents may last together, in seconds: less than 24 hours by the length of a claim.
pub(super) const LONGEST_INCIDENT: i64 = 86_400 - 60;

/// Shortest wait between two looks at another connection, in seconds.
pub(super) const BETWEEN_LOOKS: i64 = 15 * 60;

/// One state of everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) now: Timestamp,
    /// The connection under observation.
    pub(super) item: Arc<Connection>,
    /// Whether its authorization stands.
    pub(super) alive: bool,
    pub(super) others: Vec<Other>,
    /// Whether the marketplace refuses by mistake now.
    pub(super) refusing: bool,
    pub(super) incidents: u8,
    /// When the last incident has to end; set once the first one begins.
    pub(super) ends_by: Option<Timestamp>,
    /// What the table holds.
    pub(super) table: Evidence,
    /// What it held when time last moved.
    pub(super) known: Evidence,
    /// What the first process has read since time last moved.
    pub(super) seen: Option<Evidence>,
    /// What each process has counted and not written.
    pub(super) unwritten: [Evidence; 2],
    /// What the marketplace has responded to the first process about the observed connection.
    pub(super) response: Option<Response>,
    /// Whether the random part of every wait is the longest; otherwise the shortest.
    pub(super) longest_wait: bool,
    pub(super) moments: u8,
    pub(super) troubles: u8,
    pub(super) broken: Option<Broken>,
}

/// A response about the observed connection that is not written yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Response {
    pub(super) accepted: bool,
    pub(super) on_demand: bool,
}

/// Another connection of the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Other {
    /// Whether its authorization stands.
    pub(super) alive: bool,
    /// Whether it was refused since its last acceptance.
    pub(super) doubted: bool,
    /// When it may be looked at; absent once that is past.
    pub(super) not_before: Option<Timestamp>,
}

/// A rule that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A connection whose authorization stands was ended by an incident that refused everybody.
    EndedThoughAlive,
    /// It was ended although the table had said for seconds that many are refused.
    EndedInMassRefusal,
    /// A first refusal ended it before the known end of its authorization.
    EndedAtOnce,
    /// Its authorization has ended, and it is active for longer than it may be.
    EndedLate,
    /// It was ended by mistake, and is not active after it could have been asked again.
    NotHealed,
    /// Nothing is due although it neither works nor has ended.
    Stuck,
}

impl State {
    /// How everything begins: the observed connection is due. So many others have ended.
    pub(super) fn first(config: &Config, alive: bool, ended_others: u8, longest_wait: bool) -> Self {
        let other = |n| Other { alive: n >= ended_others, doubted: false, not_before: None };
        let mut others: Vec<_> = (0..config.others).map(other).collect();
        others.sort_unstable();
        Self {
            now: T0,
            item: observed(config).into(),
            alive,
            others,
            refusing: false,
            incidents: if config.incident == Incident::None { 0 } else { config.incidents },
            ends_by: None,
            table: Evidence::default(),
            known: Evidence::default(),
            seen: None,
            unwritten: Default::default(),
            response: None,
            longest_wait,
            moments: config.moments,
            troubles: config.troubles,
            broken: None,
        }
    }

    /// The first rule that is broken stays.
    pub(super) fn breaks(&mut self, broken: Broken) {
        self.broken.get_or_insert(broken);
    }
}

/// The observed connection in the beginning.
fn observed(config: &Config) -> Connection {
    // Before that, the marketplace's clock might not have reached it.
    let end = config.at_end.then(|| T0.plus(-301));
    let item = Connection { authorization_expires_at: end, reminded: Some(1), ..due() };
    match config.lane {
        Lane::Refreshed => item,
        Lane::Checked => Connection {
            connection: key(config.lane, "634418211111"),
            access_expires_at: Some(T0.plus(60 * 86_400)),
            check_at: Some(T0),
            ..item
        },
    }
}

/// Another connection of the lane, as it is asked about.
pub(super) fn other(lane: Lane, doubted: bool, now: Timestamp) -> Connection {
    Connection { connection: key(lane, "634418212222"), refused_at: doubted.then_some(now), ..due() }
}

fn key(lane: Lane, seller: &str) -> ConnectionKey {
    let app = match lane {
        Lane::Refreshed => "tiktok-shop/us",
        Lane::Checked => "temu/us",
    };
    format!("{app}/{seller}").parse().unwrap()
}
