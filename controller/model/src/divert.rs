//! Arms: planned at the eye before the diverter, checked for gaps, followed to their end.

use crate::alarm::Alarm;
use crate::chute::Bar;
use crate::decision::{ArmPlan, Decision, ParcelEvent};
use crate::gaps::Room;
use crate::ids::{DiverterId, EyeId, ParcelId, Tag};
use crate::layout::ChuteRole;
use crate::limits;
use crate::line::{Line, tell};
use crate::live::Brief;
use crate::memory::{Arm, Mode};
use crate::packml::UnitMode;
use crate::parcel::{Choice, Confidence, Fate, Parcel, Stage};
use crate::reason::Reason;
use crate::signal::ArmEnd;
use crate::tracking::window::{Window, length_tolerance};
use alloc::vec;
use alloc::vec::Vec;
use units::{Distance, Micros, Position};

/// What is to be done about a parcel with a chute and no arm.
enum Step {
    Wait,
    Rechoose(Bar),
    /// Another parcel could come to the eye in its window.
    Unsure,
    TooClose,
    Arm(ArmPlan, Choice),
}

impl Line {
    /// Window of a parcel's head at a diverter's arrival eye.
    fn arm_window(&self, parcel: &Parcel, diverter: DiverterId) -> Option<Window> {
        let eye = self.layout.diverter(diverter).eye;
        parcel.expected(&self.layout, &self.memory.nodes, eye)
    }

    /// Latest instant at which an arm for this parcel may leave; `None` when the belt was never seen.
    pub(crate) fn send_by(&self, parcel: &Parcel, diverter: DiverterId) -> Option<Micros> {
        let from = self.arm_window(parcel, diverter)?.from;
        let way = from.since(self.belt_now(self.memory.now)?);
        let lead = self.layout.limits.arm_lead;
        let send_by = |leaves: Micros| leaves.plus(self.time_for(way)).minus(lead);
        if let Some(starts) = self.memory.machine.mode.warned_until() {
            return Some(send_by(starts));
        }
        // Behind the window's start there is no time at all, not even this instant.
        Some(if way.0 > 0 { send_by(self.memory.now) } else { Micros(0) })
    }

    /// Plans every arm whose time has come.
    pub(crate) fn plan_arms(&mut self, out: &mut Vec<Decision>) {
        // In maintenance hands are at the wheels.
        if self.memory.unit_mode == UnitMode::Maintenance {
            return;
        }
        let off: Vec<DiverterId> = self.diverters_off();
        // Everybody else waits, whatever happens to those before them in this loop.
        let may = |brief: &Brief| {
            let off = brief.diverter.is_none_or(|diverter| off.contains(&diverter));
            brief.stage == Stage::Assigned && (brief.at_diverter || off)
        };
        let waiting = self.memory.live.pick(may, |parcel| self.has_step(parcel));
        let waiting: Vec<ParcelId> = waiting.map(|parcel| parcel.id).collect();
        for id in waiting {
            match self.arm_step(id) {
                Step::Wait => {}
                Step::Rechoose(why) => self.rechoose(id, why, out),
                Step::Unsure => self.rechoose_unsure(id, out),
                Step::TooClose => self.send_to_end(id, Reason::GapTooSmall, out),
                Step::Arm(plan, choice) => self.arm(id, plan, choice, out),
            }
        }
    }

    /// Whether anything is to be done about a parcel: the eye before its diverter was the last one
    /// to see it, or that diverter is off.
    fn has_step(&self, parcel: &Parcel) -> bool {
        let choice = match &parcel.fate {
            Fate::Assigned(choice) => choice,
            Fate::Open
            | Fate::Armed { .. }
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => return false,
        };
        self.diverter_of(choice).is_none_or(|diverter| {
            let eye = self.layout.diverter(diverter).eye;
            parcel.last().eye.0 + 1 == eye.0 || !self.diverter_on(diverter)
        })
    }

