//! The vendor's services that ask for refreshes on demand, and what they are told.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use end_to_end::VendorApi;
use tokio::time::timeout;

use super::RESPONSE_WITHIN;
use crate::world::connection;

/// The client gives up after 45 s and then panics.
const PATIENCE: Duration = Duration::from_secs(40);

/// Failures that are told in full.
const TOLD: usize = 5;

/// What callers were told so far.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    served: usize,
    put_off: usize,
    slowest: Duration,
    wrong: usize,
    examples: Vec<String>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Response {
    /// A token in place of the rejected one.
    Served,
    /// To be asked again after so many seconds.
    PutOff(i64),
    /// Noted as a failure.
    Wrong,
}

impl Told {
    /// A caller rejects this version of a seller's token.
    pub(super) async fn ask(&self, vendor: &VendorApi, seller: &str, version: u64) -> Response {
        let begun = Instant::now();
        let answer = timeout(PATIENCE, vendor.refresh(&connection(seller), version)).await;
        let took = begun.elapsed();
        let (response, what) = match &answer {
            Err(_) => (Response::Wrong, "no response".to_owned()),
            Ok(answer) => {
                let retry_after = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
                let response = match (answer.status, answer.code().as_deref(), retry_after) {
                    (200, ..) => Response::Served,
                    (503, Some("refresh_failed" | "storage_unavailable"), Some(seconds)) => Response::PutOff(seconds),
                    _ => Response::Wrong,
                };
                (response, format!("{} {}", answer.status, answer.body))
            }
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.slowest = counts.slowest.max(took);
        match response {
            Response::Served => counts.served += 1,
            Response::PutOff(_) => counts.put_off += 1,
            Response::Wrong => {}
        }
        if response == Response::Wrong || took > RESPONSE_WITHIN {
            counts.wrong += 1;
            if counts.examples.len() < TOLD {
                counts.examples.push(format!("{seller} after {:.1} s: {what}", took.as_secs_f64()));
            }
        }
        response
    }

    /// In words, and what was wrong.
    pub(super) fn summary(&self) -> (String, Vec<String>) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { served, put_off, slowest, wrong, examples } = &*counts;
        let slowest = slowest.as_secs_f64();
        let words = format!("{served} responses with a token, {put_off} with 503; slowest {slowest:.1} s");
        let more = wrong.saturating_sub(examples.len());
        let mut broken: Vec<_> =
            examples.iter().map(|example| format!("a wrong or late response: {example}")).collect();
        if more > 0 {
            broken.push(format!("and {more} more such responses"));
        }
        (words, broken)
    }
}
