//! The log of calls. It holds names and keys, never bodies.

use std::{
    collections::{BTreeMap, VecDeque},
    time::SystemTime,
};

use super::Subject;

/// A sandbox may run for days.
const LOGGED_CALLS: usize = 10_000;

/// One call as the front saw it arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Counts the calls of this front from 0.
    pub sequence: u64,
    /// `dynamodb`, `secretsmanager` or `lambda`.
    pub service: &'static str,
    /// For example `PutItem`.
    pub operation: String,
    /// The secret's name, or the table's; of a transaction the first table's. Of a query on an index as in its ARN:
    /// `table/index/name`.
    pub resource: Option<String>,
    /// The keys of the items that are read by key or written; of a query the partition that it reads.
    pub keys: Vec<String>,
    /// The access key id that signed it.
    pub caller: Option<String>,
    /// When it arrived, by this machine's clock.
    pub at: SystemTime,
    /// What the client was answered; `None` while it waits, and when its connection was dropped.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    calls: VecDeque<Call>,
    arrived: u64,
    pub(super) counters: BTreeMap<String, u64>,
    /// Queries by what they read. There are few tables and indexes.
    pub(super) queries: BTreeMap<String, u64>,
}

impl Log {
    pub(super) fn arrived(
        &mut self,
        service: &'static str,
        operation: &str,
        subject: Subject,
        caller: Option<&str>,
    ) -> Call {
        let call = Call {
            sequence: self.arrived,
            service,
            operation: operation.to_owned(),
            resource: subject.resource,
            keys: subject.keys,
            caller: caller.map(str::to_owned),
            at: SystemTime::now(),
            status: None,
        };
        self.arrived += 1;
        *self.counters.entry(operation.to_owned()).or_default() += 1;
        if operation == "Query" {
            *self.queries.entry(call.resource.clone().unwrap_or_default()).or_default() += 1;
        }
        if self.calls.len() == LOGGED_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call.clone());
        call
    }

    pub(super) fn answered(&mut self, sequence: u64, status: u16) {
        // Forgotten meanwhile, perhaps; and most answers belong to the calls that came last.
        if let Some(call) = self.calls.iter_mut().rev().find(|call| call.sequence == sequence) {
            call.status = Some(status);
        }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.counters.clear();
        self.queries.clear();
    }
}
