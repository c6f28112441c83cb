//! The names of things, parsed once at the edge. Depends on nothing of this crate.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de::Error as _};
use uuid::Uuid;

/// A name that breaks its rule. The offending text is not repeated: it may be a pasted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {rule}")]
pub struct InvalidName {
    /// What it should have been.
    pub what: &'static str,
    /// What it has to look like.
    pub rule: &'static str,
}

/// Where sellers have their shops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MarketplaceName {
    /// TikTok Shop.
    TikTokShop,
    /// Temu.
    Temu,
}

impl MarketplaceName {
    /// Every marketplace.
    pub const ALL: [Self; 2] = [Self::TikTokShop, Self::Temu];

    /// As it stands in keys, paths and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TikTokShop => "tiktok-shop",
            Self::Temu => "temu",
        }
    }

    /// As people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::TikTokShop => "TikTok Shop",
            Self::Temu => "Temu",
        }
    }

    /// Whether a token can be renewed without the seller. Temu has no such call: a token lives until it ends, is
    /// issued anew or taken back, so its connections are watched instead.
    pub const fn has_refresh(self) -> bool {
        match self {
            Self::TikTokShop => true,
            Self::Temu => false,
        }
    }
}

impl FromStr for MarketplaceName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or(InvalidName { what: "marketplace", rule: "`tiktok-shop` or `temu`" })
    }
}

impl fmt::Display for MarketplaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Serde by `Display` and `FromStr`, so that nothing unparsed gets in.
macro_rules! serde_by_text {
    ($name:ty) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

/// A newtype over a string with a rule.
macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err(InvalidName { what: $what, rule: $rule }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        serde_by_text!($name);
    };
}

/// Safe in a path, a key and the name of a secret: no `/`, nothing that needs escaping, no `.` or `..`.
fn is_path_segment(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && text.bytes().any(|byte| byte != b'.')
}

text_name!(
    /// The vendor's registration at a marketplace for one of its sites, e.g. `us` or `global`.
    AppName, "app", "1-32 lower-case letters, digits and `-`",
    |text| (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
);
text_name!(
    /// The marketplace's own id of a seller: TikTok Shop's `open_id`, Temu's `mallId`.
    SellerId, "seller id", "1-256 letters, digits, `-`, `_` and `.`",
    |text| is_path_segment(text, 256)
);
text_name!(
    /// The marketplace's own id of a shop.
    ShopId, "shop id", "1-128 letters, digits, `-`, `_` and `.`",
    |text| is_path_segment(text, 128)
);
text_name!(
    /// The vendor's own customer, an opaque string of the vendor's.
    AccountId, "account id", "1-256 characters without control characters",
    |text| (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control)
);

/// What people read in place of an id, in the vendor's own words. Without the blanks around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(String);

impl Label {
    /// Longest label, in characters, with the blanks around it.
    const LONGEST: usize = 256;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let trimmed = text.trim();
        if !trimmed.is_empty() && text.chars().count() <= Self::LONGEST && !text.chars().any(char::is_control) {
            Ok(Self(trimmed.to_owned()))
        } else {
            let rule = "1-256 characters, not only blanks, without control characters";
            Err(InvalidName { what: "label", rule })
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_name!(
    /// The vault's name for one kept token set, as Secrets Manager answered it.
    VersionId, "version id", "32-64 letters, digits and `-`",
    |text| (32..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
);

/// One claim on a connection, and the id under which the token set that it obtains is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(Uuid);

impl AttemptId {
    /// A new random id.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id that the vault gives to what is kept under this attempt.
    pub fn version(self) -> VersionId {
        VersionId(self.0.to_string())
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An app at its marketplace: `tiktok-shop/us`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppKeyPath {
    /// Where it is registered.
    pub marketplace: MarketplaceName,
    /// Its name in this installation.
    pub app: AppName,
}

impl FromStr for AppKeyPath {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let rule = InvalidName { what: "app", rule: "`{marketplace}/{app}`" };
        let (marketplace, app) = text.split_once('/').ok_or(rule)?;
        Ok(Self { marketplace: marketplace.parse()?, app: app.parse()? })
    }
}

impl fmt::Display for AppKeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.marketplace, self.app)
    }
}

/// The key of a connection: `{marketplace}/{app}/{seller_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionKey {
    /// The marketplace and the app that the seller authorized.
    pub app: AppKeyPath,
    /// Who authorized it.
    pub seller_id: SellerId,
}

impl FromStr for ConnectionKey {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let rule = InvalidName { what: "connection", rule: "`{marketplace}/{app}/{seller_id}`" };
        let (app, seller_id) = text.rsplit_once('/').ok_or(rule)?;
        Ok(Self { app: app.parse()?, seller_id: seller_id.parse()? })
    }
}

impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.seller_id)
    }
}

serde_by_text!(MarketplaceName);
serde_by_text!(AppKeyPath);
serde_by_text!(ConnectionKey);
serde_by_text!(Label);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_key_reads_back() {
        let text = "tiktok-shop/us/jKlhBwAAAADxnvrRWZm0h5wx9isd-_7.1";
        assert_eq!(text.parse::<ConnectionKey>().unwrap().to_string(), text);
    }

    #[test]
    fn a_label_is_text_for_people() {
        let read = |text: &str| text.parse::<Label>().map(|label| label.to_string()).ok();
        let longest = "ü".repeat(256);
        assert_eq!(read("  Nina’s attic, US ").as_deref(), Some("Nina’s attic, US"));
        assert_eq!(read(&longest).as_deref(), Some(longest.as_str()));
        for text in ["", " \u{3000} ", "a\nb", "\u{7}", "a\u{9b}", &format!("{longest}x")] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_could_mean_another_path_is_refused() {
        for text in [
            "",
            "tiktok-shop",
            "tiktok-shop/us",
            "tiktok-shop/us/",
            "tiktok-shop/us/..",
            "tiktok-shop/us/a/b",
            "tiktok-shop/us/a%2Fb",
            "tiktok-shop/US/a",
            "elsewhere/us/a",
            "tiktok-shop//a",
            "/tiktok-shop/us/a",
        ] {
            assert!(text.parse::<ConnectionKey>().is_err(), "{text}");
        }
    }
}
