//! How much memory the functions' processes hold, as Linux tells it.

use std::{collections::BTreeMap, fs};

use end_to_end::{Function, Stack};

/// How much a process may hold more at the end than after the warm-up. Its copies of token sets grow with every
/// refresh, about a kilobyte each up to ten thousand, and the allocator keeps what a busy moment had needed; a leak of a
/// hundred bytes a request passes this within minutes.
pub(super) const TOLERANCE_KIB: u64 = 6 * 1024;

/// Samples that are averaged, so that no single moment decides.
const WINDOW: usize = 5;

/// Samples of every process.
#[derive(Debug, Default)]
pub(super) struct Memory(BTreeMap<(Function, u32), Vec<u64>>);

/// One process, before and after.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Growth {
    pub(super) function: Function,
    pub(super) warm_kib: u64,
    pub(super) end_kib: u64,
}

impl Memory {
    /// Takes a sample of each process.
    pub(super) fn sample(&mut self, stack: &Stack) {
        for function in Function::ALL {
            for process in stack.processes(function) {
                if let Some(kib) = resident_kib(process) {
                    self.0.entry((function, process)).or_default().push(kib);
                }
            }
        }
    }

    /// How each process has grown since its sample of this number. Empty where the system does not tell.
    pub(super) fn growth_since(&self, warm: usize) -> Vec<Growth> {
        let mean = |samples: &[u64]| samples.iter().sum::<u64>().checked_div(samples.len() as u64);
        let growth = |(function, samples): (Function, &Vec<u64>)| {
            let measured = samples.get(warm.min(samples.len().saturating_sub(1))..)?;
            let window = WINDOW.min(measured.len().div_ceil(2));
            let warm_kib = mean(&measured[..window])?;
            let end_kib = mean(&measured[measured.len() - window..])?;
            Some(Growth { function, warm_kib, end_kib })
        };
        self.0.iter().filter_map(|((function, _), samples)| growth((*function, samples))).collect()
    }
}

impl Growth {
    pub(super) fn is_flat(&self) -> bool {
        self.end_kib <= self.warm_kib + TOLERANCE_KIB
    }
}

fn resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_after_the_warm_up_is_seen() {
        let of = |samples: Vec<u64>| {
            let mut memory = Memory::default();
            memory.0.insert((Function::TokenLookup, 7), samples);
            memory.growth_since(10).pop().unwrap()
        };
        let climbing = |from: u64, step: u64| (0..60).map(move |n| from + n * step);
        assert!(of((0..10).map(|n| n * 9_000).chain(climbing(90_000, 10)).collect()).is_flat());
        let leaking = of(climbing(90_000, 200).collect());
        assert_eq!((leaking.warm_kib, leaking.end_kib), (90_000 + 12 * 200, 90_000 + 57 * 200));
        assert!(!leaking.is_flat());
    }
}
