//! Reading and listing.

use aws_sdk_secretsmanager::{
    operation::list_secrets::ListSecretsOutput,
    types::{Filter, FilterNameStringType},
};

use super::{
    Check, Outcome, checks, demand,
    secret::{CURRENT, PREVIOUS, Secret, code, refused, token},
};

pub(super) const CHECKS: &[Check] = checks![
    a_missing_secret_is_not_found,
    a_missing_version_is_not_found,
    a_missing_label_is_not_found,
    version_and_label_must_agree,
    secrets_are_found_by_arn,
    arns_look_like_arns,
    errors_have_status_400,
    versions_are_listed,
    secrets_are_listed_by_prefix,
];

async fn a_missing_secret_is_not_found(secret: Secret) -> Outcome {
    let expected = ["ResourceNotFoundException"];
    refused(secret.get().await, &expected)?;
    refused(secret.describe().await, &expected)?;
    refused(secret.delete(Some(7)).await, &expected)?;
    refused(secret.restore().await, &expected)
}

async fn a_missing_version_is_not_found(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    refused(secret.get_version(2).await, &["ResourceNotFoundException"])
}

async fn a_missing_label_is_not_found(secret: Secret) -> Outcome {
    secret.create(1, "1").await?;
    refused(secret.get_stage(PREVIOUS).await, &["ResourceNotFoundException"])
}

async fn version_and_label_must_agree(secret: Secret) -> Outcome {
    secret.with_versions(2).await?;
    let call = secret.client.get_secret_value().secret_id(&secret.name).version_id(token(1));
    let answer = call.clone().version_stage(PREVIOUS).send().await.map_err(code)?;
    demand!(answer.secret_string() == Some("1"), "another version");
    let answer = call.version_stage(CURRENT).send().await.map_err(code);
    refused(answer, &["InvalidRequestException"])
}

async fn secrets_are_found_by_arn(secret: Secret) -> Outcome {
    let arn = secret.create(1, "1").await?.arn().unwrap_or_default().to_owned();
    let by_arn = Secret { client: secret.client.clone(), name: arn.clone() };
    by_arn.put(2, "2").await?;
    let partial = arn.rsplit_once('-').map_or("", |(partial, _)| partial).to_owned();
    let by_partial_arn = Secret { client: secret.client.clone(), name: partial };
    for found in [by_arn.get().await?, by_partial_arn.get().await?, secret.get().await?] {
        demand!(found.secret_string() == Some("2"), "another version");
        demand!(found.name() == Some(&secret.name), "{:?}", found.name());
    }
    Ok(())
}

async fn arns_look_like_arns(secret: Secret) -> Outcome {
    let arn = secret.create(1, "1").await?.arn().unwrap_or_default().to_owned();
    let start = "arn:aws:secretsmanager:us-east-1:123456789012:secret:";
    let suffix = arn.strip_prefix(start).and_then(|rest| rest.strip_prefix(&secret.name));
    let right = suffix.is_some_and(|suffix| suffix.len() == 7 && suffix.starts_with('-'));
    demand!(right, "{arn}");
    Ok(())
}

async fn errors_have_status_400(secret: Secret) -> Outcome {
    let call = secret.client.get_secret_value().secret_id(&secret.name);
    let error = call.send().await.expect_err("there is no such secret");
    let status = error.raw_response().map(|response| response.status().as_u16());
    demand!(status == Some(400), "{status:?}");
    Ok(())
}

async fn versions_are_listed(secret: Secret) -> Outcome {
    secret.with_versions(3).await?;
    let call = secret.client.list_secret_version_ids().secret_id(&secret.name);
    let labelled = call.clone().send().await.map_err(code)?;
    demand!(labelled.versions().len() == 2, "{} with a label", labelled.versions().len());
    let all = call.include_deprecated(true).send().await.map_err(code)?;
    demand!(all.versions().len() == 3, "{} in all", all.versions().len());
    Ok(())
}

async fn secrets_are_listed_by_prefix(secret: Secret) -> Outcome {
    for (number, child) in ["a", "b", "deleted"].into_iter().enumerate() {
        let name = format!("{}/{child}", secret.name);
        let child = Secret { client: secret.client.clone(), name };
        child.create(u32::try_from(number).unwrap_or_default(), "1").await?;
    }
    let deleted = Secret { client: secret.client.clone(), name: format!("{}/deleted", secret.name) };
    deleted.delete(None).await?;
    let filter = Filter::builder().key(FilterNameStringType::Name).values(&secret.name).build();
    let call = secret.client.list_secrets().filters(filter);
    let pages = call.clone().max_results(1).into_paginator().send();
    let pages: Vec<_> = pages.try_collect().await.map_err(code)?;
    let names: Vec<_> = pages.iter().flat_map(ListSecretsOutput::secret_list).collect();
    demand!(names.len() == 2, "{} without deleted ones", names.len());
    let all = call.include_planned_deletion(true).send().await.map_err(code)?;
    demand!(all.secret_list().len() == 3, "{} with deleted ones", all.secret_list().len());
    Ok(())
}
