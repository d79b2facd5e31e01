//! The schemas of what `--json` prints: that they are schemas, and say what each field is.

use deka_test::schema;
use serde_json::{Value, json};

fn names() -> Vec<String> {
    let files = std::fs::read_dir(schema::folder()).expect("a folder of schemas");
    let paths = files.map(|file| file.expect("a file").path());
    let schemas = paths.filter(|path| path.extension().is_some_and(|found| found == "json"));
    schemas.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

#[test]
fn each_describes_all_fields() {
    assert!(names().len() > 3);
    for name in names() {
        let schema = schema::read(&name);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert!(schema["title"].is_string(), "{name} has no title");
        let mut problems = Vec::new();
        look(&schema, &name, &mut problems);
        assert_eq!(problems, Vec::<String>::new());
        // The validator looks at the schema first.
        let problem = schema::validate(&name, &json!({})).expect_err("the version is missing");
        assert!(problem.contains("schema_version"), "{name}: {problem}");
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let fits = |document: Value| schema::validate("pm-default-trusted", &document);
    assert_eq!(fits(json!({ "schema_version": 1, "names": ["a"] })), Ok(()));
    fits(json!({ "schema_version": 2, "names": ["a"] })).unwrap_err();
    fits(json!({ "schema_version": 1, "names": [1] })).unwrap_err();
    fits(json!({ "schema_version": 1, "names": [], "more": 1 })).unwrap_err();
}

/// Collects what is wrong at and below a part of a schema.
fn look(part: &Value, at: &str, problems: &mut Vec<String>) {
    if !part["description"].is_string() && part.get("$ref").is_none() {
        problems.push(format!("{at} has no description"));
    }
    if let Some(properties) = part["properties"].as_object() {
        if part["additionalProperties"] != false {
            problems.push(format!("{at} allows fields that nobody described"));
        }
        for (name, property) in properties {
            if name.chars().any(|c| !c.is_ascii_lowercase() && c != '_') {
                problems.push(format!("{at}/{name} is not in snake_case"));
            }
            look(property, &format!("{at}/{name}"), problems);
        }
    }
    for inner in ["items", "additionalProperties"] {
        if part[inner].is_object() {
            look(&part[inner], &format!("{at}/{inner}"), problems);
        }
    }
    for (name, definition) in part["$defs"].as_object().into_iter().flatten() {
        look(definition, &format!("{at}/$defs/{name}"), problems);
    }
}
