use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use simulators::temu::{Addresses, Fault, Route, Router, Simulator, Trouble, When};
use tokio::time::timeout;

use super::client::{Client, until};

fn ports(addresses: Addresses) -> Vec<u16> {
    let routers = Router::ALL.map(|router| addresses.of(router));
    routers.into_iter().chain([addresses.seller_centre]).map(|address| address.port()).collect()
}

#[tokio::test]
async fn each_router_and_the_seller_centre_have_ports_of_their_own() {
    let client = Client::start().await;
    let simulator = &client.simulator;
    let mut urls: BTreeSet<String> = Router::ALL.map(|router| simulator.base_url(router)).into();
    urls.insert(simulator.seller_centre_url());
    assert_eq!(urls.len(), 6);
    for router in Router::ALL {
        assert_eq!(simulator.router_url(router), format!("{}/openapi/router", simulator.base_url(router)));
    }
}

#[tokio::test]
async fn a_stopped_simulator_refuses_connections_and_frees_its_ports() {
    let client = Client::start_at([127, 0, 0, 2]).await;
    client.info(&client.token()).await.unwrap();
    let addresses = client.simulator.addresses();
    let started = Instant::now();
    client.simulator.stop().await;
    assert!(started.elapsed() < Duration::from_secs(4), "idle connections must not hold it up");
    for router in Router::ALL {
        assert!(client.post(router, "{}".to_owned()).await.unwrap_err().is_connect());
    }
    let next = Simulator::start_at(addresses).await.unwrap();
    assert_eq!(ports(next.addresses()), ports(addresses));
}

#[tokio::test]
async fn a_taken_port_is_an_error_and_takes_no_other() {
    let client = Client::start().await;
    let taken = client.simulator.addresses().seller_centre;
    let any = ([127, 0, 0, 1], 0).into();
    let addresses = Addresses { us: any, eu: any, global: any, pa: any, cn: any, seller_centre: taken };
    assert!(Simulator::start_at(addresses).await.is_err());
}

#[tokio::test]
async fn the_last_handle_takes_the_servers_with_it_even_while_a_call_hangs() {
    let client = Client::start_at([127, 0, 0, 3]).await;
    let hang = Fault::new(Trouble::Hang(When::BeforeEffect));
    client.simulator.inject(Route::Other, hang);
    let Client { simulator, http } = client;
    let url = simulator.router_url(Router::Eu);
    let hanging = tokio::spawn(http.post(&url).body("{}").send());
    until(async || simulator.calls().len() == 1).await;
    let clone = simulator.clone();
    drop(simulator);
    assert_eq!(clone.calls().len(), 1);
    assert!(!hanging.is_finished());
    drop(clone);
    let hung_up = timeout(Duration::from_secs(5), hanging).await.expect("it is let go before the client gives up");
    assert!(hung_up.unwrap().is_err());
    until(async || http.post(&url).send().await.is_err_and(|error| error.is_connect())).await;
}

#[tokio::test]
async fn unknown_paths_are_404_in_plain_text() {
    let client = Client::start().await;
    let url = format!("{}/openapi", client.simulator.base_url(Router::Us));
    let response = client.http.post(url).send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.text().await.unwrap(), "404 page not found");
}
