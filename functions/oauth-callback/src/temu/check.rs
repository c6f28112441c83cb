//! What a pasted token is: Temu is asked at the router of the field's own app, and if it does not know the token there,
//! at those of the other apps, so that a mix-up can be named.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use shop_keyring::{
    apps::App,
    connection::Purpose,
    marketplace::temu::{
        PRODUCT_APP,
        answer::{CallError, Rejection},
        token::{MallType, Token},
    },
    names::{AppKeyPath, MarketplaceName, SellerId},
    secret::Secret,
};

use super::{form::Field, mistake::Mistake, pasted::clean};
use crate::router::{Keyring, NoApp};

/// How long Temu may take for one field's own check, and then for the other apps: with the storing after it, inside API
/// Gateway's 30 seconds.
const OWN_CHECK: Duration = Duration::from_secs(10);
const OTHER_APPS: Duration = Duration::from_secs(4);

/// A token that may be connected.
#[derive(Debug)]
pub(super) struct Good {
    pub(super) app: Arc<App>,
    pub(super) access_token: Secret,
    pub(super) token: Token,
    other_store: Option<String>,
}

impl Good {
    /// Holds the token against the stores that the others belong to. The first one of all belongs to any.
    pub(super) fn of_known_store(self, stores: &mut BTreeSet<SellerId>) -> Result<Self, Mistake> {
        let mall = &self.token.mall;
        let agreed = self.other_store.as_deref() == Some(mall.as_str());
        if stores.is_empty() || stores.contains(mall) || agreed {
            stores.insert(mall.clone());
            Ok(self)
        } else {
            Err(Mistake::OtherStore { mall: mall.to_string(), name: self.token.mall_name })
        }
    }
}

/// Checks all fields at a time; answers in their order.
pub(super) async fn all(keyring: &Keyring, fields: Vec<Field>) -> Vec<(AppKeyPath, Result<Good, Mistake>)> {
    join_all(fields.into_iter().map(async |field| (field.path.clone(), one(keyring, field).await))).await
}

async fn one(keyring: &Keyring, field: Field) -> Result<Good, Mistake> {
    let access_token = clean(&field.pasted)?;
    let app = keyring.app(&field.path).await.map_err(|why| match why {
        NoApp::NotNow => Mistake::Storage,
        NoApp::Misconfigured => Mistake::Misconfigured,
    })?;
    let asking = keyring.protocol.marketplace.temu.token_info(&app, &access_token);
    let said = tokio::time::timeout(OWN_CHECK, asking).await.map_err(|_| Mistake::TemuUnavailable)?;
    let token = match said {
        Ok(token) => token,
        Err(error) => return Err(what_is_wrong(keyring, &field.path, &access_token, error).await),
    };
    fits(&app, &token)?;
    Ok(Good { app, access_token, token, other_store: field.other_store })
}

/// Whether a token that works is the one that the field is for.
fn fits(app: &App, token: &Token) -> Result<(), Mistake> {
    let wanted = if app.path.app.as_str() == PRODUCT_APP { Purpose::Product } else { Purpose::Order };
    if wanted == Purpose::Product && token.mall_type == MallType::Local {
        return Err(Mistake::LocalStore);
    }
    if token.mall_type == MallType::CrossBorder
        && let Some(purpose) = token.purpose_of_calls()
        && purpose != wanted
    {
        return Err(Mistake::WrongPurpose(purpose));
    }
    let needed = app.missing_permissions(token.all_scopes()).needed;
    if needed.is_empty() { Ok(()) } else { Err(Mistake::PermissionsMissing(needed)) }
}

async fn what_is_wrong(keyring: &Keyring, path: &AppKeyPath, access_token: &Secret, error: CallError) -> Mistake {
    match error {
        CallError::Rejected { rejection: Rejection::ExpiredOrReplaced, .. } => Mistake::ExpiredOrReplaced,
        CallError::Rejected { rejection: Rejection::NotAuthorized | Rejection::CallNotGranted, .. } => {
            Mistake::NotAuthorized
        }
        CallError::Rejected { rejection, .. } => {
            let asking = at_other_apps(keyring, path, access_token);
            match tokio::time::timeout(OTHER_APPS, asking).await {
                Ok(Some(mistake)) => mistake,
                _ if rejection == Rejection::OtherApp => Mistake::OtherApp,
                _ => Mistake::Unknown,
            }
        }
        CallError::Configuration { fault } => {
            keyring.note_rejected(path, &fault);
            Mistake::Misconfigured
        }
        CallError::Transient { fault, .. } | CallError::OutcomeUnknown { fault, .. } => {
            tracing::warn!(app = %path, %fault, "a pasted token could not be checked");
            Mistake::TemuUnavailable
        }
    }
}

