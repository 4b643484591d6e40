//! What an exchange does to the node, and the blocks that it reads.

use crate::boundary::Identity;
use crate::logic::Logic;
use crate::machine::Node;
use registers::check::seal;
use registers::exchange::{EVENT_OVERHEAD, EventsHead, Operation, Verdict, WriteBlock, WriteFault};
use registers::map::{ARMED, EVENTS, IDENTITY, IDENTITY_WORDS, SETTINGS, STATUS};
use registers::objects::{Facts, ServerId};
use registers::status::{ARMED_WORDS, ARMS_MAX, ArmedList, STATUS_WORDS, Status};
use registers::{MAP_VERSION, Writer};
use units::{Millis, Serial};

/// Words of the longest block that a node serves.
pub(crate) const BLOCK_WORDS_MAX: usize = 64;

/// Token and verdict of one exchange, for the block that is read in the same request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchanged {
    pub(crate) token: u16,
    pub(crate) verdict: Verdict,
}

impl Exchanged {
    /// A reading without an exchange (FC 03).
    pub(crate) const NONE: Self = Self { token: 0, verdict: Verdict::None };
}

/// Copies a block word by word: no panic remains for lengths that differ, which they never do.
fn copy(block: &[u16], words: &mut [u16]) {
    words.iter_mut().zip(block).for_each(|(slot, word)| *slot = *word);
}

impl<L: Logic> Node<L> {
    /// Takes the write half; `None` = not sealed, no effect.
    pub(crate) fn exchange(&mut self, words: &[u16]) -> Option<Exchanged> {
        let block = match WriteBlock::parse(self.core.identity.unit, words) {
            Ok(block) => block,
            Err(WriteFault::UnknownOperation { token, .. }) => {
                return Some(Exchanged { token, verdict: Verdict::NotSupported });
            }
            Err(WriteFault::Argument { token }) => {
                return Some(Exchanged { token, verdict: Verdict::BadArgument });
            }
            Err(WriteFault::Length | WriteFault::Check) => return None,
        };
        Some(Exchanged { token: block.token, verdict: self.admit(&block) })
    }

    fn admit(&mut self, block: &WriteBlock) -> Verdict {
        if block.boot_id == 0 {
            // A poll without knowledge of this boot: nothing of it may act.
            let polls = block.operation == Operation::Noop;
            return if polls { Verdict::None } else { Verdict::WrongBoot };
        }
        if block.boot_id != self.core.identity.boot_id {
            return Verdict::WrongBoot;
        }
        let until = self.core.lease_until();
        if !self.core.lease.claim(block.owner, until) {
            return Verdict::NotOwner;
        }
        if !self.core.ring.acknowledge(block.ack) {
            self.core.ack_ignored = self.core.ack_ignored.saturating_add(1);
        }
        self.command(block.command, block.operation)
    }

    fn command(&mut self, sequence: Serial, operation: Operation) -> Verdict {
        if operation == Operation::Noop {
            return Verdict::None;
        }
        if sequence == self.core.last_command && self.core.accepted {
            return Verdict::Accepted;
        }
        if sequence != self.core.last_command.next() {
            return Verdict::WrongSequence;
        }
        let verdict = self.execute(operation);
        if verdict == Verdict::Accepted {
            self.core.last_command = sequence;
            self.core.accepted = true;
            // What the command ends at once (an arm behind its window) is told in this answer.
            self.logic.tick(&mut self.core);
        }
        verdict
    }

    fn execute(&mut self, operation: Operation) -> Verdict {
        let core = &mut self.core;
        match operation {
            Operation::Noop => Verdict::None,
            Operation::Arm(arm) => self.logic.arm(core, arm),
            Operation::Cancel { tag } => self.logic.cancel(core, tag),
            Operation::CancelAll => self.logic.cancel_all(core),
            Operation::SetOutput { output, value } => self.logic.set_output(core, output, value),
            Operation::Latch { number } => {
                if self.latch(number) {
                    Verdict::Accepted
                } else {
                    Verdict::BadArgument
                }
            }
        }
    }

    /// Captures the encoder under `number`; false when the number is 0.
    pub(crate) fn latch(&mut self, number: u16) -> bool {
        if number == 0 {
            return false;
        }
        self.core.latch = crate::core::Latch { number, count: self.core.at.count };
        true
    }

