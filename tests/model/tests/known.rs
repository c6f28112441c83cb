//! What is known and accepted: see the crate's documentation. If one of these is found no more, it has been mended, and
//! the documentation is to say so.

use model::{Broken, Config, FROZEN, shows};

#[test]
fn who_dies_in_a_deletion_may_leave_a_new_connection_without_its_secret() {
    let config = Config { workers: 1, grants: 1, disconnects: 1, forgives: false, ..Config::default() };
    shows("died in a deletion", Broken::SecretDeleted, config);
}

#[test]
fn a_callback_frozen_beyond_its_claim_may_lose_its_grant() {
    let config = Config { grants: 1, troubles: 0, longest_work: FROZEN, forgives: false, ..Config::default() };
    shows("frozen callback", Broken::LostThoughKept, config);
}

#[test]
fn two_grants_of_one_moment_cannot_be_ordered() {
    let config = Config { workers: 0, grants: 2, troubles: 0, between_grants: 0, ..Config::default() };
    shows("one moment", Broken::LostThoughKept, config);
}

#[test]
fn a_restore_may_take_a_refresh_for_the_authorization_that_it_raced_with() {
    let config = Config { workers: 1, grants: 1, restores: 1, troubles: 0, forgives: false, ..Config::default() };
    shows("restored after a race", Broken::LostThoughKept, config);
}
