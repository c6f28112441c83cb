//! The router's request signature: MD5 over the outermost parameters, sorted, wrapped in the app secret.

use md5::{Digest, Md5};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Signs a request: upper-case hex. Strings count raw, anything else as the compact JSON that is sent; `sign` itself
/// does not count.
pub fn sign(app_secret: &Secret, parameters: &Map<String, Value>) -> String {
    let mut sorted: Vec<_> = parameters.iter().filter(|(key, _)| *key != "sign").collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    let secret = app_secret.expose();
    let mut text = Zeroizing::new(String::from(secret));
    for (key, value) in sorted {
        text.push_str(key);
        match value {
            Value::String(value) => text.push_str(value),
            other => text.push_str(&other.to_string()),
        }
    }
    text.push_str(secret);
    hex::encode_upper(Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signed(secret: &str, parameters: &Value) -> String {
        sign(&Secret::new(secret), parameters.as_object().unwrap())
    }

    #[test]
    fn published_vectors() {
        assert_eq!(signed("s", &json!({"zebra": 1, "apple": 2})), "35600EDD53615FA773EE86B752F7148F");
        let parameters = json!({
            "access_token": "2nifvmpyymvypwmcms5ct4uqqudrwgpmzbcnmkt1jzjkuaf3x56iixym",
            "app_key": "f9d5cc9313893a20d5aa85c654e8f503",
            "data_type": "JSON",
            "sendType": 0,
            "timestamp": 1_711_009_072,
            "type": "bg.logistics.shipment.confirm",
        });
        let mut parameters = parameters.as_object().unwrap().clone();
        // As the platform's sample has it; a JSON object here would be sorted by key and spell another text.
        parameters.insert(
            "sendRequestList".into(),
            concat!(
                r#"[{"orderSendInfoList":[{"quantity":1,"orderSn":"211-21905473070712792","#,
                r#""parentOrderSn":"PO-211-21905452099192792","goodsId":601099548666279,"skuId":17592352673534}],"#,
                r#""carrierId":"699272611","trackingNumber":"270324232756"}]"#
            )
            .into(),
        );
        let secret = Secret::new("c7e0a1a63542be4de3cb5488f9fba8149e8fc290");
        assert_eq!(sign(&secret, &parameters), "4CCF219942D4180C6DDA3CE36C1B838F");
    }

    #[test]
    fn the_sign_does_not_count_and_every_value_does() {
        let plain = signed("s", &json!({"a": "x", "b": true}));
        assert_eq!(plain, signed("s", &json!({"b": true, "sign": "y", "a": "x"})));
        assert_ne!(plain, signed("s", &json!({"a": "x", "b": false})));
        assert_ne!(plain, signed("t", &json!({"a": "x", "b": true})));
        assert_eq!(signed("s", &json!({"a": {"z": [1, "two"]}})), signed("s", &json!({"a": r#"{"z":[1,"two"]}"#})));
    }
}
