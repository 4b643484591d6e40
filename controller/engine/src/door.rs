//! The door: what readers said is filtered here, before the line or a record sees it.
//!
//! A label's QR code may hold names, phones and addresses. Codes of a known form pass as they are;
//! everything else becomes its length and a keyed hash: the same content is the same code again, so
//! that a double read is still one code, and nobody without the key learns the content, not even by
//! trying every phone number.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use line_model::signal::{Input, Read};

/// Longest code that is compared with forms; readers give no longer ones.
const CODE_MAX: usize = 64;
/// Hexadecimal digits of the hash: 80 bits, so that a site's codes of many years stay distinct.
const HASH_DIGITS: usize = 20;
/// What the closed form of a code begins with; no form of a carrier does.
pub const CLOSED: char = '?';

/// The filter: a key and the forms that pass.
#[derive(Clone, PartialEq, Eq)]
pub struct Door {
    key: [u8; 32],
    forms: Vec<Form>,
}

impl fmt::Debug for Door {
    /// Never tells the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("forms", &self.forms.len()).finish_non_exhaustive()
    }
}

impl Door {
    /// Lets codes of these forms pass and hashes the others under `key`.
    pub const fn new(key: [u8; 32], forms: Vec<Form>) -> Self {
        Self { key, forms }
    }

    /// The same door with another key.
    pub fn with_key(self, key: [u8; 32]) -> Self {
        Self { key, ..self }
    }

    /// Filters what a reader said, and what people scanned and wrote; every other input passes.
    pub(crate) fn admit(&self, input: Input) -> Input {
        match input {
            Input::Read { scanner, at, spread, read: Read::Codes(codes) } => {
                let codes = codes.into_iter().map(|code| self.code(code)).collect();
                Input::Read { scanner, at, spread, read: Read::Codes(codes) }
            }
            Input::Deed { mut deed, by, reason } => {
                if let Some(code) = deed.code() {
                    *code = self.code(core::mem::take(code));
                }
                Input::Deed { deed, by, reason: self.words(&reason) }
            }
            Input::Command { command, by, reason } => {
                Input::Command { command, by, reason: self.words(&reason) }
            }
            Input::FileTaken { file, name, hash, by, reason } => {
                Input::FileTaken { file, name, hash, by, reason: self.words(&reason) }
            }
            other => other,
        }
    }

    /// The code itself when it is of a known form, else its closed form. The empty code stays empty.
    ///
    /// Links give each byte of a code as one character up to U+00FF, so that nothing is lost of
    /// what is not UTF-8.
    fn code(&self, code: String) -> String {
        if code.is_empty() || self.forms.iter().any(|form| form.fits(code.as_bytes())) {
            return code;
        }
        let narrow: Option<Vec<u8>> = code.chars().map(|c| u8::try_from(c).ok()).collect();
        self.close(&narrow.unwrap_or_else(|| code.into_bytes()))
    }

    /// The closed form of a content: its length and its hash under the key.
    fn close(&self, bytes: &[u8]) -> String {
        let hash = blake3::keyed_hash(&self.key, bytes).to_hex();
        let digits = hash.as_str().get(..HASH_DIGITS).unwrap_or_default();
        alloc::format!("{CLOSED}{}-{digits}", bytes.len())
    }
}

/// One form that a code may have: classes of bytes with how often each may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form(Vec<Part>);

/// A class of bytes and how often it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// Inclusive ranges.
    ranges: Vec<(u8, u8)>,
    min: usize,
    max: usize,
}

impl Part {
    fn holds(&self, byte: u8) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&byte))
    }
}

impl Form {
    /// Reads a form: letters and digits for themselves, classes `[A-Z0-9]`, behind either of them
    /// `{n}` or `{n,m}`. `None` when the text is anything else: a form is never half understood.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let mut parts = Vec::new();
        while let Some((first, behind)) = rest.split_first() {
            let ranges = match *first {
                b'[' => {
                    let end = behind.iter().position(|byte| *byte == b']')?;
                    let ranges = class(behind.get(..end)?)?;
                    rest = behind.get(end + 1..)?;
                    ranges
                }
                byte if byte.is_ascii_alphanumeric() => {
                    rest = behind;
                    vec![(byte, byte)]
                }
                _ => return None,
            };
            let (mut min, mut max) = (1, 1);
            if let Some(counts) = rest.strip_prefix(b"{") {
                let end = counts.iter().position(|byte| *byte == b'}')?;
                (min, max) = times(counts.get(..end)?)?;
                rest = counts.get(end + 1..)?;
            }
            parts.push(Part { ranges, min, max });
        }
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// Whether the whole code is of this form. Bounded by the length of the code times its parts.
    pub fn fits(&self, code: &[u8]) -> bool {
        if code.len() > CODE_MAX {
            return false;
        }
        // Places up to which the parts so far may have taken the code.
        let mut reached = vec![false; code.len() + 1];
        reached[0] = true;
        for part in &self.0 {
            let mut next = vec![false; code.len() + 1];
            for from in (0..reached.len()).filter(|at| reached[*at]) {
                let run = code[from..].iter().take(part.max).take_while(|byte| part.holds(**byte));
                (part.min..=run.count()).for_each(|taken| next[from + taken] = true);
            }
            reached = next;
        }
        reached[code.len()]
    }
}

