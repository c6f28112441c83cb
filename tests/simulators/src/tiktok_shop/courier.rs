//! Posts notices in the background: again and again until an app takes them.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, redirect, retry};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::Url;

use super::delivery::{Attempt, DeliveryLog};
use super::notice::Letter;
use super::world::Shared;

/// How long the platform waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is under way ends with it, or by [`stop`](Self::stop).
pub(super) struct Courier {
    shared: Shared,
    client: Client,
    log: DeliveryLog,
    runtime: Handle,
    /// `None` once stopped.
    rounds: Mutex<Option<JoinSet<()>>>,
}

impl Courier {
    /// Posts on the current tokio runtime.
    pub(super) fn new(shared: Shared) -> io::Result<Self> {
        // Every attempt is one request on a connection of its own, or the log would not tell all.
        let client = Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .build()
            .map_err(io::Error::other)?;
        let rounds = Mutex::new(Some(JoinSet::new()));
        Ok(Self { shared, client, log: DeliveryLog::new(), runtime: Handle::current(), rounds })
    }

    pub(super) fn log(&self) -> &DeliveryLog {
        &self.log
    }

    /// Takes a letter on its way; its first attempt is in the log when this returns.
    pub(super) fn take(&self, letter: Letter) {
        let mut rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rounds) = rounds.as_mut() else { return };
        while rounds.try_join_next().is_some() {}
        let (shared, client, log) = (self.shared.clone(), self.client.clone(), self.log.clone());
        let round = Round { shared, client, log, letter };
        let first = round.begin(1);
        rounds.spawn_on(round.deliver(first), &self.runtime);
    }

    /// Once it returns, nothing more is posted.
    pub(super) async fn stop(&self) {
        let rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut rounds) = rounds {
            rounds.shutdown().await;
        }
    }
}

/// One letter from its first attempt to the last.
struct Round {
    shared: Shared,
    client: Client,
    log: DeliveryLog,
    letter: Letter,
}

impl Round {
    async fn deliver(self, first: Attempt) {
        let mut attempt = first;
        let mut unheard = 0;
        for number in 1.. {
            let status = self.post().await;
            match status {
                Some(status) => attempt.answered(status),
                None => drop(attempt),
            }
            if status == Some(200) {
                if unheard == self.shared.lock().world.settings.webhook_duplicates {
                    return;
                }
                unheard += 1;
            }
            let Some(pause) = self.pause_after(number) else { return };
            sleep(pause).await;
            attempt = self.begin(number + 1);
        }
    }

    fn begin(&self, attempt: u32) -> Attempt {
        let now = self.shared.lock().now();
        self.log.begin(&self.letter, attempt, now)
    }

    fn pause_after(&self, attempt: u32) -> Option<Duration> {
        let failed = usize::try_from(attempt).ok()?;
        self.shared.lock().world.settings.webhook_retries.get(failed - 1).copied()
    }

    /// The status of the answer, if one came.
    async fn post(&self) -> Option<u16> {
        let (url, signature) = self.address()?;
        let mut request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        if let Some(signature) = signature {
            request = request.header(AUTHORIZATION, signature);
        }
        let answer = request.body(self.letter.body.clone()).send().await.ok()?;
        Some(answer.status().as_u16())
    }

    /// The registered address or else the app's own as it is now, and the signature by what the app's secret is now.
    fn address(&self) -> Option<(Url, Option<String>)> {
        let state = self.shared.lock();
        let app = state.world.app(&self.letter.app_key).ok()?;
        let url = self.letter.registered.as_ref().or(app.webhook_url.as_ref())?;
        Some((url.clone(), self.letter.signature(app)))
    }
}
