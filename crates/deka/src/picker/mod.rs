//! The list of `deka update --interactive`: what may be updated, to be chosen with keys.
//!
//! What keys do and what is drawn are pure; [`terminal`] reads the one and writes the other.

pub(crate) mod terminal;
#[cfg(test)]
mod tests;

use console::{measure_text_width, truncate_str};
use deka_manifest::Version;
use owo_colors::OwoColorize as _;

use crate::commands::question::{Step, colored_step};

/// A dependency that may be updated.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// Its name, safe to be shown.
    pub(crate) name: String,
    /// Its group or catalog, and who asks for it where that is a question.
    pub(crate) note: String,
    /// The installed version.
    pub(crate) current: Version,
    /// The newest version in its range.
    pub(crate) update: Version,
    /// What the tag `latest` stands for.
    pub(crate) latest: Version,
}

/// What can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Press {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    /// Choose, or do not choose after all.
    Toggle,
    /// Choose all that is within its range.
    All,
    /// Choose what is not chosen, and the other way round.
    Invert,
    /// Go to the latest version with this one, or back.
    Latest,
    Confirm,
    Cancel,
    Other,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Cancelled,
    /// The places of the choices that were made, with the version for each.
    Chosen(Vec<(usize, Version)>),
}

struct Row {
    choice: Choice,
    /// Its place among the choices.
    place: usize,
    is_chosen: bool,
    to_latest: bool,
}

/// The list while it is open.
pub(crate) struct Picker {
    /// By how much would change.
    rows: Vec<Row>,
    cursor: usize,
    /// The first line of the list that is shown.
    top: usize,
    /// How many lines the list had at last.
    height: usize,
}

/// Lines around the list: title, keys and an empty one above it, two below.
const SURROUNDINGS: usize = 5;

impl Row {
    fn has_update(&self) -> bool {
        self.choice.update.cmp_precedence(&self.choice.current).is_gt()
    }

    fn target(&self) -> &Version {
        if self.to_latest { &self.choice.latest } else { &self.choice.update }
    }

    /// How much would change, at least; what is not within the range is what `latest` has.
    fn step(&self) -> Step {
        let choice = &self.choice;
        let target = if self.has_update() { &choice.update } else { &choice.latest };
        Step::between(&choice.current, target)
    }

    fn choose(&mut self, is_chosen: bool) {
        self.is_chosen = is_chosen;
        if is_chosen && !self.has_update() {
            // There is nothing else to choose here.
            self.to_latest = true;
        }
    }
}

impl Picker {
    /// Opens a list; with `to_latest` all go to the latest version unless told otherwise.
    pub(crate) fn new(choices: Vec<Choice>, to_latest: bool) -> Self {
        let rows = choices.into_iter().enumerate();
        let mut rows: Vec<Row> = rows
            .map(|(place, choice)| Row { choice, place, is_chosen: false, to_latest })
            .collect();
        rows.sort_by_key(Row::step);
        Self { rows, cursor: 0, top: 0, height: usize::MAX }
    }

    /// Does what a key is for.
    pub(crate) fn press(&mut self, press: Press) -> Option<Ending> {
        let last = self.rows.len().saturating_sub(1);
        let page = self.height.saturating_sub(2).max(1);
        match press {
            Press::Up => self.cursor = self.cursor.checked_sub(1).unwrap_or(last),
            Press::Down => self.cursor = if self.cursor == last { 0 } else { self.cursor + 1 },
            Press::PageUp => self.cursor = self.cursor.saturating_sub(page),
            Press::PageDown => self.cursor = self.cursor.saturating_add(page).min(last),
            Press::First => self.cursor = 0,
            Press::Last => self.cursor = last,
            Press::Toggle => {
                if let Some(row) = self.rows.get_mut(self.cursor) {
                    row.choose(!row.is_chosen);
                }
            }
            Press::All => {
                let is_wanted = |row: &Row| row.has_update() || row.to_latest;
                let are_all =
                    self.rows.iter().filter(|row| is_wanted(row)).all(|row| row.is_chosen);
                for row in self.rows.iter_mut().filter(|row| is_wanted(row)) {
                    row.choose(!are_all);
                }
            }
            Press::Invert => {
                for row in self.rows.iter_mut().filter(|row| row.has_update() || row.to_latest) {
                    row.choose(!row.is_chosen);
                }
            }
            Press::Latest => {
                if let Some(row) = self.rows.get_mut(self.cursor) {
                    row.to_latest = !row.to_latest;
                    // Who asks for it wants it; without it, there may be nothing to want.
                    row.is_chosen = row.to_latest || row.has_update();
                }
            }
            Press::Confirm => return Some(Ending::Chosen(self.chosen())),
            Press::Cancel => return Some(Ending::Cancelled),
            Press::Other => {}
        }
        None
    }

