//! TikTok Shop's webhooks: what a notice's signature and its body mean. Pure.
//!
//! The platform posts JSON, signed in the header `Authorization` with the lower-case hex of
//! HMAC-SHA256(app secret, app key + raw body), repeats it after 2 minutes, 30 minutes, 3 hours and 12 hours unless it is
//! answered with 200 within 3 seconds, and keeps its `tts_notification_id` over all repetitions.

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use crate::{
    apps::App,
    connection::{
        end::AuthorizationEnd,
        notice::{Notice, Subject},
    },
    marketplace::{
        expiry::{Expiry, lenient_expiry, lenient_time},
        lenient::{lenient, lenient_id, object},
    },
    names::{SellerId, ShopId},
    time::Timestamp,
};

/// The kinds of notice that concern a seller's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The seller took the authorization of a shop away.
    Deauthorized,
    /// The authorization of a shop ends within thirty days; sent daily.
    EndsSoon,
    /// Any other, such as a creator who took an authorization away (20, `CREATOR_DEAUTHORIZATION`).
    Other,
}

impl Kind {
    /// By its number, which may stand as text, or by the name of its event. Clients know the second one by two names.
    fn read(value: &Value) -> Option<Self> {
        let text = value.as_str().map(str::trim);
        match (value.as_i64().or_else(|| text?.parse().ok()), text) {
            (Some(6), _) | (_, Some("SELLER_DEAUTHORIZATION")) => Some(Self::Deauthorized),
            (Some(7), _) | (_, Some("UPCOMING_AUTHORIZATION_EXPIRATION" | "AUTH_EXPIRE")) => Some(Self::EndsSoon),
            (None, None | Some("")) => None,
            _ => Some(Self::Other),
        }
    }
}

/// Whether the app's secret, or the one before it, signed this raw body. Compares in constant time.
pub fn is_signed(app: &App, authorization: &[u8], body: &[u8]) -> bool {
    let Ok(claimed) = hex::decode(authorization) else { return false };
    [Some(&app.app_secret), app.previous_app_secret.as_ref()].into_iter().flatten().any(|secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
        mac.update(app.app_key.as_bytes());
        mac.update(body);
        mac.verify_slice(&claimed).is_ok()
    })
}

/// What a signed body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The same on every repetition.
    pub notification_id: Option<String>,
    /// What it is about; `None` for a kind that concerns nobody here.
    pub about: Option<About>,
}

/// A notice about one shop or seller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Whom it names.
    pub subject: Subject,
    /// What it says.
    pub notice: Notice,
    /// When the platform sent it first, by its own clock.
    pub sent_at: Timestamp,
}

