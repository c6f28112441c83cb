//! Whole bodies, as the contract shows them. The tests hold each against its schema.

use serde_json::{Value, json};
use shop_keyring::connect_session::ConnectFailure;

use crate::sessions::failure;

pub(crate) fn token() -> Value {
    let mut token = identity();
    token["access_token"] =
        json!("TTP_OPHSu4HHu3b-AdwJjt4nfQg_y7pZ-gH2P1nf2rmm0773d9EiU0bLKbaobuWeE6V55knWHMIZUAC2BszWzPew");
    token["api"] = json!({
        "base_url": "https://open-api.tiktokglobalshop.com",
        "app_key": "6us7a1k3q9",
        "token_header": "x-tts-access-token",
    });
    token
}

/// What a connection and a token have in common.
fn identity() -> Value {
    json!({
        "connection": "tiktok-shop/us/7010736057180325637",
        "marketplace": "tiktok-shop",
        "app": "us",
        "seller_id": "7010736057180325637",
        "account_id": "customer-17",
        "purpose": "all",
        "status": "active",
        "version": 7,
        "expires_at": "2026-11-26T05:09:56Z",
        "authorization_expires_at": "2027-11-21T05:09:06Z",
        "shops": [shop()],
        "scopes": ["seller.authorization.info"],
    })
}

pub(crate) fn unrefreshable() -> Value {
    json!({
        "access_token": "upsfmfl2ajqkrbsyc1tfk9ztxghvhlqrzkpmbq4vwyk7tfs0gpuvgdfxq4k",
        "connection": "temu/us/634418212239481",
        "marketplace": "temu",
        "app": "us",
        "seller_id": "634418212239481",
        "account_id": "customer-17",
        "purpose": "all",
        "status": "active",
        "version": 1,
        "expires_at": "2026-11-21T05:10:06Z",
        "authorization_expires_at": "2026-11-21T05:10:06Z",
        "shops": [{"id": "634418212239481"}],
        "scopes": ["bg.order.list.v2.get"],
        "api": {
            "base_url": "https://openapi-b-us.temu.com/openapi/router",
            "routers": [{"name": "us", "base_url": "https://openapi-b-us.temu.com/openapi/router"}],
            "app_key": "5f0a7b3c9d",
        },
        "refresh": "not_refreshable",
        "notice": "Temu knows no refresh: this token lasts until expires_at, and only the seller can give a new one. Open \
                   a connect session in time.",
    })
}

fn shop() -> Value {
    json!({
        "id": "7495514739648990000", "cipher": "GCP_XF90igAAAABh00qsWgtvOiGFNqyubMt3", "name": "Ann's Attic",
        "region": "US",
    })
}

pub(crate) fn connection() -> Value {
    let health = json!({
        "seller_name": "Ann's Attic",
        "label": null,
        "seller_base_region": "US",
        "created_at": "2026-10-20T05:09:05Z",
        "authorized_at": "2026-10-20T05:09:06Z",
        "refreshed_at": "2026-11-19T05:09:56Z",
        "verified_at": null,
        "next_check_at": null,
        "announced_end": null,
        "reminded_days": null,
        "next_due_at": "2026-11-23T22:33:25Z",
        "failures": 1,
        "refused_at": null,
        "refusals": 0,
        "last_error": {
            "at": "2026-11-23T22:31:10Z",
            "message": "the marketplace cannot answer now",
            "code": "http_503",
            "request_id": "202611232231101A2B3C4D5E6F708192A3",
            "what_to_do": "Nothing: it is tried again automatically.",
        },
        "needs_attention": [],
    });
    let mut connection = identity();
    for (name, value) in health.as_object().into_iter().flatten() {
        connection[name] = value.clone();
    }
    connection
}

pub(crate) fn ended() -> Value {
    let mut connection = connection();
    connection["status"] = json!("reauthorization_required");
    connection["reason"] = json!("deauthorized");
    connection["needs_attention"] = json!([{
        "code": "reauthorization_required",
        "detail": "The seller took the authorization back at the marketplace. Ask them whether they meant to; a connect \
                   session connects them again, DELETE ends the connection.",
    }]);
    for nothing in ["next_due_at", "last_error"] {
        connection[nothing] = Value::Null;
    }
    connection
}

pub(crate) fn list() -> Value {
    json!({"connections": [connection(), ended()], "next_cursor": "AWN1cnNvcg"})
}

pub(crate) fn assignment() -> Value {
    json!({"account_id": "customer-17"})
}

pub(crate) fn clearing() -> Value {
    json!({"account_id": null})
}

pub(crate) fn labelling() -> Value {
    json!({"label": "Ann's Attic, US warehouse"})
}

pub(crate) fn rejected() -> Value {
    json!({"rejected_version": 7})
}

pub(crate) fn open_request() -> Value {
    json!({
        "account_id": "customer-17",
        "account_label": "Ann's Attic",
        "return_url": "https://vendor.example/shops/connected",
        "reference": "ticket 4711",
    })
}

pub(crate) fn mailed_request() -> Value {
    json!({"account_id": "customer-17", "account_label": "Ann's Attic", "confirm": false, "expires_in": 604_800})
}

pub(crate) fn opened() -> Value {
    json!({
        "session_id": "V1XkQzJ7m3F0cW9yB5tHn2LpRuGdSe8aKoTiYxNvM4Q",
        "connect_url": "https://connect.vendor.example/connect/Zk3v9QeXw1Yt7RbN5mHc2LpJuGdSf8aKoTiVxMyB4Ws",
        "expires_at": "2026-11-21T06:09:05Z",
    })
}

pub(crate) fn session() -> Value {
    json!({
        "session_id": "V1XkQzJ7m3F0cW9yB5tHn2LpRuGdSe8aKoTiYxNvM4Q",
        "status": "awaiting_confirmation",
        "account_id": "customer-17",
        "reference": "ticket 4711",
        "created_at": "2026-11-21T05:09:05Z",
        "expires_at": "2026-11-21T06:09:05Z",
        "connections": [{
            "connection": "tiktok-shop/us/7010736057180325637",
            "status": "pending",
            "authorized_at": "2026-11-21T05:12:40Z",
            "confirm_by": "2026-11-21T06:12:40Z",
        }],
    })
}

pub(crate) fn failed_session() -> Value {
    let mut session = session();
    session["status"] = json!("failed");
    session["connections"] = json!([]);
    session["failure"] = json!("denied");
    session["failure_detail"] = json!(failure::detail(ConnectFailure::Denied));
    session
}

pub(crate) fn confirmation() -> Value {
    json!({"result": "mN4vBxK8oTiYa2LpRuGdSe9QzJ7V1XkcW0yF3B5tHnM", "account_id": "customer-17"})
}
