//! `deka search`: what the registry finds.

use std::fmt::Write as _;

use console::{Term, measure_text_width, truncate_str};
use deka_config::{Environment, LogLevel};
use deka_install::{Hit, Search};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::question;
use crate::arguments::{CommonArguments, SearchArguments};
use crate::commands::install::text::count;
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::render_error::printable;

/// That of `schemas/search.json`.
const SCHEMA_VERSION: u32 = 1;

/// How wide the table gets where nobody says how wide the terminal is.
const WIDTH: usize = 100;

/// A description gets at least this much room; without it, it has a line of its own.
const LEAST_DESCRIPTION: usize = 24;

/// Shows what is found.
pub(crate) fn run(
    arguments: &SearchArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let install = &arguments.install;
    let terms = install.adding.names().join(" ");
    if terms.trim().is_empty() {
        return Err(Diagnostic::usage("`deka search` needs a word to search for")
            .hint("Run `deka help search` for examples"));
    }
    let folder = environment.working_folder();
    let config = question::settings(install, common, environment, folder)?;
    let search = deka_install::search(&config, &terms, arguments.limit)?;
    if install.json {
        let packages = search.hits.iter().map(json).collect::<Value>();
        document::print(SCHEMA_VERSION, [("packages", packages), ("total", json!(search.total))]);
    } else if config.log_level >= LogLevel::Info {
        let width = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let terminal = Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        print(&text(&search, &terms, terminal.or(width).unwrap_or(WIDTH)));
    }
    Ok(())
}

fn text(search: &Search, terms: &str, width: usize) -> String {
    if search.hits.is_empty() {
        return format!("No packages found for `{}`\n", printable(terms));
    }
    let one_line = |text: &str| {
        let words: Vec<String> =
            printable(text).split_whitespace().map(ToOwned::to_owned).collect();
        words.join(" ")
    };
    // A hostile registry decides how long names are.
    let longest = (width / 3).clamp(10, 60);
    let rows: Vec<[String; 4]> = search
        .hits
        .iter()
        .map(|hit| {
            let short =
                |text: &str, most: usize| truncate_str(&one_line(text), most, "…").into_owned();
            let date = hit.date.get(..10).unwrap_or_default();
            [
                short(&hit.name, longest),
                short(&hit.version, (width / 4).min(20)),
                short(date, 10),
                one_line(&hit.description),
            ]
        })
        .collect();
    let titles = ["Package", "Version", "Published", "Description"];
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| measure_text_width(&row[column]));
        cells.chain([titles[column].len()]).max().unwrap_or_default()
    };
    let widths = [widest(0), widest(1), widest(2)];
    let before = widths.iter().sum::<usize>() + 2 * widths.len();
    let is_wide = width >= before + LEAST_DESCRIPTION;
    let line = |cells: &[String; 4], style: &dyn Fn(&str, usize) -> String| {
        let mut line = String::new();
        for (column, width) in widths.iter().enumerate() {
            let rest = width.saturating_sub(measure_text_width(&cells[column]));
            // Nothing stands behind the last one.
            let space = if column == 2 && !is_wide { 0 } else { rest + 2 };
            // Writing to a string does not fail.
            let _ = write!(line, "{}{:space$}", style(&cells[column], column), "");
        }
        let room = if is_wide { width - before } else { width.saturating_sub(2) };
        let description = style(&truncate_str(&cells[3], room, "…"), 3);
        if is_wide {
            line.push_str(&description);
        } else if !cells[3].is_empty() {
            let _ = write!(line, "\n  {description}");
        }
        line.push('\n');
        line
    };
    let mut titles = titles.map(ToOwned::to_owned);
    if !is_wide {
        titles[3].clear();
    }
    let mut text = line(&titles, &|cell, _| cell.blue().bold().to_string());
    for row in &rows {
        text.push_str(&line(row, &|cell, column| match column {
            0 => cell.bold().to_string(),
            1 => cell.to_string(),
            _ => cell.dimmed().to_string(),
        }));
    }
    if let Some(total) = search.total.filter(|total| *total > search.hits.len() as u64) {
        let shown = count(search.hits.len(), "package");
        let _ = writeln!(
            text,
            "\n{}",
            format_args!("{shown} of {total}, more with `--limit`").dimmed()
        );
    }
    text
}

fn json(hit: &Hit) -> Value {
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "name": hit.name,
        "version": known(&hit.version),
        "description": known(&hit.description),
        "published": known(&hit.date),
        "publisher": known(&hit.publisher),
        "keywords": hit.keywords,
    })
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;
    use deka_install::{Hit, Search};

    use super::text;

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let hit = |name: &str, description: &str| Hit {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            description: description.to_owned(),
            date: "2026-01-01T00:00:00Z".to_owned(),
            ..Hit::default()
        };
        let long = "very ".repeat(60);
        let search = Search {
            hits: vec![
                hit("a", "x\u{1b}[2J\ny"),
                hit(&"n".repeat(90), &long),
                hit("漢字", &"漢".repeat(150)),
            ],
            total: Some(7),
        };
        for width in [40, 60, 80, 200] {
            let text = anstream::adapter::strip_str(&text(&search, "t", width)).to_string();
            for line in text.lines() {
                assert!(measure_text_width(line) <= width, "{width}: {line}");
            }
            assert!(text.contains("3 packages of 7"), "{text}");
        }
        assert_eq!(text(&Search::default(), "t", 80), "No packages found for `t`\n");
    }
}
