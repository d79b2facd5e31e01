//! Settings from environment variables.

use url::Url;

use crate::draft::Draft;
use crate::load::{GLOBAL_BIN_FOLDER, GLOBAL_FOLDER};
use crate::npmrc::{apply_variables, set_proxy};
use crate::parse::boolean;
use crate::{GlobalStore, NoProxy, Origin, Secret};

/// Writes what the environment says over `draft`: what all programs share first, then npm's
/// variables, Bun's, and deka's own.
pub(crate) fn apply(draft: &mut Draft<'_>) {
    shared(draft);
    apply_variables(draft);
    bun(draft);
    github(draft);
    if let Some(folder) = draft.environment.non_empty("DEKA_CACHE_DIR") {
        let folder = draft.absolute(folder, draft.environment.working_folder());
        draft.set("cache", &Origin::variable("DEKA_CACHE_DIR"), |config| {
            config.cache.folder = folder;
        });
    }
}

/// `HTTPS_PROXY` and what else curl, Node and OpenSSL know. Of two spellings the small one wins, as
/// in curl; an empty value unsets what weaker sources say.
fn shared(draft: &mut Draft<'_>) {
    let environment = draft.environment;
    let any_case = |small: &'static str, large: &'static str| {
        environment
            .get(small)
            .map(|value| (small, value))
            .or_else(|| Some((large, environment.get(large)?)))
    };
    if let Some((name, value)) = any_case("all_proxy", "ALL_PROXY").filter(|(_, v)| !v.is_empty()) {
        set_proxy(draft, true, true, value, &Origin::variable(name));
    }
    if let Some((name, value)) = any_case("http_proxy", "HTTP_PROXY") {
        set_proxy(draft, false, true, value, &Origin::variable(name));
    }
    if let Some((name, value)) = any_case("https_proxy", "HTTPS_PROXY") {
        set_proxy(draft, true, false, value, &Origin::variable(name));
    }
    if let Some((name, value)) = any_case("no_proxy", "NO_PROXY") {
        let hosts = NoProxy::parse(value);
        draft.set("noproxy", &Origin::variable(name), |config| {
            config.network.proxies.except = hosts;
        });
    }
    if let Some(file) = environment.non_empty("NODE_EXTRA_CA_CERTS") {
        let file = draft.absolute(file, environment.working_folder());
        draft.set("extra-ca", &Origin::variable("NODE_EXTRA_CA_CERTS"), |config| {
            config.network.extra_authorities = Some(file);
        });
    }
    if let Some(file) = environment.non_empty("SSL_CERT_FILE") {
        let file = draft.absolute(file, environment.working_folder());
        draft.set("system-ca", &Origin::variable("SSL_CERT_FILE"), |config| {
            config.network.system_authorities_file = Some(file);
        });
    }
    if let Some(folders) = environment.non_empty("SSL_CERT_DIR") {
        let separator = if cfg!(windows) { ';' } else { ':' };
        let folders = folders
            .split(separator)
            .filter(|folder| !folder.is_empty())
            .map(|folder| draft.absolute(folder, environment.working_folder()))
            .collect();
        draft.set("system-ca", &Origin::variable("SSL_CERT_DIR"), |config| {
            config.network.system_authorities_folders = folders;
        });
    }
    if environment.get("NODE_TLS_REJECT_UNAUTHORIZED") == Some("0") {
        draft.set("strict-ssl", &Origin::variable("NODE_TLS_REJECT_UNAUTHORIZED"), |config| {
            config.network.strict_ssl = false;
        });
    }
}

/// Where archives of repositories at GitHub come from.
fn github(draft: &mut Draft<'_>) {
    let environment = draft.environment;
    let domain = environment.non_empty("GITHUB_API_DOMAIN");
    let api = match (environment.non_empty("GITHUB_API_URL"), domain) {
        (Some(url), _) => Some(("GITHUB_API_URL", url.to_owned())),
        (None, Some(domain)) => Some(("GITHUB_API_DOMAIN", format!("https://{domain}"))),
        (None, None) => None,
    };
    if let Some((name, text)) = api {
        let origin = Origin::variable(name);
        match Url::parse(&text) {
            Ok(url) if url.has_host() => {
                draft.set("github-api", &origin, |config| config.network.github.api = url);
            }
            _ => draft.warn(&origin, "expected a web address"),
        }
    }
    if let Some(token) = environment.non_empty("GITHUB_TOKEN") {
        draft.set("github-token", &Origin::variable("GITHUB_TOKEN"), |config| {
            config.network.github.token = Some(Secret::new(token));
        });
    }
}

