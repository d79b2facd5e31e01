//! `deka audit`: known vulnerabilities of what is installed; `deka audit fix`: safe versions in their place.

use std::fmt::Write as _;
use std::time::Instant;

use deka_config::{Environment, LogLevel};
use deka_install::{
    Advisory, Audit, AuditRequest, Change, Hindrance, Plan, Severity, VulnerablePackage,
};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::install::text::{count, elapsed};
use super::question::{self, Project};
use crate::arguments::{AuditArguments, CommonArguments};
use crate::commands::{install, print};
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::render_error::{print_warning, printable};

/// That of `schemas/audit.json`.
const SCHEMA_VERSION: u32 = 1;
/// That of `schemas/audit-fix.json`.
const FIX_SCHEMA_VERSION: u32 = 1;

/// Shows vulnerabilities, or mends what can be.
pub(crate) fn run(
    arguments: &AuditArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let started = Instant::now();
    let is_fix = match arguments.install.adding.names() {
        [] => false,
        [fix] if fix == "fix" => true,
        [other, ..] => {
            return Err(Diagnostic::usage(format!("`deka audit` takes no `{other}`"))
                .hint("It looks at all of bun.lock; `deka audit fix` mends what can be"));
        }
    };
    let Project { root, folder, config } =
        question::project(&arguments.install, common, environment)?;
    let shows_text = config.log_level >= LogLevel::Info && !arguments.install.json;
    let shows_warnings = config.log_level >= LogLevel::Warn;
    let request = AuditRequest {
        root,
        config,
        folder,
        ignored: arguments.ignore.clone(),
        level: arguments.level()?,
    };
    if shows_text {
        let name = if is_fix { "audit fix" } else { "audit" };
        print(&format!("{}\n", install::header(name)));
    }
    if is_fix {
        let fix = Fix { arguments, common, environment, request, started };
        return fix.run(shows_text, shows_warnings);
    }
    let audit = deka_install::audit(&request)?;
    if shows_warnings {
        warn_of_unaudited(&audit);
    }
    if arguments.install.json {
        document::print(SCHEMA_VERSION, fields(&audit));
    } else if shows_text {
        print(&text(&audit, request.level, started));
    }
    if audit.packages.is_empty() { Ok(()) } else { Err(Diagnostic::found()) }
}

fn warn_of_unaudited(audit: &Audit) {
    for (registry, packages) in &audit.unaudited {
        print_warning(&format!(
            "Nothing is known about {} from `{registry}`, which has no service for audits",
            count(packages.len(), "package")
        ));
    }
}

fn text(audit: &Audit, level: Severity, started: Instant) -> String {
    if audit.packages.is_empty() {
        return nothing(audit, level, started);
    }
    let mut text: String = audit.packages.iter().map(package).collect();
    let total = audit.advisories().count();
    let _ = writeln!(text, "{} ({})\n", vulnerabilities(total).bold(), by_severity(audit));
    let commands = [
        ("deka audit fix", "         ", "upgrade the vulnerable packages within their ranges"),
        ("deka audit fix --latest", "", "also cross major versions"),
    ];
    for (command, space, what) in commands {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {}{space}  {}", command.cyan(), what.dimmed());
    }
    text
}

fn nothing(audit: &Audit, level: Severity, started: Instant) -> String {
    let mut checked = format!("checked {}", count(audit.checked, "package"));
    if audit.ignored > 0 {
        let _ = write!(checked, ", {} ignored", audit.ignored);
    }
    if audit.below_level > 0 {
        let _ = write!(checked, ", {} below --audit-level={}", audit.below_level, level.word());
    }
    let time = elapsed(started.elapsed());
    format!("{} ({checked}) [{}]\n", "No vulnerabilities found".green(), time.bold())
}

fn vulnerabilities(number: usize) -> String {
    let noun = if number == 1 { "vulnerability" } else { "vulnerabilities" };
    format!("{number} {noun}")
}

