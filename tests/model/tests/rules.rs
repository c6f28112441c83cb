//! Every rule holds, whatever the order and whatever goes wrong. `cargo test -p model -- --nocapture` prints how many
//! states there were.

use model::{Beginning, Config, FROZEN, explore};

/// Some refreshes at a time.
#[test]
fn workers() {
    explore("three workers, two troubles", Config { workers: 3, troubles: 2, ..Config::default() });
}

#[test]
fn frozen_workers() {
    let config = Config { workers: 3, longest_work: FROZEN, ..Config::default() };
    explore("three workers, frozen", config);
    let config = Config { grants: 1, troubles: 0, longest_work: FROZEN, ..Config::default() };
    explore("two workers, frozen, and a grant", config);
}

#[test]
fn clocks_apart() {
    let config = Config { longest_work: FROZEN, clocks: &[0, 120, -120], ..Config::default() };
    explore("two workers, minutes apart", config);
    let config = Config { workers: 1, grants: 1, clocks: &[0, 5, -5], ..Config::default() };
    explore("a worker and a grant, seconds apart", config);
}

#[test]
fn new_grants() {
    explore("two workers and a grant", Config { grants: 1, ..Config::default() });
    explore("a worker and two grants", Config { workers: 1, grants: 2, ..Config::default() });
}

/// What is given to a session that refuses it is kept where it belongs, by the same rules.
#[test]
fn grants_by_sessions_for_another_connection() {
    let config = Config { grants: 1, elsewhere: true, ..Config::default() };
    explore("two workers and a grant by a session for another connection", config);
    explore("the same with a disconnect", Config { disconnects: 1, troubles: 0, ..config });
    let config = Config { workers: 1, leaves: 1, notices: 1, ..config };
    explore("a worker and such a grant, and the seller leaves", config);
}

#[test]
fn first_connections() {
    let config = Config { workers: 1, grants: 2, beginning: Beginning::Nothing, ..Config::default() };
    explore("a worker and two first grants", config);
    explore("the same, to be confirmed", Config { confirm: true, ..config });
}

#[test]
fn disconnects() {
    let config = Config { grants: 1, disconnects: 1, troubles: 0, ..Config::default() };
    explore("two workers, a grant and a disconnect", config);
    explore("one worker, a grant and a disconnect, one trouble", Config { workers: 1, troubles: 1, ..config });
}

#[test]
fn sellers_who_leave() {
    let config = Config { leaves: 1, notices: 1, ..Config::default() };
    explore("two workers, and the seller leaves", config);
    explore("a worker and a grant, and the seller leaves", Config { workers: 1, grants: 1, ..config });
}

/// The operator restores the table, and the item is older than the vault.
#[test]
fn restores() {
    let config = Config { restores: 1, troubles: 0, ..Config::default() };
    explore("three workers and a restore", Config { workers: 3, ..config });
    explore("two workers, a grant and a restore", Config { grants: 1, ..config });
    explore("two workers and a restore, one trouble after it", Config { troubles: 1, ..config });
    explore("two workers, the seller leaves, and a restore", Config { leaves: 1, notices: 1, ..config });
    explore("two workers, a grant, a backup and a restore", Config { grants: 1, backups: 1, ..config });
    explore("two workers, a grant, a disconnect and a restore", Config { grants: 1, disconnects: 1, ..config });
}

/// The first authorization ends, and the seller may have renewed it where nobody told us.
#[test]
fn ends() {
    let soon = Config { end: Some(120), ..Config::default() };
    explore("two workers, and the authorization ends", soon);
    explore("two workers, frozen, and it is renewed", Config { renewals: 1, longest_work: FROZEN, ..soon });
    let one = Config { workers: 1, troubles: 0, ..soon };
    explore("a worker, a grant, and it is renewed", Config { renewals: 1, grants: 1, ..one });
    explore("a worker, it is renewed, and an end is announced", Config { renewals: 1, announcements: 1, ..one });
    explore("a worker, it is renewed, and the seller leaves", Config { renewals: 1, leaves: 1, notices: 1, ..one });
    explore(
        "a worker, it is renewed, and the item is restored",
        Config { renewals: 1, backups: 1, restores: 1, ..one },
    );
    let announced = Config { announcements: 1, ..Config::default() };
    explore("two workers, and an end is announced", announced);
}

/// Some minutes.
#[test]
#[ignore = "large: `make model`"]
fn larger() {
    let grant = Config { grants: 1, ..Config::default() };
    explore("two workers and a grant, two troubles", Config { troubles: 2, ..grant });
    explore("two workers and a grant, frozen", Config { longest_work: FROZEN, ..grant });
    explore("two workers and a grant, seconds apart", Config { clocks: &[0, 5, -5], ..grant });
    explore("a worker and two grants, two troubles", Config { workers: 1, grants: 2, troubles: 2, ..grant });
    explore("two workers and two grants", Config { grants: 2, ..grant });
    explore("two workers, a grant and a disconnect, one trouble", Config { disconnects: 1, ..grant });
    let config = Config { disconnects: 1, troubles: 0, longest_work: FROZEN, ..grant };
    explore("two workers, a grant and a disconnect, frozen", config);
    explore("two workers and a grant, and the seller leaves", Config { leaves: 1, notices: 1, troubles: 0, ..grant });
    explore("two workers, a seller who leaves, two notices", Config { grants: 0, leaves: 1, notices: 2, ..grant });
    explore("four workers", Config { workers: 4, ..Config::default() });
    let config = Config { backups: 1, restores: 1, troubles: 0, ..grant };
    explore("two workers, a grant, a disconnect, a backup and a restore", Config { disconnects: 1, ..config });
    explore("a worker, two grants, a backup and a restore", Config { workers: 1, grants: 2, ..config });
}

/// Some minutes.
#[test]
#[ignore = "large: `make model`"]
fn larger_ends() {
    let ends = Config { end: Some(120), renewals: 1, ..Config::default() };
    explore("two workers, and the authorization ends or is renewed, two troubles", Config { troubles: 2, ..ends });
    explore(
        "two workers, a grant, and the first authorization ends or is renewed",
        Config { grants: 1, troubles: 0, ..ends },
    );
    let told = Config { leaves: 1, notices: 1, announcements: 1, troubles: 0, ..ends };
    explore("two workers, it ends, is renewed or taken back, with notifications", told);
    let restored = Config { backups: 1, restores: 1, troubles: 0, ..ends };
    explore("two workers, it ends or is renewed, a backup and a restore", restored);
}
