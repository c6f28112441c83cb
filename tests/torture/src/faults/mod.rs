//! Each call to AWS and to the marketplace, at each step of each job, goes wrong in each way: real processes of the
//! functions against the emulators and simulators, a seller of its own for each cell of the table.
//!
//! What becomes of the job is one [`Word`](outcome::Word) of a small vocabulary, taken from what is seen: the answer, the
//! page, the item, the vault. Afterwards everything is well again and time passes: the connection must work, or its loss
//! must be one that cannot be helped. `docs/reliability.md` has the whole table, and it is what a run compares with.
//!
//! What no test can wait for is bounded elsewhere: calls to AWS are given up after three seconds (eight with their
//! repetitions), calls to a marketplace after ten, and a claim that has been held for three quarters of its minute starts
//! and awaits nothing more, frozen processes included (`shared/src/clock.rs`).

mod act;
mod bench;
pub(crate) mod cell;
mod coverage;
pub(crate) mod job;
pub(crate) mod outcome;
mod scene;
pub(crate) mod step;
pub(crate) mod table;
pub(crate) mod trouble;

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use self::{
    bench::{Bench, Round},
    cell::Cell,
    job::Job,
    outcome::{Outcome, Word},
    scene::Scene,
    table::Table,
};
use crate::{PartReport, Progress, Settings};

/// Stacks side by side: most of a cell's time is waiting.
const STACKS: usize = 6;
const STACKS_IN_SHORT: usize = 3;

/// Until a short run begins no more cells.
const SHORT: Duration = Duration::from_secs(22);

/// No cell takes longer.
const LONGEST: Duration = Duration::from_mins(4);

/// Cells that one stack is used for: logs and tables shall stay small.
const CELLS_A_STACK: usize = 40;

/// Runs the part.
pub(crate) async fn run(settings: &Settings) -> PartReport {
    let mut report = PartReport::new("");
    let expected = match Table::of_document() {
        Ok(table) => table,
        Err(error) if settings.write_table => {
            eprintln!("{error}");
            Table::default()
        }
        Err(error) => {
            report.check(false, || error.to_string());
            return report;
        }
    };
    let rounds = settings.rounds.unwrap_or(1);
    let mut tried = 0;
    for number in 0..rounds {
        let plan = Plan::new(settings, Round::of(number), &expected);
        plan.carry_out(settings).await;
        tried += plan.tried();
        plan.tell(settings, &mut report);
    }
    report.done = format!("{tried} cells, of {} in each of {rounds} round(s)", Cell::all().len());
    report
}

/// What is to be tried, and what was seen.
struct Plan<'a> {
    round: Round,
    expected: &'a Table,
    waiting: Mutex<VecDeque<Task>>,
    seen: Mutex<Seen>,
    sellers: AtomicUsize,
    progress: Progress,
    begun: Instant,
}

#[derive(Debug, Clone, Copy)]
enum Task {
    /// Nothing goes wrong: every call of the job is at one of its steps.
    Compare(Job),
    /// A cell, and how often it was tried already.
    Try(Cell, u32),
}

#[derive(Default)]
struct Seen {
    table: Table,
    tried: usize,
    unsteady: Vec<String>,
    failures: Vec<String>,
}

impl<'a> Plan<'a> {
    fn new(settings: &Settings, round: Round, expected: &'a Table) -> Self {
        let mut cells = Cell::all();
        cells.shuffle(&mut StdRng::seed_from_u64(settings.seed));
        if settings.short {
            cells.retain(|cell| !cell.is_long());
        } else {
            // What takes longest begins first.
            cells.sort_by_key(|cell| !cell.is_long());
        }
        let mut tasks: VecDeque<Task> = cells.into_iter().map(|cell| Task::Try(cell, 0)).collect();
        let mut jobs = Job::ALL;
        jobs.shuffle(&mut StdRng::seed_from_u64(settings.seed));
        let compared = if settings.short { 3 } else { jobs.len() };
        jobs[..compared].iter().for_each(|job| tasks.push_front(Task::Compare(*job)));
        Self {
            round,
            expected,
            waiting: Mutex::new(tasks),
            seen: Mutex::default(),
            sellers: AtomicUsize::new(0),
            progress: Progress::new("faults"),
            begun: Instant::now(),
        }
    }

    async fn carry_out(&self, settings: &Settings) {
        let stacks = settings.concurrency.unwrap_or(if settings.short { STACKS_IN_SHORT } else { STACKS });
        futures_util::future::join_all((0..stacks.max(1)).map(|_| self.work(settings))).await;
    }

