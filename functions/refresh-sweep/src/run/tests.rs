//! The breakers, outcome by outcome.

use shop_keyring::{
    connection::{
        Fault,
        claim::{NotClaimed, Trigger},
    },
    names::AttemptId,
    protocol::outcome::Refusal,
    vault::VaultError,
};

use super::*;

fn key(app: &str, n: u32) -> ConnectionKey {
    format!("tiktok-shop/{app}/seller-{n}").parse().unwrap()
}

fn run() -> Run {
    Run::new([key("us", 0).app, key("global", 0).app].into_iter(), 32, 0)
}

#[expect(clippy::unnecessary_wraps, reason = "stands in for a call's result")]
fn refusal_when(is_expected: bool, app: &str, n: u32) -> Result<Outcome, StoreError> {
    let fault = Fault { message: "no such authorization".into(), code: None, request_id: None };
    Ok(Outcome::Refused(Box::new(Refusal {
        connection: key(app, n),
        attempt: AttemptId::random(),
        refused: fault.into(),
        trigger: Trigger::Schedule,
        is_expected,
    })))
}

fn refusal(app: &str, n: u32) -> Result<Outcome, StoreError> {
    refusal_when(false, app, n)
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
    assert!(run.goes_on());
    run.record(&key("us", 1), &Ok(Outcome::KeepFailed(vault_error())));
    assert!(!run.goes_on());
    assert_eq!(run.into_summary().stopped, Some(Stop::Vault));
}

#[test]
fn one_secret_that_cannot_be_read_stops_nothing_and_five_in_a_row_do() {
    let mut run = run();
    for n in 0..4 {
        run.record(&key("us", n), &Ok(Outcome::VaultFault(vault_error())));
    }
    assert!(run.goes_on());
    run.record(&key("us", 5), &Ok(Outcome::Refreshed));
    run.record(&key("us", 6), &Ok(Outcome::VaultFault(vault_error())));
    assert!(run.goes_on());
    for n in 0..4 {
        run.record(&key("us", n), &Ok(Outcome::VaultFault(vault_error())));
    }
    assert!(!run.goes_on());
}

#[test]
fn another_app_key_stops_nothing() {
    let mut run = run();
    run.record(&key("us", 1), &Ok(Outcome::OtherAppKey));
    assert!(run.admit(&key("us", 2)) && run.goes_on());
}

#[test]
fn a_configuration_fault_stops_its_app_alone() {
    let mut run = run();
    run.record(&key("us", 1), &Ok(Outcome::Misconfigured("wrong secret".into())));
    assert!(!run.admit(&key("us", 2)));
    assert!(run.admit(&key("global", 3)));
    assert!(run.goes_on());
    run.record(&key("global", 3), &Ok(Outcome::Misconfigured("wrong secret".into())));
    assert!(!run.goes_on());
    let summary = run.into_summary();
    assert_eq!((summary.due, summary.skipped, summary.misconfigured), (2, 1, 2));
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
        assert!(run.admit(&key("us", 9)));
    }
    run.record(&key("us", 5), &Ok(Outcome::Transient { outage: true }));
    assert!(!run.admit(&key("us", 9)) && !run.admit(&key("global", 9)));
    assert!(!run.goes_on());
}

#[test]
fn a_code_that_is_no_outage_stops_nothing() {
    let mut run = run();
    for n in 0..20 {
        run.record(&key("us", n), &Ok(Outcome::Transient { outage: false }));
    }
    assert!(run.goes_on() && run.admit(&key("us", 21)));
}

#[test]
fn five_refusals_are_believed_and_six_of_seven_are_not() {
    let mut run = run();
    for n in 0..5 {
        run.record(&key("us", n), &refusal("us", n));
    }
    assert!(run.blames(&key("us", 0), true));
    run.record(&key("us", 5), &refusal("us", 5));
    assert!(!run.blames(&key("us", 0), true));
    assert!(!run.admit(&key("us", 7)), "work on the app stops");
    assert!(run.blames(&key("global", 0), true), "the other app is not touched");
}

