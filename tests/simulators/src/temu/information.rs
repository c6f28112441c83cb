//! What the calls answer once their token was found to be good.

use serde_json::{Value, json};

use super::answer::{ApiError, code};
use super::app::Router;
use super::calls::Route;
use super::grant::Token;
use super::permissions::Purpose;
use super::world::World;

/// The events that an app could subscribe to.
const EVENTS: [&str; 2] = ["bg_order_status_change_event", "bg_cancel_order_status_change"];

impl World {
    /// `bg.open.accesstoken.info.get`, under whatever name. A router lists its own calls only.
    pub(super) fn information(&self, token: &Token, router: Router) -> Result<Value, ApiError> {
        let gone = || ApiError::new(code::SYSTEM, "System error, please try again later");
        let app = self.app(&token.app_key).map_err(|_| gone())?;
        let mall = self.mall(token.mall_id).map_err(|_| gone())?;
        let permits_events = token.purpose != Purpose::Product;
        let events = EVENTS.map(|event| json!({ "eventCode": event, "permitsStatus": u8::from(permits_events) }));
        let calls: Vec<_> = token.permissions.iter().filter(|call| router.has(call)).collect();
        let mut result = json!({
            "mallType": mall.mall_type.number(),
            "semiUniqueId": mall.semi_unique_id,
            "regionId": mall.region_id,
            "expiredTime": token.expires_at,
            "appSubscribeStatus": u8::from(app.events_stopped),
            "appSubscribeEventCodeList": EVENTS,
            "authEventCodeList": events,
        });
        // One of the names that gateways have for the list.
        result[if router == Router::Cn { "apiList" } else { "apiScopeList" }] = json!(calls);
        if self.settings.says_unique_id {
            result["uniqueId"] = json!(mall.id);
            result["mallName"] = json!(mall.name);
        } else {
            result["mallId"] = json!(mall.id);
        }
        Ok(result)
    }
}

/// What a call answers that is here only to show that a token works.
pub(super) fn sample(route: Route) -> Value {
    match route {
        Route::OrderList => json!({
            "totalItemNum": 1,
            "pageItems": [{
                "parentOrderMap": { "parentOrderSn": "PO-211-21905452099192792", "parentOrderStatus": 2 },
                "orderList": [{ "orderSn": "211-21905473070712792", "goodsId": 601_099_548_666_279_u64, "quantity": 1 }],
            }],
        }),
        Route::GoodsList => json!({
            "total": 1,
            "goodsList": [{ "goodsId": 601_099_548_666_279_u64, "goodsName": "A mug" }],
        }),
        _ => json!({}),
    }
}
