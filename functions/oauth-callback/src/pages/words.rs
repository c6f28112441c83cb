//! What went wrong, in a seller's words: a title, what happened, and what to do next.

use shop_keyring::{connect_session::ConnectFailure, names::MarketplaceName};

use crate::problem::Problem;

pub(super) type Words = (String, String, String);

/// Of a visit that connected nothing. `wanted` is the shop that its session was for, if it was for one alone.
pub(super) fn of_failure(
    vendor: &str,
    marketplace: MarketplaceName,
    failure: ConnectFailure,
    wanted: Option<&str>,
) -> Words {
    let marketplace = marketplace.title();
    let wanted = wanted.unwrap_or("one shop");
    let (title, what, next) = match failure {
        ConnectFailure::Denied => (
            "You did not give permission".to_owned(),
            format!("At {marketplace} you chose not to authorize the app, so nothing was connected."),
            format!("If that was a mistake, go back to {vendor} and begin again."),
        ),
        ConnectFailure::CodeRefused => (
            format!("{marketplace} did not accept this authorization"),
            "It was used already, or too much time has passed since you authorized the app.".to_owned(),
            format!("Go back to {vendor}, begin again, and authorize the app once more."),
        ),
        ConnectFailure::NotASeller => (
            "This is not a seller account".to_owned(),
            format!(
                "You were logged in to {marketplace} as a creator or a partner. Only a seller’s account has shops to \
                 connect."
            ),
            format!("Log out at {marketplace}, go back to {vendor}, and log in as the shop’s owner."),
        ),
        ConnectFailure::AccountConflict => (
            "This shop belongs to another account".to_owned(),
            format!("The shop is connected to another {vendor} account already, and it stays with that account."),
            format!("Log in to {vendor} with that account, or ask {vendor} to move the shop."),
        ),
        ConnectFailure::Overtaken => (
            "A later authorization came first".to_owned(),
            "The same shop was authorized once more at the same time, and that authorization counts.".to_owned(),
            format!("Look in {vendor} whether the shop is connected; if it is not, begin again."),
        ),
        ConnectFailure::MarketplaceUnavailable => (
            format!("{marketplace} did not answer"),
            format!("You did everything right, but {marketplace} did not answer in time, so nothing was connected."),
            format!("Wait a few minutes, go back to {vendor} and begin again."),
        ),
        ConnectFailure::Misconfigured => misconfigured(vendor, marketplace),
        ConnectFailure::StorageUnavailable => storage_unavailable(vendor),
        ConnectFailure::BadCallback => (
            format!("{marketplace}’s answer is not complete"),
            format!(
                "The way back from {marketplace} lacks the authorization. Perhaps you did not agree there. Nothing was \
                 connected."
            ),
            format!("Go back to {vendor} and begin again."),
        ),
        ConnectFailure::OtherSeller => (
            "That was another shop".to_owned(),
            format!(
                "This link is to connect {wanted} anew, and you were logged in to {marketplace} as another seller. \
                 Nothing has changed for {wanted}, and no new shop was connected."
            ),
            format!(
                "Log out at {marketplace}, go back to {vendor}, begin again, and log in as the owner of {wanted}. If \
                 the other shop was not connected to {vendor} before, nothing of it was kept, and you can take back in \
                 its seller account the permission that you have just given."
            ),
        ),
        ConnectFailure::TokenRefused => (
            "A token was not accepted".to_owned(),
            format!("The token that you pasted does not work for {vendor}, so nothing was connected."),
            format!("Get a new token at {marketplace}, open your link again, and paste it there."),
        ),
        ConnectFailure::Unsolicited => (
            format!("Please begin at {vendor}"),
            format!(
                "You gave permission at {marketplace}, but you came here without a link from {vendor}, and this shop is \
                 not connected to {vendor}. So we cannot know whose shop this is, and kept nothing."
            ),
            format!("Log in to {vendor}, choose to connect a shop there, and authorize the app when you are asked."),
        ),
        ConnectFailure::NothingToReconnect => (
            "There is nothing to connect anew".to_owned(),
            format!(
                "This link is to connect {wanted} anew, but it was removed from {vendor} meanwhile. Nothing was \
                 connected."
            ),
            format!("Go back to {vendor}, and connect the shop there as a new one."),
        ),
    };
    (title, what, next)
}

