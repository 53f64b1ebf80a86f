//! What can be said of an order without looking anything up: limits, signs, address, phone, e-mail. Pure.

use super::{FieldProblem, Place, PlaceRefused, Trust};
use crate::model::{MAX_LINES, MAX_NAME, MAX_QUANTITY, MAX_TAX_RATE, MAX_TEXT};
use contact::address::{self, Address};
use contact::{email, phone};

/// The parts of an order that were put into canonical form.
pub(crate) struct Checked {
    pub ship_to: Address,
    pub bill_to: Address,
    pub email: Option<email::Email>,
    pub phone: Option<String>,
    /// Why the address would not do, where the order is taken all the same.
    pub address_hold: Option<String>,
}

impl Checked {
    /// How its buyer can be reached.
    pub(crate) fn contact(&self, want: &Place) -> customers::Contact {
        customers::Contact {
            at: want.at,
            name: want.buyer.name.trim().to_owned(),
            email: self.email.as_ref().map(|e| e.address.clone()),
            email_key: self.email.as_ref().map(|e| e.key.clone()),
            phone: self.phone.clone(),
            address: Some(self.ship_to.clone()),
        }
    }
}

/// Checks an order.
pub(crate) fn decide(want: &Place) -> Result<Checked, PlaceRefused> {
    if want.lines.is_empty() {
        return Err(PlaceRefused::NoLines);
    }
    if want.lines.len() > MAX_LINES {
        return Err(PlaceRefused::TooManyLines { max: MAX_LINES });
    }
    for (i, line) in want.lines.iter().enumerate() {
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            return Err(PlaceRefused::BadQuantity {
                line: i + 1,
                quantity: line.quantity,
                max: MAX_QUANTITY,
            });
        }
        not_negative(&format!("lines[{i}].unit_price"), line.unit_price)?;
        not_negative(&format!("lines[{i}].discount"), Some(line.discount))?;
        tax_rate(&format!("lines.{i}.tax_rate_ppm"), line.tax_rate_ppm)?;
    }
    for (field, amount) in [("discount", want.discount), ("shipping", want.shipping), ("fee", want.fee)] {
        not_negative(field, Some(amount))?;
    }
    tax_rate("shipping_tax_ppm", want.shipping_tax_ppm)?;
    for (i, tender) in want.tenders.iter().enumerate() {
        not_negative(&format!("tenders[{i}].amount"), tender.amount)?;
    }
    contact(want)
}

fn not_negative(field: &str, amount: Option<i64>) -> Result<(), PlaceRefused> {
    match amount {
        Some(amount) if amount < 0 => Err(PlaceRefused::BadAmount { field: field.to_owned(), amount }),
        _ => Ok(()),
    }
}

fn tax_rate(field: &str, ppm: Option<i64>) -> Result<(), PlaceRefused> {
    match ppm {
        Some(ppm) if !(0..=MAX_TAX_RATE).contains(&ppm) => {
            let message =
                format!("{field} is {ppm}: a tax rate has between 0 and {MAX_TAX_RATE} parts per million.");
            let problem = FieldProblem {
                field: field.to_owned(),
                code: "tax_rate_invalid".into(),
                message: message.clone(),
            };
            Err(PlaceRefused::BadFields { sentences: message, fields: vec![problem] })
        }
        _ => Ok(()),
    }
}

/// Who buys and where it goes, with all that is wrong with it.
pub(crate) fn contact(want: &Place) -> Result<Checked, PlaceRefused> {
    let mut problems = Vec::new();
    let mut canonical = |which: &str, given: &Address| match address::check(given) {
        Ok(canonical) => canonical,
        Err(wrong) => {
            problems.extend(wrong.into_iter().map(|p| FieldProblem {
                field: format!("{which}.{}", p.field),
                code: p.code.to_owned(),
                message: p.message,
            }));
            given.clone()
        }
    };
    let ship_to = canonical("ship_to", &want.ship_to);
    let bill_to = want.bill_to.as_ref().map(|b| canonical("bill_to", b));
    let email = read("buyer.email", want.buyer.email.as_deref(), &mut problems, email::email);
    let phone = read("buyer.phone", want.buyer.phone.as_deref(), &mut problems, |text| {
        phone::phone(text, &ship_to.country)
    });
    too_long(want, &mut problems);
    if want.buyer.name.trim().is_empty() {
        let message = "The buyer needs a name.".to_owned();
        problems.push(FieldProblem { field: "buyer.name".into(), code: "name_required".into(), message });
    }
    let sentences = problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join(" ");
    let address_hold = match want.trust {
        Trust::Check if !problems.is_empty() => {
            return Err(PlaceRefused::BadFields { sentences, fields: problems });
        }
        Trust::Channel if !problems.is_empty() => Some(sentences),
        _ => None,
    };
    let bill_to = bill_to.unwrap_or_else(|| ship_to.clone());
    Ok(Checked { ship_to, bill_to, email, phone, address_hold })
}

/// Texts that no person typed: they would fill the label, and a document with them takes minutes.
fn too_long(want: &Place, problems: &mut Vec<FieldProblem>) {
    let mut limit = |field: &str, text: Option<&str>, max: usize| {
        if text.is_some_and(|text| text.chars().nth(max).is_some()) {
            let (field, message) = (field.to_owned(), format!("{field} has more than {max} characters."));
            problems.push(FieldProblem { field, code: "too_long".into(), message });
        }
    };
    for (field, text, max) in [
        ("buyer.name", Some(want.buyer.name.as_str()), MAX_NAME),
        ("buyer.email", want.buyer.email.as_deref(), MAX_NAME),
        ("buyer.phone", want.buyer.phone.as_deref(), MAX_NAME),
        ("buyer.ip", want.buyer.ip.as_deref(), MAX_NAME),
        ("reference", want.reference.as_deref(), MAX_NAME),
        ("gift_note", want.gift_note.as_deref(), MAX_TEXT),
        ("note", want.note.as_deref(), MAX_TEXT),
    ] {
        limit(field, text, max);
    }
    for (which, address) in [("ship_to", Some(&want.ship_to)), ("bill_to", want.bill_to.as_ref())] {
        let Some(a) = address else { continue };
        for (field, text) in [
            ("name", Some(&a.name)),
            ("company", a.company.as_ref()),
            ("line1", Some(&a.line1)),
            ("line2", a.line2.as_ref()),
            ("city", Some(&a.city)),
            ("region", a.region.as_ref()),
            ("postal_code", a.postal_code.as_ref()),
            ("phone", a.phone.as_ref()),
            ("email", a.email.as_ref()),
        ] {
            limit(&format!("{which}.{field}"), text.map(String::as_str), MAX_NAME);
        }
    }
    want.tags.iter().for_each(|tag| limit("tags", Some(tag), MAX_NAME));
    for tender in &want.tenders {
        let (gateway, method) = (Some(&tender.gateway), Some(&tender.method));
        for text in [gateway, method, tender.token.as_ref(), tender.reference.as_ref()] {
            limit("tenders", text.map(String::as_str), MAX_NAME);
        }
    }
}

fn read<T>(
    field: &str,
    text: Option<&str>,
    problems: &mut Vec<FieldProblem>,
    read: impl Fn(&str) -> Result<T, contact::ContactProblem>,
) -> Option<T> {
    let text = text.map(str::trim).filter(|t| !t.is_empty())?;
    match read(text) {
        Ok(value) => Some(value),
        Err(p) => {
            problems.push(FieldProblem {
                field: field.to_owned(),
                code: p.code.to_owned(),
                message: p.message,
            });
            None
        }
    }
}
