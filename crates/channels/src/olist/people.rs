//! Customers and sellers. Invariant: nothing about a person is invented except an e-mail address that says so
//! (`….example` is reserved and reaches nobody), because an order needs a contact.

use std::collections::{BTreeMap, HashSet};

use super::files::{CUSTOMERS, SELLERS};
use super::map::{Map, Place, parse_zip};
use super::orders::Order;
use crate::sheet::{BadFile, Sheet, read_sheet};

/// Where an order went: all the file says of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipTo {
    /// City in lower case, as in the file.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// The first five digits of the postal code (CEP).
    pub zip: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// `customer_unique_id`, the same over all orders of a person.
    pub id: String,
    /// Placeholder, see [`contact_email`].
    pub email: String,
    /// The address of the latest order taken; of the first row in the file where none was.
    pub address: ShipTo,
}

/// A seller, booked as a drop-ship supplier with one location.
#[derive(Debug, Clone, PartialEq)]
pub struct Seller {
    /// Seller id.
    pub id: String,
    /// Five digits.
    pub zip: String,
    /// Cleaned: the part before `/`, `,`, `\` or `(`; `None` where the file has a number or an e-mail address.
    pub city: Option<String>,
    /// Two-letter state.
    pub state: String,
    /// Median of what was measured for its postal code, or near it.
    pub place: Option<Place>,
}

/// One row of the customers file: the customer of one order.
#[derive(Debug, Clone)]
pub(super) struct Buyer {
    pub(super) order_customer: String,
    pub(super) person: String,
    pub(super) address: ShipTo,
}

/// The placeholder address of a person: orders need a contact and the file is anonymous.
pub fn contact_email(customer: &str) -> String {
    format!("{customer}@customers.olist.example")
}

pub(super) fn read_customers(bytes: &[u8]) -> Result<(Sheet, Vec<Buyer>), BadFile> {
    let columns =
        ["customer_id", "customer_unique_id", "customer_zip_code_prefix", "customer_city", "customer_state"];
    let mut seen = HashSet::new();
    read_sheet(CUSTOMERS, bytes, &columns, &[], |row| {
        let order_customer = row.need("customer_id")?.to_owned();
        let person = row.need("customer_unique_id")?.to_owned();
        let zip = parse_zip(row.get("customer_zip_code_prefix"))?;
        let state = parse_state(row.get("customer_state"))?;
        let address = ShipTo { city: row.need("customer_city")?.to_owned(), state, zip };
        if !seen.insert(order_customer.clone()) {
            return Err("customer_id is in the file twice".to_owned());
        }
        Ok(Buyer { order_customer, person, address })
    })
}

pub(super) fn customers(buyers: &[Buyer], orders: &[Order]) -> Vec<Customer> {
    let mut addresses: BTreeMap<&str, &ShipTo> = BTreeMap::new();
    for buyer in buyers {
        addresses.entry(&buyer.person).or_insert(&buyer.address);
    }
    // Orders are sorted by time, so the latest address stays.
    for order in orders {
        addresses.insert(&order.customer, &order.ship_to);
    }
    let customer = |(id, address): (&str, &ShipTo)| Customer {
        id: id.to_owned(),
        email: contact_email(id),
        address: address.clone(),
    };
    addresses.into_iter().map(customer).collect()
}

pub(super) fn read_sellers(bytes: &[u8], map: &Map) -> Result<(Sheet, Vec<Seller>), BadFile> {
    let columns = ["seller_id", "seller_zip_code_prefix", "seller_city", "seller_state"];
    let mut seen = HashSet::new();
    let (sheet, mut sellers) = read_sheet(SELLERS, bytes, &columns, &[], |row| {
        let id = row.need("seller_id")?.to_owned();
        let zip = parse_zip(row.get("seller_zip_code_prefix"))?;
        let state = parse_state(row.get("seller_state"))?;
        let place = map.place(&zip);
        if !seen.insert(id.clone()) {
            return Err("seller_id is in the file twice".to_owned());
        }
        Ok(Seller { id, zip, city: clean_city(row.get("seller_city")), state, place })
    })?;
    sellers.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((sheet, sellers))
}

fn clean_city(text: &str) -> Option<String> {
    let first = text.split(['/', ',', '\\', '(']).next().unwrap_or_default().trim();
    let is_name = first.chars().any(char::is_alphabetic) && !first.contains('@');
    is_name.then(|| first.to_owned())
}

fn parse_state(text: &str) -> Result<String, String> {
    const STATES: [&str; 27] = [
        "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE", "PI",
        "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
    ];
    if STATES.contains(&text) { Ok(text.to_owned()) } else { Err(format!("unknown state {text:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_as_people_write_them() {
        let cases = [
            ("maua/sao paulo", Some("maua")),
            ("rio de janeiro \\rio de janeiro", Some("rio de janeiro")),
            ("novo hamburgo, rio grande do sul, brasil", Some("novo hamburgo")),
            ("arraial d'ajuda (porto seguro)", Some("arraial d'ajuda")),
            ("são paulo", Some("são paulo")),
            ("4482255", None),
            ("shop@parts.example", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(clean_city(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn sellers_get_their_zeros_back_and_unknown_states_are_named() {
        let text = "seller_id,seller_zip_code_prefix,seller_city,seller_state\n\
            s1,4726,sao paulo,SP\ns2,70740,brasilia,XX\ns3,no,brasilia,DF\n";
        let (sheet, sellers) = read_sellers(text.as_bytes(), &Map::default()).unwrap();
        assert_eq!((sellers[0].zip.as_str(), sellers.len()), ("04726", 1));
        let reasons: Vec<_> = sheet.rejected.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(reasons, ["unknown state \"XX\"", "\"no\" is not a five-digit postal code"]);
    }
}
