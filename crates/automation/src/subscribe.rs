//! Webhook endpoints: make, change, remove. An endpoint speaks TLS (or is on this machine), names what it wants to hear, and has a
//! secret that only its maker and its signatures ever see.

use crate::events::{WebhookRemoved, WebhookSaved};
use crate::model::EndpointId;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::HashMap;

const LONGEST_URL: usize = 2_000;
const MOST_KINDS: usize = 100;

/// Makes an endpoint.
#[derive(Debug, Clone)]
pub struct Subscribe {
    /// When.
    pub at: Timestamp,
    /// `https://…`, or `http://` on this machine.
    pub url: String,
    /// Kinds of events as `order.placed`, or `*` for all.
    pub kinds: Vec<String>,
}

/// Changes an endpoint; what is `None` stays.
#[derive(Debug, Clone)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub endpoint: EndpointId,
    /// The new address.
    pub url: Option<String>,
    /// The new kinds.
    pub kinds: Option<Vec<String>>,
    /// Switches it on or off. What is waiting waits until it is on again; what happens meanwhile is not sent.
    pub active: Option<bool>,
    /// Makes a new secret; the old one stops at once.
    pub new_secret: bool,
}

/// Removes an endpoint with its deliveries.
#[derive(Debug, Clone)]
pub struct Unsubscribe {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub endpoint: EndpointId,
}

/// An endpoint with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Where it is.
    pub url: String,
    /// What it hears.
    pub kinds: Vec<String>,
    /// Whether it is switched on.
    pub active: bool,
    /// `whsec_` and base64, as Standard Webhooks has it.
    pub secret: String,
    /// When it was made.
    pub created_at: Timestamp,
}

kernel::refusals! {
    /// Why an endpoint is not made, changed or removed.
    pub enum EndpointRefused {
        Unknown { endpoint: EndpointId } => NotFound, "automation.unknown_webhook", "There is no webhook endpoint {endpoint}.";
        BadUrl { why: String } => Invalid, "automation.bad_webhook_url", "A webhook goes to an address such as https://example.com/hook: {why}.";
        NoKinds {} => Invalid, "automation.no_event_kinds", "Name the kinds of events to send, or * for all.";
        BadKind { kind: String } => Invalid, "automation.bad_event_kind", "“{kind}” is no kind of event. Kinds look like order.placed; * alone is all of them.";
        UnknownKind { kind: String, close: String } => Invalid, "automation.unknown_event_kind", "There are no events “{kind}”. {close}";
    }
}

