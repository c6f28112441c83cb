//! Metadata in DynamoDB: connections, shop pointers, connect sessions. Holds no secret.

mod batch;
mod cancelled;
mod connections;
mod due_index;
mod evidence;
mod fleet_count;
mod guarded;
mod health;
mod item;
mod listing;
mod pointer;
mod sessions;
mod shared_item;
mod shop_pointers;
mod statuses;

pub use connections::{ApplyError, Connections};
pub use due_index::{DueCursor, DueEntry, DuePage};
pub use evidence::StoredEvidence;
pub use fleet_count::StoredRound;
pub use health::{Health, StoredState};
pub use item::{Item, from_item, to_item};
pub use listing::{NamePage, Section};
pub use sessions::Sessions;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;

/// Why the table did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No answer, or an error of the service.
    #[error("DynamoDB cannot {operation} ({code})")]
    Unavailable {
        /// What was asked of it.
        operation: &'static str,
        /// What it said.
        code: String,
    },
    /// The item is not in a form that this release can read.
    #[error("the item {key} cannot be read: {why}")]
    Unreadable {
        /// Its key.
        key: String,
        /// What is wrong with it.
        why: String,
    },
}

impl StoreError {
    fn unavailable(operation: &'static str, error: &impl ProvideErrorMetadata) -> Self {
        Self::Unavailable { operation, code: error.code().unwrap_or("no answer").to_owned() }
    }
}
