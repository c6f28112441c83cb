//! Which connections there are, and which of them a person has to look at.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::{Function, Options, Stack, VendorApi};
use serde_json::{Value, json};
use shop_keyring::connection::{Connection, Fault, LastError, Reason, Status};

use crate::{
    rows::{import, put, row},
    setting::{DUE, US_APP_KEY, connect, connected},
};

const MANY: usize = 5_000;
const ACCOUNTS: usize = 7;
const APPS: [&str; 5] = ["tiktok-shop/us", "tiktok-shop/global", "temu/us", "temu/eu", "temu/product"];

fn name(n: usize) -> String {
    format!("{}/seller-{n:05}", APPS[n % APPS.len()])
}

fn nth(n: usize) -> Connection {
    row(&name(n), Some(&format!("customer-{}", n % ACCOUNTS)))
}

async fn with_many() -> Stack {
    let stack = Stack::start(Options::default()).await.unwrap();
    import(&stack, &(0..MANY).map(nth).collect::<Vec<_>>());
    stack
}

fn names(page: &[Value]) -> impl Iterator<Item = String> {
    page.iter().map(|connection| connection["connection"].as_str().unwrap().to_owned())
}

/// All names of a walk; panics if one comes twice.
async fn walk(vendor: &VendorApi, query: &str) -> BTreeSet<String> {
    let pages = vendor.all_connections(query).await;
    let all: Vec<_> = pages.iter().flat_map(|page| names(page)).collect();
    let distinct: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(all.len(), distinct.len(), "{query}: repeats");
    distinct
}

