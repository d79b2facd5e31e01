//! The lines, by what they are about.

use super::check;

#[test]
fn add_names() {
    check(&[
        "none: add a",
        "blank: add a",
        "empty: add a",
        "named: add a b@1 @s/x",
        "named: a tool",
        "named: install a",
        "named: i -D a b@^1",
        "named: add a@1.0.0",
        "named: add a@v1.0.0",
        "named: add a@^1",
        "named: add a@~1.0",
        "named: add a@*",
        "named: add a@",
        "named: add a@latest",
        "named: add a@next",
        "named: add @s/x@1",
        "named: add @s/x@~1.0 d",
        "named: add peerer",
        "named: add a peerer",
        "named: add deep",
        "named: add a@1.0.0 a@1.1.0",
        "tabs: add -D a@1.0.0 b@^1 @s/x@1",
        "tabs: add a",
        "plain: add tool",
        "plain: add a",
        "plain: add a@^1",
        "groups: add tool",
        "groups: add -D tool",
        "groups: add c tool",
    ]);
}

#[test]
fn for_all_projects() {
    check(&[
        "named: add -g tool",
        "named: add -g tool a | add -g b | remove -g tool | add -g tool@1",
        "named: i --global tool | update -g --latest",
        "plain: remove -g a | remove -g a",
        "named: add -g z@npm:tool",
    ]);
}

#[test]
fn add_aliases() {
    check(&[
        "named: add z@npm:a",
        "named: add z@npm:a@1.0.0",
        "named: add z@npm:a@next",
        "named: add z@npm:d@^0.1 y@npm:@s/x@latest",
        "named: add npm:a",
        "named: add npm:a@1",
    ]);
}

#[test]
fn add_to_groups() {
    check(&[
        "plain: add -D c",
        "plain: add --dev c d",
        "plain: add --optional c",
        "plain: add --peer c",
        "plain: add --save-prod c",
        "plain: add --peer d",
        "plain: add -D d | add --save-prod d | add d",
        "plain: add --optional d | add -D d | add --peer d | add --save-prod d",
        "plain: add --optional d | add --peer d",
        "peers: add -D a b",
        "peers: add --optional a",
        "peers: add a",
        "peers: add --peer a",
        "peers: add --peer b",
        "groups: add c",
        "groups: add d",
        "groups: add -D d",
        "groups: add --optional --dev d",
    ]);
}

#[test]
fn add_over_a_lockfile() {
    check(&[
        "pinned: install | add c",
        "pinned: install | add c@^1",
        "pinned: install | add c@^1 | add c | add c@~1.0.0",
        "pinned: install | add b@^1",
        "pinned: install | add b",
        "pinned: install | add deep",
        "pinned: install | add deep b@1.1.0",
        "pinned: install | remove c | add c@^1",
        "pinned: install | remove b | add b@1",
        "plain: install | add a",
        "plain: install | add a@^1 | add a@^1",
        "plain: install | add b d@0.1.0 | remove c",
        "groups: install | add a | add -D d | remove Z",
    ]);
}

#[test]
fn add_with_flags() {
    check(&[
        "named: add -E a",
        "named: add --exact a@^1 b@1 z@npm:d@0.2 y@npm:d@^0.1",
        "named: add -E a@next",
        "plain: add --only-missing a",
        "plain: add --only-missing a tool",
        "plain: add --no-save tool",
        "plain: add --dry-run tool",
        "plain: add --lockfile-only tool",
        "plain: add --omit=dev -D b",
        "trusting: add --trust b",
        "trusting: add --trust a c scripted",
        "trusting: add b",
        "trusting: add scripted",
        "trusting: install | add b",
        "trusting: add b c",
        "trusting: add a",
        "trusting: add a | add b",
        "named: add --trust scripted a",
        "named: add scripted",
        "named: add --trust a tool",
        "named: add --ignore-scripts a",
    ]);
}

#[test]
fn add_places() {
    check(&[
        "local: add ./lib",
        "local: add file:./lib",
        "local: add file:lib",
        "local: add x@file:./lib",
        "local: add link:./lib",
        "local: add -D x@link:./lib",
        "local: add {registry}a/-/a-1.0.0.tgz",
        "local: add q@{registry}a/-/a-1.0.0.tgz",
        "local: add a | add {registry}a/-/a-1.0.0.tgz",
        "local: add ./lib a | remove lib",
    ]);
}

