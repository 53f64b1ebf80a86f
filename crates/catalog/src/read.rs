//! Queries of the catalogue. Invariant: a handful of statements, however many SKUs are asked for.

use crate::{Component, Sku, SkuId, SkuKind, SupplierId};
use db::{FromRow, Rows, Sql};
use kernel::{Fault, Money};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const COLUMNS: &str = "s.id, s.code, s.title, s.kind, s.tax_class, s.weight_g, s.length_mm, s.width_mm, s.height_mm, s.supplier_id, s.active, s.version, \
    (SELECT string_agg(p.currency || ' ' || p.minor, ',') FROM sku_price p WHERE p.sku_id = s.id) AS prices";

#[derive(FromRow)]
struct SkuRow {
    id: SkuId,
    code: String,
    title: String,
    kind: SkuKind,
    tax_class: String,
    weight_g: Option<i64>,
    length_mm: Option<i64>,
    width_mm: Option<i64>,
    height_mm: Option<i64>,
    supplier_id: Option<i64>,
    active: bool,
    version: i64,
    /// Currency and minor units of each, in any order.
    prices: Option<String>,
}

impl SkuRow {
    fn prices(&self) -> Result<Vec<Money>, Fault> {
        let each = self.prices.iter().flat_map(|all| all.split(','));
        let mut prices: Vec<Money> = each
            .map(|price| {
                let (currency, minor) = price.split_once(' ').unwrap_or_default();
                Ok(Money::new(minor.parse()?, currency.parse()?))
            })
            .collect::<Result<_, Fault>>()?;
        prices.sort_unstable_by_key(|price| price.currency);
        Ok(prices)
    }
}

#[derive(FromRow)]
struct ComponentRow {
    bundle_id: SkuId,
    component_id: SkuId,
    code: String,
    quantity: i64,
}

/// SKUs by their codes; codes that nobody knows are missing from the answer.
///
/// # Errors
/// A fault of the database.
pub async fn skus_by_code(sql: &Sql, codes: &[&str]) -> Result<HashMap<String, Arc<Sku>>, Fault> {
    let mut codes = codes.to_vec();
    codes.sort_unstable();
    codes.dedup();
    let mut input = Rows::new("code TEXT");
    for code in codes {
        input.push([code.into()]);
    }
    let rows = sql
        .all_from(&input, &format!("SELECT {COLUMNS} FROM sku s JOIN input ON input.code = s.code"), [])
        .await?;
    Ok(complete(sql, rows).await?.into_iter().map(|(sku, _)| (sku.code.clone(), Arc::new(sku))).collect())
}

/// SKUs by their ids; ids that do not exist are missing from the answer.
///
/// # Errors
/// A fault of the database.
pub async fn skus_by_id(sql: &Sql, ids: &[SkuId]) -> Result<HashMap<SkuId, Arc<Sku>>, Fault> {
    let input = id_rows(ids.iter().copied());
    let rows = sql
        .all_from(&input, &format!("SELECT {COLUMNS} FROM sku s JOIN input ON input.id = s.id"), [])
        .await?;
    Ok(complete(sql, rows).await?.into_iter().map(|(sku, _)| (sku.id, Arc::new(sku))).collect())
}

/// The SKU a scanner means by each text: barcode first, then code. Texts that are neither are missing from the answer.
///
/// # Errors
/// A fault of the database.
pub async fn skus_by_scan(sql: &Sql, texts: &[&str]) -> Result<HashMap<String, SkuId>, Fault> {
    let texts: BTreeSet<&str> = texts.iter().copied().collect();
    let mut input = Rows::new("scan TEXT");
    for text in texts {
        input.push([text.into()]);
    }
    #[derive(FromRow)]
    struct Meant {
        scan: String,
        sku_id: SkuId,
    }
    let codes = "SELECT input.scan, s.id AS sku_id FROM input JOIN sku s ON s.code = input.scan";
    let barcodes = "SELECT input.scan, b.sku_id FROM input JOIN sku_barcode b ON b.barcode = input.scan";
    let mut meant = HashMap::new();
    // Barcodes last: they replace what a code of the same text means.
    for query in [codes, barcodes] {
        let found: Vec<Meant> = sql.all_from(&input, query, []).await?;
        meant.extend(found.into_iter().map(|m| (m.scan, m.sku_id)));
    }
    Ok(meant)
}

