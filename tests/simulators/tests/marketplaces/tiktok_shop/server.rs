use std::time::{Duration, Instant};

use simulators::tiktok_shop::{Fault, Route, Simulator, Trouble, When};
use tokio::time::timeout;

use super::client::{Client, until};

#[tokio::test]
async fn a_stopped_simulator_refuses_connections_and_frees_its_port() {
    let client = Client::start_at([127, 0, 0, 4]).await;
    client.tokens().await;
    let url = client.exchange_url("code");
    let started = Instant::now();
    client.simulator.stop().await;
    assert!(started.elapsed() < Duration::from_secs(4), "idle connections must not hold it up");
    assert!(client.get(url.clone(), None).await.unwrap_err().is_connect());

    let address = url.socket_addrs(|| None).unwrap()[0];
    let next = Simulator::start(address).await.unwrap();
    assert_eq!(next.base_url(), client.simulator.base_url());
}

#[tokio::test]
async fn the_last_handle_takes_the_server_with_it_even_while_a_call_hangs() {
    let client = Client::start_at([127, 0, 0, 5]).await;
    client.simulator.inject(Route::TokenGet, Fault::new(Trouble::Hang(When::BeforeEffect)));
    let Client { simulator, http } = client;
    let url = format!("{}/api/v2/token/get", simulator.base_url());
    let hanging = tokio::spawn(http.get(&url).send());
    until(async || simulator.calls().len() == 1).await;
    let clone = simulator.clone();
    drop(simulator);
    assert_eq!(clone.calls().len(), 1);
    assert!(!hanging.is_finished());
    drop(clone);
    let hung_up = timeout(Duration::from_secs(5), hanging).await.expect("it is let go before the client gives up");
    assert!(hung_up.unwrap().is_err());
    until(async || http.get(&url).send().await.is_err_and(|error| error.is_connect())).await;
}

#[tokio::test]
async fn unknown_paths_are_404_in_plain_text() {
    let client = Client::start().await;
    let answer = client.get(client.url("/api/v2/token", &[]), None).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (404, "404 page not found"));
}
