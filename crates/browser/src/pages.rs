//! Every page there is, with an example of it in the demo shop. **A new page needs its line here**: then it is looked at by axe in light and
//! dark, checked for errors, and photographed. A test compares the table with the router.

use crate::shop::Shop;

/// A page.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// As the router has it.
    pub route: &'static str,
    /// What stands in place of its parameter: a query of one text, or the prefix of an id and a query of one raw id; or the rest of the address, beginning with `?`; or nothing.
    pub example: &'static str,
}

const fn page(route: &'static str, example: &'static str) -> Page {
    Page { route, example }
}

const AN_ORDER: &str = "SELECT subject FROM event WHERE kind = 'order.units_shipped' ORDER BY id LIMIT 1";
const A_SKU: &str = "SELECT code FROM sku WHERE kind = 'simple' ORDER BY id LIMIT 1";

/// Pages of people who are signed in.
pub const INSIDE: &[Page] = &[
    page("/", ""),
    page("/audit", ""),
    page("/books", ""),
    page("/books/accounts/{code}", "SELECT code FROM account ORDER BY code LIMIT 1"),
    page("/books/accounts/{code}/open-items", "SELECT code FROM account WHERE code = '1050'"),
    page("/books/adjust", ""),
    page("/books/balance-sheet", ""),
    page("/books/entries/{id}", "jrn SELECT id FROM journal_entry ORDER BY id LIMIT 1"),
    page("/books/journal", ""),
    page("/books/months", ""),
    page("/books/profit-and-loss", ""),
    page("/books/trial-balance", ""),
    page("/catalog", ""),
    page("/catalog/import", ""),
    page("/catalog/import/{id}", "imp SELECT id FROM sku_import ORDER BY id LIMIT 1"),
    page("/catalog/new", ""),
    page("/catalog/skus/{code}", A_SKU),
    page("/catalog/skus/{code}/edit", A_SKU),
    page("/catalog/suppliers", ""),
    page("/customers", ""),
    page("/customers/{id}", "cus SELECT id FROM customer ORDER BY id LIMIT 1"),
    page("/customers/{id}/merge", "cus SELECT id FROM customer ORDER BY id LIMIT 1"),
    page("/design", ""),
    page("/developers/events", ""),
    page("/developers/events/{id}", "evt SELECT id FROM event ORDER BY id LIMIT 1"),
    page("/developers/jobs", ""),
    page("/developers/webhooks", ""),
    page("/keys", ""),
    page("/orders", ""),
    page("/orders/new", ""),
    page("/orders/{id}", AN_ORDER),
    page("/pack", ""),
    page("/parcels/{id}", "par SELECT id FROM parcel ORDER BY id LIMIT 1"),
    page("/payments", ""),
    page("/payments/{id}", "pay SELECT id FROM payment ORDER BY id LIMIT 1"),
    page("/people", ""),
    page("/people/roles", ""),
    page("/pick", ""),
    page("/profile", ""),
    page("/profile/second-factor", ""),
    page("/purchasing", ""),
    page("/purchasing/new", ""),
    page("/purchasing/{id}", "pur SELECT id FROM purchase WHERE received > 0 ORDER BY id LIMIT 1"),
    page("/purchasing/{id}/edit", "pur SELECT id FROM purchase WHERE status = 'draft' ORDER BY id LIMIT 1"),
    page("/reports/stock-outs", ""),
    page("/returns", ""),
    page("/returns/new", "?order=1001"),
    page("/returns/{id}", "rma SELECT id FROM return_request ORDER BY id LIMIT 1"),
    page("/review", ""),
    page("/search", "?q=a"),
    page("/settings/carriers", ""),
    page("/settings/carriers/{code}", "SELECT carrier FROM rate_card ORDER BY carrier LIMIT 1"),
    page("/settings/channels", "?code=api"),
    page("/settings/routing", ""),
    page("/settings/dispatch", ""),
    page("/settings/gateways", ""),
    page("/settings/gateways/{code}", "SELECT 'sandbox'"),
    page("/settings/locations", ""),
    page("/settings/locations/new", ""),
    page("/settings/locations/{code}", "SELECT code FROM location ORDER BY code LIMIT 1"),
    page("/settings/mail", ""),
    page("/settings/mail/{name}", "SELECT 'order_placed'"),
    page("/settings/rates", ""),
    page("/settings/returns", ""),
    page("/settings/tax", ""),
    page("/shipments", ""),
    page("/shipments/{id}", "shp SELECT id FROM shipment ORDER BY id LIMIT 1"),
    page("/stock", ""),
    page("/stock/adjust", ""),
    page("/stock/bin", ""),
    page("/stock/count", ""),
    page("/stock/counts", ""),
    page("/stock/counts/{id}", "cnt SELECT id FROM count_sheet ORDER BY id LIMIT 1"),
    page("/stock/receive", ""),
    page("/stock/safety", ""),
    page("/stock/skus/{code}", A_SKU),
    page("/stock/transfer", ""),
    page("/warehouse", ""),
    page("/warehouse/boxes", ""),
];

