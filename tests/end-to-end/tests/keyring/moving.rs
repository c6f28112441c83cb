//! The keyring moves to another Region or account: a copy of a secret has versions of its own, but for the one that is
//! made under the old version's id.

use emulators::front::{Fault, FaultKind};
use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Rotation, Route};

use crate::setting::{DUE, SELLER_1, connect, connected, item};

const SECRET_1: &str = "shop-keyring/connections/tiktok-shop/us/seller-1/tokens";

/// No function is at work, and none has anything in memory afterwards.
fn end_all(stack: &Stack) {
    for function in Function::ALL {
        stack.kill(function);
    }
}

/// The functions of the new side.
fn begin_anew(stack: &Stack) {
    for function in Function::ALL {
        stack.start_process(function).unwrap();
    }
}

/// The one version that the item names, out of the old Region.
async fn taken_along(stack: &Stack) -> Value {
    let version = item(stack, SELLER_1).await["secret_version"].as_str().unwrap().to_owned();
    let held = stack.leave_secrets_behind(&[(SELLER_1.to_owned(), version)]).await;
    held.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_copied_under_its_version_goes_on() {
    let stack = connected(Options::default()).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    let served = stack.vendor().token(SELLER_1).await.expect(200).json();

    end_all(&stack);
    let held = taken_along(&stack).await;
    let copy = json!({
        "Name": SECRET_1, "ClientRequestToken": held["VersionId"], "SecretString": held["SecretString"],
    });
    stack.aws_secrets_manager("CreateSecret", &copy).await.unwrap();
    stack.aws_secrets_manager("CreateSecret", &copy).await.expect("once more is no harm");
    begin_anew(&stack);

    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert_eq!((&token["access_token"], &token["version"]), (&served["access_token"], &served["version"]));
    stack.age(DUE).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    drop(stack.vendor().token(SELLER_1).await.expect(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_attempt_had_kept_is_found_on_the_new_side() {
    let stack = connected(Options::default()).await;
    stack.tiktok_shop().configure(|settings| settings.rotation = Rotation::OneTime);
    stack.age(DUE).await;
    let down = stack.dynamodb().front().inject(Fault::new(FaultKind::DropBefore).on("TransactWriteItems").always());
    assert_eq!(stack.invoke_sweep().await["errors"], 1);
    down.clear();

    end_all(&stack);
    let before = item(&stack, SELLER_1).await;
    let versions = [&before["secret_version"], &before["attempts"][0]];
    let versions = versions.map(|version| (SELLER_1.to_owned(), version.as_str().unwrap().to_owned()));
    for (held, (operation, name)) in stack
        .leave_secrets_behind(&versions)
        .await
        .iter()
        .zip([("CreateSecret", "Name"), ("PutSecretValue", "SecretId")])
    {
        let copy = json!({
            name: SECRET_1, "ClientRequestToken": held["VersionId"], "SecretString": held["SecretString"],
        });
        stack.aws_secrets_manager(operation, &copy).await.unwrap();
    }
    begin_anew(&stack);
    stack.age(61).await;
    assert_eq!(stack.invoke_sweep().await["healed"], 1);
    let token = stack.vendor().token(SELLER_1).await.expect(200).json();
    assert!(stack.tiktok_shop().accepts(token["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missing_serves_nobody_and_spends_nothing() {
    let stack = connected(Options::default()).await;
    end_all(&stack);
    let held = taken_along(&stack).await;
    // Copied without its version's id.
    let copy = json!({
        "Name": SECRET_1, "ClientRequestToken": "00000000-0000-4000-8000-000000000000",
        "SecretString": held["SecretString"],
    });
    stack.aws_secrets_manager("CreateSecret", &copy).await.unwrap();
    begin_anew(&stack);
    drop(stack.vendor().token(SELLER_1).await.expect(503));
    stack.age(DUE).await;
    let swept = stack.invoke_sweep().await;
    assert_eq!((&swept["refreshed"], &swept["errors"]), (&json!(0), &json!(1)), "{swept}");
    assert_eq!(stack.tiktok_shop().calls_to(Route::TokenRefresh).len(), 0);
    assert_eq!(item(&stack, SELLER_1).await["status"], "active", "nobody is blamed");

    // The right one beside it, and all goes on. So does a seller who connects anew.
    let put = json!({
        "SecretId": SECRET_1, "ClientRequestToken": held["VersionId"], "SecretString": held["SecretString"],
    });
    stack.aws_secrets_manager("PutSecretValue", &put).await.unwrap();
    stack.age(3_601).await;
    assert_eq!(stack.invoke_sweep().await["refreshed"], 1);
    connect(&stack, "us", "seller-1", "acme").await;
    drop(stack.vendor().token(SELLER_1).await.expect(200));
    stack.stop_functions();
    assert!(stack.output().contains("vault_fault"), "the operator was told");
}
