use super::*;
use crate::temu::app::{Region, Router};
use crate::temu::permissions::TOKEN_CREATE;
use crate::temu::seller::{Mall, MallType, Seller};

const NOW: u64 = 1_711_009_072;

fn world() -> World {
    let mut world = World::default();
    let callback: Url = "http://localhost/callback?tenant=1".parse().unwrap();
    for (key, region) in [("us", Region::Us), ("other", Region::Us), ("eu", Region::Eu)] {
        world.add_app(App::new(key, format!("{key}-secret"), region).with_redirect_url(callback.clone()));
    }
    let seller = Seller::new("ann")
        .with_mall(Mall::new(1, MallType::SemiManaged))
        .with_mall(Mall::new(2, MallType::Local))
        .with_mall(Mall::new(3, MallType::Local).at(Region::Eu, 76));
    world.add_seller(seller);
    world
}

fn code_in(callback: &Url) -> String {
    let code = callback.query_pairs().find(|(key, _)| key == "code");
    code.unwrap().1.into_owned()
}

fn code(world: &mut World, app_key: &str) -> String {
    code_in(&world.authorize(app_key, "ann", None, NOW).unwrap())
}

fn create(world: &mut World, app_key: &str, code: &str, now: u64) -> Result<Value, ApiError> {
    let body = json!({ "type": TOKEN_CREATE, "code": code, "access_token": code });
    world.create(app_key, &Request::parse(Router::Us, body.to_string().as_bytes()), now)
}

fn refused(outcome: Result<Value, ApiError>) -> i64 {
    outcome.unwrap_err().code
}

#[test]
fn a_code_works_once() {
    let mut world = world();
    let code = code(&mut world, "us");
    assert!(create(&mut world, "us", &code, NOW).is_ok());
    assert_eq!(refused(create(&mut world, "us", &code, NOW)), code::AUTHORIZE_AGAIN);
}

#[test]
fn a_code_works_for_ten_minutes() {
    let mut world = world();
    let late = code(&mut world, "us");
    assert_eq!(refused(create(&mut world, "us", &late, NOW + 600)), code::AUTHORIZE_AGAIN);
    let timely = code(&mut world, "us");
    assert!(create(&mut world, "us", &timely, NOW + 599).is_ok());
}

#[test]
fn a_code_works_for_its_own_app_and_survives_the_others_attempt() {
    let mut world = world();
    let code = code(&mut world, "us");
    assert_eq!(refused(create(&mut world, "other", &code, NOW)), code::INVALID_CODE);
    assert_eq!(refused(create(&mut world, "us", "unknown", NOW)), code::INVALID_CODE);
    assert!(create(&mut world, "us", &code, NOW).is_ok());
}

#[test]
fn a_code_goes_in_twice() {
    let mut world = world();
    let code = code(&mut world, "us");
    for body in
        [json!({ "code": code }), json!({ "access_token": code }), json!({ "code": code, "access_token": "another" })]
    {
        let request = Request::parse(Router::Us, body.to_string().as_bytes());
        assert_eq!(refused(world.create("us", &request, NOW)), code::INVALID_CODE);
    }
    assert!(create(&mut world, "us", &code, NOW).is_ok());
}

#[test]
fn only_local_malls_of_the_apps_region_come_along() {
    let mut world = world();
    let code = code(&mut world, "us");
    let result = create(&mut world, "us", &code, NOW).unwrap();
    let token = world.newest_token("us", 2, Purpose::All).unwrap();
    assert_eq!(result, json!({ "accessToken": token.value }));
    assert!(world.newest_token("us", 1, Purpose::All).is_none() && world.newest_token("us", 3, Purpose::All).is_none());
}

#[test]
fn further_malls_are_listed_with_tokens_of_their_own() {
    let mut world = world();
    world.seller_mut("ann").unwrap().malls.push(Mall::new(4, MallType::Local));
    let first = code(&mut world, "us");
    let result = create(&mut world, "us", &first, NOW).unwrap();
    let token = |world: &World, mall_id| world.newest_token("us", mall_id, Purpose::All).unwrap().value.clone();
    assert_eq!(result["accessToken"], token(&world, 2));
    let associated = json!([{ "mallId": 4, "accessToken": token(&world, 4) }]);
    assert_eq!(result["associatedMallTokenList"], associated);

    world.settings.associated_includes_own = true;
    let second = code(&mut world, "us");
    let result = create(&mut world, "us", &second, NOW).unwrap();
    assert_eq!(result["associatedMallTokenList"][0]["mallId"], 2);
    assert_eq!(result["associatedMallTokenList"][1]["mallId"], 4);
}

