//! Where a local seller is sent to authorize by code, and what the way back may name.

use url::Url;

use super::router::RouterAddress;
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

/// Whether the authorization response names the host of one of this app's own routers: Temu's own name for it, or the
/// address in the registry, which may be a proxy. The code is exchanged at the latter and nowhere else, so a
/// `callback_host` is only ever compared, never called.
pub fn is_own_host(routers: &[RouterAddress], callback_host: &str) -> bool {
    routers.iter().any(|RouterAddress { router, url }| {
        let address = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        [router.host(), &address].iter().any(|own| !own.is_empty() && own.eq_ignore_ascii_case(callback_host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marketplace::temu::Router;

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
        let at = |url: &str| [RouterAddress { router: Router::Us, url: Url::parse(url).unwrap() }];
        let router = at("https://openapi-b-us.temu.com");
        assert!(is_own_host(&router, "openapi-b-us.temu.com"));
        assert!(is_own_host(&router, "OpenAPI-B-US.temu.com"));
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
            assert!(!is_own_host(&router, foreign), "{foreign}");
        }
        let local = at("http://127.0.0.1:8123");
        assert!(is_own_host(&local, "127.0.0.1:8123") && !is_own_host(&local, "127.0.0.1"));
        assert!(is_own_host(&local, "openapi-b-us.temu.com"), "behind a proxy");
    }
}
