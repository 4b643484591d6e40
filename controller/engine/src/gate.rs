//! Which records are durable, and whether the journal keeps up.

use alloc::collections::VecDeque;
use units::Micros;

/// Records that are not durable before events are left on their nodes; the nodes' rings then hold
/// what the host cannot.
const PENDING_MAX: usize = 10_000;

/// What the gate finds at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The oldest record has waited too long.
    Stalled,
    /// Everything that had waited then is durable, and nothing else has waited too long.
    Resumed,
}

/// Numbers of records, from their making until they are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    next: u64,
    durable: u64,
    pending: VecDeque<Micros>,
    /// The record before which everything must be durable for the stall to be over.
    stalled: Option<u64>,
    stall: Micros,
}

impl Gate {
    /// Starts with record `next`; everything before it is durable.
    pub(crate) fn new(next: u64, stall: Micros) -> Self {
        let durable = next.saturating_sub(1);
        Self { next, durable, pending: VecDeque::new(), stalled: None, stall }
    }

    /// Gives the next record its number.
    pub(crate) fn number(&mut self, now: Micros) -> u64 {
        let number = self.next;
        self.next += 1;
        self.pending.push_back(now);
        number
    }

    /// Every record up to `record` is durable. Numbers that were never given are ignored.
    pub(crate) fn durable(&mut self, record: u64) {
        let record = record.min(self.next - 1);
        while self.durable < record {
            self.durable += 1;
            self.pending.pop_front();
        }
    }

    /// Whether the journal has begun or ceased to stall; told once.
    pub(crate) fn change(&mut self, now: Micros) -> Option<Change> {
        let late = self.pending.front().is_some_and(|made| now.since(*made) > self.stall);
        match self.stalled {
            None if late => {
                self.stalled = Some(self.next - 1);
                Some(Change::Stalled)
            }
            Some(until) if self.durable >= until && !late => {
                self.stalled = None;
                Some(Change::Resumed)
            }
            None | Some(_) => None,
        }
    }

    /// When [`Self::change`] finds a stall, unless something becomes durable.
    pub(crate) fn next_deadline(&self) -> Option<Micros> {
        let oldest = self.pending.front().filter(|_| self.stalled.is_none());
        oldest.map(|made| made.plus(self.stall).plus(Micros(1)))
    }

    /// The last durable record.
    pub(crate) const fn last_durable(&self) -> u64 {
        self.durable
    }

    /// Records that are not durable.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Whether no more records can be kept.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= PENDING_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_told_once_and_ends_when_what_waited_is_durable() {
        let mut gate = Gate::new(1, Micros(500));
        assert_eq!((gate.number(Micros(0)), gate.number(Micros(400))), (1, 2));
        assert_eq!(gate.change(Micros(500)), None);
        assert_eq!(gate.next_deadline(), Some(Micros(501)));
        assert_eq!(gate.change(Micros(501)), Some(Change::Stalled));
        assert_eq!(gate.change(Micros(900)), None);
        assert_eq!(gate.number(Micros(901)), 3);
        gate.durable(1);
        assert_eq!(gate.change(Micros(902)), None);
        gate.durable(2);
        assert_eq!(gate.change(Micros(1_402)), None, "record 3 is late by now");
        assert_eq!(gate.change(Micros(903)), Some(Change::Resumed));
        assert_eq!((gate.last_durable(), gate.pending()), (2, 1));
        gate.durable(77);
        assert_eq!((gate.last_durable(), gate.pending()), (3, 0));
    }
}
