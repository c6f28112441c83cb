//! What the vendor's services and its sellers do, at random and from a seed.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use end_to_end::{Answer, Stack};
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};
use simulators::tiktok_shop::{Seller, Shop};

/// What is done at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    Token,
    TokenByShop,
    Metadata,
    Refresh,
    /// Session, connect page, authorization, callback, confirmation.
    Connect,
}

impl Action {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token by connection",
            Self::TokenByShop => "token by shop",
            Self::Metadata => "metadata",
            Self::Refresh => "forced refresh",
            Self::Connect => "a new seller",
        }
    }

    pub(super) fn random(random: &mut StdRng) -> Self {
        match random.random_range(0..100) {
            0..62 => Self::Token,
            62..80 => Self::TokenByShop,
            80..94 => Self::Metadata,
            94..97 => Self::Refresh,
            _ => Self::Connect,
        }
    }
}

/// From one new seller to the next, and from one forced refresh to the next, so that most tokens come due.
const NOW_AND_THEN: Duration = Duration::from_secs(2);

/// The sellers who are connected. Who comes new takes the place of the one who has been there the longest.
#[derive(Debug)]
pub(super) struct Fleet {
    sellers: Mutex<VecDeque<String>>,
    size: usize,
    came: AtomicUsize,
    last: Mutex<BTreeMap<Action, Instant>>,
}

impl Fleet {
    /// Connects so many sellers.
    pub(super) async fn connect(stack: &Stack, size: usize) -> Result<Self, String> {
        let fleet = Self { sellers: Mutex::default(), size, came: AtomicUsize::new(0), last: Mutex::default() };
        for _ in 0..size {
            fleet.new_seller(stack).await?;
        }
        Ok(fleet)
    }

    /// What is done in its place, if it was done just before and is for now and then.
    pub(super) fn settle_on(&self, action: Action) -> Action {
        if !matches!(action, Action::Connect | Action::Refresh) {
            return action;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.get(&action).is_some_and(|at| at.elapsed() < NOW_AND_THEN) {
            return Action::Token;
        }
        last.insert(action, Instant::now());
        action
    }

    /// Does it; the error says what was answered instead. `pick` chooses among the sellers.
    pub(super) async fn perform(&self, stack: &Stack, action: Action, pick: u64) -> Result<(), String> {
        let vendor = stack.vendor();
        let Some(seller) = self.pick(pick) else { return Ok(()) };
        let connection = format!("tiktok-shop/us/{seller}");
        match action {
            Action::Token => self.token(stack, &seller, &vendor.token(&connection).await),
            Action::TokenByShop => {
                let answer = vendor.token_by_shop(&format!("tiktok-shop/us/shop-of-{seller}")).await;
                self.token(stack, &seller, &answer)
            }
            Action::Metadata => self.good(&seller, &vendor.connection(&connection).await),
            Action::Refresh => {
                let known = vendor.connection(&connection).await;
                self.good(&seller, &known)?;
                let version = json_of(&known)["version"].as_u64().unwrap_or_default();
                let answer = vendor.refresh(&connection, version).await;
                self.token(stack, &seller, &answer)
            }
            Action::Connect => self.new_seller(stack).await,
        }
    }

    /// A token that was served must work.
    fn token(&self, stack: &Stack, seller: &str, answer: &Answer) -> Result<(), String> {
        self.good(seller, answer)?;
        let served = json_of(answer);
        let token = served["access_token"].as_str().unwrap_or_default();
        let works = answer.status != 200 || stack.tiktok_shop().accepts(token);
        // It may have been served in its last second.
        let ended = served["expires_at"].as_str().is_some_and(|end| {
            end.parse::<jiff::Timestamp>().is_ok_and(|end| end.as_second() <= jiff::Timestamp::now().as_second() + 1)
        });
        if works || ended { Ok(()) } else { Err(format!("{}: the token does not work", answer.asked)) }
    }

    /// 200; or, of a seller who has been sent away meanwhile, what the API says then.
    fn good(&self, seller: &str, answer: &Answer) -> Result<(), String> {
        let gone = matches!(answer.status, 404 | 410) && !self.sellers().iter().any(|known| known == seller);
        if answer.status == 200 || gone {
            return Ok(());
        }
        Err(format!("{}: {} {}", answer.asked, answer.status, answer.body))
    }

    async fn new_seller(&self, stack: &Stack) -> Result<(), String> {
        let seller = format!("seller-{}", self.came.fetch_add(1, Ordering::Relaxed));
        let shop = Shop::new(format!("shop-of-{seller}"), "US");
        stack.tiktok_shop().add_seller(Seller::new(&seller).with_shop(shop));
        let session = stack.vendor().connect_session(json!({ "account_id": "acme" })).await;
        let back = stack.browser().connect(&session.connect_url, "us", &seller).await;
        if let Some(page) = &back.page {
            return Err(format!("{}: {} {}", page.asked, page.status, page.body));
        }
        let confirmed = stack.vendor().confirm(&session.session_id, back.result()).await;
        if confirmed.status != 200 {
            return Err(format!("{}: {} {}", confirmed.asked, confirmed.status, confirmed.body));
        }
        let oldest = {
            let mut sellers = self.sellers();
            sellers.push_back(seller);
            if sellers.len() > self.size { sellers.pop_front() } else { None }
        };
        let Some(oldest) = oldest else { return Ok(()) };
        let ended = stack.vendor().disconnect(&format!("tiktok-shop/us/{oldest}")).await;
        if ended.status == 200 { Ok(()) } else { Err(format!("{}: {} {}", ended.asked, ended.status, ended.body)) }
    }

    fn pick(&self, pick: u64) -> Option<String> {
        let sellers = self.sellers();
        let at = usize::try_from(pick).unwrap_or_default().checked_rem(sellers.len())?;
        sellers.get(at).cloned()
    }

    fn sellers(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.sellers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_default()
}