/// A SKU with what its own page and the API show beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkuDetail {
    /// The SKU.
    pub sku: Sku,
    /// Its barcodes in order.
    pub barcodes: Vec<String>,
    /// The code of its supplier.
    pub supplier_code: Option<String>,
    /// Rises with every change; the API's ETag.
    pub version: i64,
}

/// Which SKUs a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The beginning of the code, as written.
    pub q: Option<String>,
    /// Only those for sale, or only those not.
    pub active: Option<bool>,
    /// In the code or the title, or a whole barcode.
    pub search: Option<String>,
    /// Of this kind.
    pub kind: Option<SkuKind>,
    /// Delivered by the supplier with this code.
    pub supplier: Option<String>,
}

/// A condition over the SKU `s`: the text is in its code or title, or one of its barcodes.
pub fn found_by(text: &str, values: &mut Vec<db::Value>) -> String {
    let part = text.trim().to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    values.extend([format!("%{part}%").into(), text.trim().into()]);
    let n = values.len();
    let like = n - 1;
    format!(
        "(LOWER(s.code) LIKE ${like} ESCAPE '\\' OR LOWER(s.title) LIKE ${like} ESCAPE '\\' OR s.id IN (SELECT b.sku_id FROM sku_barcode b WHERE b.barcode = ${n}))"
    )
}

/// SKUs in order of their codes, after `after` (a code), at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn list(
    sql: &Sql,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<SkuDetail>, Fault> {
    let mut text = format!("SELECT {COLUMNS} FROM sku s WHERE TRUE");
    let mut values: Vec<db::Value> = Vec::new();
    if let Some(after) = after {
        values.push(after.into());
        text.push_str(&format!(" AND s.code > ${}", values.len()));
    }
    if let Some(q) = filter.q.as_deref().filter(|q| !q.is_empty()) {
        values.push(q.into());
        text.push_str(&format!(" AND s.code >= ${}", values.len()));
        // A range instead of LIKE: it uses the index on both databases, and no character is special.
        values.push(format!("{q}{}", char::MAX).into());
        text.push_str(&format!(" AND s.code < ${}", values.len()));
    }
    if let Some(active) = filter.active {
        values.push(active.into());
        text.push_str(&format!(" AND s.active = ${}", values.len()));
    }
    if let Some(search) = filter.search.as_deref().filter(|q| !q.trim().is_empty()) {
        text.push_str(&format!(" AND {}", found_by(search, &mut values)));
    }
    if let Some(kind) = filter.kind {
        values.push(kind.as_str().into());
        text.push_str(&format!(" AND s.kind = ${}", values.len()));
    }
    if let Some(supplier) = filter.supplier.as_deref().filter(|c| !c.is_empty()) {
        values.push(supplier.into());
        text.push_str(&format!(
            " AND s.supplier_id = (SELECT p.id FROM supplier p WHERE p.code = ${})",
            values.len()
        ));
    }
    values.push(limit.into());
    text.push_str(&format!(" ORDER BY s.code LIMIT ${}", values.len()));
    let rows = sql.all(&text, values).await?;
    details(sql, rows).await
}

/// The bundles that contain a SKU: code, title, and how many of it, by code.
///
/// # Errors
/// A fault of the database.
pub async fn bundles_with(sql: &Sql, sku: SkuId) -> Result<Vec<(String, String, i64)>, Fault> {
    #[derive(FromRow)]
    struct Row {
        code: String,
        title: String,
        quantity: i64,
    }
    let text = "SELECT s.code, s.title, c.quantity FROM bundle_component c JOIN sku s ON s.id = c.bundle_id WHERE c.component_id = $1 ORDER BY s.code";
    let rows: Vec<Row> = sql.all(text, [sku.into()]).await?;
    Ok(rows.into_iter().map(|r| (r.code, r.title, r.quantity)).collect())
}

