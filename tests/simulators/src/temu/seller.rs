use super::app::Region;

/// Who runs a mall, as the platform numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MallType {
    /// A cross-border seller, whose products and orders lie on different sites: 1
    SemiManaged,
    /// A cross-border seller whose orders the platform fulfils. Its number is not documented.
    FullyManaged,
    /// A seller inside the market: 100
    Local,
}

impl MallType {
    pub(super) fn number(self) -> Option<u8> {
        match self {
            Self::SemiManaged => Some(1),
            Self::FullyManaged => None,
            Self::Local => Some(100),
        }
    }
}

/// A store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mall {
    /// Stable id.
    pub id: u64,
    /// Local or cross-border.
    pub mall_type: MallType,
    /// What the seller calls it.
    pub name: String,
    /// Where a local mall sells, and so the only region whose apps it can authorize in the App
    /// Store. Cross-border malls are everywhere.
    pub site: Region,
    /// The country's number in token information.
    pub region_id: u64,
    /// In token information; `None` is answered as `null`.
    pub semi_unique_id: Option<String>,
}

impl Mall {
    /// A mall in the United States.
    pub fn new(id: u64, mall_type: MallType) -> Self {
        Self {
            id,
            mall_type,
            name: format!("Mall {id}"),
            site: Region::Us,
            region_id: 211,
            semi_unique_id: (mall_type == MallType::SemiManaged).then(|| format!("semi-{id}")),
        }
    }

    /// The same mall with this name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same mall somewhere else.
    #[must_use]
    pub fn at(mut self, site: Region, region_id: u64) -> Self {
        self.site = site;
        self.region_id = region_id;
        self
    }
}

/// An account in the seller centre, with its malls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seller {
    /// The account.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// The malls under it.
    pub malls: Vec<Mall>,
}

impl Seller {
    /// An account without malls.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        Self { name: format!("Seller {id}"), malls: Vec::new(), id }
    }

    /// The same account with this name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same account with one more mall.
    #[must_use]
    pub fn with_mall(mut self, mall: Mall) -> Self {
        self.malls.push(mall);
        self
    }

    /// The malls that can authorize by code at this region.
    pub(super) fn local_malls(&self, region: Region) -> impl Iterator<Item = &Mall> {
        self.malls.iter().filter(move |mall| mall.mall_type == MallType::Local && mall.site == region)
    }
}
