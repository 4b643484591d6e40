//! Ring events: what a node tells the host, once each and in order.
//!
//! An entry is `kind << 8 | words`, then its fields. Sequence numbers are not in the entries: the
//! block's head carries the first one, each entry takes one number, and [`Event::Lost`] takes as
//! many as it lost.

use crate::{Reader, Writer};
use units::{Counts, Millis};

/// Longest code that a scanner hands over, in bytes; a longer one is `TooLong`, never cut.
pub const CODE_MAX: usize = 48;
/// Most codes per trigger.
pub const CODES_MAX: u8 = 8;
/// Words of the longest entry.
pub const ENTRY_WORDS_MAX: usize = 8 + CODE_MAX / 2;
/// Words of ring entries that a node keeps until they are acknowledged: 255 edges, or 47 codes of
/// the greatest length, and the word that entries were lost. The host plans lines by it: this many
/// let 64 chutes stand at one belt.
pub const RING_WORDS: usize = 1_536;

/// Where and when something happened on one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// The node's encoder, latched at the instant itself (before debouncing).
    pub count: Counts,
    /// The node's millisecond clock.
    pub ms: Millis,
}

/// How an accepted arm ended; each ends exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArmOutcome {
    /// The bed was fired.
    Fired,
    /// No fitting head edge came inside the window.
    Expired,
    /// A second head edge came before the firing instant: not fired.
    Ambiguous,
    /// The chute's own lock or full input stood at the firing instant: not fired.
    RefusedLocked,
    /// The parcel was seen shorter than the arm's shortest fitting length: not fired.
    RefusedShort,
    /// The bed was turned, or overdue on its way home, at the firing instant: not fired.
    RefusedBusy,
    /// Withdrawn by the host.
    Cancelled,
    /// Withdrawn because the host fell silent for the lease.
    LeaseExpired,
}

impl ArmOutcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Fired,
        Self::Expired,
        Self::Ambiguous,
        Self::RefusedLocked,
        Self::RefusedShort,
        Self::RefusedBusy,
        Self::Cancelled,
        Self::LeaseExpired,
    ];

    /// The register value.
    pub const fn code(self) -> u8 {
        match self {
            Self::Fired => 1,
            Self::Expired => 2,
            Self::Ambiguous => 3,
            Self::RefusedLocked => 4,
            Self::RefusedShort => 5,
            Self::RefusedBusy => 6,
            Self::Cancelled => 7,
            Self::LeaseExpired => 8,
        }
    }

    /// The outcome behind a register value.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

/// One ring entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A debounced input changed.
    Edge {
        /// Input id of the node kind ([`crate::points`]).
        input: u8,
        /// The new level: true = eye blocked, contact active.
        active: bool,
        /// Latched at the first transition.
        at: At,
    },
    /// An arm ended.
    ArmEnded {
        /// Its tag.
        tag: u32,
        /// How.
        outcome: ArmOutcome,
        /// Head edge that fitted; zero when none did.
        edge: Counts,
        /// Length measured up to the end of the arm in counts; 0 = tail not seen yet.
        length: u16,
        /// Firing instant, or the instant at which it ended otherwise.
        at: At,
    },
    /// A code belongs to a trigger.
    Code {
        /// Trigger number, counted by the node since boot.
        trigger: u16,
        /// Index of this code, from 0.
        index: u8,
        /// Codes of this trigger in all.
        of: u8,
        /// The code's bytes, at most [`CODE_MAX`], packed two a word, high byte first.
        code: Code<'a>,
        /// Head edge of the trigger.
        at: At,
    },
    /// A trigger's window closed without a code.
    NoRead {
        /// Trigger number.
        trigger: u16,
        /// Head edge of the trigger.
        at: At,
    },
    /// A trigger's code (or the number of its codes) was over the limit.
    TooLong {
        /// Trigger number.
        trigger: u16,
        /// Head edge of the trigger.
        at: At,
    },
    /// A read came that belongs to no open trigger.
    Unassigned {
        /// The number that the reader echoed; 0 = none.
        trigger: u16,
        /// When it came.
        at: At,
    },
    /// Weight and size of a trigger.
    Measured {
        /// Trigger number.
        trigger: u16,
        /// The reading; `None` where the scale gave no value or two parcels stood on it.
        weight_g: Option<u32>,
        /// Length, width and height in mm; 0 = not measured.
        size_mm: [u16; 3],
        /// Head edge of the trigger.
        at: At,
    },
    /// Entries were lost to overflow; they used up this many sequence numbers.
    Lost {
        /// How many.
        entries: u16,
    },
    /// The host fell silent for the lease; the node took its safe state.
    LeaseExpired {
        /// When.
        at: At,
    },
}

