//! What is going on when somebody is killed.

use std::{pin::Pin, sync::Arc};

use emulators::front::Moment::{Arrived, TakenEffect};
use end_to_end::{Browser, Function, Stack};
use rand::{rngs::StdRng, seq::IndexedRandom};
use serde_json::json;
use simulators::tiktok_shop::Route;
use url::Url;

use super::plan::{Effect, Step};
use crate::world;

/// What is going on, and whose process is killed at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    /// The schedule refreshes what is due.
    Sweep,
    /// refresh-on-demand refreshes one connection.
    OnDemand,
    /// A caller has rejected a token; token-lookup waits for the refresh.
    AwaitedRefresh,
    /// A new seller comes back from the marketplace.
    Connect,
    /// A seller who is connected authorizes again.
    Reconnect,
    /// A seller whose connection was ended, and its secret deleted, authorizes again.
    Return,
    /// The vendor confirms a new connection.
    Confirm,
    /// The vendor ends a connection.
    Disconnect,
    /// The schedule deletes the secret of a connection that was ended.
    DeleteSecret,
    /// The schedule publishes what is to be told of new connections.
    Publish,
    /// The schedule takes a connection away that nobody has confirmed.
    Remove,
    /// The schedule refreshes a connection while its seller authorizes again; the schedule's process dies.
    SweepAtReconnect,
    /// The same; the callback's process dies.
    ReconnectAtSweep,
    /// The schedule refreshes a connection while the vendor ends it; the schedule's process dies.
    SweepAtDisconnect,
    /// A seller authorizes again before the vendor has confirmed.
    ConnectAgain,
    /// A seller of this account authorizes for another one, which is refused.
    Conflict,
    /// The vendor ends a connection while its seller authorizes again; the callback's process dies.
    ReconnectAtDisconnect,
    /// The schedule deletes a secret while its seller comes back; the schedule's process dies.
    DeleteAtReturn,
    /// The schedule takes an unconfirmed connection away while its seller comes back; the schedule's process dies.
    RemoveAtReturn,
}

/// Somebody at work, and the function that works for them.
pub(super) type Act = (Function, Pin<Box<dyn Future<Output = ()> + Send>>);

/// What was prepared for the scene.
#[derive(Default)]
pub(super) struct Prepared {
    callbacks: Vec<(Browser, Url)>,
    /// Session and result.
    pub(super) confirmations: Vec<(String, String)>,
}

impl Scene {
    const ALL: [Self; 19] = [
        Self::Sweep,
        Self::OnDemand,
        Self::AwaitedRefresh,
        Self::Connect,
        Self::Reconnect,
        Self::Return,
        Self::Confirm,
        Self::Disconnect,
        Self::DeleteSecret,
        Self::Publish,
        Self::Remove,
        Self::SweepAtReconnect,
        Self::ReconnectAtSweep,
        Self::SweepAtDisconnect,
        Self::ConnectAgain,
        Self::Conflict,
        Self::ReconnectAtDisconnect,
        Self::DeleteAtReturn,
        Self::RemoveAtReturn,
    ];

    /// One of them; the sweep more often than the others, for it has the most steps.
    pub(super) fn drawn(rng: &mut StdRng) -> Self {
        let weight = |scene: &Self| if *scene == Self::Sweep { 4 } else { 1 };
        *Self::ALL.choose_weighted(rng, weight).unwrap_or(&Self::Sweep)
    }

    /// Who is killed.
    pub(super) const fn victim(self) -> Function {
        match self {
            Self::Connect
            | Self::ConnectAgain
            | Self::Reconnect
            | Self::Conflict
            | Self::Return
            | Self::ReconnectAtSweep
            | Self::ReconnectAtDisconnect => Function::OauthCallback,
            Self::AwaitedRefresh | Self::Confirm | Self::Disconnect => Function::TokenLookup,
            Self::OnDemand => Function::RefreshOnDemand,
            _ => Function::RefreshSweep,
        }
    }

    /// How many sellers it may have.
    pub(super) const fn most_sellers(self) -> usize {
        match self {
            Self::Sweep | Self::Publish => 5,
            Self::DeleteSecret | Self::Remove => 3,
            _ => 1,
        }
    }