#[test]
fn what_fails_changes_nothing() {
    check(&[
        "plain: add nosuch",
        "plain: install | add a nosuch",
        "plain: install | add a@9",
        "plain: add a@nosuchtag",
        "plain: add ./nosuch",
        "plain: add a@workspace:*",
        "plain: add workspace:a",
        "plain: add a@catalog:",
        "plain: add --catalog b",
        "none: remove a",
        "workspaces: add b --filter nosuch",
        "workspaces: packages/n/ add c@catalog:t",
        "catalogs: add --catalog ./lib",
    ]);
}

#[test]
fn add_in_workspaces() {
    check(&[
        "workspaces: packages/m/ add b",
        "workspaces: install | packages/m/ add b | packages/n/ add b@1",
        "workspaces: packages/m/ add n",
        "workspaces: packages/m/ add n@workspace:",
        "workspaces: packages/m/ add n@workspace:^",
        "workspaces: add m",
        "workspaces: add b --filter n",
        "workspaces: add b --filter *",
        "workspaces: add b --filter !n",
        "workspaces: add b -F ./packages/*",
        "workspaces: packages/m/ add b -F root",
        "workspaces: install | add tool --filter m | remove tool --filter m",
        "workspaces: packages/n/ add c@catalog:",
        "workspaces: packages/n/ add d@catalog:t",
        "workspaces: packages/n/ add c",
        "workspaces: packages/n/ add d",
        "workspaces: packages/n/ add c@^1.0.0",
        "workspaces: packages/n/ add -D c@^1.0.0 | packages/n/ add c@~1.0.0",
        "workspaces: packages/m/ add c@^1.0.0",
        "workspaces: packages/n/ add c@1 d@0.1.0",
        "workspaces: packages/n/ add --catalog b",
        "workspaces: packages/n/ add --catalog c",
        "workspaces: packages/n/ add --catalog c@2",
        "workspaces: install | packages/n/ add --catalog c@2",
        "workspaces: packages/n/ add --catalog=t d",
        "workspaces: add --catalog=new b -D",
        "workspaces: add -E --catalog b",
        "workspaces: add -D --catalog a b@1",
        "catalogs: add --catalog a b@1",
        "catalogs: add --catalog=t a@1",
        "catalogs: add --catalog z@npm:a",
        "catalogs: add --catalog=default a",
    ]);
}

#[test]
fn remove() {
    check(&[
        "peers: install | remove a",
        "peers: install | remove b",
        "peers: install | remove b a",
        "peers: install | remove nosuch",
        "peers: install | remove b nosuch",
        "peers: remove a",
        "peers: install | rm a@1",
        "peers: install | remove --dry-run b",
        "peers: install | remove --no-save b",
        "peers: install | r b | add b",
        "groups: install | remove d c z",
        "groups: install | remove Z | remove B a",
        "plain: install | remove a c",
        "named: remove a",
        "pinned: install | remove b",
        "pinned: install | add deep | remove deep",
        "workspaces: install | packages/m/ remove c",
        "workspaces: install | remove c --filter m",
        "workspaces: remove c",
        "workspaces: install | add m | remove m",
    ]);
}

#[test]
fn dedupe() {
    check(&[
        "plain: dedupe",
        "plain: dedupe --check",
        "plain: install | dedupe | dedupe --check | dedupe --dry-run",
        "plain: install | dedupe a",
        "named: add b@1.0.0 | add c@1.0.0 | dedupe --check | dedupe --dry-run | dedupe | dedupe --check",
        "named: add b@1.0.0 | add c@1.0.0 | dedupe --frozen-lockfile | dedupe --lockfile-only",
        "named: add b@1.0.0 | add x@npm:c@1.0.0 | dedupe | remove x",
        "named: add b@1.0.0 | add c@2 | dedupe --check",
        "named: add deep | add -D b@1.0.0 c@1.0.0 @s/x@1.0.0 | dedupe | dedupe --check",
        "named: add deep c@2.0.0 | add d@0.1.0 peerer | dedupe | remove deep",
        "workspaces: install | packages/n/ add b@1.0.0 | packages/n/ add c@1.0.0 | packages/n/ dedupe",
        "workspaces: install | packages/n/ add b@1.0.0 | packages/n/ add c@1.0.0 | add -D b | dedupe",
    ]);
}

