//! Where a connection stands, and why.

use serde::{Deserialize, Serialize};

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "Where a connection stands. `pending`: not committed yet, or waiting for your confirmation; served to \
        nobody. `active`: working. `reauthorization_required`: only the seller can help; `reason` says why. `disconnected`: \
        ended by you."
    )
)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Not committed yet, or waiting for the vendor's confirmation: served to nobody, refreshed by nobody.
    Pending,
    /// Working.
    Active,
    /// Only the seller can help.
    ReauthorizationRequired {
        /// Why.
        reason: Reason,
    },
    /// Ended by the vendor.
    Disconnected,
}

impl Status {
    /// Every status, as it stands in JSON.
    pub const NAMES: [&str; 4] = ["pending", "active", "reauthorization_required", "disconnected"];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::ReauthorizationRequired { .. } => "reauthorization_required",
            Self::Disconnected => "disconnected",
        }
    }
}

/// Why the seller has to authorize again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "Why the seller has to authorize again. `authorization_expired`: the time that the seller granted is \
        over. `refused`: the marketplace refused the refresh token, and that was confirmed. `rotation_lost`: the same, after an exchange whose \
        answer was lost. `deauthorized`: the seller took the authorization back. `replaced`: the seller had a new token \
        issued, which ended this one. `permissions_missing`: the seller took back a permission that you need."
    )
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The time that the seller granted is over.
    AuthorizationExpired,
    /// The marketplace refused the refresh token, and that was confirmed.
    Refused,
    /// The same, after an exchange whose answer never reached us: a one-time refresh token was probably spent.
    RotationLost,
    /// The seller took the authorization back.
    Deauthorized,
    /// The seller had a new token issued, which ended this one.
    Replaced,
    /// The seller took back a permission that the vendor needs.
    PermissionsMissing,
}

impl Reason {
    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationExpired => "authorization_expired",
            Self::Refused => "refused",
            Self::RotationLost => "rotation_lost",
            Self::Deauthorized => "deauthorized",
            Self::Replaced => "replaced",
            Self::PermissionsMissing => "permissions_missing",
        }
    }
}
