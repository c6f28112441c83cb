//! A line every few seconds, so that a long run is seen to be alive.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// From one line to the next.
const EVERY: Duration = Duration::from_secs(3);

/// The progress of one part, on stderr. Shared by whatever works side by side.
#[derive(Debug)]
pub struct Progress {
    part: &'static str,
    begun: Instant,
    said: Mutex<Instant>,
}

impl Progress {
    /// Of this part, from now on.
    pub fn new(part: &'static str) -> Self {
        Self { part, begun: Instant::now(), said: Mutex::new(Instant::now()) }
    }

    /// Says it, unless something was said within the last few seconds.
    pub fn say(&self, what: impl FnOnce() -> String) {
        let Ok(mut said) = self.said.lock() else { return };
        if said.elapsed() >= EVERY {
            *said = Instant::now();
            eprintln!("{:>6} s  {}: {}", self.begun.elapsed().as_secs(), self.part, what());
        }
    }
}
