//! The steps that bring an order to the state it had, at the historic times. Invariant: steps never go back in
//! time. Where the file's times do, the ones the customer saw (purchase, delivery) stand, the hand-over to the
//! carrier is moved between them, and the approval of the payment is moved before the hand-over; each change is
//! a [`Note`] that keeps the time of the file.

use std::fmt;

use super::orders::{Payment, Status};

/// One command to run. Times are µs since the epoch, UTC; payments and parcels are indices into the order's own
/// lists. Steps at the same instant are run in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are explained once, above")]
pub enum Step {
    /// The order is placed, with the prices, freight and adjustment it carries.
    Place { at: i64 },
    /// Each line is allocated at its own seller.
    Allocate { at: i64 },
    /// A card is authorised for the payment's value.
    Authorise { at: i64, payment: usize },
    /// The payment's value is captured (or received, where nothing was authorised).
    Capture { at: i64, payment: usize },
    /// The seller is asked to ship the parcel.
    RequestDropship { at: i64, parcel: usize },
    /// The seller accepts.
    Accept { at: i64, parcel: usize },
    /// The seller has none: allocation is undone, the seller's stock of these SKUs written off, the lines backordered.
    Decline { at: i64, parcel: usize },
    /// The parcel is packed and invoiced.
    Pack { at: i64, parcel: usize },
    /// The carrier has it.
    Ship { at: i64, parcel: usize },
    /// The customer has it.
    Deliver { at: i64, parcel: usize },
    /// Everything not shipped is cancelled, allocations and authorisations are undone.
    Cancel { at: i64 },
    /// Everything shipped is returned, received and restocked at the seller.
    Return { at: i64 },
    /// What was captured of the payment is refunded in full.
    Refund { at: i64, payment: usize },
}

impl Step {
    /// When the step happens.
    pub fn at(&self) -> i64 {
        match *self {
            Step::Place { at }
            | Step::Allocate { at }
            | Step::Authorise { at, .. }
            | Step::Capture { at, .. }
            | Step::RequestDropship { at, .. }
            | Step::Accept { at, .. }
            | Step::Decline { at, .. }
            | Step::Pack { at, .. }
            | Step::Ship { at, .. }
            | Step::Deliver { at, .. }
            | Step::Cancel { at }
            | Step::Return { at }
            | Step::Refund { at, .. } => at,
        }
    }
}

/// Where a script leaves the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    /// Placed and unpaid (`created`).
    Placed,
    /// Paid and allocated (`approved`).
    Paid,
    /// Accepted by the sellers (`processing`).
    Accepted,
    /// Packed and invoiced, not handed over (`invoiced`).
    Packed,
    /// With the carrier (`shipped`).
    Shipped,
    /// With the customer (`delivered`).
    Delivered,
    /// Paid, declined by the seller, backordered (`unavailable`).
    Declined,
    /// Cancelled before hand-over (`canceled`).
    Cancelled,
    /// Cancelled after hand-over: returned and refunded (`canceled`).
    Returned,
}

/// Reads the ending off the steps alone, so that it proves the script and not the status it was made from.
pub fn ending(steps: &[Step]) -> Ending {
    steps.iter().fold(Ending::Placed, |ending, step| match step {
        Step::Place { .. } | Step::Allocate { .. } | Step::Authorise { .. } => ending,
        Step::RequestDropship { .. } | Step::Refund { .. } => ending,
        Step::Capture { .. } => Ending::Paid,
        Step::Accept { .. } => Ending::Accepted,
        Step::Decline { .. } => Ending::Declined,
        Step::Pack { .. } => Ending::Packed,
        Step::Ship { .. } => Ending::Shipped,
        Step::Deliver { .. } => Ending::Delivered,
        Step::Cancel { .. } => Ending::Cancelled,
        Step::Return { .. } => Ending::Returned,
    })
}

/// The times the file has for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Milestone {
    /// Payment approved.
    Approved,
    /// Handed to the carrier.
    HandedOver,
    /// Delivered.
    Delivered,
}

