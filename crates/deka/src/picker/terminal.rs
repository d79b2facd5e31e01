//! The list on a terminal: keys in, lines out, and nothing left of it at the end.

use std::io::{self, IsTerminal as _};

use console::Key;
use deka_config::Environment;

use super::{Ending, Picker, Press};
use crate::passing_lines::PassingLines;

/// Whether there is somebody to ask: keys come from stdin, the list goes to stderr.
pub(crate) fn is_there(environment: &Environment) -> bool {
    io::stdin().is_terminal()
        && io::stderr().is_terminal()
        && environment.get("TERM") != Some("dumb")
}

/// Shows the list until it is confirmed or cancelled. Only while a key is waited for is the terminal in
/// another mode than it was.
pub(crate) fn ask(mut picker: Picker) -> io::Result<Ending> {
    let mut lines = PassingLines::new();
    loop {
        let (height, width) = lines.room();
        lines.show(&picker.draw(width, height))?;
        let press = match lines.terminal().read_key_raw() {
            Ok(key) => press(&key),
            // The terminal went away.
            Err(error) => {
                lines.clear()?;
                return Err(error);
            }
        };
        if let Some(ending) = picker.press(press) {
            lines.clear()?;
            return Ok(ending);
        }
    }
}

fn press(key: &Key) -> Press {
    match key {
        Key::ArrowUp | Key::Char('k') => Press::Up,
        Key::ArrowDown | Key::Char('j') => Press::Down,
        Key::PageUp => Press::PageUp,
        Key::PageDown => Press::PageDown,
        Key::Home => Press::First,
        Key::End => Press::Last,
        Key::Char(' ') => Press::Toggle,
        Key::Char('a' | 'A') => Press::All,
        Key::Char('i' | 'I') => Press::Invert,
        Key::Char('l' | 'L') => Press::Latest,
        Key::Enter => Press::Confirm,
        // Ctrl-D comes as it is.
        Key::CtrlC | Key::Escape | Key::Char('q' | 'Q' | '\u{4}') => Press::Cancel,
        _ => Press::Other,
    }
}
