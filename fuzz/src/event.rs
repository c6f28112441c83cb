//! What refresh-sweep and refresh-on-demand are invoked with.

use refresh_sweep::{Input, InvokedBy};
use serde_json::{Value, json};
use shop_keyring::connection::due::PARTS;

use crate::names::reads_back;

/// An event names parts of a lane that exist, or one connection, and reads back the same. No event is taken by both
/// functions.
pub fn sweep_event(input: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Value>(input) else { return };
    let scheduled = Input::parse(InvokedBy::Schedule, event.clone());
    let asked_for = Input::parse(InvokedBy::Caller, event.clone());
    assert!(scheduled.is_err() || asked_for.is_err(), "a request for one connection sweeps them all");
    match scheduled {
        Ok(Input::Sweep(partition)) => {
            assert!(partition.index < partition.count && partition.count <= PARTS);
            assert!((0..PARTS).any(|part| partition.has(part)), "a schedule without a part");
            let again = json!({"partition": {"index": partition.index, "count": partition.count}});
            assert_eq!(Input::parse(InvokedBy::Schedule, again), Ok(Input::Sweep(partition)));
        }
        Ok(Input::OnDemand(_)) => panic!("the schedule asks for one connection"),
        Err(why) => repeats_nothing(why),
    }
    match asked_for {
        Ok(Input::OnDemand(request)) => {
            reads_back(&request.connection);
            let again = json!({"connection": request.connection, "rejected_version": request.rejected_version});
            assert_eq!(again, event);
            assert_eq!(Input::parse(InvokedBy::Caller, again), Ok(Input::OnDemand(request)));
        }
        Ok(Input::Sweep(_)) => panic!("a caller sweeps them all"),
        Err(why) => repeats_nothing(why),
    }
}

/// Holds by its type: a text of the program's own.
const fn repeats_nothing(_: &'static str) {}
