//! What refresh-sweep is invoked with.

use refresh_sweep::Input;
use serde_json::{Value, json};
use shop_keyring::connection::due::SHARDS;

use crate::names::reads_back;

/// An event names shards that there are, or one connection, and reads back the same.
pub fn sweep_event(input: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Value>(input) else { return };
    match Input::parse(event.clone()) {
        Ok(Input::Sweep(partition)) => {
            assert!(partition.index < partition.count && partition.count <= SHARDS);
            assert!((0..SHARDS).any(|shard| partition.has(shard)), "a schedule without a shard");
            let again = json!({"partition": {"index": partition.index, "count": partition.count}});
            assert_eq!(Input::parse(again), Ok(Input::Sweep(partition)));
            assert!(event.get("connection").is_none(), "a request for one connection sweeps them all");
        }
        Ok(Input::OnDemand(request)) => {
            reads_back(&request.connection);
            let again = json!({"connection": request.connection, "rejected_version": request.rejected_version});
            assert_eq!(again, event);
            assert_eq!(Input::parse(again), Ok(Input::OnDemand(request)));
        }
        Err(why) => repeats_nothing(why),
    }
}

/// Holds by its type: a text of the program's own.
const fn repeats_nothing(_: &'static str) {}
