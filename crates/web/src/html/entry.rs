//! Lines of one kind that a form has as many of as are needed: items of an order, SKUs of a delivery. Invariant: a line that the browser
//! adds is the one that the server would have made, under the next number.

use maud::{Markup, html};

/// What stands in names for the number of a line that is still to be made, counted from 0.
const INDEX: &str = "line0";
/// The same as people count, from 1.
const NUMBER: &str = "line1";

/// `shown` lines, and the means to add more up to `most`; `line` makes one of its number in names and its number for people. What is
/// scanned into a [`super::combobox`] of one leads to the next line; without any, a new line begins in its first field. `class` is that of a line.
pub fn entry_lines(
    id: &str,
    class: &str,
    (shown, most): (usize, usize),
    line: impl Fn(&str, &str) -> Markup,
) -> Markup {
    let one = |index: &str, number: &str| {
        html! { div class=(class) data-line role="group" aria-label={ "Item " (number) } { (line(index, number)) } }
    };
    html! {
        div id=(id) data-lines data-most=(most) {
            @for i in 0..shown { (one(&i.to_string(), &(i + 1).to_string())) }
            template { (one(INDEX, NUMBER)) }
        }
    }
}

/// The button that adds a line to those with this id. Where no script runs it sends the form with `do=more`.
pub fn more_lines(id: &str, label: &str) -> Markup {
    html! { button.btn type="submit" name="do" value="more" data-more=(id) { (label) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_added_is_the_one_the_server_would_make() {
        let of = |shown| {
            let field =
                |i: &str, n: &str| html! { input name={ "sku-" (i) } id={ "field-sku-" (i) } title=(n); };
            entry_lines("lines", "entry-line", (shown, 200), field).into_string()
        };
        let template = |page: &str| {
            page.split_once("<template>").unwrap().1.split_once("</template>").unwrap().0.to_owned()
        };
        let added = template(&of(1)).replace(INDEX, "1").replace(NUMBER, "2");
        assert!(of(2).contains(&format!("{added}<template>")), "{added}");
        assert!(added.contains(r#"name="sku-1""#) && added.contains(r#"aria-label="Item 2""#), "{added}");
    }
}
