use proptest::prelude::*;

use super::*;

const T0: Timestamp = Timestamp(1_800_000_000);

fn host() -> Breaker {
    Breaker::Host(Host("auth.tiktok-shops.com".into()))
}

fn lane() -> Breaker {
    Breaker::Lane("tiktok-shop/us".parse().unwrap())
}

fn id() -> AttemptId {
    AttemptId::random()
}

/// The state after failures of these connections, a second apart.
fn after(breaker: &Breaker, connections: &[&str]) -> State {
    let mut state = State::default();
    for (second, by) in (0..).zip(connections) {
        state = state.failed(breaker, by, id(), T0.plus(second)).unwrap_or(state);
    }
    state
}

fn is_open(state: &State) -> bool {
    state.open_until().is_some()
}

#[test]
fn a_host_is_left_alone_after_five_different_connections_in_a_row() {
    assert!(!is_open(&after(&host(), &["a", "b", "c", "d"])));
    assert!(!is_open(&after(&host(), &["a", "b", "a", "b", "a", "b"])), "two connections");
    let open = after(&host(), &["a", "b", "c", "d", "e"]);
    assert_eq!(open.admission(T0.plus(4)), Admission::Refuse { retry_after: 60 });
    assert_eq!(open.admission(T0.plus(64)), Admission::NeedsTurn);
    assert_eq!(open.failed(&host(), "f", id(), T0.plus(5)), None, "those under way change nothing");
}

#[test]
fn an_app_is_left_alone_after_three_and_at_once_if_its_secret_cannot_be_read() {
    assert!(!is_open(&after(&lane(), &["a", "b"])));
    assert!(is_open(&after(&lane(), &["a", "b", "c"])));
    assert!(is_open(&State::default().failed_for_all(id(), T0).unwrap()));
}

#[test]
fn a_success_in_between_and_failures_far_apart_open_nothing() {
    let four = after(&host(), &["a", "b", "c", "d"]);
    let succeeded = four.succeeded(T0.plus(3)).unwrap();
    assert!(!is_open(&succeeded.failed(&host(), "e", id(), T0.plus(4)).unwrap()));
    assert_eq!(succeeded.succeeded(T0.plus(5)), None, "once is enough");
    assert_eq!(succeeded.failed(&host(), "e", id(), T0.plus(3)), None, "a failure from before it came late");
    let late = four.failed(&host(), "e", id(), T0.plus(WITHIN + 1)).unwrap();
    assert!(!is_open(&late), "three of them are within three minutes");
    assert!(is_open(&four.failed(&host(), "e", id(), T0.plus(WITHIN)).unwrap()));
}

#[test]
fn each_try_that_fails_doubles_the_time_up_to_a_quarter_of_an_hour() {
    let (mut state, mut now) = (after(&host(), &["a", "b", "c", "d", "e"]), T0.plus(4));
    let mut waits = Vec::new();
    for _ in 0..6 {
        let until = state.open_until().unwrap();
        waits.push(until.since(now));
        now = until;
        assert_eq!(state.with_turn(id(), now.plus(-1)), None, "not yet");
        state = state.with_turn(id(), now).unwrap();
    }
    assert_eq!(waits, [60, 120, 240, 480, 900, 900]);
}

#[test]
fn only_who_has_the_turn_closes() {
    let open = after(&host(), &["a", "b", "c", "d", "e"]);
    let (mine, now) = (id(), T0.plus(100));
    let tried = open.with_turn(mine, now).unwrap();
    assert_eq!(tried.with_turn(id(), now), None, "the turn is taken");
    assert_eq!(tried.closed_by(id(), now), None, "a call that began before it was opened");
    let closed = tried.closed_by(mine, now.plus(1)).unwrap();
    assert_eq!(closed.admission(now.plus(1)), Admission::Pass);
    assert_eq!(open.closed_by(mine, now), None);
}

#[test]
fn a_turn_that_was_not_used_is_given_back() {
    let open = after(&host(), &["a", "b", "c", "d", "e"]);
    let (mine, now) = (id(), T0.plus(100));
    let tried = open.with_turn(mine, now).unwrap();
    assert_eq!(tried.given_back(mine, &open), Some(open.clone()));
    assert_eq!(tried.given_back(id(), &open), None);
    assert!(open.with_turn(id(), now).is_some(), "the next one may try at once");
}

#[test]
fn the_time_starts_short_again_after_a_quarter_of_an_hour_closed() {
    let (mine, now) = (id(), T0.plus(100));
    let tried = after(&lane(), &["a", "b", "c"]).with_turn(mine, now).unwrap();
    let closed = tried.closed_by(mine, now).unwrap();
    let again = |later| {
        let mut state = closed.clone();
        for by in ["a", "b", "c"] {
            state = state.failed(&lane(), by, id(), now.plus(later)).unwrap();
        }
        state.open_until().unwrap().since(now.plus(later))
    };
    assert_eq!((again(FORGIVEN_AFTER - 1), again(FORGIVEN_AFTER)), (120, 60));
}

