//! The page, for each kind of seller and with each mistake.

use std::sync::Arc;

use shop_keyring::{connect_session::ConnectSession, registry::Registry};

use super::*;
use crate::temu::offered::tests::session;

const APPS: &str = r#"{
    "temu/us":{"name":"Acme Local","gateway":"us","code_flow":true,
        "permissions":{"Order Management":["bg.order.list.v2.get"]}},
    "temu/eu":{"name":"Acme Local EU","gateway":"eu"},
    "temu/global":{"name":"Acme World","gateway":"global"},
    "temu/product":{"name":"Acme Global","gateway":"cn-pa"}}"#;

fn config() -> Config {
    let variable = |name: &str| {
        let value = match name {
            "CONNECTIONS_TABLE" => "connections",
            "SESSIONS_TABLE" => "connect-sessions",
            "PUBLIC_BASE_URL" => "https://connect.example",
            "VENDOR_NAME" => "Acme",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Config::read(&variable).unwrap()
}

fn visitor(confirm: bool) -> Visitor {
    let return_url = confirm.then(|| "https://acme.example/back".into());
    Visitor {
        session: ConnectSession { return_url, confirm, ..session(None) },
        registry: Arc::new(Registry::parse(APPS).unwrap()),
        token: Secret::new("TOKEN"),
        browser: Secret::new("BROWSER"),
    }
}

fn placed(connection: &str, purpose: Purpose) -> Placed {
    Placed {
        connection: connection.parse().unwrap(),
        seller_name: None,
        purpose,
        place: "United States".into(),
        expires_at: Some(Timestamp(1_803_000_000)),
        left_out: Vec::new(),
        confirm_by: Some(Timestamp::local_now().plus(59 * 60 + 30)),
    }
}

fn wrong_field(purpose: Purpose) -> Mistake {
    Mistake::WrongField { label: "Another field".into(), purpose }
}

fn view(kind: Option<SellerKind>) -> View {
    View { kind, placed: Vec::new(), mistakes: BTreeMap::new(), notice: None }
}

fn html(view: View, confirm: bool) -> String {
    view.page(&config(), &visitor(confirm)).0.unwrap()
}

/// A page of a session that is for this connection alone.
fn html_for_one(connection: &str, purpose: Purpose, view: View) -> String {
    let mut visitor = visitor(true);
    let seller_name = Some("Mia’s store".into());
    visitor.session.reconnect = Some(Reconnect { connection: connection.parse().unwrap(), seller_name, purpose });
    view.page(&config(), &visitor).0.unwrap()
}

/// What is between the head and the footer, without tags.
fn text(html: &str) -> String {
    let body = html.split_once("<h1>").unwrap().1.split("<footer>").next().unwrap();
    let words = body.split('<').map(|part| part.split_once('>').map_or(part, |(_, words)| words).trim());
    words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_steps_for_each_kind_of_seller() {
    let kinds = [None].into_iter().chain(SellerKind::ALL.map(Some));
    let pages: Vec<_> = kinds.map(|kind| text(&html(view(kind), true))).collect();
    insta::assert_snapshot!(pages.join("\n---\n"));
}

#[test]
fn a_link_for_a_compliance_token_shows_that_field() {
    let page = html_for_one("temu/global/7", Purpose::Compliance, view(Some(SellerKind::FullyManaged)));
    assert!(page.contains("Temu Compliance Permission Token (optional)"), "{page}");
    assert!(page.contains("“Mia’s store” (Temu, compliance token)"), "{page}");
}

#[test]
fn a_link_for_one_store_shows_that_one_and_its_field() {
    let pages =
        [("temu/us/7", Purpose::All, SellerKind::Local), ("temu/product/7", Purpose::Product, SellerKind::SemiManaged)]
            .map(|(connection, purpose, kind)| {
                let page = html_for_one(connection, purpose, view(Some(kind)));
                assert!(!page.contains("seller=") && !page.contains(r#"name="token_us""#), "{page}");
                text(&page)
            });
    insta::assert_snapshot!(pages.join("\n---\n"));
    let connected = View { placed: vec![placed("temu/us/7", Purpose::All)], ..view(Some(SellerKind::Local)) };
    let page = html_for_one("temu/us/7", Purpose::All, connected);
    assert!(page.contains("Back to Acme") && !page.contains("more tokens"), "{page}");
}

#[test]
fn every_mistake_at_a_link_for_one_store_names_it_and_sends_nobody_elsewhere() {
    let us: AppKeyPath = "temu/us".parse().unwrap();
    let mistakes = [
        Mistake::OtherSeller { mall: "8".into(), name: Some("<b>Store</b>".into()) },
        Mistake::OtherSeller { mall: "8".into(), name: None },
        Mistake::NothingToReconnect,
        wrong_field(Purpose::Product),
        Mistake::WrongPurpose(Purpose::Product),
        Mistake::WrongPurpose(Purpose::Order),
        Mistake::LocalStore,
        Mistake::Unknown,
    ];
    let all = mistakes.map(|mistake| {
        let name = mistake.reason().as_str();
        let mistakes = BTreeMap::from([(us.clone(), mistake)]);
        let page = html_for_one("temu/us/7", Purpose::Order, View { mistakes, ..view(Some(SellerKind::SemiManaged)) });
        assert!(page.contains(&format!("data-reason=\"{name}\"")) && !page.contains("<b>Store"), "{page}");
        assert!(!page.contains("other_store_"), "{page}");
        let told = page.split_once("data-reason=").unwrap().1.split_once('>').unwrap().1;
        format!("{name}: {}", told.split('<').next().unwrap())
    });
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_is_connected_is_shown_with_the_way_back() {
    let connected = vec![placed("temu/us/7", Purpose::Order), placed("temu/product/7", Purpose::Product)];
    let page = html(View { placed: connected, ..view(Some(SellerKind::SemiManaged)) }, true);
    assert!(page.contains("Order token (United States): connected until 19 February 2027 (store 7)"), "{page}");
    assert!(page.contains("Product token: connected until 19 February 2027"));
    assert!(page.contains("https://acme.example/back?session_id=id&#38;status=connected&#38;result="), "{page}");
    assert!(page.contains("within 59 minutes"), "{page}");
    let less = Placed { left_out: vec!["Ads".into()], ..placed("temu/us/7", Purpose::All) };
    assert!(sentence(&less).ends_with("(store 7). Not included, and not needed: Ads"), "{}", sentence(&less));
}

#[test]
fn every_mistake_says_what_happened_and_what_to_do() {
    let us: AppKeyPath = "temu/us".parse().unwrap();
    let mistakes = [
        Mistake::NotAToken,
        Mistake::Unknown,
        Mistake::ExpiredOrReplaced,
        Mistake::NotAuthorized,
        Mistake::OtherApp,
        wrong_field(Purpose::Product),
        wrong_field(Purpose::Order),
        Mistake::WrongPurpose(Purpose::Order),
        Mistake::WrongPurpose(Purpose::Product),
        Mistake::OtherStore { mall: "8".into(), name: Some("<b>Store</b>".into()) },
        Mistake::LocalStore,
        Mistake::PermissionsMissing(vec!["Order Management".into()]),
        Mistake::TemuUnavailable,
        Mistake::Misconfigured,
        Mistake::StorageUnavailable,
        Mistake::AccountConflict,
        Mistake::Overtaken,
    ];
    let mut all = Vec::new();
    for mistake in mistakes {
        let name = mistake.reason().as_str();
        let mistakes = BTreeMap::from([(us.clone(), mistake)]);
        let page = html(View { mistakes, ..view(Some(SellerKind::SemiManaged)) }, true);
        assert!(page.contains(&format!("data-reason=\"{name}\"")) && !page.contains("<b>Store"), "{page}");
        let told = page.split_once("data-reason=").unwrap().1.split_once('>').unwrap().1;
        all.push(format!("{name}: {}", told.split('<').next().unwrap()));
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_product_token_at_the_local_sellers_page_is_sent_to_the_other_page() {
    let mistakes = BTreeMap::from([("temu/us".parse().unwrap(), wrong_field(Purpose::Product))]);
    let page = html(View { mistakes, ..view(Some(SellerKind::Local)) }, true);
    assert!(page.contains("Go on as a cross-border seller"), "{page}");
}

#[test]
fn a_late_seller_finds_what_was_connected_and_the_way_back() {
    let mut visitor = visitor(true);
    visitor.session.expires_at = Timestamp(1);
    let placed = vec![placed("temu/us/7", Purpose::All)];
    let view = View { placed, notice: Some(Notice::LinkExpired), ..view(None) };
    let page = view.page(&config(), &visitor).0.unwrap();
    assert!(page.contains("This link has expired") && page.contains("result="), "{page}");
    assert!(!page.contains("<form") && !page.contains("What kind of seller"), "{page}");
}

#[test]
fn another_store_can_be_agreed_to() {
    let other = Mistake::OtherStore { mall: "8".into(), name: None };
    let mistakes = BTreeMap::from([("temu/us".parse().unwrap(), other)]);
    for kind in [SellerKind::Local, SellerKind::SemiManaged] {
        let page = html(View { mistakes: mistakes.clone(), ..view(Some(kind)) }, true);
        assert!(page.contains(r#"name="other_store_us" value="8""#), "{page}");
    }
}

#[test]
fn who_is_not_confirmed_afterwards_agrees_on_the_page() {
    let agree = r#"name="agree""#;
    assert!(html(view(Some(SellerKind::Local)), false).contains(agree));
    assert!(!html(view(Some(SellerKind::Local)), true).contains(agree));
    assert!(!html(view(Some(SellerKind::Local)), true).contains("<script"));
}
