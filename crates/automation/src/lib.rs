//! Telling others: webhooks to other programs, e-mails to customers, and the event feed for those who come and ask.
//!
//! Invariants: an endpoint gets an event at least once, and no more often than it failed to say that it has it; a customer gets one
//! e-mail for an event and template; nothing goes out inside a transaction; what could not go out is kept, visible and can be sent
//! again. History that is imported is announced to nobody (the event log does not offer it to listeners).

pub mod api;
pub mod compose;
pub mod deliver;
pub mod events;
pub mod feed;
pub mod jobs;
pub mod kinds;
pub mod laws;
mod model;
mod pages;
pub mod people;
pub mod read;
pub mod replay;
pub mod send;
pub mod subscribe;
pub mod templates;

pub use model::{DeliveryId, EndpointId, MailId};
pub use send::{Mailer, NotTaken, Post};

/// What this slice brings into the program.
pub const SLICE: web::Slice = web::Slice {
    name: "automation",
    permissions: &[
        web::grant::<api::ReadEvents>(),
        web::grant::<api::ReadWebhooks>(),
        web::grant::<api::WriteWebhooks>(),
        web::grant::<api::ReadJobs>(),
        web::grant::<api::WriteJobs>(),
        web::grant::<api::ReadMails>(),
        web::grant::<api::WriteMails>(),
    ],
    listeners: LISTENERS,
    jobs: JOBS,
    timers: TIMERS,
    laws: laws::LAWS,
    codes: &[
        subscribe::EndpointRefused::CODES,
        replay::ReplayRefused::CODES,
        send::SendRefused::CODES,
        templates::TemplateRefused::CODES,
        jobs::MoveRefused::CODES,
    ],
    api: api::routes,
    pages: pages::routes,
    menu: pages::MENU,
    ..web::Slice::EMPTY
};

/// What hears of events.
pub const LISTENERS: &[db::Listener] = &[
    db::Listener {
        name: "automation.webhooks",
        kinds: &["*"],
        // A test is for its endpoint, whatever that hears.
        wanted: Some(
            "SELECT DISTINCT kinds FROM webhook_endpoint WHERE active = TRUE UNION ALL SELECT '[\"webhook.tested\"]'",
        ),
        run: deliver::queue,
    },
    db::Listener { name: "automation.mail", kinds: compose::KINDS, wanted: None, run: compose::compose },
    db::Listener { name: "automation.people", kinds: people::KINDS, wanted: None, run: people::compose },
];
/// Background work.
pub const JOBS: &[db::JobKind] =
    &[db::JobKind::of::<deliver::Deliver>(), db::JobKind::of::<send::SendMail>()];
/// Timed work.
pub const TIMERS: &[db::Timer] =
    &[db::Timer { name: "automation.webhooks_due", every_s: 5, run: deliver::wake }];
