//! Nodes, journal and controller: what their coming, going and silence means for parcels.

use crate::alarm::Alarm;
use crate::chute::ChuteCause;
use crate::decision::Decision;
use crate::ids::{DiverterId, EyeId, NodeId, ParcelId, Tag};
use crate::layout::{Duty, EyePlace};
use crate::line::Line;
use crate::memory::Mode;
use crate::packml::StateReason;
use crate::parcel::Parcel;
use crate::reason::Reason;
use alloc::vec::Vec;
use units::{Distance, Micros};

impl Line {
    fn known(&self, node: NodeId) -> bool {
        usize::from(node.0) < self.layout.nodes.len()
    }

    /// Takes word that a node is reachable and was checked.
    pub(crate) fn node_up(&mut self, node: NodeId, restarted: bool, out: &mut Vec<Decision>) {
        if !self.known(node) {
            return;
        }
        let was_up = core::mem::replace(&mut self.memory.nodes[usize::from(node.0)].up, true);
        self.clear(Alarm::NodeDown(node), out);
        if restarted {
            self.go_blind(node);
            self.forget_eyes(node, out);
            self.arms_gone(node, out);
            if node == self.reference() {
                self.begin_pace(self.memory.now.plus(self.layout.limits.ramp));
                self.doubt_all(Reason::Restarted, out);
            }
            self.doubt_at(node, Reason::Restarted, out);
        }
        if restarted || !was_up {
            self.reissue(node, out);
            self.turn_chutes(ChuteCause::Node, out);
        }
    }

    /// Up to here the node's silence proves nothing.
    fn go_blind(&mut self, node: NodeId) {
        let belt = self.belt_now(self.memory.now);
        let memory = &mut self.memory.nodes[usize::from(node.0)];
        if belt.is_some() {
            memory.blind = belt;
        }
    }

    /// Every arm of a node that restarted.
    fn arms_gone(&mut self, node: NodeId, out: &mut Vec<Decision>) {
        let tags: Vec<Tag> = self
            .memory
            .arms
            .values()
            .filter(|arm| self.layout.diverter(arm.plan.diverter).node == node)
            .map(|arm| arm.plan.tag)
            .collect();
        for tag in tags {
            if let Some(arm) = self.memory.arms.remove(&tag) {
                self.arm_untold(&arm, Reason::Restarted, out);
            }
        }
    }

    /// Makes those uncertain that are under an eye of this node or on their way to one.
    ///
    /// Whoever may be in a chute already is left to the eyes behind it.
    fn doubt_at(&mut self, node: NodeId, reason: Reason, out: &mut Vec<Decision>) {
        let here = |eye: &EyePlace| eye.node == node;
        let under = |parcel: &Parcel| {
            parcel.last().tail.is_none() && here(self.layout.eye(parcel.last().eye))
        };
        let hit: Vec<ParcelId> = self
            .memory
            .live
            .values()
            .filter(|parcel| !self.maybe_gone(&parcel.fate))
            .filter(|parcel| {
                let next = self.layout.eyes.get(usize::from(parcel.track.next));
                next.is_some_and(here) || under(parcel)
            })
            .map(|parcel| parcel.id)
            .collect();
        for id in hit {
            self.doubt(id, reason, out);
        }
    }

    /// Makes everybody uncertain.
    pub(crate) fn doubt_all(&mut self, reason: Reason, out: &mut Vec<Decision>) {
        let all: Vec<ParcelId> = self.memory.live.keys().copied().collect();
        for id in all {
            self.doubt(id, reason, out);
        }
    }

    /// Takes word that a node is gone.
    pub(crate) fn node_down(&mut self, node: NodeId, out: &mut Vec<Decision>) {
        if !self.known(node) {
            return;
        }
        self.memory.nodes[usize::from(node.0)].up = false;
        self.turn_chutes(ChuteCause::Node, out);
        self.raise(Alarm::NodeDown(node), out);
        if self.layout.nodes[usize::from(node.0)].duty == Duty::Essential {
            self.hold(StateReason::NodeDown(node), out);
        }
    }

    /// Takes word that events of a node are gone.
    pub(crate) fn events_lost(&mut self, node: NodeId, entries: u16, out: &mut Vec<Decision>) {
        if !self.known(node) {
            return;
        }
        self.memory.counters.events_lost += u64::from(entries);
        self.raise(Alarm::EventsLost(node), out);
        self.go_blind(node);
        self.forget_eyes(node, out);
        self.doubt_at(node, Reason::Uncertain, out);
    }

    /// Takes word of how exactly a node's counts are known from now on.
    pub(crate) fn map_spread(&mut self, node: NodeId, spread: Distance) {
        if let Some(memory) = self.memory.nodes.get_mut(usize::from(node.0)) {
            memory.spread = spread;
        }
    }

    /// Takes word that a node's positions were off.
    ///
    /// Whoever was seen by it last may stand that much elsewhere; beyond the tolerance of tracking
    /// nobody who has to do with it is certain any more. When it is the reference, that is everybody.
    pub(crate) fn encoder_drift(&mut self, node: NodeId, by: Distance, out: &mut Vec<Decision>) {
        if !self.known(node) {
            return;
        }
        self.raise(Alarm::EncoderDrift(node), out);
        let (by, all) = (by.abs(), node == self.reference());
        if all {
            self.memory.pace = None;
        }
        let layout = &self.layout;
        self.memory.live.change_all(layout, |parcel| {
            if all || layout.eye(parcel.last().eye).node == node {
                parcel.track.slack = parcel.track.slack.max(by);
            }
        });
        if by > self.layout.limits.tolerance {
            if all {
                self.doubt_all(Reason::Uncertain, out);
            } else {
                self.lose_mistaken(node, out);
            }
            self.doubt_at(node, Reason::Uncertain, out);
        }
    }

