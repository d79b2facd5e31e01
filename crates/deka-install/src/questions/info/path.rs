//! Paths into a document, as `npm view` has them.
//!
//! ```text
//! dist.tarball      a field of a field             maintainers.name   that of all elements of a list
//! versions[0]       an element of a list, also     time[1.0.0]        a name with dots in it; without
//! versions.0        written as a field             time.1.0.0         brackets, too
//! ```

use serde_json::Value;

/// What is at a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// The path, with the place in each list that was gone through: `maintainers[0].name`.
    pub path: String,
    /// What is there.
    pub value: Value,
}

/// The fields of an object.
type Fields<'a> = dyn Fn(&str) -> Option<&'a Value> + 'a;

/// Returns all that is at `path` in an object with these fields.
pub(super) fn select(fields: &Fields<'_>, path: &str) -> Vec<Selected> {
    let names = names(path);
    let mut found = Vec::new();
    if !names.is_empty() {
        walk_fields(fields, &names, "", &mut found);
    }
    found
}

/// Splits a path into names.
fn names(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (name, behind) = inside.split_once(']').unwrap_or((inside, ""));
            names.push(name.trim_matches(['"', '\'']));
            rest = behind.strip_prefix('.').unwrap_or(behind);
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        names.push(&rest[..end]);
        rest = rest[end..].strip_prefix('.').unwrap_or(&rest[end..]);
    }
    names
}

fn walk_fields(fields: &Fields<'_>, names: &[&str], path: &str, found: &mut Vec<Selected>) {
    // What looks like several names may be one with dots in it.
    for count in 1..=names.len() {
        let name = names[..count].join(".");
        let Some(child) = fields(&name) else { continue };
        let before = found.len();
        let joint = if path.is_empty() { "" } else { "." };
        walk(child, &names[count..], format!("{path}{joint}{name}"), found);
        if found.len() > before {
            return;
        }
    }
}

fn walk(value: &Value, names: &[&str], path: String, found: &mut Vec<Selected>) {
    let Some(first) = names.first() else {
        found.push(Selected { path, value: value.clone() });
        return;
    };
    match value {
        Value::Object(fields) => walk_fields(&|name| fields.get(name), names, &path, found),
        Value::Array(elements) => {
            if let Ok(at) = first.parse::<usize>() {
                if let Some(element) = elements.get(at) {
                    walk(element, &names[1..], format!("{path}[{at}]"), found);
                }
                return;
            }
            // `[]` means all, as does a name that only the elements can have.
            let names = if first.is_empty() { &names[1..] } else { names };
            for (at, element) in elements.iter().enumerate() {
                walk(element, names, format!("{path}[{at}]"), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::select;

    fn check(path: &str, expected: &[&str]) {
        let document = json!({
            "version": "1.0.0",
            "versions": ["1.0.0", "2.0.0"],
            "dist": { "tarball": "url", "signatures": [{ "keyid": "k" }] },
            "dist-tags": { "latest": "1.0.0" },
            "maintainers": [{ "name": "x" }, { "name": "y" }, { "email": "z" }],
            "time": { "1.0.0": "now", "1": { "0": 7 } },
            "dependencies": { "lodash.merge": "^4", "@s/x": "1" },
        });
        let found: Vec<String> = select(&|name| document.get(name), path)
            .iter()
            .map(|found| format!("{}={}", found.path, found.value))
            .collect();
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn paths() {
        check("version", &["version=\"1.0.0\""]);
        check("dist.tarball", &["dist.tarball=\"url\""]);
        check("dist-tags.latest", &["dist-tags.latest=\"1.0.0\""]);
        check("versions[1]", &["versions[1]=\"2.0.0\""]);
        check("versions.0", &["versions[0]=\"1.0.0\""]);
        check("versions[7]", &[]);
        check("versions[]", &["versions[0]=\"1.0.0\"", "versions[1]=\"2.0.0\""]);
        check("maintainers[0].name", &["maintainers[0].name=\"x\""]);
        check("maintainers.name", &["maintainers[0].name=\"x\"", "maintainers[1].name=\"y\""]);
        check("dist.signatures[0]keyid", &["dist.signatures[0].keyid=\"k\""]);
        check("time[1.0.0]", &["time.1.0.0=\"now\""]);
        check("time['1.0.0']", &["time.1.0.0=\"now\""]);
        check("time.1.0.0", &["time.1.0.0=\"now\""]);
        check("time.1.0", &["time.1.0=7"]);
        check("dependencies.lodash.merge", &["dependencies.lodash.merge=\"^4\""]);
        check("dependencies.@s/x", &["dependencies.@s/x=\"1\""]);
        check("nosuch", &[]);
        check("version.more", &[]);
        check("", &[]);
        check("dist.", &["dist={\"tarball\":\"url\",\"signatures\":[{\"keyid\":\"k\"}]}"]);
        check("[", &[]);
    }
}
