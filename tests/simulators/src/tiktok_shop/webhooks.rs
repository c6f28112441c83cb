//! Registration of addresses for notices about one shop.

use serde::{Deserialize, Serialize};
use url::Url;

use super::answer::{ApiError, code};
use super::entrance::invalid_input;
use super::registrations::Webhook;
use super::request::Request;
use super::topics;
use super::world::World;

pub(super) const WEBHOOKS_PATH: &str = "/event/202309/webhooks";

/// Longest address that can be registered, in characters.
const LONGEST_ADDRESS: usize = 255;

/// The `data` of a list.
#[derive(Debug, Serialize)]
pub(super) struct Webhooks {
    total_count: usize,
    webhooks: Vec<Webhook>,
}

/// The `data` of a registration and of a removal.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
struct Change {
    event_type: Option<String>,
    address: Option<String>,
}

impl World {
    pub(super) fn list_webhooks(&mut self, request: &Request, now: u64) -> Result<Webhooks, ApiError> {
        let (app_key, shop_id) = self.shop_in_call(request, now)?;
        let webhooks: Vec<_> = self.registrations.of(&app_key, &shop_id).cloned().collect();
        Ok(Webhooks { total_count: webhooks.len(), webhooks })
    }

    pub(super) fn register_webhook(&mut self, request: &Request, now: u64) -> Result<Nothing, ApiError> {
        let (app_key, shop_id) = self.shop_in_call(request, now)?;
        let change = Change::read(request)?;
        let (event_type, address) = (change.topic()?, change.address()?);
        self.registrations.put(&app_key, &shop_id, event_type, address, now);
        Ok(Nothing {})
    }

    /// Succeeds whether or not an address is registered, as the platform documents it.
    pub(super) fn remove_webhook(&mut self, request: &Request, now: u64) -> Result<Nothing, ApiError> {
        let (app_key, shop_id) = self.shop_in_call(request, now)?;
        self.registrations.remove(&app_key, &shop_id, Change::read(request)?.topic()?);
        Ok(Nothing {})
    }

    /// Returns the app's key and the shop's id, if the call may be made for this shop.
    fn shop_in_call(&mut self, request: &Request, now: u64) -> Result<(String, String), ApiError> {
        self.check_signed(request, now)?;
        let cipher = request.parameter("shop_cipher").filter(|cipher| !cipher.is_empty()).ok_or_else(|| {
            let message = "Missing identifier. The `shop_cipher` query parameter is required.";
            ApiError::with_status(400, code::SHOP_CIPHER_MISSING, message)
        })?;
        let grant = self.enter(request, now)?;
        let (grant, seller) = self.open(grant)?;
        let shop = seller.shops.iter().find(|shop| shop.cipher == cipher && grant.covers(&shop.id));
        let shop = shop.ok_or_else(|| {
            let message = "The shop in `shop_cipher` is not under this authorization";
            ApiError::with_status(403, code::WRONG_USER_TYPE, message)
        })?;
        Ok((grant.app_key.clone(), shop.id.clone()))
    }
}

impl Change {
    fn read(request: &Request) -> Result<Self, ApiError> {
        if !request.is_json() {
            return Err(invalid_input("Invalid content type. It must be `application/json`."));
        }
        serde_json::from_slice(&request.body).map_err(|_| invalid_input("Invalid body. It must be a JSON object."))
    }

    fn topic(&self) -> Result<&'static str, ApiError> {
        let named = self.event_type.as_deref().and_then(topics::named);
        named.ok_or_else(|| invalid_input("Invalid parameter. The `event_type` is missing or unknown."))
    }

    fn address(self) -> Result<String, ApiError> {
        let valid = |address: &String| {
            let url = Url::parse(address);
            address.chars().count() <= LONGEST_ADDRESS && url.is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        };
        self.address.filter(valid).ok_or_else(|| {
            invalid_input("Invalid parameter. The `address` must be an HTTP or HTTPS URL of at most 255 characters.")
        })
    }
}
