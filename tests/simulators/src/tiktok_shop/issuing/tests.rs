use super::*;
use crate::tiktok_shop::app::{App, Region};
use crate::tiktok_shop::seller::{Seller, UserType};
use crate::tiktok_shop::settings::Rotation;

const NOW: u64 = 1_700_000_000;

fn world() -> World {
    let mut world = World::default();
    let callback: url::Url = "http://localhost/callback?tenant=1".parse().unwrap();
    for (key, region) in [("us", Region::Us), ("global", Region::Global)] {
        let app = App::new(key, format!("{key}-secret"), format!("{key}-service"), region);
        world.add_app(app.with_redirect_url(callback.clone()));
    }
    world.add_seller(Seller::new("ann"));
    world.add_seller(Seller::new("bob"));
    world
}

fn rotating(rotation: Rotation) -> World {
    let mut world = world();
    world.settings.rotation = rotation;
    world
}

fn code(world: &mut World, app_key: &str, now: u64) -> String {
    let callback = world.authorize(app_key, "ann", None, now).unwrap();
    let code = callback.query_pairs().find(|(key, _)| key == "code");
    code.unwrap().1.into_owned()
}

fn exchange(world: &mut World, app_key: &str, code: &str, now: u64) -> Result<Tokens, ApiError> {
    let request = TokenRequest {
        app_key: app_key.to_owned(),
        app_secret: format!("{app_key}-secret"),
        grant_type: "authorized_code".to_owned(),
        auth_code: code.to_owned(),
        ..TokenRequest::default()
    };
    world.exchange(&request, now)
}

fn refresh(world: &mut World, token: &str, now: u64) -> Result<Tokens, ApiError> {
    let request = TokenRequest {
        app_key: "us".to_owned(),
        app_secret: "us-secret".to_owned(),
        grant_type: "refresh_token".to_owned(),
        refresh_token: token.to_owned(),
        ..TokenRequest::default()
    };
    world.refresh(&request, now)
}

fn authorized(world: &mut World) -> Tokens {
    let code = code(world, "us", NOW);
    exchange(world, "us", &code, NOW).unwrap()
}

fn refused(outcome: Result<Tokens, ApiError>) -> i64 {
    let error = outcome.map(|_| ()).unwrap_err();
    assert_eq!(error.status, 200);
    error.code
}

#[test]
fn a_code_works_once() {
    let mut world = world();
    let code = code(&mut world, "us", NOW);
    assert!(exchange(&mut world, "us", &code, NOW).is_ok());
    assert_eq!(refused(exchange(&mut world, "us", &code, NOW)), code::INVALID_AUTH_CODE);
}

#[test]
fn a_code_works_for_half_an_hour() {
    let mut world = world();
    let late = code(&mut world, "us", NOW);
    assert_eq!(refused(exchange(&mut world, "us", &late, NOW + 1800)), code::INVALID_AUTH_CODE);
    let timely = code(&mut world, "us", NOW);
    assert!(exchange(&mut world, "us", &timely, NOW + 1799).is_ok());
}

#[test]
fn a_code_works_for_its_own_app_and_survives_the_others_attempt() {
    let mut world = world();
    let code = code(&mut world, "us", NOW);
    assert_eq!(refused(exchange(&mut world, "global", &code, NOW)), code::INVALID_AUTH_CODE);
    assert!(exchange(&mut world, "us", &code, NOW).is_ok());
}

#[test]
fn a_refresh_token_works_for_its_own_app() {
    let mut world = world();
    let code = code(&mut world, "global", NOW);
    let tokens = exchange(&mut world, "global", &code, NOW).unwrap();
    assert!(tokens.refresh_token.starts_with("ROW_"));
    assert_eq!(refused(refresh(&mut world, &tokens.refresh_token, NOW)), code::NO_AUTHORIZATION);
}

