//! Where a local seller is sent to authorize by code, and what the way back may name.

use url::Url;

use super::routers_of;
use crate::secret::Secret;

/// The consent page of local sellers.
pub const LOCAL_LINK: &str = "https://seller.temu.com/open-platform/client-manage/authorization";

/// The same at the European seller centre.
pub const EU_LINK: &str = "https://seller-eu.temu.com/open-platform/client-manage/authorization";

/// The consent page with this visit's `state`. Unlike TikTok Shop's it is told where to come back to.
pub fn link(base: &Url, app_key: &str, redirect_uri: &Url, state: &Secret) -> Url {
    let mut link = base.clone();
    link.query_pairs_mut()
        .append_pair("appKey", app_key)
        .append_pair("redirect_uri", redirect_uri.as_str())
        .append_pair("state", state.expose());
    link
}

/// Whether the way back names the host of this app's own router: as Temu calls it, or as the configuration does, which
/// may put a proxy before it. The code is exchanged at the latter and nowhere else, so a `callback_host` is only ever
/// compared, never called.
pub fn is_own_host(app: &str, router: &Url, callback_host: &str) -> bool {
    if routers_of(app).iter().any(|router| router.host().eq_ignore_ascii_case(callback_host)) {
        return true;
    }
    let own = match (router.host_str(), router.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return false,
    };
    own.eq_ignore_ascii_case(callback_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_names_the_app_the_way_back_and_the_visit() {
        let redirect = Url::parse("https://connect.example/callback/temu/us").unwrap();
        assert_eq!(
            link(&Url::parse(LOCAL_LINK).unwrap(), "4f", &redirect, &Secret::new("a-b_c")).as_str(),
            "https://seller.temu.com/open-platform/client-manage/authorization?appKey=4f\
             &redirect_uri=https%3A%2F%2Fconnect.example%2Fcallback%2Ftemu%2Fus&state=a-b_c"
        );
    }

    #[test]
    fn only_the_apps_own_router_is_its_host() {
        let router = Url::parse("https://openapi-b-us.temu.com").unwrap();
        assert!(is_own_host("us", &router, "openapi-b-us.temu.com"));
        assert!(is_own_host("us", &router, "OpenAPI-B-US.temu.com"));
        for foreign in [
            "",
            "openapi-b-eu.temu.com",
            "evil.example",
            "openapi-b-us.temu.com.evil.example",
            "openapi-b-us.temu.com:444",
            "openapi-b-us.temu.com/",
            "https://openapi-b-us.temu.com",
            "x@openapi-b-us.temu.com",
        ] {
            assert!(!is_own_host("us", &router, foreign), "{foreign}");
        }
        let local = Url::parse("http://127.0.0.1:8123").unwrap();
        assert!(is_own_host("us", &local, "127.0.0.1:8123") && !is_own_host("us", &local, "127.0.0.1"));
        assert!(is_own_host("us", &local, "openapi-b-us.temu.com"), "behind a proxy");
    }
}