#[test]
fn the_vault_opens_at_the_first_failed_put_and_closes_when_that_put_succeeds() {
    let (mine, other) = (id(), id());
    let open = State::default().failed(&Breaker::Vault, "a", mine, T0).unwrap();
    assert_eq!(open.admission(T0), Admission::Refuse { retry_after: 60 });
    assert_eq!(open.failed(&Breaker::Vault, "a", mine, T0.plus(1)), None, "its own next try");
    assert_eq!(open.closed_by(mine, T0.plus(1)), Some(State::default()), "one lost packet leaves nothing behind");
    let grown = open.failed(&Breaker::Vault, "b", other, T0.plus(1)).unwrap();
    assert_eq!(grown.admission(T0.plus(1)), Admission::Refuse { retry_after: 120 });
    assert_eq!(grown.closed_by(mine, T0.plus(2)), None, "it was not only that one");
    assert_eq!(grown.failed(&Breaker::Vault, "c", id(), T0.plus(2)), None, "those under way let it grow once");
}

#[test]
fn a_marketplace_that_asks_to_wait_is_left_alone_so_long_but_not_for_hours() {
    let waits = |wait| State::default().asked_to_wait(wait, id(), T0).unwrap().admission(T0);
    assert_eq!(waits(30), Admission::Refuse { retry_after: 30 });
    assert_eq!(waits(86_400), Admission::Refuse { retry_after: LONGEST_WAIT });
    let open = State::default().asked_to_wait(600, id(), T0).unwrap();
    assert_eq!(open.asked_to_wait(30, id(), T0), None, "the longer one holds");
}

#[test]
fn a_wait_that_is_asked_for_again_and_again_does_not_grow() {
    let (mut state, mut now) = (State::default().asked_to_wait(5, id(), T0).unwrap(), T0);
    for _ in 0..6 {
        now = state.open_until().unwrap();
        let mine = id();
        state = state.with_turn(mine, now).unwrap();
        let asked = state.asked_to_wait(5, mine, now).unwrap();
        assert_eq!(asked.asked_to_wait(5, mine, now), None, "a second time changes nothing");
        state = asked;
        assert_eq!(state.admission(now), Admission::Refuse { retry_after: 5 });
    }
    let mine = id();
    let closed = state.with_turn(mine, now.plus(5)).unwrap().closed_by(mine, now.plus(6)).unwrap();
    assert_eq!(closed, State::default(), "nothing was wrong");
}

#[test]
fn a_secret_that_still_cannot_be_read_is_tried_less_and_less() {
    let mut state = State::default().failed_for_all(id(), T0).unwrap();
    assert_eq!(state.failed_for_all(id(), T0), None);
    for wait in [120, 240, 480, 900] {
        let now = state.open_until().unwrap();
        state = state.failed_for_all(id(), now).unwrap();
        assert_eq!(state.admission(now), Admission::Refuse { retry_after: wait });
    }
}

#[test]
fn an_end_that_a_wrong_clock_wrote_counts_as_passed() {
    let open = State::default().asked_to_wait(LONGEST_WAIT, id(), T0.plus(86_400)).unwrap();
    assert_eq!(open.admission(T0), Admission::NeedsTurn);
    assert!(open.with_turn(id(), T0).is_some());
}

#[test]
fn hosts_keep_an_unusual_port() {
    let of = |url: &str| Breaker::Host(Host::of(&url.parse().unwrap())).to_string();
    assert_eq!(of("https://auth.tiktok-shops.com/api"), "host/auth.tiktok-shops.com");
    assert_eq!(of("http://127.0.0.1:8080"), "host/127.0.0.1:8080");
}

#[derive(Debug, Clone)]
enum Step {
    Fail(u8),
    Succeed,
    Try,
    Close,
    GiveBack,
    FailForAll,
    Wait(i64),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..8).prop_map(Step::Fail),
        Just(Step::Succeed),
        Just(Step::Try),
        Just(Step::Close),
        Just(Step::GiveBack),
        Just(Step::FailForAll),
        (0_i64..2_000).prop_map(Step::Wait),
        (0_i64..1_000).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Whatever happens, a breaker refuses for a quarter of an hour at most, then gives a turn, and a success in that turn
    /// closes it.
    #[test]
    fn from_every_state_a_success_leads_to_closed(steps in prop::collection::vec(step(), 0..40), which in 0_usize..3) {
        let breaker = [host(), lane(), Breaker::Vault][which].clone();
        let (mut state, mut now, mut turn) = (State::default(), T0, (id(), State::default()));
        for step in steps {
            let next = match step {
                Step::Fail(by) => state.failed(&breaker, &by.to_string(), id(), now),
                Step::Succeed => state.succeeded(now),
                Step::Try => {
                    let mine = id();
                    let tried = state.with_turn(mine, now);
                    if tried.is_some() {
                        turn = (mine, state.clone());
                    }
                    tried
                }
                Step::Close => state.closed_by(turn.0, now),
                Step::GiveBack => state.given_back(turn.0, &turn.1),
                Step::FailForAll => state.failed_for_all(id(), now),
                Step::Wait(wait) => state.asked_to_wait(wait, id(), now),
                Step::Pass(seconds) => {
                    now = now.plus(seconds);
                    None
                }
            };
            if let Some(next) = next {
                let change = Change::Succeeded { at: now };
                let twice = change.apply(&breaker, &next).and_then(|once| change.apply(&breaker, &once));
                prop_assert_eq!(twice, None);
                state = next;
            }
            if let Admission::Refuse { retry_after } = state.admission(now) {
                prop_assert!((1..=900).contains(&retry_after));
            }
            let read: State = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            prop_assert_eq!(&read, &state);
        }
        now = now.plus(901);
        if let Some(tried) = state.with_turn(turn.0, now) {
            state = tried.closed_by(turn.0, now).unwrap();
        }
        prop_assert_eq!(state.admission(now), Admission::Pass);
    }
}
