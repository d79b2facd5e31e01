//! Wall times as a picture: a group of bars for each scenario, a bar for each manager.
//!
//! Scenarios take from milliseconds to seconds, so each group has a scale of its own: its longest
//! bar is as wide as there is room.

use std::fmt::Write;

use super::report::{MEASURES, Report};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 230.0;
/// The longest bar; what is right of it is for its figures.
const BAR: f64 = 470.0;
const BAR_HEIGHT: f64 = 16.0;
const GAP: f64 = 14.0;
const TOP: f64 = 64.0;
const COLOURS: &[&str] = &["#d9480f", "#495057", "#868e96", "#adb5bd"];

/// Draws a report as SVG.
pub(crate) fn draw(report: &Report) -> String {
    let wall = &MEASURES[0];
    let mut body = String::new();
    let mut y = TOP;
    for row in &report.rows {
        let summaries = row.summaries(wall);
        let longest = summaries.iter().flatten().map(|one| one.highest).fold(0.0, f64::max);
        let height = BAR_HEIGHT * summaries.len() as f64;
        text(&mut body, LEFT - 10.0, y + height / 2.0 + 4.0, "end", row.scenario);
        for (position, summary) in summaries.iter().enumerate() {
            let middle = y + BAR_HEIGHT / 2.0;
            if let Some(summary) = summary {
                let scale = |value: f64| LEFT + value / longest * BAR;
                let colour = COLOURS[position % COLOURS.len()];
                let width = scale(summary.median) - LEFT;
                let bar_height = BAR_HEIGHT - 3.0;
                line(
                    &mut body,
                    &format!(
                        r#"<rect x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{bar_height}" fill="{colour}"/>"#
                    ),
                );
                let (from, to) = (scale(summary.lowest), scale(summary.highest));
                let at = middle - 1.5;
                line(
                    &mut body,
                    &format!(
                        r##"<path d="M{from:.1} {at:.1}H{to:.1}" stroke="#000" stroke-width="1"/>"##
                    ),
                );
                let right = to.max(LEFT + width) + 6.0;
                text(&mut body, right, middle + 3.0, "start", &summary.show());
            } else {
                text(&mut body, LEFT + 4.0, middle + 3.0, "start", "failed");
            }
            y += BAR_HEIGHT;
        }
        y += GAP;
    }
    let mut head = String::new();
    text(&mut head, 10.0, 20.0, "start", &format!("{}: {}", wall.title, report.title()));
    let mut x = LEFT;
    for (position, (name, version)) in report.managers.iter().enumerate() {
        let colour = COLOURS[position % COLOURS.len()];
        line(
            &mut head,
            &format!(r#"<rect x="{x}" y="34" width="12" height="12" fill="{colour}"/>"#),
        );
        text(&mut head, x + 17.0, 44.0, "start", &format!("{name} {version}"));
        x += 130.0;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" \
         viewBox=\"0 0 {WIDTH} {y}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{head}{body}</svg>\n"
    )
}

fn line(into: &mut String, text: &str) {
    into.push_str(text);
    into.push('\n');
}

fn text(into: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    // Writing to a string does not fail.
    let _ = writeln!(into, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    #[test]
    fn bars_are_as_long_as_they_took() {
        let svg = draw(&report());
        // Of 1010 ms, which fill the width.
        assert!(svg.contains(r#"width="372.3""#), "{svg}");
        assert!(svg.contains(">800 (790 to 900)</text>"), "{svg}");
        assert!(svg.contains(">failed</text>"), "{svg}");
        assert_eq!(svg.matches("<rect x=\"230\"").count(), 3 + 1, "{svg}");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}
