//! What happened, newest or oldest first, as a list.

use super::{Icon, Tone, icon, time};
use kernel::Timestamp;
use maud::{Markup, html};

/// One thing that happened.
pub struct Moment<'a> {
    /// When.
    pub at: Timestamp,
    /// What, in a few words.
    pub title: &'a str,
    /// Who did it, or empty.
    pub by: &'a str,
    /// The rest.
    pub detail: Markup,
    /// Its picture.
    pub icon: Icon,
    /// What it says at a glance.
    pub tone: Tone,
}

/// What happened, as a list.
pub fn moments<'a>(items: impl IntoIterator<Item = Moment<'a>>) -> Markup {
    html! { ol.moments { @for m in items { (moment(&m)) } } }
}

fn moment(m: &Moment<'_>) -> Markup {
    html! {
        li.moment {
            span class={ "moment-icon tone-" (m.tone.as_str()) } { (icon(m.icon)) }
            div.moment-body {
                p.moment-title { strong { (m.title) } " " span.text-secondary { (time(m.at)) } }
                div.moment-detail { (m.detail) }
                @if !m.by.is_empty() { p.moment-by.text-secondary { bdi { (m.by) } } }
            }
        }
    }
}

/// One thing that happened, for the list of a [`timeline`].
pub fn timeline_item(at: Timestamp, title: &str, by: &str, detail: Markup) -> Markup {
    moment(&Moment { at, title, by, detail, icon: Icon::Point, tone: Tone::Quiet })
}

/// What happened, as a list of [`timeline_item`]s.
pub fn timeline(items: impl IntoIterator<Item = Markup>) -> Markup {
    html! { ol.moments { @for item in items { (item) } } }
}
