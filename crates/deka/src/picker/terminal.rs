//! The list on a terminal: keys in, lines out, and nothing left of it at the end.

use std::io::{self, IsTerminal as _, Write as _};

use console::{Key, Term, measure_text_width};
use deka_config::Environment;

use super::{Ending, Picker, Press};

/// Whether there is somebody to ask: keys come from stdin, the list goes to stderr.
pub(crate) fn is_there(environment: &Environment) -> bool {
    io::stdin().is_terminal()
        && io::stderr().is_terminal()
        && environment.get("TERM") != Some("dumb")
}

/// Shows the list until it is confirmed or cancelled. Only while a key is waited for is the terminal in
/// another mode than it was.
pub(crate) fn ask(mut picker: Picker) -> io::Result<Ending> {
    let terminal = Term::buffered_stderr();
    let mut shown: Vec<usize> = Vec::new();
    let ending = loop {
        let (height, width) = terminal.size();
        let (height, width) = (usize::from(height), usize::from(width).max(20));
        // The last column is left free: some terminals begin a line there.
        let lines = picker.draw(width - 1, height.saturating_sub(1));
        clear(&terminal, &shown, width)?;
        shown = lines.iter().map(|line| measure_text_width(line)).collect();
        // Colours that are not wanted are taken out here.
        let mut text = anstream::StripStream::new(Vec::new());
        let wants_colors =
            anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        let lines = lines.join("\n");
        if wants_colors {
            (&terminal).write_all(lines.as_bytes())?;
        } else {
            text.write_all(lines.as_bytes())?;
            (&terminal).write_all(&text.into_inner())?;
        }
        terminal.flush()?;
        let press = match terminal.read_key_raw() {
            Ok(key) => press(&key),
            // The terminal went away.
            Err(error) => {
                clear(&terminal, &shown, width)?;
                terminal.flush()?;
                return Err(error);
            }
        };
        if let Some(ending) = picker.press(press) {
            break ending;
        }
    };
    let (_, width) = terminal.size();
    clear(&terminal, &shown, usize::from(width).max(20))?;
    terminal.flush()?;
    Ok(ending)
}

/// Takes away lines of these widths, the cursor being at the end of the last. A terminal that became narrower has
/// broken them.
fn clear(terminal: &Term, shown: &[usize], width: usize) -> io::Result<()> {
    let rows: usize = shown.iter().map(|line| line.div_ceil(width).max(1)).sum();
    if rows == 0 {
        return Ok(());
    }
    terminal.clear_line()?;
    terminal.clear_last_lines(rows - 1)
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