#[test]
fn looking() {
    check(&[
        "none: pm ls",
        "empty: pm ls",
        "empty: pm licenses",
        "plain: install | pm ls",
        "plain: install | pm ls --all",
        "plain: install | list",
        "plain: install | pm licenses",
        "named: add deep c@2.0.0 -D x@npm:d@0.1.0 | pm ls | pm ls --all | pm ls --prod | pm ls --all --prod",
        "named: add deep c@2.0.0 -D x@npm:d@0.1.0 | pm ls c d | pm ls x | pm ls @s/x | pm licenses",
        "named: add deep | add -D c@2.0.0 | pm ls c | pm ls nosuch | pm licenses --prod | pm licenses --dev",
        "groups: install | pm ls | pm ls --prod | pm ls Z | pm licenses",
        "peers: install | pm ls | pm ls --all",
        "workspaces: install | pm ls | pm ls --all | packages/m/ pm ls | pm ls m",
        "workspaces: install | packages/n/ add -D a b@1 | pm ls --all | pm ls --all --prod | pm licenses",
        "workspaces: install | packages/n/ add -D a b@1 | pm licenses --filter n | pm licenses --filter nosuch",
        "workspaces: install --linker isolated | packages/n/ add b@1 | pm ls --all | pm licenses",
        "plain: install | pm why a | pm why nosuch",
        "plain: pm cache | pm cache nosuch | pm cache rm --dry-run",
    ]);
}

#[test]
fn prune() {
    let strangers = "$ mkdir -p node_modules/x node_modules/@t/y node_modules/.dot";
    let lines = [
        "none: prune",
        "plain: prune",
        "plain: install | prune | prune --check",
        "plain: install | STRANGERS | prune --dry-run | prune --check | prune | prune --check",
        "groups: install | prune --production | prune --production | install",
        "groups: install | prune --omit dev --omit optional | install",
        "named: add tool deep -D b@1 | prune --production | install",
        "named: add deep -D tool c@2.0.0 | STRANGERS | prune --production | install",
        "workspaces: install | packages/n/ add -D b@1 c@1.0.0 | prune | prune --production | install",
        "workspaces: install --linker isolated | packages/n/ add -D b@1 | STRANGERS | prune | install",
        "workspaces: install --linker isolated | packages/n/ add -D b@1 | prune --production | prune --check",
    ];
    let lines = lines.map(|line| line.replace("STRANGERS", strangers));
    check(&lines.each_ref().map(String::as_str));
}

#[test]
fn link() {
    check(&[
        "local: link lib",
        "local: lib/ link | link lib | link lib --save | remove lib",
        "local: lib/ link | link lib --save | lib/ unlink | lib/ unlink | link nosuch",
        "local: nameless/ link",
        "local: nameless/ unlink",
        "local: lib/ link | unlink lib",
        "local: lib/ link | link ./lib",
        "local: lib/ link | add a | link lib nosuch",
        "local: lib/ link | add lib@link:lib x@link:lib",
    ]);
}

