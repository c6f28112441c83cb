//! The recovery window.

use super::{
    Check, Outcome, checks, demand,
    secret::{Secret, code, refused},
};

pub(super) const CHECKS: &[Check] = checks![
    a_deleted_secret_cannot_be_read,
    a_deleted_secret_cannot_be_read_by_version,
    a_deleted_secret_takes_no_put,
    a_deleted_secrets_name_is_taken,
    a_deleted_secret_is_not_deleted_again,
    a_deleted_secret_can_be_described,
    a_restored_secret_has_all_its_versions,
    windows_last_7_to_30_days,
    a_window_and_force_exclude_each_other,
    force_deletes_at_once,
    force_may_find_nothing,
];

/// A secret with three versions, deleted.
async fn deleted(secret: &Secret) -> Outcome {
    secret.with_versions(3).await?;
    secret.delete(Some(7)).await
}

async fn a_deleted_secret_cannot_be_read(secret: Secret) -> Outcome {
    deleted(&secret).await?;
    refused(secret.get().await, &["InvalidRequestException"])
}

async fn a_deleted_secret_cannot_be_read_by_version(secret: Secret) -> Outcome {
    deleted(&secret).await?;
    refused(secret.get_version(2).await, &["InvalidRequestException"])
}

async fn a_deleted_secret_takes_no_put(secret: Secret) -> Outcome {
    deleted(&secret).await?;
    refused(secret.put(4, "4").await, &["InvalidRequestException"])
}

async fn a_deleted_secrets_name_is_taken(secret: Secret) -> Outcome {
    deleted(&secret).await?;
    refused(secret.create(4, "4").await, &["InvalidRequestException"])
}

async fn a_deleted_secret_is_not_deleted_again(secret: Secret) -> Outcome {
    deleted(&secret).await?;
    refused(secret.delete(Some(7)).await, &["InvalidRequestException"])
}

async fn a_deleted_secret_can_be_described(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    let before = secret.describe().await?;
    demand!(before.deleted_date().is_none(), "deleted before it was deleted");
    secret.delete(Some(7)).await?;
    let after = secret.describe().await?;
    demand!(after.deleted_date() > before.created_date(), "{:?}", after.deleted_date());
    Ok(())
}

async fn a_restored_secret_has_all_its_versions(secret: Secret) -> Outcome {
    deleted(&secret).await?;
    secret.restore().await?;
    let current = secret.get().await?;
    demand!(current.secret_string() == Some("3"), "another version is AWSCURRENT");
    secret.get_version(1).await?;
    secret.put(4, "4").await.map(drop)
}

async fn windows_last_7_to_30_days(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    for days in [6, 31] {
        refused(secret.delete(Some(days)).await, &["InvalidParameterException"])?;
    }
    secret.delete(Some(30)).await
}

async fn a_window_and_force_exclude_each_other(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    let call = secret.client.delete_secret().secret_id(&secret.name).recovery_window_in_days(7);
    let answer = call.force_delete_without_recovery(true).send().await.map_err(code);
    refused(answer, &["InvalidParameterException"])
}

async fn force_deletes_at_once(secret: Secret) -> Outcome {
    deleted(&secret).await?;
    secret.force_delete().await?;
    refused(secret.get().await, &["ResourceNotFoundException"])?;
    secret.create(1, "new").await.map(drop)
}

async fn force_may_find_nothing(secret: Secret) -> Outcome {
    secret.force_delete().await
}
