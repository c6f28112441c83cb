//! What `/proc` says of a process.

use std::{fs, time::Duration};

/// In which `/proc` counts CPU time, whatever the kernel's own tick: 1/100 s on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// The most memory that a process ever had, in kB.
pub(crate) fn peak_memory(pid: u32) -> Option<u64> {
    read_peak(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn read_peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The CPU time that a process has had.
pub(crate) fn cpu(pid: u32) -> Option<Duration> {
    read_cpu(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn read_cpu(stat: &str) -> Option<Duration> {
    // The name may hold blanks and brackets; after it the state is the first of the fields, user and system time the
    // twelfth and thirteenth.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(TICK * (ticks(11)? + ticks(12)?))
}

/// Idle time of all cores together, and time in all.
pub(crate) fn machine() -> Option<(Duration, Duration)> {
    read_machine(&fs::read_to_string("/proc/stat").ok()?)
}

fn read_machine(stat: &str) -> Option<(Duration, Duration)> {
    let ticks: Vec<u64> = stat.lines().next()?.split_whitespace().skip(1).map_while(|it| it.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in these already.
    let all: u64 = ticks.iter().take(8).sum();
    let idle = ticks.get(3)? + ticks.get(4)?;
    let time = |ticks: u64| Duration::from_millis(10 * ticks);
    Some((time(idle), time(all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says() {
        assert_eq!(read_peak("Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t   21384 kB\n"), Some(21_384));
        let stat = "42 (refresh (x) ) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 1000 10";
        assert_eq!(read_cpu(stat), Some(Duration::from_secs(3)));
        let (idle, all) = read_machine("cpu  100 0 100 500 100 0 100 100 7 7\ncpu0 1").unwrap();
        assert_eq!((idle, all), (Duration::from_secs(6), Duration::from_secs(10)));
        assert!(cpu(std::process::id()).is_some() && peak_memory(std::process::id()).is_some() && machine().is_some());
    }
}
