//! What a test can do with a running stack.

use std::time::Duration;

use emulators::{
    dynamodb::DynamoDb,
    event_bus::EventBus,
    gateway::{Credential, Gateway},
    lambda::Lambda,
    secrets_manager::SecretsManager,
};
use serde_json::{Value, json};
use simulators::{temu, tiktok_shop};

use super::{
    Function, Stack, StartError, Table,
    time_travel::{TokenAtTemu, align_evidence, see_as_written, shift},
    vendor,
};
use crate::{answer::Answer, browser::Browser, schedule::Sweeper, vendor_api::VendorApi};

/// What the functions talk to.
impl Stack {
    /// `DynamoDB`: log, faults, pause points.
    pub fn dynamodb(&self) -> &DynamoDb {
        &self.dynamodb
    }

    /// Secrets Manager: likewise.
    pub fn secrets_manager(&self) -> &SecretsManager {
        &self.secrets_manager
    }

    /// How token-lookup invokes refresh-on-demand: likewise.
    pub fn lambda(&self) -> &Lambda {
        &self.lambda
    }

    /// EventBridge: what was published; and likewise.
    pub fn event_bus(&self) -> &EventBus {
        &self.event_bus
    }

    /// TikTok Shop: sellers, settings, faults, calls.
    pub fn tiktok_shop(&self) -> &tiktok_shop::Simulator {
        &self.tiktok_shop
    }

    /// Temu: likewise.
    pub fn temu(&self) -> &temu::Simulator {
        &self.temu
    }

    /// The public address and the API.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The key of the vendor's app at TikTok Shop for this site, `us` or `global`.
    pub fn app_key(&self, site: &str) -> &'static str {
        vendor::tiktok_shop::app_key(site)
    }

    /// The key of the vendor's app at Temu with this name; panics if there is none.
    pub fn temu_app_key(&self, name: &str) -> &str {
        self.temu_app_keys.get(name).unwrap_or_else(|| panic!("the vendor has no app {name} at Temu"))
    }
}

/// Callers, and invocations.
impl Stack {
    /// The vendor's services.
    pub fn vendor(&self) -> VendorApi {
        self.vendor_with(vendor::credential())
    }

    /// The same where they run in AWS: as a role, with temporary credentials.
    pub fn vendor_by_role(&self) -> VendorApi {
        self.vendor_with(vendor::temporary_credential())
    }

    fn vendor_with(&self, credential: Credential) -> VendorApi {
        VendorApi {
            client: self.client.clone(),
            base_url: self.gateway.url(),
            secrets_manager_url: self.secrets_manager.url(),
            credential,
            return_url: self.return_url.clone(),
            seen: self.seen.clone(),
        }
    }

    /// A seller's browser, without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), &self.gateway.url(), self.seen.clone())
    }

    /// Runs a sweep, as the schedule does each minute; gives its summary. Panics if it fails.
    pub async fn invoke_sweep(&self) -> Value {
        self.invoke_sweep_with(&json!({})).await
    }

    /// Invokes refresh-sweep with this input; gives what it returns. Panics if it fails.
    pub async fn invoke_sweep_with(&self, input: &Value) -> Value {
        let answer = self.invoke(Function::RefreshSweep, input).await;
        answer.unwrap_or_else(|error| panic!("refresh-sweep is not to be reached: {error}")).expect(200).json()
    }

    /// Invokes a function. One that fails is answered with 500 and its error.
    ///
    /// # Errors
    /// When there is no answer: its process died, or none is there to take the invocation.
    pub async fn invoke(&self, function: Function, input: &Value) -> Result<Answer, reqwest::Error> {
        self.sweeper().invoke(function, input).await
    }

    /// Invokes refresh-sweep, for a [`Schedule`](crate::schedule::Schedule).
    pub fn sweeper(&self) -> Sweeper {
        Sweeper { client: self.client.clone(), lambda_url: self.runtime.url() }
    }

    /// Where functions are invoked: the endpoint of the Lambda API.
    pub fn lambda_url(&self) -> String {
        self.runtime.url()
    }
}

/// Processes.
impl Stack {
    /// Starts one more process of a function; gives its process id.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_process(&self, function: Function) -> Result<u32, StartError> {
        self.functions.start(function)
    }

    /// Kills all processes of a function, whatever they are doing (SIGKILL). Who waits for one of them waits on until
    /// the time-out; what is asked later waits for the next [`Self::start_process`].
    pub fn kill(&self, function: Function) {
        self.functions.kill(function);
    }

    /// The ids of a function's processes that are alive.
    pub fn processes(&self, function: Function) -> Vec<u32> {
        self.functions.alive(function)
    }

    /// Ends all processes of functions, so that [`Self::output`] is complete.
    pub fn stop_functions(&self) {
        self.functions.kill_all();
    }

    /// What all processes wrote so far.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Whether this is written within ten seconds, at least so often: an answer may overtake what its process wrote
    /// before.
    pub async fn writes(&self, words: &str, times: usize) -> bool {
        let written = async {
            while self.output().matches(words).count() < times {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), written).await.is_ok()
    }

    /// What the processes of one function wrote so far.
    pub fn output_of(&self, function: Function) -> String {
        self.output.text_of(function.name())
    }

    /// Everything that may be found nowhere but in the vault: app secrets, codes, tokens; connect links' tokens,
    /// `state`s, cookies and results that went through this stack's callers.
    pub fn secrets_in_play(&self) -> Vec<String> {
        let mut secrets = self.tiktok_shop.secrets();
        secrets.extend(self.temu.secrets());
        secrets.extend(self.seen.all());
        secrets
    }
}