/// Something about an order that was not taken as it stands. Times are µs since the epoch, UTC; `sequence` is the
/// payment's number in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are explained once, above")]
pub enum Note {
    /// A time out of sequence was moved.
    Moved { what: Milestone, from: i64, to: i64 },
    /// A time the status needs is not in the file.
    Missing { what: Milestone, assumed: i64 },
    /// A time that contradicts the status was left out.
    Ignored { what: Milestone, at: i64 },
    /// `canceled` although a carrier had the parcel: booked as a return of everything.
    CancelledAfterHandOver,
    /// A payment row of 0.00: nothing to collect.
    ZeroPayment { sequence: i64 },
    /// The order has lines but no payment: it stays unpaid.
    Unpaid,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |what: &Milestone| match what {
            Milestone::Approved => "payment approved",
            Milestone::HandedOver => "handed to the carrier",
            Milestone::Delivered => "delivered",
        };
        let time = |at: i64| {
            let at = chrono::DateTime::from_timestamp_micros(at);
            at.map_or_else(|| "?".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
        };
        match self {
            Note::Moved { what, from, to } => {
                write!(
                    f,
                    "{}: {} in the file, out of sequence, booked at {}",
                    name(what),
                    time(*from),
                    time(*to)
                )
            }
            Note::Missing { what, assumed } => {
                write!(f, "{}: not in the file, booked at {}", name(what), time(*assumed))
            }
            Note::Ignored { what, at } => {
                write!(f, "{}: {} contradicts the status, not booked", name(what), time(*at))
            }
            Note::CancelledAfterHandOver => write!(f, "cancelled after hand-over, booked as a full return"),
            Note::ZeroPayment { sequence } => write!(f, "payment {sequence} is of 0.00, not booked"),
            Note::Unpaid => write!(f, "the file has no payment, the order stays unpaid"),
        }
    }
}

/// The times of an order as in the file, µs since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) purchased: i64,
    pub(super) approved: Option<i64>,
    pub(super) handed_over: Option<i64>,
    pub(super) delivered: Option<i64>,
    /// The latest hand-over the sellers were asked for.
    pub(super) ship_by: i64,
    /// The last instant of the promised day.
    pub(super) promised_by: i64,
}

/// Writes the script of an order with these payments (values above zero) and this many parcels.
pub(super) fn write_script(
    status: Status,
    times: Times,
    payments: &[Payment],
    parcels: usize,
) -> (Vec<Step>, Vec<Note>) {
    let mut notes = Vec::new();
    let times = straighten(leave_out(times, status, &mut notes), status, &mut notes);
    let placed = times.purchased;
    let mut steps = vec![Step::Place { at: placed }, Step::Allocate { at: placed }];
    if status == Status::Created {
        return (steps, notes);
    }
    let each_payment = 0..payments.len();
    let cards = each_payment.clone().filter(|&payment| payments[payment].method.is_authorised());
    steps.extend(cards.map(|payment| Step::Authorise { at: placed, payment }));
    if let Some(at) = times.approved {
        steps.extend(each_payment.clone().map(|payment| Step::Capture { at, payment }));
    }
    let approved = times.approved.unwrap_or(placed);
    let mut for_each_parcel =
        |at: i64, step: fn(i64, usize) -> Step| steps.extend((0..parcels).map(|parcel| step(at, parcel)));
    if status != Status::Approved && (status != Status::Canceled || times.handed_over.is_some()) {
        for_each_parcel(approved, |at, parcel| Step::RequestDropship { at, parcel });
        if status == Status::Unavailable {
            for_each_parcel(approved, |at, parcel| Step::Decline { at, parcel });
        } else {
            for_each_parcel(approved, |at, parcel| Step::Accept { at, parcel });
        }
    }
    if status == Status::Invoiced {
        for_each_parcel(approved, |at, parcel| Step::Pack { at, parcel });
    }
    if let Some(at) = times.handed_over {
        for_each_parcel(at, |at, parcel| Step::Pack { at, parcel });
        for_each_parcel(at, |at, parcel| Step::Ship { at, parcel });
    }
    if let Some(at) = times.delivered {
        for_each_parcel(at, |at, parcel| Step::Deliver { at, parcel });
    }
    if status == Status::Canceled {
        // The file does not say when: at the last thing known to have happened.
        let at = times.delivered.or(times.handed_over).unwrap_or(approved);
        if times.handed_over.is_some() {
            notes.push(Note::CancelledAfterHandOver);
            steps.push(Step::Return { at });
        } else {
            steps.push(Step::Cancel { at });
        }
        if times.approved.is_some() {
            steps.extend(each_payment.map(|payment| Step::Refund { at, payment }));
        }
    }
    (steps, notes)
}

