//! A shop to torture: two SKUs, one warehouse, more stock than any run sells. Invariant: it is made over the same API as everything else.

use crate::http::Api;
use crate::journey::{CAP, TEE};
use reqwest::Method;
use serde_json::json;

/// Opens the shop; the id of its warehouse.
///
/// # Errors
/// What the API said, in words.
pub async fn open(api: &Api) -> Result<String, String> {
    let tax = json!({"items": [{"country": "DE", "tax_class": "standard", "rate_ppm": 190_000}]});
    api.must(Method::PUT, "/v1/tax-rates", &tax).await?;
    let sku = |code: &str, price: i64| {
        json!({
            "code": code, "title": format!("The {code}"), "kind": "simple", "tax_class": "standard",
            "prices": [{"minor": price, "currency": "EUR"}], "weight_g": 250,
        })
    };
    let skus = json!({"items": [sku("TEE", TEE), sku("CAP", CAP)]});
    api.must(Method::POST, "/v1/skus", &skus).await?;
    let place = json!({
        "name": "Berlin", "kind": "warehouse",
        "address": {"name": "Torture", "line1": "Torstraße 1", "postal_code": "10119", "city": "Berlin", "country": "DE"},
    });
    let place = api.must(Method::PUT, "/v1/locations/BER", &place).await?;
    let stock = |sku: &str, cost: i64| json!({"sku": sku, "location": "BER", "quantity": 1_000_000, "unit_cost": cost});
    let receipts = json!({"items": [stock("TEE", 700), stock("CAP", 500)]});
    let received = api.must(Method::POST, "/v1/receipts", &receipts).await?;
    if received["results"].as_array().is_none_or(|all| all.iter().any(|r| r["done"] != true)) {
        return Err(format!("the stock was not received: {received}"));
    }
    let card = json!([{
        "carrier": "post", "service": "parcel", "name": "Parcel", "origin_country": "DE", "currency": "EUR",
        "dim_divisor": 5000, "min_days": 1, "max_days": 3, "active": true,
        "zones": [{"country": "*", "postal_prefix": "", "zone": "all"}],
        "prices": [{"zone": "all", "up_to_g": 31_500, "price": 499}],
    }]);
    api.must(Method::PUT, "/v1/rate-cards", &card).await?;
    place["id"].as_str().map(str::to_owned).ok_or_else(|| format!("the warehouse has no id: {place}"))
}
