use serde::Serialize;

/// The scope that listing shops and registering webhooks need.
pub const SHOPS_SCOPE: &str = "seller.authorization.info";

/// What kind of user authorized, as the token host numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserType {
    /// 0
    Seller,
    /// 1
    Creator,
    /// 3
    Partner,
    /// 4: a seller of Global Selling.
    GlobalSeller,
    /// 5: a seller of Global Selling.
    GlobalSubSeller,
}

impl UserType {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Seller => 0,
            Self::Creator => 1,
            Self::Partner => 3,
            Self::GlobalSeller => 4,
            Self::GlobalSubSeller => 5,
        }
    }

    /// Whether this kind of user has shops.
    pub(super) fn has_shops(self) -> bool {
        matches!(self, Self::Seller | Self::GlobalSeller | Self::GlobalSubSeller)
    }
}

/// Where a shop sells from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SellerType {
    /// Inside the market.
    Local,
    /// From another country.
    CrossBorder,
}

/// A storefront, as the shop list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shop {
    /// Stable id; webhooks name the shop by it.
    pub id: String,
    /// What the seller calls it.
    pub name: String,
    /// Market, such as `US`.
    pub region: String,
    /// Local or cross-border.
    pub seller_type: SellerType,
    /// What every later call about the shop must carry.
    pub cipher: String,
    /// The short code that the seller sees.
    pub code: String,
}

impl Shop {
    /// A local shop with a name, cipher and code derived from its id.
    pub fn new(id: impl Into<String>, region: impl Into<String>) -> Self {
        let (id, region) = (id.into(), region.into());
        Self {
            name: format!("Shop {id}"),
            cipher: format!("{region}_cipher_{id}"),
            code: format!("{region}LC{id}"),
            seller_type: SellerType::Local,
            id,
            region,
        }
    }
}

/// A seller account, or another kind of user who can come by the same page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seller {
    /// The id in every token answer.
    pub open_id: String,
    /// `None` is answered as `null`.
    pub name: Option<String>,
    /// `None` leaves the field out of the answer.
    pub base_region: Option<String>,
    /// Seller, creator or partner.
    pub user_type: UserType,
    /// What the next authorization grants; earlier ones keep what they had.
    pub scopes: Vec<String>,
    /// Whether token answers list the scopes; the real platform does not always.
    pub states_scopes: bool,
    /// The shops under this account.
    pub shops: Vec<Shop>,
    /// What is inactive, if anything: then the open API answers nothing else.
    pub inactive: Option<Inactive>,
}

/// What is inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inactive {
    /// The shop.
    Shop,
    /// The seller.
    Seller,
}

impl Seller {
    /// A seller in the United States without shops who grants the scope for listing them.
    pub fn new(open_id: impl Into<String>) -> Self {
        let open_id = open_id.into();
        Self {
            name: Some(format!("Seller {open_id}")),
            base_region: Some("US".to_owned()),
            user_type: UserType::Seller,
            scopes: vec![SHOPS_SCOPE.to_owned()],
            states_scopes: true,
            shops: Vec::new(),
            inactive: None,
            open_id,
        }
    }

    /// The same seller with one more shop.
    #[must_use]
    pub fn with_shop(mut self, shop: Shop) -> Self {
        self.shops.push(shop);
        self
    }
}
