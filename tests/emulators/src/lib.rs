//! Test doubles of the AWS services around the functions: what the end-to-end tests and the local
//! sandbox talk to instead of an AWS account.
//!
//! | module | stands for |
//! |---|---|
//! | [`secrets_manager`] | Secrets Manager, with the real rules of versions and staging labels |
//! | [`dynamodb`] | `DynamoDB`: dynoxide, embedded |
//! | [`event_bus`] | EventBridge: takes events, and remembers them |
//! | [`gateway`] | an HTTP API of API Gateway in front of Lambda functions |
//! | [`lambda`] | the API by which functions are invoked: in front of cargo-lambda |
//! | [`front`] | what these stand behind, the gateway excepted: a log of calls, faults, and points at which calls are held |
//! | [`roles`] | IAM: what callers may do |
//!
//! Every server listens on a loopback address on the current Tokio runtime; its handle is cheap to
//! clone, and all clones see the same server. Whether a caller may do what it does is checked by the
//! gateway's IAM routes, and by the fronts for those whose [`roles`] they are told.

pub mod dynamodb;
pub mod event_bus;
pub mod front;
pub mod gateway;
pub mod lambda;
pub mod roles;
pub mod secrets_manager;
mod server;
mod times;

pub use server::Server;
