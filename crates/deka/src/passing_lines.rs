//! Lines on the terminal that change in place and are taken away at the end: what is under way, and the list
//! that one chooses from.

use std::io::{self, Write as _};

use console::{Term, measure_text_width};

/// Lines on stderr, with the cursor at the end of the last.
pub(crate) struct PassingLines {
    terminal: Term,
    /// How wide each line is that is there.
    shown: Vec<usize>,
}

impl PassingLines {
    /// Returns no lines yet.
    pub(crate) fn new() -> Self {
        Self { terminal: Term::buffered_stderr(), shown: Vec::new() }
    }

    /// Returns the terminal.
    pub(crate) fn terminal(&self) -> &Term {
        &self.terminal
    }

    /// Returns how many lines there is room for, and how wide they may be. The last column is left free: some
    /// terminals begin a line there.
    pub(crate) fn room(&self) -> (usize, usize) {
        let (height, _) = self.terminal.size();
        (usize::from(height).saturating_sub(1), self.width() - 1)
    }

    /// Shows lines in place of those that are there, in colours if these are wanted.
    pub(crate) fn show(&mut self, lines: &[String]) -> io::Result<()> {
        self.take_away()?;
        let text = lines.join("\n");
        if anstream::AutoStream::choice(&io::stderr()) == anstream::ColorChoice::Never {
            let mut plain = anstream::StripStream::new(Vec::new());
            plain.write_all(text.as_bytes())?;
            (&self.terminal).write_all(&plain.into_inner())?;
        } else {
            (&self.terminal).write_all(text.as_bytes())?;
        }
        self.shown = lines.iter().map(|line| measure_text_width(line)).collect();
        self.terminal.flush()
    }

    /// Takes the lines away. What is printed next stands where they were.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.take_away()?;
        self.terminal.flush()
    }

    fn take_away(&mut self) -> io::Result<()> {
        if self.shown.is_empty() {
            return Ok(());
        }
        let width = self.width();
        // A terminal that became narrower has broken them.
        let rows: usize = self.shown.drain(..).map(|line| line.div_ceil(width).max(1)).sum();
        self.terminal.clear_line()?;
        self.terminal.clear_last_lines(rows - 1)
    }

    fn width(&self) -> usize {
        let (_, width) = self.terminal.size();
        usize::from(width).max(20)
    }
}
