//! A server that an application starts.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use deka_test::Program;

/// How long one may take until it answers; development servers build everything first.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running server; dropped, it ends.
pub(crate) struct Server {
    child: Child,
    port: u16,
    /// What it wrote, for whoever looks at a failure.
    said: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    /// Starts it; it has been told to listen on `port`.
    pub(crate) fn start(program: &Program, port: u16) -> Self {
        let mut command = program.command();
        // Some servers end with their standard input.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let said = Arc::default();
        collect(child.stdout.take().expect("stdout is piped"), &said);
        collect(child.stderr.take().expect("stderr is piped"), &said);
        Self { child, port, said }
    }

    /// The whole answer, as soon as there is one.
    pub(crate) fn get(&mut self, path: &str) -> String {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(answer) = self.ask(path) {
                return answer;
            }
            let ended = self.child.try_wait().expect("waiting for a child");
            assert!(ended.is_none(), "the server ended: {ended:?}\n{}", self.said());
            thread::sleep(Duration::from_millis(50));
        }
        panic!("nothing answers on port {}\n{}", self.port, self.said());
    }

    fn ask(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let host = format!("127.0.0.1:{}", self.port);
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        (!answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().expect("no thread panicked")).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads on to the end, as a server would stop at a full pipe.
fn collect(mut stream: impl Read + Send + 'static, said: &Arc<Mutex<Vec<u8>>>) {
    let said = Arc::clone(said);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            said.lock().expect("no thread panicked").extend_from_slice(&buffer[..read]);
        }
    });
}

/// A port that nobody listens on, for a server that cannot choose one by itself.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}
