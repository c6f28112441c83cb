//! The table at the end: figures, aims, and whether they were met.

use std::{fmt::Write as _, time::Duration};

use crate::{
    args::Args,
    lanes::{DUE, Lanes, Round, median},
    measure::{Measured, grouped, ratio},
};

/// A figure with an aim.
#[derive(Debug)]
struct Line {
    what: String,
    seen: String,
    aim: &'static str,
    met: bool,
}

/// All figures of a run of the benchmark.
#[derive(Debug)]
pub(crate) struct Report {
    lines: Vec<Line>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn new(args: &Args, runs: &[Measured]) -> Self {
        let mut report = Self { lines: Vec::new(), notes: Vec::new() };
        for run in runs {
            report.add_run(args, run);
        }
        if let [small, large] = runs {
            let concurrency = args.concurrency.get();
            let (small, large) = (small.per_refresh(concurrency), large.per_refresh(concurrency));
            let difference = large.as_secs_f64() / small.as_secs_f64().max(0.001) - 1.0;
            report.lines.push(Line {
                what: "time per refresh, large against small".into(),
                seen: format!("{:+.1} %", difference * 100.0),
                aim: "≤ 5 %",
                met: difference <= 0.05,
            });
        }
        report
    }

    fn add_run(&mut self, args: &Args, run: &Measured) {
        let rows = grouped(run.scale.rows.into());
        let refreshed = u32::try_from(run.refreshed).unwrap_or(u32::MAX);
        let rate = f64::from(refreshed) / run.took.as_secs_f64().max(0.001);
        let possible = f64::from(args.concurrency.get()) * 1_000.0 / f64::from(args.latency.max(1));
        let share = rate / possible;
        let memory = ratio(run.peak_memory_kb, 1_024);
        let (calls, queries) = (run.calls_per_refresh(None), run.calls_per_refresh(Some("Query")));
        let mut add = |what: &str, seen: String, aim, met| {
            self.lines.push(Line { what: format!("{rows} rows: {what}"), seen, aim, met });
        };
        add("refreshes a second ÷ (concurrency ÷ latency)", format!("{share:.3}"), "≥ 0.9", share >= 0.9);
        add("peak memory of refresh-sweep", format!("{memory:.1} MB"), "≤ 64 MB", memory <= 64.0);
        add("AWS calls per refresh", format!("{calls:.3}"), "4 (< 4.1)", calls < 4.1);
        add("due-index reads per refresh", format!("{queries:.4}"), "≤ 0.1", queries <= 0.1);
        let by_operation: Vec<String> =
            run.calls.keys().map(|name| format!("{name} {:.3}", run.calls_per_refresh(Some(name)))).collect();
        self.notes.push(format!(
            "{rows} rows: {} refreshed in {:.1} s by {} sweeps, {rate:.1} a second of {possible:.1}; time per refresh {:.0} ms, lists of shops per refresh {:.3}",
            grouped(run.refreshed),
            run.took.as_secs_f64(),
            run.sweeps,
            run.per_refresh(args.concurrency.get()).as_secs_f64() * 1_000.0,
            ratio(run.lists, run.refreshed),
        ));
        self.notes.push(format!("{rows} rows: AWS calls per refresh: {}", by_operation.join(", ")));
        let cpu = |time: Duration| 1_000.0 * time.as_secs_f64() / f64::from(refreshed.max(1));
        self.notes.push(format!(
            "{rows} rows: CPU per refresh: refresh-sweep {:.2} ms, emulators and marketplace {:.2} ms; the machine was idle for {:.0} % of its time",
            cpu(run.sweep_cpu),
            cpu(run.own_cpu),
            run.idle * 100.0,
        ));
        self.notes.push(format!(
            "{rows} rows: the emulators alone serve the calls of {:.0} refreshes a second",
            run.alone.a_second(),
        ));
    }

    /// Adds the comparison of a healthy app alone with the same app beside a stopped one.
    pub(crate) fn add_lanes(&mut self, lanes: &Lanes) {
        let stopped = grouped(lanes.stopped.into());
        let rate = |rounds: &[Round]| median(rounds.iter().map(|round| round.rate));
        let share = rate(&lanes.beside) / rate(&lanes.alone).max(0.001);
        self.lines.push(Line {
            what: format!("lanes: refreshes a second beside {stopped} of a stopped app ÷ alone"),
            seen: format!("{share:.3}"),
            aim: "≥ 0.95",
            met: share >= 0.95,
        });
        for (name, rounds) in [("alone", &lanes.alone), ("beside them", &lanes.beside)] {
            let each: Vec<String> = rounds.iter().map(|round| format!("{:.1}", round.rate)).collect();
            self.notes.push(format!(
                "lanes: {} refreshed {name}: median {:.1} a second, rounds {}; AWS calls per refresh {:.3}",
                grouped(DUE.into()),
                rate(rounds),
                each.join(" "),
                median(rounds.iter().map(|round| round.calls)),
            ));
        }
        self.notes.push(format!(
            "lanes: {} calls for the stopped app in all rounds; the machine was idle for {:.0} % of its time",
            lanes.tries,
            lanes.idle * 100.0,
        ));
    }

