//! A running keyring with sellers of TikTok Shop, what is done to it, and what must hold of what it has stored.

mod invariants;
mod told;
mod truth;

pub(crate) use invariants::{coherent, settled};
pub(crate) use told::told;
pub(crate) use truth::Truth;

use std::time::Duration;

use end_to_end::{Function, Options, Stack};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Seller, Shop};
use tokio::time::timeout;

/// The vendor's customer to whom every seller here belongs.
const ACCOUNT: &str = "acme";

/// After this many seconds a seven-day token is due and still works.
pub(crate) const DUE: i64 = 5 * 86_400 + 43_200;

/// Longest wait after a failure that may pass, in seconds, with one to spare.
pub(crate) const BACK_OFF: i64 = 1_801;

/// A claim's time, with a second to spare.
pub(crate) const CLAIM: i64 = 61;

/// How long an invocation may take. The next one is tried then, as the schedule would.
const INVOCATION: Duration = Duration::from_secs(10);

/// Invocations in a row that may stay without an answer: one that a killed process has taken with it.
const UNANSWERED: usize = 3;

/// A started stack without sellers of its own.
pub(crate) async fn start(processes: [(Function, usize); 4]) -> Result<Stack, String> {
    let options = Options { sellers: Vec::new(), processes: processes.into(), events: true, ..Options::default() };
    Stack::start(options).await.map_err(|error| error.to_string())
}

/// The connection of a seller.
pub(crate) fn connection(seller: &str) -> String {
    format!("tiktok-shop/us/{seller}")
}

/// Makes a seller known to the marketplace.
pub(crate) fn add_seller(stack: &Stack, seller: &str, shops: usize) {
    let shop = |n| Shop::new(format!("{seller}-shop-{n}"), "US");
    stack.tiktok_shop().add_seller((0..shops).map(shop).fold(Seller::new(seller), Seller::with_shop));
}

/// Takes a seller the whole way, up to the confirmation. Says what went wrong, if it did.
pub(crate) async fn connect(stack: &Stack, seller: &str) -> Result<(), String> {
    let (session, result) = authorize(stack, seller).await?;
    confirm(stack, &session, &result).await
}

/// The same without the confirmation; gives the session and the `result`.
pub(crate) async fn authorize(stack: &Stack, seller: &str) -> Result<(String, String), String> {
    let session = stack.vendor().connect_session(json!({ "account_id": ACCOUNT })).await;
    let back = stack.browser().connect(&session.connect_url, "us", seller).await;
    let page = || back.page.as_ref().map_or_else(String::new, |page| format!("{} {}", page.status, page.body));
    let result = back.parameter("result").ok_or_else(|| format!("{seller} came back without a result: {}", page()))?;
    Ok((session.session_id, result))
}

/// The vendor confirms.
pub(crate) async fn confirm(stack: &Stack, session: &str, result: &str) -> Result<(), String> {
    let answer = stack.vendor().confirm(session, result).await;
    if answer.status == 200 { Ok(()) } else { Err(format!("confirm: {} {}", answer.status, answer.body)) }
}

/// Runs a sweep, again if there is no answer: whatever a killed process has taken with it, the next minute's tick comes.
pub(crate) async fn sweep(stack: &Stack) -> Result<Value, String> {
    let everything = json!({});
    for _ in 0..UNANSWERED {
        match timeout(INVOCATION, stack.invoke(Function::RefreshSweep, &everything)).await {
            Ok(Ok(answer)) if answer.status == 200 => return Ok(answer.json()),
            Ok(Ok(answer)) => return Err(format!("the sweep failed: {} {}", answer.status, answer.body)),
            Ok(Err(error)) => return Err(format!("the sweep failed: {error}")),
            Err(_) => {}
        }
    }
    Err(format!("{UNANSWERED} sweeps in a row did not end"))
}

/// What the processes wrote about these sellers.
pub(crate) fn lines_about(stack: &Stack, sellers: &[String]) -> String {
    let output = stack.output();
    let about = output.lines().filter(|line| sellers.iter().any(|seller| line.contains(seller.as_str())));
    about.collect::<Vec<_>>().join("\n")
}
