//! What a pasted token is: Temu is asked at the router of the field's own app, and if it does not know the token there,
//! at those of the other apps, so that a mix-up can be named.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use shop_keyring::{
    apps::App,
    connection::Purpose,
    marketplace::temu::{
        PRODUCT_APP,
        answer::{CallError, Rejection},
        permissions::{Missing, missing},
        token::{MallType, Token},
    },
    names::{AppKeyPath, MarketplaceName, SellerId},
    secret::Secret,
};

use super::{form::Field, mistake::Mistake, pasted::clean};
use crate::router::Keyring;

/// How long Temu may take for one field: with the storing after it, inside API Gateway's 30 seconds.
const PATIENCE: Duration = Duration::from_secs(14);

/// A token that may be connected.
#[derive(Debug)]
pub(super) struct Good {
    pub(super) app: Arc<App>,
    pub(super) access_token: Secret,
    pub(super) token: Token,
    other_store: Option<String>,
}

impl Good {
    /// Holds the token against the store that the others belong to; the first one says which that is.
    pub(super) fn of_one_store(self, store: &mut Option<SellerId>) -> Result<Self, Mistake> {
        let mall = &self.token.mall;
        let agreed = self.other_store.as_deref() == Some(mall.as_str());
        if store.get_or_insert_with(|| mall.clone()) == mall || agreed {
            Ok(self)
        } else {
            Err(Mistake::OtherStore { mall: mall.to_string(), name: self.token.mall_name })
        }
    }
}

/// Checks all fields at a time; answers in their order.
pub(super) async fn all(keyring: &Keyring, fields: Vec<Field>) -> Vec<(AppKeyPath, Result<Good, Mistake>)> {
    join_all(fields.into_iter().map(async |field| {
        let path = field.path.clone();
        let checked = tokio::time::timeout(PATIENCE, one(keyring, field)).await;
        (path, checked.unwrap_or(Err(Mistake::TemuUnavailable)))
    }))
    .await
}

async fn one(keyring: &Keyring, field: Field) -> Result<Good, Mistake> {
    let access_token = clean(&field.pasted)?;
    let app = keyring.protocol.apps.get(&field.path).await.map_err(|error| {
        tracing::error!(alarm = "configuration_fault", app = %field.path, %error, "the app's credentials cannot be had");
        Mistake::Misconfigured
    })?;
    let said = keyring.protocol.marketplace.temu.token_info(&app, &access_token).await;
    let token = match said {
        Ok(token) => token,
        Err(error) => return Err(what_is_wrong(keyring, &field.path, &access_token, error).await),
    };
    fits(&app, &token)?;
    Ok(Good { app, access_token, token, other_store: field.other_store })
}

/// Whether a token that works is the one that the field is for.
fn fits(app: &App, token: &Token) -> Result<(), Mistake> {
    let is_product_field = app.path.app.as_str() == PRODUCT_APP;
    if is_product_field && token.mall_type == MallType::Local {
        return Err(Mistake::LocalStore);
    }
    if token.mall_type == MallType::CrossBorder {
        match token.purpose_of_calls() {
            Some(Purpose::Order) if is_product_field => return Err(Mistake::WrongField(None)),
            Some(Purpose::Product) if !is_product_field => {
                let product =
                    PRODUCT_APP.parse().ok().map(|app| AppKeyPath { marketplace: MarketplaceName::Temu, app });
                return Err(Mistake::WrongField(product));
            }
            _ => {}
        }
    }
    let needed = missing_permissions(app, token).needed;
    if needed.is_empty() { Ok(()) } else { Err(Mistake::PermissionsMissing(needed)) }
}

/// What a token lacks of the vendor's permissions; nothing, where Temu does not say what it may do.
pub(super) fn missing_permissions(app: &App, token: &Token) -> Missing {
    token.scopes.as_ref().map_or_else(Missing::default, |scopes| missing(&app.site.permissions, scopes))
}

async fn what_is_wrong(keyring: &Keyring, path: &AppKeyPath, access_token: &Secret, error: CallError) -> Mistake {
    match error {
        CallError::Rejected { rejection: Rejection::ExpiredOrReplaced, .. } => Mistake::ExpiredOrReplaced,
        CallError::Rejected { rejection: Rejection::NotAuthorized, .. } => Mistake::NotAuthorized,
        CallError::Rejected { rejection, .. } => match whose(keyring, path, access_token).await {
            Some(other) => Mistake::WrongField(Some(other)),
            None if rejection == Rejection::OtherApp => Mistake::OtherApp,
            None => Mistake::Unknown,
        },
        CallError::Configuration { fault } => {
            keyring.protocol.apps.forget(path);
            tracing::error!(alarm = "configuration_fault", app = %path, %fault, "Temu rejects the app");
            Mistake::Misconfigured
        }
        CallError::Transient { fault, .. } | CallError::OutcomeUnknown { fault, .. } => {
            tracing::warn!(app = %path, %fault, "a pasted token could not be checked");
            Mistake::TemuUnavailable
        }
    }
}

