//! `cargo xtask serve`: a registry for measuring, in a process of its own.
//!
//! It sends what was recorded, from memory, as the public registry would: abbreviated packuments,
//! gzipped long before anyone asks, with `ETag` and `max-age`. It does as little as it can per
//! request, so that it does not rule the figures. With `--upstream` it records what it lacks; with
//! `--generated` it makes packages up instead.
//!
//! It says on the standard output where it listens. Each line on its standard input is answered
//! with one line of [`Traffic`], and it ends with that input.

mod counters;
mod generate;
mod link;
mod recording;
mod upstream;

use std::{
    fs,
    io::{self, BufRead, Write},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
};

use bytes::Bytes;
use deka_test::registry::{ABBREVIATED, certificate, decode, is_tarball};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

use counters::{Counted, Counters};
use link::Pipe;
use recording::{Answer, Kind, Recording};
use upstream::Upstream;

pub(crate) use counters::Traffic;
pub(crate) use generate::{ADDED, Graph};
pub(crate) use link::Link;

/// The scope of what a made-up workspace consists of.
pub(crate) const MADE_UP_SCOPE: &str = "@made-up/";

/// What the command line says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// The folder with what was recorded, unless packages are generated.
    pub(crate) recording: PathBuf,
    /// How many packages to make up.
    pub(crate) generated: Option<usize>,
    /// The registry to ask for what is not.
    pub(crate) upstream: Option<String>,
    /// TLS, with HTTP/1.1 and HTTP/2; the certificate of the authority goes into this file.
    pub(crate) tls: Option<PathBuf>,
    /// What stands between server and clients.
    pub(crate) link: Option<Link>,
}

impl Options {
    /// Reads what [`Options::arguments`] writes.
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
            match flag.as_str() {
                "--recording" => options.recording = PathBuf::from(value),
                "--generated" => {
                    let count = value.parse().map_err(|_| format!("`{value}` is no number"))?;
                    options.generated = Some(count);
                }
                "--upstream" => options.upstream = Some(value.clone()),
                "--tls" => options.tls = Some(PathBuf::from(value)),
                "--link" => options.link = Some(Link::parse(value)?),
                _ => return Err(format!("`{flag}` is no flag of `cargo xtask serve`")),
            }
        }
        if options.recording.as_os_str().is_empty() == options.generated.is_none() {
            return Err("`--recording FOLDER` or `--generated N`, one of both".to_owned());
        }
        Ok(options)
    }

    /// The arguments of a command that serves so.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.display().to_string();
        let recording = (self.generated.is_none()).then(|| path(&self.recording));
        let mut arguments = Vec::new();
        let flags = [
            ("--recording", recording),
            ("--generated", self.generated.map(|count| count.to_string())),
            ("--upstream", self.upstream.clone()),
            ("--tls", self.tls.as_ref().map(path)),
            ("--link", self.link.map(|link| link.to_string())),
        ];
        for (flag, value) in flags {
            arguments.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
        }
        arguments
    }
}

/// Runs `cargo xtask serve`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match Options::parse(arguments).and_then(|options| serve(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What all connections share.
struct Shared {
    recording: Recording,
    upstream: Option<Upstream>,
    counters: Arc<Counters>,
    pipe: Option<Arc<Pipe>>,
    tls: Option<TlsAcceptor>,
}

fn serve(options: &Options) -> Result<(), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(|error| format!("listening on 127.0.0.1: {error}"))?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    let (url, tls) = match &options.tls {
        None => (format!("http://127.0.0.1:{port}/"), None),
        Some(file) => {
            let (authority, config) = certificate();
            fs::write(file, authority)
                .map_err(|error| format!("writing `{}`: {error}", file.display()))?;
            (format!("https://localhost:{port}/"), Some(TlsAcceptor::from(config)))
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("starting tokio: {error}"))?;
    runtime.block_on(async {
        let shared = Arc::new(Shared {
            recording: match options.generated {
                Some(count) => Recording::generate(&Graph::new(count), &url)?,
                None => Recording::load(&options.recording, &url)?,
            },
            upstream: options.upstream.as_deref().map(Upstream::new),
            counters: Arc::default(),
            pipe: options.link.map(|link| Arc::new(Pipe::new(link))),
            tls,
        });
        let ended = answer_lines(Arc::clone(&shared.counters));
        println!("{url}");
        io::stdout().flush().map_err(|error| error.to_string())?;
        let listener = tokio::net::TcpListener::from_std(listener)
            .map_err(|error| format!("listening on 127.0.0.1: {error}"))?;
        tokio::select! {
            () = accept(&listener, &shared) => {}
            _ = ended => {}
        }
        Ok(())
    })
}

/// Answers each line of the standard input with the counts; the receiver hears of its end.
fn answer_lines(counters: Arc<Counters>) -> oneshot::Receiver<()> {
    let (sender, ended) = oneshot::channel();
    thread::spawn(move || {
        for _ in io::stdin().lock().lines().map_while(Result::ok) {
            println!("{}", counters.take().to_json());
        }
        drop(sender);
    });
    ended
}

async fn accept(listener: &tokio::net::TcpListener, shared: &Arc<Shared>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, Arc::clone(shared)));
        }
    }
}

