//! The scale's answer: `<n>:<grams>;<l>;<w>;<h>` or `<n>:E`.

use crate::limits::WEIGHT_G_MAX;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The echoed trigger number; 0 = none that can be read.
    pub(crate) number: u16,
    /// Weight in g and size in mm; `None` = the scale had no value, or it makes no sense.
    pub(crate) value: Option<(u32, [u16; 3])>,
}

/// Parses a line; any bytes have a meaning.
pub(crate) fn parse(line: &[u8]) -> Reading {
    let mut parts = line.splitn(2, |byte| *byte == b':');
    let number = parts.next().and_then(number).and_then(|n| u16::try_from(n).ok());
    Reading { number: number.unwrap_or_default(), value: parts.next().and_then(value) }
}

fn value(text: &[u8]) -> Option<(u32, [u16; 3])> {
    let mut fields = text.split(|byte| *byte == b';');
    let weight = number(fields.next()?).filter(|grams| *grams <= WEIGHT_G_MAX)?;
    let mut size = [0; 3];
    for mm in &mut size {
        *mm = u16::try_from(number(fields.next()?)?).ok()?;
    }
    if fields.next().is_some() { None } else { Some((weight, size)) }
}

fn number(text: &[u8]) -> Option<u32> {
    // `parse` alone would also take a leading plus sign.
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    core::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_readings_have_a_value() {
        for (line, number, value) in [
            ("7:1800;320;240;90", 7, Some((1_800, [320, 240, 90]))),
            ("7:0;0;0;0", 7, Some((0, [0, 0, 0]))),
            ("7:E", 7, None),
            ("7", 7, None),
            ("7:1800;320;240", 7, None),
            ("7:1800;320;240;90;1", 7, None),
            ("7:-5;1;1;1", 7, None),
            ("7:+5;1;1;1", 7, None),
            ("7:1000001;1;1;1", 7, None),
            ("7:5;70000;1;1", 7, None),
            ("70000:5;1;1;1", 0, Some((5, [1, 1, 1]))),
            (":5;1;1;1", 0, Some((5, [1, 1, 1]))),
            ("", 0, None),
        ] {
            assert_eq!(parse(line.as_bytes()), Reading { number, value }, "{line}");
        }
        assert_eq!(parse(b"\xFF\xFE:\xFF").number, 0);
    }
}
