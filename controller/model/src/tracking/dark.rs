//! Eyes that stayed dark: who should have been seen and was not, and what that proves.

use crate::decision::{Decision, ParcelEvent};
use crate::ids::{DiverterId, EyeId, NodeId, ParcelId};
use crate::limits;
use crate::line::{Line, tell};
use crate::live::{Ahead, Brief};
use crate::memory::{Arm, Under};
use crate::parcel::{Choice, Fate, OpenKind, Parcel, Stage};
use crate::reason::Reason;
use alloc::vec::Vec;
use units::{Distance, Position};

/// What the silence of the next eye says about a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// Nothing yet.
    Open,
    /// The next eye's window passed without it, and the eye was alive.
    Dark,
    /// The next eye's window passed without it, and the eye may have been blind.
    Blind,
    /// No eye is left.
    Gone,
    /// It passed the end eye; its tail was not told.
    PassedEnd,
    /// Its arm's end is not known and its node is silent.
    ArmUnknown,
}

impl Line {
    /// The node whose word counts for `node`: itself, or the sorter belt's while it is down.
    pub(crate) fn listener(&self, node: NodeId) -> NodeId {
        if self.memory.nodes[usize::from(node.0)].up { node } else { self.reference() }
    }

    /// The node of the sorter belt.
    pub(crate) fn reference(&self) -> NodeId {
        self.layout.zones.last().map_or(NodeId(0), |zone| zone.node)
    }

    /// Whether `node`, or who speaks for it, has been heard up to `at`.
    pub(crate) fn heard(&self, node: NodeId, at: Position) -> bool {
        let listener = self.listener(node);
        let heard = self.memory.nodes[usize::from(listener.0)].heard;
        heard.is_some_and(|heard| heard.since(at).0 >= 0)
    }

    /// Whether silence of `node` from `at` on proves nothing.
    pub(crate) fn blind(&self, node: NodeId, at: Position) -> bool {
        let memory = &self.memory.nodes[usize::from(node.0)];
        !memory.up || memory.blind.is_some_and(|blind| blind.since(at).0 >= 0)
    }

    /// Draws every conclusion that the silence of eyes allows.
    ///
    /// Bounded: each step takes a parcel one eye on or off the belt.
    pub(crate) fn settle_dark(&mut self, out: &mut Vec<Decision>) {
        let down = self.memory.nodes.iter().any(|node| !node.up);
        let heard = self.all_heard();
        let may = |brief: &Brief| self.may_be_dark(brief, &heard, down);
        let due = self.memory.live.pick(may, |parcel| self.step_dark(parcel));
        let due: Vec<ParcelId> = due.map(|parcel| parcel.id).collect();
        for id in due {
            while self.memory.live.get(&id).is_some_and(|parcel| self.step_dark(parcel)) {
                self.conclude(id, out);
            }
        }
    }

    /// Whether silence may say something about a parcel, with nodes `heard` so far, and some of them
    /// `down` or none.
    fn may_be_dark(&self, brief: &Brief, heard: &[Option<Position>], down: bool) -> bool {
        let armed = match brief.stage {
            Stage::Armed | Stage::ToEnd => true,
            Stage::Open | Stage::Assigned | Stage::Fired | Stage::MayHaveFired => false,
        };
        let told = |next: &Ahead| {
            let node = usize::from(self.layout.eye(next.eye).node.0);
            heard[node].is_some_and(|heard| heard.since(brief.nominal(next)).0 >= 0)
        };
        armed && down || brief.next.as_ref().is_none_or(told)
    }

    /// How far each node, or who speaks for it, was heard.
    fn all_heard(&self) -> Vec<Option<Position>> {
        let nodes = (0u8..).map(NodeId).take(self.memory.nodes.len());
        nodes.map(|node| self.memory.nodes[usize::from(self.listener(node).0)].heard).collect()
    }

