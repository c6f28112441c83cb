//! What is there before the functions start: apps, sellers, tables, the operator's secrets.

use std::net::{SocketAddr, TcpListener};

use simulators::{temu, tiktok_shop};

use super::{Options, Stack, StartError, Webhooks, vendor};

impl Stack {
    pub(super) async fn set_up(&self, options: Options) -> Result<(), StartError> {
        self.set_up_tiktok_shop(&options);
        self.set_up_temu(&options);
        self.tables.create().await;
        let registry = vendor::registry(&options, &self.tiktok_shop.base_url(), &self.temu.addresses());
        self.put_registry(&registry.to_string()).await;
        for (site, _, app) in vendor::tiktok_shop::apps() {
            let name = vendor::app_secret_name(&format!("tiktok-shop/{site}"));
            self.put_secret(&name, &vendor::tiktok_shop::app_secret(&app)).await;
        }
        for (name, temu) in &options.temu_apps {
            let name = vendor::app_secret_name(&format!("temu/{name}"));
            self.put_secret(&name, &vendor::temu::app_secret(&temu.app)).await;
        }
        self.seen.note(vendor::SECRET_ACCESS_KEY);
        let temporary = vendor::temporary_credential();
        self.seen.note(&temporary.secret_access_key);
        self.seen.note(temporary.session_token.as_deref().unwrap_or_default());
        for (function, limit) in options.concurrency {
            self.lambda.reserve_concurrency(function.name(), Some(limit));
        }
        for (function, count) in options.processes {
            for _ in 0..count {
                self.start_process(function)?;
            }
        }
        self.dynamodb.front().forget_calls();
        self.secrets_manager.front().forget_calls();
        Ok(())
    }

    fn set_up_tiktok_shop(&self, options: &Options) {
        self.tiktok_shop.configure(|settings| {
            // The functions cannot travel along when the simulator's clock is advanced.
            settings.timestamps_by_machine_clock = true;
            settings.access_lifetime = options.access_lifetime.unwrap_or(settings.access_lifetime);
            settings.refresh_lifetime = options.authorization_lifetime.unwrap_or(settings.refresh_lifetime);
        });
        for (site, _, app) in vendor::tiktok_shop::apps() {
            let callback = format!("{}/callback/tiktok-shop/{site}", self.gateway.url());
            let mut app = app.with_redirect_url(callback.parse().expect("a URL"));
            if options.webhooks == Webhooks::PerApp {
                let webhook = format!("{}/webhooks/tiktok-shop/{site}", self.gateway.url());
                app = app.with_webhook_url(webhook.parse().expect("a URL"));
            }
            self.tiktok_shop.add_app(app);
        }
        for seller in &options.sellers {
            self.tiktok_shop.add_seller(seller.clone());
        }
    }

    fn set_up_temu(&self, options: &Options) {
        // As at TikTok Shop.
        self.temu.configure(|settings| settings.timestamps_by_machine_clock = true);
        for (name, temu) in &options.temu_apps {
            let host = vendor::temu::router_host(&temu.app, &self.temu.addresses());
            let mut app = temu.app.clone().with_callback_host(host);
            if temu.code_flow {
                let callback = format!("{}/callback/temu/{name}", self.gateway.url());
                app = app.with_redirect_url(callback.parse().expect("a URL"));
            }
            self.temu.add_app(app);
        }
        for seller in &options.temu_sellers {
            self.temu.add_seller(seller.clone());
        }
    }
}

/// TikTok Shop's simulator.
pub(super) async fn start_tiktok_shop(address: SocketAddr) -> Result<tiktok_shop::Simulator, StartError> {
    let simulator = tiktok_shop::Simulator::start(address).await;
    simulator.map_err(|why| StartError::listening("tiktok-shop", address.port(), why))
}

/// Temu's simulator.
pub(super) async fn start_temu(first: SocketAddr) -> Result<temu::Simulator, StartError> {
    let simulator = temu::Simulator::start(first).await;
    simulator.map_err(|why| StartError::listening("temu", taken_in_row(first), why))
}

/// Which of the six ports is in the way; the first one, if none is any more.
fn taken_in_row(first: SocketAddr) -> u16 {
    let mut row = (0..6).filter_map(|offset| first.port().checked_add(offset));
    row.find(|port| TcpListener::bind((first.ip(), *port)).is_err()).unwrap_or(first.port())
}
