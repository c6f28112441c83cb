//! The form for Temu's tokens, and what people paste into it.

use oauth_callback::{Form, Mistake, Offered, SellerKind, clean, offered};
use shop_keyring::{
    connect_session::ConnectSession, names::MarketplaceName, registry::Registry, secret::Secret, time::Timestamp,
};
use url::form_urlencoded::{Serializer, parse};

/// A form is read whole or not at all; its fields belong to apps that there are, each once.
pub fn temu_form(input: &[u8]) {
    // The problem is an enum without a text: it can repeat nothing.
    let Ok(form) = Form::read(input) else { return };
    let other = Form::read(&with_other_secrets(input)).expect("it differs in its secrets only");
    assert_eq!(format!("{form:?}"), format!("{other:?}"), "a secret is printed");

    let Ok(fields) = form.fields(&offered_to(form.kind)) else { return };
    let mut apps: Vec<_> = fields.iter().map(|field| field.app.path.to_string()).collect();
    apps.dedup();
    assert_eq!(apps.len(), fields.len(), "two tokens for one app");
    assert!(form.kind != SellerKind::Local || fields.len() <= 1, "a local seller has one token");
    for field in &fields {
        assert_eq!(field.app.path.marketplace, MarketplaceName::Temu);
        assert!(offered_to(form.kind).iter().any(|it| it.path == field.app.path), "{} is not offered", field.app.path);
        assert!(form.kind != SellerKind::Local || field.app.path.app.as_str() != "product");
        assert!(!field.pasted.expose().trim().is_empty());
        pasted_token(field.pasted.expose().as_bytes());
    }

    let mut written = Serializer::new(String::new());
    written.append_pair("form_token", form.token.expose()).append_pair("seller", form.kind.as_str());
    for field in &fields {
        let app = field.app.path.app.as_str();
        match form.kind {
            SellerKind::Local => written.append_pair("site", app).append_pair("token", field.pasted.expose()),
            SellerKind::SemiManaged | SellerKind::FullyManaged => {
                written.append_pair(&format!("token_{app}"), field.pasted.expose())
            }
        };
        if let Some(mall) = &field.other_store {
            written.append_pair(&format!("other_store_{app}"), mall);
        }
    }
    let again = Form::read(written.finish().as_bytes()).expect("what was read can be read");
    let again = again.fields(&offered_to(form.kind)).expect("what was read can be read");
    let same = again.len() == fields.len()
        && again.iter().zip(&fields).all(|(again, field)| {
            again.app.path == field.app.path
                && again.pasted.same_as(&field.pasted)
                && again.other_store == field.other_store
        });
    assert!(same, "the form does not read back the same");
}

fn with_other_secrets(form: &[u8]) -> Vec<u8> {
    let mut others = Serializer::new(String::new());
    for (name, value) in parse(form) {
        let secret = matches!(&*name, "token" | "form_token") || name.starts_with("token_");
        others.append_pair(&name, if secret { "other" } else { &value });
    }
    others.finish().into_bytes()
}

fn offered_to(kind: SellerKind) -> Vec<Offered> {
    let registry = r#"{"temu/us":{"name":"A","gateway":"us"},"temu/eu":{"name":"A","gateway":"eu"},
        "temu/product":{"name":"A","gateway":"cn-pa"}}"#;
    let session = ConnectSession {
        id: "id".into(),
        account_id: "acme".parse().expect("an account"),
        account_label: None,
        return_url: None,
        reference: None,
        apps: None,
        reconnect: None,
        confirm: true,
        created_at: Timestamp(0),
        expires_at: Timestamp(1),
        visits: Vec::new(),
        pasted: 0,
    };
    offered(&Registry::parse(registry).expect("a registry"), &session, kind)
}

/// A token is what is left of what was pasted, however it was pasted, and safe to send.
pub fn pasted_token(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let cleaned = |text: &str| clean(&Secret::new(text));
    let token = match cleaned(text) {
        Ok(token) => token,
        // An enum without a text: it can repeat nothing.
        Err(mistake) => return assert_eq!(mistake, Mistake::NotAToken),
    };
    let token = token.expose();
    assert!((20..=512).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic()), "{token:?}");
    assert!(!token.contains(['"', '\'', '\\', '<', '>', '{', '}', '&', '%', '#', '?', ',', ';', ':']), "{token:?}");
    let mut letters = text.chars();
    assert!(token.chars().all(|letter| letters.any(|other| other == letter)), "more than was pasted: {token:?}");

    let (head, tail) = token.split_at(token.len() / 2);
    for again in [
        token.to_owned(),
        format!(" \"{token}\"\r\n"),
        format!("access_token: {token}"),
        format!("{{\"access_token\": \"{token}\"}}"),
        format!("Access\u{a0}Token\u{200b}={token}"),
        format!("{head}\r\n  {tail}"),
    ] {
        let again = cleaned(&again).expect("a token is one however it is pasted");
        assert_eq!(again.expose(), token, "a token depends on how it is pasted");
    }
}
