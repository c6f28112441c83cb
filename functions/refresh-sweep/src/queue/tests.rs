use std::{collections::BTreeMap, time::Duration};

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

fn lane(app: &str) -> Lane {
    Lane::App(format!("tiktok-shop/{app}").parse().unwrap())
}

fn part(number: u8, due: &[i64]) -> Part {
    let entry = |&at: &i64| DueEntry {
        due_at: Timestamp(at),
        connection: format!("tiktok-shop/us/{number}-{at}").parse().unwrap(),
    };
    Part { number, entries: due.iter().map(entry).collect(), next: None }
}

/// A lane of which so much is not read yet.
fn queue(lane: Lane, parts: Vec<Part>) -> LaneQueue {
    let oldest = parts.iter().filter_map(|part| part.entries.front()).map(|entry| entry.due_at).min();
    LaneQueue { oldest, parts: Some(parts).filter(|parts| !parts.is_empty()), ..LaneQueue::new(lane) }
}

fn queues(queues: Vec<LaneQueue>) -> LaneQueues {
    LaneQueues::new(out_of_reach(), Timestamp(1_000), queues)
}

fn sellers(batch: &Batch) -> Vec<String> {
    batch.dues.iter().map(|due| due.connection.seller_id.to_string()).collect()
}

async fn read_parts(parts: Vec<Part>, batch: usize) -> Batch {
    read(out_of_reach(), lane("us"), Timestamp(1_000), parts, batch).await.unwrap()
}

#[tokio::test]
async fn the_oldest_of_all_parts_come_first_with_or_without_their_items() {
    let parts = vec![part(0, &[3, 5, 9]), part(1, &[]), part(2, &[1, 4])];
    let first = read_parts(parts, 3).await;
    assert_eq!(sellers(&first), ["2-1", "0-3", "2-4"]);
    assert!(first.dues.iter().all(|due| due.item.is_none()), "they are read one by one");
    let second = read_parts(first.parts, 3).await;
    assert_eq!(sellers(&second), ["0-5", "0-9"]);
    assert!(second.parts.is_empty());
}

#[tokio::test]
async fn reading_waits_for_the_work() {
    let many: Vec<i64> = (0..900).collect();
    let mut queues = queues(vec![queue(lane("us"), vec![part(0, &many)]), queue(lane("eu"), vec![part(0, &many)])]);
    let mut taken = 0;
    while queues.has_more(|_| true) {
        queues.read_ahead(|_| true);
        let in_memory: usize = queues.queues.iter().map(|queue| queue.ready.len()).sum();
        assert!(in_memory <= ITEMS, "{in_memory}");
        if !queues.reads.is_empty() {
            assert!(queues.arrives().await.unwrap().is_none());
        }
        taken += usize::from(queues.take(|_, _| true).is_some());
    }
    assert_eq!(taken, 1_800);
}

/// Simulates a run with so many places: each lane takes so many ticks for a connection. How many of each were done.
fn run(places: usize, ticks: u32, lanes: &[(&str, u32)]) -> BTreeMap<String, u32> {
    let ready = |app: &str| {
        (0..40_000)
            .map(|n| Due {
                connection: format!("tiktok-shop/{app}/{n}").parse().unwrap(),
                item: None,
                work: Work::Marketplace,
            })
            .collect()
    };
    let all = lanes.iter().map(|(app, _)| LaneQueue { ready: ready(app), ..LaneQueue::new(lane(app)) });
    let mut queues = queues(all.collect());
    let (mut under_way, mut done) = (Vec::new(), BTreeMap::new());
    for tick in 0..ticks {
        under_way.retain(|(until, id)| {
            if *until == tick {
                queues.end(*id);
            }
            *until > tick
        });
        while under_way.len() < places {
            let (id, due) = queues.take(|_, _| true).unwrap();
            let app = due.connection.app.app.to_string();
            let takes = lanes.iter().find(|(name, _)| *name == app).unwrap().1;
            queues.begin(id);
            under_way.push((tick + takes, id));
            *done.entry(app).or_default() += 1;
        }
    }
    done
}

#[test]
fn a_slow_lane_does_not_take_every_place() {
    let alone = run(32, 1_000, &[("fast", 1)])["fast"];
    let done = run(32, 1_000, &[("slow", 90), ("fast", 1)]);
    assert!(done["fast"] * 2 >= alone * 9 / 10, "half of the places stay free for it: {done:?}");
    let many = run(32, 1_000, &[("slow", 90), ("slower", 300), ("fast", 1)]);
    assert!(many["fast"] * 3 >= alone * 9 / 10, "{many:?}");
}

#[test]
fn lanes_with_as_many_under_way_take_turns_whoever_is_the_oldest() {
    let done = run(1, 300, &[("a", 1), ("b", 1), ("c", 1)]);
    assert_eq!(done.into_values().collect::<Vec<_>>(), [100, 100, 100]);
}

#[test]
fn a_lane_that_may_not_give_any_is_passed_over() {
    let ready = |app: &str| {
        let connection = format!("tiktok-shop/{app}/1").parse().unwrap();
        LaneQueue {
            ready: [Due { connection, item: None, work: Work::Marketplace }].into(),
            ..LaneQueue::new(lane(app))
        }
    };
    let mut queues = queues(vec![ready("us"), ready("eu")]);
    let (_, due) = queues.take(|of, _| *of == lane("eu")).unwrap();
    assert_eq!(due.connection.app.app.as_str(), "eu");
    assert!(queues.take(|of, _| *of == lane("eu")).is_none());
    assert_eq!(queues.left(), 1);
    assert!(queues.has_more(|_| true) && !queues.has_more(|of| *of == lane("eu")));
}

#[test]
fn the_age_of_stopped_lanes_is_told_apart() {
    let queues = queues(vec![
        queue(lane("us"), vec![part(0, &[900])]),
        queue(lane("eu"), vec![part(0, &[100]), part(1, &[50])]),
        queue(Lane::Chores, vec![part(3, &[990])]),
    ]);
    let ages = |stopped: &[Lane]| queues.ages(|lane| stopped.contains(lane));
    assert_eq!(ages(&[]), Ages { oldest_due_seconds: 950, lane_stopped_seconds: 0 });
    assert_eq!(ages(&[lane("eu")]), Ages { oldest_due_seconds: 100, lane_stopped_seconds: 950 });
    assert_eq!(ages(&[lane("eu"), lane("us")]), Ages { oldest_due_seconds: 10, lane_stopped_seconds: 950 });
}

#[tokio::test]
async fn a_table_that_says_nothing_at_all_ends_the_run() {
    let partition = Partition { index: 0, count: 1 };
    let table = out_of_reach();
    let probing = LaneQueues::probe(&table, vec![lane("us"), Lane::Chores], partition, Timestamp(1_000));
    tokio::time::timeout(Duration::from_secs(30), probing).await.unwrap().unwrap_err();
}
