//! What names and times look like in JSON, for the contract of the API: their schemas say the same as their parsers.
//! The other types that leave by a route derive theirs.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, RefOr, Schema, SchemaFormat,
        schema::{ObjectBuilder, Type},
    },
};

use crate::{
    names::{AccountId, AppKeyPath, AppName, ConnectionKey, Label, MarketplaceName, SellerId, ShopId},
    time::Moment,
};

/// The schema of a name: `$pattern` in ECMA's dialect, at most `$longest` characters, at least one.
macro_rules! text_schema {
    ($name:ident, $description:literal, $pattern:literal, $longest:literal, $example:literal) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($description));
                let text = text.pattern(Some($pattern)).min_length(Some(1)).max_length(Some($longest));
                text.examples([$example]).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

text_schema!(AppName, "The vendor's app at the marketplace, as the installation names it.", "^[a-z0-9-]+$", 32, "us");
text_schema!(
    SellerId,
    "The marketplace's own id of the seller: TikTok Shop's `open_id`, Temu's `mallId`.",
    "^[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$",
    256,
    "7010736057180325637"
);
text_schema!(
    ShopId,
    "The marketplace's own id of the shop.",
    "^[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$",
    128,
    "7495514739648990000"
);
text_schema!(
    AccountId,
    "Your own customer, an opaque string of yours without control characters.",
    r"^[^\u0000-\u001f\u007f-\u009f]+$",
    256,
    "customer-17"
);
text_schema!(
    Label,
    "Your own name for the connection, for people.",
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
    256,
    "Ann's Attic, US warehouse"
);
text_schema!(
    AppKeyPath,
    "One of the vendor's apps, `{marketplace}/{app}`.",
    "^(tiktok-shop|temu)/[a-z0-9-]{1,32}$",
    44,
    "tiktok-shop/us"
);
text_schema!(
    ConnectionKey,
    "The connection's name, `{marketplace}/{app}/{seller_id}`.",
    "^(tiktok-shop|temu)/[a-z0-9-]{1,32}/[A-Za-z0-9._-]{1,256}$",
    301,
    "tiktok-shop/us/7010736057180325637"
);

impl PartialSchema for MarketplaceName {
    fn schema() -> RefOr<Schema> {
        let names = ObjectBuilder::new().schema_type(Type::String).description(Some("Where the seller has the shop."));
        names.enum_values(Some(Self::ALL.map(Self::as_str))).examples([Self::TikTokShop.as_str()]).into()
    }
}

impl ToSchema for MarketplaceName {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Marketplace")
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let time = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        time.description(Some("A point in time, RFC 3339 in UTC.")).examples(["2026-11-26T05:09:56Z"]).into()
    }
}

impl ToSchema for Moment {}
