//! What is explored: who comes along, what may go wrong, and which rule of the protocol is left out.

use crate::market::Rotation;

/// Bounds and surroundings of one exploration.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "surroundings that have nothing to do with each other")]
pub struct Config {
    /// What becomes of the old refresh token.
    pub rotation: Rotation,
    /// Whether a new authorization ends the ones before.
    pub ends_old: bool,
    /// Where the connection stands at first.
    pub beginning: Beginning,
    /// How often somebody works on the connection, by schedule or on demand.
    pub workers: u8,
    /// How often the seller authorizes anew.
    pub grants: u8,
    /// Whether the seller authorizes by sessions that are for another connection alone.
    pub elsewhere: bool,
    /// Whether a new connection waits for the vendor's confirmation; the vendor may then give it.
    pub confirm: bool,
    /// How often the vendor ends the connection.
    pub disconnects: u8,
    /// How often the seller takes the authorization back at the marketplace.
    pub leaves: u8,
    /// How often the marketplace says that it was taken back, be it true or not.
    pub notices: u8,
    /// After how many seconds the first authorization ends, and every response states it. Later ones end in a year. Without
    /// it, no authorization ends.
    pub end: Option<i64>,
    /// How often the seller renews in the marketplace's seller center, which tells nobody.
    pub renewals: u8,
    /// How often the marketplace announces that the authorization ends within minutes, which is not true.
    pub announcements: u8,
    /// How often a backup of the item is made, at any moment; without one it is of the beginning.
    pub backups: u8,
    /// How often the item is restored from the backup, which the vault knows nothing of.
    pub restores: u8,
    /// Crashes, lost answers, failures of the vault: how many in all.
    pub troubles: u8,
    /// For how many seconds an exchange or a Keep may go on. Up to 49 the claims are sound.
    pub longest_work: i64,
    /// How far each worker's clock is from the table's, in seconds; in turn.
    pub clocks: &'static [i64],
    /// Seconds that lie between two authorizations at least.
    pub between_grants: i64,
    /// Whether a death between a deletion and taking it back is forgiven, neither callbacks nor deletions are frozen, and
    /// nothing is at work beside a new authorization that an item restored later does not know of.
    pub forgives: bool,
    /// The rule that is left out.
    pub naive: Option<Naive>,
}

impl Config {
    /// Two workers, one-time refresh tokens, sound claims, one trouble.
    pub const SMALL: Self = Self {
        rotation: Rotation::Strict,
        ends_old: true,
        beginning: Beginning::Due,
        workers: 2,
        grants: 0,
        elsewhere: false,
        confirm: false,
        disconnects: 0,
        leaves: 0,
        notices: 0,
        end: None,
        renewals: 0,
        announcements: 0,
        backups: 0,
        restores: 0,
        troubles: 1,
        longest_work: SOUND,
        clocks: &[0],
        between_grants: 3,
        forgives: true,
        naive: None,
    };
}

impl Default for Config {
    fn default() -> Self {
        Self::SMALL
    }
}

/// Work that ends in time: an exchange after three quarters of the claim, a Keep one put later.
pub const SOUND: i64 = 49;

/// Work that is frozen, for less time than lies between two refusals.
pub const FROZEN: i64 = 600;

/// Where the connection stands at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Beginning {
    /// There is none.
    Nothing,
    /// Active, and due for a refresh.
    Due,
}

/// A rule that is left out, to see that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Naive {
    /// The item names a token set before the vault has it.
    CommitsBeforeKeep,
    /// Nobody looks into the vault for what a dead attempt had kept.
    NeverLooksBack,
    /// Nobody looks whether the vault has a later token set than the item names.
    ReadsByVersion,
    /// What the vault has of a later authorization is passed over if it does not stem from the item's.
    PassesOverAnother,
    /// Who asks on demand pays no heed to `not_before` and refusals.
    IgnoresBackOff,
    /// A claim that lasts twenty seconds.
    ShortClaim,
    /// A new authorization keeps first, and takes the claim only with its commit.
    GrantWithoutClaim,
    /// The oldest attempt is looked for first.
    OldestFirst,
    /// What is found is committed, whatever it stems from.
    AnyParent,
    /// A commit leaves the attempts remembered.
    CommitKeepsAttempts,
    /// The last two together.
    AnyParentAndCommitKeepsAttempts,
    /// Who takes a claim over forgets the attempts before.
    TakeoverForgets,
    /// A new authorization forgets the attempts before.
    GrantForgets,
    /// A commit clears a notice, whenever it came.
    CommitClearsNotice,
    /// An outcome is written whether the claim is still held or not.
    OutcomeWithoutClaim,
    /// A new authorization's commit does not ask whether a disconnect came in between.
    CommitAfterDisconnect,
    /// A deletion that came too late is not taken back.
    NeverRestores,
    /// At its known end a connection expires, and nobody asks the marketplace.
    ExpiresUnasked,
    /// The same at an end that was announced.
    AnnouncedExpires,
    /// The known end of an authorization makes no difference to a refusal.
    EndSaysNothing,
    /// A refusal at the known end is believed although an earlier exchange may have obtained a token set.
    ExpiresUnsettled,
}

impl Naive {
    /// Whether only the version that the item names is read. The newest would make up for some of the others.
    pub(crate) const fn reads_by_version(self) -> bool {
        matches!(self, Self::ReadsByVersion | Self::NeverLooksBack | Self::GrantForgets | Self::GrantWithoutClaim)
    }
}

impl Config {
    /// Whether this rule is left out.
    pub(crate) fn is(&self, naive: Naive) -> bool {
        self.naive == Some(naive)
    }

    /// Whether claims outlast the work under them.
    pub(crate) const fn is_sound(&self) -> bool {
        self.longest_work <= SOUND
    }
}
