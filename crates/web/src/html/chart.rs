//! Charts as SVG made on the server, and tiles with one figure. Every chart has a table with the same figures for those who listen.

use super::{Icon, Tone, icon};
use maud::{Markup, html};

/// Width and height of a chart in its own units; the page scales it.
const SIZE: (f64, f64) = (640.0, 220.0);
/// Room for the figures at the left, the labels below, and above.
const LEFT: f64 = 62.0;
const BELOW: f64 = 32.0;
const ABOVE: f64 = 12.0;

/// One line or one set of bars.
#[derive(Debug, Clone)]
pub struct Series<'a> {
    /// As the legend names it.
    pub name: &'a str,
    /// A value for each label of the chart.
    pub values: &'a [f64],
}

/// A chart of one or a few series over the same labels.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// What it shows, in a few words.
    pub title: &'a str,
    /// Below the bars or points, as days.
    pub labels: &'a [&'a str],
    /// What is drawn.
    pub series: &'a [Series<'a>],
    /// How a value reads, as an amount.
    pub shown: fn(f64) -> String,
}

impl Chart<'_> {
    fn top(&self) -> f64 {
        let most = self.series.iter().flat_map(|s| s.values).copied().fold(0.0_f64, f64::max);
        round_up(most)
    }
    fn y(&self, value: f64, top: f64) -> f64 {
        let height = SIZE.1 - BELOW - ABOVE;
        SIZE.1 - BELOW - height * (value.max(0.0) / top)
    }
    /// The width that belongs to one label.
    fn step(&self) -> f64 {
        (SIZE.0 - LEFT) / f64::from(u32::try_from(self.labels.len().max(1)).unwrap_or(u32::MAX))
    }
    fn x(&self, i: usize) -> f64 {
        LEFT + self.step() * (f64::from(u32::try_from(i).unwrap_or(u32::MAX)) + 0.5)
    }
}

/// Where an axis ends: at a figure that reads well and whose half is whole, because the line in the middle is named as well.
fn round_up(value: f64) -> f64 {
    if value <= 2.0 || !value.is_finite() {
        return 2.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let ends: &[f64] =
        if power < 10.0 { &[2.0, 4.0, 6.0, 8.0, 10.0] } else { &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0] };
    ends.iter().map(|m| m * power).find(|m| *m >= value * 0.9999).unwrap_or(value)
}

/// Two digits are more than a screen shows.
fn n(value: f64) -> String {
    format!("{value:.1}")
}

/// Bars, side by side for several series.
pub fn bars(chart: &Chart<'_>) -> Markup {
    let top = chart.top();
    let many = f64::from(u32::try_from(chart.series.len().max(1)).unwrap_or(1));
    let width = (chart.step() * 0.72 / many).min(48.0);
    figure(
        chart,
        top,
        html! {
            @for (k, series) in chart.series.iter().enumerate() {
                g class={ "series series-" (k) } {
                    @for (i, value) in series.values.iter().enumerate() {
                        @let offset = width * (f64::from(u32::try_from(k).unwrap_or(0)) - many / 2.0);
                        @let y = chart.y(*value, top);
                        rect x=(n(chart.x(i) + offset)) y=(n(y)) width=(n((width - 1.0).max(0.5))) height=(n(SIZE.1 - BELOW - y)) rx="1.5" {
                            title { (chart.labels.get(i).copied().unwrap_or_default()) " · " (series.name) ": " ((chart.shown)(*value)) }
                        }
                    }
                }
            }
        },
    )
}

/// Lines, the first with a shade below it.
pub fn lines(chart: &Chart<'_>) -> Markup {
    let top = chart.top();
    figure(
        chart,
        top,
        html! {
            @for (k, series) in chart.series.iter().enumerate() {
                @let points: Vec<String> = series.values.iter().enumerate().map(|(i, v)| format!("{},{}", n(chart.x(i)), n(chart.y(*v, top)))).collect();
                g class={ "series series-" (k) } {
                    @if k == 0 && !points.is_empty() {
                        polygon.shade points={ (n(chart.x(0))) "," (n(SIZE.1 - BELOW)) " " (points.join(" ")) " " (n(chart.x(points.len() - 1))) "," (n(SIZE.1 - BELOW)) } {}
                    }
                    polyline.line points=(points.join(" ")) {}
                }
            }
        },
    )
}

