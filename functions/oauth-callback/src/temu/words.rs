//! What is said of each field, and of each mistake: what happened, and what to do.

use super::{mistake::Mistake, view::is_product};

/// What stands above a field.
pub(super) fn label(app: &str) -> String {
    if is_product(app) {
        "Temu Product Permission Token".to_owned()
    } else {
        format!("Temu Order Permission Token: {}", place(app))
    }
}

/// Where an app's stores are.
pub(super) fn place(app: &str) -> String {
    match app {
        "us" => "United States",
        "eu" => "Europe",
        "global" => "Global",
        other => other,
    }
    .to_owned()
}

/// What must be seen in the seller centre's top-left corner.
pub(super) fn corner(app: &str) -> String {
    match app {
        "us" => "Seller Central > US Region",
        "eu" => "Seller Central > EU Region",
        _ => "Global",
    }
    .to_owned()
}

/// A mistake in the seller's words. Says nothing of what was pasted.
pub(super) fn words(mistake: &Mistake, vendor: &str, app_name: &str) -> String {
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
        Mistake::WrongField(None) => {
            "This is an order token, not a product token. Paste it into the field for orders, \
                                      and get the product token with Global in the top-left corner."
                .to_owned()
        }
        Mistake::WrongField(Some(path)) => {
            let app = path.app.as_str();
            let field = if is_product(app) { label(app) } else { place(app) };
            format!("This token works, but it belongs to another place: paste it under “{field}”.")
        }
        Mistake::OtherStore { mall, name } => {
            let store =
                name.as_ref().map_or_else(|| format!("store {mall}"), |name| format!("“{name}” (store {mall})"));
            format!(
                "This token belongs to {store}, which is not the store that you connected before. If that is a \
                 mistake, paste the other store’s token."
            )
        }
        Mistake::LocalStore => {
            "This is a local store’s token, and local stores have no product token. Go on as a local \
                                seller, and paste it there."
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
        Mistake::Storage => "The token is good, but it could not be stored just now. You did nothing wrong. Wait a \
                             minute, and paste it once more."
            .to_owned(),
        Mistake::AccountConflict => format!(
            "This store is connected to another {vendor} account already. It was left as it is. Log in to {vendor} with \
             that account, or ask {vendor} to move the store."
        ),
        Mistake::Overtaken => "The same store was connected once more at the same time, and that counts. Look in a \
                               minute whether it is there; if not, paste the token once more."
            .to_owned(),
    }
}