#[test]
fn before_the_run_is_over_only_a_success_elsewhere_makes_a_refusal_believed() {
    let mut run = run();
    run.record(&key("us", 0), &refusal("us", 0));
    assert!(!run.blames(&key("us", 0), false), "a slow mass refusal begins like this");
    run.record(&key("us", 1), &Ok(Outcome::Refreshed));
    assert!(run.blames(&key("us", 0), false));
}

#[test]
fn secrets_that_cannot_be_deleted_stop_nothing() {
    let mut run = run();
    for n in 0..20 {
        run.record(&key("us", n), &Ok(Outcome::DeletionFailed(vault_error())));
    }
    assert!(run.goes_on());
}

#[test]
fn a_fifth_of_many_is_believed() {
    let mut run = run();
    for n in 0..80 {
        run.record(&key("us", n), &Ok(Outcome::Refreshed));
    }
    for n in 80..100 {
        run.record(&key("us", n), &refusal("us", n));
    }
    assert!(run.blames(&key("us", 80), true), "20 of 100");
    run.record(&key("us", 100), &refusal("us", 100));
    assert!(!run.blames(&key("us", 80), true), "21 of 101");
}

#[test]
fn a_table_that_stays_silent_ends_the_run_and_one_bad_item_does_not() {
    let mut run = run();
    for n in 0..9 {
        let unreadable = StoreError::Unreadable { key: key("us", n).to_string(), why: "format".into() };
        run.record(&key("us", n), &Err(unreadable));
    }
    assert!(run.goes_on());
    for n in 0..5 {
        let silent = StoreError::Unavailable { operation: "get an item", code: "no answer".into() };
        run.record(&key("us", n), &Err(silent));
    }
    assert!(!run.goes_on());
    assert_eq!(run.into_summary().errors, 14);
}

#[test]
fn the_only_refusal_of_an_app_is_believed_although_others_are_still_at_work() {
    let mut run = run();
    assert!(run.admit(&key("us", 0)) && run.admit(&key("global", 0)));
    run.record(&key("us", 0), &refusal("us", 0));
    assert!(!run.blames(&key("us", 0), false), "more of the app may be due");
    run.note_all_taken();
    assert!(run.blames(&key("us", 0), false));
    assert!(run.admit(&key("us", 1)));
    assert!(!run.blames(&key("us", 0), false));
}

#[test]
fn checks_count_as_tries_and_one_that_is_accepted_makes_refusals_believed() {
    let mut run = run();
    let temu = |n: u32| -> ConnectionKey { format!("temu/us/{n}").parse().unwrap() };
    for n in 0..30 {
        run.record(&temu(n), &Ok(Outcome::Verified));
    }
    run.record(&temu(30), &Ok(Outcome::Reminded));
    assert!(run.blames(&temu(31), false));
    assert_eq!(run.limit(), 1, "a check shows nothing of the vault's keeping");
    let summary = run.into_summary();
    assert_eq!((summary.verified, summary.reminded), (30, 1));
}

#[test]
fn a_cohort_that_ends_in_one_hour_is_no_mass_refusal() {
    let mut run = run();
    for n in 0..1_000 {
        assert!(run.admit(&key("us", n)));
        run.record(&key("us", n), &refusal_when(true, "us", n));
    }
    assert!(run.goes_on() && !run.leaves_alone(&key("us", 0).app));
    assert!(run.blames_expected(&key("us", 0)));
    assert_eq!(run.into_summary().refused, 1_000);
}

#[test]
fn what_had_ended_before_is_evidence_of_nothing() {
    let mut run = run();
    let of_ended = |outcome: Result<Outcome, StoreError>| outcome.map(|outcome| Outcome::OfEnded(Box::new(outcome)));
    for n in 0..100 {
        run.record(&key("us", n), &of_ended(refusal("us", n)));
        run.record(&key("us", n), &of_ended(Ok(Outcome::Transient { outage: true })));
        run.record(&key("us", n), &of_ended(Ok(Outcome::VaultFault(vault_error()))));
    }
    assert!(run.goes_on() && !run.leaves_alone(&key("us", 0).app), "no breaker opens");
    for n in 0..6 {
        run.record(&key("us", n), &refusal("us", n));
    }
    assert!(run.leaves_alone(&key("us", 0).app), "and a mass refusal is seen all the same");
}
