//! The lines that an install ends with.

use std::fmt::Write as _;
use std::time::Duration;

use deka_install::{Outcome, PeerConflict, Summary};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::duplicates;
use crate::render_error::printable;

/// Returns the first line.
pub(crate) fn header(command: &str) -> String {
    let title = format!("deka {command}");
    format!("{} {}\n", title.bold(), concat!("v", env!("CARGO_PKG_VERSION")).dimmed())
}

/// Returns all further lines, an empty one first.
pub(super) fn text(summary: &Summary) -> String {
    if let Some(duplicates) = &summary.duplicates {
        return duplicates::text(duplicates, summary);
    }
    let mut output = String::from("\n");
    for updated in &summary.updated {
        let name = printable(updated.alias.as_str());
        let versions = format!("{} -> {}", updated.from, updated.to);
        // Writing to a string does not fail.
        let _ = writeln!(output, "{} {} {}", "^".blue(), name.bold(), versions.dimmed());
    }
    for direct in &summary.direct {
        let name = printable(direct.alias.as_str());
        let version = format!("@{}", printable(&direct.version));
        let _ = write!(output, "{} {}{}", "+".green(), name.bold(), version.dimmed());
        if let Some(latest) = &direct.latest {
            let available = format!("(v{latest} available)");
            let _ = write!(output, " {}", available.blue());
        }
        output.push('\n');
    }
    if !summary.direct.is_empty() || !summary.updated.is_empty() {
        output.push('\n');
    }
    for added in &summary.added {
        let name = printable(added.alias.as_str());
        let version = format!("@{}", printable(&added.version));
        let _ = write!(output, "{} {}{}", "installed".green(), name.bold(), version.dimmed());
        output.push_str(if added.bins.is_empty() { "\n" } else { " with binaries:\n" });
        for bin in &added.bins {
            let _ = writeln!(output, " - {}", printable(bin).bold());
        }
    }
    for removed in &summary.removed {
        let _ = writeln!(output, "{} {}", "-".red(), printable(removed.as_str()));
    }
    if !summary.added.is_empty() || !summary.removed.is_empty() {
        output.push('\n');
    }
    output.push_str(&outcome(summary));
    if summary.blocked_scripts > 0 {
        let scripts = count(summary.blocked_scripts, "postinstall");
        let _ = writeln!(
            output,
            "\nBlocked {}. Run `deka pm untrusted` for details.",
            scripts.yellow()
        );
    }
    output
}

/// How many peers are named.
const MOST_PEERS: usize = 3;

/// Returns what there is to say of peers that do not get what they want; `None` if there are none.
pub(super) fn peers(conflicts: &[PeerConflict]) -> Option<String> {
    let [first, rest @ ..] = conflicts else { return None };
    if rest.is_empty() {
        return Some(first.to_string());
    }
    let mut output = format!("{} peers do not get what they want", conflicts.len());
    for conflict in conflicts.iter().take(MOST_PEERS) {
        // Writing to a string does not fail.
        let _ = write!(output, "\n  {conflict}");
    }
    let more = conflicts.len().saturating_sub(MOST_PEERS);
    if more > 0 {
        let _ = write!(output, "\n  and {more} more; `deka doctor` shows all");
    }
    Some(output)
}

/// Returns the lines that say what became of `node_modules`.
pub(super) fn outcome(summary: &Summary) -> String {
    let mut output = String::new();
    let time = elapsed(summary.elapsed);
    let time = format!("[{}]", time.bold());
    match &summary.outcome {
        Outcome::Installed { installed: 0, removed } => {
            let _ = writeln!(output, "{} removed {time}", count(*removed, "package").green());
        }
        Outcome::Installed { installed, removed } => {
            let _ = writeln!(output, "{} installed {time}", count(*installed, "package").green());
            if *removed > 0 {
                let _ = writeln!(output, "Removed: {}", removed.cyan());
            }
        }
        Outcome::Unchanged { .. } if !(summary.added.is_empty() && summary.removed.is_empty()) => {
            let _ = writeln!(output, "{time} done");
        }
        Outcome::Unchanged { installs, packages } => {
            let (installs, packages) = (count(*installs, "install"), count(*packages, "package"));
            let _ = writeln!(
                output,
                "Checked {} across {packages} {} {time}",
                installs.green(),
                "(no changes)".dimmed()
            );
        }
        Outcome::LockfileSaved { packages } => {
            let packages = count(*packages, "package");
            let _ = writeln!(output, "Saved {} ({packages}) {time}", "bun.lock".green());
        }
        Outcome::DryRun(packages) => {
            for package in packages {
                let _ = writeln!(output, " {}", printable(package));
            }
            let _ = writeln!(output, "{time} done");
        }
        Outcome::NothingToRemove => {
            output.push_str("package.json has no dependencies, there is nothing to remove\n");
        }
        Outcome::NoDependencies { lockfile_deleted } => {
            if *lockfile_deleted {
                output.push_str("No packages! Deleted empty lockfile\n\n");
            }
            let _ = writeln!(output, "{time} done");
        }
    }
    output
}

