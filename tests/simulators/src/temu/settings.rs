const DAY: u64 = 24 * 60 * 60;

/// How the platform behaves; may be changed at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "what is not known of the platform, each on its own")]
pub struct Settings {
    /// Seconds for which an authorization code can be redeemed.
    pub code_lifetime: u64,
    /// Seconds that a token of a third party's app lives.
    pub token_lifetime: u64,
    /// Seconds that a token of a self-developed app lives.
    pub self_developed_lifetime: u64,
    /// Calls that an app may make in any one second; `None` lets all of them through.
    pub calls_per_second: Option<u32>,
    /// Whether the timestamp in a signed call is compared with the machine's clock rather than the
    /// simulator's: for a product that cannot travel along when the simulator's clock is advanced.
    pub timestamps_by_machine_clock: bool,
    /// Whether token information says `uniqueId` in place of `mallId`, and `mallName` besides, as
    /// some gateways do.
    pub says_unique_id: bool,
    /// Whether the answer to a code also holds what token information would say, as the platform's
    /// documentation has it.
    pub create_says_whose: bool,
    /// Whether the list of associated malls has the mall of the answer's own token in it as well.
    pub associated_includes_own: bool,
    /// What callbacks of all apps name as `callback_host`; `None` is each app's own router.
    pub callback_host: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            code_lifetime: 10 * 60,
            token_lifetime: 90 * DAY,
            self_developed_lifetime: 365 * DAY,
            calls_per_second: Some(20),
            timestamps_by_machine_clock: false,
            says_unique_id: false,
            create_says_whose: false,
            associated_includes_own: false,
            callback_host: None,
        }
    }
}
