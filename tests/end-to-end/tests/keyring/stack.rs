//! What a stack promises to the tests that use it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use emulators::front::{Fault, FaultKind, Moment};
use end_to_end::{Function, Options, Stack, StartError, stack::Ports};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(20);

/// Makes [`holds_a_stack`] hold one.
const HOLD: &str = "END_TO_END_HOLD";

fn all_processes(stack: &Stack) -> Vec<u32> {
    Function::ALL.into_iter().flat_map(|function| stack.processes(function)).collect()
}

fn any_alive(pids: &[u32]) -> bool {
    pids.iter().any(|pid| {
        let kill = Command::new("sh").args(["-c", &format!("kill -0 {pid}")]).stderr(Stdio::null()).status();
        kill.is_ok_and(|status| status.success())
    })
}

fn ends_soon(pids: &[u32]) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while any_alive(pids) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    !any_alive(pids)
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_calls_run_at_a_time_as_there_are_processes() {
    let stack = Stack::start(Options::default().with_processes(Function::RefreshSweep, 2)).await.unwrap();
    let held = stack.dynamodb().front().pause("Query", Moment::Arrived);
    let first = tokio::spawn({
        let sweeper = stack.sweeper();
        async move { sweeper.sweep().await }
    });
    tokio::time::timeout(PATIENCE, held.reached()).await.unwrap();
    assert_eq!(stack.invoke_sweep().await["due"], 0, "the second process sweeps while the first one is held");
    assert!(!first.is_finished());
    held.release();
    assert_eq!(first.await.unwrap().unwrap()["due"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_replaced_by_a_new_one() {
    let stack = Stack::start(Options::default().with_processes(Function::RefreshSweep, 1)).await.unwrap();
    let held = stack.dynamodb().front().pause("Query", Moment::Arrived);
    let hanging = tokio::spawn({
        let sweeper = stack.sweeper();
        async move { sweeper.sweep().await }
    });
    tokio::time::timeout(PATIENCE, held.reached()).await.unwrap();
    let before = stack.processes(Function::RefreshSweep);
    stack.kill(Function::RefreshSweep);
    held.release();
    assert!(stack.processes(Function::RefreshSweep).is_empty());
    assert!(ends_soon(&before));
    assert!(!hanging.is_finished(), "its caller does not learn of it");
    hanging.abort();

    stack.start_process(Function::RefreshSweep).unwrap();
    assert_eq!(stack.invoke_sweep().await["due"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_stack_leaves_nothing_running() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let processes = all_processes(&stack);
    assert_eq!(processes.len(), 8);
    drop(stack);
    assert!(!any_alive(&processes));
}

#[test]
fn a_stack_whose_owner_is_killed_leaves_nothing_running() {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stack::holds_a_stack", "--nocapture"])
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = lines.into_iter().find_map(|line| Some(line.split_once("holding ")?.1.to_owned())).unwrap();
    let processes: Vec<u32> = told.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(processes.len(), 8);
    assert!(any_alive(&processes));
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(ends_soon(&processes));
}

/// Not a test by itself: the owner that the test above kills.
#[tokio::test(flavor = "multi_thread")]
async fn holds_a_stack() {
    if std::env::var_os(HOLD).is_none() {
        return;
    }
    let stack = Stack::start(Options::default()).await.unwrap();
    let pids: Vec<String> = all_processes(&stack).iter().map(u32::to_string).collect();
    println!("holding {}", pids.join(" "));
    std::future::pending::<()>().await;
    drop(stack);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    for (ports, what) in [
        (Ports { gateway: port, ..Ports::default() }, "gateway"),
        (Ports { lambda: port, ..Ports::default() }, "lambda"),
        (Ports { dynamodb: port, ..Ports::default() }, "dynamodb"),
        (Ports { temu: port, ..Ports::default() }, "temu"),
    ] {
        let error = Stack::start(Options { ports, ..Options::default() }).await.unwrap_err();
        assert!(matches!(error, StartError::PortTaken { .. }));
        assert_eq!(error.to_string(), format!("port {port} ({what}) is taken by another program"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_access_is_not_in_the_functions_way() {
    let stack = Stack::start(Options::default()).await.unwrap();
    let fault = stack.dynamodb().front().inject(Fault::new(FaultKind::ErrorBefore).on("UpdateItem").always());
    let item = json!({ "connection": "tiktok-shop/us/x", "due_at": 1_900_000_000_i64, "due_lane": "tiktok-shop/us#3", "shops": [] });
    stack.put_item(&item).await;
    stack.age(100).await;
    let aged = json!({ "connection": "tiktok-shop/us/x", "due_at": 1_899_999_900_i64, "due_lane": "tiktok-shop/us#3", "shops": [] });
    assert_eq!(stack.item("tiktok-shop/us/x").await, Some(aged));
    stack.delete_item("tiktok-shop/us/x").await;
    assert_eq!(stack.item("tiktok-shop/us/x").await, None);
    assert_eq!(fault.fired(), 0);
    for operation in ["GetItem", "PutItem", "UpdateItem", "Query", "TransactWriteItems"] {
        assert_eq!(stack.dynamodb().front().count(operation), 0, "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_processes_write_is_kept() {
    let broken = Options::default().with_variable(Function::OauthCallback, "VENDOR_NAME", "");
    let stack = Stack::start(broken.with_processes(Function::OauthCallback, 1)).await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !stack.processes(Function::OauthCallback).is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let output = stack.output_of(Function::OauthCallback);
    assert!(output.contains("VENDOR_NAME: not set") && output.contains("exit status: 1"), "{output}");
}
