//! Carriers for tests: one that goes by rate cards, and one that has to be called.

use contact::address::Address;
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use kernel::{Money, Timestamp};
use payments::{BadWebhook, RawRequest};
use shipping::Carriers;
use shipping::carrier::{Answer, Bought, BuyAsk, Card, Carrier, Consignment, Plan, TrackFact, VoidAsk};
use shipping::rate::{Parcel, Price, Quote, RateCard, Zone};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// Prices by rate cards, numbers by shipment.
pub struct Table;

/// Is called for everything.
pub struct Remote;

fn parcel<'a>(from: &'a Address, to: &'a Address, ask: &Consignment) -> Parcel<'a> {
    Parcel {
        from_country: &from.country,
        country: &to.country,
        postal_code: to.postal_code.as_deref(),
        weight_g: ask.weight_g,
        dims: ask.dims,
    }
}

impl Carrier for Table {
    fn card(&self) -> Card {
        Card { code: "table", name: "Table", documentation: "", by_rate_cards: true }
    }
    fn quote(&self, ask: &Consignment) -> Plan<Vec<Quote>> {
        let parcel = parcel(&ask.from, &ask.to, ask);
        Plan::Settled(Answer::Done(ask.rate_cards.iter().filter_map(|c| c.quote(&parcel)).collect()))
    }
    fn buy(&self, ask: &BuyAsk) -> Plan<Bought> {
        let c = &ask.consignment;
        let parcel = parcel(&c.from, &c.to, c);
        let cards = c.rate_cards.iter().filter(|card| card.service == ask.service);
        Plan::Settled(match cards.filter_map(|card| card.quote(&parcel)).next() {
            Some(quote) => Answer::Done(Bought {
                tracking_number: format!("T{}", ask.shipment.0),
                cost: quote.cost,
                max_days: Some(quote.max_days),
            }),
            None => Answer::Declined("no such service there".into()),
        })
    }
    fn void(&self, _: &VoidAsk) -> Plan<()> {
        Plan::Settled(Answer::Done(()))
    }
    fn read_quote(&self, _: &Consignment, _: &HttpAnswer) -> Answer<Vec<Quote>> {
        Answer::Unknown("never called".into())
    }
    fn read_buy(&self, _: &BuyAsk, _: &HttpAnswer) -> Answer<Bought> {
        Answer::Unknown("never called".into())
    }
    fn read_void(&self, _: &VoidAsk, _: &HttpAnswer) -> Answer<()> {
        Answer::Unknown("never called".into())
    }
    fn verify(&self, secret: &str, request: &RawRequest) -> Result<String, BadWebhook> {
        match request.header("secret") {
            Some(given) if given == secret => Ok(String::from_utf8_lossy(&request.body).into_owned()),
            _ => Err(BadWebhook::Signature),
        }
    }
    /// `number status source`.
    fn webhook(&self, request: &RawRequest) -> Result<Vec<TrackFact>, BadWebhook> {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let parts: Vec<&str> = text.split(' ').collect();
        let [number, status, source] = parts[..] else { return Err(BadWebhook::Unreadable(text)) };
        Ok(vec![TrackFact {
            tracking_number: number.into(),
            source_id: source.into(),
            status: status.parse().map_err(|_| BadWebhook::Unreadable(status.into()))?,
            at: Timestamp(db::testing::BEGIN.0 + Timestamp::DAY),
            place: None,
            description: None,
        }])
    }
}

fn call(url: String) -> HttpCall {
    HttpCall { method: "POST", url, headers: vec![], body: vec![] }
}

fn text(answer: &HttpAnswer) -> (u16, String) {
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

impl Carrier for Remote {
    fn card(&self) -> Card {
        Card { code: "remote", name: "Remote", documentation: "", by_rate_cards: false }
    }
    fn quote(&self, _: &Consignment) -> Plan<Vec<Quote>> {
        Plan::Call(call("https://remote.example/quote".into()))
    }
    fn buy(&self, ask: &BuyAsk) -> Plan<Bought> {
        Plan::Call(call(format!("https://remote.example/buy/{}", ask.key)))
    }
    fn void(&self, ask: &VoidAsk) -> Plan<()> {
        Plan::Call(call(format!("https://remote.example/void/{}", ask.tracking_number)))
    }
    fn read_quote(&self, ask: &Consignment, answer: &HttpAnswer) -> Answer<Vec<Quote>> {
        match text(answer) {
            (200, price) => Answer::Done(vec![Quote {
                carrier: ask.carrier.clone(),
                service: "air".into(),
                name: "Air".into(),
                cost: Money::new(price.parse().unwrap(), crate::shop::eur()),
                min_days: 1,
                max_days: 1,
                billable_g: ask.weight_g,
            }]),
            (status, _) => Answer::Unknown(status.to_string()),
        }
    }
    fn read_buy(&self, _: &BuyAsk, answer: &HttpAnswer) -> Answer<Bought> {
        match text(answer) {
            (200, number) => Answer::Done(Bought {
                tracking_number: number,
                cost: Money::new(777, crate::shop::eur()),
                max_days: None,
            }),
            (422, why) => Answer::Declined(why),
            (status, _) => Answer::Unknown(status.to_string()),
        }
    }
    fn read_void(&self, _: &VoidAsk, answer: &HttpAnswer) -> Answer<()> {
        if answer.status == 200 { Answer::Done(()) } else { Answer::Unknown(answer.status.to_string()) }
    }
    fn verify(&self, _: &str, _: &RawRequest) -> Result<String, BadWebhook> {
        Err(BadWebhook::Signature)
    }
    fn webhook(&self, _: &RawRequest) -> Result<Vec<TrackFact>, BadWebhook> {
        Err(BadWebhook::Signature)
    }
}

pub fn carriers() -> Carriers {
    Carriers(vec![Arc::new(Table), Arc::new(Remote)])
}

/// Answers calls from a list, in order, and remembers what was called.
#[derive(Default)]
pub struct Script {
    pub answers: Mutex<Vec<Result<(u16, &'static str), &'static str>>>,
    pub calls: Mutex<Vec<String>>,
}

impl Outside for Script {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        self.calls.lock().unwrap().push(call.url);
        let mut answers = self.answers.lock().unwrap();
        let next = if answers.is_empty() { Err("nobody there") } else { answers.remove(0) };
        Box::pin(async move {
            match next {
                Ok((status, body)) => Ok(HttpAnswer { status, headers: vec![], body: body.into() }),
                Err(why) => Err(NoAnswer(why.into())),
            }
        })
    }
}

/// Two services of `post`, one of `courier`.
pub fn rate_cards() -> Vec<RateCard> {
    let card = |carrier: &str, service: &str, prices: &[(i64, i64)], max_days| RateCard {
        carrier: carrier.into(),
        service: service.into(),
        name: format!("{carrier} {service}"),
        origin_country: "DE".into(),
        currency: crate::shop::eur(),
        dim_divisor: 5000,
        min_days: 1,
        max_days,
        active: true,
        zones: vec![Zone { country: "DE".into(), postal_prefix: String::new(), zone: "home".into() }],
        prices: prices.iter().map(|(g, p)| Price { zone: "home".into(), up_to_g: *g, price: *p }).collect(),
    };
    vec![
        card("post", "letter", &[(200, 150)], 3),
        card("post", "parcel", &[(2000, 499), (31_500, 999)], 3),
        card("courier", "next_day", &[(2000, 499)], 1),
    ]
}
