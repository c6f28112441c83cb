//! Staging labels.

use super::{
    Check, Outcome, checks, demand,
    secret::{CURRENT, PREVIOUS, Secret, code, refused, token},
};

pub(super) const CHECKS: &[Check] = checks![
    a_put_moves_current_and_previous,
    a_version_without_a_label_stays_readable,
    a_put_under_another_label_leaves_current,
    current_can_be_moved_back,
    after_moving_current_a_plain_get_follows,
    the_present_holder_must_be_named,
    current_cannot_be_taken_away,
];

async fn a_put_moves_current_and_previous(secret: Secret) -> Outcome {
    secret.with_versions(3).await?;
    let stages = [secret.stages(1).await?, secret.stages(2).await?, secret.stages(3).await?];
    let expected = [vec![], vec![PREVIOUS.to_owned()], vec![CURRENT.to_owned()]];
    demand!(stages == expected, "{stages:?}");
    let previous = secret.get_stage(PREVIOUS).await?;
    demand!(previous.secret_string() == Some("2"), "another version is AWSPREVIOUS");
    Ok(())
}

async fn a_version_without_a_label_stays_readable(secret: Secret) -> Outcome {
    secret.with_versions(4).await?;
    let first = secret.get_version(1).await?;
    demand!(first.secret_string() == Some("1"), "another value");
    demand!(first.version_stages().is_empty(), "{:?}", first.version_stages());
    Ok(())
}

async fn a_put_under_another_label_leaves_current(secret: Secret) -> Outcome {
    secret.with_versions(2).await?;
    let call = secret.client.put_secret_value().secret_id(&secret.name).secret_string("3");
    let call = call.client_request_token(token(3)).version_stages("NEXT");
    call.send().await.map_err(code)?;
    let (current, next) = (secret.get().await?, secret.get_stage("NEXT").await?);
    demand!(current.secret_string() == Some("2"), "AWSCURRENT has moved");
    demand!(next.secret_string() == Some("3"), "NEXT is elsewhere");
    Ok(())
}

async fn move_current(secret: &Secret, from: Option<u32>, to: Option<u32>) -> Result<(), String> {
    let call = secret.client.update_secret_version_stage().secret_id(&secret.name);
    let call = call.version_stage(CURRENT).set_remove_from_version_id(from.map(token));
    call.set_move_to_version_id(to.map(token)).send().await.map(drop).map_err(code)
}

async fn current_can_be_moved_back(secret: Secret) -> Outcome {
    secret.with_versions(3).await?;
    move_current(&secret, Some(3), Some(1)).await?;
    let stages = [secret.stages(1).await?, secret.stages(2).await?, secret.stages(3).await?];
    let expected = [vec![CURRENT.to_owned()], vec![], vec![PREVIOUS.to_owned()]];
    demand!(stages == expected, "{stages:?}");
    Ok(())
}

async fn after_moving_current_a_plain_get_follows(secret: Secret) -> Outcome {
    secret.with_versions(2).await?;
    move_current(&secret, Some(2), Some(1)).await?;
    let value = secret.get().await?;
    demand!(value.secret_string() == Some("1"), "the version that was AWSCURRENT before");
    Ok(())
}

async fn the_present_holder_must_be_named(secret: Secret) -> Outcome {
    secret.with_versions(3).await?;
    let expected = ["InvalidParameterException"];
    refused(move_current(&secret, None, Some(1)).await, &expected)?;
    refused(move_current(&secret, Some(2), Some(1)).await, &expected)
}

async fn current_cannot_be_taken_away(secret: Secret) -> Outcome {
    secret.with_versions(2).await?;
    let expected = ["InvalidParameterException", "InvalidRequestException"];
    refused(move_current(&secret, Some(2), None).await, &expected)
}
