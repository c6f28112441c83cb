//! Every page, as sellers see it.

use shop_keyring::time::Timestamp;

use super::*;

fn config(vendor: &str) -> Config {
    let variable = |name: &str| {
        let value = match name {
            "CONNECTIONS_TABLE" => "connections",
            "SESSIONS_TABLE" => "connect-sessions",
            "TIKTOK_SHOP_APPS" => r#"{"us":{"name":"Acme Listing US"},"global":{"name":"Acme Listing"}}"#,
            "PUBLIC_BASE_URL" => "https://connect.example",
            "VENDOR_NAME" => vendor,
            "SUPPORT_URL" => "https://acme.example/help",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Config::read(&variable).unwrap()
}

fn session(label: Option<&str>) -> ConnectSession {
    ConnectSession {
        id: "id".into(),
        account_id: "acme-1".parse().unwrap(),
        account_label: label.map(str::to_owned),
        return_url: None,
        reference: None,
        confirm: true,
        created_at: Timestamp(0),
        expires_at: Timestamp(3_600),
        visits: Vec::new(),
        pasted: 0,
    }
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
    let path = config.apps.keys().next().unwrap().clone();
    let mut all = text(connect(&config, &session(Some("Nina’s shops")), "TOKEN"));
    all.push_str("---\n");
    all.push_str(&text(agree(&config, &session(Some("Nina’s shops")), &path, "TOKEN")));
    all.push_str("---\n");
    all.push_str(&text(connected(&config, &[shop("tiktok-shop/us/7", "Jjj test shop")], &[], None)));
    insta::assert_snapshot!(all);
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
        Overtaken, StorageUnavailable,
    };
    let config = config("Acme");
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
    ];
    let pages = failures.map(|failure| {
        text(failed(&config, MarketplaceName::TikTokShop, failure, Some(("https://acme.example/back?x=1", "SESSION"))))
    });
    insta::assert_snapshot!(pages.join("---\n"));
}

#[test]
fn every_problem_says_what_happened_and_what_to_do() {
    use Problem::{
        BadCallback, BadForm, ForeignHost, FormTooLong, LinkExpired, Misconfigured, NotFound, OtherApp, OtherBrowser,
        StateExpired, StorageUnavailable, UnderWay, UnknownLink, UnknownState, Unsolicited,
    };
    let config = config("Acme");
    let problems = [
        NotFound,
        UnknownLink,
        LinkExpired,
        UnknownState,
        StateExpired,
        OtherBrowser,
        OtherApp,
        UnderWay,
        Unsolicited,
        BadCallback,
        BadForm,
        FormTooLong,
        ForeignHost,
        Misconfigured,
        StorageUnavailable,
    ];
    insta::assert_snapshot!(problems.map(|what| text(problem(&config, what))).join("---\n"));
}

#[test]
fn what_others_wrote_is_escaped() {
    let config = config("<b>Acme</b>");
    let html = connect(&config, &session(Some("<img src=x onerror=alert(1)>")), "TOKEN").0.unwrap();
    assert!(!html.contains("<b>Acme") && !html.contains("<img"));
    let html = connected(&config, &[shop("temu/us/7", "\"><script>alert(1)</script>")], &[], None).0.unwrap();
    assert!(!html.contains("<script"));
}
