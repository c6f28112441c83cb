//! Where the seller is sent to authorize. There is no `redirect_uri` parameter: the Redirect URL is set on the app,
//! so each app has a callback path of its own.

use url::Url;

use crate::secret::Secret;

/// The link of an app for sellers of the US.
pub const US_LINK: &str = "https://services.us.tiktokshop.com/open/authorize";

/// The link of an app for sellers everywhere else.
pub const GLOBAL_LINK: &str = "https://services.tiktokshop.com/open/authorize";

/// The authorization link with this visit's `state`.
pub fn link(base: &Url, service_id: &str, state: &Secret) -> Url {
    let mut link = base.clone();
    link.query_pairs_mut().append_pair("service_id", service_id).append_pair("state", state.expose());
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_names_the_app_and_the_visit() {
        let base = Url::parse(US_LINK).unwrap();
        assert_eq!(
            link(&base, "7_1", &Secret::new("a-b_c")).as_str(),
            "https://services.us.tiktokshop.com/open/authorize?service_id=7_1&state=a-b_c"
        );
    }
}
