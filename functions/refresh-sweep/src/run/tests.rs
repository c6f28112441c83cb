//! The breakers, outcome by outcome.

use shop_keyring::{
    connection::{claim::NotClaimed, verdict::Verdict},
    vault::VaultError,
};

use super::*;

fn key(app: &str, n: u32) -> ConnectionKey {
    format!("tiktok-shop/{app}/seller-{n}").parse().unwrap()
}

fn run() -> Run {
    Run::new([key("us", 0).app, key("global", 0).app], 32)
}

/// Whether any app's marketplace may still be asked.
fn asks(run: &Run) -> bool {
    asks_for(run, "us") || asks_for(run, "global")
}

fn asks_for(run: &Run, app: &str) -> bool {
    run.takes_from(&Lane::App(key(app, 0).app))
}

fn vault_error() -> VaultError {
    VaultError::Unavailable { operation: "put", code: "InternalServiceError".into() }
}

#[test]
fn one_at_a_time_until_the_vault_has_kept() {
    let mut run = run();
    assert_eq!(run.limit(), 1);
    run.record(&key("us", 1), &Ok(Outcome::Skipped(NotClaimed::Held)));
    assert_eq!(run.limit(), 1);
    run.record(&key("us", 1), &Ok(Outcome::Refreshed));
    assert_eq!(run.limit(), 32);
}

#[test]
fn one_failed_keep_ends_all_claiming() {
    let mut run = run();
    assert!(asks(&run));
    run.record(&key("us", 1), &Ok(Outcome::KeepFailed(vault_error())));
    assert!(!asks(&run) && run.takes_from(&Lane::Chores));
    assert_eq!(run.into_summary(Ages::default()).stopped, Some(Stop::Vault));
}

#[test]
fn one_secret_that_cannot_be_read_stops_nothing_and_five_in_a_row_do() {
    let mut run = run();
    for n in 0..4 {
        run.record(&key("us", n), &Ok(Outcome::VaultFault(vault_error())));
    }
    assert!(asks(&run));
    run.record(&key("us", 5), &Ok(Outcome::Refreshed));
    run.record(&key("us", 6), &Ok(Outcome::VaultFault(vault_error())));
    assert!(asks(&run));
    for n in 0..4 {
        run.record(&key("us", n), &Ok(Outcome::VaultFault(vault_error())));
    }
    assert!(!asks(&run));
}

#[test]
fn another_app_key_stops_nothing() {
    let mut run = run();
    run.record(&key("us", 1), &Ok(Outcome::OtherAppKey));
    assert!(asks_for(&run, "us"));
}

#[test]
fn a_configuration_fault_stops_its_app_alone() {
    let mut run = run();
    run.record(&key("us", 1), &Ok(Outcome::Misconfigured("wrong secret".into())));
    assert!(!asks_for(&run, "us"));
    assert!(asks_for(&run, "global"));
    run.record(&key("global", 3), &Ok(Outcome::Misconfigured("wrong secret".into())));
    assert!(!asks(&run) && run.takes_from(&Lane::Chores), "no configuration stops the chores");
    run.leave_read(1);
    let summary = run.into_summary(Ages::default());
    assert_eq!((summary.due, summary.skipped, summary.misconfigured), (1, 1, 2));
    assert_eq!(summary.stopped, Some(Stop::Marketplaces));
}

#[test]
fn an_outage_stops_its_marketplace_after_five_in_a_row() {
    let mut run = run();
    for n in 0..4 {
        run.record(&key("us", n), &Ok(Outcome::Transient { outage: true }));
    }
    run.record(&key("global", 4), &Ok(Outcome::Refreshed));
    for n in 0..4 {
        run.record(&key("us", n), &Ok(Outcome::Transient { outage: true }));
        assert!(asks_for(&run, "us"));
    }
    run.record(&key("us", 5), &Ok(Outcome::Transient { outage: true }));
    assert!(!asks(&run) && run.takes_from(&Lane::Chores));
}

#[test]
fn a_code_that_is_no_outage_stops_nothing() {
    let mut run = run();
    for n in 0..20 {
        run.record(&key("us", n), &Ok(Outcome::Transient { outage: false }));
    }
    assert!(asks_for(&run, "us"));
}

#[test]
fn secrets_that_cannot_be_deleted_stop_nothing() {
    let mut run = run();
    for n in 0..20 {
        run.record(&key("us", n), &Ok(Outcome::DeletionFailed(vault_error())));
    }
    assert!(asks(&run));
}

#[test]
fn a_table_that_stays_silent_ends_the_run_and_one_bad_item_does_not() {
    let mut run = run();
    for n in 0..9 {
        let unreadable = StoreError::Unreadable { key: key("us", n).to_string(), why: "format".into() };
        run.record(&key("us", n), &Err(unreadable));
    }
    assert!(asks(&run));
    for n in 0..5 {
        let silent = StoreError::Unavailable { operation: "get an item", code: "no answer".into() };
        run.record(&key("us", n), &Err(silent));
    }
    assert!(!asks(&run) && !run.takes_from(&Lane::Chores));
    assert_eq!(run.into_summary(Ages::default()).errors, 14);
}

#[test]
fn a_check_shows_nothing_of_the_vaults_keeping() {
    let mut run = run();
    let temu = |n: u32| -> ConnectionKey { format!("temu/us/{n}").parse().unwrap() };
    for n in 0..30 {
        run.record(&temu(n), &Ok(Outcome::Verified));
    }
    run.record(&temu(30), &Ok(Outcome::Reminded));
    assert_eq!(run.limit(), 1);
    let summary = run.into_summary(Ages::default());
    assert_eq!((summary.verified, summary.reminded), (30, 1));
}

#[test]
fn refusals_and_what_had_ended_before_open_no_breaker() {
    let mut run = run();
    let of_ended = |outcome| Ok(Outcome::OfEnded(Box::new(outcome)));
    for n in 0..100 {
        run.record(&key("us", n), &Ok(Outcome::Refused(Verdict::Doubted)));
        run.record(&key("us", n), &of_ended(Outcome::Refused(Verdict::Doubted)));
        run.record(&key("us", n), &of_ended(Outcome::Transient { outage: true }));
        run.record(&key("us", n), &of_ended(Outcome::VaultFault(vault_error())));
    }
    assert!(asks_for(&run, "us"));
}
