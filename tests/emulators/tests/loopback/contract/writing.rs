//! Creating and putting.

use aws_sdk_secretsmanager::primitives::Blob;

use super::{
    Check, Outcome, checks, demand,
    secret::{Secret, code, refused, token},
};

pub(super) const CHECKS: &[Check] = checks![
    the_token_becomes_the_version_id,
    without_a_token_there_is_a_version_id,
    tokens_have_32_to_64_characters,
    the_same_put_again_changes_nothing,
    a_token_is_for_one_value,
    a_name_is_created_once,
    the_same_create_again_succeeds,
    a_secret_may_be_created_empty,
    an_empty_secrets_first_put_is_current,
    put_needs_a_secret,
    put_needs_a_value,
    put_takes_one_value,
    values_have_65536_bytes_at_most,
    binary_values,
];

async fn the_token_becomes_the_version_id(secret: Secret) -> Outcome {
    let created = secret.create(1, "1").await?;
    demand!(created.version_id() == Some(&token(1)), "create: {:?}", created.version_id());
    let put = secret.put(2, "2").await?;
    demand!(put.version_id() == Some(&token(2)), "put: {:?}", put.version_id());
    demand!(put.version_stages() == ["AWSCURRENT"], "put: {:?}", put.version_stages());
    let got = secret.get().await?;
    demand!(got.version_id() == Some(&token(2)), "get: {:?}", got.version_id());
    Ok(())
}

async fn without_a_token_there_is_a_version_id(secret: Secret) -> Outcome {
    let call = secret.client.create_secret().name(&secret.name).secret_string("1");
    let answer = call.send().await.map_err(code)?;
    demand!(answer.version_id().is_some_and(|id| id.len() == 36), "{:?}", answer.version_id());
    Ok(())
}

async fn tokens_have_32_to_64_characters(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    for length in [32, 64] {
        secret.put_as(&"a".repeat(length), "x").await?;
    }
    for length in [31, 65] {
        let put = secret.put_as(&"b".repeat(length), "x").await;
        refused(put, &["InvalidParameterException", "ValidationException"])?;
    }
    Ok(())
}

async fn the_same_put_again_changes_nothing(secret: Secret) -> Outcome {
    secret.with_versions(3).await?;
    let again = secret.put(2, "2").await?;
    demand!(again.version_id() == Some(&token(2)), "{:?}", again.version_id());
    let current = secret.get().await?;
    demand!(current.version_id() == Some(&token(3)), "AWSCURRENT has moved back");
    Ok(())
}

async fn a_token_is_for_one_value(secret: Secret) -> Outcome {
    secret.with_versions(2).await?;
    refused(secret.put(2, "other").await, &["ResourceExistsException"])?;
    refused(secret.put(1, "other").await, &["ResourceExistsException"])?;
    let value = secret.get().await?;
    demand!(value.secret_string() == Some("2"), "the value has changed");
    Ok(())
}

async fn a_name_is_created_once(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    refused(secret.create(2, "1").await, &["ResourceExistsException"])?;
    refused(secret.create(1, "other").await, &["ResourceExistsException"])
}

async fn the_same_create_again_succeeds(secret: Secret) -> Outcome {
    let first = secret.create(1, "1").await?;
    let again = secret.create(1, "1").await?;
    demand!(first.arn() == again.arn(), "another ARN");
    demand!(again.version_id() == Some(&token(1)), "{:?}", again.version_id());
    Ok(())
}

async fn a_secret_may_be_created_empty(secret: Secret) -> Outcome {
    let answer = secret.client.create_secret().name(&secret.name).send().await.map_err(code)?;
    demand!(answer.version_id().is_none(), "{:?}", answer.version_id());
    refused(secret.get().await, &["ResourceNotFoundException"])
}

async fn an_empty_secrets_first_put_is_current(secret: Secret) -> Outcome {
    secret.client.create_secret().name(&secret.name).send().await.map_err(code)?;
    let call = secret.client.put_secret_value().secret_id(&secret.name).secret_string("1");
    call.version_stages("NEXT").send().await.map_err(code)?;
    secret.get().await.map(drop)
}

async fn put_needs_a_secret(secret: Secret) -> Outcome {
    refused(secret.put(1, "1").await, &["ResourceNotFoundException"])
}

async fn put_needs_a_value(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    let put = secret.client.put_secret_value().secret_id(&secret.name).send().await.map_err(code);
    refused(put, &["InvalidRequestException", "InvalidParameterException"])
}

async fn put_takes_one_value(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    let call = secret.client.put_secret_value().secret_id(&secret.name).secret_string("2");
    let put = call.secret_binary(Blob::new("2")).send().await.map_err(code);
    refused(put, &["InvalidRequestException", "InvalidParameterException"])
}

async fn values_have_65536_bytes_at_most(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    secret.put(2, &"x".repeat(65_536)).await?;
    // In bytes, not in characters.
    let put = secret.put(3, &"é".repeat(32_769)).await;
    refused(put, &["InvalidParameterException", "InvalidRequestException", "ValidationException"])
}

async fn binary_values(secret: Secret) -> Outcome {
    let bytes = Blob::new([0, 159, 146, 150]);
    let call = secret.client.create_secret().name(&secret.name).secret_binary(bytes.clone());
    call.send().await.map_err(code)?;
    let answer = secret.get().await?;
    demand!(answer.secret_binary() == Some(&bytes), "other bytes");
    demand!(answer.secret_string().is_none(), "a string as well");
    Ok(())
}
