//! Temu's gateways: the partitions of the platform in which apps are registered, and the routers of each.
//!
//! Every call goes to a router. An app key, its secret and its tokens are known in one partition of the platform only; the
//! other partitions refuse them. Cross-border sellers' products lie in a partition with two routers, CN and PA: calls
//! migrate from CN to PA under new names, so a vendor needs both. (Temu's partition pages, documents 141858478483 and
//! 161805618337.)

use serde::{Deserialize, Serialize};
use url::Url;

/// The path of every call at every router.
pub const ROUTER_PATH: &str = "/openapi/router";

/// A partition of the platform. An app is registered in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gateway {
    /// Orders of cross-border sellers in the United States, and everything of local sellers there.
    Us,
    /// The same for the European Union and the United Kingdom.
    Eu,
    /// The same for the rest of the world, and the compliance calls of every cross-border seller.
    Global,
    /// Cross-border sellers' products.
    CnPa,
}

impl Gateway {
    /// Every gateway.
    pub const ALL: [Self; 4] = [Self::Us, Self::Eu, Self::Global, Self::CnPa];

    /// Its name in the registry of apps.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Global => "global",
            Self::CnPa => "cn-pa",
        }
    }

    /// The routers that serve its tokens, the preferred one first.
    pub const fn routers(self) -> &'static [Router] {
        match self {
            Self::Us => &[Router::Us],
            Self::Eu => &[Router::Eu],
            Self::Global => &[Router::Global],
            Self::CnPa => &[Router::Pa, Router::Cn],
        }
    }
}

/// A router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
