//! One line per kind of text. What each is was seen at Bun 1.4.5, by the requests it makes.

use super::*;

fn parse(text: &str) -> String {
    match Spec::parse(Alias::parse("dep").unwrap(), text) {
        Ok(spec) => print(&spec),
        Err(error) => format!("error: {}", error.reason),
    }
}

fn print(spec: &Spec) -> String {
    let committish = |committish: &Option<Symbol>| {
        committish.map_or_else(String::new, |committish| format!(" at {committish}"))
    };
    match spec {
        Spec::Range(range) => format!("range {range}"),
        Spec::Tag(tag) => format!("tag {tag}"),
        Spec::Alias { name, spec } => format!("alias {name} {}", print(spec)),
        Spec::Workspace(text) => format!("workspace {text}"),
        Spec::Catalog(None) => "catalog".to_owned(),
        Spec::Catalog(Some(name)) => format!("catalog {name}"),
        Spec::Folder(path) => format!("folder {path}"),
        Spec::Link(path) => format!("link {path}"),
        Spec::LocalTarball(path) => format!("local tarball {path}"),
        Spec::RemoteTarball(url) => format!("remote tarball {url}"),
        Spec::Git { repository, committish: at } => format!("git {repository}{}", committish(at)),
        Spec::GitHub { repository, committish: at } => {
            format!("github {repository}{}", committish(at))
        }
    }
}

#[test]
fn specs_are_what_bun_takes_them_for() {
    for (text, expected) in [
        ("", "range *"),
        ("*", "range *"),
        (" ^1.2.3 ", "range >=1.2.3 <2.0.0-0"),
        ("=1.2.3", "range 1.2.3"),
        ("v1.2.3", "range 1.2.3"),
        ("1.x || 2", "range >=1.0.0 <2.0.0-0||>=2.0.0 <3.0.0-0"),
        ("|| 1", "range >=1.0.0 <2.0.0-0"),
        ("||", "range *"),
        ("x", "range *"),
        ("x.x", "range *"),
        ("~1.2", "range >=1.2.0 <1.3.0-0"),
        ("1.2.3.4", "range 1.2.3"),
        ("1foo", "range >=1.0.0 <2.0.0-0"),
        (">=latest", "range *"),
        ("a || b", "range *"),
        ("latest", "tag latest"),
        ("beta", "tag beta"),
        ("vfoo", "tag vfoo"),
        ("v", "tag v"),
        ("xyz", "tag xyz"),
        ("foo bar", "tag foo bar"),
        ("foo/bar/baz", "tag foo/bar/baz"),
        ("user/repo/", "tag user/repo/"),
        ("user//repo", "tag user//repo"),
        ("git", "tag git"),
        ("foo@1", "tag foo@1"),
        ("npm:foo", "alias foo range *"),
        ("npm:foo@", "alias foo range *"),
        ("npm:foo@1", "alias foo range >=1.0.0 <2.0.0-0"),
        ("npm:foo@next", "alias foo tag next"),
        ("npm:@s/foo", "alias @s/foo range *"),
        ("npm:@s/foo@^1.2.3", "alias @s/foo range >=1.2.3 <2.0.0-0"),
        ("npm:^1.2.3", "alias dep range >=1.2.3 <2.0.0-0"),
        ("jsr:@std/path@1", "alias @jsr/std__path range >=1.0.0 <2.0.0-0"),
        ("workspace:*", "workspace *"),
        ("workspace:", "workspace *"),
        ("workspace:^1.2", "workspace ^1.2"),
        ("workspace:./packages/x", "workspace ./packages/x"),
        ("catalog:", "catalog"),
        ("catalog: foo ", "catalog foo"),
        ("./foo", "folder ./foo"),
        ("../foo", "folder ../foo"),
        ("~/foo", "folder ~/foo"),
        ("/foo", "folder /foo"),
        (".", "folder ."),
        ("C:\\foo", "folder C:\\foo"),
        ("file:foo", "folder foo"),
        ("file:", "folder ."),
        ("file:///abs/foo", "folder /abs/foo"),
        ("file:foo.tgz", "local tarball foo.tgz"),
        ("foo.tar.gz", "local tarball foo.tar.gz"),
        ("123.tgz", "local tarball 123.tgz"),
        ("link:./foo", "link ./foo"),
        ("user/repo", "github user/repo"),
        ("user/repo#main", "github user/repo at main"),
        ("user/repo#", "github user/repo"),
        ("user/repo#semver:^1", "github user/repo at semver:^1"),
        ("user/repo#feature/x", "github user/repo at feature/x"),
        ("github:user/repo.git", "github user/repo"),
        ("git://github.com/user/repo.git", "github user/repo"),
        ("git+https://github.com/user/repo.git#v1", "github user/repo at v1"),
        ("https://github.com/user/repo", "github user/repo"),
        (
            "https://github.com/user/repo/tree/main/x",
            "git https://github.com/user/repo/tree/main/x",
        ),
        (
            "https://github.com/user/repo/tarball/main",
            "remote tarball https://github.com/user/repo/tarball/main",
        ),
        (
            "https://github.com/user/repo/archive/x.tar.gz",
            "remote tarball https://github.com/user/repo/archive/x.tar.gz",
        ),
        ("https://gitlab.com/user/repo.git", "git https://gitlab.com/user/repo.git"),
        ("http://registry.example/x", "remote tarball http://registry.example/x"),
        ("https://registry.example/x.tgz?q=1", "remote tarball https://registry.example/x.tgz?q=1"),
        ("git+ssh://git@github.com/user/repo.git", "git git+ssh://git@github.com/user/repo.git"),
        ("git+http://host.example/r.git#main", "git git+http://host.example/r.git at main"),
        ("git@github.com:user/repo.git", "git git@github.com:user/repo.git"),
        ("ssh://git@host.example/user/repo.git", "git ssh://git@host.example/user/repo.git"),
        ("user@host/path", "git user@host/path"),
        ("gitlab:user/repo", "git gitlab:user/repo"),
        ("npm:", "error: `` is not a valid package name: it is empty"),
        ("npm:../evil@1", "error: `../evil` is not a valid package name: it starts with a dot"),
        ("npm:foo@file:./x", "error: `file` is not supported here"),
        ("portal:./x", "error: `portal:` is not supported here"),
        ("@scope/name", "error: a package of another name is written `npm:<name>`"),
        ("github:user", "error: a repository is written `github:<owner>/<name>`"),
    ] {
        assert_eq!(parse(text), expected, "{text:?}");
    }
}

#[test]
fn only_star_and_nothing_are_any() {
    let is_any = |text: &str| Spec::parse(Alias::parse("dep").unwrap(), text).unwrap().is_any();
    for text in ["", "*", " * ", "npm:foo", "npm:foo@*"] {
        assert!(is_any(text), "{text:?}");
    }
    for text in ["x", ">=0", "^1", "latest", "npm:foo@1", "workspace:*", "catalog:"] {
        assert!(!is_any(text), "{text:?}");
    }
}

#[test]
fn credentials_are_not_shown() {
    for (text, shown) in [
        ("^1", "^1"),
        ("https://host/a@1.tgz", "https://host/a@1.tgz"),
        ("https://user:p@ss@host/a.tgz", "https://***@host/a.tgz"),
        ("git+https://token@host:8/a.git#b", "git+https://***@host:8/a.git#b"),
        ("git+ssh://git@host/a.git", "git+ssh://git@host/a.git"),
    ] {
        assert_eq!(without_credentials(text), shown);
    }
}
