//! Codes of parcels in raw frames: masked at equal length, checks recomputed.
//!
//! A recorded frame goes to people who need the wire, not the waybills. In every answer that carries
//! an events block the bytes of the codes are masked, then check word and CRC are formed again, so
//! that an analyser finds nothing wrong with the frame. In what cannot be understood (cut frames,
//! noise) every run that may be text is masked, whatever it says; a CRC that was wrong stays wrong.

use std::collections::BTreeMap;

use modbus::rtu;
use registers::map::{EVENTS, NodeKind};
use registers::{check, exchange::EVENT_OVERHEAD};

use super::Mask;
use crate::bus::tap::{Tapped, What, Wire};

/// The number of the code entry in the ring ([`registers::event`]).
const CODE_ENTRY: u8 = 3;
/// Words of a code entry before the code: head, trigger, index and number, length, count, ms.
const CODE_HEAD: usize = 8;
/// Runs of text from this length on are masked in what is not understood: a name may have no more.
const RUN_MIN: usize = 3;

/// Masks the frames of a tap in their order.
#[derive(Clone, Debug)]
pub struct Masker {
    mask: Mask,
    /// Whether the last request to each unit of each bus reads of an events block.
    asked: BTreeMap<(u16, u8), bool>,
}

impl Masker {
    /// Masks codes with this mask.
    pub const fn new(mask: Mask) -> Self {
        Self { mask, asked: BTreeMap::new() }
    }

    /// Masks the codes in one frame.
    pub fn mask(&mut self, tapped: &mut Tapped) {
        let key = (tapped.bus, tapped.unit);
        match tapped.what {
            What::Request => {
                let reads = tapped.pdu().is_some_and(reads_events);
                self.asked.insert(key, reads);
            }
            What::Answer => {
                if self.asked.get(&key).copied().unwrap_or(true) && !self.events(tapped) {
                    self.scrub(tapped);
                }
            }
            What::Echo | What::Timeout | What::Lost => {}
            What::Crc | What::Late | What::Duplicate | What::Foreign | What::Mismatch => {
                if !self.events(tapped) {
                    self.scrub(tapped);
                }
            }
        }
    }

    /// Masks the codes of an events block; false when the frame is none.
    fn events(&self, tapped: &mut Tapped) -> bool {
        let Some(&[0x03 | 0x04 | 0x17, _, ref data @ ..]) = tapped.pdu() else { return false };
        let (pairs, []) = data.as_chunks() else { return false };
        let mut words: Vec<u16> = pairs.iter().copied().map(u16::from_be_bytes).collect();
        let Some(&token) = words.first() else { return false };
        if !check::sealed(tapped.unit, token, &words) {
            return false;
        }
        let count = words.get(3).map_or(0, |word| usize::from(*word & 0x00FF));
        let (mut at, end) = (usize::from(EVENT_OVERHEAD) - 1, words.len() - 1);
        for _ in 0..count {
            let Some(&head) = words.get(at).filter(|_| at < end) else { return false };
            let [kind, length] = head.to_be_bytes();
            let next = at + usize::from(length);
            if length == 0 || next > end {
                return false;
            }
            if kind == CODE_ENTRY {
                let bytes = words.get(at + 3).map_or(0, |word| usize::from(*word & 0x00FF));
                self.code_words(words.get_mut(at + CODE_HEAD..next).unwrap_or_default(), bytes);
            }
            at = next;
        }
        check::seal(tapped.unit, token, &mut words);
        let (before, behind) = around(tapped.wire);
        let end = tapped.bytes.len() - behind;
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        tapped.bytes[before + 2..end].copy_from_slice(&bytes);
        close(tapped);
        true
    }

    /// Masks the first `bytes` bytes of the words of a code; the byte that fills the last word stays.
    fn code_words(&self, words: &mut [u16], bytes: usize) {
        let mut code: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let bytes = bytes.min(code.len());
        self.mask.bytes(&mut code[..bytes]);
        for (word, pair) in words.iter_mut().zip(code.as_chunks().0) {
            *word = u16::from_be_bytes(*pair);
        }
    }