/// Bun's own variables.
fn bun(draft: &mut Draft<'_>) {
    let environment = draft.environment;
    if let Some(text) = environment.non_empty("BUN_CONFIG_REGISTRY") {
        draft.set_registry(None, Some(text), &Origin::variable("BUN_CONFIG_REGISTRY"));
    }
    if let Some(text) = environment.non_empty("BUN_CONFIG_MAX_HTTP_REQUESTS") {
        let origin = Origin::variable("BUN_CONFIG_MAX_HTTP_REQUESTS");
        match text.parse() {
            Ok(count) => draft.set("network-concurrency", &origin, |config| {
                config.network.concurrency = count;
            }),
            Err(_) => draft.warn(&origin, "expected a number of at least 1"),
        }
    }
    if let Some(text) = environment.non_empty("BUN_CONFIG_HTTP_IDLE_TIMEOUT") {
        let origin = Origin::variable("BUN_CONFIG_HTTP_IDLE_TIMEOUT");
        match text.parse() {
            Ok(seconds) => draft.set("idle-timeout", &origin, |config| {
                config.network.timeouts.idle = std::time::Duration::from_secs(seconds);
            }),
            Err(_) => draft.warn(&origin, "expected a number of seconds"),
        }
    }
    let absolute = |folder: &str| environment.working_folder().join(folder);
    if let Some(folder) = environment.non_empty("BUN_INSTALL").map(absolute) {
        let origin = Origin::variable("BUN_INSTALL");
        draft.set("global-dir", &origin, |config| {
            config.install.global_folder = Some(folder.join(GLOBAL_FOLDER));
        });
        draft.set("global-bin-dir", &origin, |config| {
            config.install.global_bin_folder = Some(folder.join(GLOBAL_BIN_FOLDER));
        });
    }
    if let Some(folder) = environment.non_empty("BUN_INSTALL_GLOBAL_DIR").map(absolute) {
        draft.set("global-dir", &Origin::variable("BUN_INSTALL_GLOBAL_DIR"), |config| {
            config.install.global_folder = Some(folder);
        });
    }
    if let Some(folder) = environment.non_empty("BUN_INSTALL_BIN").map(absolute) {
        draft.set("global-bin-dir", &Origin::variable("BUN_INSTALL_BIN"), |config| {
            config.install.global_bin_folder = Some(folder);
        });
    }
    let switch = |name: &str| environment.get(name).and_then(boolean);
    if let Some(on) = switch("BUN_CONFIG_SKIP_SAVE_LOCKFILE") {
        draft.set("no-lockfile", &Origin::variable("BUN_CONFIG_SKIP_SAVE_LOCKFILE"), |config| {
            config.install.no_lockfile = on;
        });
    }
    if let Some(on) = switch("BUN_CONFIG_SKIP_LOAD_LOCKFILE") {
        let origin = Origin::variable("BUN_CONFIG_SKIP_LOAD_LOCKFILE");
        draft.set("skip-load-lockfile", &origin, |config| config.install.skip_load_lockfile = on);
    }
    if let Some(on) = switch("BUN_INSTALL_GLOBAL_STORE") {
        draft.set("global-store", &Origin::variable("BUN_INSTALL_GLOBAL_STORE"), |config| {
            config.install.global_store = GlobalStore::switch(on);
        });
    }
    if environment.get("BUN_MANIFEST_CACHE").and_then(boolean) == Some(false) {
        draft.set("no-cache", &Origin::variable("BUN_MANIFEST_CACHE"), |config| {
            config.cache.manifests_disabled = true;
        });
    }
}
