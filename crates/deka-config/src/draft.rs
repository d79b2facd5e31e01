//! Settings while they are being merged.

use std::path::Path;

use crate::credentials::Territory;
use crate::expand::{NotExpanded, expand, sounds_secret};
use crate::{ClientCertificate, Config, Credentials, Environment, Origin, Pem, Registry, Warning};

/// A [`Config`] that layer after layer is written over, weakest first.
pub(crate) struct Draft<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) config: Config,
    credentials: Vec<(Territory, Credentials, Origin)>,
    certificates: Vec<(Territory, HalfCertificate)>,
    /// The general certificate (`cert`, `key`).
    pub(crate) general_certificate: HalfCertificate,
}

/// A certificate whose two parts come from two keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct HalfCertificate {
    pub(crate) certificate: Option<Pem>,
    pub(crate) key: Option<Pem>,
}

impl HalfCertificate {
    fn whole(self) -> Option<ClientCertificate> {
        Some(ClientCertificate { certificate: self.certificate?, key: self.key? })
    }
}

impl<'a> Draft<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            config: Config::default(),
            credentials: Vec::new(),
            certificates: Vec::new(),
            general_certificate: HalfCertificate::default(),
        }
    }

    /// Notes where the value that `change` writes comes from, and writes it.
    pub(crate) fn set(&mut self, name: &str, origin: &Origin, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.config.origins.insert(name.into(), origin.clone());
    }

    /// Notes that a setting is left out.
    pub(crate) fn warn(&mut self, origin: &Origin, problem: impl Into<String>) {
        self.config.warnings.push(Warning { origin: origin.clone(), problem: problem.into() });
    }

    /// Replaces variables in a text of `origin`; `None`, with a warning, if that fails.
    ///
    /// A project's file may use any variable where it says who we are at a registry, because that
    /// is how projects are given their tokens in continuous integration, and the secret goes only
    /// to the address that the same line names. Elsewhere a secret has no business: a registry's
    /// URL is printed, logged, and written to lockfiles.
    pub(crate) fn expand(
        &mut self,
        text: &str,
        origin: &Origin,
        is_credential: bool,
    ) -> Option<String> {
        if !text.contains("${") {
            return Some(text.to_owned());
        }
        let everything = is_credential || !origin.layer.is_of_project();
        match expand(text, self.environment, |name| everything || !sounds_secret(name)) {
            Ok(text) => Some(text),
            Err(NotExpanded::Unset(name)) => {
                self.warn(origin, format!("the environment variable `{name}` is not set"));
                None
            }
            Err(NotExpanded::Forbidden(name)) => {
                self.warn(
                    origin,
                    format!(
                        "a project may not put `{name}` here, whose name sounds like a secret's"
                    ),
                );
                None
            }
        }
    }

    /// Makes the registry in `text`, variables replaced, the default one, or that of `scope`; without
    /// a text, one that can't be used. Returns whether it can.
    pub(crate) fn set_registry(
        &mut self,
        scope: Option<&str>,
        text: Option<&str>,
        origin: &Origin,
    ) -> bool {
        let Some(text) = text else {
            self.config.registries.set_unusable(scope, origin.clone());
            return false;
        };
        match Registry::with_credentials(text) {
            Ok((registry, credentials)) => {
                if let Some(credentials) = credentials {
                    self.add_credentials(
                        Territory::of_registry(registry.url()),
                        credentials,
                        origin,
                    );
                }
                match scope {
                    None => self.set("registry", origin, |config| {
                        config.registries.set_default(registry);
                    }),
                    Some(scope) => {
                        let name = format!("{}:registry", crate::registries::scope_key(scope));
                        self.set(&name, origin, |config| {
                            config.registries.set_scope(scope, registry);
                        });
                    }
                }
                true
            }
            Err(error) => {
                self.warn(origin, error.to_string());
                // Nothing at all is how a setting is taken back.
                if !text.trim().is_empty() {
                    self.config.registries.set_unusable(scope, origin.clone());
                }
                false
            }
        }
    }

    /// Adds to what is known about who we are in `territory`.
    pub(crate) fn add_credentials(
        &mut self,
        territory: Territory,
        credentials: Credentials,
        origin: &Origin,
    ) {
        match self.credentials.iter_mut().find(|(known, ..)| *known == territory) {
            Some((_, weaker, _)) => weaker.overlay(credentials),
            None => self.credentials.push((territory, credentials, origin.clone())),
        }
    }

    /// Returns the certificate of `territory`, to be completed.
    pub(crate) fn certificate_of(&mut self, territory: Territory) -> &mut HalfCertificate {
        let place = self.certificates.iter().position(|(known, _)| *known == territory);
        let place = place.unwrap_or_else(|| {
            self.certificates.push((territory, HalfCertificate::default()));
            self.certificates.len() - 1
        });
        &mut self.certificates[place].1
    }

    /// Makes `path` absolute.
    pub(crate) fn absolute(&self, path: &str, base: &Path) -> std::path::PathBuf {
        crate::parse::absolute(path, base, self.environment.home())
    }

    /// Ends the merge.
    pub(crate) fn finish(mut self) -> Config {
        for (territory, credentials, origin) in std::mem::take(&mut self.credentials) {
            match credentials.header() {
                Some(header) => self.config.registries.add_header(territory, header),
                None if credentials.is_unusable() => {
                    self.warn(&origin, "the credentials hold characters that cannot be sent");
                }
                // A user name without a password, or an empty token: nothing to send.
                None => {}
            }
        }
        for (territory, half) in std::mem::take(&mut self.certificates) {
            if let Some(certificate) = half.whole() {
                self.config.registries.add_certificate(territory, certificate);
            }
        }
        self.config.network.client_certificate = self.general_certificate.whole();
        self.config
    }
}
