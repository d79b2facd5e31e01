//! A server that answers as a test wants it, down to the bytes: wrong lengths, cut bodies, silence.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use url::Url;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `GET` or `CONNECT`.
    pub(crate) method: String,
    /// The target as it was sent: a path, or a whole URL for proxies.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// How the length of a body is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    Right,
    Claimed(usize),
    Chunked,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) length: Length,
    /// The connection is closed after this many bytes of the body.
    pub(crate) cut_at: Option<usize>,
    /// Nothing comes for this long after that many bytes of the body.
    pub(crate) pause: Option<(usize, Duration)>,
    /// Nothing comes for this long before the head.
    pub(crate) delay: Duration,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            length: Length::Right,
            cut_at: None,
            pause: None,
            delay: Duration::ZERO,
        }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn length(mut self, length: Length) -> Self {
        self.length = length;
        self
    }

    pub(crate) fn redirect(to: impl Into<String>) -> Self {
        Self::new(302, "elsewhere").header("location", to)
    }
}

/// A server on 127.0.0.1. Its threads end with the test's process.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Answers each request with what `answer` makes of it and of the number of those before it.
    pub(crate) fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, connections) = (server.seen.clone(), server.connections.clone());
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (seen, answer) = (seen.clone(), answer.clone());
                // A client that hangs up is no failure of the server.
                std::thread::spawn(move || drop(serve(&stream, &seen, &*answer)));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads the head of a request; `None` at the end of the connection.
pub(crate) fn read_head(reader: &mut impl BufRead) -> std::io::Result<Option<Seen>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => return Ok(Some(Seen { method, target, headers })),
        }
    }
}

fn serve(
    stream: &TcpStream,
    seen: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(&Seen, usize) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_head(&mut reader)? {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        if !send(stream, &answer(&request, number))? {
            return stream.shutdown(std::net::Shutdown::Both);
        }
    }
    Ok(())
}

/// Sends a reply; returns whether the connection goes on.
fn send(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<bool> {
    std::thread::sleep(reply.delay);
    let mut head = format!("HTTP/1.1 {} Test\r\n", reply.status).into_bytes();
    for (name, value) in &reply.headers {
        write!(head, "{name}: {value}\r\n")?;
    }
    match reply.length {
        Length::Right => write!(head, "content-length: {}\r\n", reply.body.len())?,
        Length::Claimed(length) => write!(head, "content-length: {length}\r\n")?,
        Length::Chunked => write!(head, "transfer-encoding: chunked\r\n")?,
    }
    head.extend(b"\r\n");
    stream.write_all(&head)?;
    if let Some(length) = reply.cut_at {
        stream.write_all(&reply.body[..length])?;
        return Ok(false);
    }
    if let Length::Chunked = reply.length {
        for chunk in reply.body.chunks(1000) {
            write!(stream, "{:x}\r\n", chunk.len())?;
            stream.write_all(chunk)?;
            stream.write_all(b"\r\n")?;
        }
        stream.write_all(b"0\r\n\r\n")?;
        return Ok(true);
    }
    let (at, pause) = reply.pause.unwrap_or_default();
    stream.write_all(&reply.body[..at])?;
    std::thread::sleep(pause);
    stream.write_all(&reply.body[at..])?;
    Ok(true)
}

/// A proxy that tunnels and forwards, and wants `user:password` if told so.
pub(crate) struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Proxy {
    pub(crate) fn start(login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = proxy.seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = seen.clone();
                std::thread::spawn(move || drop(relay(&stream, &seen, login)));
            }
        });
        proxy
    }

    pub(crate) fn url(&self, login: &str) -> Url {
        Url::parse(&format!("http://{login}{}", self.address)).unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn relay(
    mut client: &TcpStream,
    seen: &Mutex<Vec<Seen>>,
    login: Option<&str>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    while let Some(request) = read_head(&mut reader)? {
        seen.lock().unwrap().push(request.clone());
        if request.header("proxy-authorization") != login {
            client.write_all(b"HTTP/1.1 407 Login\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        }
        if request.method == "CONNECT" {
            let server = TcpStream::connect(&request.target)?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            let (mut upstream, mut to_server) = (server.try_clone()?, server);
            let mut to_client = client.try_clone()?;
            std::thread::spawn(move || std::io::copy(&mut upstream, &mut to_client));
            std::io::copy(&mut reader, &mut to_server)?;
            return Ok(());
        }
        let url = Url::parse(&request.target).expect("a forwarding proxy gets whole URLs");
        let mut server = TcpStream::connect(&*url.socket_addrs(|| None)?)?;
        write!(server, "GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", url.path())?;
        let mut answer = Vec::new();
        // The test's server keeps connections open: its answer ends with a known text.
        let mut byte = [0];
        while !answer.ends_with(b"the end") && server.read(&mut byte)? == 1 {
            answer.push(byte[0]);
        }
        client.write_all(&answer)?;
    }
    Ok(())
}
