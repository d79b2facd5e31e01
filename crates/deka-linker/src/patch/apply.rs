//! Applying the hunks of one file to its bytes.

use super::{Change, Hunk, Line, PatchFailure};

/// Returns what a file is after a change.
///
/// Lines are looked for where the hunk says, then nearer and nearer to the ends of the file. A line
/// that differs from the patch's only in its end (`\r\n`) fits as well; added lines then get the end
/// that the others have, unless the patch knows of that end.
pub(crate) fn changed(change: &Change, before: &[u8]) -> Result<Vec<u8>, PatchFailure> {
    let lines: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
    let has_crlf = !lines.is_empty() && lines.iter().all(|line| line.ends_with(b"\r\n"));
    let mut after = Vec::with_capacity(before.len());
    let mut done = 0;
    // How far the lines lie from where the patch expects them.
    let mut drift = 0;
    for hunk in &change.hunks {
        let expected = hunk.start.saturating_sub(1);
        let at = find(hunk, &lines, done, expected.saturating_add_signed(drift));
        let Some(at) = at else {
            let file = change.from.as_ref().or(change.to.as_ref()).cloned().unwrap_or_default();
            return Err(PatchFailure::Mismatch { file, line: hunk.start });
        };
        drift = at.cast_signed() - expected.cast_signed();
        after.extend(lines[done..at].concat());
        let mut kept = at;
        let gets_crlf = has_crlf && !knows_crlf(hunk);
        for line in &hunk.lines {
            match line {
                Line::Context(_) => {
                    after.extend_from_slice(lines[kept]);
                    kept += 1;
                }
                Line::Removed(_) => kept += 1,
                Line::Added(line) => match line.strip_suffix(b"\n") {
                    Some(text) if gets_crlf && !text.ends_with(b"\r") => {
                        after.extend_from_slice(text);
                        after.extend_from_slice(b"\r\n");
                    }
                    _ => after.extend_from_slice(line),
                },
            }
        }
        done = kept;
    }
    after.extend(lines[done..].concat());
    Ok(after)
}

/// Whether the lines before are there with `\r\n`, so that added ones mean what they say.
fn knows_crlf(hunk: &Hunk) -> bool {
    hunk.lines.iter().any(|line| match line {
        Line::Context(line) | Line::Removed(line) => line.ends_with(b"\r\n"),
        Line::Added(_) => false,
    })
}

/// Finds the place of a hunk behind `done` that is nearest to `expected`.
fn find(hunk: &Hunk, lines: &[&[u8]], done: usize, expected: usize) -> Option<usize> {
    let wanted: Vec<&[u8]> = hunk
        .lines
        .iter()
        .filter_map(|line| match line {
            Line::Context(line) | Line::Removed(line) => Some(&**line),
            Line::Added(_) => None,
        })
        .collect();
    let last = lines.len().checked_sub(wanted.len())?;
    if wanted.is_empty() {
        return (done <= last).then(|| expected.clamp(done, last));
    }
    let mut places: Vec<usize> = (done..=last).collect();
    places.sort_by_key(|at| at.abs_diff(expected));
    places.into_iter().find(|at| {
        let found = lines[*at..].iter().zip(&wanted);
        found.into_iter().all(|(line, wanted)| is_equal(line, wanted))
    })
}

fn is_equal(line: &[u8], wanted: &[u8]) -> bool {
    line == wanted || {
        let text = |line: &'_ [u8]| line.strip_suffix(b"\r\n").map(<[u8]>::to_vec);
        text(line).is_some_and(|line| wanted.strip_suffix(b"\n") == Some(&line))
    }
}
