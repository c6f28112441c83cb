//! What callers may do: the policies of their roles, applied by a [`Front`](crate::front::Front).
//!
//! A caller is known by the access key id that its calls are signed with. One without a role may do everything.

mod condition;
mod policy;

use std::collections::BTreeMap;

pub(crate) use condition::Key;
pub use policy::Policy;

/// The policies, by access key id.
#[derive(Clone, Debug, Default)]
pub struct Roles(BTreeMap<String, Policy>);

impl Roles {
    /// Nobody is restricted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with whoever signs so restricted to this policy.
    #[must_use]
    pub fn with(mut self, access_key_id: &str, policy: Policy) -> Self {
        self.0.insert(access_key_id.to_owned(), policy);
        self
    }

    /// # Errors
    /// What of a call is not allowed to its caller, as AWS words it.
    pub(crate) fn check(&self, caller: Option<&str>, asked: impl FnOnce() -> Vec<Asked>) -> Result<(), String> {
        let Some((caller, policy)) = caller.and_then(|caller| self.0.get_key_value(caller)) else { return Ok(()) };
        let asked = asked();
        if asked.is_empty() {
            return Err(format!("{caller} is not authorized to perform what nobody understands"));
        }
        asked.iter().find(|asked| !policy.allows(asked)).map_or(Ok(()), |Asked { action, resource, context }| {
            let context: Vec<_> = context.iter().map(|(key, values)| format!("{key:?} {values:?}")).collect();
            let context = context.join(", ");
            Err(format!("{caller} is not authorized to perform: {action} on resource: {resource} ({context})"))
        })
    }
}

/// One action on one resource: what a policy decides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// The condition keys that the call has, with their values.
    pub(crate) context: BTreeMap<Key, Vec<String>>,
}

impl Asked {
    /// `resource` is the end of its ARN.
    pub(crate) fn new(service: &str, operation: &str, resource: &str) -> Self {
        Self {
            action: format!("{service}:{operation}"),
            resource: format!("arn:aws:{service}:us-east-1:123456789012:{resource}"),
            context: BTreeMap::new(),
        }
    }

    pub(crate) fn with(mut self, key: Key, values: Vec<String>) -> Self {
        self.context.insert(key, values);
        self
    }
}
