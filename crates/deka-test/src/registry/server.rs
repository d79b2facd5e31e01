//! Two listeners and the thread that serves them.

use std::{
    future,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::{
    body::{Body, Frame, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::{
    net::TcpStream,
    sync::oneshot,
    time::{Instant, Sleep},
};
use tokio_rustls::TlsAcceptor;

use super::{
    Shared,
    fault::{Behaviour, Location, Pace},
    log::{Request, is_tarball},
    packument::{ABBREVIATED, RenderKey},
    services,
};

/// The running server.
#[derive(Debug)]
pub(crate) struct Server {
    plain: SocketAddr,
    tls: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(shared: Arc<Shared>, config: Arc<ServerConfig>) -> Self {
        let listen = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            listener.set_nonblocking(true).expect("a listener can be non-blocking");
            let address = listener.local_addr().expect("a listener has an address");
            (listener, address)
        };
        let (plain_listener, plain) = listen();
        let (tls_listener, tls) = listen();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("deka-test registry".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(async {
                    let acceptor = TlsAcceptor::from(config);
                    tokio::select! {
                        () = accept(plain_listener, Arc::clone(&shared), None) => {}
                        () = accept(tls_listener, shared, Some(acceptor)) => {}
                        _ = stopped => {}
                    }
                });
                // Dropping the runtime drops the connections that still wait for something.
            })
            .expect("a thread");
        Self { plain, tls, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn plain_address(&self) -> SocketAddr {
        self.plain
    }

    pub(crate) fn tls_address(&self) -> SocketAddr {
        self.tls
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been printed by its own thread.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tls: Option<TlsAcceptor>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("within a runtime");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Else small answers wait for acknowledgements that the client delays.
        let _ = stream.set_nodelay(true);
        let connection = {
            let mut state = shared.lock();
            state.connections += 1;
            state.connections
        };
        tokio::spawn(serve(stream, Arc::clone(&shared), tls.clone(), connection));
    }
}

/// Serves one connection; what goes wrong with it is the client's to notice.
async fn serve(
    stream: TcpStream,
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
    connection: usize,
) {
    let over_tls = tls.is_some();
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request, over_tls, connection).await }
    });
    let Some(tls) = tls else {
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        return;
    };
    let Ok(stream) = tls.accept(stream).await else { return };
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let stream = TokioIo::new(stream);
    if is_h2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(stream, service).await;
    }
}

/// Thrown to make hyper end a connection.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the test wants this connection to break")
    }
}

impl std::error::Error for Broken {}

/// Counts a request as being answered for as long as it lives: until its body is sent.
#[derive(Debug)]
struct InFlight(Arc<Shared>);

impl InFlight {
    fn new(shared: &Arc<Shared>) -> Self {
        let mut state = shared.lock();
        state.in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.in_flight);
        Self(Arc::clone(shared))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
    }
}

async fn answer(
    shared: &Arc<Shared>,
    request: http::Request<Incoming>,
    tls: bool,
    connection: usize,
) -> Result<Response<Script>, Broken> {
    let in_flight = InFlight::new(shared);
    let (request, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let is_packed =
        request.headers.get(header::CONTENT_ENCODING).is_some_and(|value| value == "gzip");
    let request = Request {
        method: request.method.clone(),
        path: request.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        version: request.version,
        tls,
        connection,
        headers: {
            let mut headers = request.headers.clone();
            // HTTP/2 has the host in the URI.
            if let Some(authority) = request.uri.authority()
                && let Ok(value) = HeaderValue::from_str(authority.as_str())
            {
                headers.entry(header::HOST).or_insert(value);
            }
            headers
        },
        body: if is_packed { services::unpacked(&body) } else { body },
    };
    let path = request.decoded_path();
    let (behaviour, pace, wait) = {
        let mut state = shared.lock();
        state.requests.push(request.clone());
        let (behaviour, pace) = state
            .faults
            .iter_mut()
            .find_map(|fault| fault.applies(&path).then(|| (fault.behaviour.clone(), fault.pace)))
            .unwrap_or((Behaviour::None, Pace::default()));
        let shuffled = state.shuffle_seed.map_or(0, |seed| mix(seed, &path) % 20_000);
        (behaviour, pace, state.latency + Duration::from_micros(shuffled))
    };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }

    match &behaviour {
        Behaviour::Drop => return Err(Broken),
        Behaviour::Hang => return future::pending().await,
        Behaviour::Delay(delay) => tokio::time::sleep(*delay).await,
        Behaviour::Call(hook) => (hook.0)(),
        Behaviour::Status { status, headers, body } => {
            let mut response = text(*status, body.clone());
            for (name, value) in headers {
                response.headers_mut().insert(*name, header_value(value));
            }
            return Ok(script(response, in_flight));
        }
        Behaviour::Redirect { status, location } => {
            let location = match location {
                Location::Host(host) => format!("{host}{}", request.path),
                Location::Exactly(url) => url.clone(),
            };
            let mut response = text(*status, Bytes::new());
            response.headers_mut().insert(header::LOCATION, header_value(&location));
            return Ok(script(response, in_flight));
        }
        _ => {}
    }

    let mut response = good_answer(shared, &request, &path);
    let mut end = End::Clean;
    let body = response.body_mut();
    let mut announced = body.len() as u64;
    match behaviour {
        Behaviour::Cut(bytes) => {
            body.truncate(bytes);
            end = End::Broken;
        }
        Behaviour::Stall(bytes) => {
            body.truncate(bytes);
            end = End::Never;
        }
        Behaviour::WrongLength(difference) => {
            announced = announced.saturating_add_signed(difference);
        }
        Behaviour::Body(other) => {
            announced = other.len() as u64;
            *body = other;
            response.headers_mut().remove(header::CONTENT_ENCODING);
        }
        Behaviour::Corrupt => {
            let mut bytes = body.to_vec();
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 1;
            }
            *body = bytes.into();
        }
        Behaviour::Header(name, ref value) => {
            response.headers_mut().insert(name, header_value(value));
        }
        _ => {}
    }
    if response.status() != StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::CONTENT_LENGTH, announced.into());
    }
    let Pace { chunk, pause } = pace;
    Ok(response.map(|rest| Script { rest, chunk, pause, end, sleep: None, _in_flight: in_flight }))
}

