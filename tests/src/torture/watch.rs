//! What a node was seen to do with one input, written down as truth.

use super::host::OWNER;
use super::ledger::What;
use super::run::Run;
use super::sabotage::exchange;
use line_sim::bridge::Sound;
use modbus::{mbap, rtu};
use node::{Output, View};
use registers::NodeKind;
use registers::exchange::{Operation, Side, WriteBlock};
use registers::points::{diverter, zone};

/// Bytes of the frame of an exchange's request: 18 words and 13 more.
const REQUEST_BYTES: usize = 49;

/// The exchange that reached a node in what it has just heard, at any place of it.
fn heard_exchange(unit: u8, sound: &Sound, heard: &[u8]) -> Option<WriteBlock> {
    if let Sound::Tcp(frame) = sound {
        let frame = mbap::decode(frame).ok()?;
        return exchange(frame.unit, frame.pdu).map(|(block, _)| block);
    }
    // The last one: behind it nothing is executed before its answer.
    heard.windows(REQUEST_BYTES).rev().find_map(|bytes| {
        let (to, pdu) = rtu::check(bytes).ok().filter(|(to, _)| *to == unit)?;
        exchange(to, pdu).map(|(block, _)| block)
    })
}

impl Run {
    /// Compares a node before and after one input.
    pub(super) fn observe(
        &mut self,
        index: usize,
        before: &View,
        after: &View,
        out: &Output,
        sound: Option<&Sound>,
    ) {
        self.inputs(index, before.status.inputs, after.status.inputs);
        let mut taken = None;
        if before.status.last_command != after.status.last_command {
            let (unit, heard) = (self.places[index].post.unit, &self.places[index].heard);
            let block = sound.and_then(|sound| heard_exchange(unit, sound, heard));
            taken = self.executed(index, before, after, block.as_ref());
        }
        let left: Vec<u32> = before
            .armed
            .tags()
            .iter()
            .copied()
            .chain(taken)
            .filter(|tag| !after.armed.tags().contains(tag))
            .collect();
        let belt = self.belt.counts(self.now);
        for tag in &left {
            let wrong = self.ledger.arms.end(*tag);
            self.complain(index, wrong);
            self.ledger.arose(index, self.call, self.now, belt, What::Ended(*tag));
        }
        for (output, value) in &out.outputs {
            self.output(index, *output, *value, &left);
        }
        let (owner, now) = (before.status.owner, after.status.owner);
        if owner != 0 && now != owner {
            self.ledger.arose(index, self.call, self.now, belt, What::LeaseExpired);
        }
        if now != 0 && now != OWNER {
            self.complain(index, Some(format!("is held by {now:#06x}")));
        }
    }

    fn complain(&mut self, index: usize, text: Option<String>) {
        if let Some(text) = text {
            self.ledger.violation(self.now, format!("node {index}: {text}"));
        }
    }

    /// Inputs that have settled at another level.
    fn inputs(&mut self, index: usize, before: u16, after: u16) {
        for input in (0..super::host::INPUTS).filter(|input| (before ^ after) >> input & 1 == 1) {
            let place = &self.places[index];
            let slot = usize::from(input);
            let (active, ms) = (after >> input & 1 == 1, place.changed[slot]);
            let belt = self.edges.get(&(index, input)).copied().unwrap_or_default();
            let (alone, count) = (place.levels[slot] != active, place.count_at(belt));
            let arrival = place.post.kind == NodeKind::Diverter && input == diverter::EYE_ARRIVAL;
            if alone {
                self.complain(index, Some(format!("input {input} settled at {active} alone")));
            }
            if arrival && active {
                self.ledger.arms.head(index, count);
            }
            let what = What::Edge { input, active, ms };
            self.ledger.arose(index, self.call, self.now, belt, what);
        }
    }

    /// A command was executed; the tag of an arm that was taken.
    fn executed(
        &mut self,
        index: usize,
        before: &View,
        after: &View,
        block: Option<&WriteBlock>,
    ) -> Option<u32> {
        self.ledger.figures.executed += 1;
        let (last, now) = (before.status.last_command, after.status.last_command);
        if now != last.next() {
            self.complain(index, Some(format!("command {last:?} was followed by {now:?}")));
        }
        let Some(block) = block else {
            self.complain(index, Some("executed what nobody sent".to_owned()));
            return None;
        };
        let fits = (block.owner, block.boot_id) == (OWNER, before.status.boot_id);
        if !fits || block.command != now {
            self.complain(index, Some(format!("executed {block:?}")));
        }
        match block.operation {
            Operation::Arm(arm) => {
                let wrong = self.ledger.arms.take(index, arm);
                self.complain(index, wrong);
                Some(arm.tag)
            }
            Operation::SetOutput { output: zone::GAP, value }
                if self.places[index].post.kind == NodeKind::Zone =>
            {
                self.value(index, value);
                None
            }
            Operation::Noop
            | Operation::Cancel { .. }
            | Operation::CancelAll
            | Operation::SetOutput { .. }
            | Operation::Latch { .. } => None,
        }
    }

    /// A value was set: each one ordered at most once, and in order.
    fn value(&mut self, index: usize, value: u32) {
        self.ledger.figures.values += 1;
        if !self.ordered.contains(&(index, value)) {
            self.complain(index, Some(format!("set the value {value}, which was never ordered")));
        }
        let last = self.valued.insert(index, value).unwrap_or_default();
        // The values go round after 50,000.
        let wrapped = last > 40_000 && value < 10_000;
        if value <= last && !wrapped {
            self.complain(index, Some(format!("set the value {value} after {last}")));
        }
    }

    /// An output was seen to change.
    fn output(&mut self, index: usize, output: u8, value: u32, left: &[u32]) {
        let side = match (self.places[index].post.kind, output, value) {
            (NodeKind::Diverter, diverter::TURN_LEFT, 1) => Side::Left,
            (NodeKind::Diverter, diverter::TURN_RIGHT, 1) => Side::Right,
            _ => return,
        };
        let count = self.places[index].count_at(self.belt.counts(self.now));
        let wrong = self.ledger.arms.fire(index, side, count, left);
        self.complain(index, wrong);
    }

    /// A node has heard a second master: nothing of it may have had an effect.
    pub(super) fn usurped(&mut self, index: usize, before: &View, after: &View) {
        self.ledger.figures.usurpers += 1;
        let (old, new) = (&before.status, &after.status);
        let same = old.last_command == new.last_command
            && before.outputs == after.outputs
            && before.armed.tags() == after.armed.tags()
            && old.owner == new.owner
            && new.ring_used >= old.ring_used
            && new.lease_ms <= old.lease_ms;
        if !same {
            self.complain(index, Some(format!("obeyed a second master: {before:?} {after:?}")));
        }
    }
}
