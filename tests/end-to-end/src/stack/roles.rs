//! The functions' roles, as the template has them. `tests/infra/roles_test.py` holds the two together.

use std::collections::BTreeMap;

use emulators::{
    front::Front,
    roles::{Policy, Roles},
};
use serde_json::Value;

use super::{Function, Stack};
use crate::aws::Aws;

/// The policies by function, with the names of the stack.
const DOCUMENTS: &str = include_str!("../../roles.json");

fn roles() -> Roles {
    let documents: BTreeMap<String, Value> = serde_json::from_str(DOCUMENTS).expect("policies by function");
    Function::ALL.into_iter().fold(Roles::new(), |roles, function| {
        let document = documents.get(function.name()).unwrap_or_else(|| panic!("no role of {function}"));
        let policy = Policy::read(document).unwrap_or_else(|why| panic!("the role of {function}: {why}"));
        roles.with(function.access_key_id(), policy)
    })
}

impl Stack {
    /// From now on the functions may do what their roles allow.
    pub(super) fn authorize(&self) {
        let roles = roles();
        for front in self.fronts() {
            front.authorize_with(roles.clone());
        }
    }

    /// What was denied to functions and not taken from here yet: what is left when the stack ends is an error.
    pub fn take_denied(&self) -> Vec<String> {
        self.fronts().into_iter().flat_map(Front::take_denied).collect()
    }

    /// DynamoDB as this function sees it.
    pub fn dynamodb_of(&self, function: Function) -> Aws {
        Aws::dynamodb(self.client.clone(), self.dynamodb.url()).signed_by(function.access_key_id())
    }

    /// Secrets Manager, likewise.
    pub fn secrets_manager_of(&self, function: Function) -> Aws {
        Aws::secrets_manager(self.client.clone(), self.secrets_manager.url()).signed_by(function.access_key_id())
    }

    fn fronts(&self) -> [&Front; 4] {
        [self.dynamodb.front(), self.secrets_manager.front(), self.lambda.front(), self.event_bus.front()]
    }
}
