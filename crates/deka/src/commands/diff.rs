//! `deka diff`: what differs between two versions of a package.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use console::measure_text_width;
use deka_config::Environment;
use deka_install::{DiffRequest, FileDifference, FileStatus, PackageDifference};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::question;
use crate::arguments::{CommonArguments, DiffArguments};
use crate::commands::install::text::count;
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::render_error::printable;

/// That of `schemas/diff.json`.
const SCHEMA_VERSION: u32 = 1;

/// How many signs stand for the lines of a file, at most.
const SIGNS: usize = 40;

/// Shows what differs.
pub(crate) fn run(
    arguments: &DiffArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let (packages, paths) = arguments.sides();
    if packages.is_empty() || packages.len() > 2 {
        return Err(Diagnostic::usage("`deka diff` needs one or two packages")
            .hint("Run `deka help diff` for examples"));
    }
    let folder = environment.working_folder();
    let config = question::settings(&arguments.install, common, environment, folder)?;
    let request = DiffRequest {
        config,
        folder: folder.to_owned(),
        packages: packages.to_vec(),
        paths: paths.to_vec(),
        context: arguments.unified,
    };
    let difference = deka_install::diff(&request)?;
    if arguments.install.json {
        let files = difference.files.iter().map(json).collect::<Value>();
        let (from, to) = (difference.from.as_str(), difference.to.as_str());
        let unchanged = difference.unchanged.into();
        document::print(
            SCHEMA_VERSION,
            [("from", from.into()), ("to", to.into()), ("files", files), ("unchanged", unchanged)],
        );
        return Ok(());
    }
    let title =
        format!("{} → {}\n", printable(&difference.from).bold(), printable(&difference.to).bold());
    if difference.files.is_empty() {
        let files = count(difference.unchanged, "file");
        print(&format!("{title}No differences ({files})\n"));
        return Ok(());
    }
    if arguments.name_only || arguments.stat {
        let lines: String = if arguments.stat {
            stat(&difference.files)
        } else {
            difference.files.iter().map(name_line).collect()
        };
        print(&format!("{title}\n{lines}\n{title}{}", totals(&difference)));
        return Ok(());
    }
    let is_colored = question::is_colored();
    let lines: String = difference.files.iter().map(|file| patch(file, is_colored)).collect();
    print(&format!("{title}\n"));
    print_exactly(&lines);
    print(&format!("\n{title}{}", totals(&difference)));
    Ok(())
}

/// Writes what may be applied as a patch: colours are in it only if they are wanted, and what looks like one is part
/// of a file.
fn print_exactly(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // A reader that went away is no error.
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn letter(file: &FileDifference) -> String {
    match file.status {
        FileStatus::Added => "A".green().to_string(),
        FileStatus::Deleted => "D".red().to_string(),
        FileStatus::Modified => "M".yellow().to_string(),
    }
}

fn name_line(file: &FileDifference) -> String {
    format!("{} {}\n", letter(file), shown(&file.path))
}

fn stat(files: &[FileDifference]) -> String {
    let widest =
        |width: usize, file: &FileDifference| width.max(measure_text_width(&shown(&file.path)));
    let width = files.iter().fold(0, widest).min(60);
    let most =
        files.iter().map(|file| file.lines.0 + file.lines.1).max().unwrap_or_default().max(1);
    let mut text = String::new();
    for file in files {
        let path = shown(&file.path);
        let space = width.saturating_sub(measure_text_width(&path));
        let (added, deleted) = file.lines;
        let scaled =
            |lines: usize| if most > SIGNS { (lines * SIGNS).div_ceil(most) } else { lines };
        let what = if file.hunks.is_none() {
            format!("{:>5} {} -> {} bytes", "Bin", file.sizes.0, file.sizes.1)
        } else {
            let plus = "+".repeat(scaled(added));
            let minus = "-".repeat(scaled(deleted));
            format!("{:>5} {}{}", added + deleted, plus.green(), minus.red())
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, " {path}{:space$} | {what}", "");
    }
    text
}

fn patch(file: &FileDifference, is_colored: bool) -> String {
    let path = shown(&file.path);
    let head = format!("diff --git a/{path} b/{path}");
    let head = if is_colored { head.bold().to_string() } else { head };
    let mut text = format!("{head}\n");
    let (old, new) = match file.status {
        FileStatus::Added => ("/dev/null".to_owned(), format!("b/{path}")),
        FileStatus::Deleted => (format!("a/{path}"), "/dev/null".to_owned()),
        FileStatus::Modified => (format!("a/{path}"), format!("b/{path}")),
    };
    match file.status {
        FileStatus::Added => text.push_str("new file mode 100644\n"),
        FileStatus::Deleted => text.push_str("deleted file mode 100644\n"),
        FileStatus::Modified => {}
    }
    let Some(hunks) = &file.hunks else {
        let _ = writeln!(text, "Binary files {old} and {new} differ");
        return text;
    };
    if hunks.is_empty() {
        return text;
    }
    let _ = writeln!(text, "--- {old}\n+++ {new}");
    for line in hunks.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let line = shown(line);
        match line.as_bytes().first() {
            _ if !is_colored => text.push_str(&line),
            Some(b'+') => text.push_str(&line.green().to_string()),
            Some(b'-') => text.push_str(&line.red().to_string()),
            Some(b'@') => text.push_str(&line.cyan().to_string()),
            _ => text.push_str(&line),
        }
        text.push_str(end);
    }
    text
}

/// Returns a text as it may be shown: safe on a terminal, and as it is for programs, which may apply it.
fn shown(text: &str) -> String {
    if std::io::stdout().is_terminal() { printable(text) } else { text.to_owned() }
}

fn totals(difference: &PackageDifference) -> String {
    let files = &difference.files;
    let of = |status: FileStatus| files.iter().filter(|file| file.status == status).count();
    let added: usize = files.iter().map(|file| file.lines.0).sum();
    let deleted: usize = files.iter().map(|file| file.lines.1).sum();
    format!(
        "{} changed, {} added, {} removed  ({} {} lines)\n",
        count(of(FileStatus::Modified), "file"),
        of(FileStatus::Added),
        of(FileStatus::Deleted),
        format_args!("+{added}").green(),
        format_args!("-{deleted}").red(),
    )
}

fn json(file: &FileDifference) -> Value {
    json!({
        "path": file.path,
        "status": match file.status {
            FileStatus::Added => "added",
            FileStatus::Deleted => "deleted",
            FileStatus::Modified => "modified",
        },
        "bytes_before": file.sizes.0,
        "bytes_after": file.sizes.1,
        "lines_added": file.lines.0,
        "lines_deleted": file.lines.1,
        "hunks": file.hunks,
    })
}