/// What the vendor's other apps know of the token: the one whose field would take it, or that it was good there once. To
/// be sent to a field only to be sent back would help nobody. Whatever else is wrong at the others is not what this
/// seller has to know.
async fn at_other_apps(keyring: &Keyring, not: &AppKeyPath, access_token: &Secret) -> Option<Mistake> {
    let others = keyring.config.apps.keys();
    let others = others.filter(|path| path.marketplace == MarketplaceName::Temu && *path != not);
    let asked = join_all(others.map(async |path| {
        let app = keyring.protocol.apps.get(path).await.ok()?;
        match keyring.protocol.marketplace.temu.token_info(&app, access_token).await {
            Ok(token) => is_taken(&fits(&app, &token)).then(|| Mistake::WrongField(path.clone())),
            Err(CallError::Rejected { rejection: Rejection::ExpiredOrReplaced, .. }) => {
                Some(Mistake::ExpiredOrReplaced)
            }
            Err(_) => None,
        }
    }));
    asked.await.into_iter().flatten().next()
}

/// Whether a field is the right one, although the token in it may lack something.
const fn is_taken(fit: &Result<(), Mistake>) -> bool {
    matches!(fit, Ok(()) | Err(Mistake::PermissionsMissing(_)))
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
        let site = Site {
            name: "Acme".into(),
            link_url: None,
            token_url: host.clone(),
            api_url: host,
            routers: Vec::new(),
            permissions,
        };
        let path = format!("temu/{name}").parse().unwrap();
        App {
            path,
            site,
            app_key: "key".into(),
            app_secret: Secret::new("secret"),
            previous_app_secret: None,
            service_id: None,
        }
    }

    fn token(mall_type: MallType, scopes: &[&str]) -> Token {
        Token {
            mall: "7".parse().unwrap(),
            mall_name: None,
            mall_type,
            region_id: None,
            expires_at: None,
            scopes: Some(scopes.iter().map(|call| (*call).to_owned()).collect()),
            is_partial: false,
        }
    }

    #[test]
    fn product_and_order_tokens_are_not_mixed_up() {
        let (goods, order) = (["bg.goods.add"], ["bg.order.list.v2.get"]);
        let at = |name: &str, mall_type, scopes: &[&str]| fits(&app(name), &token(mall_type, scopes));
        assert_eq!(at("product", MallType::CrossBorder, &goods), Ok(()));
        let orders_only = Err(Mistake::WrongPurpose(Purpose::Order));
        assert_eq!(at("product", MallType::CrossBorder, &order), orders_only);
        assert_eq!(at("product", MallType::Local, &goods), Err(Mistake::LocalStore));
        assert_eq!(at("us", MallType::CrossBorder, &order), Ok(()));
        let products_only = Err(Mistake::WrongPurpose(Purpose::Product));
        assert_eq!(at("us", MallType::CrossBorder, &goods), products_only);
        assert_eq!(at("us", MallType::Local, &order), Ok(()));
        // Nobody is sent to a field that would send them on.
        assert!(!is_taken(&orders_only) && !is_taken(&products_only) && !is_taken(&Err(Mistake::LocalStore)));
        assert!(is_taken(&Err(Mistake::PermissionsMissing(Vec::new()))));
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
        let mut stores = BTreeSet::new();
        assert!(good("1", None).of_known_store(&mut stores).is_ok());
        assert!(good("1", None).of_known_store(&mut stores).is_ok());
        let asked = good("2", None).of_known_store(&mut stores).unwrap_err();
        assert_eq!(asked, Mistake::OtherStore { mall: "2".into(), name: None });
        assert!(good("2", Some("3")).of_known_store(&mut stores).is_err(), "agreed to another one");
        assert!(good("2", Some("2")).of_known_store(&mut stores).is_ok());
        assert!(good("2", None).of_known_store(&mut stores).is_ok(), "asked once");
        assert!(good("1", None).of_known_store(&mut stores).is_ok());
    }
}
