//! The keyring's jobs, and every call that each of them makes, in order.

use end_to_end::Function::{self, OauthCallback, RefreshOnDemand, RefreshSweep, TokenLookup};
use simulators::tiktok_shop::Route;

use super::step::{On, Step};

/// One of the keyring's jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    /// The schedule refreshes a connection.
    Sweep,
    /// A caller needs a longer token than there is.
    OnDemand,
    /// The vendor opens a connect session.
    OpenSession,
    /// The seller opens the link and goes to the marketplace.
    WayOut,
    /// The seller comes back for the first time.
    NewSeller,
    /// A seller who is connected already comes back from another authorization.
    KnownSeller,
    /// The vendor confirms.
    Confirm,
    /// A token that is not in memory.
    ColdLookup,
    /// A token that is.
    WarmLookup,
    /// A token by its shop.
    ShopLookup,
    /// The vendor ends a connection.
    Disconnect,
    /// The schedule deletes the secret of one that was ended.
    Deletion,
    /// The schedule registers the webhooks of a new connection.
    Webhooks,
}

impl Job {
    /// All of them, in the order of the tables.
    pub(crate) const ALL: [Self; 13] = [
        Self::Sweep,
        Self::OnDemand,
        Self::OpenSession,
        Self::WayOut,
        Self::NewSeller,
        Self::KnownSeller,
        Self::Confirm,
        Self::ColdLookup,
        Self::WarmLookup,
        Self::ShopLookup,
        Self::Disconnect,
        Self::Deletion,
        Self::Webhooks,
    ];

    /// As its table is called.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sweep => "Scheduled refresh",
            Self::OnDemand => "Refresh on demand",
            Self::OpenSession => "A connect session is opened",
            Self::WayOut => "The seller goes to the marketplace",
            Self::NewSeller => "A new seller comes back",
            Self::KnownSeller => "A connected seller comes back",
            Self::Confirm => "The vendor confirms",
            Self::ColdLookup => "Token lookup, not in memory",
            Self::WarmLookup => "Token lookup, in memory",
            Self::ShopLookup => "Token lookup by shop",
            Self::Disconnect => "The vendor disconnects",
            Self::Deletion => "The secret of a disconnected seller is deleted",
            Self::Webhooks => "The webhooks of a new connection are registered",
        }
    }

    /// Whose calls they are.
    pub(super) const fn functions(self) -> &'static [Function] {
        match self {
            Self::Sweep | Self::Deletion | Self::Webhooks => &[RefreshSweep],
            Self::OnDemand => &[TokenLookup, RefreshOnDemand],
            Self::WayOut | Self::NewSeller | Self::KnownSeller => &[OauthCallback],
            _ => &[TokenLookup],
        }
    }

    /// Every call that it makes, in order.
    pub(crate) const fn steps(self) -> &'static [Step] {
        match self {
            Self::Sweep => SWEEP,
            Self::OnDemand => ON_DEMAND,
            Self::OpenSession => OPEN_SESSION,
            Self::WayOut => WAY_OUT,
            Self::NewSeller => NEW_SELLER,
            Self::KnownSeller => KNOWN_SELLER,
            Self::Confirm => CONFIRM,
            Self::ColdLookup => COLD_LOOKUP,
            Self::WarmLookup => WARM_LOOKUP,
            Self::ShopLookup => SHOP_LOOKUP,
            Self::Disconnect => DISCONNECT,
            Self::Deletion => DELETION,
            Self::Webhooks => WEBHOOKS,
        }
    }
}

const KEEP: &[&str] = &["PutSecretValue"];

const READ_BY_LOOKUP: Step = Step::read("read the item", TokenLookup, On::Item);
const TOKEN_SET_BY_LOOKUP: Step = Step::read("read the token set", TokenLookup, On::TokenSet);

const DUE: Step = Step::read("read what is due", RefreshSweep, On::Lane);
const DUE_CHORES: Step = Step::read("read what is due", RefreshSweep, On::Chores);
const REGISTRY: Step = Step::read("read the registry", RefreshSweep, On::Registry);
const BREAKERS: Step = Step::read("read the circuit breakers", RefreshSweep, On::Breakers);
const READ: Step = Step::read("read the item", RefreshSweep, On::Item);
const CLAIM: Step = Step::write("claim", RefreshSweep, On::Item);
const TOKEN_SET: Step = Step::read("read the token set", RefreshSweep, On::TokenSet);
const APP: Step = Step::read("read the app's secret", RefreshSweep, On::App);
const EXCHANGE: Step = Step::at_marketplace("exchange", Route::TokenRefresh);
const PUT: Step = Step::call("keep", RefreshSweep, KEEP, On::TokenSet);
const SHOPS: Step = Step::at_marketplace("list the shops", Route::Shops);
const COMMIT: Step = Step::write("commit", RefreshSweep, On::Item).after(1);
const EVIDENCE: Step = Step::write("write the evidence", RefreshSweep, On::Evidence);

const SWEEP: &[Step] = &[DUE, REGISTRY, BREAKERS, READ, CLAIM, TOKEN_SET, APP, EXCHANGE, PUT, SHOPS, COMMIT, EVIDENCE];

