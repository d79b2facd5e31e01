//! What the conformance test against npm does not ask.

use super::*;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn range(text: &str) -> Range {
    Range::parse(text).unwrap()
}

#[test]
fn ranges_print_as_npm_prints_them() {
    for (text, printed) in [
        ("", "*"),
        ("*", "*"),
        ("||", "*"),
        ("^1.2.3", ">=1.2.3 <2.0.0-0"),
        ("^0.0.0", "<0.0.1-0"),
        ("~1", ">=1.0.0 <2.0.0-0"),
        ("1.2.3 - 2.3", ">=1.2.3 <2.4.0-0"),
        ("1 || 2.x.x || 3", ">=1.0.0 <2.0.0-0||>=2.0.0 <3.0.0-0||>=3.0.0 <4.0.0-0"),
        (">x", "<0.0.0-0"),
        (">x || 1.2.3", "1.2.3"),
        ("=1.2.3", "1.2.3"),
        ("1.2.3 1.2.3", "1.2.3"),
        ("^1.0.0 foo", ">=1.0.0 <2.0.0-0"),
        (">= 1.2.3 < 2", ">=1.2.3 <2.0.0-0"),
        ("~> 1.2.3", ">=1.2.3 <1.3.0-0"),
        ("1.2.34.5", "1.2.3-4.5"),
    ] {
        assert_eq!(range(text).to_string(), printed, "{text:?}");
    }
}
