//! `make sandbox`: the keyring on this machine, to look at and to click through.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a walk that is not as expected ends its step, and all this program does is talk to a terminal"
)]

mod args;
mod options;
mod steps;
mod temu;
mod walk;

use std::{io, process::ExitCode, time::Duration};

use end_to_end::{
    Stack, StartError,
    backend::Backend,
    schedule::{Runs, Schedule},
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    args::{Args, Command},
    steps::{Failed, Steps},
};

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Command::read() {
        Ok(Command::Run(args)) => args,
        Ok(Command::Help) => {
            println!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => return failure(&problem),
    };
    // Before anything is started: from here on, whatever ends the sandbox ends its processes.
    let ended = match ended() {
        Ok(ended) => ended,
        Err(error) => return failure(&format!("signals cannot be caught: {error}")),
    };
    tokio::select! {
        outcome = run(&args) => match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => failure(&problem),
        },
        () = ended => {
            println!("\nEnded; nothing is left running.");
            ExitCode::SUCCESS
        }
    }
}

fn failure(problem: &str) -> ExitCode {
    eprintln!("sandbox: {problem}");
    ExitCode::FAILURE
}

/// Ends with Ctrl-C, or when the process is told to end.
fn ended() -> io::Result<impl Future<Output = ()>> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] = [signal(kinds[0])?, signal(kinds[1])?, signal(kinds[2])?];
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

async fn run(args: &Args) -> Result<(), String> {
    println!("Shop Keyring sandbox: all on this machine, nothing leaves it.");
    let stack = Stack::start(options::of(args)).await.map_err(|error| explained(&error, args))?;
    // --once shall not take long.
    let every = Duration::from_secs(if args.once { 1 } else { 5 });
    let schedule = Schedule::start(stack.sweeper(), every);
    let backend =
        Backend::start(args.vendor_port(), stack.vendor(), schedule.runs().clone(), stack.event_bus().clone()).await;
    let backend = backend.map_err(|error| explained(&error, args))?;

    println!("The vendor's web application, to look at meanwhile: {}", backend.url());
    if args.walk
        && let Err(walk) = walk_all(&stack, schedule.runs()).await
    {
        eprintln!("\n---- what the functions wrote:\n{}----\n", stack.output());
        return Err(walk.0);
    }
    if args.walk {
        println!("\nEvery step worked.");
    }
    if args.once {
        return Ok(());
    }
    invite(&stack, &backend);
    tell_sweeps(&stack, schedule.runs()).await
}

fn explained(error: &StartError, args: &Args) -> String {
    let other = if args.base_port < 60_000 { args.base_port + 100 } else { 8700 };
    match error {
        StartError::PortTaken { .. } => {
            format!("{error}; end that, or listen elsewhere: make sandbox ARGS=\"--base-port {other}\"")
        }
        _ => error.to_string(),
    }
}

async fn walk_all(stack: &Stack, runs: &Runs) -> Result<(), Failed> {
    let mut steps = Steps::new();
    walk::walk(stack, runs, &mut steps).await?;
    temu::walk(stack, &mut steps).await
}

fn invite(stack: &Stack, backend: &Backend) {
    let (vendor, gateway) = (stack.vendor(), stack.gateway().url());
    println!(
        "\nIt stays up; Ctrl-C ends it.\n\n\
         To click through (docs/sandbox.md): {}\n\n\
         To ask for the token yourself, once {} is connected:\n\n\
         curl --aws-sigv4 aws:amz:{}:execute-api --user {} \\\n    {gateway}/v1/connections/{}/token\n",
        backend.url(),
        walk::CONNECTION,
        end_to_end::REGION,
        vendor.user(),
        walk::CONNECTION,
    );
    println!("To run the clients of examples/ (docs/clients.md) against it:\n");
    for (name, value) in vendor.environment() {
        println!("export {name}={value}");
    }
    println!("\n{}", temu::how_to_play(stack));
}

/// Tells of every sweep that did something, and of every event, for as long as the sandbox stays up. With each of them a day passes in
/// Secrets Manager: it takes about a hundred versions of a secret a day, and tokens of two minutes would need more.
async fn tell_sweeps(stack: &Stack, runs: &Runs) -> Result<(), String> {
    let mut seen = runs.after(0).last().map_or(0, |run| run.number);
    let mut told = stack.event_bus().events_after(0).last().map_or(0, |event| event.number);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for run in runs.after(seen) {
            seen = run.number;
            if run.did_something() {
                println!("sweep {}: {}", run.number, run.in_words());
                stack.secrets_manager().advance(86_400);
            }
        }
        for event in stack.event_bus().events_after(told) {
            told = event.number;
            println!("event: {} {}", event.detail_type, event.detail);
        }
    }
}
