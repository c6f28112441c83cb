use std::collections::{BTreeMap, BTreeSet};

use super::app::{App, Region};
use super::grant::{Code, Token};
use super::permissions::Purpose;
use super::rate::RateLimiter;
use super::seller::{Mall, Seller};
use super::settings::Settings;
use crate::calls::Subject;
use crate::conduct;

/// Why the platform's pages or a test's wish could not be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such app is registered.
    #[error("no app {0}")]
    UnknownApp(String),
    /// No such seller exists.
    #[error("no seller {0}")]
    UnknownSeller(String),
    /// No seller has such a mall.
    #[error("no mall {0}")]
    UnknownMall(u64),
    /// The code flow was not set up for the app.
    #[error("the app {0} has no redirect URL")]
    NoRedirectUrl(String),
    /// Only local malls of the app's region can authorize by code.
    #[error("the seller {seller} has no local mall in the region {region:?}")]
    NoLocalMall {
        /// The seller.
        seller: String,
        /// The app's region.
        region: Region,
    },
    /// No token was ever issued for this.
    #[error("the app {app_key} never had a token of mall {mall_id} for {purpose:?}")]
    NoToken {
        /// The app.
        app_key: String,
        /// The mall.
        mall_id: u64,
        /// The purpose.
        purpose: Purpose,
    },
}

pub(super) type Shared = conduct::Shared<World>;

/// The platform's own state. It has no clock and does no I/O: whoever asks says what time it is.
#[derive(Default)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) tokens: Vec<Token>,
    pub(super) codes: Vec<Code>,
    pub(super) rate: RateLimiter,
    apps: BTreeMap<String, App>,
    sellers: BTreeMap<String, Seller>,
    /// Kept beside `apps`, for a secret that was replaced may still turn up somewhere.
    app_secrets: BTreeSet<String>,
}

impl World {
    pub(super) fn add_app(&mut self, app: App) {
        self.app_secrets.insert(app.app_secret.clone());
        self.apps.insert(app.app_key.clone(), app);
    }

    /// Puts the app back under whatever key it then has.
    pub(super) fn update_app(&mut self, app_key: &str, change: impl FnOnce(&mut App)) -> Result<(), Refusal> {
        let mut app = self.apps.remove(app_key).ok_or_else(|| Refusal::UnknownApp(app_key.to_owned()))?;
        change(&mut app);
        self.add_app(app);
        Ok(())
    }

    pub(super) fn app(&self, app_key: &str) -> Result<&App, Refusal> {
        self.apps.get(app_key).ok_or_else(|| Refusal::UnknownApp(app_key.to_owned()))
    }

    pub(super) fn apps(&self, regions: &'static [Region]) -> impl Iterator<Item = &App> {
        self.apps.values().filter(move |app| regions.contains(&app.region))
    }

    pub(super) fn add_seller(&mut self, seller: Seller) {
        self.sellers.insert(seller.id.clone(), seller);
    }

    pub(super) fn seller(&self, id: &str) -> Result<&Seller, Refusal> {
        self.sellers.get(id).ok_or_else(|| Refusal::UnknownSeller(id.to_owned()))
    }

    pub(super) fn seller_mut(&mut self, id: &str) -> Result<&mut Seller, Refusal> {
        self.sellers.get_mut(id).ok_or_else(|| Refusal::UnknownSeller(id.to_owned()))
    }

    pub(super) fn sellers(&self) -> impl Iterator<Item = &Seller> {
        self.sellers.values()
    }

    pub(super) fn mall(&self, id: u64) -> Result<&Mall, Refusal> {
        let mut malls = self.sellers.values().flat_map(|seller| &seller.malls);
        malls.find(|mall| mall.id == id).ok_or(Refusal::UnknownMall(id))
    }

    /// The token issued last, alive or not.
    pub(super) fn newest_token(&self, app_key: &str, mall_id: u64, purpose: Purpose) -> Option<&Token> {
        self.tokens.iter().rfind(|token| token.is_for(app_key, mall_id, purpose))
    }

    pub(super) fn newest_token_mut(
        &mut self,
        app_key: &str,
        mall_id: u64,
        purpose: Purpose,
    ) -> Result<&mut Token, Refusal> {
        self.tokens.iter_mut().rfind(|token| token.is_for(app_key, mall_id, purpose)).ok_or_else(|| Refusal::NoToken {
            app_key: app_key.to_owned(),
            mall_id,
            purpose,
        })
    }

    /// Whether the platform would take this access token.
    pub(super) fn accepts(&self, value: &str, now: u64) -> bool {
        self.tokens.iter().any(|token| token.value == value && token.lives(now))
    }

    /// Whose call it is that carries this token, or this code in its place.
    pub(super) fn subject_of(&self, value: &str) -> Subject {
        if let Some(token) = self.tokens.iter().find(|token| token.value == value) {
            return Subject { seller: Some(token.mall_id.to_string()), grant: Some(token.id), ..Subject::default() };
        }
        let mall = self.codes.iter().find(|code| code.value == value).and_then(|code| {
            let region = self.apps.get(&code.app_key)?.region;
            self.sellers.get(&code.seller)?.local_malls(region).next()
        });
        Subject { seller: mall.map(|mall| mall.id.to_string()), ..Subject::default() }
    }

    /// Everything that ever had to be kept secret, dead or alive.
    pub(super) fn secrets(&self) -> Vec<String> {
        let tokens = self.tokens.iter().map(|token| &token.value);
        let codes = self.codes.iter().map(|code| &code.value);
        let all: BTreeSet<&String> = self.app_secrets.iter().chain(codes).chain(tokens).collect();
        all.into_iter().cloned().collect()
    }
}
