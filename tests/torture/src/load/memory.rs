//! How much memory the functions' processes hold, as Linux tells it.

use std::{collections::BTreeMap, fs};

use end_to_end::{Function, Stack};

/// How much a process may hold more at the end than after the warm-up: copies of token sets, a kilobyte each, and what
/// the allocator keeps of a busy moment.
const TOLERANCE_KIB: u64 = 3 * 1024;

/// What every invocation costs for good, with room. The runtime puts each one's trace id into the environment, and
/// glibc's `setenv` keeps all values that a variable ever had: 140 bytes each.
const BYTES_AN_INVOCATION: u64 = 200;

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
                if let Some(kib) = held_kib(process) {
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
    /// How much more may be held at the end, after so many invocations.
    pub(super) fn tolerated_kib(invocations: u64) -> u64 {
        TOLERANCE_KIB + invocations * BYTES_AN_INVOCATION / 1024
    }

    pub(super) fn is_flat(&self, invocations: u64) -> bool {
        self.end_kib <= self.warm_kib + Self::tolerated_kib(invocations)
    }
}

/// What is its own: the pages of its program come and go with what else runs on the machine.
fn held_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?.split_whitespace().next()?.parse().ok()
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
        assert!(of((0..10).map(|n| n * 9_000).chain(climbing(90_000, 10)).collect()).is_flat(0));
        let leaking = of(climbing(90_000, 200).collect());
        assert_eq!((leaking.warm_kib, leaking.end_kib), (90_000 + 12 * 200, 90_000 + 57 * 200));
        assert!(!leaking.is_flat(10_000), "a kilobyte an invocation is not the runtime's");
        assert!(leaking.is_flat(40_000));
    }
}
