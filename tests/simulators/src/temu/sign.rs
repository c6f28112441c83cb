use std::borrow::Cow;

use md5::{Digest, Md5};

use super::ordered_json::Ordered;

/// The signature that a request ought to carry: its outermost members, sorted by key, wrapped in
/// the secret on both sides.
pub(super) fn sign(secret: &str, members: &[(String, Ordered)]) -> String {
    let mut sorted: Vec<_> = members.iter().filter(|(key, _)| key != "sign").collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));

    let mut hash = Md5::new();
    hash.update(secret);
    for (key, value) in sorted {
        hash.update(key);
        hash.update(text(value).as_bytes());
    }
    hash.update(secret);
    hex::encode_upper(hash.finalize())
}

/// Texts go in bare, everything else as compact JSON in the order sent.
fn text(value: &Ordered) -> Cow<'_, str> {
    match value {
        Ordered::Text(text) => text.into(),
        // Keys are strings and numbers are finite, so that it cannot fail.
        other => serde_json::to_string(other).unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(json: &str) -> Vec<(String, Ordered)> {
        match serde_json::from_str(json).unwrap() {
            Ordered::Object(members) => members,
            other => panic!("no object: {other:?}"),
        }
    }

    #[test]
    fn keys_are_sorted() {
        assert_eq!(sign("s", &members(r#"{"zebra": 1, "apple": 2}"#)), "35600EDD53615FA773EE86B752F7148F");
    }

    #[test]
    fn the_platforms_own_sample() {
        let request = r#"{
            "type": "bg.logistics.shipment.confirm",
            "app_key": "f9d5cc9313893a20d5aa85c654e8f503",
            "access_token": "2nifvmpyymvypwmcms5ct4uqqudrwgpmzbcnmkt1jzjkuaf3x56iixym",
            "timestamp": 1711009072,
            "data_type": "JSON",
            "sendType": 0,
            "sign": "left out",
            "sendRequestList": [{
                "orderSendInfoList": [{
                    "quantity": 1,
                    "orderSn": "211-21905473070712792",
                    "parentOrderSn": "PO-211-21905452099192792",
                    "goodsId": 601099548666279,
                    "skuId": 17592352673534
                }],
                "carrierId": "699272611",
                "trackingNumber": "270324232756"
            }]
        }"#;
        let signed = sign("c7e0a1a63542be4de3cb5488f9fba8149e8fc290", &members(request));
        assert_eq!(signed, "4CCF219942D4180C6DDA3CE36C1B838F");
    }

    #[test]
    fn truth_is_a_word_and_nested_order_counts() {
        assert_eq!(sign("s", &members(r#"{"a": true}"#)), sign("s", &members(r#"{"a": "true"}"#)));
        let nested = sign("s", &members(r#"{"a": {"y": 1, "x": 2}}"#));
        assert_eq!(nested, sign("s", &members(r#"{"a": "{\"y\":1,\"x\":2}"}"#)));
        assert_ne!(nested, sign("s", &members(r#"{"a": {"x": 2, "y": 1}}"#)));
    }
}
