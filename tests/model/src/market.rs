//! The marketplace: which refresh tokens it takes, under three ways to treat the old one.

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

/// A refresh token, numbered in the order of issue.
pub(crate) type Token = u8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Issued {
    grant: u8,
    taken: bool,
}

/// What the marketplace knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Market {
    tokens: Vec<Issued>,
    /// Of each grant, whether it stands.
    grants: Vec<bool>,
    /// Whether the seller has taken everything back.
    pub(crate) left: bool,
}

impl Market {
    /// A new authorization. The grants before may end by it, or not.
    pub(crate) fn authorize(&mut self, ends_old: bool) -> Token {
        if ends_old {
            self.end_all();
        }
        self.left = false;
        self.grants.push(true);
        self.issue(self.grants.len() - 1)
    }

    /// Spends a refresh token; none if it is refused.
    pub(crate) fn refresh(&mut self, token: Token, rotation: Rotation) -> Option<Token> {
        if !self.takes(token) {
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

    /// Whether a refresh token is one that can be spent.
    pub(crate) fn takes(&self, token: Token) -> bool {
        self.tokens[usize::from(token)].taken
    }

    /// Whether the grant that a token was issued under stands; then its access token works, too.
    pub(crate) fn stands(&self, token: Token) -> bool {
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
        self.grants.fill(false);
    }
}

fn small(n: usize) -> u8 {
    u8::try_from(n).unwrap()
}
