//! The answers of Temu's router: what a token is, and the tokens of an exchange.

use std::sync::Arc;

use serde_json::Value;
use shop_keyring::{
    apps::App,
    connection::{Listed, Purpose},
    marketplace::{
        http::RawAnswer,
        temu::{
            answer::CallError,
            permissions::{Missing, Permission, lost},
            router::Family,
            token::{Token, created, described},
        },
    },
    registry::{AppConfig, Registry},
    secret::Secret,
    time::Timestamp,
};

use crate::{
    MARK,
    answers::{answer, check_fault, check_tokens, is_answered, marked, said},
    names::check_segment,
};

const SUCCESS: i64 = 1_000_000;

/// When the response arrives.
const NOW: Timestamp = Timestamp(1_796_000_000);

fn is_success(answer: &RawAnswer, said: &Value) -> bool {
    is_answered(answer)
        && match (said["success"].as_bool(), said["errorCode"].as_i64()) {
            (Some(true), code) => code.is_none_or(|code| code == SUCCESS),
            (success, code) => success.is_none() && code == Some(SUCCESS),
        }
}

/// The answer to `bg.open.accesstoken.info.get`.
pub fn temu_token_info(input: &[u8]) {
    let answer = answer(input);
    let Some(said) = said(&answer) else { return };
    match described(Family::Regional, Ok(answer.clone()), NOW) {
        Ok(token) => {
            assert!(is_success(&answer, &said), "a token of what is not a success");
            check_token(&token, &said["result"]);
        }
        Err(error) => check_error(error, is_success(&answer, &said)),
    }
    if let Err(error) = described(Family::Regional, Ok(marked(&answer)), NOW) {
        assert!(!format!("{error} {error:?}").contains(MARK), "an error repeats the answer");
    }
}

/// The answer to `bg.open.accesstoken.create`.
pub fn temu_token_create(input: &[u8]) {
    let answer = answer(input);
    let Some(said) = said(&answer) else { return };
    match created(Ok(answer.clone()), NOW) {
        Ok(tokens) => {
            assert!(is_success(&answer, &said), "tokens of what is not a success");
            assert!(!tokens.is_empty());
            for (known, token) in &tokens {
                assert!(!token.is_empty(), "an empty token");
                let result = &said["result"];
                let mut told = vec![&result["accessToken"]];
                told.extend(
                    result["associatedMallTokenList"].as_array().into_iter().flatten().map(|it| &it["accessToken"]),
                );
                assert!(told.iter().any(|it| **it == token.expose()), "a token that is not in the answer");
                if let Some(known) = known {
                    check_segment(known.mall.as_str());
                }
            }
            assert!(!tokens.iter().any(|(_, token)| format!("{token:?}") != "[secret]"));
        }
        Err(error) => check_error(error, is_success(&answer, &said)),
    }
    if let Err(error) = created(Ok(marked(&answer)), NOW) {
        assert!(!format!("{error} {error:?}").contains(MARK), "an error repeats the answer");
    }
}

fn check_error(error: CallError, success: bool) {
    if success {
        let blames = matches!(error, CallError::Rejected { .. } | CallError::Configuration { .. });
        assert!(!blames, "a success blames somebody: {error:?}");
    }
    check_fault(&error.into_fault());
}

fn check_token(token: &Token, told: &Value) {
    check_segment(token.mall.as_str());
    let mall = [&told["mallId"], &told["uniqueId"]].into_iter().any(|id| match id {
        // A number that was rounded would be somebody else's mall.
        Value::Number(id) => id.as_u64().is_some_and(|id| id.to_string() == token.mall.as_str()),
        id => *id == token.mall.as_str(),
    });
    assert!(mall, "{} is not the mall that the answer names", token.mall);
    check_tokens(&token.tokens(Secret::new("t"), Timestamp(1_800_000_000)));
    let shops = token.shops();
    assert!(shops.iter().all(|shop| shop.id.as_str() == token.mall.as_str()), "the mall is the one shop");
    assert_eq!(token.checked().listed, Some(Listed::Shops(shops)));
    check_permissions(token);
}

fn check_permissions(token: &Token) {
    let app = app(token.scopes.as_deref().unwrap_or_default());
    let Missing { needed, optional } = app.missing_permissions(Purpose::All, token.scopes.as_deref());
    match &token.scopes {
        None => assert!(needed.is_empty() && optional.is_empty(), "what is not said is not missing"),
        Some(scopes) => {
            // Of the three permissions the first is made of what the token has, and the others of what it cannot have.
            let granted = scopes.is_empty() || !needed.contains(&"all".to_owned());
            assert!(granted && needed.contains(&"none".to_owned()) && optional == ["optional"], "{needed:?}");
            assert!(lost(&app.config.permissions, scopes, scopes).is_empty(), "nothing has changed");
        }
    }
    assert_ne!(token.purpose(&app, None), Purpose::Product, "only the gateway CN/PA has product tokens");
    assert_ne!(token.purpose_of_calls(), Some(Purpose::All));
}

fn app(scopes: &[String]) -> App {
    let permission = |label: &str, calls: Vec<String>, optional| Permission { label: label.into(), calls, optional };
    let other = format!("{}.", scopes.concat());
    let path = "temu/us".parse().expect("an app");
    let registry = Registry::parse(r#"{"temu/us":{"name":"Acme","gateway":"us"}}"#).expect("a registry");
    let permissions = vec![
        permission("all", scopes.to_vec(), false),
        permission("none", vec![other.clone()], false),
        permission("optional", vec![other], true),
    ];
    App {
        config: Arc::new(AppConfig { permissions, ..registry.get(&path).expect("its one app").as_ref().clone() }),
        path,
        app_key: "key".into(),
        app_secret: Secret::new("secret"),
        previous_app_secret: None,
        service_id: None,
    }
}
