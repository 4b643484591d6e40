//! Logs: to standard error, as text or JSON, without whole waybills.

use std::panic::PanicHookInfo;

use tracing::Level;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// One readable line each.
    #[default]
    Text,
    /// One JSON object each.
    Json,
}

/// Digits and letters of a code that may be shown.
const SHOWN: usize = 6;
/// Runs of letters and digits from this length on are taken for codes.
const CODE_MIN: usize = 9;

/// Sends log lines of the whole process to standard error; a second call changes nothing.
pub fn begin(form: Form) {
    let builder =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(Level::INFO);
    let begun = match form {
        Form::Text => builder.with_ansi(false).try_init(),
        Form::Json => builder.json().try_init(),
    };
    if begun.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let said = panic.payload_as_str().map(mask).unwrap_or_default();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, said, "panic");
}

/// The text with every code in it cut to its last six characters.
pub fn mask(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let code = |c: &char| c.is_ascii_alphanumeric();
        let run = rest.chars().take_while(code).count();
        let (head, tail) = rest.split_at(run.max(first.len_utf8()));
        let digits = head.bytes().filter(u8::is_ascii_digit).count();
        if run >= CODE_MIN && digits >= SHOWN {
            out.push('…');
            out.push_str(&head[run - SHOWN..]);
        } else {
            out.push_str(head);
        }
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lose_all_but_their_last_six() {
        assert_eq!(mask("code SF1234567890123 twice"), "code …890123 twice");
        assert_eq!(mask("件YT9876543210"), "件…543210");
        assert_eq!(
            mask("position 12345678 of controller.rs:120"),
            "position 12345678 of controller.rs:120"
        );
        assert_eq!(mask(""), "");
    }
}
