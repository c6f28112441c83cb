//! Each job, done once while something goes wrong in it, and what came of it.

mod callback;
mod calls;
mod deletion;
mod refresh;
mod webhooks;

use end_to_end::Answer;

use super::{
    cell::Strike,
    job::Job,
    outcome::{Outcome, Word},
    scene::{Hit, Scene, must},
};

/// Does the cell's job on this scene; says what came of it, or what does not hold.
pub(super) async fn perform(scene: &Scene, job: Job) -> Result<Outcome, String> {
    match job {
        Job::Sweep => refresh::scheduled(scene).await,
        Job::OnDemand => refresh::on_demand(scene).await,
        Job::OpenSession => calls::open_session(scene).await,
        Job::WayOut => calls::way_out(scene).await,
        Job::NewSeller => callback::new_seller(scene).await,
        Job::KnownSeller => callback::known_seller(scene).await,
        Job::Confirm => calls::confirm(scene).await,
        Job::ColdLookup | Job::WarmLookup => calls::lookup(scene, job == Job::WarmLookup).await,
        Job::ShopLookup => calls::shop_lookup(scene).await,
        Job::Disconnect => calls::disconnect(scene).await,
        Job::Deletion => deletion::deletion(scene).await,
        Job::Webhooks => webhooks::registration(scene).await,
    }
}

impl Hit {
    pub(super) fn with(self, word: Word) -> Outcome {
        Outcome { word, alarm: self.alarm }
    }

    /// The job has ended as ever.
    pub(super) fn well(self) -> Outcome {
        self.with(match () {
            () if self.repeated => Word::Retried,
            () if self.failed => Word::Done,
            () => Word::NoEffect,
        })
    }
}

/// 503 as the API words it, with the time after which another try can help.
fn says_unavailable(answer: &Answer) -> Result<(), String> {
    let worded = matches!(answer.code().as_deref(), Some("storage_unavailable" | "refresh_failed"));
    let holds = answer.status == 503 && worded && answer.header("retry-after").is_some();
    must(holds, || format!("neither an answer nor 503: {} {}", answer.status, answer.body))
}

impl Scene {
    /// Before the job: with a strike of the clock, everybody begins anew under the table's other time.
    pub(super) fn set_clock(&self) -> Result<(), String> {
        if let Some(Strike::Clock(seconds)) = self.cell.map(|cell| cell.strike) {
            self.stack().dynamodb().set_clock_offset(seconds);
            self.bench.renew(&end_to_end::Function::ALL)?;
        }
        Ok(())
    }

    /// Afterwards.
    pub(super) fn reset_clock(&self) -> Result<(), String> {
        if let Some(Strike::Clock(_)) = self.cell.map(|cell| cell.strike) {
            self.stack().dynamodb().set_clock_offset(0);
            self.bench.renew(&end_to_end::Function::ALL)?;
        }
        Ok(())
    }
}
