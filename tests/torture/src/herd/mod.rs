//! Everything comes due at once: a fleet that connected within one hour, and one for which nothing succeeded for a day.
//! In virtual time, by the product's own decisions: when something is due, what it is, and what becomes of the item.

mod histogram;
mod outage;
mod spread;

use shop_keyring::names::MarketplaceName;

use self::{
    histogram::{Histogram, KINDS, Load},
    outage::{Sample, Until},
    spread::Fleet,
};
use crate::{
    PartReport, Progress, Settings,
    sellers::HOUR,
    words::{count, hours},
};

/// The peak of what falls due is at most so many times its mean.
const PEAK: f64 = 3.0;

/// Within so many seconds a backlog is to be gone, after an outage of so many.
const DRAINED_WITHIN: i64 = 4 * HOUR;
const OUTAGE: i64 = 24 * HOUR;

/// Refreshes a second: the sweep's permits as they are unless set, and Secrets Manager's limit.
const RATES: [f64; 2] = [30.0, 50.0];

/// Secrets of an account in a Region: no fleet is larger.
const MOST_SECRETS: f64 = 500_000.0;

/// How far a simulated figure may be from the formula's, chance aside.
const AGREES: f64 = 0.02;

/// How much is done.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    refreshed: u64,
    watched: u64,
    year: u64,
    sample: u64,
}

impl Sizes {
    fn of(settings: &Settings) -> Self {
        let all = settings.connections.unwrap_or(if settings.short { 20_000 } else { 10_000_000 }).max(2_000);
        if settings.short {
            Self { refreshed: all, watched: all / 5, year: all / 40, sample: all / 5 }
        } else {
            Self { refreshed: all, watched: all, year: (all / 100).max(1_000), sample: all.min(60_000) }
        }
    }
}

/// Runs the part.
pub(crate) async fn run(settings: &Settings) -> PartReport {
    let settings = settings.clone();
    let worked = tokio::task::spawn_blocking(move || torture(&settings)).await;
    worked.expect("the part ends")
}

fn torture(settings: &Settings) -> PartReport {
    let progress = Progress::new("herd");
    let sizes = Sizes::of(settings);
    let mut report = PartReport::new(format!(
        "{} connections made within one hour; 24 hours in which nothing succeeds; in virtual time",
        count(sizes.refreshed as f64)
    ));
    let threads = settings.concurrency.unwrap_or(2);
    let live = |marketplace, connections, days| {
        let fleet = Fleet { marketplace, connections, days };
        (fleet, fleet.live(settings.seed, threads, &progress))
    };
    for (marketplace, connections, days) in
        [(MarketplaceName::TikTokShop, sizes.refreshed, 40), (MarketplaceName::Temu, sizes.watched, 10)]
    {
        let (fleet, due) = live(marketplace, connections, days);
        judge_cycles(&mut report, fleet, &due);
    }
    for marketplace in MarketplaceName::ALL {
        let (fleet, due) = live(marketplace, sizes.year, 400);
        judge_year(&mut report, fleet, &due);
    }
    recover(&mut report, sizes, settings.seed, &progress);
    report
}

/// What falls due in the cycles after a fleet connected, all kinds together.
fn judge_cycles(report: &mut PartReport, fleet: Fleet, due: &Histogram) {
    let name = format!("{} {}, {} days", count(fleet.connections as f64), fleet.marketplace, fleet.days);
    for (unit, load) in [("minute", due.per_minute(None)), ("hour", due.per_hour(None))] {
        report.figure(format!("{name}: due per {unit}"), load.in_words());
        report.check(load.is_within(PEAK), || {
            format!("{name}: the peak {unit} is {:.2} times the mean, more than {PEAK}", load.ratio())
        });
    }
}

/// What falls due over more than an authorization's life, by kind.
fn judge_year(report: &mut PartReport, fleet: Fleet, due: &Histogram) {
    let name = format!("{} {}, {} days", count(fleet.connections as f64), fleet.marketplace, fleet.days);
    for (kind, title) in KINDS {
        let (total, hour) = (due.total(Some(kind)), due.per_hour(Some(kind)));
        if total > 0 {
            let share = 100.0 * hour.peak as f64 / fleet.connections as f64;
            let text =
                format!("{}; peak hour {} ({share:.1} % of the fleet)", count(total as f64), count(hour.peak as f64));
            report.figure(format!("{name}: {title}"), text);
        }
        let each = match title {
            "reminders" => shop_keyring::connection::watch::REMINDERS.len() as u64,
            "ends" => 1,
            _ => continue,
        };
        report.check(total == each * fleet.connections, || format!("{name}: {total} {title}, not {each} for each"));
        if title == "reminders" {
            // Spread over a day: no hour has much more than a 24th.
            let even = Load { peak: hour.peak, mean: fleet.connections as f64 / 24.0, at: hour.at };
            report.check(even.is_within(1.1), || format!("{name}: {} reminders in one hour", hour.peak));
        }
    }
}

