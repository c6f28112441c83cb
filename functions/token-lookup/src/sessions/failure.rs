//! Why a visit connected nothing, and why a token was refused, in words for the vendor's own people.

use shop_keyring::connect_session::{ConnectFailure, TokenRefusal};

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
            "This session is for one connection alone, which no longer exists. Open a session without `reconnect`."
        }
        ConnectFailure::TokenRefused => {
            "The seller pasted a token that was not accepted; `refused_tokens` says why. The page has told them what to do; \
             they can open the link again and paste another one."
        }
        // No session has such a visit.
        ConnectFailure::Unsolicited => "The seller came without a connect link, and is not connected.",
    }
}

/// Why a pasted token was refused, and what they can do for the seller.
pub(crate) const fn detail_of_token(reason: TokenRefusal) -> &'static str {
    match reason {
        TokenRefusal::NotAToken => "The pasted text cannot be a token. The seller has to copy the token, all of it.",
        TokenRefusal::Unknown => {
            "Temu does not know this token. The seller has to copy all of it, and to choose your app at Temu."
        }
        TokenRefusal::ExpiredOrReplaced => {
            "The token has expired, or a newer one replaced it. The seller has to authorize the app again and paste the new \
             token."
        }
        TokenRefusal::NotAuthorized => {
            "The seller no longer authorizes the app. They have to authorize it again and paste the new token."
        }
        TokenRefusal::OtherApp => {
            "The token was issued for an app that is not yours. The seller has to choose your app at Temu."
        }
        TokenRefusal::WrongField => "The token works, but belongs in another field. The page names that field.",
        TokenRefusal::OtherStore => {
            "The token works, but belongs to another store than the seller's other tokens. If they want to connect that \
             store, too, they can agree to it on the page."
        }
        TokenRefusal::LocalStore => {
            "The token belongs to a local store. The seller has to go on as a local seller on the page."
        }
        TokenRefusal::PermissionsMissing => {
            "The token works, but lacks permissions that you need. The seller has to authorize the app again with all of \
             those that the page lists, and paste the new token."
        }
        TokenRefusal::MarketplaceUnavailable
        | TokenRefusal::Misconfigured
        | TokenRefusal::StorageUnavailable
        | TokenRefusal::AccountConflict
        | TokenRefusal::Overtaken
        | TokenRefusal::OtherSeller
        | TokenRefusal::NothingToReconnect => detail(reason.failure()),
    }
}
