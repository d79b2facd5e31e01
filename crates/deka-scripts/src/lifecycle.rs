//! Which scripts a package has, in npm's order.

use deka_manifest::PackageJson;

/// The moments of an install at which npm runs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Before anything of the package is built.
    Preinstall,
    /// Builds; `node-gyp rebuild` where there is a `binding.gyp` and nothing else was said.
    Install,
    /// After that.
    Postinstall,
    /// Before `prepare`, for projects and repositories only.
    Preprepare,
    /// Makes a working copy ready, for projects and repositories only.
    Prepare,
    /// After `prepare`, for projects and repositories only.
    Postprepare,
    /// Before a package gets another version.
    Preversion,
    /// When it has it, before that is committed.
    Version,
    /// When it is committed.
    Postversion,
}

impl Event {
    /// Returns its key in `scripts`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preinstall => "preinstall",
            Self::Install => "install",
            Self::Postinstall => "postinstall",
            Self::Preprepare => "preprepare",
            Self::Prepare => "prepare",
            Self::Postprepare => "postprepare",
            Self::Preversion => "preversion",
            Self::Version => "version",
            Self::Postversion => "postversion",
        }
    }
}

/// A script to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// When.
    pub event: Event,
    /// What: a line for the shell.
    pub command: Box<str>,
}

/// What a package gets when it has a `binding.gyp` and says nothing itself.
const IMPLIED_INSTALL: &str = "node-gyp rebuild";

/// Returns the scripts of a dependency.
pub fn of_dependency(manifest: &PackageJson, has_binding_gyp: bool) -> Vec<Script> {
    scripts(manifest, has_binding_gyp, &[Event::Preinstall, Event::Install, Event::Postinstall])
}

/// Returns the scripts of a dependency that comes from a repository, where `prepare` may have to make
/// what is published elsewhere.
pub fn of_repository(manifest: &PackageJson, has_binding_gyp: bool) -> Vec<Script> {
    of_project(manifest, has_binding_gyp)
}

/// Returns the script that a package has for one moment, which implies nothing.
pub fn for_event(manifest: &PackageJson, event: Event) -> Option<Script> {
    scripts(manifest, false, &[event]).into_iter().next()
}

/// Returns the scripts of the project itself.
pub fn of_project(manifest: &PackageJson, has_binding_gyp: bool) -> Vec<Script> {
    let events = [
        Event::Preinstall,
        Event::Install,
        Event::Postinstall,
        Event::Preprepare,
        Event::Prepare,
        Event::Postprepare,
    ];
    scripts(manifest, has_binding_gyp, &events)
}

/// Returns the scripts of a member of the project's workspaces.
pub fn of_workspace(manifest: &PackageJson, has_binding_gyp: bool) -> Vec<Script> {
    let events = [Event::Preinstall, Event::Install, Event::Postinstall, Event::Prepare];
    scripts(manifest, has_binding_gyp, &events)
}

fn scripts(manifest: &PackageJson, has_binding_gyp: bool, events: &[Event]) -> Vec<Script> {
    let own = |event: Event| manifest.script(event.as_str()).filter(|line| !line.is_empty());
    let is_implied =
        has_binding_gyp && own(Event::Preinstall).is_none() && own(Event::Install).is_none();
    events
        .iter()
        .filter_map(|event| {
            let implied = (is_implied && *event == Event::Install).then_some(IMPLIED_INSTALL);
            let command = own(*event).or(implied)?;
            Some(Script { event: *event, command: command.into() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        list: fn(&PackageJson, bool) -> Vec<Script>,
        scripts: &str,
        has_binding_gyp: bool,
        expected: &[&str],
    ) {
        let text = format!(r#"{{"scripts":{scripts}}}"#);
        let manifest = PackageJson::parse(text.as_bytes()).unwrap();
        let found: Vec<String> = list(&manifest, has_binding_gyp)
            .iter()
            .map(|script| format!("{}: {}", script.event.as_str(), script.command))
            .collect();
        assert_eq!(found, expected, "{scripts}");
    }

    #[test]
    fn in_npms_order() {
        let all = r#"{"postprepare":"f","prepare":"e","preprepare":"d","postinstall":"c","install":"b",
            "preinstall":"a","test":"x"}"#;
        check(of_dependency, all, false, &["preinstall: a", "install: b", "postinstall: c"]);
        check(
            of_project,
            all,
            false,
            &[
                "preinstall: a",
                "install: b",
                "postinstall: c",
                "preprepare: d",
                "prepare: e",
                "postprepare: f",
            ],
        );
        let of_members = &["preinstall: a", "install: b", "postinstall: c", "prepare: e"];
        check(of_workspace, all, false, of_members);
        check(of_dependency, r#"{"install":""}"#, false, &[]);
    }

    #[test]
    fn a_binding_gyp_means_node_gyp_unless_something_was_said() {
        check(of_dependency, "{}", true, &["install: node-gyp rebuild"]);
        check(
            of_dependency,
            r#"{"postinstall":"c"}"#,
            true,
            &["install: node-gyp rebuild", "postinstall: c"],
        );
        check(of_dependency, r#"{"preinstall":"a"}"#, true, &["preinstall: a"]);
        check(of_dependency, r#"{"install":"b"}"#, true, &["install: b"]);
    }
}
