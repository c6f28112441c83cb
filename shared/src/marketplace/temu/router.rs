//! Temu's routers, and which of them serve an app.
//!
//! Every call goes to a router. An app key, its secret and its tokens are known in one partition of the platform only; the
//! other partitions refuse them. Cross-border sellers' products lie in a partition with two routers, CN and PA: calls
//! migrate from CN to PA under new names, so a vendor needs both. (Temu's partition pages, documents 141858478483 and
//! 161805618337.)

use url::Url;

/// The app for cross-border sellers' products.
pub const PRODUCT_APP: &str = "product";

/// The path of every call at every router.
pub const ROUTER_PATH: &str = "/openapi/router";

/// A router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Router {
    /// Orders of cross-border sellers in the United States, and everything of local sellers there.
    Us,
    /// The same for the European Union and the United Kingdom.
    Eu,
    /// The same for the rest of the world.
    Global,
    /// Cross-border sellers' products: the calls that have migrated.
    Pa,
    /// Cross-border sellers' products: the calls that have not migrated yet.
    Cn,
}

/// Routers of one family give the same number to the same error. Across families a number means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// US, EU and GLOBAL: 3,000,000 and up.
    Regional,
    /// CN and PA: 7,000,000 and up.
    CrossBorder,
}

/// A router, and the address at which this installation calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterAddress {
    /// Which one.
    pub router: Router,
    /// Its host, or that of a proxy before it.
    pub url: Url,
}

impl Router {
    /// Its name in the configuration and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Global => "global",
            Self::Pa => "pa",
            Self::Cn => "cn",
        }
    }

    /// Its real host.
    pub const fn host(self) -> &'static str {
        match self {
            Self::Us => "openapi-b-us.temu.com",
            Self::Eu => "openapi-b-eu.temu.com",
            Self::Global => "openapi-b-global.temu.com",
            Self::Pa => "openapi-b-partner.temu.com",
            Self::Cn => "openapi.kuajingmaihuo.com",
        }
    }

    /// Which table its error codes follow.
    pub const fn family(self) -> Family {
        match self {
            Self::Us | Self::Eu | Self::Global => Family::Regional,
            Self::Pa | Self::Cn => Family::CrossBorder,
        }
    }

    /// The call that tells whose a token is.
    pub const fn info_call(self) -> &'static str {
        match self {
            Self::Pa => "bg.open.accesstoken.info.get.global",
            Self::Us | Self::Eu | Self::Global | Self::Cn => "bg.open.accesstoken.info.get",
        }
    }
}

/// The apps that an installation can have, and the routers that serve each one's tokens, the preferred one first.
pub const APPS: [(&str, &[Router]); 4] = [
    ("us", &[Router::Us]),
    ("eu", &[Router::Eu]),
    ("global", &[Router::Global]),
    (PRODUCT_APP, &[Router::Pa, Router::Cn]),
];

/// The routers that serve the tokens of the app with this name; none if there is no such app.
pub fn routers_of(app: &str) -> &'static [Router] {
    APPS.into_iter().find(|(name, _)| *name == app).map_or(&[], |(_, routers)| routers)
}
