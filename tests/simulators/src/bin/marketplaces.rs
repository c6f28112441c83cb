//! Both marketplaces as a process, for tests in other languages: says in one line of JSON on standard output where they
//! are and what a vendor knows of its apps there, reads one line, the address that sellers come back to, and then
//! serves until standard input ends.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
};

use serde_json::json;
use simulators::{
    temu::{self, Mall, MallType},
    tiktok_shop,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use url::Url;

/// Seconds that an access token of TikTok Shop lives: so short that the next runs of a schedule refresh it.
const ACCESS_LIFETIME: u64 = 90;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let tiktok_shop = tiktok_shop::Simulator::start(anywhere).await?;
    let temu = temu::Simulator::start(anywhere).await?;
    let (tiktok_shop_app, temu_app) = apps();
    tiktok_shop.configure(|settings| settings.access_lifetime = ACCESS_LIFETIME);
    let shop = tiktok_shop::Shop { name: "Ann's Attic".into(), ..tiktok_shop::Shop::new("7001", "US") };
    tiktok_shop.add_seller(tiktok_shop::Seller::new("anns-attic").with_shop(shop));
    let shop = tiktok_shop::Shop::new("7002", "US");
    tiktok_shop.add_seller(tiktok_shop::Seller::new("bens-books").with_shop(shop));
    let mall = Mall::new(634_418_212_001, MallType::Local).with_name("Mia's Mugs");
    temu.add_seller(temu::Seller::new("mias-mugs").with_mall(mall));

    let (tiktok_shop_url, temu_addresses) = (tiktok_shop.base_url(), temu.addresses());
    let known = json!({
        "apps": {
            "tiktok-shop/us": {
                "settings": {
                    "name": "Acme Listing",
                    "market": "us",
                    "link_url": format!("{tiktok_shop_url}/open/authorize"),
                    "token_url": tiktok_shop_url,
                    "api_url": tiktok_shop_url,
                },
                "credentials": {
                    "app_key": tiktok_shop_app.app_key,
                    "app_secret": tiktok_shop_app.app_secret,
                    "service_id": tiktok_shop_app.service_id,
                },
            },
            "temu/us": {
                "settings": {
                    "name": "Acme Orders",
                    "gateway": "us",
                    "routers": { "us": format!("http://{}", temu_addresses.us) },
                    "link_url":
                        format!("http://{}/open-platform/client-manage/authorization", temu_addresses.seller_centre),
                    "code_flow": true,
                },
                "credentials": { "app_key": temu_app.app_key, "app_secret": temu_app.app_secret },
            },
        },
    });
    let mut stdout = io::stdout();
    writeln!(stdout, "{known}")?;
    stdout.flush()?;

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let Some(public_url) = lines.next_line().await? else { return Ok(()) };
    let at = |path: &str| format!("{}{path}", public_url.trim_end_matches('/')).parse::<Url>();
    tiktok_shop.add_app(tiktok_shop_app.with_redirect_url(at("/callback/tiktok-shop/us")?));
    let router = temu_addresses.us.to_string();
    temu.add_app(temu_app.with_callback_host(router).with_redirect_url(at("/callback/temu/us")?));
    writeln!(stdout, "{}", json!({ "registered": public_url }))?;
    stdout.flush()?;
    while lines.next_line().await?.is_some() {}
    Ok(())
}

fn apps() -> (tiktok_shop::App, temu::App) {
    (
        tiktok_shop::App::new(
            "6us7a1k3q9",
            "us-app-secret-5d41402abc4b2a76",
            "7100000000000000001",
            tiktok_shop::Region::Us,
        ),
        temu::App::new("temu4us7f1k9", "temu-us-secret-0cc175b9c0f1b6a8", temu::Region::Us).with_name("Acme Orders"),
    )
}
