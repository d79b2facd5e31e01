//! Sources and their order, on real files in a scratch folder.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use url::Url;

use crate::{
    Backend, Config, ConfigError, Environment, GlobalStore, Layer, Linker, LogLevel, Omit,
    Overrides, Pem, Secret,
};

/// A home and a project to write files in.
struct Place {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("home")).unwrap();
        fs_err::create_dir(folder.path().join("project")).unwrap();
        Self { folder, variables: Vec::new() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
        self
    }

    /// Sets `~/.npmrc`.
    fn user(self, text: &str) -> Self {
        self.file("home/.npmrc", text)
    }

    /// Sets the project's `.npmrc`.
    fn project(self, text: &str) -> Self {
        self.file("project/.npmrc", text)
    }

    /// Sets the project's `bunfig.toml`.
    fn bunfig(self, text: &str) -> Self {
        self.file("project/bunfig.toml", text)
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn try_load(&self, overrides: &Overrides) -> Result<Config, ConfigError> {
        let environment = Environment::new(
            self.variables.iter().cloned(),
            Some(self.path("home")),
            self.path("project"),
        );
        Config::load(&environment, overrides, &self.path("project"))
    }

    fn load_global(&self) -> Config {
        let environment =
            Environment::new(Vec::new(), Some(self.path("home")), self.path("project"));
        Config::load_global(&environment, &Overrides::default()).unwrap()
    }

    fn load(&self) -> Config {
        self.try_load(&Overrides::default()).unwrap()
    }

    /// Returns the warnings, with the scratch folder left out.
    fn warnings(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        self.load().warnings.iter().map(|w| w.to_string().replace(&folder, "")).collect()
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn auth(config: &Config, to: &str) -> Option<String> {
    config.auth_for(&url(to)).map(|header| header.expose().to_owned())
}

fn registry(config: &Config) -> &str {
    config.registries.default_registry().url().as_str()
}

#[test]
fn without_any_source() {
    let place = Place::new();
    let config = place.load();
    assert!(config.registries.default_registry().is_npm());
    assert_eq!(config.cache.folder, place.path("home/.config/deka/pm/cache"));
    assert!(config.network.strict_ssl);
    assert_eq!(config.network.concurrency.get(), 64);
    assert_eq!(config.warnings, []);
    assert_eq!(config.origin("registry").layer, Layer::Default);
}

#[test]
fn each_layer_is_stronger_than_the_one_before() {
    let mut place = Place::new().file("global", "registry=https://a.example/\n");
    let global = place.path("global").display().to_string();
    place = place.variable("npm_config_globalconfig", &global);
    let check = |place: &Place, expected: &str, layer: Layer| {
        let config = place.load();
        assert_eq!((registry(&config), config.origin("registry").layer), (expected, layer));
    };
    check(&place, "https://a.example/", Layer::GlobalNpmrc);
    place = place.user("registry=https://b.example\n");
    check(&place, "https://b.example/", Layer::UserNpmrc);
    place = place.project("registry=https://c.example/npm\n");
    check(&place, "https://c.example/npm/", Layer::ProjectNpmrc);
    place = place.file("home/.bunfig.toml", "[install]\nregistry = 'https://d.example/'\n");
    check(&place, "https://d.example/", Layer::UserBunfig);
    place = place.bunfig("[install]\nregistry = 'https://e.example/'\n");
    check(&place, "https://e.example/", Layer::ProjectBunfig);
    place = place.variable("NPM_CONFIG_REGISTRY", "https://f.example/");
    check(&place, "https://f.example/", Layer::Environment);
    place = place.variable("npm_config_registry", "https://g.example/");
    check(&place, "https://g.example/", Layer::Environment);
    place = place.variable("BUN_CONFIG_REGISTRY", "https://h.example/");
    check(&place, "https://h.example/", Layer::Environment);
    let flags =
        Overrides { registry: Some("https://i.example/".to_owned()), ..Overrides::default() };
    let config = place.try_load(&flags).unwrap();
    assert_eq!(registry(&config), "https://i.example/");
    assert_eq!(config.origin("registry").to_string(), "flag `--registry`");
    assert!(config.is_from_flag("registry"));
}

#[test]
fn origins_name_file_and_line() {
    let place = Place::new().project("; first\n\noffline = true\n");
    let origin = place.load().origin("offline").to_string();
    let file = place.path("project/.npmrc");
    assert_eq!(origin, format!("`offline` in `{}`, line 3", file.display()));
}

#[test]
fn scopes() {
    let place = Place::new()
        .user("@Corp:registry=https://corp.example/npm\n")
        .bunfig("[install.scopes]\nother = 'https://other.example'\n'@third' = { url = 'https://third.example', token = '$THIRD' }\n")
        .variable("THIRD", "t3");
    let config = place.load();
    let of = |name: &str| config.registry_for(name).url().as_str().to_owned();
    assert_eq!(of("@corp/x"), "https://corp.example/npm/");
    assert_eq!(of("@CORP/x"), "https://corp.example/npm/");
    assert_eq!(of("@other/x"), "https://other.example/");
    assert_eq!(of("@third/x"), "https://third.example/");
    assert_eq!(of("@corporation/x"), registry(&config));
    assert_eq!(of("corp"), registry(&config));
    assert_eq!(auth(&config, "https://third.example/x").as_deref(), Some("Bearer t3"));
    assert_eq!(auth(&config, "https://other.example/x"), None);
}

#[test]
fn credentials_belong_to_the_longest_path() {
    let place = Place::new().user(
        "//host.example/:_authToken=root\n\
         //host.example/a/b/:_authToken=deep\n\
         //HOST.example:8443/a:_authToken=port\n\
         //secure.example:443/:_authToken=s443\n\
         //plain.example:80/:_authToken=p80\n",
    );
    let config = place.load();
    let check = |to: &str, expected: Option<&str>| {
        assert_eq!(auth(&config, to).as_deref(), expected, "{to}");
    };
    check("https://host.example/x", Some("Bearer root"));
    check("https://host.example:443/x", Some("Bearer root"));
    check("https://host.example/a/b/c", Some("Bearer deep"));
    check("https://host.example/a/b", Some("Bearer deep"));
    check("https://host.example/a/bc", Some("Bearer root"));
    check("https://host.example/a/b/../c", Some("Bearer root"));
    check("https://host.example:8443/a/x", Some("Bearer port"));
    check("https://host.example:8443/ab", None);
    check("https://host.example:9999/x", None);
    check("https://other.host.example/x", None);
    check("https://host.example.evil.example/x", None);
    check("https://secure.example/x", Some("Bearer s443"));
    check("http://secure.example/x", None);
    check("http://plain.example/x", Some("Bearer p80"));
    check("https://plain.example/x", None);
}

#[test]
fn kinds_of_credentials() {
    let check = |text: &str, expected: Option<&str>| {
        let config = Place::new().user(text).load();
        assert_eq!(auth(&config, "https://h.example/x").as_deref(), expected, "{text}");
    };
    check("//h.example/:_auth=dXNlcjpwdw==", Some("Basic dXNlcjpwdw=="));
    check("//h.example/:_auth=dXNlcjpwdw==\n//h.example/:_authToken=t", Some("Bearer t"));
    // `_password` is base64, with or without padding; what is none stands for itself.
    check("//h.example/:username=user\n//h.example/:_password=cHc=", Some("Basic dXNlcjpwdw=="));
    check("//h.example/:username=user\n//h.example/:_password=cHc", Some("Basic dXNlcjpwdw=="));
    check("//h.example/:username=user\n//h.example/:_password=p!w", Some("Basic dXNlcjpwIXc="));
    check("//h.example/:username=user", None);
    check("//h.example/:_authToken=", None);
    check("registry=https://user:p%77@h.example/", Some("Basic dXNlcjpwdw=="));
    check("registry=https://:tok@h.example/", Some("Bearer tok"));
    check("registry=https://tok@h.example/", Some("Basic dG9rOg=="));
    check("registry=https://h.example/sub/\n_authToken=t", None);
    check("registry=https://h.example/\n_authToken=t", Some("Bearer t"));
    check("//h.example/:_authToken=\"a\\nb\"", None);
}

#[test]
fn bunfig_registry_with_credentials() {
    let check = |text: &str, expected: Option<&str>| {
        let config = Place::new().bunfig(text).variable("T", "tok").load();
        assert_eq!(registry(&config), "https://h.example/npm/", "{text}");
        assert_eq!(auth(&config, "https://h.example/npm/x").as_deref(), expected, "{text}");
        assert_eq!(auth(&config, "https://h.example/x"), None, "{text}");
    };
    check("install.registry = { url = 'https://h.example/npm', token = '$T' }", Some("Bearer tok"));
    check(
        "install.registry = { url = 'https://h.example/npm', token = '${T}' }",
        Some("Bearer tok"),
    );
    check(
        "install.registry = { url = 'https://h.example/npm', username = 'user', password = 'pw' }",
        Some("Basic dXNlcjpwdw=="),
    );
    check("install.registry = 'https://user:pw@h.example/npm'", Some("Basic dXNlcjpwdw=="));
}

#[test]
fn the_user_s_unscoped_token_does_not_follow_a_project_s_registry() {
    let place = Place::new()
        .user("registry=https://corp.example/\n_authToken=mine\n")
        .project("registry=https://elsewhere.example/\n");
    let config = place.load();
    assert_eq!(registry(&config), "https://elsewhere.example/");
    assert_eq!(auth(&config, "https://elsewhere.example/x"), None);
    assert_eq!(auth(&config, "https://corp.example/x").as_deref(), Some("Bearer mine"));
}

#[test]
fn the_token_of_the_environment_is_for_the_default_registry() {
    let place = Place::new()
        .project("registry=https://corp.example/npm/\n//corp.example/npm/:_authToken=old\n")
        .variable("NPM_CONFIG_TOKEN", "new");
    let config = place.load();
    assert_eq!(auth(&config, "https://corp.example/npm/x").as_deref(), Some("Bearer new"));
    assert_eq!(auth(&config, "https://corp.example/x"), None);
}

#[test]
fn variables_in_keys_and_values() {
    let place = Place::new()
        .project("registry=https://${HOST}/\n//${HOST}/:_authToken=${NPM_TOKEN}\n")
        .variable("HOST", "h.example")
        .variable("NPM_TOKEN", "t");
    let config = place.load();
    assert_eq!(registry(&config), "https://h.example/");
    assert_eq!(auth(&config, "https://h.example/x").as_deref(), Some("Bearer t"));

    let place = Place::new().user("//h.example/:_authToken=${NONE?}\n");
    assert_eq!(auth(&place.load(), "https://h.example/x"), None);
    assert_eq!(place.warnings(), Vec::<String>::new());

    let place = Place::new().user("//h.example/:_authToken=${NONE}\n");
    assert_eq!(auth(&place.load(), "https://h.example/x"), None);
    assert_eq!(
        place.warnings(),
        ["Ignored `//h.example/:_authToken` in `home/.npmrc`, line 1: \
          the environment variable `NONE` is not set"]
    );
}

#[test]
fn no_registry_stands_in_for_one_that_cannot_be_used() {
    let unusable = |place: &Place| {
        place.load().registries.unusable().map(|origin| (origin.key.to_string(), origin.line))
    };
    let registry = |line: u32| Some(("registry".to_owned(), Some(line)));
    assert_eq!(unusable(&Place::new().user("a=1\nregistry=https://${NONE}/\n")), registry(2));
    assert_eq!(unusable(&Place::new().user("registry=nowhere\n")), registry(1));
    let scoped = "@corp:registry=https://${NONE}/\n";
    assert_eq!(
        unusable(&Place::new().project(scoped)),
        Some(("@corp:registry".to_owned(), Some(1)))
    );
    let bunfig = "[install]\nregistry = { url = \"$NONE\" }\n";
    assert!(unusable(&Place::new().bunfig(bunfig)).is_some());

    for taken_back in ["registry=\n", "registry=${NONE-}\n", "registry=${NONE?}\n"] {
        assert_eq!(unusable(&Place::new().user(taken_back)), None, "{taken_back}");
    }
    let stronger = Place::new()
        .user(&format!("registry=https://${{NONE}}/\n{scoped}"))
        .project("registry=https://h.example/\n@Corp:registry=https://h.example/\n");
    assert_eq!(unusable(&stronger), None);
}

#[test]
fn a_project_cannot_loosen_security() {
    let lines = "strict-ssl=false\nproxy=http://evil.example\nhttps-proxy=http://evil.example\n\
                 tokenHelper=/bin/sh\n//h.example/:tokenHelper=/bin/sh\n\
                 registry=https://evil.example/${MY_TOKEN}/\n";
    let place = Place::new().project(lines).variable("MY_TOKEN", "t");
    let config = place.load();
    assert!(config.network.strict_ssl);
    assert_eq!(config.proxy_for(&url("https://x.example/")), None);
    assert_eq!(config.proxy_for(&url("http://x.example/")), None);
    assert!(config.registries.default_registry().is_npm());
    assert_eq!(config.registries.unusable().unwrap().line, Some(6));
    let warnings = place.warnings();
    assert_eq!(warnings.len(), 6, "{warnings:#?}");
    assert_eq!(
        warnings[0],
        "Ignored `strict-ssl` in `project/.npmrc`, line 1: \
         a project may not turn off the check of certificates"
    );

    // The user may.
    let config = Place::new().user(lines).variable("MY_TOKEN", "t").load();
    assert!(!config.network.strict_ssl);
    assert!(config.proxy_for(&url("https://x.example/")).is_some());
    assert_eq!(registry(&config), "https://evil.example/t/");
}

#[test]
fn a_home_that_is_a_project_is_the_user_s() {
    let place = Place::new().user("strict-ssl=false\n");
    let home = place.path("home");
    let environment = Environment::new([], Some(home.clone()), home.clone());
    let config = Config::load(&environment, &Overrides::default(), &home).unwrap();
    assert!(!config.network.strict_ssl);
    assert_eq!(config.warnings, []);
}

#[test]
fn proxies() {
    let https = url("https://x.example/");
    let http = url("http://x.example/");
    let check = |place: Place, for_https: Option<&str>, for_http: Option<&str>| {
        let config = place.load();
        assert_eq!(config.proxy_for(&https).map(Url::as_str), for_https);
        assert_eq!(config.proxy_for(&http).map(Url::as_str), for_http);
    };
    let user = || Place::new().user("proxy=http://p.example\nhttps-proxy=https://s.example\n");
    check(user(), Some("https://s.example/"), Some("http://p.example/"));
    check(
        user().variable("HTTPS_PROXY", "e.example:3128"),
        Some("http://e.example:3128/"),
        Some("http://p.example/"),
    );
    check(
        user()
            .variable("HTTPS_PROXY", "http://large.example")
            .variable("https_proxy", "http://small.example"),
        Some("http://small.example/"),
        Some("http://p.example/"),
    );
    check(user().variable("HTTPS_PROXY", "").variable("http_proxy", ""), None, None);
    check(
        Place::new().user("proxy=false\n").variable("ALL_PROXY", "http://a.example"),
        Some("http://a.example/"),
        Some("http://a.example/"),
    );
    check(user().variable("NO_PROXY", "x.example"), None, None);
    check(user().user("proxy=http://p.example\nnoproxy=.example\n"), None, None);
    check(user().variable("NPM_CONFIG_NO_PROXY", "x.example"), None, None);
}

#[test]
fn hosts_without_proxy() {
    let check = |list: &str, to: &str, expected: bool| {
        assert_eq!(crate::NoProxy::parse(list).matches(&url(to)), expected, "{list} {to}");
    };
    check("*", "https://anything.example/", true);
    check("a.example", "https://a.example/", true);
    check("a.example", "https://b.a.example/", true);
    check("a.example", "https://ba.example/", false);
    check(".a.example, *.c.example", "https://x.c.example/", true);
    check("A.Example", "https://a.example/", true);
    check("a.example:8443", "https://a.example/", false);
    check("a.example:443", "https://a.example/", true);
    check("127.0.0.1", "http://127.0.0.1:4873/", true);
    check("10.0.0.0/8", "http://10.1.2.3/", true);
    check("10.0.0.0/8", "http://11.1.2.3/", false);
    check("0.0.0.0/0", "http://11.1.2.3/", true);
    check("::1", "http://[::1]:80/", true);
    check("[::1]:81", "http://[::1]:80/", false);
    check("fd00::/8", "http://[fd12::1]/", true);
    check("", "https://a.example/", false);
}

#[test]
fn certificates() {
    let place = Place::new().user(
        "cafile=certs/ca.pem\ncert=\"a\\nb\"\nkey=k\\nl\n\
         //h.example/:certfile=~/c.pem\n//h.example/:keyfile=/k.pem\n//half.example/:keyfile=/k.pem\n",
    );
    let config = place.load();
    assert_eq!(config.network.authorities, [Pem::File(place.path("home/certs/ca.pem"))]);
    let general = config.certificate_for(&url("https://other.example/")).unwrap();
    assert_eq!(general.certificate, Pem::Text(Secret::new("a\nb")));
    assert_eq!(general.key, Pem::Text(Secret::new("k\nl")));
    let own = config.certificate_for(&url("https://h.example/x")).unwrap();
    assert_eq!(own.certificate, Pem::File(place.path("home/c.pem")));
    assert_eq!(own.key, Pem::File("/k.pem".into()));
    assert_eq!(config.certificate_for(&url("https://half.example/x")), Some(general));

    let config = Place::new()
        .user("ca[]=one\nca[]=\"two\\nlines\"\n")
        .variable("NODE_EXTRA_CA_CERTS", "extra.pem")
        .variable("SSL_CERT_FILE", "/system.pem")
        .variable("SSL_CERT_DIR", "/one:/two")
        .load();
    let text = |text: &str| Pem::Text(Secret::new(text));
    assert_eq!(config.network.authorities, [text("one"), text("two\nlines")]);
    assert!(config.network.extra_authorities.unwrap().ends_with("project/extra.pem"));
    assert_eq!(config.network.system_authorities_file, Some("/system.pem".into()));
    assert_eq!(config.network.system_authorities_folders, ["/one", "/two"].map(PathBuf::from));
}

#[test]
fn cache_folder() {
    let check = |place: Place, overrides: &Overrides, expected: &str| {
        let folder = place.try_load(overrides).unwrap().cache.folder;
        let expected =
            if expected.starts_with('/') { expected.into() } else { place.path(expected) };
        assert_eq!(folder, expected);
    };
    let none = Overrides::default();
    let flag = Overrides { cache_dir: Some("flag".into()), ..Overrides::default() };
    let place = || Place::new().variable("XDG_CACHE_HOME", "/xdg");
    check(place(), &none, "/xdg/deka");
    check(Place::new().variable("XDG_CACHE_HOME", "relative"), &none, "home/.config/deka/pm/cache");
    let place = || place().user("cache=~/npm\n");
    check(place(), &none, "home/npm/deka");
    // npm sets this one for every script that it runs.
    check(place().variable("npm_config_cache", "/of/npm"), &none, "home/npm/deka");
    let place = || place().bunfig("[install.cache]\ndir = './store'\n");
    check(place(), &none, "project/store");
    let place = || place().variable("DEKA_CACHE_DIR", "env");
    check(place(), &none, "project/env");
    check(place(), &flag, "project/flag");
}

#[test]
fn keys_of_npm_and_pnpm() {
    let config = Place::new()
        .user(
            "offline=true\nprefer-offline\nignore-scripts=true\nsave-exact=true\nomit[]=dev\nomit[]=optional\n\
             include=optional\nnetwork-concurrency=8\nmaxsockets=4\nfetch-retries=7\nfetch-retry-factor=3\n\
             fetch-retry-mintimeout=10\nfetch-retry-maxtimeout=1000\nfetch-timeout=5000\n\
             node-linker=isolated\npackage-import-method=copy\nloglevel=silent\nmin-release-age=2\n\
             min-release-age-exclude[]=@corp/*\nmin-release-age-exclude[]=own\nfrozen-lockfile=true\nuser-agent=me\n\
             public-hoist-pattern[]=*eslint*\nhoist=false\nlink-workspace-packages=deep\ncpu=arm64\n",
        )
        .load();
    assert_eq!(config.warnings, []);
    let (install, network) = (&config.install, &config.network);
    assert!(
        network.offline && network.prefer_offline && install.ignore_scripts && install.save_exact
    );
    assert!(install.frozen_lockfile && install.is_frozen() && !install.production);
    assert_eq!(install.omit, Omit { dev: true, ..Omit::default() });
    assert_eq!(network.concurrency.get(), 8);
    assert_eq!(network.connections_per_host.unwrap().get(), 4);
    assert_eq!(network.retries.count, 7);
    assert!((network.retries.factor - 3.0).abs() < f64::EPSILON);
    assert_eq!(network.retries.minimum, Duration::from_millis(10));
    assert_eq!(network.retries.maximum, Duration::from_secs(1));
    assert_eq!(network.timeouts.request, Duration::from_secs(5));
    assert_eq!((install.linker, install.backend), (Linker::Isolated, Backend::Copyfile));
    assert_eq!(config.log_level, LogLevel::Silent);
    let age = &install.minimum_release_age;
    assert_eq!(age.age, Duration::from_hours(48));
    assert!(age.applies_to("x") && !age.applies_to("@corp/x") && !age.applies_to("own"));
    assert_eq!(network.user_agent.as_deref(), Some("me"));
    assert_eq!(install.public_hoist_pattern.as_deref(), Some(&["*eslint*".into()][..]));
    assert_eq!(install.hoist_pattern.as_deref(), Some(&[][..]));
    assert_eq!(install.link_workspace_packages, Some(true));
    assert_eq!(install.platform.cpu, Some(deka_manifest::CpuSet::of("arm64")));
}

#[test]
fn keys_of_bun() {
    let config = Place::new()
        .bunfig(
            "logLevel = 'warn'\n[test]\nx = 1\n[install]\nproduction = true\ndev = false\noptional = false\n\
             exact = true\nignoreScripts = true\ndryRun = true\noffline = true\nlinker = 'hoisted'\nglobalStore = true\n\
             linkWorkspacePackages = false\nminimumReleaseAge = 3600\nminimumReleaseAgeExcludes = ['a']\n\
             ca = ['one']\nconcurrentScripts = 3\nlockfile.save = false\ncache.disableManifest = true\n\
             hoistPattern = 'x*'\nunknown = { a = 1 }\n",
        )
        .load();
    assert_eq!(config.warnings, []);
    let install = &config.install;
    assert!(install.production && install.is_frozen() && install.omits_dev());
    assert_eq!(install.omit, Omit { dev: true, optional: true, peer: false });
    assert!(
        install.save_exact
            && install.ignore_scripts
            && install.dry_run
            && install.global_store == GlobalStore::WhereItWorks
    );
    assert!(install.no_lockfile && config.network.offline && config.cache.manifests_disabled);
    assert_eq!(install.linker, Linker::Hoisted);
    assert_eq!(install.link_workspace_packages, Some(false));
    assert_eq!(install.minimum_release_age.age, Duration::from_hours(1));
    assert!(!install.minimum_release_age.applies_to("a"));
    assert_eq!(install.concurrent_scripts.unwrap().get(), 3);
    assert_eq!(config.network.authorities, [Pem::Text(Secret::new("one"))]);
    assert_eq!(install.hoist_pattern.as_deref(), Some(&["x*".into()][..]));
    assert_eq!(config.log_level, LogLevel::Warn);
}

#[test]
fn wrong_values_are_named_and_change_nothing() {
    let place = Place::new()
        .user("fetch-retries=many\nstrict-ssl=perhaps\nregistry=ftp://x.example/\nomit=deps\n")
        .bunfig("[install]\nproduction = 'yes'\nlinker = 'nested-ish'\nregistry = 5\n");
    let config = place.load();
    assert_eq!(config.network.retries.count, 4);
    assert!(config.network.strict_ssl && config.registries.default_registry().is_npm());
    assert_eq!(
        place.warnings(),
        [
            "Ignored `fetch-retries` in `home/.npmrc`, line 1: expected a number",
            "Ignored `strict-ssl` in `home/.npmrc`, line 2: expected `true` or `false`",
            "Ignored `registry` in `home/.npmrc`, line 3: its scheme is `ftp`, expected `https` or `http`",
            "Ignored `omit` in `home/.npmrc`, line 4: expected `dev`, `optional` or `peer`",
            "Ignored `install.linker` in `project/bunfig.toml`, line 3: expected `hoisted` or `isolated`",
            "Ignored `install.production` in `project/bunfig.toml`, line 2: expected `true` or `false`",
            "Ignored `install.registry` in `project/bunfig.toml`, line 4: expected a text",
        ]
    );
}

#[test]
fn a_bunfig_that_is_no_toml_is_an_error_without_the_line_s_text() {
    let place = Place::new().bunfig("[install]\nregistry = { token = \"secret\n");
    let error = place.try_load(&Overrides::default()).unwrap_err();
    assert!(matches!(error, ConfigError::Toml { line: 2, .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[test]
fn flags() {
    let place = Place::new().user("omit[]=dev\nomit[]=peer\nfrozen-lockfile=true\n");
    let overrides = Overrides {
        omit: Omit { optional: true, ..Omit::default() },
        include: Omit { peer: true, ..Omit::default() },
        frozen_lockfile: Some(false),
        save: Some(false),
        prefer_offline: true,
        minimum_release_age: Some(Duration::from_secs(5)),
        log_level: Some(LogLevel::Silent),
        ..Overrides::default()
    };
    let config = place.try_load(&overrides).unwrap();
    assert_eq!(config.install.omit, Omit { dev: true, optional: true, peer: false });
    assert!(!config.install.is_frozen() && config.install.no_save && config.network.prefer_offline);
    assert_eq!(config.install.minimum_release_age.age, Duration::from_secs(5));
    assert_eq!(config.log_level, LogLevel::Silent);

    let wrong = Overrides { registry: Some("not a url".to_owned()), ..Overrides::default() };
    assert!(matches!(place.try_load(&wrong), Err(ConfigError::Registry { .. })));
    let missing = Overrides { bunfig: Some("none.toml".into()), ..Overrides::default() };
    assert!(matches!(place.try_load(&missing), Err(ConfigError::Read { .. })));
}

#[test]
fn other_places_of_the_files() {
    let xdg = || {
        let place = Place::new().user("registry=https://home.example/\n").file("xdg/unrelated", "");
        let folder = place.path("xdg").display().to_string();
        place.variable("XDG_CONFIG_HOME", &folder)
    };
    assert_eq!(registry(&xdg().load()), "https://home.example/");
    let place = xdg().file("xdg/.npmrc", "registry=https://xdg.example/\n");
    assert_eq!(registry(&place.load()), "https://xdg.example/");
    let place = place.file("own", "registry=https://own.example/\n");
    let own = place.path("own").display().to_string();
    let place = place.variable("NPM_CONFIG_USERCONFIG", &own);
    assert_eq!(registry(&place.load()), "https://own.example/");
    assert_eq!(place.load().origin("registry").layer, Layer::UserNpmrc);

    let place = Place::new()
        .file("node/bin/node", "")
        .file("node/etc/npmrc", "registry=https://global.example/\n");
    let bin = place.path("node/bin").display().to_string();
    let place = place.variable("PATH", &format!("relative:/nowhere:{bin}"));
    assert_eq!(registry(&place.load()), "https://global.example/");
}

#[test]
fn no_secret_is_ever_shown() {
    let place = Place::new()
        .user(
            "registry=https://user:hidden@h.example/\n//a.example/:_authToken=hidden\n//b.example/:_auth=hidden\n\
             //c.example/:username=hidden\n//c.example/:_password=hidden\n_authToken=hidden\nkey=hidden\ncert=c\n\
             proxy=http://user:hidden@p.example/\nhttps-proxy=nonsense://hidden\n\
             //user:hidden@d.example/:_authToken=x\n//user:hidden@d.example/:tokenHelper=x\n",
        )
        .bunfig("install.registry = { url = 'https://e.example', token = 'hidden', password = 5 }\n")
        .variable("NPM_CONFIG_TOKEN", "hidden");
    let config = place.load();
    let mut shown = format!("{config:?}");
    shown.extend(config.origins().map(|(name, origin)| format!("{name} {origin}\n")));
    shown.extend(place.warnings());
    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn where_archives_of_github_come_from() {
    let api = |place: &Place| place.load().network.github.api.to_string();
    assert_eq!(api(&Place::new()), "https://api.github.com/");
    let place = Place::new().variable("GITHUB_API_DOMAIN", "ghe.example");
    assert_eq!(api(&place), "https://ghe.example/");
    let place = place.variable("GITHUB_API_URL", "https://ghe.example/api/v3");
    assert_eq!(api(&place), "https://ghe.example/api/v3");
    let config = place.variable("GITHUB_TOKEN", "secret").load();
    let header = auth(&config, "https://ghe.example/api/v3/repos/o/r/tarball/");
    assert_eq!(header.as_deref(), Some("Bearer secret"));
    assert_eq!(auth(&config, "https://codeload.example/o/r"), None);
    let config = Place::new().variable("GITHUB_API_URL", "nonsense").load();
    assert_eq!(config.network.github.api.as_str(), "https://api.github.com/");
    assert_eq!(config.warnings.len(), 1);
}

#[test]
fn packages_of_jsr_have_a_registry() {
    let url = |place: &Place, name: &str| place.load().registry_for(name).to_string();
    let place = Place::new().user("registry=https://corp.example/\n");
    assert_ne!(url(&place, "@jsr/std__path"), "https://corp.example/");
    assert_eq!(url(&place, "@jsrx/a"), "https://corp.example/");
    let place = place.project("@jsr:registry=https://mirror.example/\n");
    assert_eq!(url(&place, "@jsr/std__path"), "https://mirror.example/");
}

#[test]
fn what_is_for_all_projects_is_the_users_alone() {
    let text = "[install]\nglobalDir = 'g'\nglobalBinDir = 'b'\n";
    let place = Place::new().bunfig(text).project("save-exact=true").user("ignore-scripts=true");
    let config = place.load();
    assert_eq!(config.install.global_bin_folder, Some(place.path("home/.bun/bin")));
    assert_eq!(config.install.global_folder, Some(place.path("home/.bun/install/global")));
    assert_eq!(
        place.warnings(),
        [
            "Ignored `install.globalBinDir` in `project/bunfig.toml`, line 3: a project may not set this",
            "Ignored `install.globalDir` in `project/bunfig.toml`, line 2: a project may not set this"
        ]
    );
    let config = place.load_global();
    assert_eq!((config.install.save_exact, config.install.ignore_scripts), (false, true));
    let place = place.file("home/.bunfig.toml", text);
    assert_eq!(place.load().install.global_folder, Some(place.path("home/g")));
    assert_eq!(place.load().install.global_bin_folder, Some(place.path("home/b")));
}
