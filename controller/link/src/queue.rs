//! The orders that wait for one node, and the one that is on its way.

use crate::encode::operation;
use crate::limits::{ARMS_QUEUED, CANCELS_QUEUED, RESYNCS};
use crate::map::CountMap;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use line_model::decision::ArmPlan;
use line_model::ids::Tag;
use registers::exchange::Operation;
use units::{Micros, Serial};

/// One thing that a node is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Queue an arm; energising.
    Arm(ArmPlan),
    /// Withdraw an arm; stopping.
    Cancel(Tag),
    /// Withdraw every arm; stopping.
    CancelAll,
    /// Set an output.
    Set {
        /// Output id of the node kind.
        output: u8,
        /// New value.
        value: u32,
        /// What waiting for the journal and a lost node mean for it.
        nature: Nature,
    },
}

/// What an output's new value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Starts or opens something: leaves after its record, dropped when the node is lost.
    Energising,
    /// Stops or closes something: leaves at once, kept until the node has it.
    Stopping,
    /// Shows something: leaves at once, told again when the node may have forgotten it.
    Showing,
}

/// An order that has been sent and not answered; repeated with the same sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flying {
    pub(crate) order: Order,
    pub(crate) operation: Operation,
    pub(crate) sequence: Serial,
    /// An arm whose latest instant has passed: it is not sent again, only asked after.
    pub(crate) overdue: bool,
    resyncs: u8,
}

impl Flying {
    /// The arm's plan, when it is one.
    pub(crate) const fn arm(&self) -> Option<&ArmPlan> {
        match &self.order {
            Order::Arm(plan) => Some(plan),
            Order::Cancel(_) | Order::CancelAll | Order::Set { .. } => None,
        }
    }

    /// Gives the order another number after "wrong sequence"; false when that has been tried often
    /// enough.
    pub(crate) fn renumber(&mut self, last_command: Serial) -> bool {
        self.sequence = last_command.next();
        self.resyncs += 1;
        self.resyncs <= RESYNCS
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting<T> {
    what: T,
    gate: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set {
    output: u8,
    value: u32,
    nature: Nature,
}

/// What may leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leave {
    /// The last record that is durable.
    pub(crate) durable: u64,
    /// Everything that the node had to tell has been read. Before that an output is not energised:
    /// its lease may have ended, and the line will want it to stay off.
    pub(crate) caught_up: bool,
}

impl Leave {
    fn takes(self, set: &Waiting<Set>) -> bool {
        let energises = set.what.nature == Nature::Energising;
        set.gate <= self.durable && (self.caught_up || !energises)
    }
}

/// How urgent a node's next order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Stops something.
    Stop,
    /// An arm, or an order that is on its way.
    Arm,
    /// Anything else.
    Other,
}

/// Orders of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    cancels: VecDeque<Tag>,
    cancel_all: bool,
    arms: VecDeque<Waiting<ArmPlan>>,
    sets: Vec<Waiting<Set>>,
    shown: Vec<Set>,
    pub(crate) flying: Option<Flying>,
}

/// What became of an order when it was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    /// It waits.
    Waits,
    /// An arm found the queue full.
    Full,
    /// The arm that it withdraws was never sent and is gone.
    NeverSent,
}

impl Queue {
    /// Queues an order that may leave once record `gate` is durable.
    pub(crate) fn push(&mut self, order: Order, gate: u64) -> Queued {
        match order {
            Order::Arm(_) if self.arms.len() >= ARMS_QUEUED => Queued::Full,
            Order::Arm(what) => {
                self.arms.push_back(Waiting { what, gate });
                Queued::Waits
            }
            Order::Cancel(tag) => self.cancel(tag),
            Order::CancelAll => {
                self.cancels.clear();
                self.cancel_all = true;
                Queued::Waits
            }
            Order::Set { output, value, nature } => {
                let gate = if nature == Nature::Energising { gate } else { 0 };
                self.set(Set { output, value, nature }, gate);
                Queued::Waits
            }
        }
    }

    fn cancel(&mut self, tag: Tag) -> Queued {
        let before = self.arms.len();
        self.arms.retain(|arm| arm.what.tag != tag);
        if self.arms.len() < before {
            return Queued::NeverSent;
        }
        if self.cancels.len() >= CANCELS_QUEUED {
            self.cancels.clear();
            self.cancel_all = true;
        }
        if !self.cancel_all {
            self.cancels.push_back(tag);
        }
        Queued::Waits
    }

    /// A later value of an output replaces one that has not been sent.
    fn set(&mut self, what: Set, gate: u64) {
        self.sets.retain(|set| set.what.output != what.output);
        if what.nature == Nature::Showing {
            self.shown.retain(|set| set.output != what.output);
            self.shown.push(what);
        }
        self.sets.push(Waiting { what, gate });
    }

    /// Queues again what the node shows, because it may have forgotten it.
    pub(crate) fn show_again(&mut self) {
        for what in self.shown.clone() {
            if self.sets.iter().all(|set| set.what.output != what.output) {
                self.sets.push(Waiting { what, gate: 0 });
            }
        }
    }