/// Which of the vendor's other apps the token was issued for.
async fn whose(keyring: &Keyring, not: &AppKeyPath, access_token: &Secret) -> Option<AppKeyPath> {
    let sites = keyring.config.apps.keys();
    for path in sites.filter(|path| path.marketplace == MarketplaceName::Temu && *path != not) {
        // Whatever is wrong there is not what this seller has to know.
        let Ok(app) = keyring.protocol.apps.get(path).await else { continue };
        if keyring.protocol.marketplace.temu.token_info(&app, access_token).await.is_ok() {
            return Some(path.clone());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use shop_keyring::{apps::Site, marketplace::temu::permissions::Permission};

    use super::*;

    fn app(name: &str) -> App {
        let host: url::Url = "https://openapi-b-us.temu.com".parse().unwrap();
        let permission =
            |label: &str, call: &str, optional| Permission { label: label.into(), calls: vec![call.into()], optional };
        let permissions =
            vec![permission("Orders", "bg.order.list.v2.get", false), permission("Ads", "bg.ads.get", true)];
        let permissions = if name == PRODUCT_APP { Vec::new() } else { permissions };
        let site = Site { name: "Acme".into(), link_url: None, token_url: host.clone(), api_url: host, permissions };
        let path = format!("temu/{name}").parse().unwrap();
        App { path, site, app_key: "key".into(), app_secret: Secret::new("secret"), service_id: None }
    }

    fn token(mall_type: MallType, scopes: &[&str]) -> Token {
        Token {
            mall: "7".parse().unwrap(),
            mall_name: None,
            mall_type,
            region_id: None,
            expires_at: None,
            scopes: Some(scopes.iter().map(|call| (*call).to_owned()).collect()),
        }
    }

    #[test]
    fn product_and_order_tokens_are_not_mixed_up() {
        let (goods, order) = (["bg.goods.add"], ["bg.order.list.v2.get"]);
        let at = |name: &str, mall_type, scopes: &[&str]| fits(&app(name), &token(mall_type, scopes));
        assert_eq!(at("product", MallType::CrossBorder, &goods), Ok(()));
        assert_eq!(at("product", MallType::CrossBorder, &order), Err(Mistake::WrongField(None)));
        assert_eq!(at("product", MallType::Local, &goods), Err(Mistake::LocalStore));
        assert_eq!(at("us", MallType::CrossBorder, &order), Ok(()));
        assert_eq!(
            at("us", MallType::CrossBorder, &goods),
            Err(Mistake::WrongField(Some("temu/product".parse().unwrap())))
        );
        assert_eq!(at("us", MallType::Local, &order), Ok(()));
    }

    #[test]
    fn needed_permissions_are_insisted_on_and_optional_ones_are_not() {
        let lacking = fits(&app("us"), &token(MallType::Local, &["bg.ads.get"]));
        assert_eq!(lacking, Err(Mistake::PermissionsMissing(vec!["Orders".into()])));
        let silent = Token { scopes: None, ..token(MallType::Local, &[]) };
        assert_eq!(fits(&app("us"), &silent), Ok(()));
    }

    #[test]
    fn another_store_is_asked_about_once() {
        let good = |mall: &str, agreed: Option<&str>| Good {
            app: Arc::new(app("us")),
            access_token: Secret::new("t"),
            token: Token { mall: mall.parse().unwrap(), ..token(MallType::Local, &[]) },
            other_store: agreed.map(str::to_owned),
        };
        let mut store = None;
        assert!(good("1", None).of_one_store(&mut store).is_ok());
        assert!(good("1", None).of_one_store(&mut store).is_ok());
        let asked = good("2", None).of_one_store(&mut store).unwrap_err();
        assert_eq!(asked, Mistake::OtherStore { mall: "2".into(), name: None });
        assert!(good("2", Some("3")).of_one_store(&mut store).is_err(), "agreed to another one");
        assert!(good("2", Some("2")).of_one_store(&mut store).is_ok());
    }
}
