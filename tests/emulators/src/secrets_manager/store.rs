//! The secrets: finding, creating, putting, getting.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::SystemTime,
};

use super::{
    refusal::{Kind, Refusal},
    secret::{Secret, SecretValue},
    versions::{CURRENT, Version, Versions},
};

const ARN_PREFIX: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:";

/// The six random characters with a hyphen, with which an ARN ends.
const ARN_SUFFIX: usize = 7;

/// All secrets, by name.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) secrets: BTreeMap<String, Secret>,
    /// No recovery window ends before this.
    pub(super) window_ends: Option<SystemTime>,
}

/// What `CreateSecret` asks for.
pub(super) struct NewSecret {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) version_id: String,
    pub(super) value: Option<SecretValue>,
}

impl Store {
    /// # Errors
    /// When the name is taken, also by a deleted secret, or something is out of bounds.
    pub(super) fn create(&mut self, new: NewSecret, now: SystemTime) -> Result<&Secret, Refusal> {
        self.purge(now);
        check_name(&new.name)?;
        check_token(&new.version_id)?;
        let value = new.value.map(SecretValue::check).transpose()?;
        if let Some(existing) = self.secrets.get(&new.name) {
            refuse_unless_repeated(existing, &new.version_id, value.as_ref())?;
        } else {
            let mut versions = Versions::default();
            if let Some(value) = value {
                versions.put(&new.version_id, value, &[], now)?;
            }
            let secret = Secret {
                arn: arn(&new.name, now),
                name: new.name.clone(),
                description: new.description,
                kms_key_id: new.kms_key_id,
                created_at: now,
                changed_at: now,
                window_end: None,
                versions,
            };
            self.secrets.insert(new.name.clone(), secret);
        }
        self.secrets.get(&new.name).ok_or_else(Refusal::no_secret)
    }

    /// `stages` empty means the default, `AWSCURRENT`.
    ///
    /// # Errors
    /// When there is no such secret, it is deleted, or its versions refuse.
    pub(super) fn put(
        &mut self,
        id: &str,
        version_id: &str,
        value: SecretValue,
        stages: &[String],
        now: SystemTime,
    ) -> Result<(&Secret, Version), Refusal> {
        check_token(version_id)?;
        let value = value.check()?;
        let secret = self.find_mut(id, now)?;
        secret.alive()?;
        let default = [CURRENT.to_owned()];
        let stages = if stages.is_empty() { &default } else { stages };
        let version = secret.versions.put(version_id, value, stages, now)?.clone();
        secret.changed_at = now;
        Ok((secret, version))
    }

    /// # Errors
    /// When there is no such secret or version, or it is deleted.
    pub(super) fn get(
        &mut self,
        id: &str,
        version_id: Option<&str>,
        stage: Option<&str>,
        now: SystemTime,
    ) -> Result<(&Secret, &Version), Refusal> {
        let secret = &*self.find_mut(id, now)?;
        secret.alive()?;
        let (found, what) = match (version_id, stage.unwrap_or(CURRENT)) {
            (Some(version_id), _) => (secret.versions.by_id(version_id), format!("VersionId: {version_id}")),
            (None, stage) => (secret.versions.by_stage(stage), format!("staging label: {stage}")),
        };
        let version = found.ok_or_else(|| Refusal::no_value(&what))?;
        if stage.is_some_and(|stage| version.stages.iter().all(|held| held != stage)) {
            return Err(Refusal::new(
                Kind::InvalidRequest,
                "You provided a VersionStage that is not associated to the provided VersionId.",
            ));
        }
        Ok((secret, version))
    }

    /// # Errors
    /// When there is no such secret.
    pub(super) fn find_mut(&mut self, id: &str, now: SystemTime) -> Result<&mut Secret, Refusal> {
        self.purge(now);
        let key = match self.secrets.get(id) {
            Some(_) => id,
            // An ARN, whole or without its suffix. A whole one must be this very secret's, not that
            // of a former one of the same name.
            None => self
                .secrets
                .values()
                .find(|secret| secret.arn == id || id.strip_prefix(ARN_PREFIX) == Some(&secret.name))
                .map_or("", |secret| &secret.name),
        };
        let key = key.to_owned();
        self.secrets.get_mut(&key).ok_or_else(Refusal::no_secret)
    }
}

/// The name in an ARN; a name is its own.
pub(super) fn name_of(id: &str) -> &str {
    let Some(rest) = id.strip_prefix("arn:") else {
        return id;
    };
    let name = rest.split(':').nth(5).unwrap_or(id);
    match name.len().checked_sub(ARN_SUFFIX).and_then(|at| name.split_at_checked(at)) {
        Some((name, suffix)) if suffix.starts_with('-') => name,
        _ => name,
    }
}

/// A force-deleted secret's successor gets another ARN, as in AWS.
pub(super) fn arn(name: &str, now: SystemTime) -> String {
    let mut hasher = DefaultHasher::new();
    (name, now).hash(&mut hasher);
    format!("{ARN_PREFIX}{name}-{:06x}", hasher.finish() & 0x00ff_ffff)
}

/// A repeated create is a success if it is the same in name, token and value.
fn refuse_unless_repeated(existing: &Secret, version_id: &str, value: Option<&SecretValue>) -> Result<(), Refusal> {
    if existing.window_end.is_some() {
        return Err(Refusal::new(
            Kind::InvalidRequest,
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        ));
    }
    let version = existing.versions.by_id(version_id);
    if version.is_some_and(|version| Some(&version.value) == value) {
        return Ok(());
    }
    let message = format!("The operation failed because the secret {} already exists.", existing.name);
    Err(Refusal::new(Kind::ResourceExists, message))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c);
    if (1..=512).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Refusal::parameter(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
         following: -/_+=.@!",
    ))
}

fn check_token(token: &str) -> Result<(), Refusal> {
    if (32..=64).contains(&token.len()) {
        return Ok(());
    }
    Err(Refusal::parameter("ClientRequestToken must be 32-64 characters long."))
}
