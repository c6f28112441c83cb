use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::PLATFORM;
use crate::html::{self, escape};
use crate::temu::world::Refusal;

/// Why a page cannot be shown.
#[derive(Debug)]
pub(in crate::temu) enum Refused {
    /// Nobody is logged in, as after a link from elsewhere.
    LogIn,
    /// A page that only says why it goes no further.
    Because(StatusCode, String),
}

impl Refused {
    pub(in crate::temu) fn bad_request(why: &str) -> Self {
        Self::Because(StatusCode::BAD_REQUEST, why.to_owned())
    }

    pub(in crate::temu) fn not_found(why: &str) -> Self {
        Self::Because(StatusCode::NOT_FOUND, why.to_owned())
    }

    pub(in crate::temu) fn sub_account() -> Self {
        let why = "Sub-accounts cannot authorize apps. Please log in with the main account.";
        Self::Because(StatusCode::FORBIDDEN, why.to_owned())
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let why = refusal.to_string();
        match refusal {
            Refusal::UnknownApp(_) | Refusal::UnknownSeller(_) | Refusal::UnknownMall(_) | Refusal::NoToken { .. } => {
                Self::not_found(&why)
            }
            Refusal::NoRedirectUrl(_) | Refusal::NoLocalMall { .. } => Self::bad_request(&why),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::LogIn => Redirect::to("/").into_response(),
            Self::Because(status, why) => {
                let content = format!("<h1>This does not work</h1><p>{}</p>", escape(&why));
                html::page(status, PLATFORM, &content)
            }
        }
    }
}
