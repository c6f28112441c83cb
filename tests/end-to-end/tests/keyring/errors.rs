//! Every code of the API is reached by a real request, and each answer is one that the contract declares for its route.

use std::{collections::BTreeSet, fs};

use emulators::{
    front::{Fault as AwsFault, FaultKind},
    gateway::{Config, Gateway, Route as GatewayRoute},
};
use end_to_end::{Answer, Function, Options, Stack, VendorApi};
use reqwest::Method;
use serde_json::{Value, json};
use simulators::tiktok_shop::{Fault, Route, Trouble, When};

use crate::setting::{SELLER_1, connect, connected, item};

const CONNECTION: &str = "/v1/connections/{marketplace}/{app}/{seller_id}";
const CONNECTIONS: &str = "/v1/connections";
const TOKEN: &str = "/v1/connections/{marketplace}/{app}/{seller_id}/token";
const TOKEN_BY_SHOP: &str = "/v1/shops/{marketplace}/{app}/{shop_id}/token";
const REFRESH: &str = "/v1/connections/{marketplace}/{app}/{seller_id}/refresh";
const SESSIONS: &str = "/v1/connect-sessions";
const SESSION: &str = "/v1/connect-sessions/{session_id}";
const CONFIRM: &str = "/v1/connect-sessions/{session_id}/confirm";

/// The contract, and the codes seen so far.
struct Catalogue {
    contract: Value,
    seen: BTreeSet<String>,
}

impl Catalogue {
    fn open() -> Self {
        let contract = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json")).unwrap();
        Self { contract: serde_json::from_str(&contract).unwrap(), seen: BTreeSet::new() }
    }

    /// Notes an error that the contract declares for this operation.
    #[track_caller]
    fn note(&mut self, method: &str, route: &str, answer: &Answer, code: &str) {
        let responses = &self.contract["paths"][route][method]["responses"];
        let declared = &responses[answer.status.to_string()]["content"]["application/problem+json"];
        let example = declared["examples"][code]["value"].clone();
        assert!(example.is_object(), "{}: {} {code} is not in the contract", answer.asked, answer.status);
        self.note_like(&example, answer, code);
    }

    /// Notes an error of a request that belongs to no operation: the contract cannot declare it, docs/errors.md shows it.
    #[track_caller]
    fn note_of_no_operation(&mut self, answer: &Answer, code: &str) {
        let errors = include_str!("../../../../docs/errors.md");
        let (_, section) = errors.split_once(&format!("### `{code}`")).unwrap();
        let example = section.split("```").nth(1).and_then(|json| json.strip_prefix("json")).unwrap();
        self.note_like(&serde_json::from_str(example).unwrap(), answer, code);
    }