#[test]
fn the_answer_can_say_whose_token_it_is() {
    let mut world = world();
    world.settings.create_says_whose = true;
    let code = code(&mut world, "us");
    let result = create(&mut world, "us", &code, NOW).unwrap();
    assert_eq!(result["mallId"], 2);
    assert_eq!(result["expiredTime"], NOW + 90 * 86_400);
    assert!(result["accessToken"].is_string());
}

#[test]
fn the_callback_keeps_the_redirect_urls_own_query() {
    let mut world = world();
    let callback = world.authorize("us", "ann", Some("s&t"), NOW).unwrap();
    let keys: Vec<_> = callback.query_pairs().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["tenant", "app_key", "code", "state", "callback_host"]);
    assert!(callback.query_pairs().any(|(key, value)| key == "state" && value == "s&t"));
    assert!(callback.query_pairs().any(|(key, value)| key == "callback_host" && value == "openapi-b-us.temu.com"));

    world.update_app("us", |app| app.callback_host = Some("127.0.0.1:8706".to_owned())).unwrap();
    let here = world.deny("us", None).unwrap();
    assert!(here.query_pairs().any(|(key, value)| key == "callback_host" && value == "127.0.0.1:8706"));

    world.settings.callback_host = Some("evil.example".to_owned());
    let denied = world.deny("eu", Some("s")).unwrap();
    let expected = "http://localhost/callback?tenant=1&app_key=eu&state=s&callback_host=evil.example";
    assert_eq!(denied.as_str(), expected);
}

#[test]
fn what_cannot_be_authorized_is_refused() {
    let mut world = world();
    world.add_app(App::new("new", "new-secret", Region::Us));
    world.add_seller(Seller::new("bob").with_mall(Mall::new(9, MallType::SemiManaged)));
    let mut refuses = |app_key, seller| world.authorize(app_key, seller, None, NOW).unwrap_err();
    assert_eq!(refuses("nobody", "ann"), Refusal::UnknownApp("nobody".to_owned()));
    assert_eq!(refuses("us", "nobody"), Refusal::UnknownSeller("nobody".to_owned()));
    assert_eq!(refuses("new", "ann"), Refusal::NoRedirectUrl("new".to_owned()));
    assert_eq!(refuses("us", "bob"), Refusal::NoLocalMall { seller: "bob".to_owned(), region: Region::Us });
    assert!(world.codes.is_empty(), "what was refused leaves nothing behind");
}

#[test]
fn a_token_replaces_its_like_only() {
    let mut world = world();
    world.add_app(App::new("global", "global-secret", Region::Global));
    let mut issue = |purpose| world.issue("global", 1, purpose, Terms::default(), NOW).unwrap().value.clone();
    let product = issue(Purpose::Product);
    let [first, second] = [issue(Purpose::Order), issue(Purpose::Order)];
    assert!(world.accepts(&product, NOW) && world.accepts(&second, NOW) && !world.accepts(&first, NOW));
}

#[test]
fn tokens_get_what_the_app_has_and_last_as_its_kind_does() {
    let mut world = world();
    let app = App::new("own", "own-secret", Region::Us).with_calls(["bg.order.list.get"]);
    world.add_app(App { self_developed: true, ..app });
    let token = world.issue("own", 2, Purpose::All, Terms::default(), NOW).unwrap();
    assert_eq!(token.permissions, ["bg.open.accesstoken.info.get", "bg.order.list.get"]);
    assert_eq!(token.expires_at, NOW + 365 * 86_400);
    let terms = Terms { permissions: Some(vec!["bg.goods.add".to_owned()]), lifetime: Some(60) };
    let token = world.issue("own", 2, Purpose::All, terms, NOW).unwrap();
    assert_eq!((token.permissions.len(), token.expires_at), (1, NOW + 60));
}

#[test]
fn secrets_are_all_there_dead_or_alive() {
    let mut world = world();
    let code = code(&mut world, "us");
    create(&mut world, "us", &code, NOW).unwrap();
    let first = world.newest_token("us", 2, Purpose::All).unwrap().value.clone();
    let second = world.issue("us", 2, Purpose::All, Terms::default(), NOW).unwrap().value.clone();
    world.update_app("us", |app| app.app_secret = "newer".to_owned()).unwrap();
    let secrets = world.secrets();
    for secret in [&code, &first, &second] {
        assert!(secrets.contains(secret));
    }
    for secret in ["us-secret", "newer", "eu-secret"] {
        assert!(secrets.iter().any(|known| known == secret));
    }
}