    /// One stack after the other, cell after cell.
    async fn work(&self, settings: &Settings) {
        let mut bench: Option<(Bench, usize)> = None;
        while let Some(task) = self.next(settings) {
            let (stack, used) = match bench.take() {
                Some(used_up) if used_up.1 < CELLS_A_STACK => used_up,
                _ => match Bench::start(self.round).await {
                    Ok(bench) => (bench, 0),
                    Err(error) => return lock(&self.seen).failures.push(error),
                },
            };
            // After something unexpected nobody knows how a stack stands.
            if self.try_task(&stack, task, settings).await {
                bench = Some((stack, used + 1));
            }
            self.progress.say(|| {
                let (left, seen) = (lock(&self.waiting).len(), lock(&self.seen));
                format!("{} tried, {left} to go, {} failed; {}", seen.tried, seen.failures.len(), name(task))
            });
        }
    }

    fn next(&self, settings: &Settings) -> Option<Task> {
        let mut waiting = lock(&self.waiting);
        if settings.short && self.begun.elapsed() > SHORT {
            // What has gone wrong is still owed its second try: else it would pass for a busy moment.
            waiting.retain(|task| matches!(task, Task::Try(_, 1..)));
        }
        waiting.pop_front()
    }

    /// Whether all was as expected.
    async fn try_task(&self, bench: &Bench, task: Task, settings: &Settings) -> bool {
        let (job, cell) = match task {
            Task::Compare(job) => (job, None),
            Task::Try(cell, _) => (cell.job, Some(cell)),
        };
        let number = self.sellers.fetch_add(1, Ordering::Relaxed);
        let scene = Scene::new(bench, self.round, number, cell, job.functions());
        // In a task of its own: what is not as expected may panic in the stack.
        let performing = tokio::spawn(async move {
            scene.set_clock()?;
            let outcome = act::perform(&scene, job).await?;
            scene.clear().await;
            scene.reset_clock()?;
            Ok::<_, String>(outcome)
        });
        let abort = performing.abort_handle();
        let performed = match tokio::time::timeout(LONGEST, performing).await {
            Ok(Ok(performed)) => performed,
            Ok(Err(panic)) => Err(panic.to_string()),
            Err(_) => {
                abort.abort();
                Err("it does not come to an end".into())
            }
        };
        let mut seen = lock(&self.seen);
        seen.tried += usize::from(matches!(task, Task::Try(_, 0)));
        let problem = match (&performed, cell) {
            (Err(problem), _) => Some(problem.clone()),
            (Ok(outcome), None) => (outcome.word != Word::NoEffect).then(|| format!("{outcome} without a fault")),
            (Ok(outcome), Some(cell)) => {
                let outcome = self.as_in_strict_rounds(cell, *outcome);
                seen.table.note(cell, outcome);
                let expected = self.expected.get(cell);
                let differs = !settings.write_table && expected != Some(outcome);
                differs
                    .then(|| format!("{outcome}, expected {}", expected.map_or("nothing".into(), |it| it.to_string())))
            }
        };
        let Some(problem) = problem else { return performed.is_ok() };
        match task {
            // A machine that was too busy for a moment is told apart from what happens every time.
            Task::Try(cell, 0) => {
                seen.unsteady.push(format!("{cell}: {problem}"));
                drop(seen);
                // At the end, when that moment is over.
                lock(&self.waiting).push_back(Task::Try(cell, 1));
            }
            _ => seen.failures.push(format!("{}: {problem}", name(task))),
        }
        false
    }

    /// The table says what becomes of a refresh token that works once only. Elsewhere what was lost is tried again.
    fn as_in_strict_rounds(&self, cell: Cell, outcome: Outcome) -> Outcome {
        match self.expected.get(cell) {
            Some(expected)
                if expected.word == Word::RotationLost
                    && outcome.word == Word::TriedAgain
                    && !self.round.is_strict() =>
            {
                Outcome { word: Word::RotationLost, ..outcome }
            }
            _ => outcome,
        }
    }

    fn tried(&self) -> usize {
        lock(&self.seen).tried
    }

    fn tell(self, settings: &Settings, report: &mut PartReport) {
        let seen = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        for word in Word::ALL {
            let count =
                Cell::all().into_iter().filter_map(|cell| seen.table.get(cell)).filter(|it| it.word == word).count();
            if count > 0 {
                report.figure(word.as_str(), count.to_string());
            }
        }
        for cell in &seen.unsteady {
            report.figure("tried twice", cell.clone());
        }
        report.failures.extend(seen.failures);
        report.check(settings.short || seen.tried == Cell::all().len(), || {
            format!("only {} cells were tried", seen.tried)
        });
        if !settings.short && self.round == Round::of(0) {
            if settings.write_table && report.passed() {
                let written = seen.table.write();
                report.check(written.is_ok(), || written.err().map(|error| error.to_string()).unwrap_or_default());
            }
            println!("{}", seen.table.markdown());
        }
    }
}

fn name(task: Task) -> String {
    match task {
        Task::Compare(job) => format!("{}, without a fault", job.as_str()),
        Task::Try(cell, _) => cell.to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