    /// How urgent the next order is that may leave now; `None` when none may.
    pub(crate) fn urgency(&self, leave: Leave) -> Option<Urgency> {
        let stops = |set: &Waiting<Set>| set.what.nature == Nature::Stopping;
        if self.flying.is_some() {
            let waits = self.cancel_all || !self.cancels.is_empty() || self.sets.iter().any(stops);
            Some(if waits { Urgency::Stop } else { Urgency::Arm })
        } else if self.cancel_all || !self.cancels.is_empty() || self.sets.iter().any(stops) {
            Some(Urgency::Stop)
        } else if self.arms.iter().any(|arm| arm.gate <= leave.durable) {
            Some(Urgency::Arm)
        } else {
            self.sets.iter().any(|set| leave.takes(set)).then_some(Urgency::Other)
        }
    }

    /// Puts the most urgent order that may leave on its way, under the number `next`, unless one
    /// is on its way already. Gives back an arm that `map` does not allow to be encoded.
    pub(crate) fn launch(
        &mut self,
        leave: Leave,
        next: Serial,
        map: Option<&CountMap>,
    ) -> Option<Tag> {
        while self.flying.is_none() {
            let order = self.take(leave)?;
            match (operation(&order, map), &order) {
                (Some(operation), _) => {
                    let (overdue, resyncs) = (false, 0);
                    let sequence = next;
                    self.flying = Some(Flying { order, operation, sequence, overdue, resyncs });
                }
                (None, Order::Arm(plan)) => return Some(plan.tag),
                (None, Order::Cancel(_) | Order::CancelAll | Order::Set { .. }) => {}
            }
        }
        None
    }

    fn take(&mut self, leave: Leave) -> Option<Order> {
        let set =
            |set: Set| Order::Set { output: set.output, value: set.value, nature: set.nature };
        let stop = self.sets.iter().position(|set| set.what.nature == Nature::Stopping);
        if let Some(at) = stop {
            return Some(set(self.sets.remove(at).what));
        }
        if core::mem::take(&mut self.cancel_all) {
            return Some(Order::CancelAll);
        }
        if let Some(tag) = self.cancels.pop_front() {
            return Some(Order::Cancel(tag));
        }
        if let Some(at) = self.arms.iter().position(|arm| arm.gate <= leave.durable) {
            return self.arms.remove(at).map(|arm| Order::Arm(arm.what));
        }
        let at = self.sets.iter().position(|set| leave.takes(set))?;
        Some(set(self.sets.remove(at).what))
    }

    /// Takes out the arms whose latest instant for sending has passed. One that was sent and not
    /// answered is overdue from now on.
    pub(crate) fn expire(&mut self, now: Micros) -> Vec<Tag> {
        if let Some(flying) = &mut self.flying {
            flying.overdue |= flying.arm().is_some_and(|arm| arm.send_by < now);
        }
        self.take_arms(|arm| arm.send_by < now)
    }

    /// The instant after which [`Self::expire`] finds an arm.
    pub(crate) fn next_deadline(&self) -> Option<Micros> {
        let sent = self.flying.iter().filter(|flying| !flying.overdue).filter_map(Flying::arm);
        let arms = self.arms.iter().map(|arm| &arm.what).chain(sent);
        arms.map(|arm| arm.send_by.plus(Micros(1))).min()
    }

    /// An overdue arm was not taken: its cancellation is sent under the number that it had, so that
    /// a copy of it that is still on its way can only be taken for a repetition.
    pub(crate) fn fence(&mut self, tag: Tag) {
        if !self.cancel_all {
            self.cancels.retain(|other| *other != tag);
            self.cancels.push_front(tag);
        }
    }

    fn take_arms(&mut self, which: impl Fn(&ArmPlan) -> bool) -> Vec<Tag> {
        if self.arms.is_empty() {
            return Vec::new();
        }
        let out = self.arms.iter().filter(|arm| which(&arm.what)).map(|arm| arm.what.tag).collect();
        self.arms.retain(|arm| !which(&arm.what));
        out
    }

    /// The node is lost: nothing that energises may reach it later by surprise.
    pub(crate) fn node_lost(&mut self) {
        self.sets.retain(|set| set.what.nature != Nature::Energising);
    }

    /// The node has restarted: its arms are gone with their cancellations. Returns the arms that
    /// were never sent.
    pub(crate) fn node_restarted(&mut self) -> Vec<Tag> {
        self.node_lost();
        self.flying = None;
        self.cancels.clear();
        self.cancel_all = false;
        self.take_arms(|_| true)
    }

    /// Orders that wait or fly.
    pub(crate) fn len(&self) -> usize {
        let on_way = usize::from(self.flying.is_some()) + usize::from(self.cancel_all);
        on_way + self.cancels.len() + self.arms.len() + self.sets.len()
    }
}
