//! What a caller's role does not allow is denied, with the error that AWS gives, and nothing has happened.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use emulators::{
    front::Front,
    roles::{Policy, Roles},
    secrets_manager::SecretsManager,
};
use serde_json::{Value, json};

use crate::{
    clients,
    dynamodb::{exists, put, text, with_table},
};

const ITEMS: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/items";
const DENIED: &str = "AccessDeniedException";

fn restrict(front: &Front, access_key_id: &str, statements: &Value) {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    front.authorize_with(Roles::new().with(access_key_id, Policy::read(&document).unwrap()));
}

fn code<T, E: ProvideErrorMetadata>(answer: Result<T, E>) -> Result<(), String> {
    answer.map(drop).map_err(|error| error.code().unwrap_or("no service error").to_owned())
}

#[tokio::test]
async fn only_some_items_may_be_put() {
    let (dynamodb, client) = with_table().await;
    let key = clients::credentials();
    restrict(
        dynamodb.front(),
        key.access_key_id(),
        &json!([
            { "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": ITEMS },
            {
                "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": ITEMS,
                "Condition": { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "shop/*" } },
            },
        ]),
    );
    assert_eq!(put(&client, "shop/1").await, Ok(()));
    assert_eq!(put(&client, "1").await, Err(DENIED.to_owned()));
    assert!(exists(&client, "shop/1").await && !exists(&client, "1").await);
    assert_eq!(code(client.scan().table_name("items").send().await), Err(DENIED.to_owned()));
    let statuses: Vec<_> = dynamodb.front().calls_of("PutItem").iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(200), Some(400)]);
    assert_eq!(dynamodb.front().take_denied().len(), 2);
    assert_eq!(dynamodb.front().take_denied().len(), 0);
}

#[tokio::test]
async fn a_transaction_needs_what_each_of_its_items_needs() {
    let (dynamodb, client) = with_table().await;
    let key = clients::credentials();
    restrict(
        dynamodb.front(),
        key.access_key_id(),
        &json!([
            { "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": ITEMS },
            {
                "Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": ITEMS,
                "Condition": { "ForAllValues:StringEquals": { "dynamodb:Attributes": ["id", "value"] } },
            },
        ]),
    );
    let transact = async |attribute: &str, condition: &str| {
        let put = Put::builder().table_name("items").item("id", text("a")).build().unwrap();
        let update = Update::builder().table_name("items").key("id", text("b")).condition_expression(condition);
        let update = update.update_expression("SET #a = :a").expression_attribute_names("#a", attribute);
        let update = update.expression_attribute_values(":a", text("x")).build().unwrap();
        let call = client.transact_write_items();
        let call = call.transact_items(TransactWriteItem::builder().put(put).build());
        code(call.transact_items(TransactWriteItem::builder().update(update).build()).send().await)
    };
    assert_eq!(transact("value", "attribute_not_exists(id)").await, Ok(()));
    assert_eq!(transact("secret", "attribute_exists(id)").await, Err(DENIED.to_owned()));
    assert_eq!(transact("value", "attribute_not_exists(secret)").await, Err(DENIED.to_owned()), "a condition too");
}

#[tokio::test]
async fn a_secret_may_be_deleted_if_it_can_come_back() {
    let secrets = SecretsManager::start(clients::loopback()).await.unwrap();
    let client = clients::secrets_manager(&secrets.url());
    for name in ["app/a", "app/b", "other"] {
        client.create_secret().name(name).secret_string("x").send().await.unwrap();
    }
    let key = clients::credentials();
    restrict(
        secrets.front(),
        key.access_key_id(),
        &json!([
            {
                "Effect": "Allow", "Action": "secretsmanager:DeleteSecret",
                "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/*",
            },
            {
                "Effect": "Deny", "Action": "secretsmanager:DeleteSecret", "Resource": "*",
                "Condition": { "Bool": { "secretsmanager:ForceDeleteWithoutRecovery": "true" } },
            },
        ]),
    );
    let delete = |name: &str| client.delete_secret().secret_id(name);
    assert_eq!(code(delete("app/a").send().await), Ok(()));
    assert_eq!(code(delete("app/b").force_delete_without_recovery(true).send().await), Err(DENIED.to_owned()));
    assert_eq!(code(delete("other").send().await), Err(DENIED.to_owned()));
    assert_eq!(code(client.get_secret_value().secret_id("app/b").send().await), Err(DENIED.to_owned()));
}

#[tokio::test]
async fn who_has_no_role_may_do_everything() {
    let (dynamodb, client) = with_table().await;
    restrict(dynamodb.front(), "AKIDANOTHER", &json!([]));
    assert_eq!(put(&client, "a").await, Ok(()));
    assert_eq!(dynamodb.front().take_denied(), [""; 0]);
}
