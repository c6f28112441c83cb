//! Functions behind a Lambda API of a few lines.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clients;

/// The endpoint's URL.
pub(crate) async fn start() -> String {
    let listener = TcpListener::bind(clients::loopback()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/2015-03-31/functions/{name}/invocations", post(invoke));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn invoke(Path(function): Path<String>, Json(event): Json<Value>) -> Response {
    match function.as_str() {
        "echo" => Json(json!({
            "statusCode": 200,
            "headers": { "content-type": "application/json" },
            "body": event.to_string(),
        }))
        .into_response(),
        "answers" => Json(answer(event["pathParameters"]["name"].as_str().unwrap())).into_response(),
        "failing" => {
            let error = Json(json!({ "errorType": "Panic", "errorMessage": "hush" }));
            ([("x-amz-function-error", "Unhandled")], error).into_response()
        }
        "slow" => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            StatusCode::OK.into_response()
        }
        _ => StatusCode::TOO_MANY_REQUESTS.into_response(),
    }
}

fn answer(name: &str) -> Value {
    match name {
        "whole" => json!({
            "statusCode": 303,
            "headers": { "location": "/done", "x-number": 7, "content-length": "999" },
            "multiValueHeaders": {},
            "cookies": ["a=1; HttpOnly", "b=2"],
            "isBase64Encoded": false,
            "body": null,
        }),
        "binary" => json!({
            "statusCode": 200,
            "headers": { "content-type": "image/png" },
            "isBase64Encoded": true,
            "body": "AJ+Slg==",
        }),
        "text" => json!({ "statusCode": 404, "body": "no" }),
        "bare" => json!({ "hello": "world" }),
        _ => json!({ "statusCode": "two hundred" }),
    }
}
