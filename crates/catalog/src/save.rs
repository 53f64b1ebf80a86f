//! Save SKUs: make them, or change those with the same code. Invariants: a SKU keeps its kind; a barcode leads to one SKU; a bundle
//! consists of simple SKUs; saving what is there already changes nothing and records nothing.

use crate::events::SkuSaved;
use crate::read::{barcodes_of, id_rows, lock_by_code};
use crate::{Sku, SkuId, SkuKind, SupplierId};
use db::{FromRow, Rows, Tx};
use kernel::{Currency, Fault, Money, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Makes a SKU, or changes the one with this code. Everything it says replaces what was: barcodes, prices and components are whole sets.
#[derive(Debug, Clone)]
pub struct SaveSku {
    /// When.
    pub at: Timestamp,
    /// 1 to 64 printable characters; names the SKU for ever.
    pub code: String,
    /// What people read.
    pub title: String,
    /// Must be the present one when the SKU exists.
    pub kind: SkuKind,
    /// Which tax rate applies, as `standard`.
    pub tax_class: String,
    /// What scanners read; each leads to one SKU only.
    pub barcodes: Vec<String>,
    /// List prices, one per currency.
    pub prices: Vec<Money>,
    /// Weight of a unit in grams.
    pub weight_g: Option<i64>,
    /// Length of a unit in millimetres.
    pub length_mm: Option<i64>,
    /// Width of a unit in millimetres.
    pub width_mm: Option<i64>,
    /// Height of a unit in millimetres.
    pub height_mm: Option<i64>,
    /// The code of its supplier.
    pub supplier: Option<String>,
    /// Codes and quantities of a bundle's components; empty for other kinds.
    pub components: Vec<(String, i64)>,
}

kernel::refusals! {
    /// Why a SKU was not saved, in order of precedence.
    pub enum SaveSkuRefused {
        BadCode { code: String } => Invalid, "catalog.bad_code", "A SKU's code has 1 to 64 printable characters, and no blanks at its ends; “{code}” has not.";
        NoTitle { code: String } => Invalid, "catalog.no_title", "SKU {code} needs a title.";
        NoTaxClass { code: String } => Invalid, "catalog.no_tax_class", "SKU {code} needs a tax class, such as standard.";
        NegativeSize { code: String } => Invalid, "catalog.negative_size", "Weight and dimensions of SKU {code} must be zero or more.";
        BadBarcode { barcode: String } => Invalid, "catalog.bad_barcode", "A barcode has 1 to 64 printable characters; “{barcode}” has not.";
        NegativePrice { code: String, currency: String } => Invalid, "catalog.negative_price", "The {currency} price of SKU {code} must be zero or more.";
        TwoPrices { code: String, currency: String } => Invalid, "catalog.two_prices", "SKU {code} has two prices in {currency}: give one.";
        NoComponents { code: String } => Invalid, "catalog.no_components", "Bundle {code} needs at least one component.";
        NotABundle { code: String } => Invalid, "catalog.not_a_bundle", "Only a bundle has components: make {code} a bundle, or leave them out.";
        BadComponent { code: String, component: String } => Invalid, "catalog.bad_component", "Bundle {code} must name component {component} once, with a quantity of one or more.";
        UnknownSupplier { supplier: String } => NotFound, "catalog.unknown_supplier", "There is no supplier “{supplier}”: save the supplier first.";
        UnknownComponent { code: String, component: String } => NotFound, "catalog.unknown_component", "Bundle {code} names component {component}, which does not exist: save it first.";
        NestedComponent { code: String, component: String, kind: String } => Conflict, "catalog.nested_component", "Bundle {code} may contain simple SKUs only, and {component} is a {kind}: name what is inside instead.";
        KindChanged { code: String, kind: String } => Conflict, "catalog.kind_changed", "SKU {code} is a {kind} and stays one: use another code.";
        BarcodeTaken { barcode: String, other: String } => Conflict, "catalog.barcode_taken", "Barcode {barcode} belongs to SKU {other}: take it away there first.";
    }
}

/// A SKU as it shall be, without its identity; equal drafts mean nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draft {
    kind: SkuKind,
    title: String,
    tax_class: String,
    sizes: [Option<i64>; 4],
    supplier: Option<SupplierId>,
    barcodes: BTreeSet<String>,
    prices: BTreeMap<Currency, i64>,
    components: BTreeMap<SkuId, i64>,
}