/// Returns the same for programs, in one line.
pub(super) fn json(summary: &Summary) -> Vec<(&'static str, Value)> {
    let (outcome, facts) = match &summary.outcome {
        Outcome::Installed { installed, removed } => {
            ("installed", vec![("installed", json!(installed)), ("removed", json!(removed))])
        }
        Outcome::Unchanged { installs, packages } => {
            ("unchanged", vec![("installs", json!(installs)), ("packages", json!(packages))])
        }
        Outcome::LockfileSaved { packages } => {
            ("lockfile-saved", vec![("packages", json!(packages))])
        }
        Outcome::DryRun(packages) => ("dry-run", vec![("planned", json!(packages))]),
        Outcome::NothingToRemove => ("nothing-to-remove", Vec::new()),
        Outcome::NoDependencies { .. } => ("no-dependencies", Vec::new()),
    };
    let mut fields = vec![("outcome", json!(outcome))];
    fields.extend(facts);
    let direct = summary.direct.iter().map(|direct| {
        let latest = direct.latest.as_ref().map(ToString::to_string);
        json!({ "name": direct.alias.as_str(), "version": direct.version, "latest": latest })
    });
    fields.push(("added", direct.collect()));
    let requested = summary.added.iter().map(|added| {
        json!({ "name": added.alias.as_str(), "version": added.version, "bins": added.bins })
    });
    fields.push(("requested", requested.collect()));
    let updated = summary.updated.iter().map(|updated| {
        let (from, to) = (updated.from.to_string(), updated.to.to_string());
        json!({ "name": updated.alias.as_str(), "from": from, "to": to })
    });
    fields.push(("updated", updated.collect()));
    let removed = summary.removed.iter().map(|alias| json!(alias.as_str()));
    fields.push(("removed_dependencies", removed.collect()));
    if let Some(duplicates) = &summary.duplicates {
        fields.push(("duplicates", duplicates::json(duplicates)));
    }
    let conflicts = summary.peer_conflicts.iter().map(|conflict| {
        let because = conflict.because.as_ref();
        let because =
            because.map(|(dependent, range)| json!({ "dependent": dependent, "asks": range }));
        json!({
            "dependent": conflict.dependent,
            "peer": conflict.peer,
            "wanted": conflict.wanted,
            "found": conflict.found,
            "because": because,
        })
    });
    fields.push(("peer_conflicts", conflicts.collect()));
    fields.push(("blocked_scripts", json!(summary.blocked_scripts)));
    fields.push(("milliseconds", json!(summary.elapsed.as_secs_f64() * 1000.0)));
    fields
}

/// Returns a number of things.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Returns a time as Bun shows it: `438.00ms`, `1.02s`.
pub(crate) fn elapsed(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{:.2}ms", time.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2}s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use deka_install::{DirectDependency, Outcome, Summary};
    use deka_manifest::{Alias, PackageName, Version};

    use super::{json, text};

    fn summary(outcome: Outcome) -> Summary {
        Summary { elapsed: Duration::from_millis(438), ..Summary::new(outcome) }
    }

    fn direct(name: &str, version: &str, latest: Option<&str>) -> DirectDependency {
        DirectDependency {
            alias: Alias::parse(name).unwrap(),
            name: PackageName::parse(name).unwrap(),
            version: version.to_owned(),
            latest: latest.map(|latest| Version::parse(latest).unwrap()),
        }
    }

    fn check(summary: &Summary, expected: &str) {
        let text = text(summary);
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), expected);
    }

    #[test]
    fn installed() {
        let mut summary = summary(Outcome::Installed { installed: 354, removed: 0 });
        summary.elapsed = Duration::from_millis(1_024);
        summary.direct =
            vec![direct("left-pad", "1.0.0", Some("1.3.0")), direct("@a/b", "5.4.5", None)];
        summary.blocked_scripts = 2;
        check(
            &summary,
            "\n+ left-pad@1.0.0 (v1.3.0 available)\n+ @a/b@5.4.5\n\n354 packages installed [1.02s]\n\n\
             Blocked 2 postinstalls. Run `deka pm untrusted` for details.\n",
        );
    }

    #[test]
    fn removed() {
        check(
            &summary(Outcome::Installed { installed: 0, removed: 1 }),
            "\n1 package removed [438.00ms]\n",
        );
        check(
            &summary(Outcome::Installed { installed: 1, removed: 2 }),
            "\n1 package installed [438.00ms]\nRemoved: 2\n",
        );
    }

    #[test]
    fn nothing_installed() {
        check(
            &summary(Outcome::Unchanged { installs: 74, packages: 75 }),
            "\nChecked 74 installs across 75 packages (no changes) [438.00ms]\n",
        );
        check(
            &summary(Outcome::LockfileSaved { packages: 1702 }),
            "\nSaved bun.lock (1702 packages) [438.00ms]\n",
        );
        check(
            &summary(Outcome::DryRun(vec!["a@1.0.0".to_owned(), "b@2.0.0".to_owned()])),
            "\n a@1.0.0\n b@2.0.0\n[438.00ms] done\n",
        );
        check(
            &summary(Outcome::NoDependencies { lockfile_deleted: true }),
            "\nNo packages! Deleted empty lockfile\n\n[438.00ms] done\n",
        );
        check(&summary(Outcome::NoDependencies { lockfile_deleted: false }), "\n[438.00ms] done\n");
    }

    #[test]
    fn for_programs() {
        let mut summary = summary(Outcome::Installed { installed: 2, removed: 1 });
        summary.direct = vec![direct("a", "1.0.0", None)];
        let fields = json(&summary);
        let facts =
            [("outcome", "installed".into()), ("installed", 2.into()), ("removed", 1.into())];
        assert_eq!(fields[..3], facts);
        let added = serde_json::json!([{ "name": "a", "version": "1.0.0", "latest": null }]);
        assert_eq!(fields[3], ("added", added));
    }
}
