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
//!
//! Every server listens on a loopback address on the current Tokio runtime; its handle is cheap to
//! clone, and all clones see the same server. Nothing here checks that a caller may do what it does,
//! except the gateway's IAM routes.

pub mod dynamodb;
pub mod event_bus;
pub mod front;
pub mod gateway;
pub mod lambda;
pub mod secrets_manager;
mod server;
mod times;

pub use server::Server;