fn class(text: &[u8]) -> Option<Vec<(u8, u8)>> {
    let mut rest = text;
    let mut ranges = Vec::new();
    while let Some((from, behind)) = rest.split_first() {
        let to = match behind {
            [b'-', to, ..] => *to,
            [..] => *from,
        };
        let taken = if to == *from { 0 } else { 2 };
        if !from.is_ascii_alphanumeric() || !to.is_ascii_alphanumeric() || to < *from {
            return None;
        }
        ranges.push((*from, to));
        rest = behind.get(taken..)?;
    }
    (!ranges.is_empty()).then_some(ranges)
}

fn times(text: &[u8]) -> Option<(usize, usize)> {
    let text = core::str::from_utf8(text).ok()?;
    let (min, max) = match text.split_once(',') {
        Some((min, max)) => (min.parse().ok()?, max.parse().ok()?),
        None => {
            let times = text.parse().ok()?;
            (times, times)
        }
    };
    (min <= max && max <= CODE_MAX).then_some((min, max))
}

mod words;

#[cfg(test)]
mod labels;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use units::{Distance, EncoderId, Position};

    fn door() -> Door {
        let forms = ["YT[0-9]{13}", "7[3-68][0-9]{12}", "77[0-9]{12,15}"];
        Door::new([7; 32], forms.iter().map(|form| Form::parse(form).expect("a form")).collect())
    }

    /// As a link gives bytes.
    fn told(bytes: &[u8]) -> String {
        bytes.iter().copied().map(char::from).collect()
    }

    #[test]
    fn known_forms_pass_and_nothing_else_does() {
        let door = door();
        for code in ["YT1234567890123", "73123456789012", "78123456789012", "771234567890123"] {
            assert_eq!(door.code(code.to_string()), code);
        }
        let names = "收件人：张三 电话 13812345678";
        for code in [
            "13812345678",
            "yt1234567890123",
            "YT12345678901234",
            " YT1234567890123",
            "YT1234567890123\n",
            "72123456789012",
            "https://x.example/YT1234567890123",
            "{\"n\":\"LI SI\"}",
            "?5-00",
            names,
        ] {
            let closed = door.code(told(code.as_bytes()));
            assert!(closed.starts_with(CLOSED), "{closed}");
            assert_eq!(closed.len(), 2 + code.len().to_string().len() + HASH_DIGITS);
            assert_eq!(closed, door.code(told(code.as_bytes())), "the same again");
            assert_ne!(closed, door.clone().with_key([8; 32]).code(told(code.as_bytes())));
            assert_ne!(closed, door.code(closed.clone()), "a closed form on a label is no pass");
        }
        assert_eq!(door.code(String::new()), "");
    }

    #[test]
    fn bytes_that_are_no_text_stay_apart() {
        // Two names in GB18030 that both would become the same replacement characters.
        let (one, other) = (told(&[0xD5, 0xC5, 0xC8, 0xFD]), told(&[0xC0, 0xEE, 0xCB, 0xC4]));
        let door = door();
        assert_ne!(door.code(one.clone()), door.code(other));
        assert!(door.code(one).starts_with("?4-"));
    }

    #[test]
    fn only_reads_are_touched() {
        let at = Position::new(EncoderId(0), 1);
        let codes = ["13812345678", "YT1234567890123", "13812345678"].map(told_text).to_vec();
        let scanner = line_model::ids::ScannerId(0);
        let read = Input::Read { scanner, at, spread: Distance(1), read: Read::Codes(codes) };
        let Input::Read { read: Read::Codes(codes), .. } = door().admit(read) else {
            panic!("still a read")
        };
        assert_eq!(codes[0], codes[2], "one content, one code");
        assert_eq!(codes[1], "YT1234567890123");
        assert_eq!(door().admit(Input::Timer), Input::Timer);
    }

    fn told_text(text: &str) -> String {
        told(text.as_bytes())
    }

    #[test]
    fn what_is_no_form_is_refused_whole() {
        for text in ["", "(a|b)", "a*", "[a", "[]", "[z-a]", "a{2", "a{3,1}", "a{99}", "a.b", "^a"]
        {
            assert_eq!(Form::parse(text), None, "{text}");
        }
        let optional = Form::parse("A[0-9]{0,2}B").expect("a form");
        for (code, fits) in [("AB", true), ("A1B", true), ("A12B", true), ("A123B", false)] {
            assert_eq!(optional.fits(code.as_bytes()), fits, "{code}");
        }
    }

    #[test]
    fn the_key_is_never_told() {
        let told = alloc::format!("{:?}", door());
        assert!(!told.contains('7'), "{told}");
    }
}
