//! One table swept to its end, and what that took.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write as _},
    time::{Duration, Instant},
};

use crate::{
    args::{Args, Scale},
    bed::Bed,
    emulators_alone::{self, Alone},
    process,
    rows::{self, HEALTHY},
};

/// Sweeps in a row that refresh nothing, after which something is wrong.
const IN_VAIN: u32 = 3;

/// What was seen.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) scale: Scale,
    pub(crate) sweeps: u32,
    pub(crate) refreshed: u64,
    /// From the first invocation's start to the last one's end.
    pub(crate) took: Duration,
    /// AWS calls by operation.
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) lists: u64,
    pub(crate) peak_memory_kb: u64,
    /// CPU time of the function, and of this process with the emulators and the marketplace in it.
    pub(crate) sweep_cpu: Duration,
    pub(crate) own_cpu: Duration,
    /// The share of all cores' time in which they did nothing.
    pub(crate) idle: f64,
    pub(crate) alone: Alone,
}

impl Measured {
    /// Time of one refresh among `concurrency` at a time.
    pub(crate) fn per_refresh(&self, concurrency: u32) -> Duration {
        self.took * concurrency / u32::try_from(self.refreshed.max(1)).unwrap_or(u32::MAX)
    }

    /// Calls of one operation for each refresh.
    pub(crate) fn calls_per_refresh(&self, operation: Option<&str>) -> f64 {
        let calls = self.calls.iter().filter(|(name, _)| operation.is_none_or(|wanted| wanted == *name));
        ratio(calls.map(|(_, count)| count).sum(), self.refreshed)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
pub(crate) fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of.max(1) as f64
}

/// Loads a table and sweeps it until nothing is due.
pub(crate) async fn measure(args: &Args, scale: Scale) -> Result<Measured, String> {
    let bed = Bed::start(args.concurrency, Duration::from_millis(args.latency.into()), &[HEALTHY]).await?;
    let name = format!("{} rows, {} due", grouped(scale.rows.into()), grouped(scale.due.into()));
    load(&bed, scale, &name)?;
    for front in [bed.dynamodb.front(), bed.vault.front()] {
        front.forget_calls();
    }
    let (cpu, machine) = (cpus(&bed)?, process::machine().ok_or("no /proc/stat")?);
    let began = Instant::now();
    let Swept { refreshed, sweeps, .. } = tokio::select! {
        swept = sweep_all(&bed, scale.due) => swept?,
        () = tell(&bed, scale, &name) => return Err("the progress ended".into()),
    };
    let took = began.elapsed();
    let (cpu_after, machine_after) = (cpus(&bed)?, process::machine().ok_or("no /proc/stat")?);
    line(&format!("{name}: {} refreshed in {:.1} s", grouped(refreshed), took.as_secs_f64()), true);
    let mut calls = bed.dynamodb.front().counters();
    // Once an hour a sweep counts the fleet as well; what that reads belongs to no refresh.
    if let Some(queries) = calls.get_mut("Query") {
        *queries -= bed.dynamodb.front().queries_on("connections/index/listing");
    }
    calls.extend(bed.vault.front().counters());
    if bed.marketplace.refreshed() != refreshed || bed.marketplace.refused() != 0 {
        let (spent, refused) = (bed.marketplace.refreshed(), bed.marketplace.refused());
        return Err(format!("{refreshed} refreshed, but {spent} refresh tokens spent and {refused} calls refused"));
    }
    let (idle, all) = (machine_after.0.saturating_sub(machine.0), machine_after.1.saturating_sub(machine.1));
    Ok(Measured {
        scale,
        sweeps,
        refreshed,
        took,
        calls,
        lists: bed.marketplace.listed(),
        peak_memory_kb: process::peak_memory(bed.sweep_pid).ok_or("the function has ended")?,
        sweep_cpu: cpu_after.0.saturating_sub(cpu.0),
        own_cpu: cpu_after.1.saturating_sub(cpu.1),
        idle: idle.as_secs_f64() / all.as_secs_f64().max(0.01),
        alone: emulators_alone::measure(&bed, scale).await?,
    })
}

fn load(bed: &Bed, scale: Scale, name: &str) -> Result<(), String> {
    let began = Instant::now();
    rows::load(
        HEALTHY,
        0..scale.rows,
        |n| rows::is_due(n, scale),
        bed,
        |rows| {
            line(&format!("{name}: {} rows written", grouped(rows.into())), rows == scale.rows);
        },
    )?;
    line(&format!("{name}: loaded in {:.1} s", began.elapsed().as_secs_f64()), true);
    Ok(())
}

fn cpus(bed: &Bed) -> Result<(Duration, Duration), String> {
    let of = |pid| process::cpu(pid).ok_or_else(|| format!("the function has ended:\n{}", bed.last_lines()));
    Ok((of(bed.sweep_pid)?, of(std::process::id())?))
}

/// Results of several sweeps.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    pub(crate) refreshed: u64,
    pub(crate) sweeps: u32,
    /// Apps whose lanes were stopped when the last one ended.
    pub(crate) lanes_stopped: u64,
}

/// Sweep after sweep, as the schedule starts them, without its pauses, until `due` connections are refreshed.
pub(crate) async fn sweep_all(bed: &Bed, due: u32) -> Result<Swept, String> {
    let (mut swept, mut in_vain) = (Swept::default(), 0);
    while swept.refreshed < u64::from(due) {
        let summary = bed.sweep().await?;
        swept.sweeps += 1;
        let count = summary["refreshed"].as_u64().unwrap_or_default();
        swept.refreshed += count;
        swept.lanes_stopped = summary["lanes_stopped"].as_u64().unwrap_or_default();
        in_vain = if count == 0 { in_vain + 1 } else { 0 };
        let stopped = summary["stopped"].as_str().is_some_and(|reason| reason != "deadline");
        if stopped || in_vain == IN_VAIN || summary["errors"] != 0 {
            return Err(format!("a sweep went wrong: {summary}\n{}", bed.last_lines()));
        }
    }
    Ok(swept)
}

async fn tell(bed: &Bed, scale: Scale, name: &str) {
    let began = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let refreshed = bed.marketplace.refreshed();
        let rate = ratio(refreshed, began.elapsed().as_secs());
        let due = grouped(scale.due.into());
        let every = if std::io::stderr().is_terminal() { 1 } else { 15 };
        if began.elapsed().as_secs().is_multiple_of(every) {
            line(&format!("{name}: {} of {due} refreshed, {rate:.0} a second", grouped(refreshed)), false);
        }
    }
}

/// Progress: on a terminal each line takes the place of the one before, unless that was the last of its kind.
pub(crate) fn line(text: &str, last: bool) {
    let mut out = std::io::stderr().lock();
    let (begin, end) = match (out.is_terminal(), last) {
        (true, false) => ("\r\x1b[K", ""),
        (true, true) => ("\r\x1b[K", "\n"),
        (false, _) => ("", "\n"),
    };
    // Nobody may be listening.
    drop(write!(out, "{begin}{text}{end}").and_then(|()| out.flush()));
}

/// `1,000,000`
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_can_be_read() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"].map(str::to_owned));
    }
}
