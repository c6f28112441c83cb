//! Temu's page, as the seller sees it.

use std::collections::BTreeMap;

use askama::Template;
use jiff::tz::TimeZone;
use shop_keyring::{
    connect_session::Reconnect,
    connection::Purpose,
    names::{AppKeyPath, MarketplaceName},
    secret::Secret,
    time::Timestamp,
};

use super::{
    Visitor,
    mistake::Mistake,
    offered::{Offered, SellerKind},
    store::Placed,
    way_back,
    words::{center, corner, label, menu, place, words, words_for_one},
};
use crate::{
    config::Config,
    pages::{Frame, Page, wanted},
};

/// The permissions that Temu's own page lets local sellers leave out.
const OPTIONAL: [&str; 3] =
    ["Local Aftersales Management", "Promotion Activity Interface Management", "Local Advertising Management"];

/// What the page says above the form.
#[derive(Debug, Clone, Copy)]
pub(super) enum Notice {
    /// No field was filled.
    NothingPasted,
    /// The box for the account was not ticked.
    NotAgreed,
    /// More tokens were pasted with this link than anybody needs.
    TooManyTries,
    /// The link's time is over.
    LinkExpired,
}

/// What there is to see.
pub(super) struct View {
    pub(super) kind: Option<SellerKind>,
    pub(super) placed: Vec<Placed>,
    pub(super) mistakes: BTreeMap<AppKeyPath, Mistake>,
    pub(super) notice: Option<Notice>,
}

#[derive(Template)]
#[template(path = "temu.html")]
struct TemuPage<'a> {
    frame: Frame<'a>,
    account_label: Option<&'a str>,
    /// The one connection that the link is for.
    wanted: Option<String>,
    placed: Vec<String>,
    /// Minutes that are left to go back in.
    minutes: Option<i64>,
    is_late: bool,
    back: Option<String>,
    notice: Option<String>,
    kind: Option<SellerKind>,
    /// The kinds of seller to choose from, if there is a choice.
    kinds: Vec<KindView>,
    /// Where to choose again.
    choice: Option<String>,
    action: String,
    form_token: String,
    asks_to_agree: bool,
    needed: String,
    optional: String,
    fields: Vec<FieldView<'a>>,
}

impl TemuPage<'_> {
    fn has_code_flow(&self) -> bool {
        self.fields.iter().any(|field| field.code_flow.is_some())
    }
}

struct KindView {
    address: String,
    name: &'static str,
    note: &'static str,
}

struct FieldView<'a> {
    app: &'a str,
    app_name: &'a str,
    label: String,
    is_optional: bool,
    place: String,
    center: &'static str,
    corner: &'static str,
    menu: &'static str,
    code_flow: Option<String>,
    chosen: bool,
    mistake: Option<Told>,
}

struct Told {
    reason: &'static str,
    text: String,
    /// The box to tick for another store: its name and the store's id.
    other_store: Option<(String, String)>,
}

/// The address of the page, for this kind of seller.
pub(super) fn address(token: &Secret, kind: Option<SellerKind>) -> String {
    let page = format!("/connect/{}/{}", token.expose(), MarketplaceName::Temu);
    kind.map_or(page.clone(), |kind| format!("{page}?seller={}", kind.as_str()))
}

impl View {
    /// The page.
    pub(super) fn page(self, config: &Config, visitor: &Visitor) -> Page {
        let vendor = &config.vendor_name;
        let apps = self.kind.map(|kind| visitor.apps(kind)).unwrap_or_default();
        let kinds = visitor.kinds();
        let is_a_choice = kinds.len() > 1;
        let fields: Vec<_> = apps.iter().map(|app| self.field(config, visitor, app)).collect();
        let notice = self.notice.map(|notice| match notice {
            Notice::NothingPasted => "No token was pasted. Paste at least one.".to_owned(),
            Notice::NotAgreed => "Please tick the box for the account first, and paste the token once more.".to_owned(),
            Notice::TooManyTries => {
                format!("Too many tokens were pasted with this link. Get a new link from {vendor} to go on.")
            }
            Notice::LinkExpired => format!("This link has expired. Get a new one from {vendor} to connect more."),
        });
        let (needed, optional) = permissions(&apps);
        let title = format!("Connect your Temu store to {vendor}");
        Page(
            TemuPage {
                frame: Frame::new(config, title),
                account_label: visitor.session.account_label.as_deref(),
                wanted: visitor.session.reconnect.as_ref().map(|reconnect| wanted(reconnect, &visitor.registry)),
                placed: self.placed.iter().map(sentence).collect(),
                minutes: minutes_left(&self.placed, Timestamp::local_now()),
                is_late: visitor.is_late(),
                back: way_back(visitor),
                notice,
                kind: self.kind,
                kinds: kinds.into_iter().map(|kind| kind_view(visitor, kind)).collect(),
                choice: is_a_choice.then(|| address(&visitor.token, None)),
                action: address(&visitor.token, None),
                form_token: visitor.form_token().expose().to_owned(),
                asks_to_agree: !visitor.session.confirm,
                needed: needed.join(", "),
                optional: optional.join(", "),
                fields,
            }
            .render(),
        )
    }

