//! What the functions rely on in Secrets Manager: one suite for whatever claims to be it.

mod deletion;
mod labels;
mod reading;
mod secret;
mod writing;

use std::{collections::BTreeMap, pin::Pin};

use aws_sdk_secretsmanager::Client;

use secret::Secret;

/// What a check found wrong.
type Outcome = Result<(), String>;

/// A check gets a secret's name of its own, unused so far.
type Check = (&'static str, fn(Secret) -> Pin<Box<dyn Future<Output = Outcome> + Send>>);

/// Names each check as its function.
macro_rules! checks {
    ($($check:ident),+ $(,)?) => { &[$((stringify!($check), |secret| Box::pin($check(secret)))),+] };
}
use checks;

/// Runs every check; gives back those that failed, and why.
pub(crate) async fn run(client: &Client) -> BTreeMap<&'static str, String> {
    let groups = [writing::CHECKS, labels::CHECKS, reading::CHECKS, deletion::CHECKS];
    let mut failures = BTreeMap::new();
    for (name, check) in groups.into_iter().flatten() {
        if let Err(why) = check(Secret::unused(client, name)).await {
            failures.insert(*name, why);
        }
    }
    failures
}

/// What a check demands.
macro_rules! demand {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}
use demand;