    /// Whether refresh tokens are spent in it.
    pub(super) const fn refreshes(self) -> bool {
        matches!(
            self,
            Self::Sweep
                | Self::OnDemand
                | Self::AwaitedRefresh
                | Self::SweepAtReconnect
                | Self::ReconnectAtSweep
                | Self::SweepAtDisconnect
        )
    }

    /// Whether a seller authorizes in it.
    pub(super) const fn authorizes(self) -> bool {
        matches!(
            self,
            Self::Connect
                | Self::ConnectAgain
                | Self::Reconnect
                | Self::Conflict
                | Self::Return
                | Self::SweepAtReconnect
                | Self::ReconnectAtSweep
                | Self::ReconnectAtDisconnect
                | Self::DeleteAtReturn
                | Self::RemoveAtReturn
        )
    }

    /// Whether the vendor ends the connections in it.
    pub(super) const fn disconnects(self) -> bool {
        matches!(self, Self::Disconnect | Self::SweepAtDisconnect | Self::ReconnectAtDisconnect)
    }

    /// Whether the vendor has to confirm a new connection. Where a deletion may come too late for the seller, the
    /// connection is to be of use at once.
    pub(super) const fn needs_confirmation(self) -> bool {
        !matches!(self, Self::DeleteAtReturn | Self::RemoveAtReturn)
    }

    /// Whether the schedule takes something away in it.
    const fn removes(self) -> bool {
        matches!(self, Self::DeleteSecret | Self::Remove | Self::DeleteAtReturn | Self::RemoveAtReturn)
    }

    /// Where its victim may be killed.
    pub(super) fn steps(self) -> Vec<Step> {
        let (table, vault, routes): (&[_], &[_], &[_]) = match self {
            Self::Sweep => (
                &["Query", "GetItem", "UpdateItem", "TransactWriteItems"],
                &["GetSecretValue", "PutSecretValue"],
                &[Route::TokenRefresh, Route::Shops],
            ),
            Self::OnDemand | Self::AwaitedRefresh | Self::SweepAtDisconnect => (
                &["GetItem", "UpdateItem", "TransactWriteItems"],
                &["GetSecretValue", "PutSecretValue"],
                &[Route::TokenRefresh, Route::Shops],
            ),
            Self::SweepAtReconnect | Self::ReconnectAtSweep => (
                &["GetItem", "UpdateItem", "TransactWriteItems"],
                &["PutSecretValue"],
                &[Route::TokenGet, Route::TokenRefresh, Route::Shops],
            ),
            Self::Connect => (&["GetItem", "UpdateItem"], &["CreateSecret"], &[Route::TokenGet, Route::Shops]),
            Self::Reconnect | Self::ConnectAgain | Self::Conflict | Self::ReconnectAtDisconnect => (
                &["GetItem", "UpdateItem", "TransactWriteItems"],
                &["PutSecretValue"],
                &[Route::TokenGet, Route::Shops],
            ),
            Self::Return => {
                (&["GetItem", "UpdateItem"], &["PutSecretValue", "RestoreSecret"], &[Route::TokenGet, Route::Shops])
            }
            Self::Confirm => (&["GetItem", "UpdateItem", "TransactWriteItems"], &[], &[]),
            Self::Disconnect => (&["GetItem", "UpdateItem"], &[], &[]),
            Self::DeleteSecret => (&["GetItem", "UpdateItem"], &["DeleteSecret"], &[]),
            Self::DeleteAtReturn | Self::RemoveAtReturn => {
                (&["GetItem", "UpdateItem"], &["DeleteSecret", "PutSecretValue"], &[Route::TokenGet])
            }
            Self::Publish => (&["Query", "BatchGetItem", "UpdateItem"], &[], &[]),
            Self::Remove => (&["GetItem", "UpdateItem", "DeleteItem"], &["DeleteSecret"], &[]),
        };
        let moments = [Arrived, TakenEffect];
        let table = table.iter().flat_map(|of| moments.map(|at| Step::Table(of, at)));
        let vault = vault.iter().flat_map(|of| moments.map(|at| Step::Vault(of, at)));
        let effects = [Effect::Never, Effect::Late, Effect::Done];
        let routes = routes.iter().flat_map(|route| effects.map(|effect| Step::Marketplace(*route, effect)));
        let bus = moments.into_iter().filter(|_| self == Self::Publish).map(|at| Step::Bus("PutEvents", at));
        table.chain(vault).chain(routes).chain(bus).collect()
    }

