//! Settings from `.npmrc`, `bunfig.toml`, the environment and flags, merged into one plain [`Config`].
//!
//! Weakest first: built-in defaults, the global npmrc, the user's npmrc, the project's `.npmrc`,
//! `bunfig.toml` (the user's, then the project's), environment variables, flags. That is Bun's
//! order, with npm's global file and npm's variables added. Each value remembers its [`Origin`].
//!
//! The crate reads the files and nothing else: variables, home folder and working folder come in an
//! [`Environment`], flags in [`Overrides`]. What is wrong with a value becomes a [`Warning`] that
//! names file, line and key, and the next weaker layer's value stays; only a file that cannot be
//! read, or is no TOML, is a [`ConfigError`].
//!
//! # What a project may not set
//!
//! A project's `.npmrc` and `bunfig.toml` come with a clone, so they are other people's words. They
//! may choose registries and certificate authorities and name tokens for registries, because
//! projects have to; they may not loosen how deka reaches the registries that the user has
//! credentials for. Left out with a warning are
//!
//! - `strict-ssl = false`,
//! - `proxy` and `https-proxy`: who holds the line sees the requests,
//! - `tokenHelper` (which deka does not know from anybody: it starts programs),
//! - `${VARIABLE}` with the name of a secret anywhere but in credentials. A registry's URL is
//!   printed, logged, and written to lockfiles. `//host/:_authToken=${NPM_TOKEN}` works, as it does
//!   in npm and Bun, and is sent to that host and path only.
//!
//! Credentials without an address (`_authToken=…`) belong to the registry that is the default one
//! when the source that holds them has been read, so a project that changes the default registry
//! does not get the user's token.

mod bunfig;
mod config;
mod credentials;
mod draft;
mod edit;
mod environment;
mod error;
mod expand;
mod github;
mod ini;
mod inspect;
mod load;
mod npmrc;
mod origin;
mod overrides;
mod parse;
mod proxy;
mod registries;
mod secret;
mod variables;

pub use config::{
    Backend, Cache, Config, GlobalStore, Install, Linker, LogLevel, MinimumReleaseAge, Network,
    Omit, Pem, PlatformOverride, Retries, Timeouts,
};
pub use credentials::{AuthHeader, ClientCertificate, Credentials};
pub use edit::{delete_from_npmrc, set_in_npmrc};
pub use environment::Environment;
pub use error::{ConfigError, Warning};
pub use expand::sounds_secret;
pub use github::GitHub;
pub use inspect::Setting;
pub use origin::{Layer, Origin};
pub use overrides::Overrides;
pub use parse::{cpu_set, libc_set, os_set, parse_duration};
pub use proxy::{NoProxy, Proxies, ProxyUrl};
pub use registries::{InvalidRegistry, Registries, Registry};
pub use secret::Secret;