    /// An edge that far off stands where a neighbour's would: whoever was in doubt already and was
    /// seen by this node last may be somebody else, so that nobody has seen it there.
    fn lose_mistaken(&mut self, node: NodeId, out: &mut Vec<Decision>) {
        let doubted = self.memory.live.values().filter(|parcel| {
            let known = parcel.certain() || parcel.track.seen.len() < 2;
            !known && !self.maybe_gone(&parcel.fate)
        });
        let seen = doubted.map(|parcel| (parcel.id, parcel.last().eye));
        let here: Vec<(ParcelId, EyeId)> =
            seen.filter(|(_, eye)| self.layout.eye(*eye).node == node).collect();
        for (id, eye) in here {
            self.memory.live.change(&self.layout, id, |parcel| {
                parcel.track.seen.pop();
            });
            self.lose(id, eye, out);
        }
    }

    /// Takes word that a node fell to its safe state; the ends of its arms are told by events.
    pub(crate) fn lease_expired(&mut self, node: NodeId, out: &mut Vec<Decision>) {
        if !self.known(node) {
            return;
        }
        self.raise(Alarm::LeaseExpired(node), out);
        self.end_jog(out);
        if self.layout.nodes[usize::from(node.0)].duty == Duty::Essential {
            self.hold(StateReason::LeaseExpired(node), out);
            self.reissue(node, out);
        }
    }

    /// Takes the arms that still wait on a node after a restart of the controller.
    pub(crate) fn adopted(&mut self, node: NodeId, tags: &[Tag], out: &mut Vec<Decision>) {
        let diverter = self
            .layout
            .diverters
            .iter()
            .position(|diverter| diverter.node == node)
            .and_then(|index| u8::try_from(index).ok())
            .map(DiverterId);
        let Some(diverter) = diverter else { return };
        for tag in tags {
            match self.memory.arms.get_mut(tag) {
                Some(arm) => {
                    arm.taken = true;
                    // It was asked back, and the node did not hear it.
                    if arm.cancelled {
                        out.push(Decision::CancelArm { diverter: arm.plan.diverter, tag: *tag });
                    }
                }
                // Nobody remembers why it was armed.
                None => out.push(Decision::CancelArm { diverter, tag: *tag }),
            }
        }
    }

    /// The journal does not keep up: nothing new comes in and nothing new is armed.
    pub(crate) fn stalled(&mut self, out: &mut Vec<Decision>) {
        self.memory.stalled = true;
        self.raise(Alarm::CommitsStalled, out);
    }

    /// The journal keeps up again.
    pub(crate) fn commits_resumed(&mut self, out: &mut Vec<Decision>) {
        self.memory.stalled = false;
        self.nobody_listened();
        self.clear(Alarm::CommitsStalled, out);
    }

    /// The controller is back: it goes on only when nobody can have noticed.
    pub(crate) fn resumed(&mut self, gap: Micros, out: &mut Vec<Decision>) {
        self.end_jog(out);
        self.commits_resumed(out);
        self.ask_again(out);
        let reason = StateReason::AwayTooLong;
        match self.memory.machine.mode {
            Mode::Execute if gap <= self.layout.limits.lease => {}
            Mode::Stopped | Mode::Aborted | Mode::Completed => {}
            Mode::Aborting { .. } => {
                self.stop_belts(out);
                self.enter(Mode::Aborted, reason, out);
            }
            Mode::Stopping { .. } | Mode::Clearing => {
                self.stop_belts(out);
                self.enter(Mode::Stopped, reason, out);
            }
            Mode::Resetting
            | Mode::Idle
            | Mode::Warning { .. }
            | Mode::Ramping { .. }
            | Mode::Execute
            | Mode::Held
            | Mode::Holding { .. }
            | Mode::UnholdWarning { .. }
            | Mode::UnholdRamping { .. }
            | Mode::Suspending { .. }
            | Mode::Suspended
            | Mode::WakeWarning { .. }
            | Mode::WakeRamping { .. }
            | Mode::Completing { .. }
            | Mode::Emptied { .. } => {
                self.stop_belts(out);
                // Nothing moved while nobody was there: the acting state is over at once.
                self.enter(Mode::Stopping { until: self.memory.now }, reason, out);
                self.enter(Mode::Stopped, reason, out);
            }
        }
        self.say_again(out);
    }

    /// Says every output again: the controller may have died between deciding one and sending it.
    /// Saying the same twice changes nothing on a node.
    fn say_again(&mut self, out: &mut Vec<Decision>) {
        let nodes = u8::try_from(self.layout.nodes.len()).unwrap_or(u8::MAX);
        (0..nodes).for_each(|node| self.reissue(NodeId(node), out));
        let lamps = self.memory.at_chutes.iter();
        out.extend(
            lamps.map(|(chute, memory)| Decision::Lamp { chute: *chute, lamp: memory.lamp }),
        );
    }

    /// An input was set aside: nothing is certain any more.
    pub(crate) fn quarantined(&mut self, out: &mut Vec<Decision>) {
        self.memory.counters.quarantined += 1;
        self.raise(Alarm::InputQuarantined, out);
        self.end_jog(out);
        self.doubt_all(Reason::Uncertain, out);
        self.cancel_all(Reason::Uncertain, out);
    }
}