#[test]
fn the_app_must_prove_itself_and_say_what_it_wants() {
    let mut world = world();
    let good = TokenRequest {
        app_key: "us".to_owned(),
        app_secret: "us-secret".to_owned(),
        grant_type: "refresh_token".to_owned(),
        ..TokenRequest::default()
    };
    let message = |world: &mut World, request: &TokenRequest| {
        let error = world.refresh(request, NOW).map(|_| ()).unwrap_err();
        (error.code, error.message)
    };
    let wrong_key = TokenRequest { app_key: "eu".to_owned(), ..TokenRequest::default() };
    assert_eq!(message(&mut world, &wrong_key), (code::INVALID_INPUT, "Invalid app_key".to_owned()));
    let wrong_secret = TokenRequest { app_key: "us".to_owned(), ..TokenRequest::default() };
    assert_eq!(message(&mut world, &wrong_secret), (code::INVALID_INPUT, "Invalid app_secret".to_owned()));
    assert_eq!(message(&mut world, &good).0, code::NO_AUTHORIZATION);
    let error = world.exchange(&good, NOW).map(|_| ()).unwrap_err();
    assert_eq!(error.message, "Invalid grant_type");
}

#[test]
fn expiries_are_absolute_and_a_refresh_moves_only_the_access_tokens() {
    let mut world = world();
    let first = authorized(&mut world);
    assert_eq!(first.access_token_expire_in, NOW + 7 * 86_400);
    assert_eq!(first.refresh_token_expire_in, NOW + 365 * 86_400);
    let second = refresh(&mut world, &first.refresh_token, NOW + 86_400).unwrap();
    assert_eq!(second.access_token_expire_in, NOW + 8 * 86_400);
    assert_eq!(second.refresh_token_expire_in, first.refresh_token_expire_in);
}

#[test]
fn an_authorization_ends_with_its_refresh_token() {
    let mut world = world();
    world.settings.refresh_lifetime = 100;
    let first = authorized(&mut world);
    assert!(refresh(&mut world, &first.refresh_token, NOW + 99).is_ok());
    let late = refresh(&mut world, &first.refresh_token, NOW + 100);
    assert_eq!(refused(late), code::REFRESH_TOKEN_EXPIRED);
    world.settings.expired_refresh_code = code::NO_AUTHORIZATION;
    let late = refresh(&mut world, &first.refresh_token, NOW + 100);
    assert_eq!(refused(late), code::NO_AUTHORIZATION);
}

#[test]
fn unchanged_gives_the_same_refresh_token_again() {
    let mut world = rotating(Rotation::Unchanged);
    let first = authorized(&mut world);
    let second = refresh(&mut world, &first.refresh_token, NOW).unwrap();
    assert_eq!(first.refresh_token, second.refresh_token);
    assert_ne!(first.access_token, second.access_token);
    assert!(refresh(&mut world, &first.refresh_token, NOW).is_ok());
}

#[test]
fn kept_old_refresh_tokens_stay_valid() {
    let mut world = rotating(Rotation::KeepOld);
    let first = authorized(&mut world);
    let second = refresh(&mut world, &first.refresh_token, NOW).unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    assert!(refresh(&mut world, &second.refresh_token, NOW).is_ok());
    assert!(refresh(&mut world, &first.refresh_token, NOW).is_ok());
}

#[test]
fn one_time_refresh_tokens_die_at_once() {
    let mut world = rotating(Rotation::OneTime);
    let first = authorized(&mut world);
    let second = refresh(&mut world, &first.refresh_token, NOW).unwrap();
    assert_eq!(refused(refresh(&mut world, &first.refresh_token, NOW)), code::NO_AUTHORIZATION);
    assert!(world.accepts(&first.access_token, NOW), "the access token has its own expiry");
    assert!(refresh(&mut world, &second.refresh_token, NOW).is_ok());
}

