//! The four functions by name.

use std::fmt;

/// One of the keyring's functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// What sellers hit.
    OauthCallback,
    /// What token-lookup invokes for one connection.
    RefreshOnDemand,
    /// What the schedule triggers.
    RefreshSweep,
    /// What the vendor's services call.
    TokenLookup,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OauthCallback, Self::RefreshOnDemand, Self::RefreshSweep, Self::TokenLookup];

    /// The name of the function. cargo-lambda knows functions by the binaries of `functions/Cargo.toml`, beside this crate's
    /// sources.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OauthCallback => "oauth-callback",
            Self::RefreshOnDemand => "refresh-on-demand",
            Self::RefreshSweep => "refresh-sweep",
            Self::TokenLookup => "token-lookup",
        }
    }

    /// The name of its binary.
    pub const fn binary(self) -> &'static str {
        match self {
            Self::RefreshOnDemand => Self::RefreshSweep.name(),
            _ => self.name(),
        }
    }

    /// The access key id that its processes sign their calls to AWS with: who has made a call stands in the fronts' logs.
    pub const fn access_key_id(self) -> &'static str {
        match self {
            Self::OauthCallback => "AKIDOAUTHCALLBACK",
            Self::RefreshOnDemand => "AKIDREFRESHONDEMAND",
            Self::RefreshSweep => "AKIDREFRESHSWEEP",
            Self::TokenLookup => "AKIDTOKENLOOKUP",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
