//! What all answers have in common: their headers, and what API Gateway says in the keyring's place.

use serde_json::{Map, Value, json};

/// What API Gateway answers itself, and when.
const BY_GATEWAY: [(&str, &str, &str); 4] = [
    ("403", "Forbidden", "API Gateway itself refuses a request that is not signed, or not allowed by IAM."),
    ("429", "Too Many Requests", "API Gateway lets no more requests through just now: try again, with back-off."),
    ("500", "Internal Server Error", "The function failed: try again, with back-off."),
    ("503", "Service Unavailable", "API Gateway itself says so when the function does not answer in time."),
];

/// Completes the responses of all operations.
pub(super) fn complete(document: &mut Value) {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let operations = paths.flat_map(|path| path.as_object_mut().into_iter().flat_map(Map::values_mut));
    for operation in operations {
        for (status, message, when) in BY_GATEWAY {
            add_gateway(&mut operation["responses"], status, message, when);
        }
        let is_of_revision = operation["responses"]["200"]["content"]["application/json"]["schema"]
            == json!({"$ref": "#/components/schemas/Connection"});
        for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            add_headers(status, response);
            if is_of_revision && status == "200" {
                response["headers"]["ETag"] = json!({
                    "description": "The revision of the connection: for `If-Match`.",
                    "required": true,
                    "schema": {"type": "string"},
                    "example": "\"1882624000481516\"",
                });
            }
        }
    }
}

fn add_gateway(responses: &mut Value, status: &str, message: &str, when: &str) {
    let response = &mut responses[status];
    let description = response["description"].as_str().map_or_else(String::new, |text| format!("{text} "));
    response["description"] = json!(format!("{description}{when}"));
    response["content"]["application/json"] =
        json!({"schema": {"$ref": "#/components/schemas/GatewayMessage"}, "example": {"message": message}});
}

fn add_headers(status: &str, response: &mut Value) {
    let ours = !["403", "429", "500", "503"].contains(&status);
    let mut request_id = json!({
        "description": "The id of the request, which the logs have too.",
        "schema": {"type": "string"},
        "example": "VKJz2iLwIAMEZ0w=",
    });
    if ours {
        request_id["required"] = json!(true);
    }
    let mut headers = json!({"x-request-id": request_id});
    if status == "503" {
        headers["Retry-After"] = json!({
            "description": "Seconds until another try can help.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 3_600},
            "example": 90,
        });
    }
    response["headers"] = headers;
}
