use std::collections::BTreeSet;

use super::*;
use crate::code::Code;

const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn the_contract_is_the_one_that_is_checked_in() {
    let current = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(CHECKED_IN, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(CHECKED_IN).unwrap_or_default();
    assert!(
        checked_in == current,
        "docs/openapi.json is not what the code says. Renew it and look at the difference: \
         UPDATE_OPENAPI=1 cargo test -p token-lookup the_contract"
    );
}

/// The routes as `intake` has them, without whom every route is 404: `get /v1/…`. HEAD is GET without the body.
fn routes() -> BTreeSet<String> {
    let methods = crate::intake::methods().filter(|(_, method)| *method != "HEAD");
    methods.map(|(route, method)| format!("{} {route}", method.to_lowercase())).collect()
}

#[test]
fn every_route_is_in_the_contract_and_no_other() {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    let described: BTreeSet<String> = paths
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}")))
        .collect();
    assert!(described.len() > 5);
    assert_eq!(described, routes());
}

#[test]
fn every_code_has_a_response_with_an_example_except_those_that_belong_to_no_operation() {
    let document = document();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|methods| methods.as_object().unwrap().values());
    let responses = operations.flat_map(|operation| operation["responses"].as_object().unwrap().values());
    let mut described = names(&[Code::RouteNotFound, Code::MethodNotAllowed]);
    for response in responses {
        let examples = response["content"]["application/problem+json"]["examples"].as_object();
        described.extend(examples.into_iter().flat_map(|examples| examples.keys().cloned()));
    }
    assert_eq!(described, names(&Code::ALL));
}

#[test]
fn every_code_is_explained_in_the_catalogue() {
    let catalogue = include_str!("../../../../docs/errors.md");
    let (ours, _) = catalogue.split_once("## Of the webhooks").expect("the codes of token-lookup come first");
    let sections = ours.split("\n### `").skip(1);
    let explained: BTreeSet<String> =
        sections.clone().map(|section| section.split('`').next().unwrap().into()).collect();
    assert_eq!(explained, names(&Code::ALL));
    for section in sections {
        let (code, text) = section.split_once('`').unwrap();
        let code = Code::ALL.into_iter().find(|it| it.as_str() == code).unwrap();
        let problem = code.example();
        assert!(text.starts_with(&format!(": {}, {}\n", problem.status().as_u16(), code.title())), "{code:?}");
        let example = text.split("```json\n").nth(1).and_then(|text| text.split("```").next()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(example).unwrap(), code.example_body(), "{code:?}");
    }
}

fn names(codes: &[Code]) -> BTreeSet<String> {
    codes.iter().map(|code| code.as_str().to_owned()).collect()
}

#[test]
fn what_may_not_be_logged_is_marked() {
    let schemas = document()["components"]["schemas"].clone();
    for (schema, field) in
        [("Token", "access_token"), ("OpenedConnectSession", "connect_url"), ("Confirmation", "result")]
    {
        let field = &schemas[schema]["properties"][field];
        assert_eq!((&field["format"], &field["x-sensitive"]), (&json!("password"), &json!(true)), "{schema}");
    }
}

#[test]
fn a_reason_is_there_with_its_status_only() {
    let token = document()["components"]["schemas"]["Token"].clone();
    let required = token["required"].as_array().unwrap();
    assert!(required.contains(&json!("status")) && !required.contains(&json!("reason")));
    assert_eq!(token["properties"]["status"]["$ref"], "#/components/schemas/Status");
    let condition = &token["allOf"][0];
    assert_eq!(condition["if"]["properties"]["status"]["const"], "reauthorization_required");
    assert_eq!(condition["then"]["required"], json!(["reason"]));
    assert_eq!(condition["else"]["properties"]["reason"], json!(false));
}

#[test]
fn what_is_always_there_and_what_is_never_null() {
    let schemas = document()["components"]["schemas"].clone();
    let connection = &schemas["Connection"];
    assert!(connection["required"].as_array().unwrap().contains(&json!("refreshed_at")), "there, but maybe null");
    assert_eq!(connection["properties"]["refreshed_at"]["type"], json!(["string", "null"]));
    let token = &schemas["Token"];
    assert!(!token["required"].as_array().unwrap().contains(&json!("notice")), "not always there");
    assert_eq!(token["properties"]["notice"]["type"], "string", "but never null");
}
