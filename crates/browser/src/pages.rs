//! Every page there is, with an example of it in the demo shop. **A new page needs its line here**: then it is looked at by axe in light and
//! dark, checked for errors, and photographed. A test compares the table with the router.

use crate::shop::Shop;

/// A page.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// As the router has it.
    pub route: &'static str,
    /// What stands in place of its parameter, as a query of one text; or the rest of the address, beginning with `?`; or nothing.
    pub example: &'static str,
}

const fn page(route: &'static str, example: &'static str) -> Page {
    Page { route, example }
}

const AN_ORDER: &str = "SELECT subject FROM event WHERE kind = 'order.units_shipped' ORDER BY id LIMIT 1";

/// Pages of people who are signed in.
pub const INSIDE: &[Page] = &[
    page("/orders", ""),
    page("/orders/new", ""),
    page("/orders/{id}", AN_ORDER),
    page("/catalog", ""),
    page("/stock", ""),
    page("/search", "?q=a"),
    page("/design", ""),
];

/// Pages for anybody.
pub const PUBLIC: &[Page] =
    &[page("/sign-in", ""), page("/problems", ""), page("/problems/{code}", "SELECT 'request.not_found'")];

/// What is served to browsers and is no page: parts of pages, files, streams, ways on.
pub const PARTS: &[&str] = &[
    "/",
    "/assets/{*name}",
    "/docs",
    "/docs/",
    "/docs/{*rest}",
    "/healthz",
    "/live",
    "/orders/{id}/panels/returns",
    "/orders/{id}/payments",
    "/panels/orders/{id}/fulfilments",
    "/panels/orders/{id}/shipments",
    "/readyz",
];

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
                format!("{before}{}{rest}", shop.text(query).await)
            }
        }
    }
    /// A name for a file.
    pub fn name(&self) -> String {
        let words: Vec<&str> =
            self.route.split('/').map(|w| w.trim_matches(['{', '}'])).filter(|w| !w.is_empty()).collect();
        words.join("-")
    }
}

/// The pages people look at most; Lighthouse looks at them too.
pub const MAIN: &[&str] = &["/orders", "/orders/{id}", "/sign-in"];

/// Every page.
pub fn every() -> impl Iterator<Item = &'static Page> {
    INSIDE.iter().chain(PUBLIC)
}
