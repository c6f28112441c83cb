//! token-lookup keeps to its contract, docs/openapi.json: schemathesis sends it what the contract allows and what it
//! forbids, and holds every answer against it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use end_to_end::{Function, Options, REGION, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Seller, Shop};
use tokio::process::Command;

use crate::setting::{connect, item};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What the contract's examples name; and sellers to be disconnected, and to be given to accounts.
const SELLER: &str = "7010736057180325637";
const SELLER_TO_END: &str = "7010736057180325638";
const SELLER_TO_ASSIGN: &str = "7010736057180325639";
const SHOP: &str = "7495514739648990000";

/// The contract as it is checked in.
fn contract() -> PathBuf {
    Path::new(WORKSPACE).join("docs/openapi.json")
}

/// Where the setting of schemathesis lies.
fn setting() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis")
}

/// A Python program of the tests' tools.
fn python() -> Command {
    Command::new(Path::new(WORKSPACE).join(".tools/verify/bin/python"))
}

/// Runs a program to its end; panics with all that it wrote unless it went well.
async fn run(command: &mut Command) -> String {
    let output = command.output().await.expect("scripts/tools.sh has installed Python");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test]
async fn the_contract_is_openapi_3_1() {
    let said = run(python().args(["-m", "openapi_spec_validator", "--schema", "3.1"]).arg(contract())).await;
    assert!(said.contains("OK"), "{said}");
    println!("{}", run(python().arg(setting().join("examples.py")).arg(contract())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_lookup_keeps_to_its_contract() {
    let seller = |id: &str, shop: &str| Seller::new(id).with_shop(Shop::new(shop, "US"));
    let sellers = vec![
        seller(SELLER, SHOP),
        seller(SELLER_TO_END, "7495514739648990001"),
        seller(SELLER_TO_ASSIGN, "7495514739648990002"),
    ];
    let stack = Stack::start(Options { sellers, ..Options::default() }).await.unwrap();
    let vendor = stack.vendor();
    connect(&stack, "us", SELLER_TO_END, "customer-17").await;
    connect(&stack, "us", SELLER_TO_ASSIGN, "customer-17").await;
    let session = vendor.connect_session(json!({"account_id": "customer-17", "reference": "ticket 4711"})).await;
    let back = stack.browser().connect(&session.connect_url, "us", SELLER).await;
    drop(vendor.confirm(&session.session_id, back.result()).await.expect(200));
    // As in the examples, too.
    let mut connection = item(&stack, &format!("tiktok-shop/us/{SELLER}")).await;
    connection["token_version"] = json!(7);
    stack.put_item(&connection).await;

    let served = vendor.send(reqwest::Method::GET, "/v1/openapi.json", None).await.expect(200).json();
    let checked_in: Value = serde_json::from_str(&fs::read_to_string(contract()).unwrap()).unwrap();
    assert_eq!(served, checked_in);

    let mut schemathesis = python();
    schemathesis.args(["-m", "schemathesis.cli", "--config-file"]).arg(setting().join("schemathesis.toml")).arg("run");
    schemathesis.arg(contract()).args(["--url", &stack.gateway().url()]);
    // Schemathesis leaves a directory of its own where it runs.
    schemathesis.current_dir(env!("CARGO_TARGET_TMPDIR"));
    let user = vendor.user();
    let (access_key_id, secret_access_key) = user.split_once(':').unwrap();
    schemathesis.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", setting()).env("PYTHONDONTWRITEBYTECODE", "1");
    schemathesis.env("NO_PROXY", "127.0.0.1").env("NO_COLOR", "1").envs([
        ("ACCESS_KEY_ID", access_key_id),
        ("SECRET_ACCESS_KEY", secret_access_key),
        ("REGION", REGION),
        ("SELLER", SELLER),
        ("SELLER_TO_END", SELLER_TO_END),
        ("SELLER_TO_ASSIGN", SELLER_TO_ASSIGN),
        ("EXAMPLE_SESSION", "V1XkQzJ7m3F0cW9yB5tHn2LpRuGdSe8aKoTiYxNvM4Q"),
        ("SESSION", &session.session_id),
        ("EXAMPLE_RESULT", "mN4vBxK8oTiYa2LpRuGdSe9QzJ7V1XkcW0yF3B5tHnM"),
        ("RESULT", back.result()),
    ]);
    println!("{}", run(&mut schemathesis).await);
    stack.stop_functions();
    assert_eq!(operations(&checked_in), answered_well(&stack), "each operation has been seen to work");
}

/// Method and path of all that the contract has.
fn operations(contract: &Value) -> BTreeSet<(String, String)> {
    let paths = contract["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

/// Method and route of the requests that went well, by token-lookup's log.
fn answered_well(stack: &Stack) -> BTreeSet<(String, String)> {
    let output = stack.output_of(Function::TokenLookup);
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok());
    let well = lines.filter(|line| line["message"] == "request" && line["status"].as_u64().is_some_and(|it| it < 300));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    well.map(|line| (text(&line["method"]), text(&line["route"])))
        .filter(|(method, _)| !["HEAD", "OPTIONS"].contains(&method.as_str()))
        .collect()
}
