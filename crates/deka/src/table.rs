//! Tables for people: with lines of box characters where there is colour, else as Bun has them in plain text.

use console::measure_text_width;

/// Rows of equal length, the first being the titles.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

/// The characters of the lines.
struct Lines {
    horizontal: &'static str,
    vertical: &'static str,
    /// Left end, joint and right end of the first line, of those between rows, and of the last.
    ends: [[&'static str; 3]; 3],
}

const BOX: Lines = Lines {
    horizontal: "─",
    vertical: "│",
    ends: [["┌", "┬", "┐"], ["├", "┼", "┤"], ["└", "┴", "┘"]],
};

const PLAIN: Lines = Lines {
    horizontal: "-",
    vertical: "|",
    ends: [["|", "-", "|"], ["|", "|", "|"], ["|", "-", "|"]],
};

impl Table {
    /// Adds a row; cells may be coloured.
    pub(crate) fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Returns the text; a column is at least as wide as `least` says.
    pub(crate) fn render(&self, is_colored: bool, least: &[usize]) -> String {
        let lines = if is_colored { &BOX } else { &PLAIN };
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| measure_text_width(cell)).max().unwrap_or_default();
            widest.max(least.get(column).copied().unwrap_or_default())
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |[left, joint, right]: [&str; 3]| {
            let parts: Vec<String> =
                widths.iter().map(|width| lines.horizontal.repeat(width + 2)).collect();
            format!("{left}{}{right}\n", parts.join(joint))
        };
        let mut text = line(lines.ends[0]);
        for (at, row) in self.rows.iter().enumerate() {
            if at > 0 {
                text.push_str(&line(lines.ends[1]));
            }
            for (cell, width) in row.iter().zip(&widths) {
                let rest = " ".repeat(width.saturating_sub(measure_text_width(cell)));
                text.extend([lines.vertical, " ", cell, &rest, " "]);
            }
            text.extend([lines.vertical, "\n"]);
        }
        text.push_str(&line(lines.ends[2]));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn both_kinds_of_lines() {
        let mut table = Table::default();
        table.push(["Name".to_owned(), "A".to_owned()]);
        table.push(["x".to_owned(), "\u{1b}[31myes\u{1b}[0m".to_owned()]);
        assert_eq!(
            table.render(false, &[5]),
            "|-------------|\n| Name  | A   |\n|-------|-----|\n| x     | \u{1b}[31myes\u{1b}[0m |\n|-------------|\n"
        );
        assert_eq!(
            table.render(true, &[]),
            "┌──────┬─────┐\n│ Name │ A   │\n├──────┼─────┤\n│ x    │ \u{1b}[31myes\u{1b}[0m │\n└──────┴─────┘\n"
        );
    }
}
