//! The marketplace: which refresh tokens it takes, under three ways to treat the old one.

use shop_keyring::{connection::end::AuthorizationEnd, time::Timestamp};

/// What becomes of the old refresh token by a refresh. The marketplace's papers do not say, so all three have to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// It stays valid.
    Stays,
    /// It stays valid until the new one is used.
    Grace,
    /// It works once.
    Strict,
}

/// How long an authorization lasts that is given or renewed, in seconds.
pub(crate) const YEAR: i64 = 365 * 86_400;

/// A refresh token, numbered in the order of issue.
pub(crate) type Token = u8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Issued {
    grant: u8,
    taken: bool,
}

/// A grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Granted {
    /// Whether it stands, its end aside.
    stands: bool,
    /// When it ends.
    ends_at: Option<Timestamp>,
}

impl Granted {
    fn is_over(self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }
}

/// What the marketplace knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Market {
    tokens: Vec<Issued>,
    grants: Vec<Granted>,
    /// Whether the seller has taken everything back.
    pub(crate) left: bool,
}

impl Market {
    /// A new authorization. The grants before may end by it, or not.
    pub(crate) fn authorize(&mut self, ends_old: bool, ends_at: Option<Timestamp>) -> Token {
        if ends_old {
            self.end_all();
        }
        self.left = false;
        self.grants.push(Granted { stands: true, ends_at });
        self.issue(self.grants.len() - 1)
    }

    /// Spends a refresh token; none if it is refused.
    pub(crate) fn refresh(&mut self, token: Token, rotation: Rotation, now: Timestamp) -> Option<Token> {
        if !self.takes(token, now) {
            return None;
        }
        let grant = self.tokens[usize::from(token)].grant;
        let (older, itself) = match rotation {
            Rotation::Stays => (true, true),
            Rotation::Grace => (false, true),
            Rotation::Strict => (false, false),
        };
        for (n, issued) in self.tokens.iter_mut().enumerate().filter(|(_, issued)| issued.grant == grant) {
            let stays = if n == usize::from(token) { itself } else { older };
            issued.taken &= stays || n > usize::from(token);
        }
        if rotation == Rotation::Strict {
            self.tokens.iter_mut().filter(|issued| issued.grant == grant).for_each(|issued| issued.taken = false);
        }
        Some(self.issue(usize::from(grant)))
    }

    /// The seller takes the authorization back.
    pub(crate) fn leave(&mut self) {
        self.end_all();
        self.left = true;
    }

    /// The seller renews the latest grant; the tokens stay.
    pub(crate) fn renew(&mut self, now: Timestamp) {
        if let Some(grant) = self.grants.last_mut() {
            grant.ends_at = Some(now.plus(YEAR));
        }
    }

    /// When the latest grant ends.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.grants.last()?.ends_at
    }

    /// Whether a refresh token is one that can be spent.
    pub(crate) fn takes(&self, token: Token, now: Timestamp) -> bool {
        self.tokens[usize::from(token)].taken && !self.grant(token).is_over(now)
    }

    /// Whether the grant that a token was issued under stands; then its access token works, too.
    pub(crate) fn stands(&self, token: Token, now: Timestamp) -> bool {
        let grant = self.grant(token);
        grant.stands && !grant.is_over(now)
    }

    /// What a response states about the end of the authorization.
    pub(crate) fn stated_end(&self, token: Token) -> AuthorizationEnd {
        self.grant(token).ends_at.map_or(AuthorizationEnd::Unsaid, AuthorizationEnd::At)
    }

    fn grant(&self, token: Token) -> Granted {
        self.grants[usize::from(self.tokens[usize::from(token)].grant)]
    }

    /// What orders token sets: the grant, and within it the order of issue.
    pub(crate) fn age(&self, token: Token) -> (u8, Token) {
        (self.tokens[usize::from(token)].grant, token)
    }

    fn issue(&mut self, grant: usize) -> Token {
        self.tokens.push(Issued { grant: small(grant), taken: true });
        small(self.tokens.len() - 1)
    }

    fn end_all(&mut self) {
        self.tokens.iter_mut().for_each(|issued| issued.taken = false);
        self.grants.iter_mut().for_each(|grant| grant.stands = false);
    }
}

fn small(n: usize) -> u8 {
    u8::try_from(n).unwrap()
}
