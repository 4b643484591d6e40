//! The node's side of a shared line: bytes and silences in, whole requests out.

use super::{BROADCAST, Frame, Length, check, framed, request_length};
use crate::pdu::Expected;

/// Frames the requests on a line, whoever they address.
///
/// The shell hands over every byte and calls [`silence`](Self::silence) once the line was quiet
/// for t3.5. A request is complete at its length when the CRC fits, else at silence when the CRC
/// fits; everything else is dropped up to the next silence.
///
/// Answers of other nodes are never taken for requests:
/// - Frames begin only after a silence or behind a whole frame; a receiver starts deaf until the
///   first silence, so it never begins inside a frame.
/// - After a request to another unit, what that unit sends is its answer: framed as the request
///   asks for it and swallowed. The expectation ends with that answer or the next request.
/// - An answer torn by a silence keeps its missing length: the next frame is dropped when it fits
///   into that length, because it may be a piece of the answer. So a really cut answer costs at
///   most one request, which the master repeats; a piece is never executed.
#[derive(Clone, Debug)]
pub struct Receiver {
    unit: u8,
    frame: Frame,
    state: State,
    /// A request addressed this other unit; its answer is due.
    due: Option<(u8, Expected)>,
    /// Bytes that a torn answer still lacks.
    torn: usize,
    tally: Tally,
}

/// What a receiver heard since its [`Tally`] was last taken; both numbers saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Whole frames with a right CRC that were no requests: answers of other nodes, and what may
    /// be a piece of one.
    pub swallowed: u16,
    /// Stretches between two silences that were dropped: a wrong CRC, a length that cannot be, an
    /// error of the UART. What is heard before the first silence is not counted.
    pub garbled: u16,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Noise, or inside a frame whose beginning was missed; ends with silence.
    Deaf,
    /// Part of a frame, maybe its first byte.
    Collecting,
    /// The first of a new frame: the one in the buffer was handed out.
    Delivered,
}

impl Receiver {
    /// Builds the receiver of node `unit`; it listens from the first silence on.
    pub const fn new(unit: u8) -> Self {
        Self {
            unit,
            frame: Frame::new(),
            state: State::Deaf,
            due: None,
            torn: 0,
            tally: Tally { swallowed: 0, garbled: 0 },
        }
    }