/// What is known of a code while the batch is decided.
#[derive(Debug, Clone)]
struct Known {
    id: SkuId,
    draft: Draft,
    /// When it is to be written: the time of its last change in this batch, and whether it is new.
    write: Option<(Timestamp, bool)>,
}

/// Everything the batch could need, kept up to date item by item.
#[derive(Debug, Default)]
struct View {
    skus: BTreeMap<String, Known>,
    /// Barcode → code of its SKU.
    barcodes: HashMap<String, String>,
    suppliers: HashMap<String, SupplierId>,
}

/// Saves SKUs by code, in order; a later item of the batch sees the earlier ones. Events: `sku.saved` for each that is new or changed.
///
/// # Errors
/// A fault of the database.
pub async fn save_skus(tx: &Tx, batch: &[SaveSku]) -> Result<Vec<Result<SkuId, SaveSkuRefused>>, Fault> {
    let mut view = load(tx, batch).await?;
    let outcomes = batch.iter().map(|want| decide(&mut view, want, || tx.id())).collect();
    apply(tx, &view).await?;
    Ok(outcomes)
}

/// What saving a SKU would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Foreseen {
    /// It would be made.
    New,
    /// Parts of it would change: their names, as files call them. None: nothing would.
    Changed(Vec<&'static str>),
}

/// What [`save_skus`] would do with a batch, without doing it.
pub(crate) async fn foresee(
    tx: &Tx,
    batch: &[SaveSku],
) -> Result<Vec<Result<Foreseen, SaveSkuRefused>>, Fault> {
    let mut view = load(tx, batch).await?;
    let mut foreseen = Vec::with_capacity(batch.len());
    for want in batch {
        let before = view.skus.get(&want.code).map(|known| known.draft.clone());
        let outcome = decide(&mut view, want, || tx.id());
        foreseen.push(outcome.map(|_| match (before, view.skus.get(&want.code)) {
            (Some(before), Some(after)) => Foreseen::Changed(before.differs(&after.draft)),
            _ => Foreseen::New,
        }));
    }
    Ok(foreseen)
}

