//! Products to SKUs, and the stock sellers must have had. Invariant: a measure that is missing or zero is
//! absent, never zero, so that no parcel is quoted as weightless.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::files::{PRODUCTS, TRANSLATION};
use super::orders::{Order, Status};
use crate::decimal::parse_whole;
use crate::sheet::{BadFile, Row, Sheet, read_sheet};

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// SKU code: the product id of the file.
    pub sku: String,
    /// The files have no titles: English category and the first eight characters of the id.
    pub title: String,
    /// Category in English, or in Portuguese where the file has no translation.
    pub category: Option<String>,
    /// Weight in grams.
    pub weight_g: Option<i64>,
    /// Length, width and height.
    pub dimensions: Option<Dimensions>,
}

/// Outer measures in millimetres (the file has whole centimetres).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// Millimetres.
    pub length_mm: i64,
    /// Millimetres.
    pub width_mm: i64,
    /// Millimetres.
    pub height_mm: i64,
}

/// Units a seller must have had of a product before its first order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningStock {
    /// Seller id.
    pub seller: String,
    /// Product id.
    pub sku: String,
    /// Units, positive.
    pub quantity: i64,
}

/// The files have no stock: a seller had what its orders took. Orders that ended `unavailable` add nothing,
/// which is why they end in a backorder.
pub fn opening_stock(orders: &[Order]) -> Vec<OpeningStock> {
    let mut needed: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for order in orders.iter().filter(|order| order.status != Status::Unavailable) {
        for line in &order.lines {
            *needed.entry((&line.seller, &line.sku)).or_default() += line.quantity;
        }
    }
    let entry = |((seller, sku), quantity): ((&str, &str), i64)| OpeningStock {
        seller: seller.to_owned(),
        sku: sku.to_owned(),
        quantity,
    };
    needed.into_iter().map(entry).collect()
}

pub(super) fn read_translation(bytes: &[u8]) -> Result<(Sheet, HashMap<String, String>), BadFile> {
    let columns = ["product_category_name", "product_category_name_english"];
    let (sheet, rows) = read_sheet(TRANSLATION, bytes, &columns, &[], |row| {
        Ok((row.need(columns[0])?.to_owned(), row.need(columns[1])?.to_owned()))
    })?;
    Ok((sheet, rows.into_iter().collect()))
}

pub(super) fn read_items(
    bytes: &[u8],
    english: &HashMap<String, String>,
) -> Result<(Sheet, Vec<Item>), BadFile> {
    let columns = [
        "product_id",
        "product_category_name",
        "product_weight_g",
        "product_length_cm",
        "product_height_cm",
        "product_width_cm",
    ];
    let mut seen = HashSet::new();
    let (sheet, mut items) = read_sheet(PRODUCTS, bytes, &columns, &[], |row| {
        let item = read_item(row, english)?;
        if seen.insert(item.sku.clone()) {
            Ok(item)
        } else {
            Err("product_id is in the file twice".to_owned())
        }
    })?;
    items.sort_by(|a, b| a.sku.cmp(&b.sku));
    Ok((sheet, items))
}

fn read_item(row: &Row<'_>, english: &HashMap<String, String>) -> Result<Item, String> {
    let sku = row.need("product_id")?.to_owned();
    let named = Some(row.get("product_category_name")).filter(|name| !name.is_empty());
    let category = named.map(|name| english.get(name).map_or(name, String::as_str).to_owned());
    let short: String = sku.chars().take(8).collect();
    let title = format!("{} {short}", category.as_deref().map_or_else(|| "Uncategorised".into(), in_words));
    let centimetres = |column: &str| Ok::<_, String>(measure(row, column)?.map(|cm| cm * 10));
    let sides = (
        centimetres("product_length_cm")?,
        centimetres("product_width_cm")?,
        centimetres("product_height_cm")?,
    );
    let dimensions = match sides {
        (Some(length_mm), Some(width_mm), Some(height_mm)) => {
            Some(Dimensions { length_mm, width_mm, height_mm })
        }
        _ => None,
    };
    Ok(Item { sku, title, category, weight_g: measure(row, "product_weight_g")?, dimensions })
}

fn measure(row: &Row<'_>, column: &str) -> Result<Option<i64>, String> {
    match row.get(column) {
        "" => Ok(None),
        text => match parse_whole(text).map_err(|reason| format!("{column} {reason}"))? {
            0 => Ok(None),
            value if (1..=10_000_000).contains(&value) => Ok(Some(value)),
            value => Err(format!("{column} {value} is out of range")),
        },
    }
}

/// `bed_bath_table` → `Bed bath table`.
fn in_words(category: &str) -> String {
    let words = category.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_measures_and_doubles() {
        let text = "product_id,product_category_name,product_weight_g,product_length_cm,product_height_cm,product_width_cm\n\
            bbbbbbbbbbbb,cama_mesa,225,16,10,14\naaaaaaaaaaaa,,0,,10,14\ncccc,pc_gamer,5,1,1,1\ncccc,,1,1,1,1\ndddd,,x,1,1,1\n";
        let english = HashMap::from([("cama_mesa".to_owned(), "bed_bath_table".to_owned())]);
        let (sheet, items) = read_items(text.as_bytes(), &english).unwrap();
        let titles: Vec<_> = items.iter().map(|i| i.title.as_str()).collect();
        assert_eq!(titles, ["Uncategorised aaaaaaaa", "Bed bath table bbbbbbbb", "Pc gamer cccc"]);
        assert_eq!((items[0].weight_g, items[0].dimensions), (None, None));
        let dimensions = Dimensions { length_mm: 160, width_mm: 140, height_mm: 100 };
        assert_eq!((items[1].weight_g, items[1].dimensions), (Some(225), Some(dimensions)));
        let reasons: Vec<_> = sheet.rejected.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(
            reasons,
            ["product_id is in the file twice", "product_weight_g \"x\" is not a whole number"]
        );
    }
}
