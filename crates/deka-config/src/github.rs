//! Where archives of repositories at GitHub come from, and who we are there.

use url::Url;

use crate::credentials::Territory;
use crate::{AuthHeader, Credentials, Secret};

/// GitHub's programming interface, or that of an enterprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHub {
    /// Below which everything is (`GITHUB_API_URL`, `GITHUB_API_DOMAIN`).
    pub api: Url,
    /// What private repositories ask for (`GITHUB_TOKEN`).
    pub token: Option<Secret>,
}

impl Default for GitHub {
    fn default() -> Self {
        let api = Url::parse("https://api.github.com/").expect("the default is a URL");
        Self { api, token: None }
    }
}

impl GitHub {
    /// Returns what goes with a request to `url`: the token, if it is one of these requests and
    /// nobody on the way can read it.
    pub(crate) fn auth_for(&self, url: &Url) -> Option<AuthHeader> {
        let is_here = || match url.host() {
            Some(url::Host::Domain(domain)) => domain == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_private = url.scheme() == "https" || is_here();
        if !is_private || url.scheme() != self.api.scheme() {
            return None;
        }
        Territory::of_registry(&self.api).covers(url)?;
        Credentials { token: self.token.clone(), ..Credentials::default() }.header()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_the_api_alone() {
        let github = |api: &str| GitHub {
            api: Url::parse(api).unwrap(),
            token: Some(Secret::new("secret")),
        };
        for (api, url, is_sent) in [
            ("https://api.github.com/", "https://api.github.com/repos/o/r/tarball/", true),
            ("https://api.github.com/", "http://api.github.com/repos/o/r/tarball/", false),
            ("https://api.github.com/", "https://codeload.github.com/o/r", false),
            ("https://api.github.com/", "https://api.github.com.example/repos", false),
            ("https://ghe.example/api/v3", "https://ghe.example/api/v3/repos/o/r", true),
            ("https://ghe.example/api/v3", "https://ghe.example/other", false),
            ("http://ghe.example/", "http://ghe.example/repos", false),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/repos", true),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8081/repos", false),
        ] {
            let sent = github(api).auth_for(&Url::parse(url).unwrap());
            assert_eq!(sent.is_some(), is_sent, "{api} {url}");
        }
    }
}
