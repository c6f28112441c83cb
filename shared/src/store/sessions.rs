//! The table `connect-sessions`: sessions and visits under the digest of what opens them, and which of a marketplace's
//! notices have been taken. `expires_at` is checked on
//! every read; `delete_at`, a day later, is for DynamoDB's time to live, which only cleans up.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::StoreError;
use crate::{
    connect_session::{ConnectSession, RESULT_SECONDS, Visit, VisitOutcome, VisitRecord},
    time::Timestamp,
};

const KEY: &str = "key";

/// Longer than any key that is ever written.
const LONGEST_KEY: usize = 64;

/// Visits that a session remembers. A seller needs one; whoever has the link could make any number.
const MOST_VISITS: usize = 200;

/// Seconds for which a record is kept after its end, until DynamoDB's time to live (`delete_at`) may take it: a
/// connection can still be confirmed when its session's time is over.
const KEPT_AFTERWARDS: i64 = 86_400;

/// Seconds for which a marketplace repeats a notice: TikTok Shop's last repetition comes after some 15.5 hours.
const NOTICE_REPEATED_FOR: i64 = 86_400;

#[derive(Serialize, Deserialize)]
struct TakenNotice {
    taken_at: Timestamp,
}

/// The table `connect-sessions`.
#[derive(Debug, Clone)]
pub struct Sessions {
    client: Client,
    table: String,
}

impl Sessions {
    /// With a client of its own.
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into() }
    }

    /// Stores a new session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(&self, session: &ConnectSession) -> Result<(), StoreError> {
        self.put(&format!("session/{}", session.id), session, session.expires_at).await?;
        Ok(())
    }

    /// The session of this id, expired or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&self, id: &str) -> Result<Option<ConnectSession>, StoreError> {
        self.read(&format!("session/{id}")).await
    }

    /// Stores a new visit; false if there is another one of this id already. One whose answer was lost is recognised.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_visit(&self, visit: &Visit) -> Result<bool, StoreError> {
        self.put(&format!("visit/{}", visit.id), visit, visit.expires_at).await
    }

    /// The visit of this id, expired or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn visit(&self, id: &str) -> Result<Option<Visit>, StoreError> {
        self.read(&format!("visit/{id}")).await
    }

    /// Uses a visit's `state` up; false if it was used already. A use whose answer was lost is recognised.
    ///
    /// # Errors
    /// [`StoreError`]: whether it was used up is unknown.
    pub async fn use_state(&self, visit: &Visit, now: Timestamp) -> Result<bool, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(format!("visit/{}", visit.id)))
            .update_expression("SET used_at = :now, used_by = :use")
            .condition_expression("attribute_exists(#key) AND (attribute_not_exists(used_at) OR used_by = :use)")
            .expression_attribute_names("#key", KEY)
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":use", AttributeValue::S(Uuid::new_v4().to_string()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(StoreError::unavailable("use up a state", &error)),
        }
    }

    /// Writes down how a visit ended, for its result page and for its session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_visit(&self, visit: &Visit, record: &VisitRecord) -> Result<(), StoreError> {
        if let Some(session_id) = &visit.session_id {
            self.remember(session_id, record).await?;
        }
        let expires_at = record.at.plus(RESULT_SECONDS);
        self.client
            .update_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(format!("visit/{}", visit.id)))
            .update_expression("SET ended = :ended, expires_at = :expires_at, delete_at = :delete_at")
            .expression_attribute_values(":ended", value::<VisitOutcome>(&record.outcome)?)
            .expression_attribute_values(":expires_at", number(expires_at))
            .expression_attribute_values(":delete_at", number(expires_at.plus(KEPT_AFTERWARDS)))
            .send()
            .await
            .map_err(|error| StoreError::unavailable("end a visit", &error))?;
        Ok(())
    }

    /// Counts tokens that are pasted in a session; false if they would be more than `most` in all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_pasted(&self, session_id: &str, tokens: u32, most: u32) -> Result<bool, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(format!("session/{session_id}")))
            .update_expression("ADD pasted :tokens")
            .condition_expression("attribute_exists(#key) AND (attribute_not_exists(pasted) OR pasted <= :room)")
            .expression_attribute_names("#key", KEY)
            .expression_attribute_values(":tokens", AttributeValue::N(tokens.to_string()))
            .expression_attribute_values(":room", AttributeValue::N(most.saturating_sub(tokens).to_string()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(StoreError::unavailable("count a session's tokens", &error)),
        }
    }

    /// Writes down for its session how a visit ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remember(&self, session_id: &str, record: &VisitRecord) -> Result<(), StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(format!("session/{session_id}")))
            .update_expression("SET visits = list_append(visits, :record)")
            .condition_expression("attribute_exists(#key) AND size(visits) < :most")
            .expression_attribute_names("#key", KEY)
            .expression_attribute_values(":record", AttributeValue::L(vec![value(record)?]))
            .expression_attribute_values(":most", AttributeValue::N(MOST_VISITS.to_string()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
                tracing::warn!(session_id, "the session is gone or has had too many visits; one is not remembered");
                Ok(())
            }
            Err(error) => Err(StoreError::unavailable("end a visit", &error)),
        }
    }

    /// Whether a marketplace's notice was taken already. `digest` of its id and its app.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notice_is_taken(&self, digest: &str) -> Result<bool, StoreError> {
        Ok(self.read::<TakenNotice>(&format!("notice/{digest}")).await?.is_some())
    }

    /// Writes down that a notice was taken: after its effect, so that one whose effect failed is not lost.
    ///
    /// # Errors
    /// [`StoreError`]: it may be taken twice, which does no harm.
    pub async fn take_notice(&self, digest: &str, now: Timestamp) -> Result<(), StoreError> {
        self.put(&format!("notice/{digest}"), &TakenNotice { taken_at: now }, now.plus(NOTICE_REPEATED_FOR)).await?;
        Ok(())
    }

    /// False if there is another record under this key already.
    async fn put(&self, key: &str, record: &impl Serialize, expires_at: Timestamp) -> Result<bool, StoreError> {
        let mut item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(record).map_err(|error| unreadable(key, &error))?;
        item.insert(KEY.into(), AttributeValue::S(key.to_owned()));
        item.insert("delete_at".into(), number(expires_at.plus(KEPT_AFTERWARDS)));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", KEY)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(true) };
        match error.as_service_error() {
            // The SDK tries again when an answer was lost, and meets what it has written itself.
            Some(PutItemError::ConditionalCheckFailedException(failed)) => Ok(failed.item.as_ref() == Some(&item)),
            _ => Err(StoreError::unavailable("put a session", &error)),
        }
    }

    /// Ids are digests: whatever else comes in by a path names nothing.
    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        if key.len() > LONGEST_KEY {
            return Ok(None);
        }
        let get = self.client.get_item().table_name(&self.table).key(KEY, AttributeValue::S(key.to_owned()));
        let answer = get.consistent_read(true).send().await;
        let item = answer.map_err(|error| StoreError::unavailable("get a session", &error))?.item;
        item.map(|item| serde_dynamo::from_item(item).map_err(|error| unreadable(key, &error))).transpose()
    }
}

fn number(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.0.to_string())
}

fn value<T: Serialize>(record: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(record).map_err(|error| unreadable("a visit", &error))
}

fn unreadable(key: &str, error: &serde_dynamo::Error) -> StoreError {
    StoreError::Unreadable { key: key.to_owned(), why: error.to_string() }
}
