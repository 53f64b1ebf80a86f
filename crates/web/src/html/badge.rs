//! Statuses and labels. Invariant: a status is always words and colour, and every status of the domain has its colour by decision: what
//! is not listed shows grey, and a test names it.

use maud::{Markup, html};

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Done and well.
    Good,
    /// On its way; nothing to do.
    Info,
    /// Somebody should look at it.
    Warn,
    /// It went wrong.
    Bad,
    /// Over, or of no weight.
    Quiet,
    /// Stands out for another reason, as express.
    Accent,
}

impl Tone {
    /// Every tone.
    pub const ALL: [Self; 6] = [Self::Good, Self::Info, Self::Warn, Self::Bad, Self::Quiet, Self::Accent];
    /// As classes end in.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
            Self::Accent => "accent",
        }
    }
}

/// The statuses of the domain by what they say to the person who reads a list.
pub(super) const STATUSES: &[(Tone, &[&str])] = &[
    (
        Tone::Good,
        &[
            "delivered",
            "paid",
            "captured",
            "fulfilled",
            "closed",
            "settled",
            "won",
            "accepted",
            "succeeded",
            "active",
            "restock",
            "approved",
            "solved",
            "kept",
            "done",
            "verified",
        ],
    ),
    (
        Tone::Info,
        &[
            "shipped",
            "in_transit",
            "out_for_delivery",
            "available_for_pickup",
            "authorised",
            "allocated",
            "in_progress",
            "label_purchased",
            "received",
            "partial",
            "picked",
            "packed",
            "running",
            "incomplete",
            "requested",
            "open",
            "new",
            "opened",
            "scheduled",
            "challenged",
            "queued",
            "invited",
        ],
    ),
    (
        Tone::Warn,
        &[
            "on_hold",
            "hold",
            "backordered",
            "requires_action",
            "partially_paid",
            "partially_refunded",
            "partially_captured",
            "awaiting",
            "pending",
            "waiting",
            "manual_review",
            "risk_review",
            "payment_due",
            "address_invalid",
            "customer_request",
            "manual",
            "probable_duplicate",
            "attempt_failed",
            "overpaid",
            "short",
            "quarantine",
            "refurbish",
            "snoozed",
            "pending_customer",
            "pending_bot",
            "unknown",
            "late",
            "retrying",
            "out_of_stock",
        ],
    ),
    (
        Tone::Bad,
        &[
            "failed",
            "lost",
            "lost_in_transit",
            "wrong_item",
            "expired",
            "disputed",
            "rejected",
            "declined",
            "dead",
            "conflicted",
            "exception",
            "returned_to_sender",
            "scrap",
            "broken",
            "stock_out",
        ],
    ),
    (
        Tone::Quiet,
        &[
            "unfulfilled",
            "unpaid",
            "cancelled",
            "voided",
            "refunded",
            "returned",
            "draft",
            "merged",
            "to_vendor",
            "customer_keeps",
            "inactive",
            "not_for_sale",
            "none",
            "released",
            "revoked",
        ],
    ),
    (Tone::Accent, &["express"]),
];

/// What a status says; what is not known is quiet.
pub fn status_tone(status: &str) -> Tone {
    STATUSES.iter().find(|(_, names)| names.contains(&status)).map_or(Tone::Quiet, |(tone, _)| *tone)
}

/// The statuses of a tone.
pub fn statuses(tone: Tone) -> impl Iterator<Item = &'static str> {
    STATUSES.iter().filter(move |(t, _)| *t == tone).flat_map(|(_, names)| names.iter().copied())
}

/// A status in its colour; underscores read as spaces.
pub fn badge(status: &str) -> Markup {
    tag(&status.replace('_', " "), status_tone(status))
}

/// A label in a tone.
pub fn tag(text: &str, tone: Tone) -> Markup {
    html! { span class={ "tag tag-" (tone.as_str()) } { (text) } }
}
