//! What really happens to a vendor's sellers, and when the marketplace refuses calls by mistake. Random, and independent of
//! each other and of the rules.

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::SliceRandom};
use shop_keyring::{names::MarketplaceName, time::Timestamp};

use crate::sellers::{DAY, HOUR, T0};

/// Sellers connect over so many seconds from [`T0`] on.
pub(super) const GROWN_OVER: i64 = 7 * DAY;

/// Between these times the marketplace has its incidents, and sellers take authorizations away.
const BEGIN: Timestamp = T0.plus(10 * DAY);
const TROUBLED: i64 = 28 * DAY;

/// Then everything is quiet until here: longer than the sixteen days after which an ended connection is asked for the last
/// time, and than an access token's life.
pub(super) const END: Timestamp = BEGIN.plus(TROUBLED + 18 * DAY);

/// Shares of the calls that are refused in an incident, in percent.
pub(super) const PERCENT: [u32; 3] = [30, 60, 100];

/// Incidents of each share for each vendor.
const OF_EACH: usize = 2;

/// Length of an incident, in seconds.
const LASTS: i64 = 2 * HOUR;

/// Shortest time from the end of an incident to the next one, in seconds.
const APART: i64 = DAY;

/// Share of the sellers who take the authorization away per day: a third in a year.
const LEAVES_PER_DAY: f64 = 0.001;

/// Where the marketplace sends notifications, one in so many of those sellers is told of.
const NOTIFIED: u32 = 5;

/// A time in which the marketplace refuses calls by mistake.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incident {
    from: Timestamp,
    /// Which of [`PERCENT`].
    pub(super) kind: usize,
}

impl Incident {
    /// Whether this call is refused by mistake.
    pub(super) fn refuses(self, random: &mut SmallRng) -> bool {
        random.random_ratio(PERCENT[self.kind], 100)
    }
}

/// One seller's intentions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seller {
    /// When the seller takes the authorization away.
    pub(super) leaves_at: Option<Timestamp>,
    /// When a signed deauthorization tells of it.
    pub(super) notified_at: Option<Timestamp>,
}

impl Seller {
    pub(super) fn has_left(self, now: Timestamp) -> bool {
        self.leaves_at.is_some_and(|at| at <= now)
    }
}

/// The truth about one vendor's fleet.
#[derive(Debug)]
pub(super) struct World {
    pub(super) incidents: Vec<Incident>,
    pub(super) sellers: Vec<Seller>,
}

impl World {
    /// The same for the same seed.
    pub(super) fn new(marketplace: MarketplaceName, connections: u64, seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(!seed);
        let mut kinds: Vec<_> = (0..PERCENT.len() * OF_EACH).map(|number| number % PERCENT.len()).collect();
        kinds.shuffle(&mut random);
        // Each at a random time of its own stretch.
        let stretch = TROUBLED / i64::try_from(kinds.len()).unwrap_or(i64::MAX);
        let starts = (0..).map(|number| BEGIN.plus(number * stretch));
        let begin = |start: Timestamp| start.plus(random.random_range(0..stretch - LASTS - APART));
        let incidents = starts.map(begin).zip(kinds).map(|(from, kind)| Incident { from, kind }).collect();
        let sellers = (0..connections).map(|_| seller(marketplace, &mut random)).collect();
        Self { incidents, sellers }
    }

    /// The incident at this time, with its number.
    pub(super) fn incident_at(&self, now: Timestamp) -> Option<(usize, Incident)> {
        self.incident_within(now, 0)
    }

    /// The incident at this time or so many seconds before it, with its number.
    pub(super) fn incident_within(&self, now: Timestamp, before: i64) -> Option<(usize, Incident)> {
        let lasts = 0..LASTS + before;
        self.incidents.iter().copied().enumerate().find(|(_, incident)| lasts.contains(&now.since(incident.from)))
    }
}

fn seller(marketplace: MarketplaceName, random: &mut SmallRng) -> Seller {
    let days = -(1.0 - random.random::<f64>()).ln() / LEAVES_PER_DAY;
    #[expect(clippy::cast_possible_truncation, reason = "far below 2^52 seconds")]
    let leaves_at = Some(BEGIN.plus((days * DAY as f64) as i64)).filter(|at| at.since(BEGIN) < TROUBLED);
    let delay = random.random_range(1..600);
    let notifies = match marketplace {
        MarketplaceName::TikTokShop => random.random_ratio(1, NOTIFIED),
        MarketplaceName::Temu => false,
    };
    Seller { leaves_at, notified_at: leaves_at.filter(|_| notifies).map(|at| at.plus(delay)) }
}
