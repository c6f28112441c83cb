//! The vendor's customers. A real vendor has them in a database.

/// A customer of the vendor's.
#[derive(Debug, PartialEq, Eq)]
pub struct Customer {
    /// Names the customer's account to the keyring.
    pub account_id: &'static str,
    /// What the customer is called; sellers read it on the keyring's pages.
    pub name: &'static str,
}

/// The customer of the walk.
pub const ANN: Customer = Customer { account_id: "customer-17", name: "Ann's Attic Ltd." };
/// Another one.
pub const BEN: Customer = Customer { account_id: "customer-23", name: "Ben's Books Ltd." };

/// All of them.
pub(super) static CUSTOMERS: [Customer; 2] = [ANN, BEN];

/// The customer with this account.
pub(super) fn of_account(account_id: &str) -> Option<&'static Customer> {
    CUSTOMERS.iter().find(|customer| customer.account_id == account_id)
}
