/// A route whose calls are logged and can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `GET /api/v2/token/get`
    TokenGet,
    /// `GET /api/v2/token/refresh`
    TokenRefresh,
    /// `GET /authorization/202309/shops`
    Shops,
    /// `GET /event/202309/webhooks`
    WebhookList,
    /// `PUT /event/202309/webhooks`
    WebhookPut,
    /// `DELETE /event/202309/webhooks`
    WebhookDelete,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::TokenGet, Self::TokenRefresh, Self::Shops, Self::WebhookList, Self::WebhookPut, Self::WebhookDelete];
}

/// A call as TikTok Shop saw it.
pub type Call = crate::calls::Call<Route>;
