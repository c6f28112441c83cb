//! Where the seller is sent to authorize. There is no `redirect_uri` parameter: the Redirect URL is set on the app,
//! so each app has a callback path of its own.
//!
//! An older form of the link is still in use: `https://auth.tiktok-shops.com/oauth/authorize`, which names the app by its
//! key.

use url::Url;

use crate::secret::Secret;

/// The link of an app for sellers of the US.
pub const US_LINK: &str = "https://services.us.tiktokshop.com/open/authorize";

/// The link of an app for sellers everywhere else.
pub const GLOBAL_LINK: &str = "https://services.tiktokshop.com/open/authorize";

/// The path of the links that name the app by its `app_key`.
const BY_APP_KEY: &str = "/oauth/authorize";

/// An app without the `service_id` that its authorization link needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authorization link needs the app's `service_id`")]
pub struct NoServiceId;

/// The authorization link with this visit's `state`. `base` tells the form of the link.
///
/// # Errors
/// [`NoServiceId`] if the link needs one.
pub fn link(base: &Url, app_key: &str, service_id: Option<&str>, state: &Secret) -> Result<Url, NoServiceId> {
    let (name, value) = if base.path().trim_end_matches('/') == BY_APP_KEY {
        ("app_key", app_key)
    } else {
        ("service_id", service_id.ok_or(NoServiceId)?)
    };
    let mut link = base.clone();
    link.query_pairs_mut().append_pair(name, value).append_pair("state", state.expose());
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_names_the_app_and_the_visit() {
        let link = |base, service_id| link(&Url::parse(base).unwrap(), "6b7c", service_id, &Secret::new("a-b_c"));
        assert_eq!(
            link(US_LINK, Some("7_1")).unwrap().as_str(),
            "https://services.us.tiktokshop.com/open/authorize?service_id=7_1&state=a-b_c"
        );
        assert_eq!(link(US_LINK, None), Err(NoServiceId));
        let older = "https://auth.tiktok-shops.com/oauth/authorize";
        for service_id in [None, Some("7_1")] {
            assert_eq!(link(older, service_id).unwrap().as_str(), format!("{older}?app_key=6b7c&state=a-b_c"));
        }
    }
}
