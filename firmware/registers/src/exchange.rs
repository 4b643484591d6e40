//! The exactly-once exchange: what FC 23 (0x17) writes and the head of what it reads.
//!
//! The host writes the block at [`WRITE`](crate::map::WRITE) and reads one of the read blocks in the same request; the
//! node performs the write first. Every read block starts with the token echo and the boot id and
//! ends in the check word ([`crate::check`]).

use crate::{Reader, Writer, check};
use units::{Counts, Serial};

/// Words in the exchange's write block; frozen for map version 1.
pub const WRITE_WORDS: u16 = 18;
/// Words of the write block left to an operation's arguments.
pub const ARGUMENT_WORDS: usize = 11;
/// Words of an events block that are not events: the head and the check word.
pub const EVENT_OVERHEAD: u16 = 9;

/// What a command asks of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Nothing; the exchange only polls and acknowledges.
    Noop,
    /// Queue an arm.
    Arm(Arm),
    /// Withdraw the arm with this tag; it ends as cancelled unless it has ended already.
    Cancel {
        /// The tag given when it was armed.
        tag: u32,
    },
    /// Withdraw every arm.
    CancelAll,
    /// Set an output or a level of the node (see [`crate::points`]).
    SetOutput {
        /// Output id of the node kind.
        output: u8,
        /// New value in the output's unit.
        value: u32,
    },
    /// Capture the encoder under this number, as the broadcast does on a serial bus.
    Latch {
        /// Number that the status block reports back with the captured count.
        number: u16,
    },
}

/// Which way a bed sends a parcel, seen in the direction of travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// To the left; odd chute numbers.
    Left,
    /// To the right; even chute numbers.
    Right,
}

/// One armed firing, in the node's own counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arm {
    /// Journaled name of this arm; its ring event carries it back.
    pub tag: u32,
    /// Which way to divert.
    pub side: Side,
    /// First count at which a head edge fits.
    pub window_from: Counts,
    /// Last count at which a head edge fits.
    pub window_to: Counts,
    /// Shortest fitting parcel in counts; seen shorter before firing, it does not fit.
    pub length_min: u16,
    /// Counts from the head edge to firing.
    pub delay: u16,
    /// Counts from firing until the bed returns home.
    pub release: u16,
}

/// Answer of the node to the command of this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No command in this request.
    None,
    /// Taken (or repeated and taken before).
    Accepted,
    /// The sequence is neither the last accepted nor its successor.
    WrongSequence,
    /// Another owner holds the node; nothing was executed or acknowledged.
    NotOwner,
    /// The expected boot id is not this boot's; nothing was executed or acknowledged.
    WrongBoot,
    /// The armed queue is full.
    QueueFull,
    /// An argument is out of range.
    BadArgument,
    /// This node kind has no such operation.
    NotSupported,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Accepted,
        Self::WrongSequence,
        Self::NotOwner,
        Self::WrongBoot,
        Self::QueueFull,
        Self::BadArgument,
        Self::NotSupported,
    ];

    /// The register value.
    pub const fn word(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Accepted => 1,
            Self::WrongSequence => 2,
            Self::NotOwner => 3,
            Self::WrongBoot => 4,
            Self::QueueFull => 5,
            Self::BadArgument => 6,
            Self::NotSupported => 7,
        }
    }

    /// The verdict behind a register value.
    pub fn from_word(word: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

/// The write half of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBlock {
    /// Echoed in the answer; ties answer to request.
    pub token: u16,
    /// Owner word from the line file.
    pub owner: u16,
    /// Boot id that the host believes in; 0 = not known yet, polls only.
    pub boot_id: u16,
    /// Cumulative acknowledgement: every event up to this number may be forgotten.
    pub ack: Serial,
    /// Sequence of the command; only the successor of the last accepted one is taken.
    pub command: Serial,
    /// The command.
    pub operation: Operation,
}

const OP_NOOP: u16 = 0;
const OP_ARM: u16 = 1;
const OP_CANCEL: u16 = 2;
const OP_CANCEL_ALL: u16 = 3;
const OP_SET_OUTPUT: u16 = 4;
const OP_LATCH: u16 = 5;

