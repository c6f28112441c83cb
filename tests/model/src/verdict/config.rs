//! What is explored: the lane, the incident, what may go wrong, and which rule is left out.

/// Bounds and surroundings of one exploration.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "surroundings that have nothing to do with each other")]
pub struct Config {
    /// The marketplace.
    pub lane: Lane,
    /// Other connections of the lane, at most six.
    pub others: u8,
    /// Whether the others are looked at in one step, all that may be, with the same response to those that stand.
    pub together: bool,
    /// Whether the lane is so large that, without end, six of its connections are refused for the first time in every period.
    pub crowd: bool,
    /// What the marketplace refuses by mistake.
    pub incident: Incident,
    /// How many incidents there are.
    pub incidents: u8,
    /// Whether an incident may end between a refusal of the observed connection and its verdict.
    pub ends_between: bool,
    /// Whether the known end of the observed connection's authorization has come.
    pub at_end: bool,
    /// Processes: with one, it works on all connections.
    pub processes: u8,
    /// How far the second process's clock is ahead, in seconds.
    pub clock: i64,
    /// Whether what is counted may be written at any later time. Otherwise it is written within seconds.
    pub late: bool,
    /// Processes that die, writes whose response is lost, reads that fail: how many in all.
    pub troubles: u8,
    /// How often time moves by six seconds.
    pub moments: u8,
    /// Seconds that are explored; normal running follows.
    pub horizon: i64,
    /// The rule that is left out.
    pub naive: Option<Naive>,
}

impl Config {
    /// A single connection that is refused as everybody is.
    pub const ALONE: Self = Self {
        lane: Lane::Refreshed,
        others: 0,
        together: false,
        crowd: false,
        incident: Incident::Everybody,
        incidents: 1,
        ends_between: false,
        at_end: false,
        processes: 1,
        clock: 0,
        late: true,
        troubles: 1,
        moments: 1,
        horizon: 31 * 3_600,
        naive: None,
    };

    /// Two connections, worked on by two processes.
    pub const PAIR: Self = Self { others: 1, processes: 2, ..Self::ALONE };

    /// Six connections that fall due together, in the first half hour, with evidence that is written within seconds.
    pub const SIX: Self = Self {
        others: 5,
        incident: Incident::Whim,
        processes: 2,
        late: false,
        troubles: 0,
        moments: 1,
        horizon: 1_800,
        ..Self::ALONE
    };

    /// Whether this rule is left out.
    pub(crate) fn is(&self, naive: Naive) -> bool {
        self.naive == Some(naive)
    }

    /// Whether so many may be refused for the first time that the breaker opens.
    pub(crate) const fn may_be_mass(&self) -> bool {
        self.others >= 5
    }
}

/// How a lane's marketplace says whether an authorization stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// By a refresh: TikTok Shop.
    Refreshed,
    /// By a check: Temu.
    Checked,
}

/// What a marketplace refuses although the authorization stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Incident {
    /// Nothing.
    None,
    /// Everybody.
    Everybody,
    /// Each call, at its whim.
    Whim,
}

/// A rule that is left out, to see that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Naive {
    /// A first refusal is believed.
    FirstIsBelieved,
    /// Any second refusal is believed.
    SecondIsBelieved,
    /// Another connection's acceptance counts though it came before the first refusal.
    EarlierCounts,
    /// An acceptance counts as of the time when it is written.
    CountsWhenWritten,
    /// Clocks are taken to agree.
    ClocksAgree,
    /// A connection's own acceptance counts as another's.
    OwnCounts,
    /// Every look counts as a first one.
    EveryLookCounts,
    /// Without another connection that is accepted, no refusal is believed.
    NeverAlone,
    /// While many are refused, no refusal is ever believed.
    NoSevenDays,
    /// An ended connection is not asked again.
    NeverAskedAgain,
}
