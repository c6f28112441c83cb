//! The test bed of one run: emulators, marketplace, runtime API, and the one process that is measured.

use std::{collections::BTreeMap, net::Ipv4Addr, num::NonZeroU32, sync::Arc, time::Duration};

use emulators::{dynamodb::DynamoDb, secrets_manager::SecretsManager};
use end_to_end::{
    Aws, Function, REGION,
    stack::{Environments, Functions, Output, Runtime, Table, Tables, Warden},
};
use serde_json::{Value, json};

use crate::{
    marketplace::Marketplace,
    rows::{App, SECRET_PREFIX},
};

/// A run claims for a minute and then ends what it has begun.
const PATIENCE: Duration = Duration::from_mins(5);

/// Everything that a sweep needs. It ends when this is dropped.
pub(crate) struct Bed {
    pub(crate) dynamodb: DynamoDb,
    pub(crate) vault: SecretsManager,
    pub(crate) marketplace: Marketplace,
    /// The process that is measured.
    pub(crate) sweep_pid: u32,
    functions: Functions,
    output: Output,
    runtime: Runtime,
    client: reqwest::Client,
}

impl Bed {
    /// With these apps, empty tables, and a process that waits for its first invocation.
    pub(crate) async fn start(concurrency: NonZeroU32, latency: Duration, apps: &[App]) -> Result<Self, String> {
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let text = |error: std::io::Error| error.to_string();
        let dynamodb = DynamoDb::start_for_load(any).await.map_err(text)?;
        let vault = SecretsManager::start(any).await.map_err(text)?;
        let marketplace = Marketplace::start(latency).await.map_err(text)?;
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
        let client = client.map_err(|error| error.to_string())?;
        Tables::new(Aws::dynamodb(client.clone(), dynamodb.url())).create().await;
        let url = marketplace.url();
        // Refreshes are measured, and nothing else.
        let entry = json!({
            "name": "Acme Listing US", "market": "us", "webhooks": "app",
            "link_url": url, "token_url": url, "api_url": url,
        });
        let mut registry = BTreeMap::new();
        for app in apps {
            let secret = json!({ "app_key": app.key, "app_secret": app.secret });
            let name = format!("{SECRET_PREFIX}/apps/{}", app.path);
            vault.create(&name, "00000000-0000-0000-0000-000000000001", &secret.to_string())?;
            registry.insert(app.path, entry.clone());
        }
        let registry = json!(registry);
        let version = "00000000-0000-0000-0000-000000000002";
        vault.create(&format!("{SECRET_PREFIX}/apps"), version, &registry.to_string())?;
        let (output, warden) = (Output::default(), Arc::new(Warden::start().map_err(|error| error.to_string())?));
        let runtime = Runtime::start(0, &output, &warden).await.map_err(|error| error.to_string())?;
        let variables = variables(&dynamodb, &vault, concurrency);
        let environments: Environments = [(Function::RefreshSweep, variables)].into();
        let functions = Functions::new(runtime.url(), environments, output.clone(), warden);
        let sweep_pid = functions.start(Function::RefreshSweep).map_err(|error| error.to_string())?;
        Ok(Self { dynamodb, vault, marketplace, sweep_pid, functions, output, runtime, client })
    }

    /// Runs one sweep; gives its summary.
    pub(crate) async fn sweep(&self) -> Result<Value, String> {
        let url = format!("{}/2015-03-31/functions/{}/invocations", self.runtime.url(), Function::RefreshSweep);
        let answer = async {
            let answer = self.client.post(url).body("{}").send().await?.error_for_status()?;
            answer.json::<Value>().await
        };
        answer.await.map_err(|error| format!("the sweep failed: {error}\n{}", self.last_lines()))
    }

    /// What the process wrote last.
    pub(crate) fn last_lines(&self) -> String {
        let text = self.output.text_of(Function::RefreshSweep.name());
        let lines: Vec<&str> = text.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.functions.kill_all();
        self.dynamodb.server().stop();
        self.vault.server().stop();
    }
}

/// The function's variables: as shipped, but for the width of the sweep and the permits, which are opened wide.
fn variables(dynamodb: &DynamoDb, vault: &SecretsManager, concurrency: NonZeroU32) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIDFUNCTION".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "function-secret-access-key".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", vault.url()),
        ("CONNECTIONS_TABLE", Table::Connections.name().to_owned()),
        ("SECRET_PREFIX", SECRET_PREFIX.to_owned()),
        ("PUBLIC_BASE_URL", "https://connect.example".to_owned()),
        ("SWEEP_CONCURRENCY", concurrency.to_string()),
        ("VAULT_PUTS_PER_SECOND", "1000000".to_owned()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}
