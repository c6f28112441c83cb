//! What a pasted token is: Temu is asked at the router of the field's own app, and if it does not know the token there,
//! at those of the other apps, so that a mix-up can be named.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use shop_keyring::{
    apps::App,
    connect_session::ConnectSession,
    connection::Purpose,
    marketplace::temu::{
        answer::{CallError, Rejection},
        token::{MallType, Token},
    },
    names::{AppKeyPath, SellerId},
    secret::Secret,
};

use super::{
    Visitor,
    form::Field,
    mistake::Mistake,
    offered::{Offered, SellerKind, offered},
    pasted::clean,
    words,
};
use crate::router::{Keyring, NoApp};

/// How long Temu may take for one field's own check, and then for the other apps: with the storing after it, inside API
/// Gateway's 30 seconds.
const OWN_CHECK: Duration = Duration::from_secs(10);
const OTHER_APPS: Duration = Duration::from_secs(4);

/// Other apps that are asked about a token at most. A mix-up is between the few apps that one seller has to do with.
const MOST_OTHER_APPS: usize = 8;

/// A token that may be connected.
#[derive(Debug)]
pub(super) struct Good {
    pub(super) app: Arc<App>,
    /// What the seller gives it for.
    pub(super) purpose: Purpose,
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

/// Checks all fields at the same time; returns results in their order.
pub(super) async fn all(
    keyring: &Keyring,
    visitor: &Visitor,
    kind: SellerKind,
    fields: Vec<Field>,
) -> Vec<(AppKeyPath, Result<Good, Mistake>)> {
    let checks = fields.into_iter();
    join_all(checks.map(async |field| (field.app.path.clone(), one(keyring, visitor, kind, field).await))).await
}

async fn one(keyring: &Keyring, visitor: &Visitor, kind: SellerKind, field: Field) -> Result<Good, Mistake> {
    let access_token = clean(&field.pasted)?;
    let Offered { path, purpose, .. } = field.app;
    let app = keyring.app(&path).await.map_err(|why| match why {
        NoApp::NotNow => Mistake::StorageUnavailable,
        NoApp::Misconfigured => Mistake::Misconfigured,
    })?;
    let asking = keyring.protocol.marketplace.temu.token_info(&app, &access_token);
    let said = tokio::time::timeout(OWN_CHECK, asking).await.map_err(|_| Mistake::TemuUnavailable)?;
    let token = match said {
        Ok(token) => token,
        Err(error) => {
            let others = others(visitor, kind, &path);
            return Err(what_is_wrong(keyring, &path, others, &access_token, error).await);
        }
    };
    fits(&app, purpose, &token)?;
    Ok(Good { app, purpose, access_token, token, other_store: field.other_store })
}

/// Whether a token that works is the one that the field is for.
fn fits(app: &App, purpose: Purpose, token: &Token) -> Result<(), Mistake> {
    let wanted = match purpose {
        Purpose::All => Purpose::Order,
        purpose => purpose,
    };
    if matches!(wanted, Purpose::Product | Purpose::Compliance) && token.mall_type == MallType::Local {
        return Err(Mistake::LocalStore);
    }
    // Which calls are compliance calls is not documented.
    if token.mall_type == MallType::CrossBorder
        && wanted != Purpose::Compliance
        && let Some(purpose) = token.purpose_of_calls()
        && purpose != wanted
    {
        return Err(Mistake::WrongPurpose(purpose));
    }
    let needed = app.missing_permissions(purpose, token.all_scopes()).needed;
    if needed.is_empty() { Ok(()) } else { Err(Mistake::PermissionsMissing(needed)) }
}

async fn what_is_wrong(
    keyring: &Keyring,
    path: &AppKeyPath,
    others: Vec<Other>,
    access_token: &Secret,
    error: CallError,
) -> Mistake {
    match error {
        CallError::Rejected { rejection: Rejection::ExpiredOrReplaced, .. } => Mistake::ExpiredOrReplaced,
        CallError::Rejected { rejection: Rejection::NotAuthorized | Rejection::CallNotGranted, .. } => {
            Mistake::NotAuthorized
        }
        CallError::Rejected { rejection, .. } => {
            let asking = at_other_apps(keyring, others, access_token);
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
        CallError::Transient { fault, .. }
        | CallError::NoAnswerFrom { fault, .. }
        | CallError::OutcomeUnknown { fault, .. } => {
            tracing::warn!(app = %path, %fault, "a pasted token could not be checked");
            Mistake::TemuUnavailable
        }
    }
}

/// Another app that the seller may have meant, and what its field is called.
#[derive(Debug)]
struct Other {
    app: Offered,
    label: String,
}

/// The session's other apps: those that this kind of seller sees first, then those of the other kinds.
fn others(visitor: &Visitor, kind: SellerKind, not: &AppKeyPath) -> Vec<Other> {
    let mut others = BTreeMap::new();
    // A session for one connection offers no other app, but the seller may have opened another app's page at Temu.
    let session = ConnectSession { reconnect: None, ..visitor.session.clone() };
    let kinds = [kind].into_iter().chain(SellerKind::ALL.into_iter().filter(|it| *it != kind));
    for (rank, seen_by) in kinds.enumerate() {
        for app in offered(&visitor.registry, &session, seen_by).into_iter().filter(|it| it.path != *not) {
            let label = words::label_for(kind, &app);
            others.entry(app.path.clone()).or_insert((rank, Other { app, label }));
        }
    }
    let mut others: Vec<_> = others.into_values().collect();
    others.sort_by_key(|(rank, _)| *rank);
    others.into_iter().map(|(_, other)| other).take(MOST_OTHER_APPS).collect()
}

/// What the vendor's other apps know about the token: the one whose field would take it, or that it was valid there once.
/// A field that would reject the token helps nobody. Other mistakes there do not concern this seller.
async fn at_other_apps(keyring: &Keyring, others: Vec<Other>, access_token: &Secret) -> Option<Mistake> {
    let asked = join_all(others.into_iter().map(async |Other { app: Offered { path, purpose, .. }, label }| {
        let app = keyring.protocol.apps.get(&path).await.ok()?;
        match keyring.protocol.marketplace.temu.token_info(&app, access_token).await {
            Ok(token) => is_taken(&fits(&app, purpose, &token)).then_some(Mistake::WrongField { label, purpose }),
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
    use shop_keyring::{connection::end::AuthorizationEnd, marketplace::temu::Gateway, registry::Registry};

    use super::*;

    fn app(gateway: Gateway) -> App {
        let permissions =
            r#","permissions":{"Orders":["bg.order.list.v2.get"]},"optional_permissions":{"Ads":["bg.ads.get"]}"#;
        let permissions = if gateway == Gateway::CnPa { "" } else { permissions };
        let entry = format!(r#"{{"temu/app":{{"name":"Acme","gateway":"{}"{permissions}}}}}"#, gateway.as_str());
        let path = "temu/app".parse().unwrap();
        App {
            config: Registry::parse(&entry).unwrap().get(&path).unwrap().clone(),
            path,
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
            end: AuthorizationEnd::Unsaid,
            scopes: Some(scopes.iter().map(|call| (*call).to_owned()).collect()),
            is_partial: false,
        }
    }

    #[test]
    fn tokens_of_another_purpose_are_told_apart() {
        use Purpose::{All, Compliance, Order, Product};
        let (goods, order) = (["bg.goods.add"], ["bg.order.list.v2.get"]);
        let at = |gateway, purpose, mall_type, scopes: &[&str]| fits(&app(gateway), purpose, &token(mall_type, scopes));
        let product = |mall_type, scopes: &[&str]| at(Gateway::CnPa, Product, mall_type, scopes);
        assert_eq!(product(MallType::CrossBorder, &goods), Ok(()));
        let orders_only = Err(Mistake::WrongPurpose(Order));
        assert_eq!(product(MallType::CrossBorder, &order), orders_only);
        assert_eq!(product(MallType::Local, &goods), Err(Mistake::LocalStore));
        assert_eq!(product(MallType::Unknown, &goods), Ok(()));
        assert_eq!(at(Gateway::Us, Order, MallType::CrossBorder, &order), Ok(()));
        let products_only = Err(Mistake::WrongPurpose(Product));
        assert_eq!(at(Gateway::Us, Order, MallType::CrossBorder, &goods), products_only);
        assert_eq!(at(Gateway::Us, All, MallType::Local, &order), Ok(()));
        assert_eq!(at(Gateway::Global, Compliance, MallType::CrossBorder, &order), Ok(()), "one token may serve both");
        assert_eq!(at(Gateway::Global, Compliance, MallType::Local, &order), Err(Mistake::LocalStore));
        // Nobody is sent to a field that would reject the token.
        assert!(!is_taken(&orders_only) && !is_taken(&products_only) && !is_taken(&Err(Mistake::LocalStore)));
        assert!(is_taken(&Err(Mistake::PermissionsMissing(Vec::new()))));
    }

    #[test]
    fn needed_permissions_are_insisted_on_and_optional_ones_are_not() {
        let lacking = fits(&app(Gateway::Us), Purpose::All, &token(MallType::Local, &["bg.ads.get"]));
        assert_eq!(lacking, Err(Mistake::PermissionsMissing(vec!["Orders".into()])));
        let at_global = |purpose| fits(&app(Gateway::Global), purpose, &token(MallType::Unknown, &[]));
        assert_eq!(at_global(Purpose::All), Err(Mistake::PermissionsMissing(vec!["Orders".into()])));
        assert_eq!(at_global(Purpose::Compliance), Ok(()), "the permissions are those for orders");
        let silent = Token { scopes: None, ..token(MallType::Local, &[]) };
        assert_eq!(fits(&app(Gateway::Us), Purpose::All, &silent), Ok(()));
    }

    #[test]
    fn another_store_is_asked_about_once() {
        let good = |mall: &str, agreed: Option<&str>| Good {
            app: Arc::new(app(Gateway::Us)),
            purpose: Purpose::All,
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
