//! The connections that are being worked on, each in a task of its own.

use std::{collections::HashMap, sync::Arc};

use shop_keyring::{
    connection::{Connection, claim::Trigger, due::Work},
    marketplace::Marketplace,
    names::ConnectionKey,
    protocol::{Protocol, outcome::Outcome},
    store::StoreError,
    vault::{PutPermits, Vault},
};
use tokio::task::{self, JoinSet};
use tracing::Instrument;

use crate::{pace::Pace, queue::LaneId};

/// What a connection at work counts towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its marketplace is asked at a pace of the app's own.
    Paced,
    /// Its marketplace is asked.
    Asks,
    /// No marketplace is asked.
    Chore,
}

impl Kind {
    fn of(connection: &ConnectionKey, work: Work) -> Self {
        match work {
            Work::Chore => Self::Chore,
            Work::Marketplace if Pace::holds(connection, work) => Self::Paced,
            Work::Marketplace => Self::Asks,
        }
    }
}

/// What came of the work on a connection.
pub(crate) struct Worked {
    pub(crate) connection: ConnectionKey,
    pub(crate) outcome: Result<Outcome, StoreError>,
}

/// Work that has ended.
pub(crate) struct Ended {
    pub(crate) lane: Option<LaneId>,
    /// `None` if it panicked.
    pub(crate) worked: Option<Worked>,
}

/// The tasks of a run.
pub(crate) struct AtWork<'a, M, V> {
    pub(crate) protocol: &'a Arc<Protocol<M, V>>,
    permits: Arc<PutPermits>,
    tasks: JoinSet<Worked>,
    /// Each task with its lane and what it counts towards, also of one that panics.
    begun: HashMap<task::Id, (Option<LaneId>, Kind)>,
}

impl<'a, M: Marketplace + 'static, V: Vault + 'static> AtWork<'a, M, V> {
    pub(crate) fn new(protocol: &'a Arc<Protocol<M, V>>, permits: Arc<PutPermits>) -> Self {
        Self { protocol, permits, tasks: JoinSet::new(), begun: HashMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Connections of this kind at work.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.begun.values().filter(|(_, of)| *of == kind).count()
    }

    pub(crate) fn begin(
        &mut self,
        lane: Option<LaneId>,
        connection: ConnectionKey,
        item: Option<Connection>,
        work: Work,
    ) {
        let kind = Kind::of(&connection, work);
        let (protocol, permits) = (Arc::clone(self.protocol), Arc::clone(&self.permits));
        let work = async move {
            let outcome = protocol.work(&connection, item, Trigger::Schedule(work), &permits).await;
            Worked { connection, outcome }
        };
        let task = self.tasks.spawn(work.in_current_span());
        self.begun.insert(task.id(), (lane, kind));
    }

    /// Waits for a connection's work to end; `None` if there is none. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Option<Ended> {
        let (task, worked) = match self.tasks.join_next_with_id().await? {
            Ok((task, worked)) => (task, Some(worked)),
            Err(error) => (error.id(), None),
        };
        let lane = self.begun.remove(&task).and_then(|(lane, _)| lane);
        Some(Ended { lane, worked })
    }
}