impl Draft {
    /// The names of what is not the same in another.
    fn differs(&self, other: &Self) -> Vec<&'static str> {
        let [weight, length, width, height] = [0, 1, 2, 3].map(|i| self.sizes[i] != other.sizes[i]);
        let all = [
            ("title", self.title != other.title),
            ("tax_class", self.tax_class != other.tax_class),
            ("barcodes", self.barcodes != other.barcodes),
            ("price", self.prices != other.prices),
            ("weight_g", weight),
            ("length_mm", length),
            ("width_mm", width),
            ("height_mm", height),
            ("supplier", self.supplier != other.supplier),
            ("components", self.components != other.components),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

async fn load(tx: &Tx, batch: &[SaveSku]) -> Result<View, Fault> {
    let codes: BTreeSet<&str> = batch
        .iter()
        .flat_map(|s| std::iter::once(s.code.as_str()).chain(s.components.iter().map(|(c, _)| c.as_str())))
        .collect();
    let skus = lock_by_code(tx, &text_rows("code TEXT", codes)).await?;
    let mut owned = barcodes_of(tx, &id_rows(skus.iter().map(|s| s.id))).await?;
    let mut view = View::default();
    for sku in skus {
        let barcodes: BTreeSet<String> = owned.remove(&sku.id).unwrap_or_default().into_iter().collect();
        view.barcodes.extend(barcodes.iter().map(|b| (b.clone(), sku.code.clone())));
        let known = Known { id: sku.id, draft: draft_of(&sku, barcodes), write: None };
        view.skus.insert(sku.code, known);
    }
    #[derive(FromRow)]
    struct Owner {
        barcode: String,
        code: String,
    }
    let asked: BTreeSet<&str> = batch.iter().flat_map(|s| s.barcodes.iter().map(String::as_str)).collect();
    let text = "SELECT b.barcode, s.code FROM sku_barcode b JOIN input ON input.barcode = b.barcode JOIN sku s ON s.id = b.sku_id";
    let owners: Vec<Owner> = tx.all_from(&text_rows("barcode TEXT", asked), text, []).await?;
    view.barcodes.extend(owners.into_iter().map(|o| (o.barcode, o.code)));
    #[derive(FromRow)]
    struct SupplierRow {
        id: SupplierId,
        code: String,
    }
    let asked: BTreeSet<&str> = batch.iter().filter_map(|s| s.supplier.as_deref()).collect();
    let text = "SELECT s.id, s.code FROM supplier s JOIN input ON input.code = s.code";
    let suppliers: Vec<SupplierRow> = tx.all_from(&text_rows("code TEXT", asked), text, []).await?;
    view.suppliers = suppliers.into_iter().map(|s| (s.code, s.id)).collect();
    Ok(view)
}

fn text_rows(spec: &'static str, texts: BTreeSet<&str>) -> Rows {
    let mut rows = Rows::new(spec);
    for text in texts {
        rows.push([text.into()]);
    }
    rows
}

fn draft_of(sku: &Sku, barcodes: BTreeSet<String>) -> Draft {
    Draft {
        kind: sku.kind,
        title: sku.title.clone(),
        tax_class: sku.tax_class.clone(),
        sizes: [sku.weight_g, sku.length_mm, sku.width_mm, sku.height_mm],
        supplier: sku.supplier,
        barcodes,
        prices: sku.prices.iter().map(|p| (p.currency, p.minor)).collect(),
        components: sku.components.iter().map(|c| (c.sku, c.quantity)).collect(),
    }
}

fn printable(text: &str) -> bool {
    (1..=64).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
}

/// What is wrong with an item by itself.
fn check(want: &SaveSku) -> Result<(), SaveSkuRefused> {
    let code = || want.code.clone();
    if !printable(&want.code) {
        return Err(SaveSkuRefused::BadCode { code: code() });
    }
    if want.title.trim().is_empty() {
        return Err(SaveSkuRefused::NoTitle { code: code() });
    }
    if want.tax_class.trim().is_empty() {
        return Err(SaveSkuRefused::NoTaxClass { code: code() });
    }
    if [want.weight_g, want.length_mm, want.width_mm, want.height_mm].into_iter().flatten().any(|n| n < 0) {
        return Err(SaveSkuRefused::NegativeSize { code: code() });
    }
    if let Some(barcode) = want.barcodes.iter().find(|b| !printable(b)) {
        return Err(SaveSkuRefused::BadBarcode { barcode: barcode.clone() });
    }
    if let Some(price) = want.prices.iter().find(|p| p.minor < 0) {
        return Err(SaveSkuRefused::NegativePrice { code: code(), currency: price.currency.to_string() });
    }
    let mut currencies = BTreeSet::new();
    if let Some(price) = want.prices.iter().find(|p| !currencies.insert(p.currency)) {
        return Err(SaveSkuRefused::TwoPrices { code: code(), currency: price.currency.to_string() });
    }
    match (want.kind, want.components.is_empty()) {
        (SkuKind::Bundle, true) => return Err(SaveSkuRefused::NoComponents { code: code() }),
        (SkuKind::Simple | SkuKind::Service, false) => {
            return Err(SaveSkuRefused::NotABundle { code: code() });
        }
        _ => {}
    }
    let mut components = BTreeSet::new();
    if let Some((component, _)) = want.components.iter().find(|(c, n)| *n < 1 || !components.insert(c)) {
        return Err(SaveSkuRefused::BadComponent { code: code(), component: component.clone() });
    }
    Ok(())
}

/// Pure: takes the item into the view, or says why not.
fn decide(view: &mut View, want: &SaveSku, new_id: impl FnOnce() -> SkuId) -> Result<SkuId, SaveSkuRefused> {
    check(want)?;
    let supplier = match &want.supplier {
        None => None,
        Some(code) => Some(
            *view
                .suppliers
                .get(code)
                .ok_or_else(|| SaveSkuRefused::UnknownSupplier { supplier: code.clone() })?,
        ),
    };
    let mut components = BTreeMap::new();
    for (component, quantity) in &want.components {
        let (code, component) = (want.code.clone(), component.clone());
        let Some(part) = view.skus.get(&component) else {
            return Err(SaveSkuRefused::UnknownComponent { code, component });
        };
        if part.draft.kind != SkuKind::Simple {
            return Err(SaveSkuRefused::NestedComponent {
                code,
                component,
                kind: part.draft.kind.to_string(),
            });
        }
        components.insert(part.id, *quantity);
    }
    let known = view.skus.get(&want.code);
    if let Some(known) = known
        && known.draft.kind != want.kind
    {
        return Err(SaveSkuRefused::KindChanged {
            code: want.code.clone(),
            kind: known.draft.kind.to_string(),
        });
    }
    for barcode in &want.barcodes {
        if let Some(other) = view.barcodes.get(barcode)
            && *other != want.code
        {
            return Err(SaveSkuRefused::BarcodeTaken { barcode: barcode.clone(), other: other.clone() });
        }
    }
    let draft = Draft {
        kind: want.kind,
        title: want.title.trim().to_owned(),
        tax_class: want.tax_class.trim().to_owned(),
        sizes: [want.weight_g, want.length_mm, want.width_mm, want.height_mm],
        supplier,
        barcodes: want.barcodes.iter().cloned().collect(),
        prices: want.prices.iter().map(|p| (p.currency, p.minor)).collect(),
        components,
    };
    let (id, new) = match known {
        Some(known) if known.draft == draft => return Ok(known.id),
        Some(known) => (known.id, known.write.is_some_and(|(_, new)| new)),
        None => (new_id(), true),
    };
    for given_up in known.iter().flat_map(|k| &k.draft.barcodes) {
        view.barcodes.remove(given_up);
    }
    view.barcodes.extend(draft.barcodes.iter().map(|b| (b.clone(), want.code.clone())));
    view.skus.insert(want.code.clone(), Known { id, draft, write: Some((want.at, new)) });
    Ok(id)
}

async fn apply(tx: &Tx, view: &View) -> Result<(), Fault> {
    const SPEC: &str = "id BIGINT, code TEXT, title TEXT, kind TEXT, tax_class TEXT, weight_g BIGINT?, length_mm BIGINT?, \
         width_mm BIGINT?, height_mm BIGINT?, supplier_id BIGINT?, created_at BIGINT";
    let (mut new, mut changed) = (Rows::new(SPEC), Rows::new(SPEC));
    let mut old = Rows::new("id BIGINT");
    let mut barcodes = Rows::new("barcode TEXT, sku_id BIGINT");
    let mut prices = Rows::new("sku_id BIGINT, currency TEXT, minor BIGINT");
    let mut components = Rows::new("bundle_id BIGINT, component_id BIGINT, quantity BIGINT");
    for (code, Known { id, draft, write }) in &view.skus {
        let Some((at, is_new)) = *write else { continue };
        let [weight, length, width, height] = draft.sizes.map(db::Value::from);
        let row = [
            (*id).into(),
            code.as_str().into(),
            draft.title.as_str().into(),
            draft.kind.as_str().into(),
            draft.tax_class.as_str().into(),
            weight,
            length,
            width,
            height,
            draft.supplier.map(|s| s.0).into(),
            at.into(),
        ];
        if is_new {
            new.push(row);
        } else {
            changed.push(row);
            old.push([(*id).into()]);
        }
        for barcode in &draft.barcodes {
            barcodes.push([barcode.as_str().into(), (*id).into()]);
        }
        for (currency, minor) in &draft.prices {
            prices.push([(*id).into(), (*currency).into(), (*minor).into()]);
        }
        for (component, quantity) in &draft.components {
            components.push([(*id).into(), (*component).into(), (*quantity).into()]);
        }
        let fact = SkuSaved {
            sku: *id,
            code: code.clone(),
            title: draft.title.clone(),
            kind: draft.kind,
            new: is_new,
        };
        tx.record(at, id, None, fact)?;
    }
    tx.insert("sku", &new).await?;
    let text = "UPDATE sku SET title = input.title, tax_class = input.tax_class, weight_g = input.weight_g, length_mm = input.length_mm, \
         width_mm = input.width_mm, height_mm = input.height_mm, supplier_id = input.supplier_id, version = sku.version + 1 \
         FROM input WHERE sku.id = input.id";
    tx.exec_from(&changed, text, []).await?;
    for text in [
        "DELETE FROM sku_barcode WHERE sku_id IN (SELECT id FROM input)",
        "DELETE FROM sku_price WHERE sku_id IN (SELECT id FROM input)",
        "DELETE FROM bundle_component WHERE bundle_id IN (SELECT id FROM input)",
    ] {
        tx.exec_from(&old, text, []).await?;
    }
    tx.insert("sku_barcode", &barcodes).await?;
    tx.insert("sku_price", &prices).await?;
    tx.insert("bundle_component", &components).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Refuse;

    fn want(code: &str) -> SaveSku {
        SaveSku {
            at: Timestamp(0),
            code: code.into(),
            title: "A thing".into(),
            kind: SkuKind::Simple,
            tax_class: "standard".into(),
            barcodes: vec![],
            prices: vec![],
            weight_g: None,
            length_mm: None,
            width_mm: None,
            height_mm: None,
            supplier: None,
            components: vec![],
        }
    }

    #[test]
    fn every_refusal_has_its_case() {
        let eur: Currency = "EUR".parse().unwrap();
        let mut view = View::default();
        let mut next = 0;
        let mut save = |view: &mut View, item: SaveSku| {
            next += 1;
            decide(view, &item, || SkuId(next)).map_err(|r| r.code())
        };
        save(&mut view, SaveSku { barcodes: vec!["4006381".into()], ..want("PART") }).unwrap();
        save(&mut view, SaveSku { kind: SkuKind::Service, ..want("WRAP") }).unwrap();
        let bundle = |code: &str, parts: &[(&str, i64)]| SaveSku {
            kind: SkuKind::Bundle,
            components: parts.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect(),
            ..want(code)
        };
        save(&mut view, bundle("SET", &[("PART", 2)])).unwrap();
        for (item, code) in [
            (want(""), "catalog.bad_code"),
            (want(&"x".repeat(65)), "catalog.bad_code"),
            (want("a\u{7}"), "catalog.bad_code"),
            (SaveSku { title: " ".into(), ..want("A") }, "catalog.no_title"),
            (SaveSku { tax_class: String::new(), ..want("A") }, "catalog.no_tax_class"),
            (SaveSku { width_mm: Some(-1), ..want("A") }, "catalog.negative_size"),
            (SaveSku { barcodes: vec![String::new()], ..want("A") }, "catalog.bad_barcode"),
            (SaveSku { prices: vec![Money::new(-1, eur)], ..want("A") }, "catalog.negative_price"),
            (
                SaveSku { prices: vec![Money::new(1, eur), Money::new(2, eur)], ..want("A") },
                "catalog.two_prices",
            ),
            (bundle("B", &[]), "catalog.no_components"),
            (SaveSku { components: vec![("PART".into(), 1)], ..want("A") }, "catalog.not_a_bundle"),
            (bundle("B", &[("PART", 0)]), "catalog.bad_component"),
            (bundle("B", &[("PART", 1), ("PART", 1)]), "catalog.bad_component"),
            (SaveSku { supplier: Some("X".into()), ..want("A") }, "catalog.unknown_supplier"),
            (bundle("B", &[("NONE", 1)]), "catalog.unknown_component"),
            (bundle("B", &[("SET", 1)]), "catalog.nested_component"),
            (bundle("B", &[("WRAP", 1)]), "catalog.nested_component"),
            (SaveSku { kind: SkuKind::Service, ..want("PART") }, "catalog.kind_changed"),
            (SaveSku { barcodes: vec!["4006381".into()], ..want("A") }, "catalog.barcode_taken"),
        ] {
            let before = format!("{view:?}");
            assert_eq!(save(&mut view, item.clone()), Err(code), "{item:?}");
            assert_eq!(format!("{view:?}"), before, "a refused item leaves no trace");
        }
    }

    #[test]
    fn the_batch_sees_itself() {
        let mut view = View::default();
        let with = |code: &str, barcodes: &[&str]| SaveSku {
            barcodes: barcodes.iter().map(|b| (*b).into()).collect(),
            ..want(code)
        };
        let a = decide(&mut view, &with("A", &["1"]), || SkuId(1));
        assert_eq!(a, Ok(SkuId(1)));
        assert_eq!(
            decide(&mut view, &with("A", &["1"]), || SkuId(9)),
            Ok(SkuId(1)),
            "the same again is the same SKU"
        );
        let refused = decide(&mut view, &with("B", &["1"]), || SkuId(2)).unwrap_err();
        assert_eq!(refused.to_string(), "Barcode 1 belongs to SKU A: take it away there first.");
        assert_eq!(decide(&mut view, &with("A", &["2"]), || SkuId(9)), Ok(SkuId(1)));
        assert_eq!(
            decide(&mut view, &with("B", &["1"]), || SkuId(2)),
            Ok(SkuId(2)),
            "a barcode that was given up is free"
        );
        assert_eq!(view.skus["A"].write, Some((Timestamp(0), true)), "still new, written once");
    }
}
