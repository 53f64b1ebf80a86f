//! What a customer is.

use contact::address::Address;
use kernel::Timestamp;

kernel::id!(CustomerId, "cus", "Somebody who buys.");
kernel::id!(EntryId, "sce", "An entry of store credit.");

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Our id.
    pub id: CustomerId,
    /// Their name, as they first gave it.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their phone number in E.164 form.
    pub phone: Option<String>,
    /// Their address, as they first gave it.
    pub address: Option<Address>,
    /// When we first met them.
    pub created_at: Timestamp,
    /// Rises with every change; the API's ETag.
    pub version: i64,
}