    /// Masks every run that may be text in a frame that is not understood.
    fn scrub(&self, tapped: &mut Tapped) {
        let whole = tapped.pdu().is_some();
        let (before, behind) = if whole { around(tapped.wire) } else { (0, 0) };
        let end = tapped.bytes.len() - behind;
        let mut rest = &mut tapped.bytes[before.min(end)..end];
        while !rest.is_empty() {
            let run = rest.iter().take_while(|byte| is_text(**byte)).count();
            let (text, behind) = rest.split_at_mut(run.max(1));
            if run >= RUN_MIN {
                self.mask.bytes(text);
            }
            rest = behind;
        }
        if whole {
            close(tapped);
        } else if tapped.pdu().is_some()
            && let Some(last) = tapped.bytes.last_mut()
        {
            *last = !*last;
        }
    }
}

/// Whether a byte may be part of a text: printable ASCII, and what UTF-8 and GB18030 write all else
/// with.
const fn is_text(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E | 0x80..)
}

/// Whether a request reads of an events block, by FC 03, FC 04 or FC 23.
fn reads_events(pdu: &[u8]) -> bool {
    let [0x03 | 0x04 | 0x17, high, low, count_high, count_low, ..] = *pdu else { return false };
    let first = u32::from(u16::from_be_bytes([high, low]));
    let end = first + u32::from(u16::from_be_bytes([count_high, count_low]));
    let longest = NodeKind::ALL.map(NodeKind::event_words).into_iter().max().unwrap_or_default();
    first < u32::from(EVENTS) + u32::from(longest) && end > u32::from(EVENTS)
}

/// Bytes before the PDU and behind it.
const fn around(wire: Wire) -> (usize, usize) {
    match wire {
        Wire::Serial => (1, 2),
        Wire::Tcp => (7, 0),
    }
}