fn figure(chart: &Chart<'_>, top: f64, drawn: Markup) -> Markup {
    // Labels that would touch on a phone are left out; of days, those of one weekday stay.
    let every = chart.labels.len().div_ceil(6).max(1);
    let every = if every > 3 { every.next_multiple_of(7) } else { every };
    if chart.labels.is_empty() {
        return html! { figure.chart { figcaption { strong { (chart.title) } } p.text-secondary { "Nothing to show yet." } } };
    }
    html! {
        figure.chart {
            figcaption { strong { (chart.title) } @if chart.series.len() > 1 { (legend(chart)) } }
            svg viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } aria-hidden="true" focusable="false" {
                @for part in [0.0, 0.5, 1.0] {
                    @let y = n(chart.y(top * part, top));
                    line.grid x1=(LEFT) x2=(SIZE.0) y1=(y) y2=(y) {}
                    text.axis x=(LEFT - 6.0) y=(y) dy=".35em" text-anchor="end" { ((chart.shown)(top * part)) }
                }
                (drawn)
                @for (i, label) in chart.labels.iter().enumerate().filter(|(i, _)| i % every == 0) {
                    text.axis x=(n(chart.x(i))) y=(n(SIZE.1 - 7.0)) text-anchor="middle" { (label) }
                }
            }
            (figures(chart))
        }
    }
}

fn legend(chart: &Chart<'_>) -> Markup {
    html! { span.legend { @for (k, s) in chart.series.iter().enumerate() { span class={ "legend-item series-" (k) } { (s.name) } } } }
}

fn figures(chart: &Chart<'_>) -> Markup {
    html! {
        // A table is never less high than its rows: hidden by itself it would make the page longer.
        div.visually-hidden {
            table {
                caption { (chart.title) }
                thead { tr { td {} @for s in chart.series { th scope="col" { (s.name) } } } }
                tbody { @for (i, label) in chart.labels.iter().enumerate() {
                    tr { th scope="row" { (label) } @for s in chart.series { td { @if let Some(v) = s.values.get(i) { ((chart.shown)(*v)) } } } }
                } }
            }
        }
    }
}

/// A small line without axes, for a tile.
pub fn sparkline(values: &[f64]) -> Markup {
    let top = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let last = f64::from(u32::try_from(values.len().saturating_sub(1).max(1)).unwrap_or(u32::MAX));
    let points: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(i, v)| {
            let x = f64::from(u32::try_from(i).unwrap_or(u32::MAX)) / last * 120.0;
            format!("{},{}", n(x), n(30.0 - 28.0 * (v.max(0.0) / top)))
        })
        .collect();
    html! {
        @if values.len() > 1 {
            svg.sparkline viewBox="0 0 120 32" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                polygon.shade points={ "0,32 " (points.join(" ")) " 120,32" } {}
                polyline.line points=(points.join(" ")) {}
            }
        }
    }
}

/// A tile with one figure.
#[derive(Debug, Clone, Copy)]
pub struct Stat<'a> {
    /// What is counted.
    pub label: &'a str,
    /// The figure as it reads.
    pub value: &'a str,
    /// Below it, as “12 % more than last week”.
    pub detail: &'a str,
    /// How it went, oldest first; empty for none.
    pub trend: &'a [f64],
    /// Where the figure comes from, or empty.
    pub href: &'a str,
    /// What it says.
    pub tone: Tone,
}
impl Default for Stat<'_> {
    fn default() -> Self {
        Self { label: "", value: "", detail: "", trend: &[], href: "", tone: Tone::Quiet }
    }
}

/// The tile.
pub fn stat(s: &Stat<'_>) -> Markup {
    html! {
        div class={ "stat tone-" (s.tone.as_str()) } {
            div.stat-label {
                @if s.href.is_empty() { (s.label) } @else { a.stat-link href=(s.href) { (s.label) } (icon(Icon::ChevronRight)) }
            }
            div.stat-value { (s.value) }
            @if !s.detail.is_empty() { div.stat-detail { (s.detail) } }
            (sparkline(s.trend))
        }
    }
}

/// Tiles beside one another.
pub fn stats(tiles: &[Stat<'_>]) -> Markup {
    html! { div.stats { @for tile in tiles { (stat(tile)) } } }
}

#[cfg(test)]
mod tests {
    use super::round_up;

    #[test]
    fn the_middle_of_an_axis_is_whole_and_the_end_not_far_above_what_is_shown() {
        for (value, end) in [
            (0.0, 2.0),
            (0.3, 2.0),
            (2.0, 2.0),
            (3.0, 4.0),
            (5.0, 6.0),
            (9.0, 10.0),
            (12.0, 20.0),
            (26.0, 30.0),
            (2600.0, 3000.0),
        ] {
            assert!((round_up(value) - end).abs() < 1e-6, "{value} gives {}", round_up(value));
        }
        for value in 1..2000 {
            let end = round_up(f64::from(value));
            assert!(end >= f64::from(value) && (end / 2.0).fract() == 0.0, "{value} gives {end}");
        }
    }
}
