//! What the conformance test against npm does not ask.

use super::*;

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

#[test]
fn exact_ranges_name_their_version() {
    let exact = |text: &str| range(text).is_exact().map(ToString::to_string);
    assert_eq!(exact("1.2.3").as_deref(), Some("1.2.3"));
    assert_eq!(exact("=1.2.3-b").as_deref(), Some("1.2.3-b"));
    assert_eq!(exact("v1.2.3 1.2.3").as_deref(), Some("1.2.3"));
    for text in ["^1.2.3", "1.2", "*", "1.2.3 || 1.2.4", ">=1.2.3 <=1.2.3", "1.2.3 1.2.4"] {
        assert_eq!(exact(text), None, "{text}");
    }
}

#[test]
fn only_written_prereleases_count() {
    for text in
        ["^1.0.0-0", "1.2.3-beta", "1.0.0 - 2.0.0-rc", "^1 || 2.0.0-a", "<=2.0.0-0", "1.0.0pre"]
    {
        assert!(range(text).has_prerelease(), "{text}");
    }
    for text in ["^1", "~1.2.3", "1 - 2", "<x", "1.2.3+a-b", "1.2.x-beta", "1.2.3+build-1 - 2", "*"]
    {
        assert!(!range(text).has_prerelease(), "{text}");
    }
}

#[test]
fn ranges_intersect_where_their_bounds_do() {
    for (left, right, expected) in [
        ("^1", "1.2.3", true),
        ("^1", "^2", false),
        ("^1 || ^3", "^2 || 3.1.x", true),
        ("<1.0.0", ">=1.0.0", false),
        ("<=1.0.0", ">=1.0.0", true),
        (">1.0.0 <1.0.0", "*", false),
        ("<0.0.0-0", "*", false),
        ("*", "*", true),
        ("<2", "2.0.0-alpha", false),
        ("^2.0.0-alpha", "2.0.0-beta", true),
    ] {
        assert_eq!(range(left).intersects(&range(right)), expected, "{left} and {right}");
        assert_eq!(range(right).intersects(&range(left)), expected, "{right} and {left}");
    }
}

#[test]
fn equal_versions_have_equal_hashes() {
    use std::hash::{BuildHasher as _, RandomState};

    let state = RandomState::new();
    let version = |text: &str| Version::parse(text).unwrap();
    let same = [version("1.2.3-a.1+b"), version(" v1.2.3-a.1+b"), version("=1.2.3a.1+b")];
    for other in &same {
        assert_eq!(other, &same[0]);
        assert_eq!(state.hash_one(other), state.hash_one(&same[0]));
    }
    // Equal in precedence is not equal.
    for (left, right) in [("1.2.3+a", "1.2.3+b"), ("1.2.3", "1.2.3+b"), ("1.2.3-01", "1.2.3-1")] {
        assert_ne!(version(left), version(right));
        assert_ne!(version(left).cmp(&version(right)), std::cmp::Ordering::Equal);
        assert!(version(left).cmp_precedence(&version(right)).is_eq());
    }
}

#[test]
fn texts_of_any_kind_are_read_as_far_as_they_go() {
    let read = |text: &str| Range::parse_as_bun(text).to_string();
    assert_eq!(read("1.2.3.4"), "1.2.3");
    assert_eq!(read("1 ||"), ">=1.0.0 <2.0.0-0");
    assert_eq!(read("é".repeat(10_000).as_str()), "*");
    assert!(!Range::parse_as_bun("latest").is_star());
    assert!(Range::parse_as_bun("*").is_star());
}
