//! The JSON 1.1 protocol around the store.

use std::{ops::Bound, time::SystemTime};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    input::{Input, required},
    output::{describe, named, version_ids},
    refusal::{Kind, Refusal},
    secret::{Secret, SecretValue},
    store::{NewSecret, Store},
};
use crate::times::epoch_seconds;

pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

pub(super) fn answer(store: &mut Store, target: &str, body: &[u8], now: SystemTime) -> Response {
    match call(store, target, body, now) {
        Ok(output) => respond(StatusCode::OK, &output),
        Err(refusal) => {
            respond(Kind::status(), &json!({ "__type": refusal.kind.error_type(), "Message": refusal.message }))
        }
    }
}

fn respond(status: StatusCode, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE)];
    (status, headers, Body::from(body.to_string())).into_response()
}

fn call(store: &mut Store, target: &str, body: &[u8], now: SystemTime) -> Result<Value, Refusal> {
    let input = Input::parse(body)?;
    match target.strip_prefix("secretsmanager.").unwrap_or("") {
        "CreateSecret" => create(store, input, now),
        "PutSecretValue" => put(store, &input, now),
        "GetSecretValue" => get(store, &input, now),
        "DescribeSecret" => Ok(describe(store.find_mut(input.secret_id()?, now)?)),
        "DeleteSecret" => {
            let force = input.force_delete_without_recovery;
            let deleted = store.delete(input.secret_id()?, input.recovery_window_in_days, force, now)?;
            let date = epoch_seconds(deleted.window_end);
            Ok(json!({ "ARN": deleted.arn, "Name": deleted.name, "DeletionDate": date }))
        }
        "RestoreSecret" => Ok(named(store.restore(input.secret_id()?, now)?)),
        "ListSecretVersionIds" => Ok(version_ids(store.find_mut(input.secret_id()?, now)?, input.include_deprecated)),
        "ListSecrets" => Ok(list(store, &input, now)),
        "UpdateSecretVersionStage" => {
            let stage = required(input.version_stage.as_deref(), "versionStage")?;
            let secret = store.find_mut(input.secret_id()?, now)?;
            secret.alive()?;
            let (from, to) = (&input.remove_from_version_id, &input.move_to_version_id);
            secret.versions.move_stage(stage, from.as_deref(), to.as_deref())?;
            Ok(named(secret))
        }
        _ => Err(Refusal::new(Kind::UnknownOperation, "")),
    }
}

fn create(store: &mut Store, input: Input, now: SystemTime) -> Result<Value, Refusal> {
    let value = input.value()?;
    let version_id = value.is_some().then(|| input.token());
    let new = NewSecret {
        name: required(input.name.as_deref(), "name")?.to_owned(),
        version_id: version_id.clone().unwrap_or_else(|| input.token()),
        description: input.description,
        kms_key_id: input.kms_key_id,
        value,
    };
    let mut answer = named(store.create(new, now)?);
    if let Some(version_id) = version_id {
        answer["VersionId"] = version_id.into();
    }
    Ok(answer)
}

fn put(store: &mut Store, input: &Input, now: SystemTime) -> Result<Value, Refusal> {
    let value = input
        .value()?
        .ok_or_else(|| Refusal::new(Kind::InvalidRequest, "You must provide either SecretString or SecretBinary."))?;
    let (secret, version) = store.put(input.secret_id()?, &input.token(), value, &input.version_stages, now)?;
    let mut answer = named(secret);
    answer["VersionId"] = version.id.into();
    answer["VersionStages"] = version.stages.into();
    Ok(answer)
}

fn get(store: &mut Store, input: &Input, now: SystemTime) -> Result<Value, Refusal> {
    let (version_id, stage) = (input.version_id.as_deref(), input.version_stage.as_deref());
    let (secret, version) = store.get(input.secret_id()?, version_id, stage, now)?;
    let mut answer = named(secret);
    answer["VersionId"] = version.id.clone().into();
    answer["VersionStages"] = version.stages.clone().into();
    answer["CreatedDate"] = epoch_seconds(version.created_at).into();
    match &version.value {
        SecretValue::String(text) => answer["SecretString"] = text.clone().into(),
        SecretValue::Binary(bytes) => answer["SecretBinary"] = BASE64_STANDARD.encode(bytes).into(),
    }
    Ok(answer)
}

fn list(store: &mut Store, input: &Input, now: SystemTime) -> Value {
    store.purge(now);
    let start = input.next_token.as_deref().unwrap_or("");
    let limit = input.max_results.unwrap_or(100).clamp(1, 100);
    let mut page: Vec<&Secret> = store
        .secrets
        .range::<str, _>((Bound::Included(start), Bound::Unbounded))
        .map(|(_, secret)| secret)
        .filter(|secret| input.include_planned_deletion || secret.window_end.is_none())
        .filter(|secret| input.filters.iter().all(|filter| filter.passes(secret)))
        .take(limit + 1)
        .collect();
    let next = if page.len() > limit { page.pop() } else { None };
    let secrets: Vec<Value> = page.into_iter().map(describe).collect();
    let mut answer = json!({ "SecretList": secrets });
    if let Some(next) = next {
        answer["NextToken"] = next.name.clone().into();
    }
    answer
}
