//! The versions of one secret, and the staging labels on them.

use std::time::{Duration, SystemTime};

use super::{
    refusal::{Kind, Refusal},
    secret::SecretValue,
};

pub(super) const CURRENT: &str = "AWSCURRENT";
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";

/// The quota: versions without a label go once there are more.
pub(super) const MOST_VERSIONS: usize = 100;

/// No version younger than this is ever dropped, so one that is written more often than every 15
/// minutes can fill the quota: then puts are refused.
const YOUNGEST_DROPPED: Duration = Duration::from_hours(24);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) value: SecretValue,
    pub(super) stages: Vec<String>,
    pub(super) created_at: SystemTime,
}

/// Oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Versions(Vec<Version>);

impl Versions {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Version> {
        self.0.iter()
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Version> {
        self.0.iter().find(|version| version.id == id)
    }

    pub(super) fn by_stage(&self, stage: &str) -> Option<&Version> {
        self.0.iter().find(|version| version.stages.iter().any(|held| held == stage))
    }

    /// Adds a version and moves `stages` to it. The same id with the same value again changes
    /// nothing, not even labels that have moved on since.
    ///
    /// # Errors
    /// When the id is taken by another value, or there is no room.
    pub(super) fn put(
        &mut self,
        id: &str,
        value: SecretValue,
        stages: &[String],
        now: SystemTime,
    ) -> Result<&Version, Refusal> {
        if let Some(at) = self.0.iter().position(|version| version.id == id) {
            if self.0[at].value == value {
                return Ok(&self.0[at]);
            }
            let message = "You can't use ClientRequestToken on a secret version with a different \
                           value: a version with this token already exists.";
            return Err(Refusal::new(Kind::ResourceExists, message));
        }
        self.make_room(now)?;
        let first = self.0.is_empty();
        let version = Version { id: id.to_owned(), value, stages: Vec::new(), created_at: now };
        self.0.push(version);
        for stage in stages {
            self.attach(stage, id);
        }
        if first {
            self.attach(CURRENT, id);
        }
        Ok(&self.0[self.0.len() - 1])
    }

    /// Moves a label, as `UpdateSecretVersionStage` does.
    ///
    /// # Errors
    /// When the label's present holder is not named rightly, or the move is not possible.
    pub(super) fn move_stage(&mut self, stage: &str, from: Option<&str>, to: Option<&str>) -> Result<(), Refusal> {
        for id in from.iter().chain(&to) {
            if self.by_id(id).is_none() {
                return Err(Refusal::parameter(format!("Not a valid version: {id}")));
            }
        }
        let holder = self.by_stage(stage).map(|version| version.id.as_str());
        if from != holder && (from.is_some() || to != holder) {
            let message = format!(
                "The parameter RemoveFromVersionId must name the version that staging label {stage} \
                 is currently attached to."
            );
            return Err(Refusal::parameter(message));
        }
        match to {
            Some(to) => self.attach(stage, to),
            None if stage == CURRENT => {
                return Err(Refusal::parameter(
                    "You can only move staging label AWSCURRENT to a different secret version. \
                     It can't be completely removed.",
                ));
            }
            None => self.detach(stage),
        }
        Ok(())
    }

    fn attach(&mut self, stage: &str, id: &str) {
        let former = self.by_stage(stage).map(|version| version.id.clone());
        if former.as_deref() == Some(id) {
            return;
        }
        self.detach(stage);
        self.label(id, stage);
        if stage == CURRENT
            && let Some(former) = former
        {
            self.detach(PREVIOUS);
            self.label(&former, PREVIOUS);
        }
    }

    fn detach(&mut self, stage: &str) {
        for version in &mut self.0 {
            version.stages.retain(|held| held != stage);
        }
    }

    fn label(&mut self, id: &str, stage: &str) {
        if let Some(version) = self.0.iter_mut().find(|version| version.id == id) {
            version.stages.push(stage.to_owned());
        }
    }

    fn make_room(&mut self, now: SystemTime) -> Result<(), Refusal> {
        while self.0.len() >= MOST_VERSIONS {
            let droppable = |version: &Version| {
                version.stages.is_empty()
                    && now.duration_since(version.created_at).is_ok_and(|age| age >= YOUNGEST_DROPPED)
            };
            let Some(oldest) = self.0.iter().position(droppable) else {
                let message = "You've exceeded the quota for versions of this secret.";
                return Err(Refusal::new(Kind::LimitExceeded, message));
            };
            self.0.remove(oldest);
        }
        Ok(())
    }
}
