//! A webhook: the header `Authorization` on the first line, then the body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shop_keyring::{
    apps::App,
    connection::notice::{Notice, Subject},
    marketplace::tiktok_shop::webhook::{is_signed, read},
    registry::Registry,
    secret::Secret,
};

use crate::{first_line, names::check_segment};

const SECRETS: [&str; 2] = ["app-secret", "app-secret-before"];

/// Nothing unsigned is believed, and what is signed is read for what it says.
pub fn webhook(input: &[u8]) {
    let (authorization, body) = first_line(input);
    let app = app();
    let right = SECRETS.map(|secret| signature(&app, secret, body));
    let claimed = authorization.to_ascii_lowercase();
    let is_right = right.iter().any(|right| right.as_bytes() == claimed);
    assert_eq!(is_signed(&app, authorization, body), is_right, "only the signature itself is one");

    for right in right.map(String::into_bytes) {
        assert!(is_signed(&app, &right, body));
        let mut longer = body.to_vec();
        longer.push(b' ');
        assert!(!is_signed(&app, &right, &longer), "signed for another body");
        assert!(!is_signed(&app, &right[..62], body), "half a signature");
        let other = App { app_key: "another-key".into(), ..app.clone() };
        assert!(!is_signed(&other, &right, body), "signed for another app");
    }
    let only_now = App { previous_app_secret: None, ..app.clone() };
    assert!(!is_signed(&only_now, signature(&app, SECRETS[1], body).as_bytes(), body), "a secret that is over");

    if let Ok(webhook) = read(body) {
        assert!(body.trim_ascii_start().starts_with(b"{"), "a notice that is no object");
        assert!(webhook.notification_id != Some(String::new()));
        if let Some(about) = webhook.about {
            match &about.subject {
                Subject::Shop(shop) => check_segment(shop.as_str()),
                Subject::Seller(seller) => check_segment(seller.as_str()),
            }
            assert!(about.sent_at.0 > 0);
            assert!(!matches!(about.notice, Notice::EndsSoon { ends_at } if ends_at.0 <= 0));
        }
    }
}

fn signature(app: &App, secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(app.app_key.as_bytes());
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn app() -> App {
    let path = "tiktok-shop/us".parse().expect("an app");
    let registry = Registry::parse(r#"{"tiktok-shop/us":{"name":"Acme","market":"us"}}"#).expect("a registry");
    App {
        config: registry.get(&path).expect("its one app").clone(),
        path,
        app_key: "app-key".into(),
        app_secret: Secret::new(SECRETS[0]),
        previous_app_secret: Some(Secret::new(SECRETS[1])),
        service_id: None,
    }
}