    /// Whether silence changes something for this parcel now.
    fn step_dark(&self, parcel: &Parcel) -> bool {
        match self.silence(parcel) {
            Silence::Open => false,
            Silence::Blind | Silence::Gone | Silence::PassedEnd | Silence::ArmUnknown => true,
            Silence::Dark => match &parcel.fate {
                Fate::Fired { choice, at, pulse, .. } => {
                    self.landing_over(choice, *at) && self.rival_told(parcel)
                        || pulse.is_some() && self.rival(parcel).is_none()
                }
                Fate::Open
                | Fate::Assigned(_)
                | Fate::Armed { .. }
                | Fate::MayHaveFired { .. }
                | Fate::ToEnd { .. } => true,
            },
        }
    }

    /// Whether no landing pulse can come any more for a firing at `at`.
    fn landing_over(&self, choice: &Choice, at: Position) -> bool {
        self.layout.chute(choice.chute).is_none_or(|chute| {
            let diverter = self.layout.diverter(chute.diverter);
            self.heard(diverter.node, at.plus(diverter.landing_to).plus(Distance(1)))
        })
    }

    /// Whoever was fired behind this parcel to the same chute, has no pulse of its own, and could have
    /// cut the landing eye where this one's pulse came: one of the two may have been taken off.
    fn rival(&self, parcel: &Parcel) -> Option<&Parcel> {
        let Fate::Fired { choice, pulse: Some(pulse), .. } = &parcel.fate else { return None };
        let place = self.layout.diverter(self.layout.chute(choice.chute)?.diverter);
        let unconfirmed = OpenKind::Unconfirmed { chute: choice.chute };
        let is = |other: &Parcel| match &other.fate {
            Fate::Fired { choice: theirs, at, pulse: None, shared: None, .. } => {
                let way = pulse.since(*at);
                theirs.chute == choice.chute && place.landing_from <= way && way <= place.landing_to
            }
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Armed { .. }
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => false,
        };
        let fired = |brief: &Brief| brief.stage == Stage::Fired;
        let mut live = self.memory.live.pick(fired, |other| other.id >= parcel.id && is(other));
        let open = self.memory.open.range(parcel.id..).map(|(_, open)| open);
        let open = open.filter(|open| open.kind == unconfirmed).map(|open| &open.parcel);
        live.next().or_else(|| open.into_iter().find(|other| is(other)))
    }