    fn chosen(&self) -> Vec<(usize, Version)> {
        let rows =
            self.rows.iter().filter(|row| row.is_chosen && *row.target() != row.choice.current);
        let mut chosen: Vec<_> = rows.map(|row| (row.place, row.target().clone())).collect();
        chosen.sort_by_key(|(place, _)| *place);
        chosen
    }

    /// Returns the lines to show, none of them wider than `width`, and not more than `height`.
    pub(crate) fn draw(&mut self, width: usize, height: usize) -> Vec<String> {
        let (list, cursor) = self.list(width);
        let room = height.saturating_sub(SURROUNDINGS).max(1);
        self.height = room;
        // The title of a group is shown with its first row.
        let wanted = if cursor > 0 && self.begins_group(self.cursor) { cursor - 1 } else { cursor };
        self.top = self.top.min(wanted).max((cursor + 1).saturating_sub(room));
        self.top = self.top.min(list.len().saturating_sub(room));
        let below = list.len().saturating_sub(self.top + room);
        let chosen = self.rows.iter().filter(|row| row.is_chosen).count();

        let mut lines = vec![
            format!("{} {}", "?".cyan(), "Select packages to update".bold()),
            "space choose  a all  i invert  l latest  enter update  q cancel".dimmed().to_string(),
            String::new(),
        ];
        lines.extend(list.into_iter().skip(self.top).take(room));
        lines.push(String::new());
        let more = match (self.top, below) {
            (0, 0) => String::new(),
            (above, below) => format!("  ↑ {above} ↓ {below}"),
        };
        lines.push(format!("{chosen} of {} chosen{}", self.rows.len(), more.dimmed()));
        lines.into_iter().map(|line| truncate_str(&line, width, "…").into_owned()).collect()
    }

    fn begins_group(&self, at: usize) -> bool {
        at == 0 || self.rows[at - 1].step() != self.rows[at].step()
    }

    /// Returns the list with its titles, and the line with the cursor.
    fn list(&self, width: usize) -> (Vec<String>, usize) {
        let widest = |text: &dyn Fn(&Row) -> String, title: &str| {
            let cells = self.rows.iter().map(|row| measure_text_width(&text(row)));
            cells.chain([title.len()]).max().unwrap_or_default()
        };
        let current = widest(&|row| row.choice.current.to_string(), "Current");
        let target = widest(&|row| row.target().to_string(), "Target");
        let latest = widest(&|row| row.choice.latest.to_string(), "Latest");
        // Cursor, box and the gaps between columns.
        let rest = 4 + current + target + latest + 3 * 2;
        let label = |row: &Row| match row.choice.note.as_str() {
            "" => row.choice.name.clone(),
            note => format!("{} {note}", row.choice.name),
        };
        let name = widest(&label, "").clamp(8, width.saturating_sub(rest).max(8));
        let pad = |cell: &str, width: usize| {
            format!("{cell}{:space$}", "", space = width.saturating_sub(measure_text_width(cell)))
        };

        let mut lines = Vec::new();
        let mut cursor = 0;
        for (at, row) in self.rows.iter().enumerate() {
            if self.begins_group(at) {
                if at > 0 {
                    lines.push(String::new());
                }
                let title = match row.step() {
                    Step::Patch => "Patch".green().bold().to_string(),
                    Step::Minor => "Minor".yellow().bold().to_string(),
                    Step::Major => "Major".red().bold().to_string(),
                };
                let columns = format!(
                    "{}  {}  {}",
                    pad("Current", current),
                    pad("Target", target),
                    pad("Latest", latest)
                );
                lines.push(format!("{}  {}", pad(&title, name + 4), columns.dimmed()));
            }
            if at == self.cursor {
                cursor = lines.len();
            }
            let choice = &row.choice;
            let short = truncate_str(&choice.name, name, "…").into_owned();
            let left = name - measure_text_width(&short);
            let note = if left > 1 && !choice.note.is_empty() {
                format!(" {}", truncate_str(&choice.note, left - 1, "…").dimmed())
            } else {
                String::new()
            };
            let pointer = if at == self.cursor { "❯".cyan().to_string() } else { " ".to_owned() };
            let (mark, short) = if row.is_chosen {
                ("■".green().to_string(), short.green().to_string())
            } else {
                ("□".to_owned(), short)
            };
            lines.push(format!(
                "{pointer} {mark} {}  {}  {}  {}",
                pad(&format!("{short}{note}"), name),
                pad(&choice.current.to_string(), current),
                pad(&colored_step(&choice.current, row.target()), target),
                pad(&colored_step(&choice.current, &choice.latest), latest),
            ));
        }
        (lines, cursor)
    }
}