/// What happens between two pages: some need the seller, some go, some come, in all parts of the order.
async fn stir(stack: &Stack, turn: usize, touched: &mut BTreeSet<String>) {
    for step in 0..3 {
        let n = (turn * 97 + step * 1_613) % MANY;
        touched.insert(name(n));
        match step {
            0 => {
                let status = Status::ReauthorizationRequired { reason: Reason::Deauthorized };
                put(stack, &Connection { status, revision: 9, ..nth(n) }).await;
            }
            1 => stack.delete_item(&name(n)).await,
            _ => {
                let new = format!("{}/new-{turn:03}", APPS[turn % APPS.len()]);
                put(stack, &row(&new, Some(&format!("customer-{}", turn % ACCOUNTS)))).await;
                touched.insert(new);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_is_complete_and_without_repeats_while_connections_change() {
    let stack = with_many().await;
    let vendor = stack.vendor();
    // Each walk meets changes of its own.
    let (mut touched, mut turn) = (BTreeSet::new(), 0);
    for (query, limit, belongs) in [
        ("", 100, Box::new(|_| true) as Box<dyn Fn(usize) -> bool>),
        ("account_id=customer-3", 20, Box::new(|n| n % ACCOUNTS == 3)),
        ("marketplace=temu&app=eu", 25, Box::new(|n| n % APPS.len() == 3)),
        ("marketplace=tiktok-shop&status=active", 80, Box::new(|n| n % APPS.len() < 2)),
    ] {
        let (mut seen, mut cursor, first_turn) = (BTreeMap::new(), None::<String>, turn);
        loop {
            let page = vendor.connections_from(&format!("{query}&limit={limit}"), cursor.as_deref()).await;
            let page = page.expect(200).json();
            let connections = page["connections"].as_array().unwrap();
            assert!(connections.len() <= limit);
            for name in names(connections) {
                *seen.entry(name).or_insert(0) += 1;
            }
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = Some(next.to_owned());
            stir(&stack, turn, &mut touched).await;
            turn += 1;
        }
        assert!(turn - first_turn > 20, "{query}: {} pages are no walk", turn - first_turn);
        assert!(seen.values().all(|times| *times == 1), "{query}: repeats");
        let left_alone = (0..MANY).filter(|n| belongs(*n)).map(name).filter(|name| !touched.contains(name));
        let missing: Vec<_> = left_alone.filter(|name| !seen.contains_key(name)).collect();
        assert_eq!(missing, Vec::<String>::new(), "{query}");
        let others = (0..MANY).filter(|n| !belongs(*n)).map(name).filter(|name| seen.contains_key(name));
        assert_eq!(others.count(), 0, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rare_is_found_without_a_walk_over_all() {
    let stack = with_many().await;
    let vendor = stack.vendor();
    let fault = Fault {
        message: "internal error at Temu".into(),
        code: Some("4000000".into()),
        request_id: Some("r-1".into()),
    };
    let error = Some(LastError { at: nth(0).created_at, fault });
    let ended = Status::ReauthorizationRequired { reason: Reason::Replaced };
    for rare in [
        Connection { status: ended, ..nth(7) },
        Connection { failures: 3, last_error: error.clone(), ..nth(702) },
        Connection { refusals: 1, last_error: error.clone(), ..nth(1_405) },
        Connection { reminded: Some(14), ..nth(2_222) },
        Connection { account_id: None, ..nth(3_000) },
        // These do not: one failure, and waiting for the confirmation.
        Connection { failures: 1, last_error: error, ..nth(4_000) },
        Connection { status: Status::Pending, ..nth(4_001) },
    ] {
        put(&stack, &rare).await;
    }
    let named = |numbers: &[usize]| numbers.iter().map(|n| name(*n)).collect::<BTreeSet<_>>();
    for (query, expected) in [
        ("needs_attention=true", named(&[7, 702, 1_405, 2_222, 3_000])),
        ("status=reauthorization_required", named(&[7])),
        ("needs_attention=true&status=active", named(&[702, 1_405, 2_222, 3_000])),
        ("needs_attention=true&marketplace=tiktok-shop", named(&[1_405, 3_000])),
        ("needs_attention=true&marketplace=temu&app=us&limit=1", named(&[7, 702, 2_222])),
        ("needs_attention=true&account_id=customer-0", named(&[7])),
        ("status=pending", named(&[4_001])),
        ("status=disconnected", BTreeSet::new()),
        ("status=active&needs_attention=false&account_id=customer-3&marketplace=temu&app=product", {
            (0..MANY).filter(|n| n % ACCOUNTS == 3 && n % APPS.len() == 4).map(name).collect()
        }),
    ] {
        assert_eq!(walk(&vendor, query).await, expected, "{query}");
    }

    stack.dynamodb().front().forget_calls();
    drop(vendor.connections("needs_attention=true").await.expect(200));
    let counters = stack.dynamodb().front().counters();
    assert_eq!(counters["Query"], 16, "one for each shard: {counters:?}");
    assert!(counters["BatchGetItem"] <= 5 && counters.len() == 2, "nothing but these is read: {counters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_looks_at_so_much_and_no_more() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    let nobody = |n| row(&name(n), Some(if n < 700 { "large" } else { "small" }));
    import(&stack, &(0..12_000).map(nobody).collect::<Vec<_>>());
    // Of an account the items have to be read, of the rest the index tells.
    for (query, operation, at_most) in
        [("account_id=large&status=disconnected", "BatchGetItem", 10), ("status=disconnected", "Query", 60)]
    {
        stack.dynamodb().front().forget_calls();
        let first = vendor.connections(query).await.expect(200).json();
        assert_eq!(first["connections"], json!([]), "{query}");
        assert!(first["next_cursor"].is_string(), "{query}: an empty page, and a cursor");
        let counters = stack.dynamodb().front().counters();
        assert!(counters[operation] <= at_most, "{query}: {counters:?}");
        assert_eq!(vendor.all_connections(query).await.concat().len(), 0);
    }
    let pages = vendor.all_connections("status=active&limit=100&marketplace=temu&app=eu").await;
    assert_eq!((pages.concat().len(), pages[0].len()), (2_400, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_the_seller_is_listed_until_the_seller_was_there() {
    let stack = connected(Options::default()).await;
    let vendor = stack.vendor();
    let listed = async |query: &str| walk(&vendor, query).await.len();
    assert_eq!((listed("needs_attention=true").await, listed("status=active").await), (0, 1));
    stack.age(DUE).await;
    assert!(stack.tiktok_shop().deauthorize(US_APP_KEY, "seller-1"));
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let doubted = vendor.all_connections("needs_attention=true").await.concat();
    assert_eq!(doubted[0]["needs_attention"][0]["code"], "in_doubt");
    stack.age(86_400).await;
    assert_eq!(stack.invoke_sweep().await["refused"], 1);
    let lost = vendor.all_connections("status=reauthorization_required").await.concat();
    assert_eq!(
        (&lost[0]["reason"], &lost[0]["needs_attention"][0]["code"]),
        (&json!("refused"), &json!("reauthorization_required"))
    );
    assert!(
        lost[0]["last_error"]["request_id"].is_string() && lost[0]["last_error"]["code"].is_string(),
        "{}",
        lost[0]
    );
    assert_eq!(listed("status=active").await, 0);

    connect(&stack, "us", "seller-1", "acme").await;
    assert_eq!((listed("needs_attention=true").await, listed("status=reauthorization_required").await), (0, 0));
    assert_eq!(listed("status=active").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_item_decides_and_one_that_cannot_be_read_hides_no_other() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    import(&stack, &(0..20).map(nth).collect::<Vec<_>>());
    let stored = stack.item(&name(4)).await.unwrap();
    // As the index says while it lags behind an account that was changed, or a trouble that is over.
    let mut late = stored.clone();
    late["attention_shard"] = stored["list_shard"].clone();
    stack.put_item(&late).await;
    assert_eq!(walk(&vendor, "needs_attention=true").await, BTreeSet::new());

    let mut unreadable = stored.clone();
    unreadable["format"] = json!(99);
    stack.put_item(&unreadable).await;
    let all: BTreeSet<_> = (0..20).filter(|n| *n != 4).map(name).collect();
    assert_eq!(walk(&vendor, "limit=7").await, all);
    stack.stop_functions();
    assert!(stack.output_of(Function::TokenLookup).contains("unreadable_item"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_serves_its_own_query_only() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let vendor = stack.vendor();
    import(&stack, &(0..20).map(nth).collect::<Vec<_>>());
    let page = vendor.connections("marketplace=temu&limit=3").await.expect(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let other = vendor.connections_from("marketplace=tiktok-shop&limit=3", Some(cursor)).await.expect(400);
    assert!(other.json()["detail"].as_str().unwrap().contains("another query"), "{}", other.body);
    for garbage in ["x", "AAAA", "%20", &cursor[1..]] {
        let refused = vendor.connections_from("marketplace=temu", Some(garbage)).await.expect(400);
        assert!(refused.json()["detail"].as_str().unwrap().contains("`cursor`"), "{}", refused.body);
    }
    // Only the length of the pages may change.
    let rest = vendor.connections_from("limit=100&marketplace=temu", Some(cursor)).await.expect(200).json();
    let rest: BTreeSet<_> = names(rest["connections"].as_array().unwrap()).collect();
    assert_eq!(rest.len(), 9, "of twelve");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_in_words_that_one_can_act_on() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let fault = Fault {
        message: "our IP address is not on the app's list at the marketplace".into(),
        code: Some("36009033".into()),
        request_id: Some("202611210001".into()),
    };
    let held_back =
        Connection { last_error: Some(LastError { at: nth(0).created_at, fault }), reminded: Some(7), ..nth(0) };
    put(&stack, &held_back).await;
    let seen = stack.vendor().connection(&name(0)).await.expect(200).json();
    let codes: Vec<_> = seen["needs_attention"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    assert_eq!(codes, ["held_back", "expiring"]);
    assert!(seen["needs_attention"][1]["detail"].as_str().unwrap().contains("connect session"));
    let error = &seen["last_error"];
    assert_eq!((&error["code"], &error["request_id"]), (&json!("36009033"), &json!("202611210001")));
    assert!(error["what_to_do"].as_str().unwrap().contains("app at the marketplace"), "{error}");

    put(&stack, &nth(0)).await;
    let seen = stack.vendor().connection(&name(0)).await.expect(200).json();
    assert_eq!((&seen["needs_attention"], &seen["last_error"]), (&json!([]), &Value::Null));
}
