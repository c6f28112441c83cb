//! What can go wrong on which route, for the contract: each status with the codes that it can have.

use std::{collections::BTreeMap, marker::PhantomData};

use shop_keyring::connection::Reason;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        Content, Ref, RefOr, Response,
        example::{Example, ExampleBuilder},
    },
};

use crate::{code::Code, problem::PROBLEM_JSON};

/// Why there is no other answer (RFC 9457).
#[derive(ToSchema)]
#[schema(as = Problem, example = pending)]
#[expect(dead_code, reason = "describes what `Problem` makes of itself")]
pub(crate) struct ProblemBody {
    /// `urn:shop-keyring:problem:` and the code: a name, not an address.
    #[schema(rename = "type", format = "uri", pattern = "^urn:shop-keyring:problem:[a-z_]+$")]
    r#type: String,
    /// The same for every problem with this code.
    title: String,
    /// The status code of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong, as a word that stays.
    code: Code,
    /// What went wrong this time, and what to do, in words for people.
    detail: String,
    /// The id of the request, which the logs have too.
    #[schema(example = "VKJz2iLwIAMEZ0w=")]
    request_id: String,
    /// Why the seller has to authorize again: with `reauthorization_required`.
    #[schema(nullable = false)]
    reason: Option<Reason>,
}

fn pending() -> serde_json::Value {
    Code::Pending.example_body()
}

/// What API Gateway itself answers, before the keyring is asked or when it does not answer.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what API Gateway says")]
pub(crate) struct GatewayMessage {
    /// What API Gateway says.
    #[schema(example = "Forbidden")]
    message: String,
}

/// The codes of a route.
pub(crate) trait Problems {
    const CODES: &'static [Code];
}

/// What can go wrong on every route.
const ALWAYS: [Code; 5] =
    [Code::BadRequest, Code::PathNotCanonical, Code::NoIdentity, Code::HeadersTooLong, Code::StorageUnavailable];

/// Codes of routes, each a type for the attributes at the handlers.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $($code:ident),*;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Problems for $name {
            const CODES: &'static [Code] = &[$(Code::$code),*];
        }
    )*};
}

problems! {
    /// A token is asked for.
    OfToken: AppNotFound, ConnectionNotFound, Pending, ReauthorizationRequired, Disconnected, RefreshFailed,
        CheckFailed;
    /// A token is rejected.
    OfRefresh: AppNotFound, ConnectionNotFound, Pending, ReauthorizationRequired, Disconnected, BodyTooLong,
        UnsupportedMediaType, RefreshFailed, CheckFailed;
    /// A connection is looked at.
    OfConnection: AppNotFound, ConnectionNotFound;
    /// A connection's account is changed.
    OfAssignment: AppNotFound, ConnectionNotFound, Pending, Disconnected, PreconditionFailed, BodyTooLong,
        UnsupportedMediaType, PreconditionRequired;
    /// A connection is ended.
    OfEnd: AppNotFound, ConnectionNotFound, PreconditionFailed;
    /// A session is opened.
    Opening: AppNotFound, ConnectionNotFound, AccountConflict, Pending, BodyTooLong, UnsupportedMediaType;
    /// A session is looked at.
    OfSession: SessionNotFound;
    /// A session is confirmed.
    OfConfirmation: SessionNotFound, ResultNotFound, NothingToConfirm, AccountMismatch, BodyTooLong,
        UnsupportedMediaType;
    /// Connections are listed, or the contract is asked for.
    OfAny: ;
}

/// The answers for the codes of a route.
pub(crate) struct Refused<T>(PhantomData<T>);

impl<T: Problems> IntoResponses for Refused<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for &code in T::CODES.iter().chain(&ALWAYS) {
            by_status.entry(code.example().status().as_u16()).or_default().push(code);
        }
        by_status.into_iter().map(|(status, codes)| (status.to_string(), answer(&codes).into())).collect()
    }
}

/// An answer that can have these codes.
pub(super) fn answer(codes: &[Code]) -> Response {
    let title = |code: &Code| format!("`{}`: {}.", name(*code), code.title());
    let mut response = Response::new(codes.iter().map(title).collect::<Vec<_>>().join(" "));
    let mut content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    content.examples = codes.iter().map(|code| (name(*code), RefOr::T(example(*code)))).collect();
    response.content.insert(PROBLEM_JSON.to_owned(), content.into());
    response
}

fn example(code: Code) -> Example {
    ExampleBuilder::new().summary(code.title()).value(Some(code.example_body())).build()
}

fn name(code: Code) -> String {
    code.as_str().to_owned()
}
