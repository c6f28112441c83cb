//! The contract suite against our emulator. `verify` runs it against moto.

use emulators::secrets_manager::SecretsManager;

use crate::{clients, contract};

#[tokio::test]
async fn our_emulator_keeps_the_contract() {
    let emulator = SecretsManager::start(clients::loopback()).await.unwrap();
    let failures = contract::run(&clients::secrets_manager(&emulator.url())).await;
    assert!(failures.is_empty(), "{failures:#?}");
}
