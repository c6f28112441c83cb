//! A call at one step of a job, and how it is told from the others.

use emulators::front::Call;
use end_to_end::{Function, Table};
use shop_keyring::{
    connection::due::{Lane, part},
    names::ConnectionKey,
};
use simulators::tiktok_shop::Route;

/// However an item is read.
const READ: &[&str] = &["GetItem", "BatchGetItem"];

/// However an item is written.
const WRITE: &[&str] = &["UpdateItem", "TransactWriteItems", "PutItem", "DeleteItem"];

/// One step of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// As it stands in the table.
    pub name: &'static str,
    pub(super) target: Target,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Aws(AwsCall),
    /// So many calls in a row.
    TikTokShop(Route, usize),
}

/// A call to AWS.
#[derive(Debug, Clone, Copy)]
pub(super) struct AwsCall {
    by: Function,
    operations: &'static [&'static str],
    on: On,
    /// So many like it come before, at earlier steps.
    pub(super) skip: u64,
}

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// The connection's own part of its lane.
    Lane,
    /// The connection's own part of the chores.
    Chores,
    Item,
    ShopPointer,
    Evidence,
    Breakers,
    Session,
    Visit,
    TokenSet,
    Registry,
    App,
    Invocation,
}

impl Step {
    pub(super) const fn at_marketplace(name: &'static str, route: Route) -> Self {
        Self { name, target: Target::TikTokShop(route, 1) }
    }

    pub(super) const fn read(name: &'static str, by: Function, on: On) -> Self {
        let operations: &[&str] = match on {
            On::Lane | On::Chores => &["Query"],
            On::TokenSet | On::Registry | On::App => &["GetSecretValue"],
            _ => READ,
        };
        Self::call(name, by, operations, on)
    }

    pub(super) const fn write(name: &'static str, by: Function, on: On) -> Self {
        Self::call(name, by, WRITE, on)
    }

    pub(super) const fn call(name: &'static str, by: Function, operations: &'static [&'static str], on: On) -> Self {
        Self { name, target: Target::Aws(AwsCall { by, operations, on, skip: 0 }) }
    }

    /// The same at a marketplace, called so many times in a row.
    pub(super) const fn times(mut self, calls: usize) -> Self {
        if let Target::TikTokShop(_, times) = &mut self.target {
            *times = calls;
        }
        self
    }

    /// The same, after so many like it.
    pub(super) const fn after(mut self, skip: u64) -> Self {
        if let Target::Aws(call) = &mut self.target {
            call.skip = skip;
        }
        self
    }
}

impl AwsCall {
    pub(super) const fn is_invocation(self) -> bool {
        matches!(self.on, On::Invocation)
    }

    pub(super) const fn is_secret(self) -> bool {
        matches!(self.on, On::TokenSet | On::Registry | On::App)
    }

    pub(super) const fn is_for_registry(self) -> bool {
        matches!(self.on, On::Registry)
    }

    /// Whether it is made any number of times: one query per part of a lane, an item that is polled, and what is shared with
    /// other processes.
    pub(super) fn repeats(self) -> bool {
        matches!(self.on, On::Lane | On::Chores | On::Evidence | On::Breakers)
            || (self.on == On::Item && self.by == Function::TokenLookup)
    }

    /// Whether both are the same, `skip` aside.
    pub(super) fn is_like(self, other: Self) -> bool {
        (self.by, self.operations, self.on) == (other.by, other.operations, other.on)
    }

    /// Whether this is such a call, `skip` aside.
    pub(super) fn matches(self, call: &Call, connection: &str) -> bool {
        call.caller.as_deref() == Some(self.by.access_key_id())
            && self.operations.contains(&call.operation.as_str())
            && self.on.matches(call, connection)
    }
}

/// Whether the call reads the part of this lane in which the connection lies.
fn is_query_of(call: &Call, connection: &str, lane: impl Fn(&ConnectionKey) -> Lane) -> bool {
    let Ok(key) = connection.parse::<ConnectionKey>() else { return false };
    call.operation == "Query" && call.keys.first() == Some(&lane(&key).partition_key(part(&key)))
}

impl On {
    fn matches(self, call: &Call, connection: &str) -> bool {
        let resource = call.resource.as_deref().unwrap_or_default();
        let (in_connections, in_sessions) =
            (resource == Table::Connections.name(), resource == Table::ConnectSessions.name());
        let first = call.keys.first().map(String::as_str);
        match self {
            Self::Lane => is_query_of(call, connection, |key| Lane::App(key.app.clone())),
            Self::Chores => is_query_of(call, connection, |_| Lane::Chores),
            Self::Item => in_connections && call.keys.iter().any(|key| key == connection),
            Self::ShopPointer => in_connections && first.is_some_and(|key| key.starts_with("shop/")),
            Self::Evidence => in_connections && first.is_some_and(|key| key.starts_with("evidence/")),
            Self::Breakers => {
                in_connections && first.is_some() && call.keys.iter().all(|key| key.starts_with("health/"))
            }
            Self::Session => in_sessions && first.is_some_and(|key| key.starts_with("session/")),
            Self::Visit => in_sessions && first.is_some_and(|key| key.starts_with("visit/")),
            Self::TokenSet => resource.ends_with(&format!("/{connection}/tokens")),
            Self::Registry => resource.ends_with("/apps"),
            Self::App => resource.contains("/apps/"),
            Self::Invocation => call.service == "lambda",
        }
    }
}
