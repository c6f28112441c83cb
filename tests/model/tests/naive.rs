//! Each rule of the protocol is needed: without it, a counterexample is found.

use model::{Broken, Config, Naive, explore};

const WORKERS: Config = Config::SMALL;
const GRANT: Config = Config { workers: 1, grants: 1, troubles: 2, ..WORKERS };
const LEAVES: Config = Config { workers: 1, leaves: 1, notices: 1, troubles: 0, ..WORKERS };
const DISCONNECT: Config = Config { workers: 1, grants: 1, disconnects: 1, troubles: 0, ..WORKERS };

const ENDS: Config = Config { end: Some(120), renewals: 1, troubles: 0, ..WORKERS };

fn shows(naive: Naive, breaks: Broken, config: Config) {
    model::shows(&format!("{naive:?}"), breaks, Config { naive: Some(naive), ..config });
}

#[test]
fn a_commit_before_keep_loses_what_was_obtained() {
    shows(Naive::CommitsBeforeKeep, Broken::Stuck, WORKERS);
}

#[test]
fn without_looking_back_what_was_kept_is_lost() {
    shows(Naive::NeverLooksBack, Broken::LostThoughKept, WORKERS);
}

#[test]
fn an_item_that_is_older_than_the_vault_spends_what_is_spent() {
    shows(Naive::ReadsByVersion, Broken::LostThoughKept, Config { restores: 1, troubles: 0, ..WORKERS });
}

#[test]
fn an_item_whose_line_has_ended_spends_what_is_over() {
    shows(Naive::PassesOverAnother, Broken::SpentWhatHadEnded, Config { restores: 1, ..DISCONNECT });
}

#[test]
fn without_a_back_off_two_refusals_stem_from_one_cause() {
    shows(Naive::IgnoresBackOff, Broken::TwoStrikesInARow, Config { leaves: 1, troubles: 0, ..WORKERS });
}

#[test]
fn a_claim_shorter_than_the_work_lets_two_exchanges_overlap() {
    shows(Naive::ShortClaim, Broken::TwoExchanges, WORKERS);
}

#[test]
fn a_grant_outside_the_claim_is_lost() {
    shows(Naive::GrantWithoutClaim, Broken::LostThoughKept, GRANT);
}

#[test]
fn a_grant_is_looked_for_before_what_is_older() {
    shows(Naive::OldestFirst, Broken::LostThoughKept, GRANT);
}

#[test]
fn who_takes_over_remembers_the_attempts_before() {
    shows(Naive::TakeoverForgets, Broken::NotSaidRotationLost, WORKERS);
}

#[test]
fn a_grant_remembers_the_refresh_under_way() {
    shows(Naive::GrantForgets, Broken::LostThoughKept, Config { ends_old: false, ..GRANT });
}

#[test]
fn a_notice_that_came_during_the_work_stays() {
    shows(Naive::CommitClearsNotice, Broken::NoticeLost, LEAVES);
}

#[test]
fn an_outcome_belongs_to_a_claim() {
    shows(Naive::OutcomeWithoutClaim, Broken::LostThoughKept, GRANT);
}

#[test]
fn a_disconnect_ends_a_grant_that_is_being_stored() {
    shows(Naive::CommitAfterDisconnect, Broken::Resurrected, DISCONNECT);
}

#[test]
fn a_deletion_that_came_too_late_is_taken_back() {
    shows(Naive::NeverRestores, Broken::SecretDeleted, DISCONNECT);
}

#[test]
fn the_marketplace_says_whether_an_authorization_has_ended() {
    shows(Naive::ExpiresUnasked, Broken::LostThoughKept, ENDS);
}

#[test]
fn a_refusal_at_the_known_end_is_the_end() {
    shows(Naive::EndSaysNothing, Broken::NotSaidExpired, ENDS);
}

#[test]
fn an_announced_end_ends_nothing() {
    shows(Naive::AnnouncedExpires, Broken::LostThoughKept, Config { announcements: 1, ..ENDS });
}

#[test]
fn an_unsettled_exchange_may_be_why_a_renewed_authorization_is_refused_at_its_end() {
    shows(Naive::ExpiresUnsettled, Broken::NotSaidRotationLost, Config { troubles: 1, ..ENDS });
}

/// Only what was claimed since the last commit is remembered, so that all that is found stems from the current token
/// set: the parent need not be looked at, unless that changes.
#[test]
fn the_parent_is_a_second_line() {
    for config in [Config { workers: 3, ..WORKERS }, GRANT, Config { ends_old: false, ..GRANT }, DISCONNECT] {
        explore("any parent", Config { naive: Some(Naive::AnyParent), ..config });
    }
    shows(Naive::CommitKeepsAttempts, Broken::NotSaidLeft, Config { notices: 0, ..LEAVES });
    shows(Naive::AnyParentAndCommitKeepsAttempts, Broken::NotNewer, WORKERS);
}