/// A code's bytes, packed in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code<'a> {
    words: &'a [u16],
    len: u8,
}

impl<'a> Code<'a> {
    /// Views `len` bytes packed in `words`; `None` when they do not fit or are over [`CODE_MAX`].
    pub fn new(words: &'a [u16], len: u8) -> Option<Self> {
        let needed = usize::from(len).div_ceil(2);
        let fits = usize::from(len) <= CODE_MAX && needed <= words.len();
        Some(Self { words: words.get(..needed).filter(|_| fits)?, len })
    }

    /// The bytes in order.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + 'a {
        self.words.iter().flat_map(|word| word.to_be_bytes()).take(usize::from(self.len))
    }

    /// How many bytes.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

const EDGE: u8 = 1;
const ARM_ENDED: u8 = 2;
const CODE: u8 = 3;
const NO_READ: u8 = 4;
const TOO_LONG: u8 = 5;
const UNASSIGNED: u8 = 6;
const MEASURED: u8 = 7;
const LOST: u8 = 8;
const LEASE_EXPIRED: u8 = 9;

const NO_WEIGHT: u32 = u32::MAX;

fn put_at(out: &mut Writer<'_>, at: At) {
    out.u32(at.count.0);
    out.u32(at.ms.0);
}

fn get_at(read: &mut Reader<'_>) -> Option<At> {
    Some(At { count: Counts(read.u32()?), ms: Millis(read.u32()?) })
}

impl<'a> Event<'a> {
    /// Sequence numbers that the entry takes.
    pub const fn numbers(&self) -> u16 {
        match self {
            Self::Lost { entries } => *entries,
            _ => 1,
        }
    }

    /// Encodes the entry into `buffer` and returns its words; `None` when it does not fit.
    pub fn encode(&self, buffer: &mut [u16]) -> Option<usize> {
        let mut out = Writer::new(buffer);
        out.u16(0);
        let kind = self.fields(&mut out);
        let used = out.done()?;
        let length = u8::try_from(used).ok()?;
        *buffer.first_mut()? = u16::from_be_bytes([kind, length]);
        Some(used)
    }

    fn fields(&self, out: &mut Writer<'_>) -> u8 {
        match *self {
            Self::Edge { input, active, at } => {
                out.bytes(input, u8::from(active));
                put_at(out, at);
                EDGE
            }
            Self::ArmEnded { tag, outcome, edge, length, at } => {
                out.u32(tag);
                out.bytes(0, outcome.code());
                out.u32(edge.0);
                out.u16(length);
                put_at(out, at);
                ARM_ENDED
            }
            Self::Code { trigger, index, of, code, at } => {
                out.u16(trigger);
                out.bytes(index, of);
                out.bytes(0, code.len);
                put_at(out, at);
                code.words.iter().for_each(|word| out.u16(*word));
                CODE
            }
            Self::NoRead { trigger, at } => {
                out.u16(trigger);
                put_at(out, at);
                NO_READ
            }
            Self::TooLong { trigger, at } => {
                out.u16(trigger);
                put_at(out, at);
                TOO_LONG
            }
            Self::Unassigned { trigger, at } => {
                out.u16(trigger);
                put_at(out, at);
                UNASSIGNED
            }
            Self::Measured { trigger, weight_g, size_mm, at } => {
                out.u16(trigger);
                out.u32(weight_g.unwrap_or(NO_WEIGHT));
                size_mm.iter().for_each(|mm| out.u16(*mm));
                put_at(out, at);
                MEASURED
            }
            Self::Lost { entries } => {
                out.u16(entries);
                LOST
            }
            Self::LeaseExpired { at } => {
                put_at(out, at);
                LEASE_EXPIRED
            }
        }
    }

