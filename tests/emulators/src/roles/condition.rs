//! Conditions. What is not known here is not read: a policy that has it is refused as a whole.

use serde::Deserialize;

use super::policy::like;

/// What a condition looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum Key {
    #[serde(rename = "dynamodb:LeadingKeys")]
    LeadingKeys,
    #[serde(rename = "dynamodb:Attributes")]
    Attributes,
    #[serde(rename = "secretsmanager:ForceDeleteWithoutRecovery")]
    ForceDeleteWithoutRecovery,
}

/// How it compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Operator {
    StringEquals,
    StringLike,
    Bool,
    #[serde(rename = "ForAllValues:StringEquals")]
    AllEqual,
    #[serde(rename = "ForAllValues:StringLike")]
    AllLike,
    #[serde(rename = "ForAnyValue:StringLike")]
    AnyLike,
}

impl Operator {
    /// Whether the values of a call meet those of the policy. A key that the call lacks is `None`.
    pub(super) fn holds(self, values: Option<&[String]>, expected: &[String]) -> bool {
        let one = |test: fn(&str, &str) -> bool, value: &str| expected.iter().any(|it| test(it, value));
        let equal: fn(&str, &str) -> bool = |expected, value| expected == value;
        let single = |test| matches!(values, Some([value]) if one(test, value));
        // True of no values at all, as in AWS.
        let all = |test| values.unwrap_or_default().iter().all(|value| one(test, value));
        match self {
            Self::StringEquals => single(equal),
            Self::StringLike => single(like),
            Self::Bool => single(str::eq_ignore_ascii_case),
            Self::AllEqual => all(equal),
            Self::AllLike => all(like),
            // False of no values at all, as in AWS.
            Self::AnyLike => values.unwrap_or_default().iter().any(|value| one(like, value)),
        }
    }
}
