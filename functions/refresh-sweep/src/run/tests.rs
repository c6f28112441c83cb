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
fn one_at_a_time_in_each_lane_until_the_vault_has_kept() {
    let (mut run, us) = (run(), key("us", 0).app);
    assert_eq!((run.limit(), run.limit_of(&us)), (4, 1));
    run.record(&key("us", 1), &Ok(Outcome::Skipped(NotClaimed::Held)));
    assert_eq!((run.limit(), run.limit_of(&us)), (4, 1));
    run.record(&key("us", 1), &Ok(Outcome::Refused(Verdict::Doubted)));
    assert_eq!((run.limit(), run.limit_of(&us)), (4, 1), "nothing was stored");
    run.record(&key("us", 1), &Ok(Outcome::Refreshed));
    assert_eq!((run.limit(), run.limit_of(&us)), (32, 32));
    assert_eq!(run.limit_of(&key("global", 1).app), 1, "its own marketplace has not responded yet");
}

#[test]
fn an_open_breaker_stops_its_lane_and_one_whose_time_has_passed_is_tried_by_one() {
    let (mut run, us) = (run(), key("us", 0).app);
    run.record(&key("global", 1), &Ok(Outcome::Refreshed));
    let refuse = Admission::Refuse { retry_after: 60 };
    run.see(|app| if *app == us { refuse } else { Admission::Pass });
    assert!(!asks_for(&run, "us") && asks_for(&run, "global"));
    run.see(|_| refuse);
    assert!(!asks(&run) && run.takes_from(&Lane::Chores), "no breaker stops the chores");
    run.see(|_| Admission::NeedsTurn);
    assert_eq!((asks(&run), run.limit_of(&us)), (true, 1));
    run.see(|app| if *app == us { refuse } else { Admission::Pass });
    run.leave_read(1);
    let summary = run.into_summary(Ages::default());
    assert_eq!((summary.due, summary.skipped, summary.lanes_stopped, summary.stopped), (1, 1, 1, None));
}

#[test]
fn each_response_that_the_rate_limit_is_reached_halves_its_lane() {
    let (mut run, us) = (run(), key("us", 0).app);
    run.record(&key("global", 1), &Ok(Outcome::Refreshed));
    run.record(&key("us", 1), &Ok(Outcome::Refreshed));
    let limits = [16, 8, 4, 2, 1, 0];
    for limit in limits {
        run.record(&key("us", 1), &Ok(Outcome::RateLimited));
        assert_eq!(run.limit_of(&us), limit);
    }
    assert!(!asks_for(&run, "us") && asks_for(&run, "global"));
    assert_eq!(run.limit_of(&key("global", 1).app), 32);
}

#[test]
fn what_only_the_breakers_judge_stops_nothing_by_itself() {
    let mut run = run();
    for n in 0..20 {
        run.record(&key("us", n), &Ok(Outcome::KeepFailed(vault_error())));
        run.record(&key("us", n), &Ok(Outcome::Misconfigured("wrong secret".into())));
        run.record(&key("us", n), &Ok(Outcome::Transient));
        run.record(&key("us", n), &Ok(Outcome::OtherAppKey));
        run.record(&key("us", n), &Ok(Outcome::DeletionFailed(vault_error())));
        run.record(&key("us", n), &Ok(Outcome::Refused(Verdict::Doubted)));
        run.record(&key("us", n), &Ok(Outcome::OfEnded(Box::new(Outcome::VaultFault(vault_error())))));
    }
    assert!(asks_for(&run, "us"));
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
    assert_eq!(run.limit(), 4);
    let summary = run.into_summary(Ages::default());
    assert_eq!((summary.verified, summary.reminded), (30, 1));
}