    /// Whether no pulse can come any more for whoever may have cut the landing eye in place of this
    /// parcel.
    fn rival_told(&self, parcel: &Parcel) -> bool {
        self.rival(parcel).is_none_or(|rival| match &rival.fate {
            Fate::Fired { choice, at, .. } => self.landing_over(choice, *at),
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Armed { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => true,
        })
    }

    /// An arm of this parcel whose end has not been heard, at a diverter that it passed already.
    pub(crate) fn open_arm(&self, parcel: &Parcel) -> Option<&Arm> {
        let arm = match &parcel.fate {
            Fate::Armed { tag, .. } => self.memory.arms.get(tag),
            // Its arm was asked back, perhaps too late.
            Fate::ToEnd { .. } => {
                self.memory.arms.values().find(|arm| arm.plan.parcel == parcel.id)
            }
            Fate::Open | Fate::Assigned(_) | Fate::Fired { .. } | Fate::MayHaveFired { .. } => None,
        };
        arm.filter(|arm| {
            let eye = self.layout.diverter(arm.plan.diverter).eye;
            eye.0 < parcel.track.next && parcel.last().eye <= eye
        })
    }

    fn silence(&self, parcel: &Parcel) -> Silence {
        if let Some(arm) = self.open_arm(parcel) {
            let node = self.layout.diverter(arm.plan.diverter).node;
            let up = self.memory.nodes[usize::from(node.0)].up;
            let unknown = !up && self.heard(node, self.arm_end(arm));
            return if unknown { Silence::ArmUnknown } else { Silence::Open };
        }
        let Some(eye) = self.layout.eye_id(usize::from(parcel.track.next)) else {
            return self.beyond(parcel);
        };
        if self.stretch_at(eye).is_some() {
            // Edges there are still nobody's.
            return Silence::Open;
        }
        let place = self.layout.eye(eye);
        // No window ends before its middle; most parcels are not that far.
        let base = parcel.base(&self.layout.limits, parcel.last());
        if !self.heard(place.node, base.nominal(&self.layout, eye)) {
            return Silence::Open;
        }
        let Some(window) = parcel.expected(&self.layout, &self.memory.nodes, eye) else {
            return Silence::Open;
        };
        if !self.heard(place.node, window.end()) {
            Silence::Open
        } else if self.blind(place.node, window.from) {
            Silence::Blind
        } else {
            Silence::Dark
        }
    }

    /// Where the end eye's word counts once a parcel is under it.
    pub(crate) fn end_passed(&self, parcel: &Parcel) -> Option<Position> {
        let limits = &self.layout.limits;
        let seen = parcel.at(self.layout.last_eye())?;
        Some(seen.head.plus(limits.length_max).plus(limits.tolerance))
    }

    fn beyond(&self, parcel: &Parcel) -> Silence {
        let node = self.layout.eye(self.layout.last_eye()).node;
        match self.end_passed(parcel) {
            None => Silence::Gone,
            Some(at) if self.heard(node, at) => Silence::PassedEnd,
            Some(_) => Silence::Open,
        }
    }

    /// Carries out one conclusion.
    fn conclude(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let silence = self.silence(parcel);
        let eye = self.layout.eye_id(usize::from(parcel.track.next));
        let (certain, fate) = (parcel.certain(), parcel.fate.clone());
        let alone = self.rival(parcel).is_none();
        match silence {
            Silence::Open => {}
            Silence::PassedEnd => self.end(id, out),
            Silence::ArmUnknown => self.arm_unknown(id, out),
            Silence::Blind => {
                if !self.maybe_gone(&fate) {
                    self.doubt(id, Reason::Uncertain, out);
                }
                self.change(id, |parcel| parcel.track.next += 1);
            }
            Silence::Dark | Silence::Gone => match fate {
                Fate::Fired { choice, pulse, shared, among_hands, .. } => {
                    let alive = !among_hands || eye.is_some_and(|eye| self.proven_alive(eye));
                    let proven = certain && silence == Silence::Dark && alive;
                    if pulse.is_some() && alone && proven {
                        self.land(id, &choice, out);
                    } else if shared.is_some() && proven {
                        tell(out, id, ParcelEvent::LandedProvisional { chute: choice.chute });
                        self.land(id, &choice, out);
                    } else {
                        self.unconfirm(id, choice.chute, out);
                    }
                }
                Fate::MayHaveFired { choice, .. } => self.unconfirm(id, choice.chute, out),
                Fate::Open | Fate::Assigned(_) | Fate::Armed { .. } | Fate::ToEnd { .. } => {
                    let eye = eye.unwrap_or(self.layout.last_eye());
                    self.lose(id, eye, out);
                    self.suspect_follower(id, eye, out);
                    self.doubt_in_tunnel(id, eye, out);
                }
            },
        }
    }

    /// A parcel is missing behind the tunnel: held back until its follower ran into it, the two come
    /// as one, where the follower is expected. No length is known there yet that could tell.
    fn doubt_in_tunnel(&mut self, id: ParcelId, eye: EyeId, out: &mut Vec<Decision>) {
        if eye != EyeId(1) {
            return;
        }
        let behind = self.memory.live.range(ParcelId(id.0 + 1)..).next();
        if let Some(next) = behind.map(|(next, _)| *next) {
            self.doubt(next, Reason::Uncertain, out);
        }
    }

    /// Whether an eye has seen something lately, so that its silence is more than a dead eye's.
    fn proven_alive(&self, eye: EyeId) -> bool {
        let spoke = self.memory.spoke[usize::from(eye.0)].zip(self.memory.belt.at);
        let lately = self.layout.counts(limits::EYE_ALIVE);
        spoke.is_some_and(|(spoke, belt)| belt.since(spoke) <= lately)
    }

    /// Whether a parcel of this fate may have left the belt into a chute.
    pub(crate) fn maybe_gone(&self, fate: &Fate) -> bool {
        match fate {
            Fate::Fired { .. } | Fate::MayHaveFired { .. } => true,
            Fate::Open | Fate::Assigned(_) | Fate::Armed { .. } | Fate::ToEnd { .. } => false,
        }
    }

    /// What a parcel waits for besides the window at its next eye.
    fn each_own_wait(&self, parcel: &Parcel, wait: &mut impl FnMut(NodeId, Position)) {
        if usize::from(parcel.track.next) >= self.layout.eyes.len()
            && let Some(at) = self.end_passed(parcel)
        {
            wait(self.layout.eye(self.layout.last_eye()).node, at);
        }
        match &parcel.fate {
            Fate::Fired { choice, at, pulse: None, .. } => {
                if let Some(diverter) = self.diverter_of(choice) {
                    let diverter = self.layout.diverter(diverter);
                    let over = at.plus(diverter.landing_to).plus(Distance(1));
                    wait(diverter.node, over);
                }
            }
            Fate::Assigned(choice) => {
                if let Some(at) = self.follower_wait(parcel, choice) {
                    wait(self.layout.eye(EyeId(0)).node, at);
                }
            }
            Fate::Open
            | Fate::Armed { .. }
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => {}
        }
    }

    /// Every (node, position) whose [`Heard`](crate::signal::Input::Heard) something waits for.
    pub(crate) fn each_wait(&self, mut wait: impl FnMut(NodeId, Position)) {
        for brief in self.memory.live.briefs() {
            if let Some(next) = &brief.next {
                let end = brief.window_end(&self.layout, &self.memory.nodes, next);
                wait(self.layout.eye(next.eye).node, end);
            }
            let waits_itself = match brief.stage {
                Stage::Fired => true,
                Stage::Assigned => brief.at_diverter,
                Stage::Open | Stage::Armed | Stage::MayHaveFired | Stage::ToEnd => false,
            };
            if waits_itself || brief.next.is_none() {
                let parcel = self.memory.live.get(&brief.id);
                parcel.into_iter().for_each(|parcel| self.each_own_wait(parcel, &mut wait));
            }
        }
        for stretch in &self.memory.stretches {
            if let Some(end) = self.stretch_end(stretch) {
                wait(self.layout.eye(stretch.eye).node, end);
            }
        }
        for (index, under) in self.memory.under.iter().enumerate() {
            if let (Under::Torn(_), Some(eye)) = (under, self.layout.eye_id(index)) {
                let end = self.torn_end(eye);
                end.into_iter().for_each(|end| wait(self.layout.eye(eye).node, end));
            }
        }
        for arm in self.memory.arms.values() {
            let node = self.layout.diverter(arm.plan.diverter).node;
            wait(node, self.arm_end(arm));
            self.ahead_wait(arm).into_iter().for_each(|at| wait(node, at));
        }
        if let Some(heard) = self.belt_heard().filter(|_| !self.memory.live.is_empty()) {
            // A belt that was told to stop is followed until it stands.
            let step = self.layout.counts(limits::PACE_STEP);
            wait(self.reference(), heard.plus(if self.running() { step } else { Distance(1) }));
        }
        if let Some(at) = self.empty_at() {
            self.layout.eyes.iter().for_each(|eye| wait(eye.node, at));
        }
    }

    /// The diverter that serves a choice.
    pub(crate) fn diverter_of(&self, choice: &Choice) -> Option<DiverterId> {
        self.layout.chute(choice.chute).map(|chute| chute.diverter)
    }
}