/// Drops the times that the status denies.
fn leave_out(mut times: Times, status: Status, notes: &mut Vec<Note>) -> Times {
    let mut ignore = |time: &mut Option<i64>, what| {
        if let Some(at) = time.take() {
            notes.push(Note::Ignored { what, at });
        }
    };
    match status {
        Status::Delivered | Status::Canceled => {}
        Status::Shipped => ignore(&mut times.delivered, Milestone::Delivered),
        Status::Created | Status::Approved | Status::Processing | Status::Invoiced | Status::Unavailable => {
            if status == Status::Created {
                ignore(&mut times.approved, Milestone::Approved);
            }
            ignore(&mut times.handed_over, Milestone::HandedOver);
            ignore(&mut times.delivered, Milestone::Delivered);
        }
    }
    times
}

/// Fills the times the status needs, then puts them in sequence.
fn straighten(times: Times, status: Status, notes: &mut Vec<Note>) -> Times {
    let Times { purchased, ship_by, promised_by, .. } = times;
    let (mut approved, mut handed_over, mut delivered) = (times.approved, times.handed_over, times.delivered);
    let mut need = |time: &mut Option<i64>, what, assumed| {
        if time.is_none() {
            *time = Some(assumed);
            notes.push(Note::Missing { what, assumed });
        }
    };
    if status == Status::Delivered {
        let after = handed_over.unwrap_or(ship_by).max(purchased);
        need(&mut delivered, Milestone::Delivered, promised_by.max(after));
    }
    if matches!(status, Status::Delivered | Status::Shipped) || delivered.is_some() {
        let assumed = ship_by.max(approved.unwrap_or(purchased)).min(delivered.unwrap_or(i64::MAX));
        need(&mut handed_over, Milestone::HandedOver, assumed);
    }
    if !matches!(status, Status::Created | Status::Canceled) || handed_over.is_some() {
        need(&mut approved, Milestone::Approved, purchased);
    }
    let mut fit = |time: &mut Option<i64>, what, latest: Option<i64>| {
        if let Some(from) = *time {
            let to = from.min(latest.unwrap_or(i64::MAX)).max(purchased);
            if to != from {
                *time = Some(to);
                notes.push(Note::Moved { what, from, to });
            }
        }
    };
    fit(&mut delivered, Milestone::Delivered, None);
    fit(&mut handed_over, Milestone::HandedOver, delivered);
    fit(&mut approved, Milestone::Approved, handed_over);
    Times { approved, handed_over, delivered, ..times }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::orders::Method;
    use super::*;

    fn times(approved: Option<i64>, handed_over: Option<i64>, delivered: Option<i64>) -> Times {
        Times { purchased: 100, approved, handed_over, delivered, ship_by: 300, promised_by: 900 }
    }

    fn payments() -> Vec<Payment> {
        let payment = |sequence, method, value| Payment { sequence, method, instalments: 1, value };
        vec![payment(1, Method::CreditCard, 500), payment(2, Method::Voucher, 50)]
    }

    fn run(status: Status, times: Times) -> (Ending, Vec<i64>, Vec<Note>) {
        let (steps, notes) = write_script(status, times, &payments(), 1);
        (ending(&steps), steps.iter().map(Step::at).collect(), notes)
    }

    #[test]
    fn every_status_ends_where_it_was() {
        let (a, c, d) = (Some(110), Some(200), Some(400));
        let cases = [
            (Status::Created, times(None, None, None), Ending::Placed),
            (Status::Approved, times(a, None, None), Ending::Paid),
            (Status::Processing, times(a, None, None), Ending::Accepted),
            (Status::Invoiced, times(a, None, None), Ending::Packed),
            (Status::Unavailable, times(a, None, None), Ending::Declined),
            (Status::Shipped, times(a, c, None), Ending::Shipped),
            (Status::Delivered, times(a, c, d), Ending::Delivered),
            (Status::Canceled, times(None, None, None), Ending::Cancelled),
            (Status::Canceled, times(a, None, None), Ending::Cancelled),
            (Status::Canceled, times(a, c, None), Ending::Returned),
            (Status::Canceled, times(a, c, d), Ending::Returned),
        ];
        for (status, times, expected) in cases {
            assert_eq!(run(status, times).0, expected, "{status:?}");
        }
    }

    #[test]
    fn a_delivered_order_step_by_step() {
        let (steps, notes) =
            write_script(Status::Delivered, times(Some(110), Some(200), Some(400)), &payments(), 1);
        let expected = [
            Step::Place { at: 100 },
            Step::Allocate { at: 100 },
            Step::Authorise { at: 100, payment: 0 },
            Step::Capture { at: 110, payment: 0 },
            Step::Capture { at: 110, payment: 1 },
            Step::RequestDropship { at: 110, parcel: 0 },
            Step::Accept { at: 110, parcel: 0 },
            Step::Pack { at: 200, parcel: 0 },
            Step::Ship { at: 200, parcel: 0 },
            Step::Deliver { at: 400, parcel: 0 },
        ];
        assert_eq!(steps, expected);
        assert!(notes.is_empty());
    }

    #[test]
    fn times_out_of_sequence_are_moved_and_noted() {
        let moved = |what, from, to| Note::Moved { what, from, to };
        let missing = |what, assumed| Note::Missing { what, assumed };
        let cases = [
            // Approved after hand-over: the approval moves.
            (times(Some(250), Some(200), Some(400)), vec![moved(Milestone::Approved, 250, 200)]),
            // Handed over before the purchase.
            (
                times(Some(110), Some(90), Some(400)),
                vec![moved(Milestone::HandedOver, 90, 100), moved(Milestone::Approved, 110, 100)],
            ),
            // Delivered before hand-over: the delivery stands.
            (times(Some(110), Some(500), Some(400)), vec![moved(Milestone::HandedOver, 500, 400)]),
            // Delivered without a date: on the promised day.
            (times(Some(110), Some(200), None), vec![missing(Milestone::Delivered, 900)]),
            (
                times(None, None, None),
                vec![
                    missing(Milestone::Delivered, 900),
                    missing(Milestone::HandedOver, 300),
                    missing(Milestone::Approved, 100),
                ],
            ),
        ];
        for (times, expected) in cases {
            assert_eq!(run(Status::Delivered, times).2, expected);
        }
        let ignored = Note::Ignored { what: Milestone::HandedOver, at: 200 };
        assert_eq!(run(Status::Invoiced, times(Some(110), Some(200), None)).2, [ignored]);
    }

    proptest! {
        #[test]
        fn steps_never_go_back_and_cancelled_money_goes_back(
            status in prop::sample::select(&Status::ALL[..]),
            approved in prop::option::of(0i64..1000),
            handed_over in prop::option::of(0i64..1000),
            delivered in prop::option::of(0i64..1000),
        ) {
            let (steps, _) = write_script(status, times(approved, handed_over, delivered), &payments(), 2);
            prop_assert!(steps.is_sorted_by_key(Step::at));
            let count = |wanted: fn(&Step) -> bool| steps.iter().filter(|s| wanted(s)).count();
            let captured = count(|s| matches!(s, Step::Capture { .. }));
            let refunded = count(|s| matches!(s, Step::Refund { .. }));
            prop_assert_eq!(refunded, if status == Status::Canceled { captured } else { 0 });
            let shipped = count(|s| matches!(s, Step::Ship { .. }));
            prop_assert_eq!(shipped, count(|s| matches!(s, Step::Pack { .. })) * usize::from(status != Status::Invoiced));
        }
    }
}
