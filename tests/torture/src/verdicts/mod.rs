//! A marketplace refuses many by mistake: the fleets of many vendors, through incidents of two hours in which it refuses some
//! or all calls, while sellers take their authorizations away as on any other day. In virtual time, by the product's own
//! decisions; beside it the same fleets by the rule that came before.

mod evidence;
mod lane;
mod tally;
mod world;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use shop_keyring::names::MarketplaceName;

use self::{
    lane::{Lane, Rule},
    tally::{GROUNDS, Tally, percentile},
    world::{PERCENT, World},
};
use crate::{
    PartReport, Progress, Settings,
    words::{count, hours},
};

const RULES: [Rule; 2] = [Rule::Evidence, Rule::SecondRefusal];

/// A fleet of so many connections notices an incident in which most calls are refused.
const LARGE: u64 = 2_000;

/// Vendors of one size at one marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Group {
    marketplace: MarketplaceName,
    connections: u64,
    vendors: u64,
}

/// The vendors of all sizes, the largest first.
fn groups(settings: &Settings) -> Vec<Group> {
    let rounds = u64::from(settings.rounds.unwrap_or(if settings.short { 1 } else { 5 }));
    let of = |marketplace, connections, vendors| Group { marketplace, connections, vendors: vendors * rounds };
    let sizes: &[(u64, u64)] = if settings.short {
        &[(2_000, 1), (30, 30), (3, 200), (1, 300)]
    } else {
        &[(10_000, 1), (1_000, 5), (30, 150), (3, 1_500), (1, 1_500)]
    };
    let of_size =
        |&(connections, vendors)| MarketplaceName::ALL.map(|marketplace| of(marketplace, connections, vendors));
    sizes.iter().flat_map(of_size).collect()
}

/// Runs the part.
pub(crate) async fn run(settings: &Settings) -> PartReport {
    let groups = groups(settings);
    let (seed, threads) = (settings.seed, settings.concurrency.unwrap_or(2));
    let worked = tokio::task::spawn_blocking(move || torture(&groups, seed, threads)).await;
    worked.expect("the part ends")
}

fn torture(groups: &[Group], seed: u64, threads: usize) -> PartReport {
    let vendors = groups.iter().map(|group| group.vendors).sum::<u64>();
    let connections = groups.iter().map(|group| group.vendors * group.connections).sum::<u64>();
    let mut report = PartReport::new(format!(
        "{} fleets with {} connections in all, each fleet through six incidents of two hours in eight weeks; in virtual time",
        count(vendors as f64),
        count(connections as f64)
    ));
    for (group, tallies) in groups.iter().zip(live(groups, seed, threads)) {
        tell(&mut report, *group, &tallies);
    }
    report
}

/// One tally per rule and group. Vendors are dealt out to the threads as these become free; each depends on its own seed
/// only.
fn live(groups: &[Group], seed: u64, threads: usize) -> Vec<[Tally; RULES.len()]> {
    let progress = Progress::new("verdicts");
    let vendors: Vec<_> =
        (0..).zip(groups).flat_map(|(at, group)| (0..group.vendors).map(move |number| (at, number))).collect();
    let taken = AtomicUsize::new(0);
    let work = || {
        let mut tallies = vec![<[Tally; RULES.len()]>::default(); groups.len()];
        while let Some((at, number)) = vendors.get(taken.fetch_add(1, Ordering::Relaxed)) {
            let Group { marketplace, connections, vendors } = groups[*at];
            progress.say(|| format!("{marketplace}, {connections} connections: {number} of {vendors} vendors"));
            let own = (u64::try_from(*at).unwrap_or_default() << 32) | number;
            // Drawn, because sellers of one vendor are numbered by adding to its seed.
            let seed = SmallRng::seed_from_u64(seed.wrapping_add(own)).random();
            let world = World::new(marketplace, connections, seed);
            for (rule, tally) in RULES.into_iter().zip(&mut tallies[*at]) {
                tally.merge(Lane::new(rule, marketplace, &world, seed).live());
            }
        }
        tallies
    };
    let mut all = vec![<[Tally; RULES.len()]>::default(); groups.len()];
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let tallies = worker.join().expect("a thread ends");
            for (all, tally) in all.iter_mut().flatten().zip(tallies.into_iter().flatten()) {
                all.merge(tally);
            }
        }
    });
    all.iter_mut().flatten().for_each(Tally::sort);
    all
}

fn tell(report: &mut PartReport, group: Group, [tally, before]: &[Tally; RULES.len()]) {
    let Group { marketplace, connections, vendors } = group;
    let name = format!("{marketplace}, fleets of {} ({})", count(connections as f64), count(vendors as f64));
    for (kind, percent) in PERCENT.into_iter().enumerate() {
        let is_noticed = connections < LARGE || percent < 50 || tally.alarmed[kind] == tally.incidents[kind];
        report.check(is_noticed, || format!("{name}, {percent} % refused: an incident without the alarm mass_refusal"));
        let ended = |tally: &Tally| {
            let share = 100.0 * tally.wrongly_ended[kind] as f64 / tally.asked[kind].max(1) as f64;
            format!("{} ({share:.2} %)", count(tally.wrongly_ended[kind] as f64))
        };
        report.figure(
            format!("{name}, {percent} % refused"),
            format!(
                "{} of {} asked ended by mistake; by the rule before {}; alarm in {} of {} incidents",
                ended(tally),
                count(tally.asked[kind] as f64),
                ended(before),
                count(tally.alarmed[kind] as f64),
                count(tally.incidents[kind] as f64),
            ),
        );
    }
    report.figure(
        format!("{name}: ended by mistake, until accepted again"),
        format!("{}; {} more whose seller left before", times(&tally.ended_for), tally.left_while_ended),
    );
    let grounds =
        GROUNDS.iter().zip(tally.grounds).map(|((_, name), number)| format!("{name} {}", count(number as f64)));
    report.figure(
        format!("{name}: seller left, verdict after the first refusal"),
        format!(
            "{}; by the rule before {}; ground: {}",
            times(&tally.verdict_after),
            times(&before.verdict_after),
            grounds.collect::<Vec<_>>().join(", ")
        ),
    );
    for wrong in [tally, before].map(|tally| &tally.wrong) {
        report.check(wrong.is_empty(), || format!("{name}: {} times, first: {}", wrong.len(), wrong[0]));
    }
}

/// How often something happened, and how long it took. The times are sorted.
fn times(sorted: &[i64]) -> String {
    let at = |percent| percentile(sorted, percent).map(hours);
    match (at(50), at(99), at(100)) {
        (Some(median), Some(most), Some(all)) => {
            format!("{} times, median {median}, 99 % within {most}, at most {all}", count(sorted.len() as f64))
        }
        _ => "never".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_figures_on_any_number_of_threads() {
        let groups = MarketplaceName::ALL.map(|marketplace| Group { marketplace, connections: 20, vendors: 5 });
        let figures = |seed, threads| torture(&groups, seed, threads).figures;
        assert_eq!(figures(7, 1), figures(7, 3));
        assert_ne!(figures(7, 1), figures(8, 1));
    }
}
