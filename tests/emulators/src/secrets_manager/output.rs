//! What is told of a secret, without its values.

use serde_json::{Map, Value, json};

use super::{secret::Secret, versions::Version};
use crate::times::epoch_seconds;

/// What every answer begins with.
pub(super) fn named(secret: &Secret) -> Value {
    json!({ "ARN": secret.arn, "Name": secret.name })
}

pub(super) fn describe(secret: &Secret) -> Value {
    let mut answer = named(secret);
    answer["CreatedDate"] = epoch_seconds(secret.created_at).into();
    answer["LastChangedDate"] = epoch_seconds(secret.changed_at).into();
    for (member, value) in [("Description", &secret.description), ("KmsKeyId", &secret.kms_key_id)] {
        if let Some(value) = value {
            answer[member] = value.clone().into();
        }
    }
    if let Some(end) = secret.window_end {
        answer["DeletedDate"] = epoch_seconds(end).into();
    }
    let labelled = secret.versions.iter().filter(|version| !version.stages.is_empty());
    let stages: Map<String, Value> =
        labelled.map(|version| (version.id.clone(), version.stages.clone().into())).collect();
    if !stages.is_empty() {
        answer["VersionIdsToStages"] = stages.clone().into();
        // The same under `ListSecrets`' name; each deserializer ignores the other's.
        answer["SecretVersionsToStages"] = stages.into();
    }
    answer
}

pub(super) fn version_ids(secret: &Secret, include_deprecated: bool) -> Value {
    let wanted = |version: &&Version| include_deprecated || !version.stages.is_empty();
    let versions: Vec<Value> = secret.versions.iter().filter(wanted).map(version_entry).collect();
    let mut answer = named(secret);
    answer["Versions"] = versions.into();
    answer
}

fn version_entry(version: &Version) -> Value {
    let mut entry = json!({
        "VersionId": version.id,
        "CreatedDate": epoch_seconds(version.created_at),
    });
    if !version.stages.is_empty() {
        entry["VersionStages"] = version.stages.clone().into();
    }
    entry
}
