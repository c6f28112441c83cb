/// A route whose calls are logged and can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `GET /api/v2/token/get`
    TokenGet,
    /// `GET /api/v2/token/refresh`
    TokenRefresh,
    /// `GET /authorization/202309/shops`
    Shops,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TokenGet, Self::TokenRefresh, Self::Shops];
}

/// A call as TikTok Shop saw it.
pub type Call = crate::calls::Call<Route>;