#[test]
fn update() {
    check(&[
        "pinned: install | add b@^1 | update",
        "pinned: install | remove c | update",
        "pinned: install | remove c | add b@^1 | update",
        "pinned: install | remove c | add b@^1 | update --depth 0",
        "pinned: install | remove c | update c",
        "pinned: install | remove c | update b",
        "pinned: install | remove c | update --latest",
        "pinned: install | add deep | update --latest",
        "pinned: update",
        "narrow: install | update",
        "narrow: install | update c",
        "narrow: install | update b",
        "narrow: install | remove high | update",
        "narrow: install | add c@1.0.0 | update",
        "narrow: add low c@^1 | update c",
        "narrow: add peerer | update",
        "twice: update",
        "twice: install | update --latest",
        "pinned: update --latest",
        "pinned: install | up c@^1",
        "pinned: install | up c@2.0.0 b",
        "plain: update",
        "plain: update --latest",
        "plain: install | update a",
        "plain: install | update --latest c",
        "groups: update",
        "groups: install | update | update --latest",
        "peers: update",
        "peers: install | update --latest",
        "tabs: install | update --latest | update",
        "named: add a@1.0.0 | add a@1 | update",
        "named: add z@npm:a@^1.0.0 | update a",
        "named: add z@npm:a@1.0.0 | update --latest a",
        "named: add z@npm:a@1.0.0 a@1.0.0 | update --latest a",
        "named: add z@npm:a@1.0.0 a@1.0.0 | update --latest z",
        "named: add z@npm:a@1.0.0 a@1.0.0 | update a@^1",
        "named: add a@1.0.0 | add a@1.x | update",
        "named: add a@1.0.0 | add a@~1.0 | update a",
        "named: add a@1.0.0 | add a@^1 | update a",
        "named: add a@1.0.0 | add a@>=1 | update --latest",
        "named: add a@1.0.0 | add a@1.x | update --latest",
        "named: add z@npm:c@1.0.0 | add z@npm:c@^1 | update z",
        "named: add z@npm:c@1.0.0 | add z@npm:c@^1 | update --latest z",
        "named: add c@1.0.0 | add c@^1.0.0 | update --latest --exact",
        "named: add c@1.0.0 | add c@^1.0.0 | update c@2.0.0",
        "named: add c@1.0.0 | add c@^1.0.0 | update c@^2",
        "named: add c@1.0.0 | add c@^1.0.0 | update --dry-run",
        "named: add c@1.0.0 | add c@^1.0.0 | update --no-save",
        "named: add a@2.0.0-beta.1 | update --latest",
        "named: update",
        "local: add ./lib a@1.0.0 | add a@^1 | update --latest",
        "plain: install | update nosuch",
        "none: update",
        "workspaces: update",
        "workspaces: install | packages/n/ add d@0.1.0 | packages/n/ add d@^0.1.0 | update -r",
        "workspaces: install | packages/n/ add d@0.1.0 | packages/n/ add d@^0.1.0 | update --filter n",
        "workspaces: install | packages/n/ add d@0.1.0 | packages/n/ add d@^0.1.0 | packages/n/ update d",
        "workspaces: install | packages/n/ add d@0.1.0 | packages/n/ add d@^0.1.0 | update",
        "workspaces: install | packages/n/ add d@0.1.0 | packages/n/ add d@^0.1.0 | update d",
        "workspaces: add b@1.0.0 c@~1.0.0 | packages/n/ add c@1 | update",
        "workspaces: add b@1.0.0 high | packages/n/ add c@1.0.0 | packages/n/ add c@1 | update",
        "workspaces: install | packages/m/ update --latest",
        "workspaces: install | update --latest",
        "workspaces: install | packages/n/ add d@catalog:t | update --latest",
        "catalogs: add --catalog a@1.0.0 b@^1 | update",
        "catalogs: add --catalog a@1.0.0 b@^1 | update --latest",
    ]);
}

#[test]
fn patch() {
    check(&[
        "texts: install | patch text",
        "texts: patch text",
        "texts: install | patch @s/text",
        "texts: install | patch node_modules/text",
        "texts: install | patch text@1.0.0",
        "texts: install | patch text@2.0.0",
        "texts: install | patch nosuch",
        "texts: install | patch node_modules/nosuch",
        "texts: install | patch node_modules",
        "texts: install | patch",
        "texts: install | patch --commit",
        "texts: install | patch --commit nosuch",
        "texts: install | patch --commit text",
        "texts: patch --commit text",
        "pinned: install | add b@1.1.0 c@2.0.0 | patch c",
        "none: patch text",
        "named: patch text",
        "workspaces: install | packages/n/ add text | patch text",
        "workspaces: install | patch m",
        "local: add ./lib | patch lib",
        "named: add z@npm:text | patch z",
        "named: add z@npm:text | patch text",
    ]);
}

