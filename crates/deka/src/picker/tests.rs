//! What keys do, and what is drawn.

use console::measure_text_width;
use deka_manifest::Version;

use super::{Choice, Ending, Picker, Press};

fn choice(name: &str, versions: [&str; 3]) -> Choice {
    let [current, update, latest] = versions.map(|version| Version::parse(version).unwrap());
    Choice { name: name.to_owned(), note: "dev".to_owned(), current, update, latest }
}

fn choices() -> Vec<Choice> {
    vec![
        choice("major", ["1.0.0", "1.0.0", "2.0.0"]),
        choice("minor", ["1.0.0", "1.1.0", "2.0.0"]),
        choice("patch", ["1.0.0", "1.0.1", "1.0.1"]),
        choice("early", ["0.1.0", "0.1.0", "0.2.0"]),
    ]
}

/// Presses keys, the last of which ends it, and returns what was chosen.
fn chosen(to_latest: bool, presses: &[Press]) -> Vec<String> {
    let mut picker = Picker::new(choices(), to_latest);
    let (last, before) = presses.split_last().unwrap();
    for press in before {
        assert_eq!(picker.press(*press), None, "{press:?}");
    }
    let names: Vec<String> = choices().into_iter().map(|choice| choice.name).collect();
    match picker.press(*last) {
        Some(Ending::Chosen(chosen)) => {
            chosen.iter().map(|(place, version)| format!("{}@{version}", names[*place])).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys() {
    use Press::{All, Confirm, Down, First, Invert, Last, Latest, Toggle, Up};
    let check = |presses: &[Press], expected: &[&str]| {
        assert_eq!(chosen(false, presses), expected, "{presses:?}");
    };
    check(&[Confirm], &[]);
    // The order is patch, minor, then what is major.
    check(&[Toggle, Confirm], &["patch@1.0.1"]);
    check(&[Toggle, Toggle, Confirm], &[]);
    check(&[Down, Toggle, Confirm], &["minor@1.1.0"]);
    check(&[Down, Latest, Confirm], &["minor@2.0.0"]);
    check(&[Down, Latest, Latest, Confirm], &["minor@1.1.0"]);
    // All and invert do not leave ranges; to choose one by itself does.
    check(&[All, Confirm], &["minor@1.1.0", "patch@1.0.1"]);
    check(&[All, All, Confirm], &[]);
    check(&[Toggle, Invert, Confirm], &["minor@1.1.0"]);
    check(&[Last, Toggle, Confirm], &["early@0.2.0"]);
    check(&[Up, Toggle, Confirm], &["early@0.2.0"]);
    check(&[Last, Latest, Latest, Confirm], &[]);
    check(&[Last, First, Up, Down, Toggle, Confirm], &["patch@1.0.1"]);
    assert_eq!(
        chosen(true, &[All, Confirm]),
        ["major@2.0.0", "minor@2.0.0", "patch@1.0.1", "early@0.2.0"]
    );
    let mut picker = Picker::new(choices(), false);
    assert_eq!(picker.press(Press::Cancel), Some(Ending::Cancelled));
}

fn plain(lines: &[String]) -> String {
    anstream::adapter::strip_str(&lines.join("\n")).to_string()
}

#[test]
fn the_list() {
    let mut picker = Picker::new(choices(), false);
    picker.press(Press::Down);
    picker.press(Press::Toggle);
    let expected = "\
? Select packages to update
space choose  a all  i invert  l latest  enter update  q cancel

Patch          Current  Target  Latest
  □ patch dev  1.0.0    1.0.1   1.0.1 

Minor          Current  Target  Latest
❯ ■ minor dev  1.0.0    1.1.0   2.0.0 

Major          Current  Target  Latest
  □ major dev  1.0.0    1.0.0   2.0.0 
  □ early dev  0.1.0    0.1.0   0.2.0 

1 of 4 chosen";
    assert_eq!(plain(&picker.draw(80, 24)), expected);
}

#[test]
fn it_fits_any_terminal_and_shows_the_cursor() {
    let many: Vec<Choice> = (0..60)
        .map(|number| {
            let name = format!("{number}-{}", "long-".repeat(number % 30));
            choice(&name, ["1.0.0", ["1.0.1", "1.1.0"][number % 2], "2.0.0-beta.1234567890"])
        })
        .collect();
    for (width, height) in [(20, 5), (40, 10), (80, 24), (200, 50)] {
        let mut picker = Picker::new(many.clone(), false);
        for press in
            std::iter::repeat_n(Press::Down, 130).chain([Press::PageUp, Press::Last, Press::First])
        {
            picker.press(press);
            let lines = picker.draw(width, height);
            assert!(lines.len() <= height.max(6), "{width}x{height}: {}", lines.len());
            let text = plain(&lines);
            assert!(text.lines().all(|line| measure_text_width(line) <= width), "{text}");
            assert!(text.contains('❯'), "{width}x{height} {press:?}\n{text}");
        }
    }
}
