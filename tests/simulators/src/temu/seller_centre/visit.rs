use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use url::form_urlencoded;

use super::{PLATFORM, Refused};
use crate::html::{self, escape};
use crate::temu::app::{App, Region};
use crate::temu::seller::{Mall, MallType, Seller};
use crate::temu::world::World;

/// What stays the same from page to page.
const KEPT: [&str; 4] = ["account", "role", "mall", "environment"];

/// The parameters of a page or form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Visit(BTreeMap<String, String>);

impl Visit {
    /// Empty where it is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether a box was ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The same visit elsewhere, or with something chosen.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.0.insert(name.to_owned(), value.to_owned());
        changed
    }

    pub(super) fn seller<'a>(&self, world: &'a World) -> Result<&'a Seller, Refused> {
        match self.get("account") {
            "" => Err(Refused::LogIn),
            account => Ok(world.seller(account)?),
        }
    }

    /// The local store that was chosen, one of the account's.
    pub(super) fn local_mall<'a>(&self, world: &'a World) -> Result<&'a Mall, Refused> {
        self.mall(world, |mall_type| mall_type == MallType::Local)
    }

    /// The cross-border store that was chosen, one of the account's.
    pub(super) fn cross_border_mall<'a>(&self, world: &'a World) -> Result<&'a Mall, Refused> {
        self.mall(world, |mall_type| mall_type != MallType::Local)
    }

    fn mall<'a>(&self, world: &'a World, is_for: impl Fn(MallType) -> bool) -> Result<&'a Mall, Refused> {
        let malls = &self.seller(world)?.malls;
        let mall = malls.iter().find(|mall| mall.id.to_string() == self.get("mall"));
        mall.filter(|mall| is_for(mall.mall_type)).ok_or_else(|| Refused::not_found("Choose a store first."))
    }

    /// The app asked for, which must be one of these regions.
    pub(super) fn app<'a>(&self, world: &'a World, regions: &[Region]) -> Result<&'a App, Refused> {
        let app = world.app(self.get("app"))?;
        if regions.contains(&app.region) { Ok(app) } else { Err(Refused::not_found("This app is not available here.")) }
    }

    /// The environment in the top-left corner.
    pub(super) fn environment(&self) -> Region {
        let named = Region::ALL.into_iter().find(|region| region.name() == self.get("environment"));
        named.unwrap_or(Region::Global)
    }

    pub(super) fn is_sub_account(&self) -> bool {
        self.get("role") == "sub"
    }

    pub(super) fn require_main_account(&self) -> Result<(), Refused> {
        if self.is_sub_account() { Err(Refused::sub_account()) } else { Ok(()) }
    }

    /// The address of a page, with what is kept and these parameters.
    pub(super) fn url(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.kept()).extend_pairs(more);
        format!("{path}?{}", query.finish())
    }

    /// A link, with the address as [`url`](Self::url) makes it.
    pub(super) fn link(&self, path: &str, more: &[(&str, &str)], text: &str) -> String {
        format!(r#"<a href="{}">{}</a>"#, escape(&self.url(path, more)), escape(text))
    }

    /// The beginning of a form, with what is kept and these parameters.
    pub(super) fn form(&self, path: &str, more: &[(&str, &str)]) -> String {
        let fields = self.kept().chain(more.iter().copied());
        let hidden = |(name, value)| format!(r#"<input type="hidden" name="{name}" value="{}">"#, escape(value));
        let fields = html::concat(fields.map(hidden));
        format!(r#"<form method="post" action="{path}">{fields}"#)
    }

    /// A form that is nothing but its button.
    pub(super) fn button(&self, path: &str, more: &[(&str, &str)], text: &str) -> String {
        format!(r#"{}<button class="quiet">{}</button></form>"#, self.form(path, more), escape(text))
    }

    /// A page, below a line that says who is logged in where.
    pub(super) fn page(&self, world: &World, menu: &str, content: &str) -> Result<Response, Refused> {
        let seller = self.seller(world)?;
        let mall = seller.malls.iter().find(|mall| mall.id.to_string() == self.get("mall"));
        let role = if self.is_sub_account() { "sub-account" } else { "main account" };
        let store = mall.map_or_else(String::new, |mall| format!(" · {}", escape(&mall.name)));
        let content = format!(
            r#"{menu}<p><small>{name} ({role}){store} · {stores} · <a href="/">Log out</a></small></p>{content}"#,
            name = escape(&seller.name),
            stores = self.link("/stores", &[], "Stores"),
        );
        Ok(html::page(StatusCode::OK, PLATFORM, &content))
    }

    fn kept(&self) -> impl Iterator<Item = (&str, &str)> {
        KEPT.into_iter().filter_map(|name| Some((name, self.0.get(name)?.as_str())))
    }
}
