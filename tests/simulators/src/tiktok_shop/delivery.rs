//! The log of what was posted to apps. Holds names and numbers only, never a body or signature.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::notice::Letter;

/// What became of one attempt to deliver a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// It has not ended yet.
    Awaited,
    /// The app answered with this HTTP status; only 200 is what the platform wants.
    Answered(u16),
    /// No answer came in time, or nobody was there, or the simulator was stopped.
    Unanswered,
}

/// One attempt to deliver a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The notice's `tts_notification_id`, the same at every attempt.
    pub notification_id: String,
    /// The notice's `type`.
    pub kind: i64,
    /// The shop that it is about.
    pub shop_id: String,
    /// The app that it was posted to.
    pub app_key: String,
    /// Counts from one over the attempts of one notice.
    pub attempt: u32,
    /// When it was posted, in Unix seconds of the simulator's clock.
    pub at: u64,
    /// When it was posted, by the machine's clock.
    pub sent: Instant,
    /// What became of it.
    pub reception: Reception,
}

impl Delivery {
    /// Whether the app said that it has it.
    pub fn succeeded(&self) -> bool {
        self.reception == Reception::Answered(200)
    }
}

/// Every attempt in order of its beginning. Clones are handles to the same log.
#[derive(Clone)]
pub(super) struct DeliveryLog(Arc<watch::Sender<Vec<Delivery>>>);

impl DeliveryLog {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())))
    }

    pub(super) fn begin(&self, letter: &Letter, attempt: u32, now: u64) -> Attempt {
        let delivery = Delivery {
            notification_id: letter.notification_id.clone(),
            kind: letter.kind,
            shop_id: letter.shop_id.clone(),
            app_key: letter.app_key.clone(),
            attempt,
            at: now,
            sent: Instant::now(),
            reception: Reception::Awaited,
        };
        let mut position = 0;
        self.0.send_modify(|deliveries| {
            position = deliveries.len();
            deliveries.push(delivery);
        });
        Attempt { log: self.clone(), position, reception: Reception::Unanswered }
    }

    pub(super) fn all(&self) -> Vec<Delivery> {
        self.0.borrow().clone()
    }

    /// Waits until the log has what is asked for; says whether it had it in time.
    pub(super) async fn shows(&self, what: impl FnMut(&Vec<Delivery>) -> bool, patience: Duration) -> bool {
        let mut log = self.0.subscribe();
        timeout(patience, log.wait_for(what)).await.is_ok_and(|seen| seen.is_ok())
    }
}

/// An attempt under way. Dropping it, as happens when the simulator stops, ends it in the log.
pub(super) struct Attempt {
    log: DeliveryLog,
    position: usize,
    reception: Reception,
}

impl Attempt {
    pub(super) fn answered(mut self, status: u16) {
        self.reception = Reception::Answered(status);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.log.0.send_modify(|deliveries| deliveries[self.position].reception = self.reception);
    }
}
