//! The reader's answer: `<n>:<code>[;<code>…]` or `<n>:NOREAD`; without a number, codes alone.

use heapless::Vec;
use registers::event::{CODE_MAX, CODES_MAX};

const CODES: usize = CODES_MAX as usize;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    /// The echoed trigger number; 0 = one that no trigger has; `None` = no number at all.
    pub(crate) number: Option<u16>,
    /// What was read.
    pub(crate) read: Read<'a>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read<'a> {
    /// Distinct codes in order, each within the limits; at least one.
    Codes(Vec<&'a [u8], CODES>),
    /// The reader saw nothing.
    Nothing,
    /// A code, or the number of codes, is over the limit.
    TooLong,
}

/// Parses a line; any bytes have a meaning. `cut` = its end is missing.
pub(crate) fn parse(line: &[u8], cut: bool) -> Answer<'_> {
    let (number, codes) = split_number(line);
    let read = if cut { Read::TooLong } else { read(codes) };
    Answer { number, read }
}

fn split_number(line: &[u8]) -> (Option<u16>, &[u8]) {
    let mut parts = line.splitn(2, |byte| *byte == b':');
    let (head, rest) = (parts.next().unwrap_or_default(), parts.next());
    match rest {
        Some(rest) if !head.is_empty() && head.iter().all(u8::is_ascii_digit) => {
            let number = core::str::from_utf8(head).ok().and_then(|text| text.parse().ok());
            (Some(number.unwrap_or_default()), rest)
        }
        _ => (None, line),
    }
}

fn read(codes: &[u8]) -> Read<'_> {
    if codes == b"NOREAD" {
        return Read::Nothing;
    }
    let mut distinct: Vec<&[u8], CODES> = Vec::new();
    for code in codes.split(|byte| *byte == b';').filter(|code| !code.is_empty()) {
        if code.len() > CODE_MAX {
            return Read::TooLong;
        }
        if !distinct.contains(&code) && distinct.push(code).is_err() {
            return Read::TooLong;
        }
    }
    if distinct.is_empty() { Read::Nothing } else { Read::Codes(distinct) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn check(line: &[u8], number: Option<u16>, codes: &[&[u8]]) {
        let read = match codes {
            [] => Read::Nothing,
            _ => Read::Codes(codes.iter().copied().collect()),
        };
        assert_eq!(parse(line, false), Answer { number, read }, "{line:?}");
    }

    #[test]
    fn lines_are_read_as_the_reader_means_them() {
        check(b"12:AB", Some(12), &[b"AB"]);
        check(b"12:AB;CD;AB", Some(12), &[b"AB", b"CD"]);
        check(b"12:NOREAD", Some(12), &[]);
        check(b"12:", Some(12), &[]);
        check(b"12:;;", Some(12), &[]);
        check(b"AB", None, &[b"AB"]);
        check(b"NOREAD", None, &[]);
        check(b"A:B", None, &[b"A:B"]);
        check(b":B", None, &[b":B"]);
        check(b"99999:B", Some(0), &[b"B"]);
        check(b"65535:A:B", Some(65_535), &[b"A:B"]);
        check(b"7:\xFF\x00", Some(7), &[b"\xFF\x00"]);
    }

    #[test]
    fn limits_are_told_and_nothing_is_cut() {
        fn read(line: &str, cut: bool) -> Read<'_> {
            parse(line.as_bytes(), cut).read
        }
        let code = "1".repeat(48);
        assert!(matches!(read(&format!("1:{code}"), false), Read::Codes(_)));
        assert_eq!(read(&format!("1:{code}1"), false), Read::TooLong);
        assert!(matches!(read("1:A;B;C;D;E;F;G;H;A", false), Read::Codes(c) if c.len() == 8));
        assert_eq!(read("1:A;B;C;D;E;F;G;H;I", false), Read::TooLong);
        assert_eq!(read("1:A", true), Read::TooLong);
    }
}