/// What is stored, and its age.
impl Stack {
    /// The item of a connection, as plain JSON.
    pub async fn item(&self, connection: &str) -> Option<Value> {
        self.tables.item(Table::Connections, connection).await
    }

    /// Writes a whole item of the connections, as plain JSON.
    pub async fn put_item(&self, item: &Value) {
        self.tables.put(Table::Connections, item).await;
    }

    /// Takes an item of the connections away.
    pub async fn delete_item(&self, connection: &str) {
        self.tables.delete(Table::Connections, connection).await;
    }

    /// All items of a table.
    pub async fn items(&self, table: Table) -> Vec<Value> {
        self.tables.items(table).await
    }

    /// A secret's current value, or its value of one version.
    pub async fn secret(&self, name: &str, version_id: Option<&str>) -> Option<Value> {
        let mut input = json!({ "SecretId": name });
        if let Some(version_id) = version_id {
            input["VersionId"] = version_id.into();
        }
        let answer = self.secrets.try_call("GetSecretValue", &input).await.ok()?;
        serde_json::from_str(answer["SecretString"].as_str()?).ok()
    }

    /// The token set of a connection in the vault: the current one, or of one version.
    pub async fn token_set(&self, connection: &str, version_id: Option<&str>) -> Option<Value> {
        self.secret(&format!("{}/connections/{connection}/tokens", vendor::SECRET_PREFIX), version_id).await
    }

    /// Whether a secret can be read: it exists, and is not deleted.
    pub async fn secret_is_there(&self, name: &str) -> bool {
        self.secret(name, None).await.is_some()
    }

    /// Creates a secret, or gives it a new current version.
    pub async fn put_secret(&self, name: &str, value: &Value) {
        self.put_secret_text(name, &value.to_string()).await;
    }

    pub(super) async fn put_secret_text(&self, name: &str, value: &str) {
        let token = format!("end-to-end-{:032}", self.secrets_manager.front().calls().len());
        let create = json!({ "Name": name, "SecretString": value, "ClientRequestToken": token });
        if self.secrets.try_call("CreateSecret", &create).await.is_err() {
            let put = json!({ "SecretId": name, "SecretString": value, "ClientRequestToken": format!("{token}-put") });
            self.secrets.call("PutSecretValue", &put).await;
        }
    }

    /// Lets time pass for what is stored: all times in both tables move back by so many seconds, and Secrets Manager's
    /// clock moves on. To be used while no function is at work: it writes items as it has read them.
    ///
    /// The marketplaces' clocks stay, so that the expiries in their answers mean the present. For TikTok Shop's own view
    /// of old tokens and ended authorizations, [advance](tiktok_shop::Simulator::advance) it as well; tokens that it
    /// issues from then on live longer by as much. Temu says with every check when a token ends, so there the ends of
    /// the tokens in the table move along; to move one for its own sake, do so afterwards.
    pub async fn age(&self, seconds: i64) {
        for table in Table::ALL {
            let mut items = self.tables.items(table).await;
            // What has no time in it, such as a shop's pointer, does not age.
            items.retain_mut(|item| {
                let before = item.clone();
                shift(item, seconds);
                match item["connection"].as_str().and_then(|key| key.split('/').next()) {
                    Some("evidence") => align_evidence(item, seconds),
                    Some("health") if *item != before => see_as_written(item),
                    _ => {}
                }
                *item != before
            });
            self.tables.put_all(table, &items).await;
            for item in &items {
                self.move_end_at_temu(item);
            }
        }
        self.secrets_manager.advance(seconds.try_into().expect("time only passes"));
    }

    /// The same for one item alone, of a connection where many are stored, or of a circuit breaker.
    pub async fn age_connection(&self, connection: &str, seconds: i64) {
        if let Some(mut item) = self.item(connection).await {
            shift(&mut item, seconds);
            if connection.starts_with("health/") {
                see_as_written(&mut item);
            }
            self.put_item(&item).await;
            self.move_end_at_temu(&item);
        }
        self.secrets_manager.advance(seconds.try_into().expect("time only passes"));
    }

    /// Tokens that Temu does not know, or that are nobody's, stay as they are.
    fn move_end_at_temu(&self, item: &Value) {
        let Some(TokenAtTemu { app_key, mall, purpose, end }) = TokenAtTemu::of(item) else { return };
        let _ = self.temu.set_expiry(&app_key, mall, purpose, end);
    }
}
