//! The status and armed-list blocks, read by FC 23 like the events.

use crate::{Reader, Writer, check};
use units::{Counts, Serial};

/// Words of the status block.
pub const STATUS_WORDS: u16 = 26;
/// Arms that a node queues.
pub const ARMS_MAX: usize = 8;
/// Words of the armed-list block.
pub const ARMED_WORDS: u16 = 20;

/// What a node says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The request's token.
    pub token: u16,
    /// This boot's id.
    pub boot_id: u16,
    /// Since boot, in ms.
    pub uptime_ms: u32,
    /// The main encoder now.
    pub encoder: Counts,
    /// The second encoder now (a gapping zone's take-away belt); 0 where there is none.
    pub second: Counts,
    /// Debounced inputs, bit n = input n.
    pub inputs: u16,
    /// Outputs that are not zero, bit n = output n.
    pub outputs: u16,
    /// Owner that holds the node; 0 = nobody.
    pub owner: u16,
    /// Lease left, in ms; 0 = expired, safe state.
    pub lease_ms: u16,
    /// Check word over the settings block ([`settings_hash`]).
    pub settings_hash: u16,
    /// Number of the last latch; 0 = none since boot.
    pub latch_number: u16,
    /// Encoder captured by it.
    pub latch_count: Counts,
    /// Ring entries not yet acknowledged.
    pub ring_used: u16,
    /// Ring entries lost to overflow since boot, saturating.
    pub ring_lost: u16,
    /// Acknowledgements outside the valid range since boot, saturating.
    pub ack_ignored: u16,
    /// Frames dropped for a wrong CRC or form since boot, saturating.
    pub frames_bad: u16,
    /// Sequence of the last command that was accepted.
    pub last_command: Serial,
    /// Why it booted: 0 = power on, 1 = watchdog, 2 = software.
    pub reset_cause: u16,
}

impl Status {
    /// Encodes the block, sealed for `slave`.
    pub fn encode(&self, slave: u8) -> [u16; STATUS_WORDS as usize] {
        let mut words = [0; STATUS_WORDS as usize];
        let mut out = Writer::new(&mut words);
        out.u16(self.token);
        out.u16(self.boot_id);
        out.u32(self.uptime_ms);
        out.u32(self.encoder.0);
        out.u32(self.second.0);
        out.u16(self.inputs);
        out.u16(self.outputs);
        out.u16(self.owner);
        out.u16(self.lease_ms);
        out.u16(self.settings_hash);
        out.u16(self.latch_number);
        out.u32(self.latch_count.0);
        out.u16(self.ring_used);
        out.u16(self.ring_lost);
        out.u16(self.ack_ignored);
        out.u16(self.frames_bad);
        out.u16(self.last_command.0);
        out.u16(self.reset_cause);
        check::seal(slave, self.token, &mut words);
        words
    }

    /// Decodes a block; `None` when its seal does not fit `slave` and `token`.
    pub fn parse(slave: u8, token: u16, words: &[u16]) -> Option<Self> {
        let fits = words.len() == usize::from(STATUS_WORDS) && check::sealed(slave, token, words);
        let mut read = Reader::new(words);
        let status = Self {
            token: read.u16()?,
            boot_id: read.u16()?,
            uptime_ms: read.u32()?,
            encoder: Counts(read.u32()?),
            second: Counts(read.u32()?),
            inputs: read.u16()?,
            outputs: read.u16()?,
            owner: read.u16()?,
            lease_ms: read.u16()?,
            settings_hash: read.u16()?,
            latch_number: read.u16()?,
            latch_count: Counts(read.u32()?),
            ring_used: read.u16()?,
            ring_lost: read.u16()?,
            ack_ignored: read.u16()?,
            frames_bad: read.u16()?,
            last_command: Serial(read.u16()?),
            reset_cause: read.u16()?,
        };
        (fits && status.token == token).then_some(status)
    }
}

/// The armed list: the tags that wait on the node, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArmedList {
    /// The request's token.
    pub token: u16,
    /// This boot's id.
    pub boot_id: u16,
    /// How many of `tags` count.
    pub count: u8,
    /// Their tags.
    pub tags: [u32; ARMS_MAX],
}

impl ArmedList {
    /// Encodes the block, sealed for `slave`.
    pub fn encode(&self, slave: u8) -> [u16; ARMED_WORDS as usize] {
        let mut words = [0; ARMED_WORDS as usize];
        let mut out = Writer::new(&mut words);
        out.u16(self.token);
        out.u16(self.boot_id);
        out.u16(u16::from(self.count));
        self.tags.iter().for_each(|tag| out.u32(*tag));
        check::seal(slave, self.token, &mut words);
        words
    }

    /// Decodes a block; `None` when its seal does not fit `slave` and `token`.
    pub fn parse(slave: u8, token: u16, words: &[u16]) -> Option<Self> {
        let fits = words.len() == usize::from(ARMED_WORDS) && check::sealed(slave, token, words);
        let mut read = Reader::new(words);
        let (found, boot_id) = (read.u16()?, read.u16()?);
        let count = u8::try_from(read.u16()?).ok()?;
        let mut tags = [0; ARMS_MAX];
        for tag in &mut tags {
            *tag = read.u32()?;
        }
        (fits && found == token && usize::from(count) <= ARMS_MAX).then_some(Self {
            token,
            boot_id,
            count,
            tags,
        })
    }

    /// The tags that count.
    pub fn tags(&self) -> &[u32] {
        self.tags.get(..usize::from(self.count)).unwrap_or_default()
    }
}

/// Hash of a settings block: the check word over its words with slave 0 and token 0.
pub fn settings_hash(words: &[u16]) -> u16 {
    check::check_word(0, 0, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_blocks_survive_the_wire_and_only_for_their_token() {
        let status = Status {
            token: 5,
            boot_id: 6,
            uptime_ms: 70_000,
            encoder: Counts(8),
            second: Counts(9),
            inputs: 10,
            outputs: 11,
            owner: 12,
            lease_ms: 3_000,
            settings_hash: 14,
            latch_number: 15,
            latch_count: Counts(16),
            ring_used: 17,
            ring_lost: 18,
            ack_ignored: 19,
            frames_bad: 20,
            last_command: Serial(21),
            reset_cause: 1,
        };
        let words = status.encode(3);
        assert_eq!(Status::parse(3, 5, &words), Some(status));
        assert_eq!(Status::parse(3, 4, &words), None);
        let armed = ArmedList { token: 5, boot_id: 6, count: 2, tags: [7, 8, 0, 0, 0, 0, 0, 0] };
        let words = armed.encode(3);
        assert_eq!(ArmedList::parse(3, 5, &words), Some(armed));
        assert_eq!(ArmedList::parse(2, 5, &words), None);
        assert_eq!(armed.tags(), [7, 8]);
    }
}
