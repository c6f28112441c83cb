//! For `make verify`: the contract suite against moto, a second opinion on what Secrets Manager does.

mod moto;

use std::collections::BTreeMap;

use self::moto::Moto;
use crate::{clients, contract};

/// Where moto deviates from the service, and so from our emulator. Each is asserted: when a new moto behaves as the
/// service does, its line must go.
const MOTO_DEVIATES: &[(&str, &str)] = &[
    ("a_deleted_secret_takes_no_put", "accepts puts in the recovery window"),
    ("a_deleted_secrets_name_is_taken", "refuses, but with ResourceExistsException"),
    (
        "after_moving_current_a_plain_get_follows",
        "only VersionStage=AWSCURRENT follows; a plain get returns the former",
    ),
    ("current_cannot_be_taken_away", "leaves the secret without AWSCURRENT"),
    ("errors_have_status_400", "answers 404 where something is not found"),
    ("put_takes_one_value", "keeps both values"),
    ("values_have_65536_bytes_at_most", "knows no quota"),
    ("versions_are_listed", "lists versions without a label unasked"),
];

#[tokio::test]
async fn moto_keeps_the_contract_but_for_known_deviations() {
    let moto = Moto::start().await;
    let mut failures = contract::run(&clients::secrets_manager(&moto.url())).await;
    moto.stop().await;
    let deviations: BTreeMap<_, _> = MOTO_DEVIATES.iter().copied().collect();
    let cured: Vec<_> = deviations.keys().filter(|check| failures.remove(**check).is_none()).collect();
    assert!(failures.is_empty(), "unlisted deviations: {failures:#?}");
    assert!(cured.is_empty(), "listed as deviations, but moto passes: {cured:?}");
}