/// Why a write block was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// It is not [`WRITE_WORDS`] long.
    Length,
    /// Its check word does not fit slave, token and content.
    Check,
    /// No such operation.
    UnknownOperation {
        /// The operation word found.
        operation: u16,
        /// Token of the block, so that the answer can carry it.
        token: u16,
    },
    /// An argument of the operation has no meaning.
    Argument {
        /// Token of the block.
        token: u16,
    },
}

impl WriteBlock {
    /// Encodes the block, sealed for `slave`.
    pub fn encode(&self, slave: u8) -> [u16; WRITE_WORDS as usize] {
        let mut words = [0u16; WRITE_WORDS as usize];
        let mut out = Writer::new(&mut words);
        out.u16(self.token);
        out.u16(self.owner);
        out.u16(self.boot_id);
        out.u16(self.ack.0);
        out.u16(self.command.0);
        match self.operation {
            Operation::Noop => out.u16(OP_NOOP),
            Operation::Arm(arm) => {
                out.u16(OP_ARM);
                out.u32(arm.tag);
                out.u16(match arm.side {
                    Side::Left => 0,
                    Side::Right => 1,
                });
                out.u32(arm.window_from.0);
                out.u32(arm.window_to.0);
                out.u16(arm.length_min);
                out.u16(arm.delay);
                out.u16(arm.release);
            }
            Operation::Cancel { tag } => {
                out.u16(OP_CANCEL);
                out.u32(tag);
            }
            Operation::CancelAll => out.u16(OP_CANCEL_ALL),
            Operation::SetOutput { output, value } => {
                out.u16(OP_SET_OUTPUT);
                out.u16(u16::from(output));
                out.u32(value);
            }
            Operation::Latch { number } => {
                out.u16(OP_LATCH);
                out.u16(number);
            }
        }
        check::seal(slave, self.token, &mut words);
        words
    }

    /// Decodes and checks a block written to `slave`.
    pub fn parse(slave: u8, words: &[u16]) -> Result<Self, WriteFault> {
        if words.len() != usize::from(WRITE_WORDS) {
            return Err(WriteFault::Length);
        }
        let token = words.first().copied().ok_or(WriteFault::Length)?;
        if !check::sealed(slave, token, words) {
            return Err(WriteFault::Check);
        }
        let mut read = Reader::new(words);
        Self::fields(&mut read).ok_or(WriteFault::Length)?.map_err(|operation| match operation {
            Some(operation) => WriteFault::UnknownOperation { operation, token },
            None => WriteFault::Argument { token },
        })
    }

    /// The inner error is the unknown operation's number, or `None` for a senseless argument.
    fn fields(read: &mut Reader<'_>) -> Option<Result<Self, Option<u16>>> {
        let (token, owner, boot_id) = (read.u16()?, read.u16()?, read.u16()?);
        let (ack, command) = (Serial(read.u16()?), Serial(read.u16()?));
        let operation = match read.u16()? {
            OP_NOOP => Operation::Noop,
            OP_ARM => {
                let tag = read.u32()?;
                let side = match read.u16()? {
                    0 => Side::Left,
                    1 => Side::Right,
                    _ => return Some(Err(None)),
                };
                Operation::Arm(Arm {
                    tag,
                    side,
                    window_from: Counts(read.u32()?),
                    window_to: Counts(read.u32()?),
                    length_min: read.u16()?,
                    delay: read.u16()?,
                    release: read.u16()?,
                })
            }
            OP_CANCEL => Operation::Cancel { tag: read.u32()? },
            OP_CANCEL_ALL => Operation::CancelAll,
            OP_SET_OUTPUT => {
                let Ok(output) = u8::try_from(read.u16()?) else { return Some(Err(None)) };
                Operation::SetOutput { output, value: read.u32()? }
            }
            OP_LATCH => Operation::Latch { number: read.u16()? },
            other => return Some(Err(Some(other))),
        };
        Some(Ok(Self { token, owner, boot_id, ack, command, operation }))
    }
}