    /// Whether arms may be planned in this state of the line.
    fn arming(&self) -> bool {
        let running = match self.memory.machine.mode {
            Mode::Warning { .. }
            | Mode::Ramping { .. }
            | Mode::UnholdWarning { .. }
            | Mode::UnholdRamping { .. }
            | Mode::WakeWarning { .. }
            | Mode::WakeRamping { .. }
            | Mode::Execute
            | Mode::Completing { .. } => true,
            Mode::Stopped
            | Mode::Resetting
            | Mode::Idle
            | Mode::Held
            | Mode::Holding { .. }
            | Mode::Suspending { .. }
            | Mode::Suspended
            | Mode::Emptied { .. }
            | Mode::Completed
            | Mode::Stopping { .. }
            | Mode::Aborting { .. }
            | Mode::Aborted
            | Mode::Clearing => false,
        };
        running && !self.memory.stalled && self.memory.arms.len() < limits::ARMS_MAX
    }

    fn arm_step(&self, id: ParcelId) -> Step {
        let Some(parcel) = self.memory.live.get(&id) else { return Step::Wait };
        let Some(choice) = parcel.fate.choice() else { return Step::Wait };
        let Some(chute) = self.layout.chute(choice.chute) else {
            return Step::Rechoose(Bar::Off);
        };
        let place = self.layout.diverter(chute.diverter);
        if !self.diverter_on(chute.diverter) {
            return Step::Rechoose(Bar::Off);
        }
        if parcel.last().eye.0 + 1 != place.eye.0 || !parcel.certain() || !self.arming() {
            return Step::Wait;
        }
        let (Some(length), Some(window), Some(send_by)) = (
            parcel.track.length,
            self.arm_window(parcel, chute.diverter),
            self.send_by(parcel, chute.diverter),
        ) else {
            return Step::Wait;
        };
        let late = send_by < self.memory.now;
        if self.contested(parcel, place.eye) {
            // Whoever comes to the eye first may still settle it.
            return if late { Step::Unsure } else { Step::Wait };
        }
        if late {
            return Step::Rechoose(Bar::Late);
        }
        match self.room(parcel, chute.diverter) {
            Room::NotYetKnown => return Step::Wait,
            Room::TooSmall => return Step::TooClose,
            Room::Enough => {}
        }
        let least = Distance(length.0 - length_tolerance(&self.layout.limits, length).0);
        let way_to_bed = Distance(place.eye_to_bed.0 - place.delay.0);
        let plan = ArmPlan {
            tag: Tag(self.memory.next_tag),
            diverter: chute.diverter,
            side: chute.side,
            parcel: id,
            from: window.from,
            to: window.to,
            length_min: least.max(Distance(0)),
            delay: place.delay,
            release: way_to_bed.plus(length).plus(place.bed),
            send_by,
        };
        Step::Arm(plan, choice.clone())
    }

    fn arm(&mut self, id: ParcelId, plan: ArmPlan, choice: Choice, out: &mut Vec<Decision>) {
        let (tag, diverter) = (plan.tag, plan.diverter);
        let armed = self.change(id, |parcel| parcel.fate = Fate::Armed { choice, tag });
        if armed.is_none() {
            return;
        }
        self.memory.next_tag = self.memory.next_tag.wrapping_add(1);
        self.memory.counters.arms += 1;
        self.memory.arms.insert(tag, Arm { plan: plan.clone(), taken: false, cancelled: false });
        out.push(Decision::Arm(plan));
        tell(out, id, ParcelEvent::Armed { tag, diverter });
    }

    /// Asks a parcel's arm back.
    pub(crate) fn cancel_arm_of(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        let tag = self.memory.live.get(&id).and_then(|parcel| match parcel.fate {
            Fate::Armed { tag, .. } => Some(tag),
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => None,
        });
        if let Some(tag) = tag {
            self.cancel_arm(tag, out);
        }
    }