#[test]
fn patch_commit() {
    const PATCH: &str = "texts: install | patch text | $ cd node_modules/text";
    const COMMIT: &str = "patch --commit node_modules/text";
    let changes = [
        "sed -i 's/line 7$/LINE/' lines.txt",
        "sed -i '3d;28d;15a more' lines.txt",
        "printf 'b\\r\\nc' > cr.txt",
        "printf 'an end\\n' > end.txt",
        "printf 'no other end' > end.txt",
        "rm end.txt",
        "rm lines.txt lib/deep/in.js",
        "chmod +x lib/deep/in.js end.txt",
        "chmod +x end.txt; echo x >> end.txt",
        "mkdir -p a/b; echo 1 > a/b/c; printf 2 > new; printf '' > empty; printf 'x\\r\\n' > cr",
        "echo 1 > x.sh; chmod +x x.sh",
        "mv lines.txt moved.txt",
        "mkdir to; mv lines.txt to/; sed -i 1d to/lines.txt",
        "mv 'é ü.txt' 'ö ß.txt'",
        "echo 2 >> 'é ü.txt'; echo 3 > '日本.txt'",
        "sed -i 's/1.0.0/1.0.0-patched/' lines.txt; sed -i 's/\"name/ \"name/' package.json",
        "echo x > -rf; echo y > a,b",
    ];
    let lines: Vec<String> =
        changes.iter().map(|change| format!("{PATCH} && {change} | {COMMIT} | install")).collect();
    check(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    check(&[
        "texts: install | patch @s/text | $ echo 1 >> node_modules/@s/text/lines.txt | patch --commit @s/text",
        "texts: install | patch text | $ echo 1 >> node_modules/text/end.txt | patch-commit node_modules/text",
        "texts: install | patch text | $ echo 1 >> node_modules/text/end.txt | patch --commit text@1.0.0",
        "texts: install | patch text | $ echo 1 >> node_modules/text/end.txt | install | patch --commit text",
        "texts: install | patch text | $ echo 1 >> node_modules/text/end.txt | add a | patch --commit text",
        "texts: install | patch text | $ echo 1 > node_modules/text/x | patch --commit text --patches-dir patches/of/mine",
        "texts: install | patch text | $ printf 'a\\0' > node_modules/text/x | patch --commit text",
        "texts: install | patch text | $ echo 1 > node_modules/text/x | patch --commit text | patch text | \
         $ echo 2 >> node_modules/text/lines.txt | patch --commit text | patch @s/text | $ rm node_modules/@s/text/lines.txt | \
         patch --commit @s/text | remove text | remove @s/text",
        "texts: install | patch text | $ echo 1 > node_modules/text/x | patch --commit text | \
         $ rm node_modules/text/x | patch --commit text | patch --commit text",
        "texts: install --linker=isolated | patch text | $ echo 1 > node_modules/text/x | patch --commit text | install",
        "texts: install --linker=isolated | patch @s/text | $ echo 1 > node_modules/@s/text/x | patch --commit node_modules/@s/text",
        "workspaces: install | packages/n/ add text | packages/n/ patch text | $ echo 1 > node_modules/text/x | packages/n/ patch --commit text",
        "named: add tool | patch tool | $ echo 1 >> node_modules/tool/cli.js | patch --commit tool",
        "named: add z@npm:text | patch z | $ echo 1 > node_modules/z/x | patch --commit z",
        "named: add z@npm:text | patch text | $ echo 1 > node_modules/z/x | patch --commit node_modules/z",
        "named: add {registry}text/-/text-1.0.0.tgz | patch text | $ echo 1 > node_modules/text/x | patch --commit text",
        "tabs: add text | patch text | $ echo 1 > node_modules/text/x | patch --commit text",
    ]);
}

#[test]
fn pkg() {
    check(&[
        "plain: pm pkg get",
        "plain: pm pkg get name",
        "plain: pm pkg get nosuch",
        "plain: pm pkg get a[",
        "plain: pm pkg get files[]",
        "none: pm pkg get name",
        "none: pm pkg set a=1",
        "named: pm pkg set name=q",
        "named: pm pkg set a.b.c=1 a.b.d=2",
        "named: pm pkg set a=1 a=2",
        "named: pm pkg set a.b=1 a=2",
        "named: pm pkg set a=1 a.b=2",
        "named: pm pkg set x[0]=1",
        "named: pm pkg set x[]=1",
        "named: pm pkg set x[1]=1",
        "named: pm pkg set x[a]=1",
        "named: pm pkg set x.0=1",
        "named: pm pkg set x[0].y=1 x[0].z=2",
        "named: pm pkg set x[].y=1",
        "named: pm pkg set x[][]=1",
        "named: pm pkg set [a]=1 .b=2 c.=3 d..e=4",
        "named: pm pkg set a]=1",
        "named: pm pkg set a[=1",
        "named: pm pkg set name",
        "named: pm pkg set =x",
        "named: pm pkg set name=",
        "named: pm pkg set",
        "named: pm pkg set a=b=c ä=ü q=a'b\"c",
        "named: pm pkg set --json a=1 b=true c=null d=\"x\" e={} f=[]",
        "named: pm pkg set --json a={\"b\":{\"c\":1}}",
        "named: pm pkg set --json a={b:1}",
        "named: pm pkg set --json a=x",
        "named: pm pkg set scripts.test=jest | pm pkg set scripts.build=tsc | pm pkg delete scripts.test",
        "named: pm pkg set x.y=1 | pm pkg delete x.y",
        "named: pm pkg set x.y=1 | pm pkg delete x",
        "named: pm pkg delete nosuch",
        "named: pm pkg delete",
        "named: pm pkg set name=Pp | pm pkg fix",
        "named: pm pkg fix",
        "named: pm pkg nosuch",
        "workspaces: packages/n/ pm pkg set a=1",
        "workspaces: packages/n/ pm pkg delete version",
    ]);
}

#[test]
fn version() {
    const GIT: &str = "$ git init -q; git config user.name t; git config user.email t@registry.example; \
                       git add -A; git commit -qm first";
    const LOG: &str = "$ mkdir -p patches; git log --format='%B%d' > patches/log; git tag -n5 >> patches/log; \
                       git status --short >> patches/log | pm pkg get name";
    let bumps =
        "patch minor major prepatch preminor premajor prerelease v3.2.1 3.2.1 1.0.0 2 x from-git";
    let mut lines: Vec<String> = Vec::new();
    for bump in bumps.split(' ') {
        lines.push(format!("plain: pm version {bump}"));
        lines.push(format!("plain: pm pkg set version=1.3.0-beta.4 | pm version {bump}"));
        lines.push(format!(
            "plain: pm version {bump} --preid=beta | pm version {bump} --preid=beta"
        ));
    }
    for more in [
        "",
        " -m Release:%s",
        " --message %s-%s",
        " --no-git-tag-version",
        " --allow-same-version",
        " --force",
    ] {
        lines.push(format!("plain: {GIT} | pm version minor{more} | {LOG}"));
        lines.push(format!("plain: {GIT} | $ echo x > new | pm version minor{more} | {LOG}"));
    }
    check(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    check(&[
        "plain: pm version 1.0.0 --allow-same-version",
        "none: pm version patch",
        "named: pm version patch",
        "named: pm version 1.0.0",
        "named: pm pkg set version=x | pm version patch",
        "named: pm pkg set version=x | pm version 1.0.0",
        &format!("plain: {GIT} | $ git tag x | pm version from-git"),
        &format!("workspaces: {GIT} | packages/n/ pm version patch | {LOG}"),
        &format!("plain: {GIT} | $ echo x > new; git add new | pm version patch --force | {LOG}"),
        "plain: $ sed -i 's/{}/{\"preversion\": \"exit 1\"}/' package.json | pm version patch",
    ]);
}

#[test]
fn run() {
    check(&[
        "scripts: run build",
        "scripts: run build x --silent -- y",
        "scripts: run --silent build",
        "scripts: run args a -x --save=false * $HOME ~",
        "scripts: run args -- a -- b",
        "scripts: run -- args -- a",
        "scripts: run args --if-present",
        "scripts: run nosuch",
        "scripts: run empty",
        "scripts: run --if-present nosuch",
        "scripts: run --if-present build",
        "scripts: run three | run late | run early | run killed",
        "scripts: run variables",
        "scripts: run test | run start | start x",
        "scripts: deep/er/ run build | deep/er/ run nested | deep/er/ run nosuch",
        "scripts: $ mkdir -p node_modules/.bin && cp /bin/echo node_modules/.bin/a-command && cp /bin/echo node_modules/.bin/shadowed | \
         run use | run a-command -x --silent | a-command y | run shadowed | deep/er/ run a-command",
        "none: run build",
        "named: run build | run --if-present build",
        "members: install | run --filter * build",
        "members: install | run -F m -F n build",
        "members: install | packages/m/ run build | packages/m/ run -F n build",
        "members: install | run --workspaces --if-present build",
        "members: install | run --workspaces only",
        "members: install | run --filter * only x -- y",
        "members: install | run --filter * fail",
        "members: install | run --filter nosuch build",
        "members: install | run --filter * nosuch",
        "members: install | run --filter * --if-present nosuch",
        "members: install | run build",
        "scripts: exec true | exec false",
        "named: x nosuch",
        "named: x --no-install tool@1.0.0",
        "named: add tool | x tool a | x --no-install tool2 b | x -p tool tool2 c",
    ]);
}

#[test]
fn outdated() {
    check(&[
        "none: outdated",
        "empty: outdated",
        "plain: outdated",
        "plain: install | outdated",
        "plain: install | outdated c | outdated !c | outdated nosuch | outdated a c | outdated ?",
        "pinned: install | outdated | outdated -r",
        "pinned: install | remove c | outdated",
        "groups: install | outdated | outdated -r | outdated z | outdated a",
        "peers: install | outdated",
        "tabs: install | outdated | outdated @s/* | outdated d",
        "named: add @s/x@1 a@2.0.0-beta.1 | outdated | outdated @s/* | outdated *",
        "named: add @s/x@1.0.0 | add @s/x@^1 | outdated",
        "named: add c@1.0.0 | add c@1.x | outdated",
        "workspaces: install | outdated | outdated -r | outdated --filter m | outdated --filter *",
        "workspaces: install | packages/n/ add d@catalog:t a@1.0.0 -D | outdated -r | packages/n/ outdated",
        "workspaces: install | packages/n/ add d@0.1.0 | outdated --filter !m | outdated -F nosuch | packages/n/ outdated",
        "workspaces: install | packages/m/ outdated | outdated -r c",
    ]);
}

#[test]
fn info() {
    check(&[
        "none: info a",
        "none: info a@1.0.0",
        "none: info a@next",
        "none: info b | pm view b@1",
        "none: info tool | info deep | info @s/x",
        "none: info a version | info a versions | info a versions[0] | info a dist-tags.next",
        "none: info b dependencies | info b dependencies.c | info b name version | info b nosuch version",
        "none: info nosuch | info a@9 | info a nosuch | info a@nosuchtag",
        "none: info",
        "named: info a name",
    ]);
}

#[test]
fn audit() {
    check(&[
        "none: audit",
        "plain: audit",
        "plain: install | audit",
        "plain: install | add a | audit --audit-level=low | audit --audit-level=critical",
        "pinned: install | audit | audit --ignore GHSA-c-high | audit --ignore GHSA-c-high --ignore GHSA-c-critical",
        "pinned: install | audit --audit-level critical | audit --audit-level nosuch",
        "groups: install | audit | audit --prod | audit --production | audit --omit dev",
        "named: add -D deep @s/x@1.0.0 | audit | audit --prod | audit --json | audit --json --prod",
        "named: add d@0.1.0 | add -D deep | audit",
        "named: add c@1.0.0 | add -D deep | add --optional holder | audit",
        "workspaces: install | audit | packages/m/ audit | packages/n/ audit",
        "workspaces: install | packages/n/ add d@0.1.0 b@1 | audit | packages/n/ audit",
    ]);
}

#[test]
fn audit_fix() {
    check(&[
        "plain: install | audit fix",
        "named: add d@0.1.0 | audit fix --dry-run | audit fix | audit fix",
        "named: add d@0.1.0 | add d@^0.1.0 | audit fix",
        "named: add d@0.1.0 | add d@~0.1.0 | audit fix --dry-run | audit fix | audit",
        "named: add @s/x@1.0.0 | add @s/x@1 | audit fix",
        "named: add -D @s/x@1.0.0 | audit fix",
        "pinned: install | audit fix",
        "pinned: install | audit fix --latest --dry-run",
        "named: add c@1.0.0 | audit fix --latest",
        "named: add c@1.0.0 | add c@^1.0.0 | audit fix | audit fix --latest",
        "named: add z@npm:d@0.1.0 | audit fix",
        "named: add deep d@0.1.0 | audit fix",
        "named: add a | audit fix",
        "overridden: install | audit | audit fix --dry-run | audit fix | audit | audit fix --latest | audit",
        "resolved: install | audit | audit fix | audit | audit fix --latest | audit",
    ]);
}
