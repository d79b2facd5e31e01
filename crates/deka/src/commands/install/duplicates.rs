//! The lines that `deka dedupe` ends with.

use std::fmt::Write as _;

use deka_install::{Duplicates, Outcome, Summary};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::text::{count, elapsed};

/// Says how many versions there are that others can stand in for.
pub(super) fn counted(duplicates: &Duplicates, what: &str) -> String {
    format!("{} {what}", count(duplicates.removed.len(), "duplicate version"))
}

/// Returns all lines but the first.
pub(super) fn text(duplicates: &Duplicates, summary: &Summary) -> String {
    let mut output = String::from("\n");
    let time = elapsed(summary.elapsed);
    let time = format!("[{}]", time.bold());
    let checked = format!("checked {} in bun.lock", count(duplicates.checked, "package"));
    if duplicates.removed.is_empty() {
        // Writing to a string does not fail.
        let _ = writeln!(output, "{} ({checked}) {time}", "No duplicates".green());
        return output;
    }
    for removed in &duplicates.removed {
        let _ = writeln!(output, "{} {removed}", "~".yellow());
    }
    output.push('\n');
    match &summary.outcome {
        Outcome::DryRun(_) => output.push_str(&counted(duplicates, "can be removed")),
        Outcome::Installed { installed, .. } if *installed > 0 => {
            output.push_str(&counted(duplicates, "removed"));
            let _ = write!(output, ", {} installed", count(*installed, "package"));
        }
        _ => output.push_str(&counted(duplicates, "removed")),
    }
    let _ = writeln!(output, " ({checked}) {time}");
    output
}

/// Returns the same for programs.
pub(super) fn json(duplicates: &Duplicates) -> Value {
    let removed = duplicates.removed.iter().map(|removed| {
        let replacements = removed.replacements.iter().map(|version| json!(version.to_string()));
        json!({
            "name": removed.name.as_str(),
            "version": removed.version.to_string(),
            "replacements": replacements.collect::<Value>(),
        })
    });
    json!({ "checked": duplicates.checked, "removed": removed.collect::<Value>() })
}

#[cfg(test)]
mod tests {
    use deka_install::RemovedVersion;
    use deka_manifest::{PackageName, Version};

    use super::*;

    #[test]
    fn versions_and_counts() {
        fn version(text: &str) -> Version {
            Version::parse(text).unwrap()
        }
        let removed = |text, replacements: &[&str]| RemovedVersion {
            name: PackageName::parse("a").unwrap(),
            version: version(text),
            replacements: replacements.iter().map(|text| version(text)).collect(),
        };
        let all = vec![removed("1.0.0", &["1.1.0", "1.2.0"]), removed("2.0.0", &["1.2.0"])];
        let duplicates = Duplicates { checked: 7, removed: all };
        let mut summary = Summary::new(Outcome::Installed { installed: 1, removed: 0 });
        let check = |summary: &Summary, duplicates: &Duplicates, expected: &str| {
            let text = text(duplicates, summary);
            assert_eq!(anstream::adapter::strip_str(&text).to_string(), expected);
        };
        let lines = "\n~ a 1.0.0 -> 1.1.0, 1.2.0\n~ a 2.0.0 -> 1.2.0 (downgrade)\n\n";
        let end = "(checked 7 packages in bun.lock) [0.00ms]\n";
        let expected = format!("{lines}2 duplicate versions removed, 1 package installed {end}");
        check(&summary, &duplicates, &expected);
        summary.outcome = Outcome::DryRun(Vec::new());
        check(&summary, &duplicates, &format!("{lines}2 duplicate versions can be removed {end}"));
        let none = Duplicates { checked: 1, removed: Vec::new() };
        check(&summary, &none, "\nNo duplicates (checked 1 package in bun.lock) [0.00ms]\n");
        let gone = Duplicates { checked: 2, removed: vec![removed("1.0.0", &[])] };
        assert_eq!(gone.removed[0].to_string(), "a 1.0.0 -> (removed)");
        assert_eq!(
            json(&gone).to_string(),
            r#"{"checked":2,"removed":[{"name":"a","version":"1.0.0","replacements":[]}]}"#
        );
    }
}
