//! What is asked for, where to look for it, and whether an item is it: pure.

use shop_keyring::{
    connection::{Connection, Status, attention::attention, due::SHARDS},
    names::{AccountId, AppName, ConnectionKey, MarketplaceName},
    secret::digest,
    store::Section,
};

/// The statuses by name.
pub(super) const STATUSES: [&str; 4] = Status::NAMES;

/// What the connections in question have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    pub(super) account: Option<AccountId>,
    pub(super) marketplace: Option<MarketplaceName>,
    /// Only with a marketplace.
    pub(super) app: Option<AppName>,
    /// One of [`STATUSES`].
    pub(super) status: Option<&'static str>,
    pub(super) needs_attention: Option<bool>,
}

impl Filters {
    /// What their names begin with.
    pub fn prefix(&self) -> String {
        match (self.marketplace, &self.app) {
            (Some(marketplace), Some(app)) => format!("{marketplace}/{app}/"),
            (Some(marketplace), None) => format!("{marketplace}/"),
            (None, _) => String::new(),
        }
    }

    /// Whether an item is one of them. An index may lag behind.
    pub(super) fn admit(&self, item: &Connection) -> bool {
        let account = self.account.as_ref().is_none_or(|account| item.account_id.as_ref() == Some(account));
        let status = self.status.is_none_or(|status| item.status.as_str() == status);
        let attention = self.needs_attention.is_none_or(|needs| needs != attention(item).is_empty());
        account && status && attention && self.admits_name(&item.connection)
    }

    /// Whether a name may be theirs.
    pub fn admits_name(&self, name: &ConnectionKey) -> bool {
        self.marketplace.is_none_or(|wanted| wanted == name.app.marketplace)
            && self.app.as_ref().is_none_or(|wanted| *wanted == name.app.app)
    }

    /// The part of an index that a shard is read from. An account's connections are one part, shard 0.
    pub(super) fn section(&self, shard: u8) -> Section<'_> {
        match (&self.account, self.is_rare()) {
            (Some(account), _) => Section::Account(account),
            (None, true) => Section::Attention(shard),
            (None, false) => Section::Listing { shard, status: self.status },
        }
    }

    /// How many such parts there are.
    pub(super) const fn shards(&self) -> u8 {
        if self.account.is_some() { 1 } else { SHARDS }
    }

    /// Whoever needs the seller needs attention.
    fn is_rare(&self) -> bool {
        self.needs_attention == Some(true) || self.status == Some("reauthorization_required")
    }

    /// A short name of these very filters.
    pub(super) fn fingerprint(&self) -> String {
        let account = self.account.as_ref().map(AccountId::as_str);
        let marketplace = self.marketplace.map(MarketplaceName::as_str);
        let app = self.app.as_ref().map(AppName::as_str);
        let attention = self.needs_attention.map(|needs| if needs { "true" } else { "false" });
        // No value is empty or has a line break in it.
        let text = [account, marketplace, app, self.status, attention].map(Option::unwrap_or_default).join("\n");
        let mut name = digest(&text);
        name.truncate(16);
        name
    }
}

#[cfg(test)]
mod tests {
    use shop_keyring::connection::Reason;

    use super::*;

    #[test]
    fn every_status_has_its_name() {
        let reason = Reason::Refused;
        for status in
            [Status::Pending, Status::Active, Status::ReauthorizationRequired { reason }, Status::Disconnected]
        {
            assert!(STATUSES.contains(&status.as_str()));
        }
    }

    #[test]
    fn what_is_rare_is_not_looked_for_among_all() {
        let all = Filters::default();
        assert_eq!((all.section(3), all.shards()), (Section::Listing { shard: 3, status: None }, SHARDS));
        let active = Filters { status: Some("active"), ..Filters::default() };
        assert_eq!(active.section(3), Section::Listing { shard: 3, status: Some("active") });
        for rare in [
            Filters { needs_attention: Some(true), ..Filters::default() },
            Filters { status: Some("reauthorization_required"), ..Filters::default() },
            Filters { status: Some("active"), needs_attention: Some(true), ..Filters::default() },
        ] {
            assert_eq!(rare.section(15), Section::Attention(15), "{rare:?}");
            let account: AccountId = "acme".parse().unwrap();
            let of_account = Filters { account: Some(account.clone()), ..rare };
            assert_eq!((of_account.section(0), of_account.shards()), (Section::Account(&account), 1));
        }
        let good = Filters { needs_attention: Some(false), ..Filters::default() };
        assert_eq!(good.section(0), Section::Listing { shard: 0, status: None });
    }

    #[test]
    fn different_filters_have_different_names() {
        let account = |account: &str| Filters { account: Some(account.parse().unwrap()), ..Filters::default() };
        let all = [
            Filters::default(),
            account("temu"),
            account("active"),
            Filters { marketplace: Some(MarketplaceName::Temu), ..Filters::default() },
            Filters { status: Some("active"), ..Filters::default() },
            Filters { needs_attention: Some(true), ..Filters::default() },
            Filters { needs_attention: Some(false), ..Filters::default() },
        ];
        let names: std::collections::BTreeSet<_> = all.iter().map(Filters::fingerprint).collect();
        assert_eq!(names.len(), all.len());
    }
}
