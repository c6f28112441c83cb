//! What many of these tests begin with.

use end_to_end::{Answer, Browser, ConnectSession, Options, SellerKind, Stack};
use serde_json::{Value, json};
use simulators::temu::Purpose;

/// The local seller mia's.
pub(crate) const LOCAL_MALL: u64 = 634_418_212_001;
/// The cross-border seller tom's.
pub(crate) const CROSS_BORDER_MALL: u64 = 634_418_212_002;

pub(crate) const LOCAL: &str = "temu/us/634418212001";
pub(crate) const PRODUCT: &str = "temu/product/634418212002";
pub(crate) const US_ORDERS: &str = "temu/us/634418212002";
pub(crate) const GLOBAL_ORDERS: &str = "temu/global/634418212002";

pub(crate) const DAY: i64 = 86_400;

/// After this many seconds every connection's check is due, wherever in the round it lies.
pub(crate) const ROUND: i64 = 23 * 3_600 + 1;

/// After this many seconds a connection in doubt is looked at again.
pub(crate) const SECOND_LOOK: i64 = 15 * 60 + 1;

/// After so long a refusal is believed, even where no other connection tells anything.
pub(crate) const BELIEVED: i64 = DAY;

/// A seller with a connect link and a browser.
pub(crate) struct Visit<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) session: ConnectSession,
    pub(crate) browser: Browser,
}

impl<'a> Visit<'a> {
    /// For the account `acme`.
    pub(crate) async fn begin(stack: &'a Stack) -> Self {
        Self::begin_with(stack, json!({ "account_id": "acme" })).await
    }

    pub(crate) async fn begin_with(stack: &'a Stack, session: Value) -> Self {
        let session = stack.vendor().connect_session(session).await;
        Self { stack, session, browser: stack.browser() }
    }

    /// Pastes as a local seller in the United States.
    pub(crate) async fn paste_local(&self, token: &str) -> Answer {
        self.paste(SellerKind::Local, &[("site", "us"), ("token", token)]).await
    }

    /// Pastes as a cross-border seller: `token_product`, `token_us` …
    pub(crate) async fn paste_cross_border(&self, fields: &[(&str, &str)]) -> Answer {
        self.paste(SellerKind::SemiManaged, fields).await
    }

    pub(crate) async fn paste(&self, seller: SellerKind, fields: &[(&str, &str)]) -> Answer {
        self.browser.paste(&self.session.connect_url, seller, fields).await
    }

    /// The seller goes back from this page, and the vendor confirms; gives the session.
    pub(crate) async fn confirm(&self, page: &Answer) -> Value {
        let back = page.way_back().unwrap_or_else(|| panic!("no way back: {}", page.body));
        let result = back.query_pairs().find(|(name, _)| name == "result").expect("a result").1.into_owned();
        self.stack.vendor().confirm(&self.session.session_id, &result).await.expect(200).json()
    }
}

/// A token as its seller gets it at Temu.
pub(crate) fn issue(stack: &Stack, app: &str, mall: u64, purpose: Purpose) -> String {
    stack.temu().issue(stack.temu_app_key(app), mall, purpose).unwrap()
}

/// The local seller, connected and confirmed as [`LOCAL`] for the account `acme`; gives the token.
pub(crate) async fn connect_local(stack: &Stack) -> String {
    let token = issue(stack, "us", LOCAL_MALL, Purpose::All);
    let visit = Visit::begin(stack).await;
    let page = visit.paste_local(&token).await.expect(200);
    visit.confirm(&page).await;
    token
}

/// A stack with the local seller connected.
pub(crate) async fn connected(options: Options) -> Stack {
    let stack = Stack::start(options).await.unwrap();
    connect_local(&stack).await;
    stack
}

/// Lets so much time pass that the watch must have found what is wrong, and believed it; gives what the two sweeps
/// said.
pub(crate) async fn found_by_the_watch(stack: &Stack) -> [Value; 2] {
    stack.age(ROUND).await;
    let first = stack.invoke_sweep().await;
    stack.age(BELIEVED).await;
    [first, stack.invoke_sweep().await]
}

/// Sweeps until nothing is due any more; gives the summaries.
pub(crate) async fn sweep_all(stack: &Stack) -> Vec<Value> {
    let mut summaries = Vec::new();
    loop {
        let swept = stack.invoke_sweep().await;
        let quiet = swept["due"] == 0;
        summaries.push(swept);
        if quiet {
            return summaries;
        }
        assert!(summaries.len() < 20, "something stays due: {summaries:?}");
    }
}

/// The sum of a count over sweeps.
pub(crate) fn total(summaries: &[Value], count: &str) -> u64 {
    summaries.iter().map(|swept| swept[count].as_u64().unwrap_or_else(|| panic!("no {count}: {swept}"))).sum()
}
