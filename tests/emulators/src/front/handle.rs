//! A call's way through the front.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header::DATE, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{Call, FaultKind, Front, Moment, Subject, lock};
use crate::{server::Peer, times};

/// `DynamoDB` takes 16 MiB, Secrets Manager far less.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The connection is to be closed without an answer.
struct Cut;

pub(super) async fn handle(
    State(front): State<Front>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = front.log(&parts, &body);
    let sequence = call.sequence;
    let passing = front.clone();
    // A task of its own: hyper drops a handler whose client has gone, and then what happens to a held
    // call would depend on when the client was killed.
    let passage = tokio::spawn(async move { passing.pass(call, parts, body, next).await });
    // Cut on purpose, or a panic behind the front: the client learns as little of either.
    let Ok(Ok(mut response)) = passage.await else {
        peer.cut();
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(date) = times::http_date(front.now()).and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().insert(DATE, date);
    }
    lock(&front.0.log).answered(sequence, response.status().as_u16());
    response
}

/// The access key id in an `Authorization` header.
fn signer(authorization: &str) -> Option<&str> {
    authorization.split_once("Credential=")?.1.split('/').next()
}

impl Front {
    fn log(&self, parts: &Parts, body: &Bytes) -> Call {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let named = header("x-amz-target").and_then(|target| target.rsplit('.').next());
        // Lambda's API has paths instead.
        let operation = named.unwrap_or(if parts.uri.path().ends_with("/invocations") { "Invoke" } else { "-" });
        let subject = serde_json::from_slice::<Value>(body)
            .map_or_else(|_| Subject::default(), |input| (self.0.service.subject)(operation, &input));
        lock(&self.0.log).arrived(self.0.service.name, operation, subject, header("authorization").and_then(signer))
    }

    fn authorize(&self, call: &Call, parts: &Parts, body: &Bytes) -> Result<(), String> {
        let roles = lock(&self.0.roles).clone();
        let asked = || {
            let input = serde_json::from_slice(body).unwrap_or_default();
            (self.0.service.asked)(parts.uri.path(), &call.operation, &input)
        };
        roles.check(call.caller.as_deref(), asked).inspect_err(|denied| lock(&self.0.denied).push(denied.clone()))
    }

    async fn pass(self, call: Call, parts: Parts, body: Bytes, next: Next) -> Result<Response, Cut> {
        if let Err(denied) = self.authorize(&call, &parts, &body) {
            return Ok(self.0.service.denied(&denied));
        }
        self.hold(&call, Moment::Arrived).await?;
        let fault = self.fault_for(&call);
        if let Some(failure) = self.fail_before(fault.as_ref()).await {
            return failure;
        }
        let response = next.run(Request::from_parts(parts, Body::from(body))).await;
        if response.status().is_success() {
            self.hold(&call, Moment::TakenEffect).await?;
        }
        match fault {
            Some(FaultKind::ErrorAfter) => Ok(self.0.service.internal_error()),
            Some(FaultKind::DropAfter) => Err(Cut),
            Some(FaultKind::Garbage) => Ok(self.0.service.garbage()),
            _ => Ok(response),
        }
    }

    async fn hold(&self, call: &Call, moment: Moment) -> Result<(), Cut> {
        match self.point_for(call, moment) {
            Some(point) if !point.hold(call.clone()).await => Err(Cut),
            _ => Ok(()),
        }
    }

    async fn fail_before(&self, fault: Option<&FaultKind>) -> Option<Result<Response, Cut>> {
        let service = &self.0.service;
        match fault? {
            FaultKind::ErrorBefore => Some(Ok(service.internal_error())),
            FaultKind::DropBefore => Some(Err(Cut)),
            FaultKind::Throttle => Some(Ok(service.throttled())),
            FaultKind::Refuse(error_type) => Some(Ok(service.refused(error_type))),
            FaultKind::Latency(extra) => {
                tokio::time::sleep(*extra).await;
                None
            }
            FaultKind::ErrorAfter | FaultKind::DropAfter | FaultKind::Garbage => None,
        }
    }
}
