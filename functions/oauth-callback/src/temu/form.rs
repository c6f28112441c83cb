//! What the form sends: pure.

use serde::Deserialize;
use shop_keyring::{
    apps::Sites,
    marketplace::temu::PRODUCT_APP,
    names::{AppKeyPath, MarketplaceName},
    secret::Secret,
};
use url::form_urlencoded;

use crate::problem::Problem;

/// What kind of seller somebody is at Temu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SellerKind {
    /// Sells in one country: one token for everything.
    Local,
    /// Cross-border, semi-managed: a product token, and an order token for each region.
    CrossBorder,
}

impl SellerKind {
    /// As it stands in addresses and forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::CrossBorder => "cross-border",
        }
    }
}

/// The order in which fields are shown and worked on.
const ORDER: [&str; 4] = [PRODUCT_APP, "us", "eu", "global"];

/// The fields for this kind of seller, of the apps that are set up.
pub(crate) fn apps_of(kind: SellerKind, sites: &Sites) -> Vec<AppKeyPath> {
    let wanted = ORDER.into_iter().filter(|app| kind == SellerKind::CrossBorder || *app != PRODUCT_APP);
    let paths =
        wanted.filter_map(|app| Some(AppKeyPath { marketplace: MarketplaceName::Temu, app: app.parse().ok()? }));
    paths.filter(|path| sites.contains_key(path)).collect()
}

/// A field that was filled.
#[derive(Debug)]
pub struct Field {
    /// The app whose token should be in it.
    pub path: AppKeyPath,
    /// As it was pasted.
    pub pasted: Secret,
    /// The store that the seller has agreed to connect although it is not the one before.
    pub other_store: Option<String>,
}

/// A form as it was sent.
#[derive(Debug)]
pub struct Form {
    /// Proves that our own page sent it, in this browser.
    pub token: Secret,
    /// What kind of seller sends it.
    pub kind: SellerKind,
    /// Whether the seller agrees to the account.
    pub agrees: bool,
    site: Option<String>,
    tokens: Vec<(String, Secret)>,
    other_stores: Vec<(String, String)>,
}

impl Form {
    /// Reads a form. Whatever our own page does not send is an error: somebody else made it.
    ///
    /// # Errors
    /// If it is not one of ours.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let (mut token, mut kind, mut site, mut agree) = (None, None, None, None);
        let (mut tokens, mut other_stores) = (Vec::new(), Vec::new());
        for (name, value) in form_urlencoded::parse(body) {
            let repeated = match &*name {
                "form_token" => token.replace(Secret::new(value)).is_some(),
                "seller" => kind.replace(seller_kind(&value)?).is_some(),
                "site" => site.replace(value.into_owned()).is_some(),
                "agree" => agree.replace(value == "yes").is_some(),
                "token" => insert(&mut tokens, "", Secret::new(value)),
                name if let Some(app) = name.strip_prefix("token_") => insert(&mut tokens, app, Secret::new(value)),
                name if let Some(app) = name.strip_prefix("other_store_") => {
                    insert(&mut other_stores, app, value.into_owned())
                }
                _ => return Err(Problem::BadForm),
            };
            if repeated {
                return Err(Problem::BadForm);
            }
        }
        Ok(Self {
            token: token.ok_or(Problem::OtherBrowser)?,
            kind: kind.ok_or(Problem::BadForm)?,
            agrees: agree.unwrap_or_default(),
            site,
            tokens,
            other_stores,
        })
    }

    /// The fields that were filled, in the page's order.
    ///
    /// # Errors
    /// If there is one that this kind of seller does not see.
    pub fn fields(&self, sites: &Sites) -> Result<Vec<Field>, Problem> {
        let apps = apps_of(self.kind, sites);
        let mut fields = Vec::new();
        for (name, pasted) in &self.tokens {
            // A local seller has one field, and says beside it which site it is for.
            let app = match (self.kind, name.as_str()) {
                (SellerKind::Local, "") => self.site.as_deref().unwrap_or_default(),
                (SellerKind::CrossBorder, name) if !name.is_empty() => name,
                _ => return Err(Problem::BadForm),
            };
            if pasted.expose().trim().is_empty() {
                continue;
            }
            let path = apps.iter().find(|path| path.app.as_str() == app).ok_or(Problem::BadForm)?;
            let other_store = self.other_stores.iter().find(|(name, _)| name == app).map(|(_, mall)| mall.clone());
            fields.push(Field { path: path.clone(), pasted: pasted.clone(), other_store });
        }
        fields.sort_by_key(|field| apps.iter().position(|path| *path == field.path));
        Ok(fields)
    }
}

fn seller_kind(text: &str) -> Result<SellerKind, Problem> {
    [SellerKind::Local, SellerKind::CrossBorder].into_iter().find(|kind| kind.as_str() == text).ok_or(Problem::BadForm)
}

/// Adds an entry; true if there is one of this name already.
fn insert<T>(entries: &mut Vec<(String, T)>, name: &str, value: T) -> bool {
    let repeated = entries.iter().any(|(known, _)| known == name);
    entries.push((name.to_owned(), value));
    repeated
}

#[cfg(test)]
mod tests {
    use shop_keyring::config::Reader;

    use super::*;

    fn sites() -> Sites {
        let apps = r#"{"us":{"name":"A"},"global":{"name":"A"},"product":{"name":"A"}}"#;
        Reader::new(&|name| (name == "TEMU_APPS").then(|| apps.to_owned())).apps()
    }

    fn fields(body: &str) -> Result<Vec<(String, String)>, Problem> {
        let fields = Form::read(body.as_bytes())?.fields(&sites())?;
        Ok(fields.iter().map(|it| (it.path.app.to_string(), it.pasted.expose().to_owned())).collect())
    }

    #[test]
    fn filled_fields_come_in_the_pages_order() {
        let body = "form_token=f&seller=cross-border&token_global=g&token_us=+&token_product=p%0A";
        assert_eq!(fields(body).unwrap(), [("product".into(), "p\n".into()), ("global".into(), "g".into())]);
        assert_eq!(fields("form_token=f&seller=local&site=us&token=t").unwrap(), [("us".into(), "t".into())]);
        assert!(fields("form_token=f&seller=local&site=us&token=").unwrap().is_empty());
    }

    #[test]
    fn what_our_page_does_not_send_is_refused() {
        for body in [
            "form_token=f&token=t",
            "form_token=f&seller=both&token=t",
            "form_token=f&seller=local&site=us&token=t&token=u",
            "form_token=f&seller=local&site=eu&token=t",
            "form_token=f&seller=local&site=product&token=t",
            "form_token=f&seller=local&token=t",
            "form_token=f&seller=cross-border&token_eu=t",
            "form_token=f&seller=cross-border&site=us&token=t",
            "form_token=f&seller=local&token_us=t",
            "form_token=f&seller=cross-border&token_us=t&else=1",
        ] {
            assert_eq!(fields(body).unwrap_err(), Problem::BadForm, "{body}");
        }
        assert_eq!(fields("seller=local&site=us&token=t").unwrap_err(), Problem::OtherBrowser);
    }
}
