//! Everything that the keyring needs, and the keyring, started together and ended together.

mod access;
mod error;
mod function;
mod functions;
mod inspect;
mod operator;
mod options;
mod output;
mod process;
mod programs;
mod roles;
mod runtime;
mod set_up;
mod tables;
mod time_travel;
pub(crate) mod vendor;
mod warden;

pub use error::StartError;
pub use function::Function;
pub use functions::{Environments, Functions};
pub use inspect::{DueEntry, KeptTokens};
pub use options::{Options, Ports, Webhooks};
pub use output::Output;
pub use programs::built;
pub use runtime::Runtime;
pub use tables::{Table, Tables, attributes};
pub use vendor::temu::TemuApp;
pub use warden::Warden;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use emulators::{
    dynamodb::DynamoDb,
    event_bus::EventBus,
    gateway::{Config, Gateway},
    lambda::Lambda,
    secrets_manager::SecretsManager,
};
use futures_util::future::{BoxFuture, FutureExt};
use simulators::{temu, tiktok_shop};

use self::vendor::Addresses;
use crate::{aws::Aws, secrets::Seen};

/// API Gateway answers within 30 seconds; nobody here waits much longer.
const PATIENCE: Duration = Duration::from_secs(45);

/// The running keyring. It ends when this is dropped, and its processes even when the program is killed. A test that
/// panics gets to see what they wrote.
#[derive(Debug)]
pub struct Stack {
    dynamodb: DynamoDb,
    secrets_manager: SecretsManager,
    lambda: Lambda,
    event_bus: EventBus,
    tiktok_shop: tiktok_shop::Simulator,
    temu: temu::Simulator,
    temu_app_keys: BTreeMap<String, String>,
    gateway: Gateway,
    functions: Functions,
    runtime: Runtime,
    tables: Tables,
    secrets: Aws,
    client: reqwest::Client,
    output: Output,
    seen: Seen,
    return_url: String,
}

impl Stack {
    /// Starts everything. Functions poll for work as soon as they are up; earlier invocations wait. The boxed future is
    /// compiled here, once, and not again in each test program that awaits it.
    ///
    /// # Errors
    /// [`StartError`], in a line that says what to do.
    pub fn start(options: Options) -> BoxFuture<'static, Result<Self, StartError>> {
        Self::start_all(options).boxed()
    }

    async fn start_all(options: Options) -> Result<Self, StartError> {
        for function in Function::ALL {
            programs::binary(function)?;
        }
        let ports = &options.ports;
        let dynamodb = DynamoDb::start(loopback(ports.dynamodb)).await;
        let dynamodb = dynamodb.map_err(|why| StartError::listening("dynamodb", ports.dynamodb, why))?;
        let secrets_manager = SecretsManager::start(loopback(ports.secrets_manager)).await;
        let secrets_manager =
            secrets_manager.map_err(|why| StartError::listening("secrets-manager", ports.secrets_manager, why))?;
        let tiktok_shop = set_up::start_tiktok_shop(loopback(ports.tiktok_shop)).await?;
        let temu = set_up::start_temu(loopback(ports.temu)).await?;

        let (output, warden) = (Output::default(), Arc::new(Warden::start()?));
        let runtime = Runtime::start(ports.lambda, &output, &warden).await?;
        let lambda = Lambda::start(loopback(0), runtime.url()).await;
        let lambda = lambda.map_err(|why| StartError::listening("lambda", 0, why))?;
        let event_bus = EventBus::start(loopback(0)).await;
        let event_bus = event_bus.map_err(|why| StartError::listening("event-bus", 0, why))?;
        let mut gateway = Config::new(runtime.url());
        gateway.routes = vendor::routes();
        gateway.credentials = vec![vendor::credential(), vendor::temporary_credential()];
        let gateway = Gateway::start(loopback(ports.gateway), gateway).await;
        let gateway = gateway.map_err(|why| StartError::listening("gateway", ports.gateway, why))?;

        let addresses = Addresses {
            gateway: gateway.url(),
            lambda: lambda.url(),
            event_bus: event_bus.url(),
            dynamodb: dynamodb.url(),
            secrets_manager: secrets_manager.url(),
        };
        let environments = vendor::environments(&options, &addresses);
        let client = client();
        let stack = Self {
            tables: Tables::new(Aws::dynamodb(client.clone(), addresses.dynamodb)),
            secrets: Aws::secrets_manager(client.clone(), addresses.secrets_manager),
            functions: Functions::new(runtime.url(), environments, output.clone(), warden),
            return_url: options.return_url.clone(),
            temu_app_keys: options.temu_apps.iter().map(|(name, it)| (name.clone(), it.app.app_key.clone())).collect(),
            seen: Seen::default(),
            dynamodb,
            secrets_manager,
            lambda,
            event_bus,
            tiktok_shop,
            temu,
            gateway,
            runtime,
            client,
            output,
        };
        stack.authorize();
        stack.set_up(options).await?;
        Ok(stack)
    }
}

impl Drop for Stack {
    /// Panics if a function wanted what its role does not allow: it may have got over it, but in AWS nobody would know.
    fn drop(&mut self) {
        self.functions.kill_all();
        if std::thread::panicking() {
            eprintln!("---- what the processes of the stack wrote:\n{}----", self.output.text());
        } else {
            let denied = self.take_denied();
            assert!(denied.is_empty(), "what a role does not allow:\n{}", denied.join("\n"));
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// One connection pool for all that talks to the stack. Nothing is retried or redirected behind a test's back.
fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
    client.build().expect("an HTTP client")
}