/// Pages for anybody.
pub const PUBLIC: &[Page] = &[
    page("/forgot", ""),
    page("/problems", ""),
    page("/problems/{code}", "SELECT 'request.not_found'"),
    page("/sign-in", ""),
    page("/track", ""),
];

/// Pages that the demo shop has no example of, or that want a signed link: the test of their job looks at them.
pub const WITH_THEIR_JOB: &[&str] = &[
    "/developers/deliveries/{id}",
    "/developers/webhooks/{id}",
    "/new-password",
    "/orders/bulk/{id}",
    "/pack/{id}",
    "/pay",
    "/pick/{id}",
    "/review/{id}",
    "/sign-in/code",
    "/track/return",
    "/welcome",
];

/// What is served to browsers and is no page: parts of pages, files, streams.
pub const PARTS: &[&str] = &[
    "/assets/{*name}",
    "/books/export/{file}",
    "/catalog/import/template.csv",
    "/catalog/lookup",
    "/docs",
    "/docs/",
    "/docs/{*rest}",
    "/healthz",
    "/live",
    "/orders/bulk/meant",
    "/orders/list.csv",
    "/orders/new/customer",
    "/orders/new/customers",
    "/orders/new/skus",
    "/orders/{id}/panels/returns",
    "/orders/{id}/payments",
    "/panels/customers/{id}/orders",
    "/panels/orders/{id}/fulfilments",
    "/panels/orders/{id}/journal",
    "/panels/orders/{id}/shipments",
    "/panels/parcels/{id}/label",
    "/panels/skus/{id}/stock",
    "/readyz",
    "/returns/{id}/photos/{photo}",
    "/track/label",
];

/// A raw id as pages write it.
struct Id<'a>(&'a str, i64);
impl std::fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        kernel::ids::write_id(self.0, self.1, f)
    }
}

/// A raw id as pages write it, for an address.
pub fn id(prefix: &str, raw: i64) -> String {
    Id(prefix, raw).to_string()
}

impl Page {
    /// Its address in a shop.
    ///
    /// # Panics
    /// When the demo shop has no example.
    pub async fn address(&self, shop: &Shop) -> String {
        match (self.route.split_once('{'), self.example) {
            (None, rest) => format!("{}{rest}", self.route),
            (Some((before, after)), query) => {
                let rest = after.split_once('}').map_or("", |(_, rest)| rest);
                let value = match query.split_once(" SELECT ") {
                    Some((prefix, ids)) => {
                        Id(prefix, shop.number(&format!("SELECT {ids}")).await).to_string()
                    }
                    None => shop.text(query).await,
                };
                format!("{before}{value}{rest}")
            }
        }
    }
    /// A name for a file.
    pub fn name(&self) -> String {
        let words: Vec<&str> =
            self.route.split('/').map(|w| w.trim_matches(['{', '}'])).filter(|w| !w.is_empty()).collect();
        if words.is_empty() { "home".to_owned() } else { words.join("-") }
    }
}

/// The pages people look at most; Lighthouse looks at them too.
pub const MAIN: &[&str] = &["/", "/orders", "/orders/{id}", "/track"];

/// Every page.
pub fn every() -> impl Iterator<Item = &'static Page> {
    INSIDE.iter().chain(PUBLIC)
}