/// The address in normal form.
fn checked_url(text: &str) -> Result<String, EndpointRefused> {
    let no = |why: &str| EndpointRefused::BadUrl { why: why.to_owned() };
    let url = url::Url::parse(text.trim()).map_err(|e| no(&e.to_string()))?;
    let here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(no("it names no host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => return Err(no("http is for this machine only, use https")),
        _ => return Err(no("only https is possible")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(no("it must not hold a user or password; check the signature instead"));
    }
    if url.fragment().is_some() {
        return Err(no("it must not have a part after #"));
    }
    if url.as_str().len() > LONGEST_URL {
        return Err(no("it is longer than 2000 characters"));
    }
    Ok(url.into())
}

fn checked_kinds(kinds: &[String]) -> Result<Vec<String>, EndpointRefused> {
    let mut kinds: Vec<String> = kinds.iter().map(|k| k.trim().to_owned()).collect();
    kinds.sort();
    kinds.dedup();
    if kinds.is_empty() || kinds.len() > MOST_KINDS {
        return Err(EndpointRefused::NoKinds {});
    }
    let word =
        |w: &str| !w.is_empty() && w.len() <= 60 && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let good =
        |kind: &String| kind.split_once('.').is_some_and(|(subject, verb)| word(subject) && word(verb));
    match kinds.iter().find(|k| !good(k)) {
        Some(kind) if kind != "*" || kinds.len() > 1 => Err(EndpointRefused::BadKind { kind: kind.clone() }),
        Some(_) => Ok(kinds),
        None => match kinds.iter().find(|k| !crate::kinds::exists(k)) {
            Some(kind) => {
                let close = match crate::kinds::close(kind).as_slice() {
                    [] => "The documentation of the API has all kinds; * alone is all of them.".to_owned(),
                    close => format!("Close to it: {}.", close.join(", ")),
                };
                Err(EndpointRefused::UnknownKind { kind: kind.clone(), close })
            }
            None => Ok(kinds),
        },
    }
}

fn new_secret() -> String {
    format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// Makes endpoints. The secret is in the answer and in no other.
///
/// # Errors
/// A fault of the database.
pub async fn subscribe(
    tx: &Tx,
    batch: &[Subscribe],
) -> Result<Vec<Result<Endpoint, EndpointRefused>>, Fault> {
    let mut rows =
        Rows::new("id BIGINT, url TEXT, secret TEXT, kinds TEXT, active BOOLEAN, created_at BIGINT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let (url, kinds) = match (checked_url(&want.url), checked_kinds(&want.kinds)) {
            (Ok(url), Ok(kinds)) => (url, kinds),
            (Err(refusal), _) | (_, Err(refusal)) => {
                outcomes.push(Err(refusal));
                continue;
            }
        };
        let made =
            Endpoint { id: tx.id(), url, kinds, active: true, secret: new_secret(), created_at: want.at };
        let kinds = serde_json::to_string(&made.kinds)?;
        rows.push([
            made.id.into(),
            made.url.as_str().into(),
            made.secret.as_str().into(),
            kinds.into(),
            true.into(),
            want.at.into(),
        ]);
        record_saved(tx, want.at, &made, true)?;
        outcomes.push(Ok(made));
    }
    tx.insert("webhook_endpoint", &rows).await?;
    Ok(outcomes)
}

fn record_saved(tx: &Tx, at: Timestamp, saved: &Endpoint, new_secret: bool) -> Result<(), Fault> {
    let fact = WebhookSaved {
        endpoint: saved.id,
        url: saved.url.clone(),
        kinds: saved.kinds.clone(),
        active: saved.active,
        new_secret,
    };
    tx.record(at, saved.id, None, fact)
}

#[derive(FromRow)]
struct Row {
    id: EndpointId,
    url: String,
    secret: String,
    kinds: String,
    active: bool,
    created_at: Timestamp,
}

async fn locked(
    tx: &Tx,
    ids: impl Iterator<Item = EndpointId>,
) -> Result<HashMap<EndpointId, Endpoint>, Fault> {
    let mut wanted = Rows::new("id BIGINT");
    let ids: std::collections::BTreeSet<EndpointId> = ids.collect();
    for id in ids {
        wanted.push([id.into()]);
    }
    let text = "SELECT w.id, w.url, w.secret, w.kinds, w.active, w.created_at FROM webhook_endpoint w JOIN input ON input.id = w.id \
                ORDER BY w.id /*pg FOR UPDATE OF w */";
    let rows: Vec<Row> = tx.all_from(&wanted, text, []).await?;
    rows.into_iter()
        .map(|r| {
            let kinds = serde_json::from_str(&r.kinds)?;
            Ok((
                r.id,
                Endpoint {
                    id: r.id,
                    url: r.url,
                    kinds,
                    active: r.active,
                    secret: r.secret,
                    created_at: r.created_at,
                },
            ))
        })
        .collect()
}

fn decide(
    known: &mut HashMap<EndpointId, Endpoint>,
    want: &Change,
    secret: Option<String>,
) -> Result<Endpoint, EndpointRefused> {
    let url = want.url.as_deref().map(checked_url).transpose()?;
    let kinds = want.kinds.as_deref().map(checked_kinds).transpose()?;
    let endpoint =
        known.get_mut(&want.endpoint).ok_or(EndpointRefused::Unknown { endpoint: want.endpoint })?;
    endpoint.url = url.unwrap_or_else(|| endpoint.url.clone());
    endpoint.kinds = kinds.unwrap_or_else(|| endpoint.kinds.clone());
    endpoint.active = want.active.unwrap_or(endpoint.active);
    endpoint.secret = secret.unwrap_or_else(|| endpoint.secret.clone());
    Ok(endpoint.clone())
}

/// Changes endpoints; later items of the batch see what earlier ones did.
///
/// # Errors
/// A fault of the database.
pub async fn change(tx: &Tx, batch: &[Change]) -> Result<Vec<Result<Endpoint, EndpointRefused>>, Fault> {
    let mut known = locked(tx, batch.iter().map(|c| c.endpoint)).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&mut known, want, want.new_secret.then(new_secret));
        if let Ok(changed) = &outcome {
            record_saved(tx, want.at, changed, want.new_secret)?;
        }
        outcomes.push(outcome);
    }
    let mut rows = Rows::new("id BIGINT, url TEXT, secret TEXT, kinds TEXT, active BOOLEAN");
    for e in known.values() {
        rows.push([
            e.id.into(),
            e.url.as_str().into(),
            e.secret.as_str().into(),
            serde_json::to_string(&e.kinds)?.into(),
            e.active.into(),
        ]);
    }
    let text = "UPDATE webhook_endpoint SET url = input.url, secret = input.secret, kinds = input.kinds, active = input.active \
                FROM input WHERE webhook_endpoint.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(outcomes)
}