const ON_DEMAND: &[Step] = &[
    READ_BY_LOOKUP,
    Step::read("read the registry, in token-lookup", TokenLookup, On::Registry),
    Step::read("read the circuit breakers", TokenLookup, On::Breakers),
    Step::call("invoke refresh-on-demand", TokenLookup, &["Invoke"], On::Invocation),
    Step::read("read the item, in refresh-on-demand", RefreshOnDemand, On::Item),
    Step::read("read the registry", RefreshOnDemand, On::Registry),
    Step::write("claim", RefreshOnDemand, On::Item),
    Step::read("read the token set", RefreshOnDemand, On::TokenSet),
    Step::read("read the app's secret", RefreshOnDemand, On::App),
    EXCHANGE,
    Step::call("keep", RefreshOnDemand, KEEP, On::TokenSet),
    SHOPS,
    Step::write("commit", RefreshOnDemand, On::Item).after(1),
    Step::read("read what came of it", TokenLookup, On::Item).after(1),
    Step::read("read the new token set", TokenLookup, On::TokenSet),
];

const OPEN_SESSION: &[Step] = &[Step::write("store the session", TokenLookup, On::Session)];

const WAY_OUT: &[Step] = &[
    REGISTRY_BY_CALLBACK,
    Step::read("read the session, for the page", OauthCallback, On::Session),
    Step::read("read the session, on the way", OauthCallback, On::Session).after(1),
    Step::read("read the app's secret", OauthCallback, On::App),
    Step::write("store the visit", OauthCallback, On::Visit),
];

const REGISTRY_BY_CALLBACK: Step = Step::read("read the registry", OauthCallback, On::Registry);
const APP_BY_CALLBACK: Step = Step::read("read the app's secret", OauthCallback, On::App);
const VISIT: Step = Step::read("read the visit", OauthCallback, On::Visit);
const SESSION: Step = Step::read("read the session", OauthCallback, On::Session);
const BREAKERS_BY_CALLBACK: Step = Step::read("read the circuit breakers", OauthCallback, On::Breakers);
const USE: Step = Step::write("use up the `state`", OauthCallback, On::Visit);
const CODE: Step = Step::at_marketplace("exchange the code", Route::TokenGet);
const READ_BY_CALLBACK: Step = Step::read("read the item", OauthCallback, On::Item);
const TAKE: Step = Step::write("take the claim", OauthCallback, On::Item);
const COMMIT_BY_CALLBACK: Step = Step::write("commit", OauthCallback, On::Item).after(1);
const NOTE: Step = Step::write("note it in the session", OauthCallback, On::Session);
const END: Step = Step::write("end the visit", OauthCallback, On::Visit).after(1);
const SESSION_AGAIN: Step = Step::read("read the session, for the way back", OauthCallback, On::Session).after(1);

const NEW_SELLER: &[Step] = &[
    REGISTRY_BY_CALLBACK,
    APP_BY_CALLBACK,
    VISIT,
    SESSION,
    BREAKERS_BY_CALLBACK,
    USE,
    CODE,
    READ_BY_CALLBACK,
    TAKE,
    Step::call("look for a secret", OauthCallback, KEEP, On::TokenSet),
    Step::call("keep, in a new secret", OauthCallback, &["CreateSecret"], On::TokenSet),
    SHOPS,
    COMMIT_BY_CALLBACK,
    NOTE,
    END,
    SESSION_AGAIN,
];

const KNOWN_SELLER: &[Step] = &[
    REGISTRY_BY_CALLBACK,
    APP_BY_CALLBACK,
    VISIT,
    SESSION,
    BREAKERS_BY_CALLBACK,
    USE,
    CODE,
    READ_BY_CALLBACK,
    TAKE,
    Step::call("keep", OauthCallback, KEEP, On::TokenSet),
    SHOPS,
    COMMIT_BY_CALLBACK,
    NOTE,
    END,
    SESSION_AGAIN,
];

const CONFIRM: &[Step] = &[
    Step::read("read the session", TokenLookup, On::Session),
    READ_BY_LOOKUP,
    Step::write("write the confirmation", TokenLookup, On::Item),
    Step::read("read the item, for the answer", TokenLookup, On::Item).after(1),
];

const COLD_LOOKUP: &[Step] = &[READ_BY_LOOKUP, TOKEN_SET_BY_LOOKUP];
const WARM_LOOKUP: &[Step] = &[READ_BY_LOOKUP];
const SHOP_LOOKUP: &[Step] = &[Step::read("read the shop's pointer", TokenLookup, On::ShopPointer), READ_BY_LOOKUP];
const DISCONNECT: &[Step] = &[READ_BY_LOOKUP, Step::write("write the end", TokenLookup, On::Item)];

const DELETION: &[Step] = &[
    DUE_CHORES,
    REGISTRY,
    BREAKERS,
    READ,
    CLAIM,
    APP,
    TOKEN_SET,
    Step::at_marketplace("remove the webhooks", Route::WebhookDelete).times(2),
    Step::read("read the item again", RefreshSweep, On::Item).after(1),
    Step::call("delete the secret", RefreshSweep, &["DeleteSecret"], On::TokenSet),
    Step::write("write the end", RefreshSweep, On::Item).after(1),
    Step::write("drop its shop's pointer", RefreshSweep, On::ShopPointer),
];

const WEBHOOKS: &[Step] = &[
    DUE,
    REGISTRY,
    BREAKERS,
    READ,
    APP,
    TOKEN_SET,
    Step::at_marketplace("register the webhooks", Route::WebhookPut).times(2),
    Step::write("write what is registered", RefreshSweep, On::Item),
];