fn by_severity(audit: &Audit) -> String {
    let parts = Severity::ALL.into_iter().filter_map(|severity| {
        let number = audit.advisories().filter(|advisory| advisory.severity == severity).count();
        (number > 0).then(|| colored(severity, &format!("{number} {}", severity.word())))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn colored(severity: Severity, text: &str) -> String {
    match severity {
        Severity::Critical => text.red().bold().to_string(),
        Severity::High => text.red().to_string(),
        Severity::Moderate => text.yellow().to_string(),
        Severity::Low => text.cyan().to_string(),
        Severity::Info => text.dimmed().to_string(),
    }
}

fn package(package: &VulnerablePackage) -> String {
    let versions: Vec<String> = package.versions.iter().map(ToString::to_string).collect();
    let name = printable(package.name.as_str());
    let mut text = format!("{}@{}\n", name.red(), versions.join(", "));
    if package.is_direct {
        let _ = writeln!(text, "  {}", "(direct dependency)".dimmed());
    }
    let arrow = if question::is_colored() { "›" } else { ">" };
    for path in &package.paths {
        let Some((last, before)) = path.split_last() else { continue };
        let before: Vec<String> = before.iter().map(|name| printable(name)).collect();
        let before = match before.as_slice() {
            [] => String::new(),
            names => format!("{} {arrow} ", names.join(&format!(" {arrow} "))),
        };
        let _ = writeln!(text, "  {}{}", before.dimmed(), printable(last).red());
    }
    for advisory in &package.advisories {
        let one_line = |text: &str| printable(text).replace(['\n', '\t'], " ");
        let _ = writeln!(
            text,
            "  {}{} {} {} - {}",
            colored(advisory.severity, advisory.severity.word()),
            ":".dimmed(),
            one_line(&advisory.title),
            format_args!("({})", one_line(&advisory.vulnerable_versions)).dimmed(),
            one_line(&advisory.url).dimmed(),
        );
    }
    text.push('\n');
    text
}

fn fields(audit: &Audit) -> Vec<(&'static str, Value)> {
    let describe = |advisory: &Advisory| {
        json!({
            "id": advisory.id,
            "ghsa": advisory.ghsa(),
            "cves": advisory.cves,
            "url": advisory.url,
            "title": advisory.title,
            "severity": advisory.severity.word(),
            "vulnerable_versions": advisory.vulnerable_versions,
            "cwe": advisory.cwe,
            "cvss_score": advisory.cvss_score,
        })
    };
    let packages = audit.packages.iter().map(|package| {
        let versions: Vec<String> = package.versions.iter().map(ToString::to_string).collect();
        json!({
            "name": package.name.as_str(),
            "versions": versions,
            "direct": package.is_direct,
            "paths": package.paths,
            "advisories": package.advisories.iter().map(describe).collect::<Value>(),
        })
    });
    let unaudited = audit.unaudited.iter().map(|(registry, packages)| {
        let names: Vec<&str> = packages.iter().map(|name| name.as_str()).collect();
        json!({ "registry": registry.as_str(), "packages": names })
    });
    vec![
        ("packages", packages.collect()),
        ("checked", audit.checked.into()),
        ("ignored", audit.ignored.into()),
        ("below_level", audit.below_level.into()),
        ("unaudited", unaudited.collect()),
    ]
}

/// `deka audit fix`.
struct Fix<'a> {
    arguments: &'a AuditArguments,
    common: &'a CommonArguments,
    environment: &'a Environment,
    request: AuditRequest,
    started: Instant,
}

impl Fix<'_> {
    fn run(&self, shows_text: bool, shows_warnings: bool) -> Result<(), Diagnostic> {
        let plan = deka_install::plan_audit_fix(&self.request, self.arguments.latest)?;
        if shows_warnings {
            warn_of_unaudited(&plan.audit);
        }
        let before = plan.audit.advisories().count();
        if before == 0 && shows_text {
            print(&nothing(&plan.audit, self.request.level, self.started));
        } else if shows_text {
            print(&planned(&plan));
        }
        let is_dry_run = self.request.config.install.dry_run;
        let has_work = !plan.mending.replacements.is_empty();
        let remaining = if has_work && !is_dry_run {
            let change = Change::Mend(plan.mending.clone());
            install::mend(change, &self.arguments.install, self.common, self.environment)?;
            // Told by what is there now, not by what was planned.
            deka_install::audit(&self.request)?.advisories().count()
        } else {
            before - plan.mended()
        };
        if self.arguments.install.json {
            document::print(FIX_SCHEMA_VERSION, plan_fields(&plan, is_dry_run, remaining));
        } else if shows_text && before > 0 {
            print(&self.ending(&plan, before, remaining));
        }
        if remaining == 0 { Ok(()) } else { Err(Diagnostic::found()) }
    }

    fn ending(&self, plan: &Plan, before: usize, remaining: usize) -> String {
        let is_dry_run = self.request.config.install.dry_run;
        let verb = if is_dry_run { "Would fix" } else { "Fixed" };
        let fixed = before.saturating_sub(remaining);
        let checked = plan.audit.checked;
        let time = elapsed(self.started.elapsed());
        let mut names: Vec<&str> =
            plan.mending.replacements.iter().map(|replacement| replacement.name.as_str()).collect();
        names.dedup();
        let what = if names.is_empty() {
            format!("{fixed} of {}", vulnerabilities(before))
        } else {
            format!("{} in {}", vulnerabilities(fixed), count(names.len(), "package"))
        };
        let mut text = format!("{verb} {what} (checked {checked}) [{}]\n", time.bold());
        if remaining > 0 {
            let _ = writeln!(text, "{} remaining", vulnerabilities(remaining).yellow());
        }
        text
    }
}

/// Returns what will be done, and what can't be.
fn planned(plan: &Plan) -> String {
    let mut text = String::new();
    let step = |name: &str, from: &str, to: &str| {
        format!(
            "  {} {} {}\n",
            "^".blue(),
            printable(name).bold(),
            format_args!("{from} -> {to}").dimmed()
        )
    };
    if !plan.mending.replacements.is_empty() {
        text.push_str("fixing:\n");
    }
    for replacement in &plan.mending.replacements {
        let (from, to) = (replacement.from.to_string(), replacement.to.to_string());
        text.push_str(&step(replacement.name.as_str(), &from, &to));
    }
    for spec in &plan.mending.specs {
        let file = if spec.folder.is_empty() {
            "package.json".to_owned()
        } else {
            format!("{}/package.json", printable(&spec.folder))
        };
        let place = match spec.path.last() {
            Some(_) if spec.path.iter().any(|part| part.starts_with("catalog")) => " (catalog)",
            _ => "",
        };
        let (from, to) = (printable(&spec.from), printable(&spec.to));
        let place = match &spec.overriding {
            None => format!("{place}: {}", printable(&spec.key)),
            Some(path) if path == spec.alias.as_str() => " (overrides):".to_owned(),
            Some(path) => format!(" (overrides {}):", printable(path)),
        };
        let _ = writeln!(text, "    {file}{place} {from} -> {to}");
    }
    if !plan.mending.replacements.is_empty() {
        text.push('\n');
    }
    let (stuck, hopeless): (Vec<_>, Vec<_>) =
        plan.stuck.iter().partition(|stuck| stuck.to.is_some());
    if !stuck.is_empty() {
        text.push_str("blocked by a dependent's range:\n");
    }
    for stuck in &stuck {
        let to = stuck.to.as_ref().map(ToString::to_string).unwrap_or_default();
        text.push_str(&step(stuck.name.as_str(), &stuck.from.to_string(), &to));
        for hindrance in &stuck.hindrances {
            let (dependent, alias) =
                (printable(&hindrance.dependent), printable(hindrance.alias.as_str()));
            let range = printable(&hindrance.range);
            let line = match &hindrance.overriding {
                None => format!("{dependent} depends on {alias}@{range}"),
                Some(path) if *path == alias => format!("{dependent} overrides {alias}@{range}"),
                Some(path) => {
                    format!("{dependent} overrides {alias}@{range} ({})", printable(path))
                }
            };
            let _ = writeln!(text, "    {line}");
        }
        if stuck.hindrances.iter().any(|hindrance| hindrance.is_own) {
            let _ = writeln!(text, "    {}", "deka audit fix --latest".cyan());
        }
    }
    let is_of_others = |stuck: &&&deka_install::Stuck| {
        let is_other = |hindrance: &Hindrance| !hindrance.is_own && hindrance.overriding.is_none();
        stuck.hindrances.iter().any(is_other)
    };
    let mut overrides: Vec<String> = stuck
        .iter()
        .filter(is_of_others)
        .filter_map(|stuck| {
            Some(format!("\"{}\": \"{}\"", printable(stuck.name.as_str()), stuck.to.as_ref()?))
        })
        .collect();
    overrides.dedup();
    if !overrides.is_empty() {
        let overrides = overrides.join(", ");
        let _ = writeln!(
            text,
            "  to take it all the same, add to package.json, and test what depends on it:"
        );
        let _ = writeln!(text, "    \"overrides\": {{ {overrides} }}");
    }
    if !stuck.is_empty() {
        text.push('\n');
    }
    if !hopeless.is_empty() {
        text.push_str("no safe version yet:\n");
        for stuck in &hopeless {
            let _ = writeln!(text, "  {}@{}", printable(stuck.name.as_str()).red(), stuck.from);
        }
        text.push('\n');
    }
    text
}

fn plan_fields(plan: &Plan, is_dry_run: bool, remaining: usize) -> Vec<(&'static str, Value)> {
    let fixes = plan.mending.replacements.iter().map(|replacement| {
        let (from, to) = (replacement.from.to_string(), replacement.to.to_string());
        json!({ "name": replacement.name.as_str(), "from": from, "to": to })
    });
    let specs = plan.mending.specs.iter().map(|spec| {
        json!({
            "folder": spec.folder,
            "path": spec.path,
            "name": spec.key,
            "from": spec.from,
            "to": spec.to,
        })
    });
    let blocked = plan.stuck.iter().map(|stuck| {
        let hindrances = stuck.hindrances.iter().map(|hindrance| {
            json!({
                "dependent": hindrance.dependent,
                "name": hindrance.alias.as_str(),
                "range": hindrance.range,
                "own": hindrance.is_own,
            })
        });
        json!({
            "name": stuck.name.as_str(),
            "from": stuck.from.to_string(),
            "to": stuck.to.as_ref().map(ToString::to_string),
            "dependents": hindrances.collect::<Value>(),
        })
    });
    let before = plan.audit.advisories().count();
    vec![
        ("dry_run", is_dry_run.into()),
        ("fixes", fixes.collect()),
        ("specs", specs.collect()),
        ("blocked", blocked.collect()),
        ("fixed", before.saturating_sub(remaining).into()),
        ("remaining", remaining.into()),
    ]
}