/// Removes endpoints with their deliveries.
///
/// # Errors
/// A fault of the database.
pub async fn unsubscribe(tx: &Tx, batch: &[Unsubscribe]) -> Result<Vec<Result<(), EndpointRefused>>, Fault> {
    let mut known = locked(tx, batch.iter().map(|u| u.endpoint)).await?;
    let mut rows = Rows::new("id BIGINT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let endpoint = want.endpoint;
        if known.remove(&endpoint).is_none() {
            outcomes.push(Err(EndpointRefused::Unknown { endpoint }));
            continue;
        }
        rows.push([endpoint.into()]);
        tx.record(want.at, endpoint, None, WebhookRemoved { endpoint })?;
        outcomes.push(Ok(()));
    }
    tx.exec_from(&rows, "DELETE FROM webhook_delivery WHERE endpoint_id IN (SELECT id FROM input)", [])
        .await?;
    tx.exec_from(&rows, "DELETE FROM webhook_endpoint WHERE id IN (SELECT id FROM input)", []).await?;
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_safe_or_refused() {
        for good in [
            "https://example.com/hook?x=1",
            "http://localhost:8080/",
            "http://127.0.0.1:9/a",
            "http://[::1]:9/a",
        ] {
            assert_eq!(checked_url(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "example.com",
            "http://example.com/",
            "http://10.0.0.1/",
            "http://localhost.example.com/",
            "ftp://example.com/",
            "https://u:p@example.com/",
            "https://example.com/#a",
            "https:///x y",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert!(checked_url(bad).is_err(), "{bad}");
        }
        assert!(checked_url(&format!("https://example.com/{}", "a".repeat(2_000))).is_err());
    }

    #[test]
    fn kinds_are_sorted_once_each_and_shaped_like_kinds() {
        let kinds = |list: &[&str]| checked_kinds(&list.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            kinds(&["order.placed", "order.cancelled", "order.placed"]),
            Ok(vec!["order.cancelled".into(), "order.placed".into()])
        );
        assert_eq!(kinds(&["*"]), Ok(vec!["*".into()]));
        for bad in [
            &[][..],
            &["*", "order.placed"],
            &["order"],
            &["Order.Placed"],
            &["order.placed.x"],
            &[".placed"],
            &["order.*"],
            &["order.placed", "order.nonsense"],
        ] {
            assert!(kinds(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_secret_is_one_that_standard_webhooks_reads() {
        let secret = new_secret();
        assert!(
            secret.starts_with("whsec_")
                && standardwebhooks::Webhook::new(&secret).is_ok()
                && secret != new_secret()
        );
    }
}
