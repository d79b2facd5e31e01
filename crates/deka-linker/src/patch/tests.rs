//! Texts in, changes and bytes out.

use super::*;

fn read(text: &str) -> Patch {
    Patch::read(text.as_bytes()).unwrap()
}

#[track_caller]
fn check(patch: &str, before: &str, after: Result<&str, &str>) {
    let patch = read(patch);
    let found = changed(&patch.changes[0], before.as_bytes());
    let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(found.as_deref().map_err(ToString::to_string), after.map_err(ToOwned::to_owned));
}

const HUNK: &str = "diff --git a/x.js b/x.js\nindex 1..2 100644\n--- a/x.js\n+++ b/x.js\n\
                    @@ -1,3 +1,4 @@\n a\n-b\n+B\n+C\n d\n";

#[test]
fn lines_are_replaced() {
    check(HUNK, "a\nb\nd\ne\n", Ok("a\nB\nC\nd\ne\n"));
    check(HUNK, "a\nB\nd\n", Err("the lines that it changes at line 1 of `x.js` are not there"));
}

#[test]
fn lines_may_have_moved() {
    check(HUNK, "1\n2\na\nb\nd\n", Ok("1\n2\na\nB\nC\nd\n"));
    let two = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+A\n@@ -3 +3 @@\n-a\n+B\n";
    check(two, "0\na\n1\na\n2\na\n", Ok("0\nA\n1\nB\n2\na\n"));
}

#[test]
fn ends_of_lines_may_differ() {
    check(HUNK, "a\r\nb\r\nd\r\n", Ok("a\r\nB\r\nC\r\nd\r\n"));
    check(&HUNK.replace('\n', "\r\n"), "a\nb\nd\n", Ok("a\nB\nC\nd\n"));
    check(&HUNK.replace('\n', "\r\n"), "a\r\nb\r\nd\r\n", Ok("a\r\nB\r\nC\r\nd\r\n"));
}

#[test]
fn ends_of_lines_can_be_changed() {
    let patch = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\r\n+A\n b\r\n";
    check(patch, "a\r\nb\r\n", Ok("A\nb\r\n"));
}

#[test]
fn the_last_line_may_have_no_end() {
    let added = "--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-a\n+a\n+b\n\\ No newline at end of file\n";
    check(added, "a\n", Ok("a\nb"));
    let removed = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n";
    check(removed, "a", Ok("a\n"));
    check(removed, "a\n", Err("the lines that it changes at line 1 of `x` are not there"));
}

#[test]
fn files_come_go_and_move() {
    let patch = read(
        "diff --git a/new b/new\nnew file mode 100755\nindex 0..1\n--- /dev/null\n+++ b/new\n\
         @@ -0,0 +1 @@\n+x\ndiff --git a/old b/old\ndeleted file mode 100644\nindex 1..0\n\
         --- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\ndiff --git a/one b/two\n\
         similarity index 100%\nrename from one\nrename to two\ndiff --git a/m b/m\n\
         old mode 100644\nnew mode 100755\n",
    );
    let told: Vec<_> = patch
        .changes
        .iter()
        .map(|change| (change.from.as_deref(), change.to.as_deref(), change.executable))
        .collect();
    assert_eq!(
        told,
        [
            (None, Some("new"), Some(true)),
            (Some("old"), None, None),
            (Some("one"), Some("two"), None),
            (Some("m"), Some("m"), Some(true)),
        ]
    );
    assert_eq!(changed(&patch.changes[0], b"").unwrap(), b"x\n");
    assert_eq!(changed(&patch.changes[1], b"x\n").unwrap(), b"");
}

#[test]
fn unusual_names_are_read() {
    let patch = read(
        "diff --git \"a/\\303\\251 x\" \"b/\\303\\251 x\"\nold mode 100644\nnew mode 100755\n",
    );
    assert_eq!(patch.changes[0].to.as_deref(), Some("é x"));
    let patch = read("diff --git a/a b/c b/a b/c\nold mode 100644\nnew mode 100755\n");
    assert_eq!(patch.changes[0].to.as_deref(), Some("a b/c"));
}

#[test]
fn hostile_and_broken_patches_are_refused() {
    for (text, expected) in [
        ("--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", "`../x` is not inside the package"),
        ("--- a//etc/x\n+++ b//etc/x\n@@ -1 +1 @@\n-a\n+b\n", "`/etc/x` is not inside the package"),
        ("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n+b\n", "the hunk before line 6 has another length"),
        ("--- a/x\n+++ b/x\n@@ nonsense @@\n", "line 3 is no part of a patch"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\nnonsense\n", "line 6 is no part of a patch"),
        ("diff --git a/x b/x\nGIT binary patch\n", "binary files cannot be patched, in line 2"),
    ] {
        let error = Patch::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}