/// Of what went wrong before a visit could end.
pub(super) fn of_problem(vendor: &str, problem: Problem) -> Words {
    const ANY: &str = "the marketplace";
    let begin_again = format!("Go back to {vendor} and begin again from there.");
    let (title, what, next) = match problem {
        Problem::Failed(marketplace, failure) => return of_failure(vendor, marketplace, failure, None),
        Problem::Misconfigured => return misconfigured(vendor, ANY),
        Problem::StorageUnavailable => return storage_unavailable(vendor),
        Problem::NotNow { marketplace, retry_after } => return not_now(vendor, marketplace.title(), retry_after),
        Problem::NotFound => (
            "There is no such page",
            "The address is not one of ours, or it is not complete.".to_owned(),
            format!("Open the link that you got from {vendor} once more, all of it."),
        ),
        Problem::UnknownLink => (
            "This link does not work",
            "It is not complete, or it is too old.".to_owned(),
            format!("Open the whole link once more, or get a new one from {vendor}."),
        ),
        Problem::LinkExpired => (
            "This link has expired",
            "Links to connect a shop work for a limited time only.".to_owned(),
            format!("Get a new link from {vendor}."),
        ),
        Problem::UnknownState => (
            "We do not know this visit",
            format!("The way back from {ANY} does not match a visit that was begun here. Nothing was connected."),
            begin_again,
        ),
        Problem::StateExpired => (
            "That took too long",
            format!("Too much time has passed since you left for {ANY}. Nothing was connected."),
            begin_again,
        ),
        Problem::OtherBrowser => (
            "Please stay in one browser",
            "You began in another browser, or in a private window, or cookies are switched off. Nothing was connected."
                .to_owned(),
            format!("Begin again from {vendor}, and stay in the same browser until the shop is connected."),
        ),
        Problem::BackInOtherBrowser => (
            "Please open this page in your first browser",
            format!(
                "You began in another browser, for example because the app of {ANY} has opened this page, or in a private \
                 window, or cookies are switched off. This page has connected nothing."
            ),
            format!(
                "Copy the address of this page and open it in the browser in which you began, as soon as you can. If you \
                 cannot do that, go back to {vendor} and begin again."
            ),
        ),
        Problem::OpenForm => (
            "Please go back to the form",
            "Your shop is being connected by a token that you paste into our form, and the form is still open in another \
             tab. This page has connected nothing."
                .to_owned(),
            "Go back to the tab with the form, and paste the token there.".to_owned(),
        ),
        Problem::OtherApp | Problem::ForeignHost => (
            "That was for another site",
            "The authorization is for another site than the one you left for. Nothing was connected.".to_owned(),
            begin_again,
        ),
        Problem::OtherConnection => (
            "This link is for another shop",
            "It is to connect one shop anew, and this page is for another marketplace or site than that shop’s. \
             Nothing was connected."
                .to_owned(),
            format!("Open the link that you got from {vendor} once more, and go on from there."),
        ),
        Problem::UnderWay => (
            "We are still at work",
            "Your authorization is being worked on, or was interrupted.".to_owned(),
            format!(
                "Wait half a minute and look in {vendor} whether the shop is connected. If it is not, begin again."
            ),
        ),
        Problem::Unsolicited => (
            "Please begin at our side",
            format!("You came here without a link from {vendor}, so we cannot know whose shop this is."),
            format!("Log in to {vendor}, choose to connect a shop there, and authorize the app when you are asked."),
        ),
        Problem::BadCallback => (
            "The answer is not complete",
            format!("The way back from {ANY} is not in order. Nothing was connected."),
            begin_again,
        ),
        Problem::BadForm => (
            "This form cannot be read",
            "What was sent is not what our page sends. Nothing was connected.".to_owned(),
            "Open your link once more, and fill in the form there.".to_owned(),
        ),
        Problem::FormTooLong => (
            "That is too much text",
            "What was pasted is far longer than a token. Nothing was connected.".to_owned(),
            "Go back, and paste only the token: one line of letters and digits.".to_owned(),
        ),
    };
    (title.to_owned(), what, next)
}

fn not_now(vendor: &str, marketplace: &str, seconds: i64) -> Words {
    let minutes = (seconds / 60 + 1).max(2);
    (
        format!("Connecting to {marketplace} does not work at the moment"),
        "You did everything right, and your authorization is not used up. Nothing was connected yet.".to_owned(),
        format!(
            "Wait {minutes} minutes, then load this page again. If that does not help, go back to {vendor} and begin again."
        ),
    )
}

fn misconfigured(vendor: &str, marketplace: &str) -> Words {
    (
        "This is our mistake, not yours".to_owned(),
        format!("{vendor}’s own set-up for {marketplace} is not in order, so nothing was connected."),
        format!("{vendor} has been told. Please try again later, or ask for help."),
    )
}

fn storage_unavailable(vendor: &str) -> Words {
    (
        "Something went wrong on our side".to_owned(),
        "Your shop could not be stored just now. You did nothing wrong.".to_owned(),
        format!("Wait a few minutes, go back to {vendor} and begin again."),
    )
}
