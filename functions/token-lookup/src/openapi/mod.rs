//! The contract, `GET /v1/openapi.json`: `OpenAPI` 3.1, generated from the types that leave by the routes and the attributes
//! at the handlers. It is checked in as docs/openapi.json; a test holds the two against each other.
//!
//! Where `utoipa` cannot say what is true, [`shape`] mends the schemas and [`answers`] adds what all answers have in
//! common.

mod answers;
pub(crate) mod examples;
pub(crate) mod parameters;
pub(crate) mod problems;
mod shape;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::{
    body::Bytes,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::{
    connections, listing,
    openapi::problems::{OfAny, Refused},
    sessions, token,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Shop Keyring",
        description = "Every seller's marketplace token, always fresh, one call away.\n\n\
            Requests are signed with SigV4 for the service `execute-api`. Times are RFC 3339 in UTC. Nothing may be cached \
            on the way. Paths are written in one form only: letters, digits, `-`, `_`, `.` between single slashes, \
            nothing escaped. Answers may get further fields, and enums further \
            values (codes, reasons, statuses): let your client take what it does not know. Requests with unknown fields are \
            refused. HEAD works where GET answers metadata; OPTIONS answers 204 with `Allow`. An unknown route is 404 \
            `route_not_found`, a method that its route does not take 405 `method_not_allowed` with `Allow`. Every error is \
            `application/problem+json` (RFC 9457) with a stable `code`; docs/errors.md says for each what to do.",
    ),
    servers((
        url = "https://{api_id}.execute-api.{region}.amazonaws.com",
        description = "The installation's HTTP API, or its custom domain name.",
        variables(
            ("api_id" = (default = "a1b2c3d4e5", description = "The id of the HTTP API.")),
            ("region" = (default = "us-east-1", description = "The AWS Region of the installation.")),
        )
    )),
    tags(
        (name = "Tokens", description = "Tokens that work."),
        (name = "Connections", description = "Metadata and health of connections; whose they are; their end."),
        (name = "Connect sessions", description = "How sellers connect their stores."),
        (name = "Contract", description = "This document."),
    ),
    security(("sigv4" = [])),
    paths(
        token::by_connection,
        token::by_shop,
        token::refresh,
        listing::list,
        connections::get,
        connections::patch,
        connections::delete,
        sessions::open::open,
        sessions::view::get,
        sessions::confirm::confirm,
        get,
    ),
    components(schemas(problems::ProblemBody, problems::GatewayMessage)),
)]
struct Contract;

/// The whole document.
fn document() -> Value {
    let mut document = json!(Contract::openapi());
    shape::mend(&mut document);
    answers::complete(&mut document);
    shape::drop_unused(&mut document);
    document["components"]["securitySchemes"] = json!({
        "sigv4": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "description": "AWS Signature Version 4 for the service `execute-api`, authorized by IAM.",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
    });
    document
}

/// `GET /v1/openapi.json`. Built when it is first asked for.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "getContract",
    tag = "Contract",
    summary = "Get this document",
    description = "The contract of this very release, as OpenAPI 3.1.",
    responses((status = 200, description = "The contract.", body = Object), Refused<OfAny>)
)]
pub(crate) async fn get() -> Response {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], TEXT.clone()).into_response()
}
