//! An amount and what it is made of.

use super::money;
use kernel::Money;
use maud::{Markup, html};

/// A line of a [`breakdown`].
#[derive(Debug, Clone)]
pub enum Sum<'a> {
    /// A part.
    Part(&'a str, Money),
    /// What the parts above come to.
    Total(&'a str, Money),
    /// What stands apart and should be seen, as what is still owed.
    Due(&'a str, Money),
}

/// Parts and totals, one below the other, with the digits in line.
pub fn breakdown(lines: &[Sum<'_>]) -> Markup {
    html! {
        dl.breakdown {
            @for line in lines {
                @let (class, name, amount) = match line {
                    Sum::Part(name, amount) => ("sum-part", name, amount),
                    Sum::Total(name, amount) => ("sum-total", name, amount),
                    Sum::Due(name, amount) => ("sum-due", name, amount),
                };
                div class=(class) { dt { (name) } dd { (money(*amount)) } }
            }
        }
    }
}