    /// Puts the block at `address` into `block`; `None` when there is none of `quantity` words.
    pub(crate) fn block(
        &mut self,
        address: u16,
        quantity: u16,
        exchanged: Exchanged,
        block: &mut [u16; BLOCK_WORDS_MAX],
    ) -> Option<()> {
        let words = block.get_mut(..usize::from(quantity))?;
        let token = exchanged.token;
        match address {
            IDENTITY if quantity == IDENTITY_WORDS => self.identity_block(words),
            EVENTS if quantity == L::KIND.event_words() => self.events_block(exchanged, words),
            STATUS if quantity == STATUS_WORDS => {
                copy(&self.status(token).encode(self.core.identity.unit), words);
            }
            ARMED if quantity == ARMED_WORDS => {
                copy(&self.armed_list(token).encode(self.core.identity.unit), words);
            }
            SETTINGS if words.len() == self.core.settings.words().len() => {
                copy(self.core.settings.words(), words);
            }
            _ => return None,
        }
        Some(())
    }

    fn identity_block(&self, words: &mut [u16]) {
        let identity = &self.core.identity;
        let mut out = Writer::new(words);
        out.u16(L::KIND.word());
        out.u16(MAP_VERSION);
        out.u16(identity.boot_id);
        out.u32(identity.serial_number);
        out.u32(identity.firmware_hash);
        out.u16(L::KIND.event_words());
        out.u16(self.core.settings.hash());
        out.u16(u16::try_from(self.core.settings.words().len()).unwrap_or(u16::MAX));
    }

    fn events_block(&mut self, exchanged: Exchanged, words: &mut [u16]) {
        self.core.ring.tell_loss();
        let Exchanged { token, verdict } = exchanged;
        let room = words.len().saturating_sub(usize::from(EVENT_OVERHEAD));
        let head_words = usize::from(EVENT_OVERHEAD).saturating_sub(1);
        words.fill(0);
        let Some((head, rest)) = words.split_at_mut_checked(head_words) else { return };
        let (mut head, mut rest) = (Writer::new(head), Writer::new(rest));
        let (count, more) = self.core.ring.copy_to(&mut rest, room);
        EventsHead {
            token,
            boot_id: self.core.identity.boot_id,
            first: self.core.ring.first(),
            count,
            more,
            overflowed: self.core.ring.overflowed(),
            last_command: self.core.last_command,
            verdict,
            encoder: self.core.at.count,
        }
        .encode(&mut head);
        seal(self.core.identity.unit, token, words);
    }

    /// What the node says of itself by FC 17.
    pub(crate) fn server_id(&self) -> ServerId {
        let Identity { boot_id, serial_number, firmware_hash, .. } = self.core.identity;
        ServerId {
            kind: u8::try_from(L::KIND.word()).unwrap_or(u8::MAX),
            running: self.core.lease.owner() != 0,
            map_version: MAP_VERSION,
            boot_id,
            serial_number,
            firmware_hash,
        }
    }

    /// What the node's objects (FC 43/14) are formed from.
    pub(crate) fn facts(&self) -> Facts {
        let Identity { boot_id, serial_number, firmware_hash, .. } = self.core.identity;
        let revision = env!("CARGO_PKG_VERSION");
        Facts { kind: L::KIND, revision, boot_id, serial_number, firmware_hash }
    }

    pub(crate) fn status(&self, token: u16) -> Status {
        let core = &self.core;
        let uptime = core.at.now.since(core.booted.unwrap_or(core.at.now));
        Status {
            token,
            boot_id: core.identity.boot_id,
            uptime_ms: Millis::of(uptime).0,
            encoder: core.at.count,
            second: core.at.second,
            inputs: core.inputs.word(),
            outputs: core.outputs.word(),
            owner: core.lease.owner(),
            lease_ms: core.lease.left_ms(core.at.now),
            settings_hash: core.settings.hash(),
            latch_number: core.latch.number,
            latch_count: core.latch.count,
            ring_used: core.ring.entries(),
            ring_lost: core.ring.lost(),
            ack_ignored: core.ack_ignored,
            frames_bad: core.frames_bad,
            last_command: core.last_command,
            reset_cause: core.identity.reset_cause,
        }
    }

    pub(crate) fn armed_list(&self, token: u16) -> ArmedList {
        let armed = self.logic.armed();
        let mut tags = [0; ARMS_MAX];
        for (slot, tag) in tags.iter_mut().zip(&armed) {
            *slot = *tag;
        }
        ArmedList {
            token,
            boot_id: self.core.identity.boot_id,
            count: u8::try_from(armed.len()).unwrap_or(u8::MAX),
            tags,
        }
    }
}