/// What an outage of a day does to fleets in steady state.
fn recover(report: &mut PartReport, sizes: Sizes, seed: u64, progress: &Progress) {
    let mut sample = Sample::steady(sizes.sample, seed, progress);
    let (measured, formula) = sample.work_per_connection();
    // What a day's backlog differs by from one sample to another: four standard deviations.
    let chance = 4.0 / (sizes.sample as f64 * formula * OUTAGE as f64).sqrt();
    agree(report, "steady work of a connection", measured, formula, chance);
    for rate in RATES {
        let within = |sample: &mut Sample, fleet| {
            progress.say(|| format!("{rate}/s after an outage, {} connections", count(fleet)));
            let worked = sample.work_after(OUTAGE, fleet, rate, Until::Drained(1));
            worked.drained_after.is_some_and(|after| after <= DRAINED_WITHIN)
        };
        let most = largest(1_000.0, 1e9, |fleet| within(&mut sample, fleet));
        // What is due in the outage and until the end of the drain is done in the drain.
        let share = DRAINED_WITHIN as f64 / (OUTAGE + DRAINED_WITHIN) as f64;
        let by_formula = rate * share / formula;
        agree(report, &format!("largest fleet that {rate}/s drains in 4 h"), most, by_formula, chance);
        let steady = (count(rate / measured), count(rate / formula));
        report.figure(
            format!("{rate}/s"),
            format!(
                "after 24 h drains {} connections in 4 h (formula {}); steady work alone needs it all at {} (formula {})",
                count(most),
                count(by_formula),
                steady.0,
                steady.1
            ),
        );
        for fleet in [MOST_SECRETS, most] {
            judge_recovery(report, &mut sample, fleet, rate);
        }
        let mut herd = Sample::of_one_hour(sizes.sample, seed);
        for fleet in [MOST_SECRETS, sizes.refreshed as f64] {
            let worked = herd.work_after(0, fleet, rate, Until::Days(40));
            report.figure(
                format!("{rate}/s, {} made in one hour", count(fleet)),
                format!(
                    "longest due {}, least left of a token {}",
                    hours(worked.longest_due),
                    hours(worked.least_left)
                ),
            );
        }
    }
}

fn judge_recovery(report: &mut PartReport, sample: &mut Sample, fleet: f64, rate: f64) {
    let name = format!("{rate}/s, {} after 24 h", count(fleet));
    let worked = sample.work_after(OUTAGE, fleet, rate, Until::Days(40));
    let next = worked.due.per_hour(None);
    report.figure(
        name.clone(),
        format!(
            "drained in {}; longest due {}; least left of a token {}; lost {}; busiest minute {:.1}/s; then due per \
             hour at most {:.2} × the mean",
            worked.drained_after.map_or_else(|| "never".to_owned(), hours),
            hours(worked.longest_due),
            hours(worked.least_left),
            worked.lost,
            worked.busiest,
            next.ratio()
        ),
    );
    report.check(worked.drained_after.is_some_and(|after| after <= DRAINED_WITHIN), || {
        format!("{name}: drained after {:?} seconds", worked.drained_after)
    });
    report.check(worked.least_left > 0, || format!("{name}: an access token ended"));
    report.check(worked.lost == 0, || format!("{name}: {} authorizations were lost", worked.lost));
    // A minute may begin with the second that was saved up, and with the one connection that it waited for.
    let most = rate * 61.0 / 60.0 + sample.stands_for(fleet) / 60.0;
    report.check(worked.busiest <= most, || format!("{name}: {:.1} a second in a minute", worked.busiest));
    report.check(next.is_within(PEAK), || format!("{name}: then {:.2} times the mean in an hour", next.ratio()));
}

/// The largest fleet, to half a percent, for which it holds.
fn largest(mut holds_at: f64, mut fails_at: f64, mut holds: impl FnMut(f64) -> bool) -> f64 {
    while fails_at / holds_at > 1.005 {
        let middle = (holds_at * fails_at).sqrt();
        if holds(middle) {
            holds_at = middle;
        } else {
            fails_at = middle;
        }
    }
    holds_at
}

fn agree(report: &mut PartReport, what: &str, simulated: f64, formula: f64, chance: f64) {
    report.check((simulated / formula - 1.0).abs() <= AGREES + chance, || {
        format!("{what}: {simulated:.4e} by simulation, {formula:.4e} by the formula")
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_is_found() {
        let found = largest(1.0, 1e6, |fleet| fleet <= 1_234.0);
        assert!((1_227.0..=1_234.0).contains(&found), "{found}");
    }
}
