//! What the vendor has been told, once everything is published: enough to know where each connection stands, and of every
//! version that was served.

use std::collections::BTreeMap;

use end_to_end::Stack;
use serde_json::Value;

use super::{Truth, sweep};

/// Sweeps until everything is published. One may find nothing due yet by its own clock.
const SWEEPS: usize = 8;

/// Lets everything be published; says what of these sellers' connections was not told, or wrongly.
pub(crate) async fn told(stack: &Stack, sellers: &[String]) -> Result<Vec<String>, String> {
    let mut truth = Truth::of(stack, sellers).await;
    for _ in 0..SWEEPS {
        if truth.iter().filter_map(|truth| truth.item.as_ref()).all(|item| item.get("events").is_none()) {
            break;
        }
        stack.age(2).await;
        sweep(stack).await?;
        truth = Truth::of(stack, sellers).await;
    }
    let events = stack.event_bus().events_after(0);
    let mut broken = Vec::new();
    for truth in &truth {
        // Published twice counts once, by its id; and in the order of the sequence.
        let own = events.iter().filter(|event| event.detail["connection"] == truth.connection.as_str());
        let own: BTreeMap<_, _> = own.map(|event| (event.detail["sequence"].as_u64(), event)).collect();
        let own: Vec<_> = own.values().map(|event| (event.detail_type.as_str(), &event.detail)).collect();
        broken.extend(wrong(truth, &own).map(|what| format!("{}: {what}: {own:?} {:?}", truth.connection, truth.item)));
    }
    Ok(broken)
}

fn wrong(truth: &Truth, told: &[(&str, &Value)]) -> Option<&'static str> {
    let Some(item) = &truth.item else { return None };
    if item.get("events").is_some() {
        return Some("events stay unpublished");
    }
    let mut version = None;
    for (what, detail) in told {
        let Some(now) = detail["version"].as_u64() else { return Some("an event without a version") };
        match *what {
            "Connection Refreshed" | "Connection Reauthorized" if version.is_some_and(|before| now != before + 1) => {
                return Some("a version was not told");
            }
            "Connection Refreshed" | "Connection Reauthorized" if version.is_none() => {
                return Some("it was not created");
            }
            _ => {}
        }
        version = Some(now);
    }
    let last = told.last();
    if last.is_none_or(|(_, last)| last["status"] != item["status"] || last["version"] != item["token_version"]) {
        return Some("who follows the events does not know where it stands");
    }
    None
}