/// What a registry in good health says.
fn good_answer(shared: &Shared, request: &Request, path: &str) -> Response<Bytes> {
    let mut state = shared.lock();
    if let Some(wanted) = &state.authorization
        && wanted.covers(path)
    {
        match request.header("authorization") {
            Some(sent) if sent == wanted.header() => {}
            Some(_) => return text(403, Bytes::from_static(br#"{"error":"forbidden"}"#)),
            None => return text(401, Bytes::from_static(br#"{"error":"unauthorized"}"#)),
        }
    }
    if path == "/-/ping" {
        return text(200, Bytes::from_static(b"{}"));
    }
    if let Some(answer) = services::answer(&state, request, path) {
        return text(200, answer);
    }
    let known = state.tarballs.get(path).cloned();
    if known.is_some() || is_tarball(path) {
        let recorded = || state.recorded.as_ref().and_then(|recorded| recorded.tarball(path));
        let Some(bytes) = known.or_else(recorded) else { return not_found() };
        let mut response = Response::new(bytes);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, immutable, max-age=31557600"),
        );
        return response;
    }

    let style = state.style;
    let accepts = |name: &str, what: &str| {
        request.headers.get_all(name).iter().any(|value| {
            value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains(what))
        })
    };
    let abbreviated = style.abbreviated && accepts("accept", ABBREVIATED);
    let gzip = style.gzip && accepts("accept-encoding", "gzip");
    let host = request.header("host").unwrap_or("127.0.0.1");
    let key = RenderKey {
        name: path.trim_start_matches('/').to_owned(),
        base: format!("{}://{host}", if request.tls { "https" } else { "http" }),
        abbreviated,
        gzip,
    };
    let Some(rendered) = state.render(key) else { return not_found() };
    drop(state);

    let is_unchanged = if let Some(etags) = request.header("if-none-match") {
        style.etag && etags.split(',').any(|etag| etag.trim() == rendered.etag)
    } else {
        style.last_modified && request.header("if-modified-since") == Some(MODIFIED)
    };
    let mut response = if is_unchanged {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(rendered.body)
    };
    let headers = response.headers_mut();
    if !is_unchanged {
        let kind = if abbreviated { ABBREVIATED } else { "application/json" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    if style.etag {
        headers.insert(header::ETAG, header_value(&rendered.etag));
    }
    if style.last_modified {
        headers.insert(header::LAST_MODIFIED, HeaderValue::from_static(MODIFIED));
    }
    if let Some(value) = style.cache_control {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
    response
}

/// When everything here was changed last. Only an `ETag` tells two states of a package apart.
const MODIFIED: &str = "Wed, 01 Jan 2020 00:00:00 GMT";

fn not_found() -> Response<Bytes> {
    text(404, Bytes::from_static(br#"{"error":"Not found"}"#))
}

fn text(status: u16, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("a valid status");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a valid header value")
}

fn script(mut response: Response<Bytes>, in_flight: InFlight) -> Response<Script> {
    let length = response.body().len();
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response.map(|rest| Script {
        rest,
        chunk: usize::MAX,
        pause: Duration::ZERO,
        end: End::Clean,
        sleep: None,
        _in_flight: in_flight,
    })
}

/// A number that depends on all of `seed` and `text` (FNV-1a, then mixed once more).
fn mix(seed: u64, text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    hash ^= hash >> 31;
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

#[derive(Clone, Copy, Debug)]
enum End {
    Clean,
    Broken,
    Never,
}

/// A body that comes in pieces and may end badly.
#[derive(Debug)]
struct Script {
    rest: Bytes,
    chunk: usize,
    pause: Duration,
    end: End,
    sleep: Option<Pin<Box<Sleep>>>,
    _in_flight: InFlight,
}

impl Body for Script {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(sleep) = &mut self.sleep {
            match sleep.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => self.sleep = None,
            }
        }
        if self.rest.is_empty() {
            return match self.end {
                End::Clean => Poll::Ready(None),
                End::Broken => Poll::Ready(Some(Err(Broken))),
                End::Never => Poll::Pending,
            };
        }
        let length = self.chunk.min(self.rest.len());
        let piece = self.rest.split_to(length);
        if !self.pause.is_zero() {
            self.sleep = Some(Box::pin(tokio::time::sleep_until(Instant::now() + self.pause)));
        } else if self.rest.is_empty() && matches!(self.end, End::Broken) {
            // Gives hyper a chance to send what it has before the connection breaks.
            let soon = Instant::now() + Duration::from_millis(10);
            self.sleep = Some(Box::pin(tokio::time::sleep_until(soon)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.sleep.is_none() && matches!(self.end, End::Clean)
    }
}
