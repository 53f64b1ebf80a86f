//! Whether a gateway can be reached and says what it should: it is asked about an operation that was never made. Nothing is written, no
//! money moves; what is wrong comes with how to mend it.

use crate::gateway::{Answer, Ask, Gateway, Gateways, Plan};
use crate::webhook::{self, Inbox};
use crate::{Act, OperationId, PaymentId};
use db::Sql;
use kernel::outside::Outside;
use kernel::{Currency, Fault};
use web::html::Check;

/// What is looked at beside the connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    /// Whether the secret of its webhooks is set.
    pub secret: bool,
    /// What came in.
    pub inbox: Inbox,
    /// Operations whose end is not known.
    pub open: i64,
}

/// What is known of a gateway without asking it.
pub(crate) async fn health(sql: &Sql, gateway: &str) -> Result<Health, Fault> {
    let text = "SELECT COUNT(*) FROM payment_operation o JOIN payment p ON p.id = o.payment_id \
         WHERE o.state IN ('requested', 'unknown') AND p.gateway = $1";
    Ok(Health {
        secret: db::settings::get::<String>(sql, &webhook::secret_setting(gateway)).await?.is_some(),
        inbox: webhook::inbox(sql, &webhook::source(gateway)).await?,
        open: sql.scalar(text, [gateway.into()]).await?.unwrap_or(0),
    })
}

/// Asks the gateway, and tells it with the rest.
///
/// # Errors
/// A fault of the database. That the gateway does not answer is a finding and no error.
pub(crate) async fn probe(
    sql: &Sql,
    gateways: &Gateways,
    outside: &dyn Outside,
    code: &str,
) -> Result<Option<Vec<Check>>, Fault> {
    let Some(gateway) = gateways.find(code) else { return Ok(None) };
    let mut found = vec![connection(gateway, outside, "EUR".parse()?).await];
    found.extend(findings(&health(sql, code).await?, gateway.card().webhooks));
    Ok(Some(found))
}

/// The question about an operation that nobody made: its id is from before there were any.
fn question(currency: Currency) -> Ask {
    let operation = OperationId(1);
    Ask {
        payment: PaymentId(1),
        operation,
        key: operation.to_string(),
        act: Act::Authorise,
        method: "card".to_owned(),
        token: None,
        reference: None,
        currency,
        amount: 1,
        attempt: 1,
    }
}

async fn connection(gateway: &dyn Gateway, outside: &dyn Outside, currency: Currency) -> Check {
    let ask = question(currency);
    let call = match gateway.query(&ask) {
        Plan::Settled(_) => return Check::good("It needs no connection: nobody outside is called."),
        Plan::Call(call) => call,
    };
    match outside.call(call).await {
        Err(no_answer) => Check::bad(
            format!("It could not be reached: {}.", no_answer.0.trim_end_matches('.')),
            "Check that this machine reaches the internet (name resolution, firewall, proxy), then test again.",
        ),
        Ok(answer) => match gateway.read(&ask, &answer) {
            Answer::Facts(_) | Answer::NeverHappened => {
                Check::good("It answered, and knows nothing of an operation that was never made.")
            }
            Answer::Unknown(_) if matches!(answer.status, 401 | 403) => Check::bad(
                format!("It refused our credentials (status {}).", answer.status),
                "The key is wrong, was revoked, or belongs to the other of test and live. Take a new one from the gateway's pages.",
            ),
            Answer::Unknown(_) if answer.status == 429 => Check::warn(
                "It answers, but says we ask too often (status 429).",
                "Wait a minute and test again. If it stays so, ask the gateway to raise the limit.",
            ),
            Answer::Unknown(why) if answer.status >= 500 => Check::bad(
                format!("It has trouble of its own (status {}): {why}.", answer.status),
                "Look at the gateway's status page. What is asked meanwhile is kept and asked again.",
            ),
            Answer::Unknown(why) => Check::bad(
                format!("Its answer does not read: {why}."),
                "The gateway may have changed its interface, or something between here and there answers in its place, such as a proxy.",
            ),
        },
    }
}

/// What the rest says. Pure.
fn findings(health: &Health, webhooks: bool) -> Vec<Check> {
    let mut found = Vec::new();
    match (webhooks, health.secret, health.inbox.newest) {
        (false, ..) => {}
        (true, false, _) => found.push(Check::bad(
            "The secret of its webhooks is not set: what it sends is refused.",
            "Copy the signing secret from the gateway's pages into the form here, and the address here into the gateway's pages.",
        )),
        (true, true, None) => found.push(Check::warn(
            "No webhook has come yet.",
            "Enter the address here in the gateway's pages and send a test message from there. Until then, answers are asked for.",
        )),
        (true, true, Some(at)) => found.push(Check::good(format!("Webhooks come; the newest on {at}."))),
    }
    if health.inbox.waiting > 0 {
        found.push(Check::warn(
            format!("{} webhooks wait to be applied.", health.inbox.waiting),
            "They are tried again by themselves. If the number stays, look at Developers, Jobs.",
        ));
    }
    if let Some(error) = health.inbox.error.as_ref().filter(|_| health.inbox.failed > 0) {
        found.push(Check::warn(
            format!("{} webhooks did not read, as: {error}.", health.inbox.failed),
            "They are kept as they came. Compare the version of the gateway's interface with its documentation below.",
        ));
    }
    if health.open > 0 {
        found.push(Check::warn(
            format!("{} operations have no answer yet.", health.open),
            "They are asked for by themselves. Those older than an hour are worth a look in the gateway's pages.",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Timestamp;

    #[test]
    fn every_state_has_its_finding() {
        let good =
            Health { secret: true, inbox: Inbox { newest: Some(Timestamp(0)), ..Inbox::default() }, open: 0 };
        assert!(findings(&good, true).iter().all(Check::is_good));
        assert_eq!(findings(&Health::default(), false), vec![], "nothing is asked of one that sends none");
        assert!(!findings(&Health::default(), true)[0].is_good());
        let quiet = Health { secret: true, ..Health::default() };
        assert!(!findings(&quiet, true)[0].is_good());
        let inbox = Inbox { waiting: 1, failed: 1, error: Some("x".into()), ..good.inbox.clone() };
        let troubled = Health { inbox, open: 2, ..good };
        assert_eq!(findings(&troubled, true).iter().filter(|c| !c.is_good()).count(), 3);
    }
}
