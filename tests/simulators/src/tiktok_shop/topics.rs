//! Topics of notices: the names under which addresses are registered, and the numbers that stand in `type`.

/// Where a number has two names, the first is the one that is listed.
const TOPICS: [(&str, i64); 19] = [
    ("ORDER_STATUS_CHANGE", 1),
    ("REVERSE_STATUS_UPDATE", 2),
    ("RECIPIENT_ADDRESS_UPDATE", 3),
    ("PACKAGE_UPDATE", 4),
    ("PRODUCT_STATUS_CHANGE", 5),
    ("SELLER_DEAUTHORIZATION", 6),
    ("UPCOMING_AUTHORIZATION_EXPIRATION", 7),
    ("AUTH_EXPIRE", 7),
    ("CANCELLATION_STATUS_CHANGE", 11),
    ("RETURN_STATUS_CHANGE", 12),
    ("NEW_CONVERSATION", 13),
    ("NEW_MESSAGE", 14),
    ("PRODUCT_INFORMATION_CHANGE", 15),
    ("PRODUCT_CREATION", 16),
    ("PRODUCT_CATEGORY_CHANGE", 18),
    ("CREATOR_DEAUTHORIZATION", 20),
    ("NEW_MESSAGE_LISTENER", 33),
    ("INVOICE_STATUS_CHANGE", 36),
    ("PRODUCT_AUDIT_STATUS_CHANGE", 37),
];

/// Returns the name that is listed for the topic with this name.
pub(super) fn named(name: &str) -> Option<&'static str> {
    TOPICS.iter().find(|(known, _)| *known == name).and_then(|(_, number)| numbered(*number))
}

/// Returns the name that is listed for the topic with this number.
pub(super) fn numbered(number: i64) -> Option<&'static str> {
    TOPICS.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}
