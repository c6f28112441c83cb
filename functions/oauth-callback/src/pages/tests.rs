//! Every page, as sellers see it.

use shop_keyring::time::Timestamp;

use super::*;

fn config(vendor: &str) -> Config {
    let variable = |name: &str| {
        let value = match name {
            "CONNECTIONS_TABLE" => "connections",
            "SESSIONS_TABLE" => "connect-sessions",
            "PUBLIC_BASE_URL" => "https://connect.example",
            "VENDOR_NAME" => vendor,
            "SUPPORT_URL" => "https://acme.example/help",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Config::read(&variable).unwrap()
}

fn registry() -> Registry {
    Registry::parse(
        r#"{"tiktok-shop/us":{"name":"Acme Listing US","market":"us"},
            "tiktok-shop/global":{"name":"Acme Listing","market":"global"},
            "tiktok-shop/bens":{"name":"Ben’s own app","market":"us","label":"Ben’s Books","listed":false}}"#,
    )
    .unwrap()
}

/// The same with apps at Temu.
fn registry_with_temu() -> Registry {
    Registry::parse(
        r#"{"tiktok-shop/us":{"name":"A","market":"us"},"temu/us":{"name":"A","gateway":"us"},
            "temu/eu":{"name":"A","gateway":"eu"},"temu/product":{"name":"A","gateway":"cn-pa"}}"#,
    )
    .unwrap()
}

fn session(label: Option<&str>) -> ConnectSession {
    ConnectSession {
        id: "id".into(),
        account_id: "acme-1".parse().unwrap(),
        account_label: label.map(str::to_owned),
        return_url: None,
        reference: None,
        apps: None,
        reconnect: None,
        confirm: true,
        created_at: Timestamp(0),
        expires_at: Timestamp(3_600),
        visits: Vec::new(),
        pasted: 0,
    }
}

/// The same for one connection alone.
fn session_for(connection: &str, name: Option<&str>, purpose: Purpose) -> ConnectSession {
    let (connection, seller_name) = (connection.parse().unwrap(), name.map(str::to_owned));
    let reconnect = Some(Reconnect { connection, seller_name, purpose });
    let return_url = Some("https://acme.example/back?x=1".into());
    ConnectSession { id: "SESSION".into(), reconnect, return_url, ..session(Some("Nina’s shops")) }
}

fn shop(connection: &str, name: &str) -> Connected {
    Connected {
        connection: connection.parse().unwrap(),
        granted_at: Timestamp(0),
        seller_name: Some(name.into()),
        awaits_confirmation: false,
        missing_permissions: Vec::new(),
    }
}

/// The text of a page, without head and tags.
fn text(page: Page) -> String {
    let html = page.0.unwrap();
    assert!(!html.contains("<script") && !html.contains("style=\"") && !html.contains("src="), "{html}");
    let body = html.split_once("<body>").unwrap().1;
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        let (tag, words) = part.split_once('>').unwrap();
        if let Some((_, href)) = tag.split_once("href=\"").or_else(|| tag.split_once("action=\"")) {
            text.extend(["[", href.split('"').next().unwrap(), "] "]);
        }
        let words = words.trim();
        if !words.is_empty() {
            text.push_str(words);
            text.push('\n');
        }
    }
    text
}

#[test]
fn connecting() {
    let config = config("Acme");
    let path = "tiktok-shop/us".parse().unwrap();
    let mut all = text(connect(&config, &registry(), &session(Some("Nina’s shops")), "TOKEN"));
    all.push_str("---\n");
    all.push_str(&text(agree(&config, &registry(), &session(Some("Nina’s shops")), &path, "TOKEN")));
    all.push_str("---\n");
    all.push_str(&text(connected(&config, &[shop("tiktok-shop/us/7", "Jjj test shop")], &[], None)));
    insta::assert_snapshot!(all);
}

#[test]
fn one_customers_app_is_shown_where_the_session_names_it_and_nowhere_else() {
    let config = config("Acme");
    let all = text(connect(&config, &registry(), &session(None), "TOKEN"));
    assert!(!all.contains("Ben"), "{all}");
    let apps = Some(vec!["tiktok-shop/bens".parse().unwrap()]);
    let one = text(connect(&config, &registry(), &ConnectSession { apps, ..session(None) }, "TOKEN"));
    assert!(one.contains("[/connect/TOKEN/tiktok-shop/bens] Ben’s Books") && !one.contains("United States"), "{one}");
    assert!(!one.contains("Where is your shop"), "{one}");
}

