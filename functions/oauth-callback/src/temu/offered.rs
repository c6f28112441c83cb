//! Which of the vendor's apps a kind of seller gives a token for: pure.

use std::sync::Arc;

use serde::Deserialize;
use shop_keyring::{
    connect_session::ConnectSession,
    connection::Purpose,
    names::{AppKeyPath, MarketplaceName},
    registry::{AppConfig, Registry},
};

/// A kind of seller at Temu, as the page asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SellerKind {
    /// Sells in one country: one token for everything.
    Local,
    /// Cross-border, semi-managed (半托管): a product token, and an order token for each region.
    SemiManaged,
    /// Cross-border, fully managed (全托管): a product token, and a compliance token if the seller likes.
    FullyManaged,
}

impl SellerKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Local, Self::SemiManaged, Self::FullyManaged];

    /// As it stands in addresses and forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::SemiManaged => "semi-managed",
            Self::FullyManaged => "fully-managed",
        }
    }

    /// What sellers of this kind give a token of an app for; none where they have no token for it.
    fn purpose(self, app: &AppConfig) -> Option<Purpose> {
        let purposes = app.purposes();
        match self {
            Self::Local => purposes.contains(&Purpose::Order).then_some(Purpose::All),
            // Where one token serves orders and compliance, orders are what this seller looks for.
            Self::SemiManaged => purposes.first().copied(),
            Self::FullyManaged => purposes.iter().copied().find(|purpose| *purpose != Purpose::Order),
        }
    }
}

/// An app that the page has a field for.
#[derive(Debug, Clone)]
pub struct Offered {
    /// Which app.
    pub path: AppKeyPath,
    /// What the registry says about it.
    pub config: Arc<AppConfig>,
    /// What the seller gives its token for.
    pub purpose: Purpose,
}

/// The apps that a session offers to this kind of seller, in the page's order: product, orders, compliance.
pub fn offered(registry: &Registry, session: &ConnectSession, kind: SellerKind) -> Vec<Offered> {
    let at_temu = registry.offered(session).filter(|(path, _)| path.marketplace == MarketplaceName::Temu);
    let mut offered: Vec<_> = at_temu
        .filter_map(|(path, config)| {
            Some(Offered { path: path.clone(), config: Arc::clone(config), purpose: kind.purpose(config)? })
        })
        .collect();
    offered.sort_by_key(|it| (it.purpose, it.config.gateway()));
    offered
}

/// The kinds of seller that a session is for. Two kinds that would see the same fields are one.
pub(super) fn kinds(registry: &Registry, session: &ConnectSession) -> Vec<SellerKind> {
    let fields =
        |kind| -> Vec<_> { offered(registry, session, kind).into_iter().map(|it| (it.path, it.purpose)).collect() };
    let mut kinds: Vec<_> = SellerKind::ALL.into_iter().filter(|kind| !fields(*kind).is_empty()).collect();
    kinds.dedup_by_key(|kind| fields(*kind));
    kinds
}

#[cfg(test)]
pub(super) mod tests {
    use shop_keyring::time::Timestamp;

    use super::*;

    pub(in super::super) fn session(apps: Option<&[&str]>) -> ConnectSession {
        ConnectSession {
            id: "id".into(),
            account_id: "acme-1".parse().unwrap(),
            account_label: Some("Nina’s shops".into()),
            return_url: None,
            reference: None,
            apps: apps.map(|apps| apps.iter().map(|app| app.parse().unwrap()).collect()),
            reconnect: None,
            confirm: true,
            created_at: Timestamp(0),
            expires_at: Timestamp::local_now().plus(3_600),
            visits: Vec::new(),
            pasted: 0,
        }
    }

    fn registry() -> Registry {
        Registry::parse(
            r#"{"temu/us":{"name":"A","gateway":"us"},"temu/eu":{"name":"A","gateway":"eu"},
                "temu/global":{"name":"A","gateway":"global"},"temu/product":{"name":"A","gateway":"cn-pa"},
                "temu/papers":{"name":"A","gateway":"global","purposes":["compliance"]},
                "temu/hidden":{"name":"A","gateway":"us","listed":false},
                "tiktok-shop/us":{"name":"A","market":"us"}}"#,
        )
        .unwrap()
    }

    fn of(kind: SellerKind, apps: Option<&[&str]>) -> Vec<String> {
        let offered = offered(&registry(), &session(apps), kind);
        offered.iter().map(|it| format!("{} {}", it.path.app, it.purpose.as_str())).collect()
    }

    #[test]
    fn each_kind_of_seller_has_its_own_tokens() {
        assert_eq!(of(SellerKind::Local, None), ["us all", "eu all", "global all"]);
        let semi = ["product product", "us order", "eu order", "global order", "papers compliance"];
        assert_eq!(of(SellerKind::SemiManaged, None), semi);
        let fully = ["product product", "global compliance", "papers compliance"];
        assert_eq!(of(SellerKind::FullyManaged, None), fully);
    }

    #[test]
    fn a_session_offers_what_it_names_and_otherwise_what_is_listed() {
        assert_eq!(of(SellerKind::Local, Some(&["temu/hidden", "tiktok-shop/us"])), ["hidden all"]);
        assert!(of(SellerKind::Local, Some(&["temu/gone"])).is_empty());
    }

    #[test]
    fn no_seller_is_asked_what_makes_no_difference() {
        let of = |apps: &[&str]| kinds(&registry(), &session(Some(apps)));
        assert_eq!(of(&["temu/us", "temu/product"]), SellerKind::ALL);
        assert_eq!(of(&["temu/us"]), [SellerKind::Local, SellerKind::SemiManaged]);
        assert_eq!(of(&["temu/product"]), [SellerKind::SemiManaged], "fully managed sellers get it the same way");
        assert!(of(&["tiktok-shop/us"]).is_empty());
    }
}
