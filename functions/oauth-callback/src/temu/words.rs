//! What is said of each field, and of each mistake: what happened, and what to do.

use shop_keyring::{connection::Purpose, marketplace::temu::Gateway, registry::AppConfig};

use super::{
    mistake::Mistake,
    offered::{Offered, SellerKind},
};

/// The label above a field: what the token is for.
pub(super) fn label(app: &Offered) -> String {
    let token = match app.purpose {
        Purpose::Product => "Temu Product Permission Token",
        Purpose::Compliance => "Temu Compliance Permission Token",
        Purpose::Order | Purpose::All => return format!("Temu Order Permission Token: {}", place(&app.config)),
    };
    app.config.label.as_ref().map_or_else(|| token.to_owned(), |label| format!("{token}: {label}"))
}

/// What this kind of seller knows a field by: a local seller has one field, and says where the store is.
pub(super) fn label_for(kind: SellerKind, app: &Offered) -> String {
    match (kind, app.purpose) {
        (SellerKind::Local, Purpose::All) => place(&app.config),
        _ => label(app),
    }
}

/// Where an app's stores are, or what the vendor calls the app.
pub(crate) fn place(app: &AppConfig) -> String {
    let place = match app.gateway() {
        Some(Gateway::Us) => "United States",
        Some(Gateway::Eu) => "Europe",
        Some(Gateway::Global | Gateway::CnPa) | None => "Global",
    };
    app.label.clone().unwrap_or_else(|| place.to_owned())
}

/// Which of Temu's seller centers has the token.
pub(super) const fn center(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Order | Purpose::All => "Semi-Fulfilled Cross-border Seller Center",
        Purpose::Product | Purpose::Compliance => "Cross-border Seller Center",
    }
}

/// What the top-left corner of that seller center must show.
pub(super) const fn corner(app: &AppConfig) -> &'static str {
    match app.gateway() {
        Some(Gateway::Us) => "Seller Central > US Region",
        Some(Gateway::Eu) => "Seller Central > EU Region",
        Some(Gateway::Global | Gateway::CnPa) | None => "Global",
    }
}

/// The way through the menus there. Sellers meet both.
pub(super) const fn menu(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Product => "Service Marketplace, then Authorization Management (or under System Management)",
        Purpose::Order | Purpose::All => {
            "System Management, then Authorization Management (or under Service Marketplace)"
        }
        Purpose::Compliance => {
            "Service Marketplace, then Authorization Management (or under System Management), there the part for orders"
        }
    }
}

/// A mistake in the seller's words, where the link is for the store `wanted` alone: there is one field, and no other way
/// to go on. Says nothing of what was pasted.
pub(super) fn words_for_one(
    mistake: &Mistake,
    wanted: &str,
    kind: Option<SellerKind>,
    vendor: &str,
    app_name: &str,
) -> String {
    let what = match mistake {
        Mistake::OtherSeller { mall, name } => {
            return format!(
                "This token belongs to {}, and this link is for {wanted} alone. Nothing has changed for {wanted}. Log in \
                 to Temu with the main account of {wanted}, and paste the token that you get there. If the other store \
                 was not connected to {vendor} before, its token was not kept, and you can take back its permission at \
                 Temu.",
                store(mall, name.as_deref())
            );
        }
        Mistake::NothingToReconnect => {
            return format!(
                "This link is to connect {wanted} anew, but it was removed from {vendor} meanwhile. Go back to \
                 {vendor}, and connect the store there as a new one."
            );
        }
        Mistake::WrongField { label, .. } => format!("This token works, but it is the one for “{label}”."),
        Mistake::WrongPurpose(Purpose::Product) => "This is a product token.".to_owned(),
        Mistake::WrongPurpose(_) => "This is an order token.".to_owned(),
        Mistake::LocalStore => "This is a local store’s token.".to_owned(),
        other => return words(other, kind, vendor, app_name),
    };
    format!("{what} This link is for {wanted} alone: at Temu, get the token for the app “{app_name}”, and paste it.")
}

