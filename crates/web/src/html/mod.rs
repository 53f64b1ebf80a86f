//! Components of pages, as functions that give markup; `/design` shows all of them in all their states.
//!
//! Everything is escaped by maud; nothing here reads the database. No component writes a `style` attribute or a script: the policy of
//! every page forbids both, so looks are classes of `assets/app.css` and behaviour is an attribute that `assets/app.js` or `assets/forms.js` knows.

mod badge;
mod bits;
mod chart;
mod checks;
mod choice;
mod entry;
mod figures;
mod form;
mod list;
mod overlay;
mod sums;
mod table;
mod timeline;

pub use badge::{Tone, badge, status_tone, statuses, tag};
pub use bits::{
    Icon, alert, amount, avatar, button, card, card_with, copy, date, day, day_of_year, empty, empty_with,
    facts, grouped, halves, icon, keys, link, money, month, note, person, progress, split, time, time_exact,
    words,
};
pub use chart::{Chart, Series, Stat, bars, lines, sparkline, stat, stats};
pub use checks::{Check, checks};
pub use choice::{
    Card, Combobox, Select, checkbox, combobox, options, options_with, radio_cards, select, select_field,
    select_required, switch,
};
pub use entry::{entry_lines, more_lines};
pub use figures::{age, count, none, or_none, plain, weight};
pub use form::{Field, amount_field, field, fields, file_field, form_buttons, money_field};
pub use list::{Tab, Toggle, filter_bar, filters, next_link, pages, query, tabs};
pub use overlay::{Item, ask_first, confirm, confirm_with, dialog, menu, opens, side_panel};
pub use sums::{Sum, breakdown};
pub use table::{Bulk, Col, Row, Sort, Table};
pub use timeline::{Moment, moments, timeline, timeline_item};

#[cfg(test)]
mod tests;
