//! Lockfiles that were damaged: whatever they say, reading and writing end without a panic.

use deka_lockfile::bun;
use proptest::prelude::*;

const SAMPLES: [&str; 5] = [
    include_str!("samples/tuples.bun.lock"),
    include_str!("samples/bundled.bun.lock"),
    include_str!("samples/folders.bun.lock"),
    include_str!("samples/one-name-in-two-groups.bun.lock"),
    include_str!("samples/rules/unresolved-optional-dependencies.bun.lock"),
];

/// One damage, at places given as shares of the text.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize, usize),
    Repeat(usize, usize),
    Insert(usize, &'static str),
    SwapLines(usize, usize),
    Move(usize, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let pieces = [
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\\",
        "/",
        "//",
        "/*",
        "@",
        "..",
        "\0",
        "null",
        "1e9",
        "\\u",
        "\\ud800",
        "é",
        "\"bundled\": true,",
        "\"a\": ",
        "@workspace:",
        "@root:",
        "@file:.",
    ];
    let at = || 0_usize..10_000;
    prop_oneof![
        (at(), 1_usize..200).prop_map(|(from, length)| Damage::Cut(from, length)),
        (at(), 1_usize..400).prop_map(|(from, length)| Damage::Repeat(from, length)),
        (at(), prop::sample::select(pieces.to_vec()))
            .prop_map(|(at, piece)| Damage::Insert(at, piece)),
        (at(), at()).prop_map(|(one, other)| Damage::SwapLines(one, other)),
        (at(), 1_usize..60, at()).prop_map(|(from, length, to)| Damage::Move(from, length, to)),
    ]
}

/// Returns the nearest place at or before `share` ten-thousandths of the text.
fn place(text: &str, share: usize) -> usize {
    text.floor_char_boundary(text.len() * share / 10_000)
}

fn apply(text: &mut String, damage: &Damage) {
    let range = |text: &str, from: usize, length: usize| {
        let start = place(text, from);
        start..text.floor_char_boundary((start + length).min(text.len()))
    };
    match *damage {
        Damage::Cut(from, length) => {
            text.replace_range(range(text, from, length), "");
        }
        Damage::Repeat(from, length) => {
            let range = range(text, from, length);
            let piece = text[range.clone()].to_owned();
            text.insert_str(range.end, &piece);
        }
        Damage::Insert(at, piece) => text.insert_str(place(text, at), piece),
        Damage::SwapLines(one, other) => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            let count = lines.len();
            lines.swap(count * one / 10_000, count * other / 10_000);
            *text = lines.join("\n");
        }
        Damage::Move(from, length, to) => {
            let range = range(text, from, length);
            let piece = text[range.clone()].to_owned();
            text.replace_range(range, "");
            text.insert_str(place(text, to), &piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_lockfiles_are_refused_or_read(
        sample in 0..SAMPLES.len(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let mut text = SAMPLES[sample].to_owned();
        for damage in &damages {
            apply(&mut text, damage);
        }
        let Ok(lockfile) = bun::parse(&text) else { return Ok(()) };
        let Ok(written) = bun::emit(&lockfile) else { return Ok(()) };
        // What is written can be read again, unless a place got lost that an edge needs.
        let Ok(again) = bun::parse(&written) else { return Ok(()) };
        prop_assert!(bun::emit(&again).is_ok());
    }

    #[test]
    fn any_text_is_refused_or_read(text in "[\\[\\]{}\",:/*a@. \\n\\\\]{0,80}") {
        let _ = bun::parse(text);
    }
}

#[test]
fn depth_is_bounded() {
    let open = "[".repeat(100_000);
    assert!(bun::parse(format!("{{ \"unknown\": {open}")).is_err());
    let open = "{\"a\":".repeat(100_000);
    assert!(bun::parse(format!("{{ \"unknown\": {open}")).is_err());
    let key = "a/".repeat(100_000);
    let text = format!(
        "{{ \"lockfileVersion\": 2, \"workspaces\": {{ \"\": {{}} }}, \"packages\": {{ \"{key}a\": [\"a@1.0.0\", \"\", {{}}, \"\"] }} }}"
    );
    assert!(bun::parse(text).is_err());
    assert!(bun::parse([b'{', 0xff]).is_err());
}