    #[track_caller]
    fn note_like(&mut self, example: &Value, answer: &Answer, code: &str) {
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{}: {problem}", answer.asked);
        for same in ["type", "title", "status"] {
            assert_eq!(problem[same], example[same], "{}", answer.asked);
        }
        assert_eq!(problem["status"], answer.status);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("x-request-id").is_some());
        let wait = answer.header("retry-after").map(|seconds| seconds.parse::<u32>().unwrap());
        assert_eq!(wait.is_some(), answer.status == 503, "{}: retry after {wait:?}", answer.asked);
        self.seen.insert(code.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_is_reached() {
    let stack = connected(Options::default()).await;
    let mut catalogue = Catalogue::open();
    what_is_asked_is_wrong(&stack, &mut catalogue).await;
    sessions(&stack, &mut catalogue).await;
    connections(&stack, &mut catalogue).await;
    let codes = catalogue.contract["components"]["schemas"]["Code"]["enum"].as_array().unwrap();
    let all: BTreeSet<String> = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!(catalogue.seen, all);
}

async fn what_is_asked_is_wrong(stack: &Stack, catalogue: &mut Catalogue) {
    let vendor = stack.vendor();
    catalogue.note("get", TOKEN, &vendor.token_for(SELLER_1, 86_401).await, "bad_request");
    catalogue.note("get", TOKEN_BY_SHOP, &vendor.token_by_shop("tiktok-shop/US/shop-1").await, "bad_request");
    catalogue.note("get", CONNECTION, &vendor.connection("ebay/us/seller-1").await, "bad_request");
    catalogue.note("delete", CONNECTION, &vendor.disconnect("ebay/us/seller-1").await, "bad_request");
    catalogue.note("post", REFRESH, &vendor.refresh(SELLER_1, 99).await, "bad_request");
    catalogue.note("post", SESSIONS, &vendor.open_session(&json!({})).await, "bad_request");
    catalogue.note("get", TOKEN, &vendor.token("tiktok-shop/mars/seller-1").await, "app_not_found");
    catalogue.note("get", TOKEN_BY_SHOP, &vendor.token_by_shop("temu/mars/7").await, "app_not_found");
    catalogue.note("get", CONNECTION, &vendor.connection("temu/mars/7").await, "app_not_found");
    catalogue.note("delete", CONNECTION, &vendor.disconnect("temu/mars/7").await, "app_not_found");
    let apps = json!({"account_id": "a", "return_url": "https://vendor.example/shops", "apps": ["temu/mars"]});
    catalogue.note("post", SESSIONS, &vendor.open_session(&apps).await, "app_not_found");
    catalogue.note("get", TOKEN, &vendor.token("tiktok-shop//us/seller-1").await, "path_not_canonical");

    let elsewhere = vendor.send(Method::GET, "/v1/elsewhere", None).await.expect(404);
    catalogue.note_of_no_operation(&elsewhere, "route_not_found");
    let wrong = vendor.send(Method::DELETE, &format!("/v1/connections/{SELLER_1}/token"), None).await.expect(405);
    catalogue.note_of_no_operation(&wrong, "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("GET, OPTIONS"));

    catalogue.note("get", TOKEN, &without_authorizer(stack).await, "no_identity");
    what_is_sent_is_too_much(stack, catalogue).await;
}

async fn what_is_sent_is_too_much(stack: &Stack, catalogue: &mut Catalogue) {
    let (vendor, long) = (stack.vendor(), "x".repeat(16 * 1024 + 1));
    catalogue.note("get", CONNECTIONS, &vendor.connections("app=us").await, "bad_request");
    let token = format!("/v1/connections/{SELLER_1}/token");
    let answer = vendor.send_with(Method::GET, &token, &[("x-filler", &long[..8 * 1024])], "").await;
    catalogue.note("get", TOKEN, &answer, "headers_too_long");
    let connection = format!("/v1/connections/{SELLER_1}");
    for (method, name, route, path) in [
        (Method::POST, "post", REFRESH, format!("{connection}/refresh")),
        (Method::PATCH, "patch", CONNECTION, connection),
        (Method::POST, "post", SESSIONS, SESSIONS.to_owned()),
        (Method::POST, "post", CONFIRM, "/v1/connect-sessions/x/confirm".to_owned()),
    ] {
        let answer = vendor.send_with(method.clone(), &path, &[], "").await.expect(400);
        assert!(answer.body.contains("The body is missing: send one such as `{"), "{}", answer.body);
        let answer = vendor.send_with(method.clone(), &path, &[], &long).await;
        catalogue.note(name, route, &answer, "body_too_long");
        let answer = vendor.send_with(method, &path, &[("content-type", "text/plain")], "{}").await;
        catalogue.note(name, route, &answer, "unsupported_media_type");
    }
}

/// What a gateway lets through whose route has no authorizer.
async fn without_authorizer(stack: &Stack) -> Answer {
    let mut config = Config::new(stack.lambda_url());
    config.routes = vec![GatewayRoute::open("ANY /v1/{proxy+}", Function::TokenLookup.name())];
    let gateway = Gateway::start("127.0.0.1:0".parse().unwrap(), config).await.unwrap();
    stack.vendor().at(&gateway.url()).token(SELLER_1).await.expect(403)
}

async fn sessions(stack: &Stack, catalogue: &mut Catalogue) {
    let vendor = stack.vendor();
    catalogue.note("get", SESSION, &vendor.session("no-such-session").await, "session_not_found");
    catalogue.note("post", CONFIRM, &vendor.confirm("no-such-session", "x").await, "session_not_found");
    let session = vendor.connect_session(json!({"account_id": "acme"})).await;
    catalogue.note("post", CONFIRM, &vendor.confirm(&session.session_id, "x").await, "result_not_found");
    let path = format!("/v1/connect-sessions/{}/confirm", session.session_id);
    let mismatch = vendor.send(Method::POST, &path, Some(&json!({ "result": "x", "account_id": "another" }))).await;
    catalogue.note("post", CONFIRM, &mismatch, "account_mismatch");

    let reconnect = |account: &str, connection: &str| {
        let return_url = "https://vendor.example/shops/connected";
        json!({ "account_id": account, "return_url": return_url, "reconnect": connection })
    };
    let other = vendor.open_session(&reconnect("another", SELLER_1)).await;
    catalogue.note("post", SESSIONS, &other, "account_conflict");
    let unknown = vendor.open_session(&reconnect("acme", "tiktok-shop/us/nobody")).await;
    assert!(unknown.body.contains("leave `reconnect` out"), "{}", unknown.body);
    catalogue.note("post", SESSIONS, &unknown, "connection_not_found");

    let back = stack.browser().connect(&session.connect_url, "us", "seller-2").await;
    catalogue.note("get", TOKEN, &vendor.token("tiktok-shop/us/seller-2").await, "pending");
    catalogue.note("post", REFRESH, &vendor.refresh("tiktok-shop/us/seller-2", 1).await, "pending");
    let waiting = vendor.open_session(&reconnect("acme", "tiktok-shop/us/seller-2")).await;
    catalogue.note("post", SESSIONS, &waiting, "pending");
    let waiting = vendor.patch("tiktok-shop/us/seller-2", Some("*"), &json!({ "account_id": "another" })).await;
    catalogue.note("patch", CONNECTION, &waiting, "pending");
    stack.age(3_601).await;
    stack.invoke_sweep().await;
    let late = vendor.confirm(&session.session_id, back.result()).await.expect(409);
    catalogue.note("post", CONFIRM, &late, "nothing_to_confirm");
}

async fn connections(stack: &Stack, catalogue: &mut Catalogue) {
    let vendor = stack.vendor();
    let nobody = "tiktok-shop/us/nobody";
    catalogue.note("get", TOKEN, &vendor.token(nobody).await, "connection_not_found");
    catalogue.note("get", TOKEN_BY_SHOP, &vendor.token_by_shop(nobody).await, "connection_not_found");
    catalogue.note("get", CONNECTION, &vendor.connection(nobody).await, "connection_not_found");
    catalogue.note("delete", CONNECTION, &vendor.disconnect(nobody).await, "connection_not_found");
    catalogue.note("post", REFRESH, &vendor.refresh(nobody, 1).await, "connection_not_found");
    let account = json!({ "account_id": "acme" });
    catalogue.note("patch", CONNECTION, &vendor.patch(nobody, Some("*"), &account).await, "connection_not_found");
    catalogue.note("patch", CONNECTION, &vendor.patch(SELLER_1, None, &account).await, "precondition_required");
    catalogue.note("patch", CONNECTION, &vendor.patch(SELLER_1, Some("\"7\""), &account).await, "precondition_failed");
    let path = format!("/v1/connections/{SELLER_1}");
    let unmatched = vendor.send_with(Method::DELETE, &path, &[("if-match", "\"7\"")], "").await;
    catalogue.note("delete", CONNECTION, &unmatched, "precondition_failed");

    let down = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("GetItem").always();
    let listing = AwsFault::new(FaultKind::Refuse("AccessDeniedException")).on("Query").always();
    let listing = stack.dynamodb().front().inject(listing);
    let down = stack.dynamodb().front().inject(down);
    for (method, route, answer) in asked_of_storage(&vendor).await {
        catalogue.note(method, route, &answer, "storage_unavailable");
    }
    down.clear();
    listing.clear();

    stack.age(7 * 86_400).await;
    stack.tiktok_shop().inject(Route::TokenRefresh, Fault::new(Trouble::ServerError(When::BeforeEffect)));
    catalogue.note("get", TOKEN, &vendor.token(SELLER_1).await, "refresh_failed");
    catalogue.note("get", TOKEN_BY_SHOP, &vendor.token_by_shop("tiktok-shop/us/shop-1").await, "refresh_failed");
    catalogue.note("post", REFRESH, &vendor.refresh(SELLER_1, 1).await, "refresh_failed");
    crate::temu::setting::connect_local(stack).await;
    stack.temu().inject(simulators::temu::Route::TokenInfo, Fault::new(Trouble::ServerError(When::BeforeEffect)));
    catalogue.note("post", REFRESH, &vendor.refresh(crate::temu::setting::LOCAL, 1).await, "check_failed");
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);

    // A second refusal a day after the first ends the connection.
    let refused = Fault::new(Trouble::answer(When::BeforeEffect, 36_004_005, "gone"));
    stack.tiktok_shop().inject(Route::TokenRefresh, refused);
    for seconds in [3_601, 86_400] {
        stack.age(seconds).await;
        stack.invoke_sweep().await;
    }
    let ended = vendor.token(SELLER_1).await;
    assert_eq!(ended.json()["reason"], item(stack, SELLER_1).await["reason"]);
    catalogue.note("get", TOKEN, &ended, "reauthorization_required");
    let by_shop = vendor.token_by_shop("tiktok-shop/us/shop-1").await;
    catalogue.note("get", TOKEN_BY_SHOP, &by_shop, "reauthorization_required");
    catalogue.note("post", REFRESH, &vendor.refresh(SELLER_1, 1).await, "reauthorization_required");
    stack.tiktok_shop().clear_faults(Route::TokenRefresh);

    connect(stack, "us", "seller-1", "acme").await;
    drop(vendor.disconnect(SELLER_1).await.expect(200));
    catalogue.note("get", TOKEN, &vendor.token(SELLER_1).await, "disconnected");
    catalogue.note("get", TOKEN_BY_SHOP, &vendor.token_by_shop("tiktok-shop/us/shop-1").await, "disconnected");
    catalogue.note("post", REFRESH, &vendor.refresh(SELLER_1, 1).await, "disconnected");
    let assigned = vendor.patch(SELLER_1, Some("*"), &json!({ "account_id": "acme" })).await;
    catalogue.note("patch", CONNECTION, &assigned, "disconnected");
}

/// All that needs the tables.
async fn asked_of_storage(vendor: &VendorApi) -> [(&'static str, &'static str, Answer); 9] {
    [
        ("get", TOKEN, vendor.token(SELLER_1).await),
        ("get", TOKEN_BY_SHOP, vendor.token_by_shop("tiktok-shop/us/shop-1").await),
        ("get", CONNECTION, vendor.connection(SELLER_1).await),
        ("get", CONNECTIONS, vendor.connections("account_id=acme").await),
        ("patch", CONNECTION, vendor.patch(SELLER_1, Some("*"), &json!({ "account_id": "acme" })).await),
        ("delete", CONNECTION, vendor.disconnect(SELLER_1).await),
        ("post", REFRESH, vendor.refresh(SELLER_1, 1).await),
        ("get", SESSION, vendor.session("no-such-session").await),
        ("post", CONFIRM, vendor.confirm("no-such-session", "x").await),
    ]
}
