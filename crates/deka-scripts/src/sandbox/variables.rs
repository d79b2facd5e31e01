//! Which variables hold secrets, or lead to them.

/// Whether a script must not see a variable.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    /// These lead to files or services that hold secrets.
    const LEADS: &[&str] = &[
        "NPM_CONFIG_USERCONFIG",
        "NPM_CONFIG_GLOBALCONFIG",
        "DOCKER_HOST",
        "DOCKER_CONFIG",
        "KUBECONFIG",
        "NETRC",
        "GPG_AGENT_INFO",
        "DBUS_SESSION_BUS_ADDRESS",
    ];
    // What deka has just set says what the package itself says.
    if name.starts_with("npm_package_") || name.starts_with("npm_lifecycle_") {
        return false;
    }
    LEADS.iter().any(|lead| name.eq_ignore_ascii_case(lead))
        || deka_config::sounds_secret(name)
        || has_password(value)
        || is_token(value)
}

/// Whether a text begins as the tokens of well-known services and private keys do.
fn is_token(value: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "AKIA",
        "gho_",
        "ghp_",
        "ghr_",
        "ghs_",
        "ghu_",
        "github_pat_",
        "glpat-",
        "npm_",
        "pypi-",
        "xoxb-",
        "xoxp-",
    ];
    // Certificates begin like keys, and are there for everybody.
    let is_key =
        value.trim_start().starts_with("-----BEGIN ") && value.contains("PRIVATE KEY-----");
    is_key || PREFIXES.iter().any(|prefix| value.starts_with(prefix))
}

/// Whether a text holds a URL with a password, as those of proxies and databases do.
fn has_password(value: &str) -> bool {
    value.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn what_is_taken_out() {
        for (name, value, expected) in [
            ("NPM_TOKEN", "x", true),
            ("npm_config_//registry.example/:_authToken", "x", true),
            ("AWS_SECRET_ACCESS_KEY", "x", true),
            ("SSH_AUTH_SOCK", "/tmp/agent", true),
            ("npm_config_userconfig", "/home/me/.npmrc", true),
            ("DATABASE_URL", "postgres://me:secret@db/x", true),
            ("https_proxy", "http://me:secret@proxy:8080", true),
            ("https_proxy", "http://proxy:8080", false),
            ("HOME_PAGE", "https://example.com/@a:b", false),
            ("PATH", "/usr/bin", false),
            ("GPG_PASSPHRASE", "x", true),
            ("AZURE_PAT", "x", true),
            ("DEPLOY", "ghp_0123456789", true),
            ("PUBLISH", "npm_0123456789", true),
            ("PATTERN", "x", false),
            ("DEPLOY", "-----BEGIN OPENSSH PRIVATE KEY-----\nx", true),
            ("npm_config_ca", "-----BEGIN CERTIFICATE-----\nx", false),
            ("PWD", "/work", false),
            ("npm_package_config_key", "x", false),
        ] {
            assert_eq!(is_secret(name, value), expected, "{name}={value}");
        }
    }
}