/// The tax classes there are rates for, in order.
///
/// # Errors
/// A fault of the database.
pub async fn tax_classes(sql: &Sql) -> Result<Vec<String>, Fault> {
    let rates = crate::tax::all_rates(sql).await?;
    Ok(rates.into_iter().map(|r| r.tax_class).collect::<BTreeSet<_>>().into_iter().collect())
}

/// One SKU with its details.
///
/// # Errors
/// A fault of the database.
pub async fn detail(sql: &Sql, code: &str) -> Result<Option<SkuDetail>, Fault> {
    let rows = sql.all(&format!("SELECT {COLUMNS} FROM sku s WHERE s.code = $1"), [code.into()]).await?;
    Ok(details(sql, rows).await?.into_iter().next())
}

async fn details(sql: &Sql, rows: Vec<SkuRow>) -> Result<Vec<SkuDetail>, Fault> {
    let skus = complete(sql, rows).await?;
    let input = id_rows(skus.iter().map(|(sku, _)| sku.id));
    let mut barcodes = barcodes_of(sql, &input).await?;
    let codes: HashMap<SupplierId, String> = match skus.iter().any(|(sku, _)| sku.supplier.is_some()) {
        true => crate::suppliers(sql).await?.into_iter().map(|s| (s.id, s.code)).collect(),
        false => HashMap::new(),
    };
    Ok(skus
        .into_iter()
        .map(|(sku, version)| SkuDetail {
            barcodes: barcodes.remove(&sku.id).unwrap_or_default(),
            supplier_code: sku.supplier.and_then(|s| codes.get(&s).cloned()),
            version,
            sku,
        })
        .collect())
}

/// Barcodes in order, by SKU, of the SKUs in `input(id)`.
pub(crate) async fn barcodes_of(sql: &Sql, input: &Rows) -> Result<HashMap<SkuId, Vec<String>>, Fault> {
    #[derive(FromRow)]
    struct BarcodeRow {
        sku_id: SkuId,
        barcode: String,
    }
    let text = "SELECT b.sku_id, b.barcode FROM sku_barcode b JOIN input ON input.id = b.sku_id ORDER BY b.sku_id, b.barcode";
    let rows: Vec<BarcodeRow> = sql.all_from(input, text, []).await?;
    let mut barcodes: HashMap<SkuId, Vec<String>> = HashMap::new();
    for row in rows {
        barcodes.entry(row.sku_id).or_default().push(row.barcode);
    }
    Ok(barcodes)
}

/// The rows `id` of some SKUs, each once.
pub(crate) fn id_rows(ids: impl Iterator<Item = SkuId>) -> Rows {
    let mut ids: Vec<SkuId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut rows = Rows::new("id BIGINT");
    for id in ids {
        rows.push([id.into()]);
    }
    rows
}

/// Adds prices and components to rows, with their versions, in the order of the rows.
async fn complete(sql: &Sql, rows: Vec<SkuRow>) -> Result<Vec<(Sku, i64)>, Fault> {
    let bundles = id_rows(rows.iter().filter(|r| r.kind == SkuKind::Bundle).map(|r| r.id));
    let text = "SELECT c.bundle_id, c.component_id, s.code, c.quantity FROM bundle_component c JOIN input ON input.id = c.bundle_id \
         JOIN sku s ON s.id = c.component_id ORDER BY c.bundle_id, s.code";
    let found: Vec<ComponentRow> = sql.all_from(&bundles, text, []).await?;
    let mut components: HashMap<SkuId, Vec<Component>> = HashMap::new();
    for c in found {
        let part = Component { sku: c.component_id, code: c.code, quantity: c.quantity };
        components.entry(c.bundle_id).or_default().push(part);
    }
    rows.into_iter()
        .map(|r| {
            let sku = Sku {
                prices: r.prices()?,
                components: components.remove(&r.id).unwrap_or_default(),
                id: r.id,
                code: r.code,
                title: r.title,
                kind: r.kind,
                tax_class: r.tax_class,
                weight_g: r.weight_g,
                length_mm: r.length_mm,
                width_mm: r.width_mm,
                height_mm: r.height_mm,
                supplier: r.supplier_id.map(SupplierId),
                active: r.active,
            };
            Ok((sku, r.version))
        })
        .collect()
}