    /// Takes the arm of a parcel back while there is time, so that it can be planned again; without
    /// an arm, or once it was fired, nothing happens.
    pub(crate) fn withdraw(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let (choice, tag) = match &parcel.fate {
            Fate::Armed { choice, tag } => (choice.clone(), *tag),
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => return,
        };
        self.change(id, |parcel| parcel.fate = Fate::Assigned(choice));
        self.cancel_arm(tag, out);
    }

    /// Asks an arm back.
    pub(crate) fn cancel_arm(&mut self, tag: Tag, out: &mut Vec<Decision>) {
        let Some(arm) = self.memory.arms.get_mut(&tag) else { return };
        if !arm.cancelled {
            arm.cancelled = true;
            out.push(Decision::CancelArm { diverter: arm.plan.diverter, tag });
        }
    }

    /// What a new sighting at `eye` decides.
    pub(crate) fn seen_decides(&mut self, id: ParcelId, eye: EyeId, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let arrival = parcel.fate.choice().and_then(|choice| {
            self.diverter_of(choice).map(|diverter| self.layout.diverter(diverter).eye)
        });
        let last_arrival = self.layout.diverters.last().map(|diverter| diverter.eye);
        match (&parcel.fate, arrival) {
            (Fate::Open, _) => {
                let reason = parcel.identity.late();
                if last_arrival.is_none_or(|last| eye >= last) {
                    self.send_to_end(id, reason, out);
                } else if !reason.may_pass() && self.last_before_exceptions(eye) {
                    self.set_aside(id, reason, out);
                }
            }
            (Fate::Assigned(_), Some(arrival)) if eye >= arrival => {
                // Its arm was taken back because another one could have come first.
                if parcel.certain() {
                    self.rechoose(id, Bar::Late, out);
                } else {
                    self.rechoose_unsure(id, out);
                }
            }
            (Fate::Armed { .. }, Some(arrival)) if eye > arrival => {
                self.send_to_end(id, Reason::NotSeen, out);
            }
            // Its chute's eye says that it left, this one that it did not: a person has to look.
            (Fate::Fired { choice, pulse: Some(_), .. }, Some(arrival)) if eye > arrival => {
                let chute = choice.chute;
                self.unconfirm(id, chute, out);
            }
            (Fate::Fired { .. }, Some(arrival)) if eye > arrival => {
                self.give_up(id, Reason::DivertFailed, out);
            }
            (Fate::MayHaveFired { reason, .. }, Some(arrival)) if eye > arrival => {
                let reason = *reason;
                self.give_up(id, reason, out);
            }
            (
                Fate::Assigned(_)
                | Fate::Armed { .. }
                | Fate::Fired { .. }
                // Seen before the bed: it may still be diverted there, the next eye tells.
                | Fate::MayHaveFired { .. }
                | Fate::ToEnd { .. },
                _,
            ) => {}
        }
    }

    /// Whether the next eye is that of the general exceptions' diverter. Not so at the tunnel's exit,
    /// where the reader may still answer.
    fn last_before_exceptions(&self, eye: EyeId) -> bool {
        let chute = self.layout.role(ChuteRole::GeneralExceptions);
        let arrival = chute.map(|chute| self.layout.diverter(chute.diverter).eye);
        eye > EyeId(1) && arrival.is_some_and(|arrival| arrival.0 == eye.0 + 1)
    }

    /// Takes the node's answer to an arm.
    pub(crate) fn arm_answered(&mut self, tag: Tag, taken: bool, out: &mut Vec<Decision>) {
        if taken {
            match self.memory.arms.get_mut(&tag) {
                Some(arm) => arm.taken = true,
                None => self.memory.counters.unknown_arms += 1,
            }
        } else {
            self.drop_arm(tag, Reason::ArmRefused, out);
        }
    }

    /// Takes word that an arm was never sent.
    pub(crate) fn withheld(&mut self, tag: Tag, out: &mut Vec<Decision>) {
        self.drop_arm(tag, Reason::ArmLate, out);
    }

