//! Whether a refusal ends a connection, whatever its lane meets. `cargo test -p model -- --nocapture` prints how many states
//! there were.

use model::verdict::{Broken, Config, Incident, Lane, Naive, explore};

const ALONE: Config = Config::ALONE;
const PAIR: Config = Config::PAIR;
const SIX: Config = Config::SIX;

#[test]
fn one_connection() {
    explore("alone, everybody refused", ALONE);
    explore("alone, everybody refused, by checks", Config { lane: Lane::Checked, ..ALONE });
    explore("alone, everybody refused, twice", Config { incidents: 2, ..ALONE });
    explore("alone, no incident", Config { incident: Incident::None, ..ALONE });
    explore("alone, at the end", Config { at_end: true, ..ALONE });
}

#[test]
fn two_connections() {
    explore("two, everybody refused", Config { troubles: 0, ..PAIR });
    let hours = Config { horizon: 2 * 3_600, ..PAIR };
    explore("two, everybody refused, one trouble, two hours", hours);
    for clock in [-5, 5] {
        explore("two, everybody refused, clocks apart, two hours", Config { clock, troubles: 0, ..hours });
    }
    explore("two, no incident", Config { incident: Incident::None, moments: 0, ..PAIR });
}

/// What is ended by mistake is asked again.
#[test]
fn two_connections_at_the_marketplaces_whim() {
    explore("two, whim", Config { incident: Incident::Whim, troubles: 0, horizon: 6 * 3_600, ..PAIR });
}

#[test]
fn six_connections() {
    let six = Config { together: true, ..SIX };
    explore("six, whim", six);
    explore("six, everybody refused", Config { incident: Incident::Everybody, ..six });
    let gone = Config { others: 6, incident: Incident::None, together: true, horizon: 31 * 3_600, ..SIX };
    explore("seven, no incident", gone);
}

#[test]
fn a_refusal_of_many_without_end() {
    explore("a large lane, refused for weeks", ENDLESS);
}

/// Everybody but the observed connection is modelled as a crowd.
const ENDLESS: Config = Config { crowd: true, incident: Incident::None, troubles: 0, horizon: 8 * 86_400, ..ALONE };

fn shows(naive: Naive, breaks: Broken, config: Config) {
    model::verdict::shows(&format!("{naive:?}"), breaks, Config { naive: Some(naive), troubles: 0, ..config });
}

#[test]
fn a_first_refusal_may_be_a_mistake() {
    shows(Naive::FirstIsBelieved, Broken::EndedAtOnce, ALONE);
}

#[test]
fn so_may_a_second_one() {
    shows(Naive::SecondIsBelieved, Broken::EndedThoughAlive, ALONE);
}

#[test]
fn an_acceptance_before_the_first_refusal_says_nothing() {
    shows(Naive::EarlierCounts, Broken::EndedThoughAlive, PAIR);
}

#[test]
fn what_counts_is_the_time_of_the_response() {
    shows(Naive::CountsWhenWritten, Broken::EndedThoughAlive, PAIR);
}

#[test]
fn clocks_differ() {
    shows(Naive::ClocksAgree, Broken::EndedThoughAlive, Config { clock: 5, ..PAIR });
}

/// The process dies after the marketplace has accepted the connection, and the incident goes on after a pause.
#[test]
fn its_own_acceptance_says_nothing() {
    let naive = Some(Naive::OwnCounts);
    let config = Config { naive, lane: Lane::Checked, incidents: 2, ..ALONE };
    model::verdict::shows("OwnCounts", Broken::EndedThoughAlive, config);
}

#[test]
fn second_looks_do_not_count() {
    let config = Config { others: 6, incident: Incident::None, together: true, processes: 1, moments: 0, ..SIX };
    shows(Naive::EveryLookCounts, Broken::EndedLate, Config { horizon: 40 * 3_600, ..config });
}

#[test]
fn a_connection_without_others_ends_after_a_day() {
    shows(Naive::NeverAlone, Broken::EndedLate, ALONE);
}

#[test]
fn a_connection_ends_after_seven_days_in_any_case() {
    shows(Naive::NoSevenDays, Broken::EndedLate, ENDLESS);
}

#[test]
fn an_ended_connection_is_asked_again() {
    shows(Naive::NeverAskedAgain, Broken::NotHealed, Config { incident: Incident::Whim, ..PAIR });
}

/// Known: the acceptance came after the refusal that it speaks against. The connection is asked again a day later.
#[test]
fn an_incident_that_ends_between_a_refusal_and_its_verdict_ends_a_connection() {
    let config = Config { ends_between: true, troubles: 0, ..PAIR };
    model::verdict::shows("ends between", Broken::EndedThoughAlive, config);
}

/// Known: the acceptance came in the pause. The connection is asked again a day later.
#[test]
fn an_incident_that_pauses_ends_a_connection() {
    let config = Config { incidents: 2, troubles: 0, ..PAIR };
    model::verdict::shows("a pause", Broken::EndedThoughAlive, config);
}

/// Some minutes.
#[test]
#[ignore = "large: `make model`"]
fn larger() {
    explore("two, everybody refused, one trouble", PAIR);
    explore("two, whim, one trouble", Config { incident: Incident::Whim, ..PAIR });
    explore("two, everybody refused, by checks", Config { lane: Lane::Checked, ..PAIR });
    let one_by_one = Config { incident: Incident::Everybody, processes: 1, moments: 0, horizon: 1_800, ..SIX };
    explore("six, one by one, everybody refused", one_by_one);
}
