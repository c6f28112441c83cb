//! How notices are brought to an app that does not take them at once.

use std::time::{Duration, Instant};

use simulators::tiktok_shop::{Notice, Reception, Settings};
use tokio::time::sleep;

use super::client::{APP_KEY, Client};
use super::receiver::{A_WHILE, Answer, Receiver, SOON};

fn send(client: &Client) -> String {
    client.simulator.send_notice(APP_KEY, Notice::deauthorized("s1")).unwrap()
}

fn receptions(client: &Client, id: &str) -> Vec<Reception> {
    client.simulator.deliveries_of(id).iter().map(|delivery| delivery.reception).collect()
}

#[tokio::test]
async fn what_is_not_taken_is_posted_again_as_it_was() {
    let (receiver, client) = Receiver::with_client().await;
    receiver.answer([Answer::Status(500), Answer::Status(204), Answer::Redirect]);
    let id = send(&client);
    assert!(client.simulator.delivered(&id, SOON).await);
    sleep(A_WHILE).await;

    let posts = receiver.posts();
    assert_eq!(posts.len(), 4, "no more after the 200");
    for again in &posts {
        assert_eq!((again.path.as_str(), &again.body), ("/webhooks", &posts[0].body));
        assert!(again.is_signed() && again.text("tts_notification_id") == id);
    }
    assert_eq!(receptions(&client, &id), [500, 204, 307, 200].map(Reception::Answered));
    let deliveries = client.simulator.deliveries();
    assert_eq!(deliveries.iter().map(|delivery| delivery.attempt).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for delivery in &deliveries {
        assert_eq!((delivery.kind, delivery.shop_id.as_str()), (6, "s1"));
        assert_eq!(delivery.app_key, APP_KEY);
        assert!(delivery.at.abs_diff(client.simulator.now()) <= 5);
    }
}

#[test]
fn the_platforms_own_delays() {
    let delays = Settings::default().webhook_retries;
    assert_eq!(delays.iter().map(Duration::as_secs).collect::<Vec<_>>(), [120, 1800, 10_800, 43_200]);
}

#[tokio::test]
async fn retries_come_after_their_delays_and_end_with_the_last() {
    let (receiver, client) = Receiver::with_client().await;
    let delays = [50, 150].map(Duration::from_millis);
    client.simulator.configure(|settings| settings.webhook_retries = delays.to_vec());
    receiver.answer([Answer::Status(503); 4]);
    let id = send(&client);
    assert!(client.simulator.attempted(&id, 3, SOON).await);
    sleep(A_WHILE).await;
    let deliveries = client.simulator.deliveries_of(&id);
    assert_eq!(deliveries.len(), 3);
    for (pair, delay) in deliveries.windows(2).zip(delays) {
        assert!(pair[1].sent - pair[0].sent >= delay);
    }
    assert!(!client.simulator.delivered(&id, A_WHILE).await);
    assert_eq!(receiver.posts().len(), 3);
}

#[tokio::test]
async fn every_attempt_is_signed_with_the_secret_of_its_time() {
    let (receiver, client) = Receiver::with_client().await;
    client.simulator.configure(|settings| settings.webhook_retries = vec![A_WHILE]);
    receiver.answer([Answer::Status(401); 2]);
    let by_app = send(&client);
    let fixed = client.simulator.send_notice(APP_KEY, Notice::deauthorized("s1").signed_with("previous")).unwrap();
    for id in [&by_app, &fixed] {
        assert!(client.simulator.attempted(id, 1, SOON).await);
    }
    client.simulator.update_app(APP_KEY, |app| app.app_secret = "new-secret".to_owned()).unwrap();
    for id in [&by_app, &fixed] {
        assert!(client.simulator.delivered(id, SOON).await);
    }
    let posts = receiver.posts();
    let (of_app, of_fixed): (Vec<_>, Vec<_>) =
        posts.iter().partition(|post| post.text("tts_notification_id") == by_app);
    assert!(of_app[0].is_signed() && of_app[1].is_signed_with("new-secret"));
    assert!(of_fixed.len() == 2 && of_fixed.iter().all(|post| post.is_signed_with("previous")));
}

#[tokio::test]
async fn an_answer_after_three_seconds_is_none() {
    let (receiver, client) = Receiver::with_client().await;
    receiver.answer([Answer::Silence]);
    let started = Instant::now();
    let id = send(&client);
    assert_eq!(receptions(&client, &id), [Reception::Awaited], "known at once");
    assert!(client.simulator.delivered(&id, SOON).await);
    let waited = started.elapsed();
    assert!(waited >= Duration::from_secs(3) && waited < Duration::from_secs(8), "{waited:?}");
    assert_eq!(receptions(&client, &id), [Reception::Unanswered, Reception::Answered(200)]);
}

#[tokio::test]
async fn nobody_there_counts_as_failure() {
    let (receiver, client) = Receiver::with_client().await;
    let nobody = "http://127.0.0.1:9/webhooks".parse().unwrap();
    client.simulator.update_app(APP_KEY, |app| app.webhook_url = Some(nobody)).unwrap();
    let id = send(&client);
    assert!(client.simulator.attempted(&id, 5, SOON).await);
    assert_eq!(receptions(&client, &id), [Reception::Unanswered; 5]);
    assert!(receiver.posts().is_empty());
}

#[tokio::test]
async fn a_platform_that_never_heard_the_200_delivers_again() {
    let (receiver, client) = Receiver::with_client().await;
    client.simulator.configure(|settings| settings.webhook_duplicates = 2);
    let id = send(&client);
    assert!(client.simulator.attempted(&id, 3, SOON).await);
    sleep(A_WHILE).await;
    let posts = receiver.posts();
    assert_eq!(posts.len(), 3);
    assert!(posts.iter().all(|again| again.body == posts[0].body && again.is_signed()));
    assert_eq!(receptions(&client, &id), [Reception::Answered(200); 3]);
}

#[tokio::test]
async fn a_stopped_simulator_gives_up_and_sends_nothing_more() {
    let (receiver, client) = Receiver::with_client().await;
    client.simulator.configure(|settings| settings.webhook_retries = vec![A_WHILE]);
    receiver.answer([Answer::Status(500), Answer::Silence]);
    let waiting = send(&client);
    assert!(client.simulator.attempted(&waiting, 1, SOON).await);
    let hanging = send(&client);
    while receiver.posts().len() < 2 {
        sleep(Duration::from_millis(5)).await;
    }

    let started = Instant::now();
    client.simulator.stop().await;
    assert!(started.elapsed() < Duration::from_millis(2_500), "an app may take three seconds");
    assert_eq!(receptions(&client, &hanging), [Reception::Unanswered]);
    let late = send(&client);
    sleep(2 * A_WHILE).await;
    assert_eq!(receiver.posts().len(), 2);
    assert!(client.simulator.deliveries_of(&late).is_empty());
    assert_eq!(receptions(&client, &waiting), [Reception::Answered(500)]);
}

#[tokio::test]
async fn the_last_handle_takes_what_is_on_its_way_with_it() {
    let (receiver, client) = Receiver::with_client().await;
    client.simulator.configure(|settings| settings.webhook_retries = vec![A_WHILE]);
    receiver.answer([Answer::Status(500)]);
    let id = send(&client);
    assert!(client.simulator.attempted(&id, 1, SOON).await);
    drop(client);
    sleep(2 * A_WHILE).await;
    assert_eq!(receiver.posts().len(), 1);
}

/// Tests call from where they are, which may be a thread without a runtime.
#[tokio::test]
async fn notices_go_out_from_any_thread() {
    let (_receiver, client) = Receiver::with_client().await;
    let simulator = client.simulator.clone();
    let send = move || simulator.send_notice(APP_KEY, Notice::deauthorized("s1")).unwrap();
    let id = std::thread::spawn(send).join().unwrap();
    assert!(client.simulator.delivered(&id, SOON).await);
}