/// Anything that bytes go through.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Serves one connection; what goes wrong with it is the client's to notice.
async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Else small answers wait for acknowledgements that the client delays.
    let _ = stream.set_nodelay(true);
    let mut stream: Box<dyn Stream> = Box::new(Counted::new(stream, Arc::clone(&shared.counters)));
    if let Some(pipe) = &shared.pipe {
        stream = Box::new(pipe.attach(stream));
    }
    let mut is_h2 = false;
    if let Some(tls) = &shared.tls {
        let Ok(accepted) = tls.accept(stream).await else { return };
        is_h2 = accepted.get_ref().1.alpn_protocol() == Some(b"h2");
        stream = Box::new(accepted);
    }
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, std::convert::Infallible>(answer(&shared, &request).await) }
    });
    let stream = TokioIo::new(stream);
    // A client that goes away is not worth a word.
    if is_h2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(stream, service).await;
    }
}

async fn answer(shared: &Shared, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    shared.counters.requests.fetch_add(1, Relaxed);
    let path = decode(request.uri().path());
    let name = path.trim_start_matches('/');
    let headers = request.headers();
    let kind = if is_tarball(name) {
        Kind::Tarball
    } else if contains(headers, &header::ACCEPT, ABBREVIATED) {
        Kind::Abbreviated
    } else {
        Kind::Full
    };
    let mut found = shared.recording.answer(kind, name);
    // What starts with a dash is the registry's own: audits, searches, pings. What a made-up
    // workspace consists of is in none, though some managers ask.
    let is_package = request.method() == Method::GET
        && !name.starts_with('-')
        && !name.starts_with(MADE_UP_SCOPE);
    if let (None, true, Some(upstream)) = (&found, is_package, &shared.upstream) {
        let recorded = upstream.get(name).await;
        let recorded = recorded.and_then(|bytes| shared.recording.record(kind, name, bytes));
        match recorded {
            Ok(()) => found = shared.recording.answer(kind, name),
            Err(message) => eprintln!("not recorded: {message}"),
        }
    }
    let Some(answer) = found else {
        shared.counters.missing.fetch_add(u64::from(is_package), Relaxed);
        let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    respond(kind, answer, headers)
}

fn respond(kind: Kind, answer: Answer, asked: &HeaderMap) -> Response<Full<Bytes>> {
    let mut headers = HeaderMap::new();
    let fixed = |text| HeaderValue::from_static(text);
    if kind == Kind::Tarball {
        headers.insert(header::CONTENT_TYPE, fixed("application/octet-stream"));
        headers.insert(header::CACHE_CONTROL, fixed("public, immutable, max-age=31557600"));
        let mut response = Response::new(Full::new(answer.body));
        *response.headers_mut() = headers;
        return response;
    }
    headers.insert(header::CACHE_CONTROL, fixed("public, max-age=300"));
    headers.insert(header::VARY, fixed("accept, accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&answer.etag) {
        headers.insert(header::ETAG, etag);
    }
    let mut response = Response::new(Full::default());
    if contains(asked, &header::IF_NONE_MATCH, &answer.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let is_short = kind == Kind::Abbreviated;
        let kind = if is_short { ABBREVIATED } else { "application/json" };
        headers.insert(header::CONTENT_TYPE, fixed(kind));
        let body = if contains(asked, &header::ACCEPT_ENCODING, "gzip") {
            headers.insert(header::CONTENT_ENCODING, fixed("gzip"));
            answer.body
        } else {
            answer.plain
        };
        *response.body_mut() = Full::new(body);
    }
    *response.headers_mut() = headers;
    response
}

/// Whether any value of a header contains this text.
fn contains(headers: &HeaderMap, name: &header::HeaderName, text: &str) -> bool {
    let mut values = headers.get_all(name).iter();
    values.any(|value| value.to_str().is_ok_and(|value| value.contains(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_as_they_are_written() {
        let options = Options {
            recording: PathBuf::from("r"),
            generated: None,
            upstream: Some("http://registry.example/".to_owned()),
            tls: Some(PathBuf::from("ca.pem")),
            link: Some(Link::parse("40,200").unwrap()),
        };
        assert_eq!(Options::parse(&options.arguments()), Ok(options));
        let options = Options { generated: Some(100), ..Options::default() };
        assert_eq!(Options::parse(&options.arguments()), Ok(options));
        assert!(Options::parse(&[]).is_err());
        assert!(Options::parse(&["--recording".to_owned()]).is_err());
    }

    fn answer() -> Answer {
        Answer {
            body: Bytes::from_static(b"zipped"),
            plain: Bytes::from_static(b"plain"),
            etag: "\"1\"".to_owned(),
        }
    }

    #[test]
    fn packuments_are_revalidated() {
        let mut asked = HeaderMap::new();
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip"));
        let response = respond(Kind::Abbreviated, answer(), &asked);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(response.headers()[header::CONTENT_TYPE], ABBREVIATED);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=300");

        asked.insert(header::IF_NONE_MATCH, response.headers()[header::ETAG].clone());
        let response = respond(Kind::Abbreviated, answer(), &asked);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    }

    #[test]
    fn who_does_not_know_gzip_gets_none() {
        let response = respond(Kind::Full, answer(), &HeaderMap::new());
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    }
}
