//! Configuration of an exploration: the processes, the troubles, and the rule that is left out.

/// Bounds and surroundings of one exploration.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "surroundings that have nothing to do with each other")]
pub struct Config {
    /// Scheduled runs.
    pub runs: u8,
    /// Exchanges that each run may have under way.
    pub slots: u8,
    /// Whether there is a process on demand beside them, with one exchange.
    pub on_demand: bool,
    /// Exchanges in all.
    pub attempts: u8,
    /// Initial state of the breakers of the app, the host and the vault.
    pub begins: [Beginning; 3],
    /// States of the marketplace other than well.
    pub troubles: &'static [Market],
    /// Whether the vault may fail.
    pub vault_may_fail: bool,
    /// How often the marketplace or the vault changes.
    pub changes: u8,
    /// Processes that die.
    pub deaths: u8,
    /// How often time moves by six seconds.
    pub moments: u8,
    /// How often a quarter of an hour passes while no exchange is under way and no breaker is open.
    pub rests: u8,
    /// Whether a response may arrive after the next window has begun, as in a process that was frozen.
    pub late: bool,
    /// Whether another app has to be served while the observed one stays misconfigured.
    pub other_app: bool,
    /// The rule that is left out.
    pub naive: Option<Naive>,
}

impl Config {
    /// Two runs and a process on demand; all is well, and stays so.
    pub const WELL: Self = Self {
        runs: 2,
        slots: 1,
        on_demand: true,
        attempts: 3,
        begins: [Beginning::Closed; 3],
        troubles: &[],
        vault_may_fail: false,
        changes: 1,
        deaths: 1,
        moments: 1,
        rests: 0,
        late: false,
        other_app: false,
        naive: None,
    };

    /// The host fails, and four others have just met that.
    pub const HOST: Self = Self {
        begins: [Beginning::Closed, Beginning::Failing(4), Beginning::Closed],
        troubles: &[Market::Flapping],
        ..Self::WELL
    };

    /// The app is misconfigured, which two others have just met. Two runs.
    pub const LANE: Self = Self {
        on_demand: false,
        begins: [Beginning::Failing(2), Beginning::Closed, Beginning::Closed],
        troubles: &[Market::Misconfigured],
        ..Self::WELL
    };

    /// The vault fails. A run and a process on demand.
    pub const VAULT: Self = Self { runs: 1, attempts: 4, vault_may_fail: true, ..Self::WELL };

    /// The windows of all three breakers have ended. Two runs, an exchange each.
    pub const ENDED: Self = Self {
        on_demand: false,
        attempts: 2,
        begins: [Beginning::Open(1), Beginning::Open(0), Beginning::Open(3)],
        troubles: &[Market::Flapping],
        vault_may_fail: true,
        ..Self::WELL
    };

    /// Whether this rule is left out.
    pub(crate) fn is(&self, naive: Naive) -> bool {
        self.naive == Some(naive)
    }

    /// Exchanges that may be under way at a time.
    pub(crate) fn all_slots(&self) -> u8 {
        self.runs * self.slots + u8::from(self.on_demand)
    }
}

/// How a breaker begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// Closed, without failures.
    Closed,
    /// Closed; so many other connections have just met a failure.
    Failing(u8),
    /// Open, after so many tries that failed; its time is over now.
    Open(u8),
}

/// State of the marketplace, and its response to an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Market {
    /// It gives a token set.
    Well,
    /// Its host does not respond.
    Sick,
    /// It rejects the app's configuration.
    Misconfigured,
    /// It asks the app to wait for ten minutes.
    AsksToWait,
    /// It gives a token set, or its host does not respond.
    Flapping,
}

/// A rule that is left out, to see that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Naive {
    /// A process that finds the end of a window goes on without writing the next window first.
    NoWriteAhead,
    /// A turn has no end: other processes wait for its report.
    TurnWithoutEnd,
    /// Any success closes.
    AnyoneCloses,
    /// A breaker is written without the condition that it is still as it was read.
    BlindWrites,
    /// A turn that was not used is not given back.
    KeepsTurns,
    /// An exchange that obtained no token set uses its turn at the vault up all the same.
    UsesUpVault,
    /// A process reads the breakers once only.
    NeverReadsAgain,
    /// The vault's breaker opens after as many failures as an app's.
    VaultNeedsThree,
}