    /// Forgets an arm that did not fire; its parcel goes to the end.
    fn drop_arm(&mut self, tag: Tag, reason: Reason, out: &mut Vec<Decision>) {
        match self.memory.arms.remove(&tag) {
            Some(arm) => {
                self.give_up_if_armed(arm.plan.parcel, tag, reason, out);
            }
            None => self.memory.counters.unknown_arms += 1,
        }
    }

    /// Sends a parcel to the end if this very arm is still meant for it.
    pub(crate) fn give_up_if_armed(
        &mut self,
        id: ParcelId,
        tag: Tag,
        reason: Reason,
        out: &mut Vec<Decision>,
    ) {
        if self.armed_with(id, tag) {
            self.send_to_end(id, reason, out);
        }
    }

    fn armed_with(&self, id: ParcelId, arm: Tag) -> bool {
        self.memory.live.get(&id).is_some_and(|parcel| match parcel.fate {
            Fate::Armed { tag, .. } => tag == arm,
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => false,
        })
    }

    /// Takes the end of an accepted arm.
    pub(crate) fn arm_ended(
        &mut self,
        tag: Tag,
        end: ArmEnd,
        at: Position,
        out: &mut Vec<Decision>,
    ) {
        match end {
            ArmEnd::Fired { edge } => match self.memory.arms.remove(&tag) {
                Some(arm) => self.fired(&arm, edge, at, out),
                None => self.memory.counters.unknown_arms += 1,
            },
            ArmEnd::Restarted => match self.memory.arms.remove(&tag) {
                Some(arm) => self.arm_untold(&arm, Reason::Restarted, out),
                None => self.memory.counters.unknown_arms += 1,
            },
            ArmEnd::Expired => self.drop_arm(tag, Reason::NotSeen, out),
            ArmEnd::Ambiguous => self.drop_arm(tag, Reason::Ambiguous, out),
            ArmEnd::Locked => self.drop_arm(tag, Reason::ChuteLocked, out),
            ArmEnd::Short => self.drop_arm(tag, Reason::LengthMismatch, out),
            ArmEnd::Busy => self.drop_arm(tag, Reason::BedBusy, out),
            ArmEnd::Cancelled | ArmEnd::LeaseExpired => {
                self.drop_arm(tag, Reason::Cancelled, out);
            }
        }
    }

    /// The choice that an arm carried out; its parcel's own while that still stands.
    fn choice_of(&self, arm: &Arm) -> Option<Choice> {
        let chute = self.layout.chute_at(arm.plan.diverter, arm.plan.side)?.number;
        let own = self.memory.live.get(&arm.plan.parcel).and_then(|parcel| parcel.fate.choice());
        Some(own.filter(|choice| choice.chute == chute).cloned().unwrap_or_else(|| Choice {
            chute,
            allowed: vec![chute],
            alternate: false,
            reason: None,
        }))
    }

    /// The bed was fired for the head at `edge`.
    fn fired(&mut self, arm: &Arm, edge: Position, at: Position, out: &mut Vec<Decision>) {
        let Some(choice) = self.choice_of(arm) else { return };
        self.force_stretch(self.layout.diverter(arm.plan.diverter).eye, edge, out);
        let (tag, id) = (arm.plan.tag, arm.plan.parcel);
        let place = self.layout.diverter(arm.plan.diverter);
        let (eye, node) = (place.eye, place.node);
        let spread = self.memory.nodes[usize::from(node.0)].spread;
        let same = self.layout.counts(limits::SAME_EDGE).plus(spread);
        let owner = self.seen_near(eye, edge, same);
        let planned = Window { from: arm.plan.from, to: arm.plan.to }.widened(same);
        let mine = self.memory.live.get(&id);
        match owner {
            Some(owner) if owner != id => {
                // Another parcel ran into this one's window and was taken for it.
                self.mistaken(owner, choice, Reason::Uncertain, out);
                self.doubt(id, Reason::Uncertain, out);
                self.raise(Alarm::Ghost(node), out);
                return;
            }
            Some(_) => {}
            None if mine.is_some_and(|me| me.last().eye < eye) && planned.holds(edge) => {
                self.see(id, eye, edge, spread, out);
            }
            None => {
                self.doubt(id, Reason::Uncertain, out);
                self.raise(Alarm::Ghost(node), out);
                return;
            }
        }
        let Some(parcel) = self.memory.live.get(&id) else { return };
        if parcel.last().eye > eye {
            // Its next eye spoke before this node did: it is still on the belt.
            self.give_up(id, Reason::DivertFailed, out);
            return;
        }
        let chute = choice.chute;
        let fate = Fate::Fired { choice, at, pulse: None, shared: None, among_hands: false };
        self.change(id, |parcel| parcel.fate = fate);
        tell(out, id, ParcelEvent::Fired { tag, chute });
    }

