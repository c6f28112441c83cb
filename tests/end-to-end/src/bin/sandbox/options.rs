//! Who and what there is to play with.

use end_to_end::{Function, Options, Webhooks, backend};
use simulators::tiktok_shop::{Seller, Shop, UserType};

use crate::{args::Args, temu, walk};

/// Refreshes on demand at a time; ten where it is deployed.
const REFRESHES_ON_DEMAND: usize = 4;

/// Access tokens live two minutes at TikTok Shop, so that one sees them change. With `--once` 12 seconds: less than the 60
/// that a lookup asks for by default, and then it serves them as they are.
pub(crate) fn of(args: &Args) -> Options {
    let return_url = backend::return_url(args.vendor_port());
    let named = |id: &str, name: &str| Seller { name: Some(name.to_owned()), ..Seller::new(id) };
    let named_shop = |id: &str, region: &str, name: &str| Shop { name: name.to_owned(), ..Shop::new(id, region) };
    Options {
        support_url: Some("mailto:support@vendor.example".into()),
        webhooks: Webhooks::PerShop,
        events: true,
        return_urls: return_url.clone(),
        return_url,
        access_lifetime: Some(if args.once { 12 } else { 120 }),
        sellers: vec![
            named(walk::SELLER, "Ann's Attic")
                .with_shop(named_shop("7001", "US", "Ann's Attic"))
                .with_shop(named_shop(walk::CLOSING_SHOP, "US", "Ann's Outlet")),
            named("bens-books", "Ben's Books")
                .with_shop(named_shop("7002", "GB", "Ben's Books"))
                .with_shop(named_shop("7003", "DE", "Bens Bücher")),
            Seller { user_type: UserType::Creator, ..named("cleo-creates", "Cleo, a creator without a shop") },
        ],
        temu_sellers: temu::sellers(),
        ports: args.ports(),
        ..Options::default()
    }
    .with_concurrency(Function::RefreshOnDemand, REFRESHES_ON_DEMAND)
}