/// The head of an events block, before its ring entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsHead {
    /// The request's token.
    pub token: u16,
    /// This boot's id, never 0.
    pub boot_id: u16,
    /// Sequence of the first entry in the block; of the next event to come when there is none.
    pub first: Serial,
    /// Entries in the block.
    pub count: u8,
    /// More entries wait behind the last one in the block.
    pub more: bool,
    /// The ring has overflowed since boot.
    pub overflowed: bool,
    /// Sequence of the last command that was accepted.
    pub last_command: Serial,
    /// Answer to the command of this request.
    pub verdict: Verdict,
    /// The encoder when the answer was formed.
    pub encoder: Counts,
}

const MORE: u8 = 0x01;
const OVERFLOWED: u8 = 0x02;

impl EventsHead {
    /// Appends the head to a block.
    pub fn encode(&self, out: &mut Writer<'_>) {
        let mut flags = 0;
        if self.more {
            flags |= MORE;
        }
        if self.overflowed {
            flags |= OVERFLOWED;
        }
        out.u16(self.token);
        out.u16(self.boot_id);
        out.u16(self.first.0);
        out.bytes(flags, self.count);
        out.u16(self.last_command.0);
        out.u16(self.verdict.word());
        out.u32(self.encoder.0);
    }

    /// Reads the head of a block whose seal has been checked; `None` when a word has no meaning.
    pub fn parse(read: &mut Reader<'_>) -> Option<Self> {
        let (token, boot_id, first) = (read.u16()?, read.u16()?, Serial(read.u16()?));
        let (flags, count) = read.bytes()?;
        let (last_command, verdict) = (Serial(read.u16()?), Verdict::from_word(read.u16()?)?);
        Some(Self {
            token,
            boot_id,
            first,
            count,
            more: flags & MORE != 0,
            overflowed: flags & OVERFLOWED != 0,
            last_command,
            verdict,
            encoder: Counts(read.u32()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(operation: Operation) -> WriteBlock {
        WriteBlock {
            token: 0xBEEF,
            owner: 7,
            boot_id: 42,
            ack: Serial(65_535),
            command: Serial(0),
            operation,
        }
    }

    #[test]
    fn every_operation_survives_the_wire() {
        let arm = Arm {
            tag: 0x0102_0304,
            side: Side::Right,
            window_from: Counts(u32::MAX - 3),
            window_to: Counts(90),
            length_min: 120,
            delay: 100,
            release: 900,
        };
        for operation in [
            Operation::Noop,
            Operation::Arm(arm),
            Operation::Cancel { tag: 9 },
            Operation::CancelAll,
            Operation::SetOutput { output: 3, value: 1_200 },
            Operation::Latch { number: 77 },
        ] {
            let words = block(operation).encode(5);
            assert_eq!(WriteBlock::parse(5, &words), Ok(block(operation)));
            assert_eq!(WriteBlock::parse(6, &words), Err(WriteFault::Check));
        }
    }

    #[test]
    fn senseless_blocks_are_refused_with_the_reason() {
        let mut words = block(Operation::Noop).encode(1);
        words[5] = 99;
        check::seal(1, 0xBEEF, &mut words);
        let fault = WriteFault::UnknownOperation { operation: 99, token: 0xBEEF };
        assert_eq!(WriteBlock::parse(1, &words), Err(fault));
        words[5] = OP_SET_OUTPUT;
        words[6] = 300;
        check::seal(1, 0xBEEF, &mut words);
        assert_eq!(WriteBlock::parse(1, &words), Err(WriteFault::Argument { token: 0xBEEF }));
        assert_eq!(WriteBlock::parse(1, &words[..17]), Err(WriteFault::Length));
    }

    #[test]
    fn the_head_survives_the_wire() {
        let head = EventsHead {
            token: 1,
            boot_id: 2,
            first: Serial(3),
            count: 4,
            more: true,
            overflowed: false,
            last_command: Serial(6),
            verdict: Verdict::QueueFull,
            encoder: Counts(u32::MAX),
        };
        let mut words = [0; 8];
        let mut out = Writer::new(&mut words);
        head.encode(&mut out);
        assert_eq!(out.done(), Some(8));
        assert_eq!(EventsHead::parse(&mut Reader::new(&words)), Some(head));
    }
}