/// Forms the CRC of a serial frame again.
fn close(tapped: &mut Tapped) {
    if tapped.wire == Wire::Serial
        && let [unit, pdu @ .., _, _] = tapped.bytes.as_slice()
    {
        let mut frame = [0; rtu::MAX_FRAME];
        let len = rtu::encode(*unit, pdu, &mut frame).unwrap_or_default();
        if let Some(whole) = frame.get(..len).filter(|whole| whole.len() == tapped.bytes.len()) {
            tapped.bytes.copy_from_slice(whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modbus::mbap;
    use registers::Writer;
    use registers::event::{At, Code, Event};
    use registers::exchange::{EventsHead, Verdict};
    use units::{Counts, Micros, Millis, Serial};

    const UNIT: u8 = 7;

    fn tapped(wire: Wire, what: What, pdu: &[u8]) -> Tapped {
        let mut bytes = vec![0; 300];
        let len = match wire {
            Wire::Serial => rtu::encode(UNIT, pdu, &mut bytes),
            Wire::Tcp => mbap::encode(mbap::Frame { transaction: 5, unit: UNIT, pdu }, &mut bytes),
        };
        bytes.truncate(len.expect("fits"));
        Tapped { at: Micros(1), utc_us: 1, bus: 0, wire, unit: UNIT, what, bytes }
    }

    /// An events block with an edge, a code of odd length and a no-read behind it.
    fn events(token: u16) -> Vec<u16> {
        let mut words = vec![0; 64];
        let at = At { count: Counts(9), ms: Millis(8) };
        let code = [0x3132, 0x3334, 0x3536, 0x3738, 0x3900];
        let mut used = 8;
        for event in [
            Event::Edge { input: 0, active: true, at },
            Event::Code {
                trigger: 4,
                index: 0,
                of: 1,
                code: Code::new(&code, 9).expect("fits"),
                at,
            },
            Event::NoRead { trigger: 5, at },
        ] {
            used += event.encode(&mut words[used..]).expect("fits");
        }
        let mut head = Writer::new(&mut words[..8]);
        EventsHead {
            token,
            boot_id: 1,
            first: Serial(3),
            count: 3,
            more: false,
            overflowed: false,
            last_command: Serial(0),
            verdict: Verdict::None,
            encoder: Counts(1),
        }
        .encode(&mut head);
        check::seal(UNIT, token, &mut words);
        words
    }

    fn answer(words: &[u16]) -> Vec<u8> {
        let data: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        [&[0x17, u8::try_from(data.len()).expect("short")], &data[..]].concat()
    }

    #[test]
    fn codes_are_masked_and_every_check_still_holds() {
        let words = events(77);
        for wire in [Wire::Serial, Wire::Tcp] {
            let mut masker = Masker::new(Mask::new(&[9; 32]));
            let mut request = tapped(wire, What::Request, &[0x17, 0x02, 0x00, 0, 64, 1, 0]);
            let asked = request.clone();
            masker.mask(&mut request);
            assert_eq!(request, asked, "requests carry no codes");
            let mut masked = tapped(wire, What::Answer, &answer(&words));
            let before = masked.clone();
            masker.mask(&mut masked);
            assert_eq!(masked.bytes.len(), before.bytes.len());
            let pdu = masked.pdu().expect("its CRC fits").to_vec();
            let now: Vec<u16> =
                pdu[2..].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            assert!(check::sealed(UNIT, 77, &now), "the check word fits");
            let text = String::from_utf8_lossy(&masked.bytes).into_owned();
            let same = Mask::new(&[9; 32]).code("123456789");
            assert!(text.contains(&same) && !text.contains("12345678"), "{text}");
            let differing = words.iter().zip(&now).filter(|(a, b)| a != b).count();
            assert!((2..=6).contains(&differing), "words of the code and the check word");
        }
    }

    #[test]
    fn what_is_not_understood_loses_what_looks_like_a_code() {
        let mut masker = Masker::new(Mask::new(&[9; 32]));
        let whole = tapped(Wire::Serial, What::Answer, &answer(&events(1)));
        let mut cut = whole.clone();
        cut.what = What::Crc;
        cut.bytes.truncate(whole.bytes.len() - 20);
        masker.mask(&mut cut);
        assert!(!String::from_utf8_lossy(&cut.bytes).contains("1234"));
        assert!(cut.pdu().is_none(), "a wrong CRC stays wrong");
        let mut late = whole;
        late.what = What::Late;
        late.unit = 9;
        masker.mask(&mut late);
        assert!(late.pdu().is_some(), "a right CRC stays right");
        assert!(!String::from_utf8_lossy(&late.bytes).contains("1234"));
        let status = [0x03, 4, 1, 2, 3, 4];
        let mut plain = tapped(Wire::Serial, What::Foreign, &status);
        let before = plain.clone();
        masker.mask(&mut plain);
        assert_eq!(plain, before);
    }

    /// An events block with one code that holds a name and a number.
    fn personal(token: u16, code: &[u8]) -> Vec<u16> {
        let mut words = vec![0; 64];
        let at = At { count: Counts(9), ms: Millis(8) };
        let pairs: Vec<u16> =
            code.chunks(2).map(|c| u16::from_be_bytes([c[0], *c.get(1).unwrap_or(&0)])).collect();
        let length = u8::try_from(code.len()).expect("short");
        let code = Code::new(&pairs, length).expect("fits");
        Event::Code { trigger: 4, index: 0, of: 1, code, at }
            .encode(&mut words[8..])
            .expect("fits");
        let head = EventsHead {
            token,
            boot_id: 1,
            first: Serial(3),
            count: 1,
            more: false,
            overflowed: false,
            last_command: Serial(0),
            verdict: Verdict::None,
            encoder: Counts(1),
        };
        head.encode(&mut Writer::new(&mut words[..8]));
        check::seal(UNIT, token, &mut words);
        words
    }

    /// What a wire does to a frame's bytes at one of them.
    type Damage = fn(&mut Vec<u8>, usize);

    /// Whatever the wire did to a frame: no five bytes of what it carried stand in what is left.
    #[test]
    fn damaged_frames_tell_nobodys_name() {
        let code = "收件人:王小明 13812345678".as_bytes();
        let answer = answer(&personal(5, code));
        let mut masker = Masker::new(Mask::new(&[9; 32]));
        let damages: [(What, Damage); 4] = [
            (What::Crc, |bytes, at| bytes[at] ^= 1 << (at % 8)),
            (What::Crc, |bytes, at| bytes.truncate(at)),
            (What::Crc, |bytes, at| drop(bytes.drain(..at))),
            (What::Late, |bytes, at| drop(bytes.splice(at..at, [0x0D]))),
        ];
        for wire in [Wire::Serial, Wire::Tcp] {
            let whole = tapped(wire, What::Answer, &answer);
            for at in 0..whole.bytes.len() {
                for (what, damage) in damages {
                    let mut frame = Tapped { what, ..whole.clone() };
                    damage(&mut frame.bytes, at);
                    let length = frame.bytes.len();
                    masker.mask(&mut frame);
                    assert_eq!(frame.bytes.len(), length);
                    let told = |part: &[u8]| frame.bytes.windows(5).any(|bytes| bytes == part);
                    assert!(!code.windows(5).any(told), "{wire:?} {what:?} at {at}: {frame:?}");
                }
            }
        }
    }
}
