//! How far a long work is: a bar on a terminal, nothing elsewhere.

use std::io::{self, IsTerminal as _, Write as _};

/// Characters of the bar.
const WIDTH: usize = 30;

/// A bar on standard error that goes away when it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    what: String,
    total: usize,
    done: usize,
    shown: bool,
}

impl Progress {
    /// Begins; draws nothing where standard error is no terminal.
    pub(super) fn new(what: String, total: usize) -> Self {
        Self { what, total, done: 0, shown: io::stderr().is_terminal() }
    }

    /// One step is about to be done.
    pub(super) fn step(&mut self, now: &str) {
        self.done += 1;
        if self.shown {
            eprint!("\r\x1b[K{}", bar(&self.what, self.done, self.total, now));
            // A bar that cannot be drawn is no loss.
            io::stderr().flush().ok();
        }
    }

    /// Clears the bar's line, so that something can be printed there.
    pub(super) fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
            io::stderr().flush().ok();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn bar(what: &str, done: usize, total: usize, now: &str) -> String {
    let full = (done * WIDTH).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
    format!("{what} [{}{}] {done}/{total} {now}", "#".repeat(full), ".".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_up() {
        assert_eq!(bar("scan", 0, 2, "a"), format!("scan [{}] 0/2 a", ".".repeat(30)));
        assert_eq!(
            bar("scan", 1, 2, "b"),
            format!("scan [{}{}] 1/2 b", "#".repeat(15), ".".repeat(15))
        );
        assert_eq!(bar("scan", 9, 0, ""), format!("scan [{}] 9/0 ", "#".repeat(30)));
    }
}