#[test]
fn reconnecting_one_shop() {
    let config = config("Acme");
    let session = session_for("tiktok-shop/global/7", Some("Jjj test shop"), Purpose::All);
    let mut all = text(connect(&config, &registry(), &session, "TOKEN"));
    assert!(!all.contains("United States"), "{all}");
    all.push_str("---\n");
    all.push_str(&text(agree(
        &config,
        &registry(),
        &session,
        &session.reconnect.as_ref().unwrap().connection.app,
        "TOKEN",
    )));
    insta::assert_snapshot!(all);
    for (connection, purpose, called) in [
        ("temu/us/7", Purpose::All, "store 7 (Temu, United States)"),
        ("temu/eu/7", Purpose::Order, "store 7 (Temu, order token, Europe)"),
        ("temu/product/7", Purpose::Product, "store 7 (Temu, product token)"),
        ("tiktok-shop/us/7", Purpose::All, "store 7 (TikTok Shop in the United States)"),
    ] {
        let session = session_for(connection, None, purpose);
        assert_eq!(wanted(session.reconnect.as_ref().unwrap(), &registry_with_temu()), called);
    }
}

#[test]
fn several_stores_of_one_authorization() {
    let config = config("Acme");
    let lacking = Connected {
        missing_permissions: vec!["Order Management".into(), "Shipping".into()],
        awaits_confirmation: true,
        ..shop("temu/us/8", "Nina’s second store")
    };
    let connections = [shop("temu/us/7", "Nina’s store"), lacking];
    insta::assert_snapshot!(text(connected(
        &config,
        &connections,
        &[ConnectFailure::MarketplaceUnavailable],
        Some("https://acme.example/back".into())
    )));
}

#[test]
fn every_failure_says_what_happened_and_what_to_do() {
    use ConnectFailure::{
        AccountConflict, BadCallback, CodeRefused, Denied, MarketplaceUnavailable, Misconfigured, NotASeller,
        NothingToReconnect, OtherSeller, Overtaken, StorageUnavailable, TokenRefused,
    };
    let config = config("Acme");
    let session = session_for("tiktok-shop/us/7", Some("Jjj test shop"), Purpose::All);
    let failures = [
        Denied,
        CodeRefused,
        NotASeller,
        AccountConflict,
        Overtaken,
        MarketplaceUnavailable,
        Misconfigured,
        StorageUnavailable,
        BadCallback,
        OtherSeller,
        NothingToReconnect,
        TokenRefused,
    ];
    let pages = failures.map(|failure| text(failed(&config, MarketplaceName::TikTokShop, failure, Some(&session))));
    insta::assert_snapshot!(pages.join("---\n"));
}

#[test]
fn every_problem_says_what_happened_and_what_to_do() {
    use Problem::{
        BackInOtherBrowser, BadCallback, BadForm, ForeignHost, FormTooLong, LinkExpired, Misconfigured, NotFound,
        NotNow, OpenForm, OtherApp, OtherBrowser, OtherConnection, StateExpired, StorageUnavailable, UnderWay,
        UnknownLink, UnknownState, Unsolicited,
    };
    let config = config("Acme");
    let problems = [
        NotFound,
        UnknownLink,
        LinkExpired,
        UnknownState,
        StateExpired,
        OtherBrowser,
        BackInOtherBrowser,
        OpenForm,
        OtherApp,
        OtherConnection,
        UnderWay,
        Unsolicited,
        BadCallback,
        BadForm,
        FormTooLong,
        ForeignHost,
        Misconfigured,
        StorageUnavailable,
        NotNow { marketplace: MarketplaceName::TikTokShop, retry_after: 60 },
    ];
    insta::assert_snapshot!(problems.map(|what| text(problem(&config, what))).join("---\n"));
}

#[test]
fn what_others_wrote_is_escaped() {
    let config = config("<b>Acme</b>");
    let html = connect(&config, &registry(), &session(Some("<img src=x onerror=alert(1)>")), "TOKEN").0.unwrap();
    assert!(!html.contains("<b>Acme") && !html.contains("<img"));
    let html = connected(&config, &[shop("temu/us/7", "\"><script>alert(1)</script>")], &[], None).0.unwrap();
    assert!(!html.contains("<script"));
}