    fn field<'a>(&self, config: &Config, visitor: &Visitor, offered: &'a Offered) -> FieldView<'a> {
        let Offered { path, config: settings, purpose } = offered;
        let (app, app_name) = (path.app.as_str(), settings.name.as_str());
        let mistake = self.mistakes.get(path).map(|mistake| Told {
            reason: mistake.reason().as_str(),
            text: match visitor.session.reconnect.as_ref().map(Reconnect::name) {
                Some(wanted) => words_for_one(mistake, &wanted, self.kind, &config.vendor_name, app_name),
                None => words(mistake, self.kind, &config.vendor_name, app_name),
            },
            other_store: match mistake {
                Mistake::OtherStore { mall, .. } => Some((format!("other_store_{app}"), mall.clone())),
                _ => None,
            },
        });
        FieldView {
            app,
            app_name,
            label: label(offered),
            is_optional: *purpose == Purpose::Compliance,
            place: place(settings),
            center: center(*purpose),
            corner: corner(settings),
            menu: menu(*purpose),
            code_flow: settings.link_url.is_some().then(|| format!("/connect/{}/{path}", visitor.token.expose())),
            chosen: mistake.is_some(),
            mistake,
        }
    }
}

fn kind_view(visitor: &Visitor, kind: SellerKind) -> KindView {
    let (name, note) = match kind {
        SellerKind::Local => ("Local seller", "you sell in one country, from stock in that country (本土店铺)"),
        SellerKind::SemiManaged => (
            "Cross-border seller, semi-managed",
            "you work in the Cross-border Seller Center, and ship your orders (半托管)",
        ),
        SellerKind::FullyManaged => (
            "Cross-border seller, fully managed",
            "you work in the Cross-border Seller Center, and Temu ships your orders (全托管)",
        ),
    };
    KindView { address: address(&visitor.token, Some(kind)), name, note }
}

/// The labels of the permissions that the vendor needs from local sellers, and of those that they may leave out.
fn permissions(apps: &[Offered]) -> (Vec<&str>, Vec<&str>) {
    let permissions = apps.iter().flat_map(|app| &app.config.permissions);
    let (mut needed, mut optional) = (Vec::new(), OPTIONAL.to_vec());
    for permission in permissions {
        let labels = if permission.optional { &mut optional } else { &mut needed };
        if !labels.contains(&permission.label.as_str()) {
            labels.push(&permission.label);
        }
    }
    optional.retain(|label| !needed.contains(label));
    (needed, optional)
}

/// What is connected, and until when.
fn sentence(placed: &Placed) -> String {
    let what = match placed.purpose {
        Purpose::Product => "Product token".to_owned(),
        Purpose::Compliance => "Compliance token".to_owned(),
        Purpose::Order => format!("Order token ({})", placed.place),
        Purpose::All => format!("Token ({})", placed.place),
    };
    let store = placed
        .seller_name
        .as_ref()
        .map_or_else(|| format!("store {}", placed.connection.seller_id), |name| format!("“{name}”"));
    let until = placed.expires_at.and_then(day).map(|day| format!(" until {day}")).unwrap_or_default();
    let left_out = if placed.left_out.is_empty() {
        String::new()
    } else {
        format!(". Not included, and not needed: {}", placed.left_out.join(", "))
    };
    format!("{what}: connected{until} ({store}){left_out}")
}

/// A day in words. In UTC: to the seller a day more or less does not matter.
fn day(time: Timestamp) -> Option<String> {
    let moment = jiff::Timestamp::from_second(time.0).ok()?.to_zoned(TimeZone::UTC);
    Some(moment.strftime("%-d %B %Y").to_string())
}

/// For how many minutes the vendor can still confirm all that is shown.
fn minutes_left(placed: &[Placed], now: Timestamp) -> Option<i64> {
    let first = placed.iter().filter_map(|placed| placed.confirm_by).min()?;
    Some((first.since(now) / 60).max(1))
}

#[cfg(test)]
mod tests;