    /// Takes bytes from the front of `input` up to the end of a request and returns its frame.
    ///
    /// Call it until it returns `None`; then `input` is used up.
    pub fn push(&mut self, input: &mut &[u8]) -> Option<&[u8]> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            if self.byte(core::slice::from_ref(byte)) {
                return Some(self.frame.as_bytes());
            }
        }
        None
    }

    /// Hands out what was heard since the last call, and begins anew.
    pub fn take_tally(&mut self) -> Tally {
        core::mem::take(&mut self.tally)
    }

    /// Says that the line was quiet for t3.5; returns the request that this ends, if any.
    pub fn silence(&mut self) -> Option<&[u8]> {
        let collecting = self.state == State::Collecting;
        self.state = State::Collecting;
        if collecting && check(self.frame.as_bytes()).is_ok() {
            if self.judge() == State::Delivered {
                self.state = State::Delivered;
                return Some(self.frame.as_bytes());
            }
        } else if collecting && !self.frame.as_bytes().is_empty() {
            self.garbled();
            self.tear();
        }
        self.frame.clear();
        None
    }

    /// Forgets everything up to the next silence: after an error of the UART, or after sending
    /// where the node hears itself.
    pub fn resync(&mut self) {
        match self.state {
            State::Deaf => {}
            State::Delivered => self.garbled(),
            State::Collecting => {
                self.garbled();
                self.tear();
            }
        }
        self.frame.clear();
        self.state = State::Deaf;
    }

    /// Takes one byte; true when it ends a request.
    fn byte(&mut self, mut byte: &[u8]) -> bool {
        match self.state {
            State::Deaf => return false,
            State::Collecting => {}
            State::Delivered => {
                self.frame.clear();
                self.state = State::Collecting;
            }
        }
        self.frame.take(&mut byte);
        if !byte.is_empty() {
            self.resync();
            return false;
        }
        let bytes = self.frame.as_bytes();
        let length = match self.answering() {
            Some(expected) => expected.length(bytes),
            None => request_length(bytes),
        };
        if length != Length::Exactly(bytes.len()) || check(bytes).is_err() {
            return false;
        }
        self.state = self.judge();
        if self.state != State::Delivered {
            self.frame.clear();
        }
        self.state == State::Delivered
    }

    /// What the answer that may be in the buffer must look like.
    fn answering(&self) -> Option<Expected> {
        let (unit, expected) = self.due?;
        (self.frame.as_bytes().first() == Some(&unit)).then_some(expected)
    }

    /// Judges the whole frame in the buffer; what is not to be delivered is swallowed.
    fn judge(&mut self) -> State {
        let bytes = self.frame.as_bytes();
        let answer = self
            .answering()
            .is_some_and(|expected| expected.length(bytes) == Length::Exactly(bytes.len()));
        let piece = bytes.len() <= core::mem::take(&mut self.torn);
        self.due = match *bytes {
            [unit, ref pdu @ .., _, _] if !answer && unit != self.unit && unit != BROADCAST => {
                Some((unit, Expected::of(pdu)))
            }
            _ => None,
        };
        if answer || piece {
            self.tally.swallowed = self.tally.swallowed.saturating_add(1);
        }
        match (answer, piece) {
            (true, _) => State::Collecting,
            (false, true) => State::Deaf,
            (false, false) => State::Delivered,
        }
    }

    fn garbled(&mut self) {
        self.tally.garbled = self.tally.garbled.saturating_add(1);
    }

    /// Accounts for the bytes in the buffer, which a silence ended before they were a frame.
    fn tear(&mut self) {
        let bytes = self.frame.as_bytes();
        self.torn = self.torn.saturating_sub(bytes.len());
        let Some(expected) = self.answering() else { return };
        let len = match expected.length(bytes) {
            Length::Exactly(len) => len,
            Length::Need(_) => framed(expected.longest()),
            Length::Unknown => return,
        };
        self.due = None;
        self.torn = len.saturating_sub(bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::pdu;
    use crate::rtu::encode;

    fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
        let mut out = [0; 256];
        let len = encode(unit, pdu, &mut out).unwrap();
        out[..len].to_vec()
    }

    /// Node 1 hears the bursts, a silence before and behind each; returns the units requested.
    fn check_bursts(bursts: &[&[u8]]) -> Vec<u8> {
        let mut receiver = Receiver::new(1);
        let mut units = Vec::new();
        units.extend(receiver.silence().map(|frame| frame[0]));
        for mut burst in bursts.iter().copied() {
            while let Some(frame) = receiver.push(&mut burst) {
                units.push(frame[0]);
            }
            units.extend(receiver.silence().map(|frame| frame[0]));
        }
        units
    }

    fn read(unit: u8, quantity: u16) -> Vec<u8> {
        let mut out = [0; 253];
        let len = pdu::read_holding(0, quantity, &mut out).unwrap();
        frame(unit, &out[..len])
    }

    fn write(unit: u8) -> Vec<u8> {
        frame(unit, &[0x06, 0, 9, 0, 7])
    }

    /// An answer of node 2 whose data are a request to node 1, as the read of 5 words expects it.
    fn nested() -> Vec<u8> {
        let mut pdu = [0x03, 10].to_vec();
        pdu.extend(write(1));
        pdu.extend([0, 0]);
        frame(2, &pdu)
    }

    #[test]
    fn answers_of_others_are_swallowed() {
        assert_eq!(check_bursts(&[&read(2, 5), &nested(), &read(1, 1)]), [2, 1]);
        let merged = [read(2, 5), nested(), read(1, 1)].concat();
        assert_eq!(check_bursts(&[&merged]), [2, 1], "no silence noticed");
        assert_eq!(check_bursts(&[&write(2), &write(2), &write(1)]), [2, 1], "echoing answer");
        let exception = frame(2, &[0x83, 2]);
        assert_eq!(check_bursts(&[&[read(2, 5), exception, write(1)].concat()]), [2, 1]);
    }

    #[test]
    fn a_torn_answer_never_becomes_a_request() {
        let answer = nested();
        assert_eq!(check_bursts(&[&read(2, 5), &answer[..3], &answer[3..11], &answer[11..]]), [2]);
        assert_eq!(check_bursts(&[&read(2, 5), &answer[..3], &answer[3..], &write(1)]), [2, 1]);
        let lost = check_bursts(&[&read(2, 5), &answer[..3], &write(1), &write(1)]);
        assert_eq!(lost, [2, 1], "a cut answer costs one request");
        let twice = frame(2, &[&[0x03, 20][..], &write(1), &write(1), &[0; 4]].concat());
        assert_eq!(check_bursts(&[&read(2, 10), &twice[..3], &twice[3..]]), [2], "two inside");
        let longer = read(2, 2);
        assert_eq!(check_bursts(&[&longer, &answer[..3], &write(1)]), [2, 1], "fits in no rest");
    }

    #[test]
    fn the_master_may_give_up_on_a_silent_node() {
        assert_eq!(check_bursts(&[&read(2, 5), &read(1, 1), &read(2, 5)]), [2, 1, 2]);
        assert_eq!(check_bursts(&[&read(2, 5), &read(2, 5), &nested(), &write(0)]), [2, 2, 0]);
        assert_eq!(check_bursts(&[&read(2, 5), &[0xFF], &nested(), &write(1)]), [2, 1], "glitch");
    }

    #[test]
    fn garbage_is_dropped_up_to_the_next_silence() {
        let noisy = [&[0xFF, 0x03][..], &read(1, 1)].concat();
        assert_eq!(check_bursts(&[&noisy, &read(1, 1)]), [1]);
        assert_eq!(check_bursts(&[&[0x55; 300], &read(1, 1)]), [1]);
        let mut receiver = Receiver::new(1);
        assert_eq!(receiver.push(&mut &read(1, 1)[..]), None, "deaf before the first silence");
    }

    #[test]
    fn lying_or_missing_lengths_wait_for_silence() {
        let lying = frame(1, &[0x10, 0, 0, 0, 1, 200, 0, 7]);
        let short = frame(1, &[0x10, 0, 0, 0, 2, 2, 0, 7, 0, 8]);
        let unknown = frame(1, &[0x42, 1, 2, 3]);
        assert_eq!(check_bursts(&[&lying, &short, &unknown]), [1, 1, 1]);
    }
}