#[test]
fn grace_lasts_until_the_new_pair_is_used() {
    let mut world = rotating(Rotation::Grace);
    let first = authorized(&mut world);
    let lost = refresh(&mut world, &first.refresh_token, NOW).unwrap();
    let second = refresh(&mut world, &first.refresh_token, NOW).unwrap();
    let third = refresh(&mut world, &second.refresh_token, NOW).unwrap();
    for dead in [&first, &lost] {
        assert_eq!(refused(refresh(&mut world, &dead.refresh_token, NOW)), code::NO_AUTHORIZATION);
    }
    assert!(world.accepts(&second.refresh_token, NOW), "the third pair was not used yet");
    assert!(refresh(&mut world, &third.refresh_token, NOW).is_ok());
    assert!(!world.accepts(&second.refresh_token, NOW));
}

#[test]
fn access_tokens_die_with_their_refresh_tokens_only_on_request() {
    for rotation in [Rotation::OneTime, Rotation::KeepOld, Rotation::Unchanged] {
        let mut world = rotating(rotation);
        world.settings.rotation_ends_access_tokens = true;
        let first = authorized(&mut world);
        let second = refresh(&mut world, &first.refresh_token, NOW).unwrap();
        assert!(!world.accepts(&first.access_token, NOW), "{rotation:?}");
        assert!(world.accepts(&second.access_token, NOW), "{rotation:?}");
    }
}

#[test]
fn a_new_authorization_ends_the_old_one_unless_told_otherwise() {
    let mut world = world();
    let first = authorized(&mut world);
    let second = authorized(&mut world);
    assert!(!world.accepts(&first.refresh_token, NOW) && !world.accepts(&first.access_token, NOW));
    world.settings.new_grant_ends_old = false;
    let third = authorized(&mut world);
    assert!(world.accepts(&second.refresh_token, NOW) && world.accepts(&third.refresh_token, NOW));
}

#[test]
fn another_apps_authorization_is_left_alone() {
    let mut world = world();
    let first = authorized(&mut world);
    let code = code(&mut world, "global", NOW);
    exchange(&mut world, "global", &code, NOW).unwrap();
    assert!(world.accepts(&first.refresh_token, NOW));
    assert!(world.deauthorize("us", "ann").is_some());
    assert!(world.deauthorize("us", "ann").is_none(), "there is none left");
    assert_eq!(refused(refresh(&mut world, &first.refresh_token, NOW)), code::NO_AUTHORIZATION);
}

#[test]
fn what_the_platform_may_leave_out_is_left_out() {
    let mut world = world();
    let full = serde_json::to_value(authorized(&mut world)).unwrap();
    assert_eq!(full["granted_scopes"][0], "seller.authorization.info");
    let seller = world.seller_mut("ann").unwrap();
    seller.name = None;
    seller.base_region = None;
    seller.states_scopes = false;
    seller.user_type = UserType::Partner;
    let sparse = serde_json::to_value(authorized(&mut world)).unwrap();
    let sparse = sparse.as_object().unwrap();
    assert!(sparse["seller_name"].is_null());
    assert!(!sparse.contains_key("seller_base_region") && !sparse.contains_key("granted_scopes"));
    assert_eq!(sparse["user_type"], 3);
}

#[test]
fn secrets_are_all_there_dead_or_alive() {
    let mut world = rotating(Rotation::OneTime);
    let code = code(&mut world, "us", NOW);
    let first = exchange(&mut world, "us", &code, NOW).unwrap();
    let second = refresh(&mut world, &first.refresh_token, NOW).unwrap();
    world.update_app("us", |app| app.app_secret = "newer".to_owned()).unwrap();
    let secrets = world.secrets();
    for secret in [&code, &first.access_token, &first.refresh_token, &second.access_token, &second.refresh_token] {
        assert!(secrets.contains(secret));
    }
    for secret in ["us-secret", "newer", "global-secret"] {
        assert!(secrets.iter().any(|known| known == secret));
    }
}

#[test]
fn the_callback_keeps_the_redirect_urls_own_query() {
    let mut world = world();
    let callback = world.authorize("us", "ann", Some("s&t"), NOW).unwrap();
    let keys: Vec<_> = callback.query_pairs().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["tenant", "app_key", "code", "locale", "shop_region", "state"]);
    assert!(callback.query_pairs().any(|(key, value)| key == "state" && value == "s&t"));
}