/// A body that is not what the platform sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the webhook's body is not in the known form: {0}")]
pub struct Malformed(&'static str);

#[derive(Deserialize)]
struct Body {
    r#type: Value,
    #[serde(default, deserialize_with = "lenient")]
    tts_notification_id: Option<String>,
    #[serde(default, deserialize_with = "lenient_id")]
    shop_id: Option<ShopId>,
    #[serde(default, deserialize_with = "lenient_id")]
    seller_open_id: Option<SellerId>,
    #[serde(default, deserialize_with = "lenient_time")]
    timestamp: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient")]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    /// Unix seconds as a string.
    #[serde(default, deserialize_with = "lenient_expiry")]
    expiration_time: Option<Expiry>,
}

/// Reads a body whose signature is right.
///
/// # Errors
/// [`Malformed`], for a notice that would have concerned us.
pub fn read(body: &[u8]) -> Result<Webhook, Malformed> {
    let body: Body = object(body).ok_or(Malformed("no JSON object with a `type`"))?;
    let kind = Kind::read(&body.r#type).ok_or(Malformed("`type`"))?;
    let sent_at = body.timestamp.ok_or(Malformed("`timestamp`"));
    let notice = match kind {
        Kind::Deauthorized => Some(Notice::Deauthorized),
        Kind::EndsSoon => {
            let expiry = body.data.and_then(|data| data.expiration_time).ok_or(Malformed("`data.expiration_time`"))?;
            match expiry.of_authorization(sent_at?) {
                AuthorizationEnd::At(ends_at) => Some(Notice::EndsSoon { ends_at }),
                AuthorizationEnd::Never | AuthorizationEnd::Missing | AuthorizationEnd::Unsaid => None,
            }
        }
        Kind::Other => None,
    };
    let about = notice.map(|notice| {
        let subject = body.shop_id.map(Subject::Shop).or(body.seller_open_id.map(Subject::Seller));
        let subject = subject.ok_or(Malformed("`shop_id` or `seller_open_id`"))?;
        Ok(About { subject, notice, sent_at: sent_at? })
    });
    Ok(Webhook { notification_id: body.tts_notification_id.filter(|id| !id.is_empty()), about: about.transpose()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{registry::Registry, secret::Secret};

    fn app(previous: Option<&str>) -> App {
        let path = "tiktok-shop/us".parse().unwrap();
        let registry = Registry::parse(r#"{"tiktok-shop/us":{"name":"Acme","market":"us"}}"#).unwrap();
        App {
            config: registry.get(&path).unwrap().clone(),
            path,
            app_key: "29a39d".into(),
            app_secret: Secret::new("e59af819cc"),
            previous_app_secret: previous.map(Secret::new),
            service_id: None,
        }
    }

    const BODY: &[u8] = br#"{"type":6,"tts_notification_id":"7327112393057371910","shop_id":"7494049642642441621","timestamp":1644412885,"data":{"message":"gone"}}"#;
    /// By another implementation: `printf '%s' "29a39d$BODY" | openssl dgst -sha256 -hmac SECRET`.
    const SIGNED: &[u8] = b"1ef2acc8a977d23d5fd9ce08b0da6407d1cacaaa774b0ae0ac89c315d7bdc630";
    const SIGNED_BY_PREVIOUS: &[u8] = b"b51845dd8e5d1c590e5ab81ef24bae985ea5d00b2111a2d5162b51628347a02a";

    #[test]
    fn the_present_and_the_previous_secret_count_and_no_other() {
        assert!(is_signed(&app(None), SIGNED, BODY));
        assert!(is_signed(&app(Some("older")), SIGNED, BODY));
        assert!(is_signed(&app(Some("older")), SIGNED_BY_PREVIOUS, BODY));
        assert!(!is_signed(&app(None), SIGNED_BY_PREVIOUS, BODY));
        assert!(!is_signed(&App { app_key: "other".into(), ..app(None) }, SIGNED, BODY));
        for wrong in [&b""[..], b"Bearer x", &SIGNED[..62], b"zz", &[b'0'; 64]] {
            assert!(!is_signed(&app(None), wrong, BODY));
        }
    }

    proptest! {
        #[test]
        fn one_changed_byte_is_noticed(at in 0..BODY.len(), other in any::<u8>()) {
            let mut body = BODY.to_vec();
            prop_assume!(body[at] != other);
            body[at] = other;
            prop_assert!(!is_signed(&app(None), SIGNED, &body));
        }

        #[test]
        fn nothing_that_is_signed_can_do_more_than_be_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }
    }

    #[test]
    fn both_kinds_are_read() {
        let read = |text: &str| read(text.as_bytes()).unwrap();
        let deauthorized = super::read(BODY).unwrap();
        assert_eq!(deauthorized.notification_id.as_deref(), Some("7327112393057371910"));
        let about = deauthorized.about.unwrap();
        let shop = Subject::Shop("7494049642642441621".parse().unwrap());
        assert_eq!((about.subject, about.notice), (shop, Notice::Deauthorized));
        assert_eq!(about.sent_at, Timestamp(1_644_412_885));
        let soon = r#"{"type":7,"tts_notification_id":"n","shop_id":"s","timestamp":1690000000,"data":{"expiration_time":"1700000000"}}"#;
        assert_eq!(read(soon).about.unwrap().notice, Notice::EndsSoon { ends_at: Timestamp(1_700_000_000) });
        let never = soon.replace("1700000000", "4807000000");
        assert_eq!(read(&never).about, None, "an end in the year 2122 is none");
    }

    #[test]
    fn ids_and_kinds_are_read_as_numbers_and_as_text() {
        let about = |text: &str| read(text.as_bytes()).unwrap().about.map(|about| (about.subject, about.notice));
        let shop = || Subject::Shop("7494049642642441621".parse().unwrap());
        for (kind, id, at) in [
            ("6", "\"7494049642642441621\"", "1644412885"),
            ("\"6\"", "7494049642642441621", "\"1644412885\""),
            ("\"SELLER_DEAUTHORIZATION\"", "7494049642642441621", "1644412885000"),
        ] {
            let body = format!(r#"{{"type":{kind},"shop_id":{id},"timestamp":{at}}}"#);
            assert_eq!(about(&body), Some((shop(), Notice::Deauthorized)), "{body}");
        }
        for kind in ["\"UPCOMING_AUTHORIZATION_EXPIRATION\"", "\"AUTH_EXPIRE\"", "\"7\""] {
            let body = format!(
                r#"{{"type":{kind},"seller_open_id":"s-1","timestamp":1690000000,"data":{{"expiration_time":1700000000}}}}"#
            );
            let seller = Subject::Seller("s-1".parse().unwrap());
            assert_eq!(about(&body), Some((seller, Notice::EndsSoon { ends_at: Timestamp(1_700_000_000) })), "{body}");
        }
        for other in ["20", "\"20\"", "\"CREATOR_DEAUTHORIZATION\"", "\"ORDER_STATUS_CHANGE\"", "1"] {
            let body = format!(r#"{{"type":{other},"creator_open_id":"c-1","timestamp":1690000000}}"#);
            assert_eq!(about(&body), None, "{body}");
        }
    }

    #[test]
    fn the_published_vector() {
        let app = App { app_key: "abcdef".into(), app_secret: Secret::new("123"), ..app(None) };
        let body = br#"{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,"data":{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}"#;
        assert!(is_signed(&app, b"5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05", body));
    }

    #[test]
    fn other_kinds_concern_nobody_whatever_they_hold() {
        for other in [r#"{"type":1}"#, r#"{"type":5,"shop_id":7,"data":[],"tts_notification_id":""}"#] {
            assert_eq!(read(other.as_bytes()), Ok(Webhook { notification_id: None, about: None }), "{other}");
        }
    }

    #[test]
    fn what_cannot_be_acted_on_is_malformed() {
        for (body, what) in [
            ("", "type"),
            ("[]", "type"),
            (r#"[6,"n","s",5]"#, "type"),
            (r#"{"type":""}"#, "type"),
            (r#"{"type":null}"#, "type"),
            (r#"{"type":6,"timestamp":5}"#, "shop_id"),
            (r#"{"type":6,"timestamp":5,"shop_id":"a/b"}"#, "shop_id"),
            (r#"{"type":6,"shop_id":"s"}"#, "timestamp"),
            (r#"{"type":7,"shop_id":"s","timestamp":5}"#, "expiration_time"),
            (r#"{"type":7,"shop_id":"s","timestamp":5,"data":{"expiration_time":"soon"}}"#, "expiration_time"),
        ] {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(what), "{body}: {error}");
        }
    }
}
