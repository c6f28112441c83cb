//! IAM's decision, as far as the keyring's own policies go: a matching Deny wins, then a matching Allow.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Asked,
    condition::{Key, Operator},
};

/// A policy document.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Policy {
    #[serde(rename = "Version")]
    _version: Version,
    statement: Vec<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
enum Version {
    #[serde(rename = "2012-10-17")]
    Current,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: Effect,
    action: Listed,
    resource: Listed,
    #[serde(default)]
    condition: BTreeMap<Operator, BTreeMap<Key, Listed>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

/// One or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "OneOrSeveral")]
struct Listed(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrSeveral {
    One(String),
    Several(Vec<String>),
}

impl From<OneOrSeveral> for Listed {
    fn from(listed: OneOrSeveral) -> Self {
        match listed {
            OneOrSeveral::One(one) => Self(vec![one]),
            OneOrSeveral::Several(several) => Self(several),
        }
    }
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// When there is anything in it that is not known here: nothing is to be passed over that AWS would heed.
    pub fn read(document: &Value) -> Result<Self, String> {
        Self::deserialize(document).map_err(|error| error.to_string())
    }

    pub(super) fn allows(&self, asked: &Asked) -> bool {
        let mut matching = self.statement.iter().filter(|statement| statement.applies(asked)).peekable();
        matching.peek().is_some() && matching.all(|statement| statement.effect == Effect::Allow)
    }
}

impl Statement {
    fn applies(&self, asked: &Asked) -> bool {
        let action = asked.action.to_ascii_lowercase();
        self.action.0.iter().any(|pattern| like(&pattern.to_ascii_lowercase(), &action))
            && self.resource.0.iter().any(|pattern| like(pattern, &asked.resource))
            && self.condition.iter().all(|(operator, keys)| {
                keys.iter()
                    .all(|(key, expected)| operator.holds(asked.context.get(key).map(Vec::as_slice), &expected.0))
            })
    }
}

/// `*` is any number of characters, slashes as well; `?` is one.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let mut ends = text.char_indices().map(|(at, _)| &text[at..]).chain([""]);
            ends.any(|end| like(rest.as_str(), end))
        }
        Some(wanted) => {
            let mut others = text.chars();
            others.next().is_some_and(|first| wanted == '?' || wanted == first) && like(rest.as_str(), others.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/items";

    fn policy(statements: &Value) -> Result<Policy, String> {
        Policy::read(&json!({ "Version": "2012-10-17", "Statement": statements }))
    }

    fn put(key: &str) -> Asked {
        Asked::new("dynamodb", "PutItem", "table/items").with(Key::LeadingKeys, vec![key.to_owned()])
    }

    #[test]
    fn patterns() {
        for (pattern, text, matches) in [
            ("shop/*", "shop/us/7", true),
            ("shop/*", "shop/", true),
            ("shop/*", "ashop/7", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?c", "aéc", true),
            ("a*b*c", "a/x/b/y/c", true),
            ("a*b*c", "a/x/c", false),
            ("a.c", "abc", false),
        ] {
            assert_eq!(like(pattern, text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn an_action_is_allowed_on_its_resource_only() {
        let policy =
            policy(&json!([{ "Effect": "Allow", "Action": ["dynamodb:putitem"], "Resource": TABLE }])).unwrap();
        assert!(policy.allows(&put("a")), "actions have no case");
        assert!(!policy.allows(&Asked::new("dynamodb", "PutItem", "table/others")));
        assert!(!policy.allows(&Asked::new("dynamodb", "PutItem", "table/items/index/due")));
        assert!(!policy.allows(&Asked::new("dynamodb", "GetItem", "table/items")));
    }

    #[test]
    fn every_condition_has_to_hold() {
        let condition = json!({
            "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "shop/*" },
            "ForAllValues:StringEquals": { "dynamodb:Attributes": ["a", "b"] },
        });
        let statement =
            json!({ "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE, "Condition": condition });
        let policy = policy(&json!([statement])).unwrap();
        let with =
            |key: &str, names: &[&str]| put(key).with(Key::Attributes, names.iter().map(ToString::to_string).collect());
        assert!(policy.allows(&with("shop/7", &["a", "b"])));
        assert!(!policy.allows(&with("shop/7", &["a", "c"])));
        assert!(!policy.allows(&with("7", &["a"])));
        assert!(policy.allows(&put("shop/7")), "of no values at all it is true");
    }

    #[test]
    fn one_denied_key_denies_the_whole_call() {
        let condition = json!({ "ForAnyValue:StringLike": { "dynamodb:LeadingKeys": "evidence/*" } });
        let policy = policy(&json!([
            { "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE },
            { "Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": TABLE, "Condition": condition },
        ]))
        .unwrap();
        let keys = |keys: &[&str]| {
            let keys = keys.iter().map(ToString::to_string).collect();
            Asked::new("dynamodb", "PutItem", "table/items").with(Key::LeadingKeys, keys)
        };
        assert!(policy.allows(&keys(&["a", "b"])));
        assert!(!policy.allows(&keys(&["a", "evidence/b"])));
        assert!(policy.allows(&keys(&[])), "of no values at all it is false");
    }

    #[test]
    fn what_is_denied_stays_denied() {
        let policy = policy(&json!([
            { "Effect": "Allow", "Action": "secretsmanager:DeleteSecret", "Resource": "*" },
            {
                "Sid": "Never", "Effect": "Deny", "Action": "secretsmanager:DeleteSecret", "Resource": "*",
                "Condition": { "Bool": { "secretsmanager:ForceDeleteWithoutRecovery": "true" } },
            },
        ]))
        .unwrap();
        let delete = |forced: &str| {
            let delete = Asked::new("secretsmanager", "DeleteSecret", "secret:a");
            policy.allows(&delete.with(Key::ForceDeleteWithoutRecovery, vec![forced.to_owned()]))
        };
        assert!(delete("false"));
        assert!(!delete("true"));
        assert!(policy.allows(&Asked::new("secretsmanager", "DeleteSecret", "secret:a")));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let with = |name: &str, value: Value| {
            let mut statement = json!({ "Effect": "Allow", "Action": "a:B", "Resource": "*" });
            statement[name] = value;
            policy(&json!([statement]))
        };
        assert!(with("Sid", json!("Good")).is_ok());
        assert!(with("Condition", json!({ "StringLike": { "dynamodb:LeadingKeys": "a" } })).is_ok());
        for (name, value) in [
            ("NotAction", json!("a:C")),
            ("Effect", json!("Perhaps")),
            ("Resource", json!({ "Ref": "Table" })),
            ("Condition", json!({ "StringNotLike": { "dynamodb:LeadingKeys": "a" } })),
            ("Condition", json!({ "StringLike": { "dynamodb:ReturnValues": "NONE" } })),
        ] {
            assert!(with(name, value).is_err(), "{name}");
        }
        assert!(Policy::read(&json!({ "Version": "2008-10-17", "Statement": [] })).is_err());
    }
}
