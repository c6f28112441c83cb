//! Circuit breakers that several processes share. `cargo test -p model -- --nocapture` prints the number of states.

use model::gate::{Broken, Config, Market, Naive, explore};

const HOST: Config = Config::HOST;
const LANE: Config = Config::LANE;
const VAULT: Config = Config::VAULT;
const ENDED: Config = Config::ENDED;

#[test]
fn a_host_that_does_not_respond() {
    explore("host", HOST);
}

#[test]
fn a_misconfigured_app() {
    explore("lane", LANE);
}

#[test]
fn a_vault_that_fails() {
    explore("vault", VAULT);
}

#[test]
fn three_windows_that_have_ended() {
    explore("ended", ENDED);
}

fn shows(naive: Naive, breaks: Broken, config: Config) {
    model::gate::shows(&format!("{naive:?}"), breaks, Config { naive: Some(naive), ..config });
}

#[test]
fn a_try_is_written_ahead() {
    shows(Naive::NoWriteAhead, Broken::BeganWhileOpen, HOST);
}

/// Otherwise a process that dies leaves a breaker that nobody may close.
#[test]
fn a_turn_has_an_end() {
    shows(Naive::TurnWithoutEnd, Broken::StaysOpen, ENDED);
}

#[test]
fn only_the_turn_closes() {
    shows(Naive::AnyoneCloses, Broken::ClosedByOlder, HOST);
}

#[test]
fn a_write_is_conditional() {
    let well = Config { troubles: &[], vault_may_fail: false, ..ENDED };
    shows(Naive::BlindWrites, Broken::BeganWhileOpen, well);
}

/// Otherwise a breaker's window grows while another one is open, and recovery takes up to twice as long.
#[test]
fn an_unused_turn_is_given_back() {
    shows(Naive::KeepsTurns, Broken::StaysOpen, ENDED);
}

#[test]
fn a_view_becomes_stale() {
    shows(Naive::NeverReadsAgain, Broken::BeganWhileOpen, VAULT);
}

#[test]
fn the_vault_opens_at_the_first_failure() {
    shows(Naive::VaultNeedsThree, Broken::LostTooMany, VAULT);
}

const MISCONFIGURED: Config = Config { troubles: &[Market::Misconfigured], other_app: true, ..ENDED };

#[test]
fn a_misconfigured_app_keeps_the_vault_from_no_other_one() {
    explore("misconfigured beside another app", MISCONFIGURED);
}

/// Otherwise the misconfigured app takes the turn at the vault each time, and puts nothing.
#[test]
fn a_turn_at_the_vault_is_given_back_if_nothing_was_put() {
    shows(Naive::UsesUpVault, Broken::OtherAppNotServed, MISCONFIGURED);
}

/// Some minutes.
#[test]
#[ignore = "large: `make model`"]
fn larger() {
    explore("host, five at a time", Config { slots: 2, ..HOST });
    explore("host, late responses", Config { late: true, on_demand: false, attempts: 4, ..HOST });
    let lane = Config { on_demand: true, troubles: &[Market::Misconfigured, Market::AsksToWait], ..LANE };
    explore("lane, or asked to wait", Config { slots: 2, ..lane });
    explore("lane, a quarter of an hour later", Config { rests: 1, attempts: 5, ..LANE });
    explore("vault, five at a time", Config { runs: 2, slots: 2, attempts: 3, ..VAULT });
    explore("vault, late responses", Config { late: true, ..VAULT });
    explore("vault, twice", Config { changes: 2, moments: 2, deaths: 0, attempts: 5, ..VAULT });
    explore("ended, three exchanges", Config { attempts: 3, ..ENDED });
    explore("ended, two die", Config { on_demand: true, deaths: 2, changes: 2, ..ENDED });
}