    /// Takes the next entry; `None` when the words have no meaning.
    pub fn parse(read: &mut Reader<'a>) -> Option<Self> {
        let (kind, length) = read.bytes()?;
        let words = read.take(usize::from(length).checked_sub(1)?)?;
        let mut inner = Reader::new(words);
        let event = Self::parse_fields(kind, &mut inner)?;
        inner.rest().is_empty().then_some(event)
    }

    fn parse_fields(kind: u8, read: &mut Reader<'a>) -> Option<Self> {
        Some(match kind {
            EDGE => {
                let (input, level) = read.bytes()?;
                let active = match level {
                    0 => false,
                    1 => true,
                    _ => return None,
                };
                Self::Edge { input, active, at: get_at(read)? }
            }
            ARM_ENDED => {
                let tag = read.u32()?;
                let (_, outcome) = read.bytes()?;
                Self::ArmEnded {
                    tag,
                    outcome: ArmOutcome::from_code(outcome)?,
                    edge: Counts(read.u32()?),
                    length: read.u16()?,
                    at: get_at(read)?,
                }
            }
            CODE => {
                let trigger = read.u16()?;
                let (index, of) = read.bytes()?;
                let (_, len) = read.bytes()?;
                let at = get_at(read)?;
                let words = read.take(usize::from(len).div_ceil(2))?;
                if index >= of || of > CODES_MAX {
                    return None;
                }
                Self::Code { trigger, index, of, code: Code::new(words, len)?, at }
            }
            NO_READ => Self::NoRead { trigger: read.u16()?, at: get_at(read)? },
            TOO_LONG => Self::TooLong { trigger: read.u16()?, at: get_at(read)? },
            UNASSIGNED => Self::Unassigned { trigger: read.u16()?, at: get_at(read)? },
            MEASURED => Self::Measured {
                trigger: read.u16()?,
                weight_g: Some(read.u32()?).filter(|grams| *grams != NO_WEIGHT),
                size_mm: [read.u16()?, read.u16()?, read.u16()?],
                at: get_at(read)?,
            },
            LOST => Self::Lost { entries: read.u16()? },
            LEASE_EXPIRED => Self::LeaseExpired { at: get_at(read)? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: At = At { count: Counts(0xFFFF_FFF0), ms: Millis(0x0001_0002) };

    #[test]
    fn every_entry_survives_the_wire() {
        let words = [0x4142, 0x4300];
        let events = [
            Event::Edge { input: 2, active: true, at: AT },
            Event::ArmEnded {
                tag: u32::MAX,
                outcome: ArmOutcome::RefusedBusy,
                edge: Counts(1),
                length: 300,
                at: AT,
            },
            Event::Code {
                trigger: 9,
                index: 1,
                of: 2,
                code: Code::new(&words, 3).expect("fits"),
                at: AT,
            },
            Event::NoRead { trigger: 1, at: AT },
            Event::TooLong { trigger: 2, at: AT },
            Event::Unassigned { trigger: 0, at: AT },
            Event::Measured { trigger: 3, weight_g: None, size_mm: [1, 2, 3], at: AT },
            Event::Measured { trigger: 3, weight_g: Some(1_800), size_mm: [0; 3], at: AT },
            Event::Lost { entries: 700 },
            Event::LeaseExpired { at: AT },
        ];
        for event in events {
            let mut buffer = [0; ENTRY_WORDS_MAX];
            let used = event.encode(&mut buffer).expect("fits");
            let mut read = Reader::new(&buffer[..used]);
            assert_eq!(Event::parse(&mut read), Some(event));
            assert!(read.rest().is_empty());
            assert_eq!(Event::parse(&mut Reader::new(&buffer[..used - 1])), None);
        }
    }

    #[test]
    fn all_first_words_are_decoded_or_refused_without_panic() {
        for word in 0..=u16::MAX {
            let mut buffer = [0x0101; 40];
            buffer[0] = word;
            let _ = Event::parse(&mut Reader::new(&buffer));
        }
    }

    #[test]
    fn codes_over_the_limit_are_never_cut() {
        assert!(Code::new(&[0; 40], 49).is_none());
        assert!(Code::new(&[0; 24], 48).is_some());
        assert!(Code::new(&[0; 1], 3).is_none());
        assert_eq!(Code::new(&[0x4142, 0x43FF], 3).expect("fits").bytes().count(), 3);
    }
}
