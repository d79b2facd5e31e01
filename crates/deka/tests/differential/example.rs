//! The application of the README: installed, built, served.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use deka_test::Program;
use tempfile::TempDir;

use crate::{compare::compare, suite::SUITE};

#[test]
fn example_is_installed_built_and_served() {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in("example-", &suite.folder).expect("a folder");
    let (ours, theirs) = (work.path().join("deka"), work.path().join("bun"));
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/next-app");
    copy(&example, &ours);
    copy(&example, &theirs);
    let lockfile = fs::read_to_string(example.join("bun.lock")).expect("the example is locked");

    let expected = suite.bun.install(&theirs, &["--frozen-lockfile"]);
    let installed = suite.deka.install(&ours, &["--frozen-lockfile"]);
    if let Err(message) = compare("frozen install of the example", &expected, &installed) {
        panic!("{message}");
    }
    assert_eq!(installed.lockfile.as_deref(), Some(&*lockfile), "bun.lock changed");

    let home = work.path().join("home");
    fs::create_dir(&home).expect("a folder can be made");
    let run = |name: &str| {
        Program::new(ours.join("node_modules/.bin").join(name), &ours)
            .env("HOME", &home)
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .env("CI", "1")
    };
    run("next").arg("build").run().assert_success();
    run("eslint").run().assert_success();
    let server = Server::start(&run("next").args(["start", "--hostname", "127.0.0.1", "-p", "0"]));
    let page = server.get("/");
    assert!(page.contains("Installed by deka"), "{page}");
    assert!(server.get("/about").contains("Rendered with React"));
}

/// Copies what is in git: neither `node_modules` nor what Next.js generates.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the example is there") {
        let entry = entry.expect("a readable folder");
        let name = entry.file_name();
        if [".next", "node_modules", "next-env.d.ts"].iter().any(|other| name == **other) {
            continue;
        }
        let (from, to): (PathBuf, PathBuf) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

/// A running `next start`; dropped, it ends.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    fn start(program: &Program) -> Self {
        let child = program.command().stdout(Stdio::piped()).spawn().expect("`next start` starts");
        let mut server = Self { child, port: 0 };
        let mut stdout = BufReader::new(server.child.stdout.take().expect("stdout is piped"));
        let mut said = String::new();
        while server.port == 0 {
            let mut line = String::new();
            let read = stdout.read_line(&mut line).expect("stdout is readable");
            assert_ne!(read, 0, "`next start` ended before it listened\n{said}");
            said.push_str(&line);
            if let Some(url) = line.trim().strip_prefix("- Local:") {
                let port = url.trim().trim_end_matches('/').rsplit(':').next();
                server.port = port.and_then(|port| port.parse().ok()).expect("a URL with a port");
            }
        }
        // It prints more, and would stop at a full pipe.
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        server
    }

    /// The whole answer. The server may need a moment between saying that it listens and listening.
    fn get(&self, path: &str) -> String {
        for _ in 0..100 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                let request =
                    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
                stream.write_all(request.as_bytes()).expect("the server reads");
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).expect("the server answers");
                return String::from_utf8_lossy(&answer).into_owned();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("nothing listens on port {}", self.port);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
