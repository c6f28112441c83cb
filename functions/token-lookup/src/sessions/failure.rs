//! Why a visit connected nothing, in words for the vendor's own people.

use shop_keyring::connect_session::ConnectFailure;

/// What happened, and what they can do for the seller.
pub(crate) const fn detail(failure: ConnectFailure) -> &'static str {
    match failure {
        ConnectFailure::Denied => {
            "The seller chose not to authorize the app at the marketplace. If that was a mistake, they can open the link \
             once more."
        }
        ConnectFailure::CodeRefused => {
            "The marketplace did not accept the authorization: it was used already, or too much time had passed. The \
             seller can open the link once more."
        }
        ConnectFailure::NotASeller => {
            "Who authorized was logged in to the marketplace as a creator or a partner. The seller has to log in there \
             as the shop's owner."
        }
        ConnectFailure::AccountConflict => {
            "The shop is connected under another account, and stays there. The seller has to use that account, or you \
             move the connection: DELETE it, or change its account by PATCH, and open a new session."
        }
        ConnectFailure::Overtaken => {
            "The same shop was authorized once more at the same moment, and that later authorization counts. Look at the \
             connection; if it is not active, the seller can open the link once more."
        }
        ConnectFailure::MarketplaceUnavailable => {
            "The marketplace did not answer in time. The seller did nothing wrong, and can open the link once more in a \
             few minutes."
        }
        ConnectFailure::Misconfigured => {
            "The marketplace rejects the app's own credentials or settings. No seller can mend that: look for the alarm \
             `configuration_fault` in the log of oauth-callback."
        }
        ConnectFailure::StorageUnavailable => {
            "What the seller gave could not be stored: DynamoDB or Secrets Manager did not answer. The seller can open \
             the link once more in a few minutes."
        }
        ConnectFailure::BadCallback => {
            "The seller came back from the marketplace without an authorization. They can open the link once more, and \
             have to agree there."
        }
        ConnectFailure::OtherSeller => {
            "This session is for one connection alone, and the seller authorized as another one. The connection is as it \
             was, and nothing new was connected; another connection that this seller already had was renewed. The seller \
             has to log in to the marketplace as the owner of the right shop, or you open a session without `reconnect` \
             for the other one."
        }
        ConnectFailure::NothingToReconnect => {
            "This session is for one connection alone, which is not there any more. Open a session without `reconnect`."
        }
        // No session has such a visit.
        ConnectFailure::Unsolicited => "The seller came without a connect link, and is not connected.",
    }
}