/// A store that a token belongs to.
fn store(mall: &str, name: Option<&str>) -> String {
    name.map_or_else(|| format!("store {mall}"), |name| format!("“{name}” (store {mall})"))
}

/// A mistake in the seller's words. Says nothing of what was pasted.
pub(super) fn words(mistake: &Mistake, kind: Option<SellerKind>, vendor: &str, app_name: &str) -> String {
    match mistake {
        Mistake::NotAToken => {
            "This is not a token. A token is one line of letters and digits, without blanks. Copy it \
                               once more, all of it and nothing else."
                .to_owned()
        }
        Mistake::Unknown => format!(
            "Temu does not know this token. Copy it once more, all of it, and look that you copied it for the app \
             “{app_name}”."
        ),
        Mistake::ExpiredOrReplaced => {
            "This token has expired, or a newer one took its place. Authorize the app at Temu \
                                       once more, and paste the new token."
                .to_owned()
        }
        Mistake::NotAuthorized => format!(
            "This token is no longer authorized. Authorize the app “{app_name}” at Temu once more, and paste the new \
             token."
        ),
        Mistake::OtherApp => {
            format!("This token was given to another app. At Temu, choose the app “{app_name}”, and paste its token.")
        }
        Mistake::WrongField { purpose: Purpose::Product, .. } if kind == Some(SellerKind::Local) => {
            "This token works, but it is a cross-border store’s product token. Go on as a cross-border seller (below), \
             and paste it there."
                .to_owned()
        }
        Mistake::WrongField { label, .. } => {
            format!("This token works, but it belongs to another field: paste it under “{label}”.")
        }
        Mistake::WrongPurpose(Purpose::Product) => format!(
            "This is a product token, and here belongs one for orders. Get it for the app “{app_name}”, with what is \
             said here in the top-left corner. If you meant the field for products, paste it there."
        ),
        Mistake::WrongPurpose(_) => format!(
            "This is an order token, and here belongs one for products. Get it for the app “{app_name}”, with Global in \
             the top-left corner. If you meant a field for orders, paste it there."
        ),
        Mistake::OtherStore { mall, name } => format!(
            "This token belongs to {}, which is not the store of your other tokens here. If that is a mistake, paste \
             the other store’s token.",
            store(mall, name.as_deref())
        ),
        Mistake::OtherSeller { .. } | Mistake::NothingToReconnect => {
            words_for_one(mistake, "one store", kind, vendor, app_name)
        }
        Mistake::LocalStore => {
            "This is a local store’s token, and a local store has one token for everything. Go on as a local seller \
             (below), and paste it there."
                .to_owned()
        }
        Mistake::PermissionsMissing(labels) => format!(
            "This token works, but permissions that {vendor} needs are missing: {}. Authorize the app at Temu once \
             more with these, and paste the token that you get.",
            labels.join(", ")
        ),
        Mistake::TemuUnavailable => {
            "Temu did not answer, so the token could not be checked. You did everything right. \
                                     Wait a minute, and paste it once more."
                .to_owned()
        }
        Mistake::Misconfigured => format!(
            "This is not your fault: {vendor}’s own set-up at Temu is not in order. {vendor} has been told. Please try \
             again later, or ask for help."
        ),
        Mistake::StorageUnavailable => {
            "The token could not be stored just now. You did nothing wrong. Wait a minute, and paste it \
                             once more."
                .to_owned()
        }
        Mistake::AccountConflict => format!(
            "This store is connected to another {vendor} account already, and it stays with that account. Log in to \
             {vendor} with that account, or ask {vendor} to move the store."
        ),
        Mistake::Overtaken => "The same store was connected once more at the same time, and that counts. Look in a \
                               minute whether it is there; if not, paste the token once more."
            .to_owned(),
    }
}