    /// Somebody may have been diverted without having been meant.
    fn mistaken(&mut self, id: ParcelId, choice: Choice, reason: Reason, out: &mut Vec<Decision>) {
        self.cancel_arm_of(id, out);
        self.change(id, |parcel| {
            parcel.confidence = Confidence::Uncertain;
            parcel.fate = Fate::MayHaveFired { choice, reason };
        });
    }

    /// The end of this arm will never be told: the node restarted, or its word was lost.
    pub(crate) fn arm_untold(&mut self, arm: &Arm, reason: Reason, out: &mut Vec<Decision>) {
        let id = arm.plan.parcel;
        let reached =
            self.belt_now(self.memory.now).is_some_and(|belt| belt.since(arm.plan.from).0 >= 0);
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let passed = parcel.last().eye > self.layout.diverter(arm.plan.diverter).eye;
        match &parcel.fate {
            Fate::Armed { .. } | Fate::ToEnd { .. } if reached && !passed => {
                if let Some(choice) = self.choice_of(arm) {
                    self.mistaken(id, choice, reason, out);
                }
            }
            Fate::Armed { .. } => self.doubt(id, reason, out),
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => {}
        }
    }

    /// The arm's node is silent and its parcel is past it.
    pub(crate) fn arm_unknown(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        let arm = self.memory.live.get(&id).and_then(|parcel| self.open_arm(parcel)).cloned();
        let Some(arm) = arm else { return };
        let Some(choice) = self.choice_of(&arm) else {
            self.memory.arms.remove(&arm.plan.tag);
            return;
        };
        self.doubt(id, Reason::Uncertain, out);
        self.mistaken(id, choice, Reason::Uncertain, out);
    }

    /// Belt position by which the end of an arm must have been told.
    pub(crate) fn arm_end(&self, arm: &Arm) -> Position {
        let node = self.layout.diverter(arm.plan.diverter).node;
        let spread = self.memory.nodes[usize::from(node.0)].spread;
        let grace = self.layout.counts(limits::ARM_GRACE);
        arm.plan.to.plus(arm.plan.delay).plus(grace).plus(spread)
    }

    /// Forgets arms that were never taken: their node has been heard past them without an end.
    pub(crate) fn purge_arms(&mut self, out: &mut Vec<Decision>) {
        let over: Vec<Tag> = self
            .memory
            .arms
            .values()
            .filter(|arm| {
                let node = self.layout.diverter(arm.plan.diverter).node;
                self.heard(node, self.arm_end(arm)) && self.diverter_on(arm.plan.diverter)
            })
            .map(|arm| arm.plan.tag)
            .collect();
        for tag in over {
            let Some(arm) = self.memory.arms.get(&tag) else { continue };
            let node = self.layout.diverter(arm.plan.diverter).node;
            let untold = arm.taken || self.blind(node, arm.plan.from);
            if untold && let Some(arm) = self.memory.arms.remove(&tag) {
                // Its end was among lost events: it may have fired.
                self.arm_untold(&arm, Reason::Uncertain, out);
            } else {
                self.drop_arm(tag, Reason::ArmLate, out);
            }
        }
    }
}
