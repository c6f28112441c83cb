//! The vault, and the names of attempts and versions: fixed ones, so that equal histories are equal states.

use std::sync::LazyLock;

use shop_keyring::{
    connection::{
        Connection,
        end::{AuthorizationEnd, KnownEnd},
        settle::Kept,
    },
    names::{AttemptId, VersionId},
    secret::Secret,
    time::Timestamp,
    token_set::TokenSet,
};

use crate::market::Token;

/// An attempt, numbered in the order of the works' beginnings.
pub(crate) type Number = u8;

const MOST: u8 = 40;

static IDS: LazyLock<Vec<AttemptId>> = LazyLock::new(|| {
    let id = |n| serde_json::from_value(format!("00000000-0000-4000-8000-0000000000{n:02x}").into()).unwrap();
    (0..MOST).map(id).collect()
});

static VERSIONS: LazyLock<Vec<VersionId>> = LazyLock::new(|| IDS.iter().map(|id| id.version()).collect());

/// The product's name of an attempt.
pub(crate) fn id(number: Number) -> AttemptId {
    IDS[usize::from(number)]
}

/// The number of an attempt.
pub(crate) fn number(id: AttemptId) -> Number {
    position(IDS.iter().position(|known| *known == id))
}

/// The product's name of what an attempt keeps.
pub(crate) fn version(number: Number) -> VersionId {
    VERSIONS[usize::from(number)].clone()
}

/// The attempt that a version was kept under.
pub(crate) fn number_of(version: &VersionId) -> Number {
    position(VERSIONS.iter().position(|known| known == version))
}

fn position(found: Option<usize>) -> Number {
    u8::try_from(found.unwrap()).unwrap()
}

/// How long an access token lives, in seconds.
pub(crate) const LIFE: i64 = 7 * 86_400;

/// A token set as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Set {
    pub(crate) attempt: Number,
    pub(crate) token: Token,
    pub(crate) parent: Option<Number>,
    pub(crate) granted_at: Timestamp,
    /// What was known about the end of the authorization when it was obtained.
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) end_unclear: bool,
}

impl Set {
    /// One of an authorization of which no end is known.
    pub(crate) const fn new(attempt: Number, token: Token, parent: Option<Number>, granted_at: Timestamp) -> Self {
        Self { attempt, token, parent, granted_at, ends_at: None, end_unclear: false }
    }

    /// The same, with what a response stated about the end to one who knew this much.
    pub(crate) fn with_end(self, stated: AuthorizationEnd, known: KnownEnd, now: Timestamp) -> Self {
        let KnownEnd { at, unclear } = stated.after(known, now);
        Self { ends_at: at, end_unclear: unclear, ..self }
    }

    /// What was known about the end of the authorization.
    pub(crate) const fn known_end(self) -> KnownEnd {
        KnownEnd { at: self.ends_at, unclear: self.end_unclear }
    }

    /// What the product sees of it. Its access token lives from `now`: when it was issued does not matter here.
    pub(crate) fn kept(self, now: Timestamp) -> Kept {
        let set = TokenSet {
            access_token: Secret::new("access"),
            refresh_token: Some(Secret::new("refresh")),
            access_expires_at: now.plus(LIFE),
            authorization_expires_at: self.ends_at,
            end_unclear: self.end_unclear,
            scopes: Vec::new(),
            app_key: "app-key".into(),
            parent: self.parent.map(version),
            granted_at: self.granted_at,
        };
        Kept::new(&set, version(self.attempt))
    }
}

/// What the vault shows beside the token set that an item names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newest {
    /// Nothing that counts.
    Own,
    /// One that was obtained by way of it, from parent to parent.
    Later(Set),
    /// One of a later authorization, which began a line of its own.
    AnotherAuthorization,
}

/// One connection's secret: its versions, in the order of their puts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Vault {
    pub(crate) sets: Vec<Set>,
    /// Deleted, and in its recovery window.
    pub(crate) deleted: bool,
    /// Put so lately that a read may not show it yet.
    pub(crate) fresh: Vec<Number>,
}

impl Vault {
    /// A version, if it can be read.
    pub(crate) fn get(&self, attempt: Number) -> Option<Set> {
        self.sets.iter().find(|set| set.attempt == attempt).copied().filter(|_| !self.deleted)
    }

    /// How what was put last and can be seen stands to the token set that this item names.
    pub(crate) fn newest(&self, item: &Connection, unseen: &[Number]) -> Newest {
        let version = item.secret_version.as_ref().map(number_of);
        let newest = self.sets.iter().rev().find(|set| !unseen.contains(&set.attempt)).copied();
        let Some(newest) = newest.filter(|set| !self.deleted && Some(set.attempt) != version) else {
            return Newest::Own;
        };
        let mut ancestor = newest;
        while let Some(parent) = ancestor.parent.and_then(|parent| self.get(parent)) {
            if Some(parent.attempt) == version {
                return Newest::Later(newest);
            }
            ancestor = parent;
        }
        if newest.granted_at > item.granted_at { Newest::AnotherAuthorization } else { Newest::Own }
    }

    /// A grant's put: creates the secret, or takes its deletion back.
    pub(crate) fn put(&mut self, set: Set) {
        self.deleted = false;
        if !self.sets.contains(&set) {
            self.sets.push(set);
            self.fresh.push(set.attempt);
        }
    }

    /// A refresh's put: a secret that is deleted stays so. Whether it was kept.
    pub(crate) fn put_again(&mut self, set: Set) -> bool {
        let there = !self.deleted && !self.sets.is_empty();
        if there {
            self.put(set);
        }
        there
    }
}
