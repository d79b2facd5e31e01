//! A program on a terminal of its own: what it shows, and what it does with keys.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Child, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Termios, Winsize, tcgetattr, tcsetwinsize},
};

use crate::Program;

/// How long something may take to show up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that runs on a terminal; it is killed when this is dropped.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: File,
    before: Termios,
    written: Arc<Mutex<Vec<u8>>>,
    /// Ends when nobody is left who could write.
    reader: JoinHandle<()>,
}

impl Program {
    /// Starts it on a terminal of this size.
    #[must_use]
    pub fn on_terminal(self, columns: u16, rows: u16) -> Terminal {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        // Who has this end, too, would never see that the terminal has gone.
        fcntl_setfd(&controller, FdFlags::CLOEXEC).expect("an end for ourselves");
        grantpt(&controller).expect("a terminal of ours");
        unlockpt(&controller).expect("a terminal to open");
        let name = ptsname(&controller, Vec::new()).expect("its name");
        let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes())).to_owned();
        let open = || OpenOptions::new().read(true).write(true).open(&path).expect("its file");
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&controller, size).expect("a size");
        let before = tcgetattr(&controller).expect("its mode");
        let child = self
            .env("TERM", "xterm-256color")
            .command()
            .stdin(Stdio::from(open()))
            .stdout(Stdio::from(open()))
            .stderr(Stdio::from(open()))
            .spawn()
            .expect("starting a program");
        let keyboard = File::from(controller);
        let mut screen = keyboard.try_clone().expect("the other end");
        let written = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&written);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error is the end: nobody has the terminal open any more.
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                let mut written = collected.lock().unwrap_or_else(PoisonError::into_inner);
                written.extend_from_slice(&buffer[..length]);
            }
        });
        Terminal { child, keyboard, before, written, reader }
    }
}

impl Terminal {
    /// All that was written so far.
    pub fn written(&self) -> String {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }

    /// Waits until this was written, behind what was there at `from`; returns how much there is then.
    ///
    /// # Panics
    ///
    /// If it does not come.
    #[track_caller]
    pub fn wait_for(&self, text: &str, from: usize) -> usize {
        let started = Instant::now();
        loop {
            let written = self.written();
            if written.get(from..).is_some_and(|new| new.contains(text)) {
                return written.len();
            }
            assert!(started.elapsed() < PATIENCE, "`{text}` does not come:\n{written}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Presses keys, as a terminal sends them.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("somebody listens");
    }

    /// Waits for the end; returns the exit code and all that was written.
    ///
    /// # Panics
    ///
    /// If it does not end, or leaves the terminal in another mode.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("waiting for a child") {
                break status;
            }
            if started.elapsed() > PATIENCE {
                self.child.kill().expect("a child may be killed");
                panic!("it does not end:\n{}", self.written());
            }
            thread::sleep(Duration::from_millis(5));
        };
        let after = tcgetattr(&self.keyboard).expect("its mode");
        assert_eq!(after.local_modes, self.before.local_modes, "the mode of the terminal");
        assert_eq!(after.input_modes, self.before.input_modes, "the mode of the terminal");
        assert_eq!(after.output_modes, self.before.output_modes, "the mode of the terminal");
        // What it wrote last may still be on its way.
        let ended = Instant::now();
        while !self.reader.is_finished() && ended.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        (status.code(), self.written())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // That it has ended already is no error.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
