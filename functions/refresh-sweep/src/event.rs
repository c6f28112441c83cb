//! What the two functions of this binary are invoked with.

use serde::Deserialize;
use serde_json::Value;
use shop_keyring::{connection::due::PARTS, names::ConnectionKey};

/// Who invokes the function: each takes the input of its own caller only. The concurrency of refreshes on demand is limited
/// by the function's own reserved concurrency, which a second way in would evade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvokedBy {
    /// The schedule: refresh-sweep.
    Schedule,
    /// token-lookup, for one connection: refresh-on-demand.
    Caller,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// `{}`, EventBridge's envelope, or `{"partition":{"index":0,"count":4}}`
    Sweep(Partition),
    /// `{"connection":"…","rejected_version":7}`
    OnDemand(OnDemand),
}

/// The parts of each lane that one of several schedules works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// `0..count`
    pub index: u8,
    /// How many schedules there are: 1, 2 or 4.
    pub count: u8,
}

impl Partition {
    /// All parts.
    const WHOLE: Self = Self { index: 0, count: 1 };

    /// Whether this part of each lane is this schedule's.
    pub const fn has(self, part: u8) -> bool {
        part % self.count == self.index
    }
}

/// One connection, for a caller whom this version of its token set will not do.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnDemand {
    /// Which one.
    pub connection: ConnectionKey,
    /// The `version` that the caller saw.
    pub rejected_version: u64,
}

impl Input {
    /// Reads an event of this caller. EventBridge's envelope has neither `connection` nor `partition`.
    ///
    /// # Errors
    /// What an event has to be. Nothing of the event is repeated: the runtime logs the text.
    pub fn parse(invoked_by: InvokedBy, event: Value) -> Result<Self, &'static str> {
        match invoked_by {
            InvokedBy::Schedule => Self::scheduled(event),
            InvokedBy::Caller => serde_json::from_value(event).map(Self::OnDemand).map_err(|_| {
                "not a request for a refresh: it must have `connection`, `{marketplace}/{app}/{seller_id}`, and \
                 `rejected_version`, a whole number, and nothing else; the schedule invokes refresh-sweep"
            }),
        }
    }

    fn scheduled(event: Value) -> Result<Self, &'static str> {
        if event.get("connection").is_some() {
            return Err("refresh-sweep takes the schedule's events only: invoke refresh-on-demand for one connection");
        }
        let partition = match event {
            Value::Object(mut event) => match event.remove("partition") {
                Some(partition) => serde_json::from_value(partition).map_err(
                    |_| "not a partition: it must have `index` and `count`, whole numbers, and nothing else",
                )?,
                None => Partition::WHOLE,
            },
            _ => return Err("the event must be a JSON object"),
        };
        // Otherwise one schedule would have more parts than another.
        if partition.index < partition.count && PARTS.is_multiple_of(partition.count) {
            Ok(Self::Sweep(partition))
        } else {
            const { assert!(PARTS == 4, "the text says it") };
            Err("`partition` must have `index` < `count`, and `count` must be 1, 2 or 4")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scheduled(event: Value) -> Result<Input, &'static str> {
        Input::parse(InvokedBy::Schedule, event)
    }

    fn asked_for(event: Value) -> Result<Input, &'static str> {
        Input::parse(InvokedBy::Caller, event)
    }

    #[test]
    fn every_form_is_read() {
        let whole = Ok(Input::Sweep(Partition::WHOLE));
        assert_eq!(scheduled(json!({})), whole);
        let envelope = json!({"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event",
            "source":"aws.scheduler","account":"123456789012","time":"2026-11-21T00:00:00Z","region":"us-east-1",
            "resources":["arn:aws:scheduler:us-east-1:123456789012:schedule/default/sweep"],"detail":{}});
        assert_eq!(scheduled(envelope), whole);
        let part = json!({"partition":{"index":3,"count":4}});
        assert_eq!(scheduled(part), Ok(Input::Sweep(Partition { index: 3, count: 4 })));
        let one = json!({"connection":"tiktok-shop/us/7","rejected_version":7});
        assert!(matches!(asked_for(one), Ok(Input::OnDemand(OnDemand { rejected_version: 7, .. }))));
    }

    #[test]
    fn each_function_refuses_the_input_of_the_other() {
        let one = json!({"connection":"tiktok-shop/us/7","rejected_version":7});
        assert!(scheduled(one).unwrap_err().contains("invoke refresh-on-demand"));
        for event in [json!({}), json!({"partition":{"index":0,"count":1}})] {
            assert!(asked_for(event).unwrap_err().contains("the schedule invokes refresh-sweep"));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (event, what) in [
            (json!([]), "JSON object"),
            (json!({"partition":{"index":4,"count":4}}), "`index` < `count`"),
            (json!({"partition":{"index":0,"count":3}}), "1, 2 or 4"),
            (json!({"partition":{"index":0,"count":8}}), "1, 2 or 4"),
            (json!({"partition":{"index":0,"count":0}}), "`index` < `count`"),
            (json!({"partition":{"index":0}}), "count"),
        ] {
            assert!(scheduled(event.clone()).unwrap_err().contains(what), "{event}");
        }
        for event in [json!([]), json!({"connection":"x"})] {
            assert!(asked_for(event.clone()).unwrap_err().contains("not a request for a refresh"), "{event}");
        }
    }

    #[test]
    fn nothing_of_the_event_is_repeated() {
        for event in [
            json!({"connection":"tiktok-shop/us/7","rejected_version":"ROW_token"}),
            json!({"connection":"tiktok-shop/us/7","rejected_version":7,"ROW_token":1}),
            json!({"partition":{"index":"ROW_token","count":4}}),
        ] {
            assert!(!scheduled(event.clone()).unwrap_err().contains("ROW_token"), "{event}");
            assert!(!asked_for(event.clone()).unwrap_err().contains("ROW_token"), "{event}");
        }
    }

    #[test]
    fn partitions_cover_every_part_once_and_have_as_many_each() {
        for count in [1, 2, 4] {
            for part in 0..PARTS {
                assert_eq!((0..count).filter(|&index| Partition { index, count }.has(part)).count(), 1);
            }
            for index in 0..count {
                let mine = (0..PARTS).filter(|&part| Partition { index, count }.has(part)).count();
                assert_eq!(mine, usize::from(PARTS / count));
            }
        }
    }
}