/// Locks the rows of some codes in key order and reads them whole.
pub(crate) async fn lock_by_code(sql: &Sql, codes: &Rows) -> Result<Vec<Sku>, Fault> {
    let lock =
        "SELECT s.id FROM sku s JOIN input ON input.code = s.code ORDER BY s.id FOR NO KEY UPDATE OF s";
    sql.lock_from(codes, lock).await?;
    // After the lock, in a statement of its own: in that which waits, the prices would be those of before.
    let text = format!("SELECT {COLUMNS} FROM sku s JOIN input ON input.code = s.code ORDER BY s.id");
    let rows = sql.all_from(codes, &text, []).await?;
    Ok(complete(sql, rows).await?.into_iter().map(|(sku, _)| sku).collect())
}

/// Locks a SKU and reads its version; `None` when there is no such code.
///
/// # Errors
/// A fault of the database.
pub(crate) async fn lock_version(sql: &Sql, code: &str) -> Result<Option<i64>, Fault> {
    sql.scalar("SELECT s.version FROM sku s WHERE s.code = $1 /*pg FOR NO KEY UPDATE OF s */", [code.into()])
        .await
}

/// A SKU as it is offered while somebody types.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Offered {
    /// Its code.
    pub code: String,
    /// Its title.
    pub title: String,
    /// Whether the text is its code, in any case of letters, or its barcode.
    pub exact: bool,
}

/// SKUs for sale that a text may stand for: its barcode, the beginning of its code or title, or, where few begin so, a part of the title.
/// The one it stands for exactly comes first.
///
/// # Errors
/// A fault of the database.
pub async fn offered(sql: &Sql, text: &str, limit: i64) -> Result<Vec<Offered>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let (lower, upper) = (text.to_lowercase(), text.to_uppercase());
    let end = |t: &str| format!("{t}{}", char::MAX);
    let begins = "SELECT s.code, s.title, CASE WHEN s.code = $1 OR s.code = $3 OR EXISTS (SELECT 1 FROM sku_barcode e WHERE e.sku_id = s.id AND e.barcode = $1) \
         THEN TRUE ELSE FALSE END AS exact FROM sku s WHERE s.active = TRUE AND (s.id IN (SELECT b.sku_id FROM sku_barcode b WHERE b.barcode = $1) \
         OR s.id IN (SELECT c.id FROM sku c WHERE (c.code >= $1 AND c.code < $2) OR (c.code >= $3 AND c.code < $4) ORDER BY c.code LIMIT 50) \
         OR s.id IN (SELECT t.id FROM sku t WHERE LOWER(t.title) >= $5 AND LOWER(t.title) < $6 ORDER BY LOWER(t.title) LIMIT 50)) \
         ORDER BY exact DESC, s.code LIMIT $7";
    let values = [
        text.into(),
        end(text).into(),
        upper.as_str().into(),
        end(&upper).into(),
        lower.as_str().into(),
        end(&lower).into(),
        limit.into(),
    ];
    let mut found: Vec<Offered> = sql.all(begins, values).await?;
    if found.len() < 3 && text.chars().count() > 2 {
        let pattern = format!("%{}%", lower.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        let within = "SELECT s.code, s.title, FALSE AS exact FROM sku s WHERE s.active = TRUE AND LOWER(s.title) LIKE $1 ESCAPE '\\' ORDER BY s.code LIMIT $2";
        let more: Vec<Offered> = sql.all(within, [pattern.into(), limit.into()]).await?;
        let known: BTreeSet<String> = found.iter().map(|f| f.code.clone()).collect();
        found.extend(more.into_iter().filter(|m| !known.contains(&m.code)));
        found.sort_by(|a, b| b.exact.cmp(&a.exact).then_with(|| a.code.cmp(&b.code)));
        found.truncate(usize::try_from(limit).unwrap_or(0));
    }
    Ok(found)
}
