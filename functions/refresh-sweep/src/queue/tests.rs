use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};

use super::*;

/// A table behind this address.
pub(crate) fn table_at(url: &str) -> Connections {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKID", "secret", None, None, "tests")))
        .endpoint_url(url)
        .retry_config(RetryConfig::disabled())
        .build();
    Connections::new(&config, "connections")
}

/// A table that nobody answers for.
fn out_of_reach() -> Connections {
    table_at("http://127.0.0.1:1")
}

fn shard(number: u8, due: &[i64]) -> Shard {
    let entry = |&at: &i64| DueEntry {
        due_at: Timestamp(at),
        connection: format!("tiktok-shop/us/{number}-{at}").parse().unwrap(),
    };
    Shard { number, entries: due.iter().map(entry).collect(), next: None }
}

fn shards(mine: Vec<Shard>) -> Shards {
    Shards { connections: out_of_reach(), now: Timestamp(1_000), mine }
}

#[tokio::test]
async fn the_oldest_of_all_shards_come_first() {
    let mut shards = shards(vec![shard(0, &[3, 5, 9]), shard(1, &[]), shard(2, &[1, 4])]);
    let sellers: Vec<_> = shards.keys().await.unwrap().into_iter().map(|key| key.seller_id.to_string()).collect();
    assert_eq!(sellers, ["2-1", "0-3", "2-4", "0-5", "0-9"]);
    assert!(shards.keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_is_what_one_read_takes() {
    let due: Vec<i64> = (0..250).collect();
    let mut shards = shards(vec![shard(0, &due)]);
    let mut lengths = Vec::new();
    for _ in 0..4 {
        lengths.push(shards.keys().await.unwrap().len());
    }
    assert_eq!(lengths, [100, 100, 50, 0]);
}

#[tokio::test]
async fn without_the_items_all_are_there_to_be_read_one_by_one() {
    let (sender, mut batches) = mpsc::channel(1);
    let reading = tokio::spawn(shards(vec![shard(0, &[1, 2, 3])]).read_into(sender));
    let batch = batches.recv().await.unwrap().unwrap();
    assert_eq!(batch.len(), 3);
    assert!(batch.iter().all(|due| due.item.is_none()));
    assert!(batches.recv().await.is_none(), "that was all");
    reading.await.unwrap();
}

#[tokio::test]
async fn reading_waits_for_the_work() {
    let due: Vec<i64> = (0..1_000).collect();
    let (sender, mut batches) = mpsc::channel(AHEAD);
    let reading = tokio::spawn(shards(vec![shard(0, &due)]).read_into(sender));
    let full = async {
        while batches.len() < AHEAD {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), full).await.expect("as many as may wait");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(batches.len() == AHEAD && !reading.is_finished(), "no more than may wait");
    let mut seen = 0;
    while let Some(batch) = batches.recv().await {
        seen += batch.unwrap().len();
    }
    assert_eq!(seen, 1_000);
    reading.await.unwrap();
}
