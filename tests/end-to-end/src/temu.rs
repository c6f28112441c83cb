//! A Temu seller's ways with the browser: our form, and Temu's own pages.

use url::Url;

use crate::{
    answer::Answer,
    browser::{Browser, Returned},
    page::Page,
};

/// A kind of seller at Temu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SellerKind {
    /// Inside the market: one token for everything.
    Local,
    /// Across the border: one token for products, and one for each region's orders.
    SemiManaged,
    /// Across the border, the orders fulfilled by Temu: one token for products, and one for compliance.
    FullyManaged,
}

impl SellerKind {
    /// As it stands in addresses and forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::SemiManaged => "semi-managed",
            Self::FullyManaged => "fully-managed",
        }
    }
}

/// The form for tokens, as a seller has it open.
#[derive(Debug)]
pub struct TokenForm<'a> {
    browser: &'a Browser,
    /// Where it is sent.
    pub url: String,
    /// The page that it stands on.
    pub page: Answer,
}

impl TokenForm<'_> {
    /// What the form sends besides what the seller fills in.
    pub fn hidden_fields(&self) -> Vec<(String, String)> {
        Page(&self.page.body).hidden_fields()
    }

    /// What binds the form to its session and browser; panics if it has none.
    #[track_caller]
    pub fn form_token(&self) -> String {
        let hidden = self.hidden_fields().into_iter().find(|(name, _)| name == "form_token");
        hidden.unwrap_or_else(|| panic!("no form_token on {}: {}", self.page.asked, self.page.body)).1
    }

    /// Fills in these fields and sends it; gives the answer itself, redirect or not.
    pub async fn send(&self, fields: &[(&str, &str)]) -> Answer {
        let hidden = self.hidden_fields();
        let mut form: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        form.retain(|(name, _)| fields.iter().all(|(filled, _)| filled != name));
        form.extend(fields);
        self.browser.submit(&self.url, &form).await
    }
}

/// What a seller's token page says.
impl Answer {
    /// Why fields were not taken, in the order of the fields.
    pub fn reasons(&self) -> Vec<String> {
        Page(&self.body).values("data-reason")
    }

    /// The value of a checkbox, if the page has it.
    pub fn checkbox(&self, name: &str) -> Option<String> {
        let mut tags = Page(&self.body).tags();
        let tag = tags.find(|tag| tag.get("type") == Some("checkbox") && tag.get("name") == Some(name))?;
        tag.get("value").map(str::to_owned)
    }

    /// Where the page's links lead, as they are written.
    pub fn links(&self) -> Vec<String> {
        Page(&self.body).values("href")
    }

    /// The link back to the vendor that says how it went.
    pub fn way_back(&self) -> Option<Url> {
        self.links().iter().filter_map(|link| link.parse().ok()).find(|link: &Url| {
            let query: Vec<_> = link.query_pairs().map(|(name, _)| name.into_owned()).collect();
            query.iter().any(|name| name == "session_id")
        })
    }
}

/// Our pages.
impl Browser {
    /// Opens the form for sellers of this kind.
    pub async fn token_form(&self, connect_url: &str, seller: SellerKind) -> TokenForm<'_> {
        let url = format!("{}/temu", connect_url.trim_end_matches('/'));
        let page = self.open(&format!("{url}?seller={}", seller.name())).await.expect(200);
        self.keep_secrets_of(&page);
        TokenForm { browser: self, url, page }
    }

    /// Opens the form, pastes, and follows the redirect if all was good: gives the page that the seller then sees,
    /// 200 or 422.
    pub async fn paste(&self, connect_url: &str, seller: SellerKind, fields: &[(&str, &str)]) -> Answer {
        let form = self.token_form(connect_url, seller).await;
        let answer = form.send(fields).await;
        self.arrive(answer).await
    }

    /// Pastes what is good, and goes back to the vendor; panics if the page has no link back.
    pub async fn connect_temu(&self, connect_url: &str, seller: SellerKind, fields: &[(&str, &str)]) -> Returned {
        let page = self.paste(connect_url, seller, fields).await.expect(200);
        let url = page.way_back().unwrap_or_else(|| panic!("no way back to the vendor: {}", page.body));
        Returned { url, page: Some(page) }
    }

    /// The page after a form was sent.
    pub async fn arrive(&self, answer: Answer) -> Answer {
        let page = match answer.status {
            303 => self.open(answer.redirect().as_str()).await,
            _ => answer,
        };
        self.keep_secrets_of(&page);
        page
    }

    /// Leaves for Temu to authorize by code; gives the link to Temu's page.
    pub async fn leave_for_temu(&self, connect_url: &str, app: &str) -> Url {
        let way_out = format!("{}/temu/{app}", connect_url.trim_end_matches('/'));
        self.open(&way_out).await.redirect()
    }
}

/// Temu's pages.
impl Browser {
    /// Says yes on the page that the code flow leads to; gives the callback, not yet visited.
    pub async fn approve(&self, link: &Url, seller: &str) -> Url {
        self.decide(link, &[("seller", seller), ("decision", "approve")]).await
    }

    /// Has a token issued as a local seller does in the App Store, and copies it.
    pub async fn copy_local_token(&self, seller_centre: &str, account: &str, mall: u64, app_key: &str) -> String {
        let mall = mall.to_string();
        let visit = [("account", account), ("role", "main"), ("mall", &mall), ("app", app_key)];
        let mut form = visit.to_vec();
        form.extend(["aftersales", "promotion", "advertising", "consent"].map(|ticked| (ticked, "yes")));
        let sent = self.submit(&format!("{seller_centre}/app-store/authorize"), &form).await;
        let _ = self.open(sent.redirect().as_str()).await.expect(200);
        let info = format!("{seller_centre}/open-platform/client-manage/access-info");
        let info = Url::parse_with_params(&info, visit).expect("a URL");
        copied(&self.open(info.as_str()).await)
    }

    /// Has a token issued as a cross-border seller does under Authorization Management, and copies it. `environment`
    /// is `us`, `eu` or `global`, `kind` is `product` or `orders`.
    pub async fn copy_cross_border_token(
        &self,
        seller_centre: &str,
        account: &str,
        mall: u64,
        environment: &str,
        kind: &str,
        app_key: &str,
    ) -> String {
        let page = format!("{seller_centre}/open-platform/system-manage/client-manage/get-authorization");
        let (mall, choice) = (mall.to_string(), format!("{kind}:{app_key}"));
        let form = [
            ("account", account),
            ("role", "main"),
            ("mall", &mall),
            ("environment", environment),
            ("choice", &choice),
            ("general", "all"),
            ("special", "all"),
        ];
        let sent = self.submit(&page, &form).await;
        copied(&self.open(sent.redirect().as_str()).await)
    }
}

#[track_caller]
fn copied(page: &Answer) -> String {
    let token = Page(&page.body).text_of("access-token");
    token.unwrap_or_else(|| panic!("{}: no token to copy: {}", page.asked, page.body))
}
