//! Who we are at a registry: tokens, passwords, client certificates, and the part of the web that
//! each belongs to.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use url::Url;

use crate::{Pem, Secret};

/// The value of an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthHeader(Secret);

impl AuthHeader {
    /// Returns the value, to be sent: `Bearer …` or `Basic …`. It holds nothing but visible ASCII
    /// and blanks.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Wraps a value unless it could not be a header's.
    fn new(value: String) -> Option<Self> {
        is_printable(&value).then(|| Self(Secret::new(value)))
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// What somebody has said about one registry, as it was said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// `_authToken`.
    pub token: Option<Secret>,
    /// `_auth`: user and password, already in base64.
    pub basic: Option<Secret>,
    /// `username`.
    pub username: Option<Secret>,
    /// The password itself, not in base64.
    pub password: Option<Secret>,
}

impl Credentials {
    /// Returns the header that says it: the token, else `_auth`, else user name and password.
    pub fn header(&self) -> Option<AuthHeader> {
        let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
        if let Some(token) = given(&self.token) {
            return AuthHeader::new(format!("Bearer {}", token.expose()));
        }
        if let Some(basic) = given(&self.basic) {
            return AuthHeader::new(format!("Basic {}", basic.expose()));
        }
        // An empty password is one, too: some registries take a token as the user name.
        let (username, password) = (given(&self.username)?, self.password.as_ref()?);
        let pair = STANDARD.encode(format!("{}:{}", username.expose(), password.expose()));
        AuthHeader::new(format!("Basic {pair}"))
    }

    /// Reads what stands in front of the host of a URL: `user:password@`, `user@`, or `:token@`.
    pub fn of_url(url: &Url) -> Option<Self> {
        let decode = |text: &str| Secret::new(percent_decode(text).into_boxed_str());
        match (url.username(), url.password().unwrap_or_default()) {
            ("", "") => None,
            ("", token) => Some(Self { token: Some(decode(token)), ..Self::default() }),
            (username, password) => Some(Self {
                username: Some(decode(username)),
                password: Some(decode(password)),
                ..Self::default()
            }),
        }
    }

    /// Whether a token or password is there but could not be a header's.
    pub(crate) fn is_unusable(&self) -> bool {
        let is_odd = |secret: &Option<Secret>| {
            secret.as_ref().is_some_and(|secret| !is_printable(secret.expose()))
        };
        is_odd(&self.token) || is_odd(&self.basic)
    }

    /// Takes over what `stronger` says, field by field.
    pub(crate) fn overlay(&mut self, stronger: Self) {
        let fields = [
            (&mut self.token, stronger.token),
            (&mut self.basic, stronger.basic),
            (&mut self.username, stronger.username),
            (&mut self.password, stronger.password),
        ];
        for (mine, theirs) in fields {
            if theirs.is_some() {
                *mine = theirs;
            }
        }
    }
}

/// Decodes `%41`; what is no UTF-8 then is replaced.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => (*high as char).to_digit(16).zip((*low as char).to_digit(16)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push((high * 16 + low) as u8);
            rest = &rest[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Decodes the value of `_password` as Node would: both alphabets, padding or none, and a text that
/// is no base64 at all stands for itself.
pub(crate) fn decode_password(text: &str) -> Secret {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let standard: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let decoded = LENIENT.decode(standard).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Secret::new(decoded.unwrap_or_else(|| text.to_owned()))
}

/// What to present to a server that asks who connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate and those that signed it.
    pub certificate: Pem,
    /// Its private key.
    pub key: Pem,
}

/// A part of the web that credentials belong to, npm's "nerf dart": `//host[:port]/path/`.
///
/// The scheme is not part of it. A port that is not given is the default one of whatever scheme the
/// request has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Territory {
    host: Box<str>,
    port: Option<u16>,
    /// Ends with a slash.
    path: Box<str>,
}

impl Territory {
    /// Reads `//host:port/path/`, as `.npmrc` has it in front of `:_authToken`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.starts_with("//") {
            return None;
        }
        // Under either scheme its own default port vanishes, so both have to be asked.
        let secure = Url::parse(&format!("https:{text}")).ok()?;
        let plain = Url::parse(&format!("http:{text}")).ok()?;
        Some(Self::new(&secure, secure.port().or(plain.port())))
    }

    /// Returns the territory that starts at a registry's URL.
    pub(crate) fn of_registry(url: &Url) -> Self {
        Self::new(url, url.port())
    }

    fn new(url: &Url, port: Option<u16>) -> Self {
        let mut path = url.path().to_owned();
        if !path.ends_with('/') {
            path.push('/');
        }
        Self { host: url.host_str().unwrap_or_default().into(), port, path: path.into() }
    }

    /// Whether `url` lies within, and if so how exactly that is said: the length of the path.
    pub(crate) fn covers(&self, url: &Url) -> Option<usize> {
        let port_fits = match self.port {
            None => url.port().is_none(),
            port => url.port_or_known_default() == port,
        };
        let within = || {
            let path = url.path();
            path.starts_with(&*self.path) || path == self.path.trim_end_matches('/')
        };
        (port_fits && url.host_str() == Some(&*self.host) && within()).then_some(self.path.len())
    }
}