    pub(crate) fn all_met(&self) -> bool {
        self.lines.iter().all(|line| line.met)
    }

    pub(crate) fn text(&self) -> String {
        let width = |of: fn(&Line) -> &str| self.lines.iter().map(|line| of(line).chars().count()).max().unwrap_or(0);
        let (what, seen, aim) = (width(|line| &line.what), width(|line| &line.seen), width(|line| line.aim));
        let mut text = String::new();
        for Line { what: it, seen: was, aim: wanted, met } in &self.lines {
            let met = if *met { "yes" } else { "no" };
            let _ = writeln!(text, "{it:<what$}  {was:>seen$}  {wanted:<aim$}  {met}");
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::Parser;

    use super::*;
    use crate::{args::Scale, emulators_alone::Alone};

    fn measured(rows: u32, seconds: u64) -> Measured {
        Measured {
            scale: Scale { rows, due: 1_000 },
            sweeps: 1,
            refreshed: 1_000,
            took: Duration::from_secs(seconds),
            calls: BTreeMap::from([("Query".to_owned(), 20), ("PutSecretValue".to_owned(), 4_000)]),
            lists: 1_000,
            peak_memory_kb: 30 * 1_024,
            sweep_cpu: Duration::from_secs(2),
            own_cpu: Duration::from_secs(4),
            idle: 0.25,
            alone: Alone { connections: 100, took: Duration::from_secs(1) },
        }
    }

    #[test]
    fn each_aim_can_be_met_and_missed() {
        let args = Args::parse_from(["bench-sweep", "--concurrency", "30", "--latency", "300"]);
        // 100 a second are possible.
        let good = Report::new(&args, &[measured(100, 10), measured(1_000, 10)]);
        assert!(good.all_met(), "{}", good.text());
        assert_eq!(good.lines.len(), 9);
        let text = good.text();
        for expected in [
            "1.000",
            "30.0 MB",
            "4.020",
            "0.0200",
            "+0.0 %",
            "refresh-sweep 2.00 ms, emulators and marketplace 4.00 ms",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let missed = |change: fn(&mut Measured)| {
            let mut run = measured(100, 10);
            change(&mut run);
            let report = Report::new(&args, &[run]);
            report.lines.iter().map(|line| line.met).collect::<Vec<_>>()
        };
        assert_eq!(missed(|run| run.took = Duration::from_secs(12)), [false, true, true, true]);
        assert_eq!(missed(|run| run.peak_memory_kb = 65 * 1_024), [true, false, true, true]);
        assert_eq!(missed(|run| run.calls.extend([("GetItem".to_owned(), 1_000)])), [true, true, false, true]);
        assert_eq!(missed(|run| run.calls.extend([("Query".to_owned(), 110)])), [true, true, false, false]);
        assert!(!Report::new(&args, &[measured(100, 9), measured(1_000, 10)]).all_met());
    }

    #[test]
    fn a_healthy_app_may_lose_a_twentieth_beside_a_stopped_one() {
        let args = Args::parse_from(["bench-sweep", "--only", "lanes"]);
        let report = |beside: [f64; 3]| {
            let rounds = |rates: [f64; 3]| rates.map(|rate| Round { rate, calls: 4.0 }).to_vec();
            let (alone, beside) = (rounds([100.0, 20.0, 101.0]), rounds(beside));
            let mut report = Report::new(&args, &[]);
            report.add_lanes(&Lanes { stopped: 300_000, alone, beside, tries: 2, idle: 0.5 });
            report
        };
        let good = report([96.0, 97.0, 30.0]);
        assert!(
            good.all_met() && good.text().contains("beside 300,000 of a stopped app ÷ alone  0.960"),
            "{}",
            good.text()
        );
        assert!(good.text().contains("alone: median 100.0 a second, rounds 100.0 20.0 101.0"), "{}", good.text());
        assert!(!report([94.0, 94.0, 120.0]).all_met());
    }
}
