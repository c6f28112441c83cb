//! What the form sends: pure.

use shop_keyring::secret::Secret;
use url::form_urlencoded;

use super::offered::{Offered, SellerKind};
use crate::problem::Problem;

/// A field that was filled.
#[derive(Debug)]
pub struct Field {
    /// The app whose token should be in it, and what the seller gives the token for.
    pub app: Offered,
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

    /// The fields that were filled, in the page's order. `apps`: those that this kind of seller sees.
    ///
    /// # Errors
    /// If there is one that this kind of seller does not see.
    pub fn fields(&self, apps: &[Offered]) -> Result<Vec<Field>, Problem> {
        let mut fields = Vec::new();
        for (name, pasted) in &self.tokens {
            // A local seller has one field, and says beside it which site it is for.
            let app = match (self.kind, name.as_str()) {
                (SellerKind::Local, "") => self.site.as_deref().unwrap_or_default(),
                (SellerKind::SemiManaged | SellerKind::FullyManaged, name) if !name.is_empty() => name,
                _ => return Err(Problem::BadForm),
            };
            if pasted.expose().trim().is_empty() {
                continue;
            }
            let offered = apps.iter().find(|it| it.path.app.as_str() == app).ok_or(Problem::BadForm)?;
            let other_store = self.other_stores.iter().find(|(name, _)| name == app).map(|(_, mall)| mall.clone());
            fields.push(Field { app: offered.clone(), pasted: pasted.clone(), other_store });
        }
        fields.sort_by_key(|field| apps.iter().position(|it| it.path == field.app.path));
        Ok(fields)
    }
}

fn seller_kind(text: &str) -> Result<SellerKind, Problem> {
    SellerKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(Problem::BadForm)
}

/// Adds an entry; true if there is one of this name already.
fn insert<T>(entries: &mut Vec<(String, T)>, name: &str, value: T) -> bool {
    let repeated = entries.iter().any(|(known, _)| known == name);
    entries.push((name.to_owned(), value));
    repeated
}

#[cfg(test)]
mod tests {
    use shop_keyring::registry::Registry;

    use super::*;
    use crate::temu::offered::{offered, tests::session};

    fn fields(body: &str) -> Result<Vec<(String, String)>, Problem> {
        let apps = r#"{"temu/us":{"name":"A","gateway":"us"},"temu/global":{"name":"A","gateway":"global"},
            "temu/product":{"name":"A","gateway":"cn-pa"}}"#;
        let form = Form::read(body.as_bytes())?;
        let fields = form.fields(&offered(&Registry::parse(apps).unwrap(), &session(None), form.kind))?;
        Ok(fields.iter().map(|it| (it.app.path.app.to_string(), it.pasted.expose().to_owned())).collect())
    }

    #[test]
    fn filled_fields_come_in_the_pages_order() {
        let body = "form_token=f&seller=semi-managed&token_global=g&token_us=+&token_product=p%0A";
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
            "form_token=f&seller=semi-managed&token_eu=t",
            "form_token=f&seller=fully-managed&token_us=t",
            "form_token=f&seller=semi-managed&site=us&token=t",
            "form_token=f&seller=local&token_us=t",
            "form_token=f&seller=semi-managed&token_us=t&else=1",
        ] {
            assert_eq!(fields(body).unwrap_err(), Problem::BadForm, "{body}");
        }
        assert_eq!(fields("seller=local&site=us&token=t").unwrap_err(), Problem::OtherBrowser);
    }
}