    /// Brings the sellers to where it begins.
    pub(super) async fn prepare(self, stack: &Stack, sellers: &[String]) -> Result<Prepared, String> {
        let mut prepared = Prepared::default();
        for seller in sellers {
            match self {
                Self::Connect => {}
                Self::Confirm | Self::ConnectAgain | Self::Remove | Self::RemoveAtReturn => {
                    prepared.confirmations.push(world::authorize(stack, seller).await?);
                }
                _ => world::connect(stack, seller).await?,
            }
            if matches!(self, Self::Return | Self::DeleteSecret | Self::DeleteAtReturn) {
                drop(stack.vendor().disconnect(&world::connection(seller)).await.expect(200));
            }
        }
        if matches!(self, Self::Return | Self::DeleteSecret | Self::DeleteAtReturn | Self::Publish) {
            // The functions' clocks may be a second apart.
            stack.age(2).await;
        }
        if self == Self::Return {
            let swept = world::sweep(stack).await?;
            if swept["secrets_deleted"] != sellers.len() {
                return Err(format!("the secrets were not deleted: {swept}"));
            }
        }
        let account = if self == Self::Conflict { "another" } else { "acme" };
        let confirm = self.needs_confirmation();
        if self.authorizes() {
            for seller in sellers {
                let session = stack
                    .vendor()
                    .connect_session(json!({ "account_id": account, "account_label": account, "confirm": confirm }))
                    .await;
                let browser = stack.browser();
                drop(browser.open(&session.connect_url).await.expect(200));
                let link = browser.leave(&session.connect_url, "us").await;
                let callback = browser.authorize(&link, seller).await;
                prepared.callbacks.push((browser, callback));
            }
        }
        match self {
            Self::OnDemand | Self::AwaitedRefresh => stack.age(3_600).await,
            Self::Remove | Self::RemoveAtReturn => stack.age(3_601).await,
            _ if self.refreshes() => stack.age(world::DUE).await,
            _ => {}
        }
        Ok(prepared)
    }

    /// Who does what in it.
    pub(super) fn acts(self, stack: &Arc<Stack>, sellers: &[String], prepared: &mut Prepared) -> Vec<Act> {
        let mut acts: Vec<Act> = Vec::new();
        let connections = sellers.iter().map(|seller| world::connection(seller));
        if self.removes() || self == Self::Publish || (self.refreshes() && self != Self::AwaitedRefresh) {
            let (stack, on_demand) = (Arc::clone(stack), connections.clone().next().filter(|_| self == Self::OnDemand));
            let input = on_demand.map_or(json!({}), |key| json!({ "connection": key, "rejected_version": 1 }));
            let function = if self == Self::OnDemand { Function::RefreshOnDemand } else { Function::RefreshSweep };
            let work = async move { drop(stack.invoke(function, &input).await) };
            acts.push((function, Box::pin(work)));
        }
        for (browser, callback) in prepared.callbacks.drain(..) {
            let back = async move { drop(browser.come_back(&callback).await) };
            acts.push((Function::OauthCallback, Box::pin(back)));
        }
        for connection in connections {
            let stack = Arc::clone(stack);
            let confirmation = prepared.confirmations.first().cloned().filter(|_| self == Self::Confirm);
            acts.push((
                Function::TokenLookup,
                match (self, confirmation) {
                    (Self::AwaitedRefresh, _) => {
                        Box::pin(async move { drop(stack.vendor().refresh(&connection, 1).await) })
                    }
                    _ if self.disconnects() => {
                        Box::pin(async move { drop(stack.vendor().disconnect(&connection).await) })
                    }
                    (Self::Confirm, Some((session, result))) => {
                        Box::pin(async move { drop(stack.vendor().confirm(&session, &result).await) })
                    }
                    _ => continue,
                },
            ));
        }
        acts
    }
}
