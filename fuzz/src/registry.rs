//! The registry of apps, as an operator may have written it by hand.

use shop_keyring::{
    connection::Purpose,
    names::MarketplaceName,
    registry::{AppConfig, Registration, Registry},
};

use crate::{configuration::check_url, names::check_segment};

/// Each wrong entry is one line that names it; what is accepted is safe to send secrets to.
pub fn registry(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let Ok(registry) = Registry::parse(text) else { return };
    for line in registry.problems() {
        assert!(line.contains(": ") && !line.contains(char::is_control), "{line:?}");
    }
    for (path, app) in registry.iter() {
        check_segment(path.app.as_str());
        let AppConfig { name, label, users, registration, link_url, token_url, api, permissions, .. } = app;
        assert!(!name.trim().is_empty() && !users.is_empty());
        assert!(label.as_ref().is_none_or(|label| !label.trim().is_empty()));
        let routers = api.routers.iter().map(|at| &at.url);
        link_url.iter().chain([token_url, &api.base_url]).chain(routers).for_each(check_url);
        assert!(token_url.path() == "/" && api.base_url.path() == "/");
        assert!(permissions.iter().all(|permission| !permission.calls.is_empty()));
        match registration {
            Registration::TikTokShop { .. } => {
                assert!(
                    path.marketplace == MarketplaceName::TikTokShop && link_url.is_some() && permissions.is_empty()
                );
            }
            Registration::Temu { purposes, .. } => {
                assert!(path.marketplace == MarketplaceName::Temu && !api.routers.is_empty());
                assert!(!purposes.is_empty() && !purposes.contains(&Purpose::All));
            }
        }
    }
}
