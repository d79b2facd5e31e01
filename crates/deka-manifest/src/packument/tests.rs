//! Packuments in all shapes.

use super::*;

fn packument(json: &str) -> Packument {
    Packument::from_json(PackageName::parse("p").unwrap(), json.as_bytes()).unwrap()
}

#[test]
fn versions_are_sorted() {
    let packument = packument(
        r#"{"versions":{"10.0.0":{},"9.0.0":{},"v1.0.0":{},"1.0.0-b":{},"1.0.0":{"bin":"x"},"1":{}}}"#,
    );
    let versions: Vec<String> =
        packument.versions().map(|index| packument.version(index).to_string()).collect();
    assert_eq!(versions, ["1.0.0-b", "1.0.0", "9.0.0", "10.0.0"]);
    let one = packument.find(&Version::parse("1.0.0").unwrap()).unwrap();
    assert!(!packument.manifest(one).unwrap().bin.is_none());
}
