//! Chutes: what each one is doing, why it takes parcels or not, and what its lamp says.
//!
//! What is known of a chute (contacts, bag, load, people's orders) is kept as facts; its state
//! follows from them in one function, so that a restart cannot leave the two apart.

use crate::decision::Decision;
use crate::ids::{ChuteNo, Tag};
use crate::layout::{Change, ChuteCare, ChutePlace};
use crate::limits;
use crate::line::Line;
use crate::parcel::{Fate, Parcel};
use crate::reason::Reason;
use crate::signal::ChuteContact;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use units::{Distance, Grams, Micros, Position};

/// What a chute is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChuteState {
    /// 空闲: takes parcels, and none has landed since it was emptied; ends with a landing.
    Idle,
    /// 落格中: takes parcels and holds some; ends when it has its fill or is locked.
    Filling,
    /// 满格: takes nothing more; ends when it is emptied or has a new bag.
    Full {
        /// What says so.
        by: FullBy,
    },
    /// 锁格: takes nothing; others take over. Ends with the button, the switch or a person.
    Locked {
        /// Who or what locked it.
        by: LockedBy,
    },
    /// 缓存换袋: its bag is being changed, its slide collects; ends like a lock.
    Buffered {
        /// Parcels that the slide has collected.
        landed: u16,
    },
    /// 故障: takes nothing and cannot be emptied into use; ends with the fault.
    Faulted {
        /// What is wrong.
        by: FaultedBy,
    },
}

impl ChuteState {
    /// Whether parcels may be decided for it.
    pub const fn takes(self) -> bool {
        match self {
            Self::Idle | Self::Filling | Self::Buffered { .. } => true,
            Self::Full { .. } | Self::Locked { .. } | Self::Faulted { .. } => false,
        }
    }

    /// Why nothing may be decided for it; `None` when something may.
    pub(crate) const fn bar(self) -> Option<Bar> {
        match self {
            Self::Idle | Self::Filling | Self::Buffered { .. } => None,
            Self::Full { .. } => Some(Bar::Full),
            Self::Locked { .. } => Some(Bar::Locked),
            Self::Faulted { .. } => Some(Bar::Off),
        }
    }
}

/// What says that a chute is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullBy {
    /// Its full eye, or its landing eye where it has none.
    Eye,
    /// As many pieces as it holds.
    Count,
    /// As much weight as it holds.
    Weight,
    /// Its slide has collected what it can while the bag is changed.
    Buffer,
}

/// What locked a chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockedBy {
    /// Its lock button.
    Button,
    /// Its lock switch.
    Switch,
    /// A person at a screen.
    Person,
    /// The plan wants a bag and none is bound.
    NoBag,
}

/// What makes a chute unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultedBy {
    /// Its diverter's node is down.
    Diverter,
    /// A person took it out of use.
    Person,
    /// Something stands under its landing eye although it is not full.
    Jam,
}

/// What changed a chute's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChuteCause {
    /// A parcel landed.
    Landing,
    /// Its full eye or its landing eye, now or for too long.
    Eye,
    /// Its lock switch.
    Switch,
    /// Its lock button.
    Button,
    /// A person's order.
    Person,
    /// A bag was bound or closed.
    Bag,
    /// Another plan is in force.
    Plan,
    /// Its diverter's node came or went.
    Node,
}

/// What a chute's lamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lamp {
    /// Nothing to do.
    Off,
    /// 可换袋: nothing comes any more.
    Steady,
    /// Parcels that cannot be stopped still come.
    Blink,
}

/// Why a chute cannot be had for a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bar {
    /// Full, or full once all that comes has landed.
    Full,
    /// Locked.
    Locked,
    /// Its rate limit is reached.
    Rate,
    /// The arm would come too late.
    Late,
    /// Off, faulted, or not of this line.
    Off,
}

impl Bar {
    /// Code in reports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Locked => "locked",
            Self::Rate => "rate_limit",
            Self::Late => "late",
            Self::Off => "off",
        }
    }

    /// The reason at the end of the line, with `late` for a late one.
    pub(crate) const fn reason(self, late: Reason) -> Reason {
        match self {
            Self::Full => Reason::ChuteFull,
            Self::Locked => Reason::ChuteLocked,
            Self::Rate => Reason::RateLimit,
            Self::Late => late,
            Self::Off => Reason::ChuteOff,
        }
    }
}

/// Who began a change of the bag, or another emptying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeBy {
    /// The lock button.
    Button,
    /// A person at a screen.
    Person,
}

/// What lies in a chute since it was emptied, or since its bag was bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Label of the bag; `None` without one.
    pub label: Option<String>,
    /// The bag was closed: it gains only what had landed before the next one was bound.
    pub closed: bool,
    /// Pieces.
    pub pieces: u32,
    /// Weight of those that were weighed.
    pub grams: u64,
    /// Belt position at its beginning; landings before it belong to the one before.
    pub from: Option<Position>,
}

impl Content {
    fn gain(&mut self, weight: Option<Grams>) {
        self.pieces += 1;
        self.grams += weight.map_or(0, |weight| u64::from(weight.0));
    }

    /// Whether a bag is bound and open.
    pub(crate) const fn is_open_bag(&self) -> bool {
        self.label.is_some() && !self.closed
    }
}

/// Counts of one chute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChuteCounts {
    /// Parcels that went elsewhere because it was full.
    pub barred_full: u64,
    /// Parcels that went elsewhere because it was locked.
    pub barred_locked: u64,
    /// Parcels that went elsewhere because of its rate limit.
    pub barred_rate: u64,
    /// Pulses during a change that were nobody's.
    pub hands: u64,
    /// Parcels put in by hand.
    pub by_hand: u64,
    /// Mis-sorts that people registered.
    pub missorted: u64,
}

/// All that is known of one chute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChuteMemory {
    /// What it is doing.
    pub state: ChuteState,
    /// Since when.
    pub since: Micros,
    /// What brought it there.
    pub cause: ChuteCause,
    /// What its lamp was told last.
    pub lamp: Lamp,
    /// Its full eye is blocked since.
    pub full_eye: Option<Micros>,
    /// Its landing eye is blocked since.
    pub landing_eye: Option<Micros>,
    /// Its lock switch is on.
    pub switch: bool,
    /// A change is under way.
    pub change: Option<ChangeBy>,
    /// Landings since the change began.
    pub buffered: u16,
    /// A person took it out of use.
    pub out_of_use: bool,
    /// What lies in it.
    pub content: Content,
    /// The bag before, which may still gain landings from before the new one was bound.
    pub before: Option<Content>,
    /// Decisions for it lately: when, and how long the parcel was.
    pub recent: VecDeque<(Micros, Distance)>,
    /// Counts.
    pub counts: ChuteCounts,
}

impl ChuteMemory {
    /// A chute of which nothing is known; its node is down.
    pub const fn new() -> Self {
        Self {
            state: ChuteState::Faulted { by: FaultedBy::Diverter },
            since: Micros::ZERO,
            cause: ChuteCause::Node,
            lamp: Lamp::Off,
            full_eye: None,
            landing_eye: None,
            switch: false,
            change: None,
            buffered: 0,
            out_of_use: false,
            content: Content { label: None, closed: false, pieces: 0, grams: 0, from: None },
            before: None,
            recent: VecDeque::new(),
            counts: ChuteCounts {
                barred_full: 0,
                barred_locked: 0,
                barred_rate: 0,
                hands: 0,
                by_hand: 0,
                missorted: 0,
            },
        }
    }

    /// The state that follows from what is known: the one place where states come from.
    fn follows(&self, care: &ChuteCare, around: Around) -> ChuteState {
        let long = |since: Option<Micros>, least: Micros| {
            since.is_some_and(|since| around.now.since(since) >= least)
        };
        let full_eye = care.full_after.is_some_and(|least| long(self.full_eye, least));
        let stands = long(self.landing_eye, limits::LANDING_STANDS);
        let content = &self.content;
        let locked = match (self.change, care.change) {
            (Some(ChangeBy::Button), Change::Locked) => Some(LockedBy::Button),
            (Some(ChangeBy::Person), Change::Locked) => Some(LockedBy::Person),
            (Some(_), Change::Buffered { .. }) => None,
            (None, _) if self.switch => Some(LockedBy::Switch),
            (None, _) if around.wants_bag && !content.is_open_bag() => Some(LockedBy::NoBag),
            (None, _) => None,
        };
        if self.out_of_use {
            return ChuteState::Faulted { by: FaultedBy::Person };
        }
        if !around.diverter_on {
            return ChuteState::Faulted { by: FaultedBy::Diverter };
        }
        if stands && care.full_after.is_some() && self.full_eye.is_none() && locked.is_none() {
            return ChuteState::Faulted { by: FaultedBy::Jam };
        }
        if let Some(by) = locked {
            return ChuteState::Locked { by };
        }
        if full_eye || stands {
            return ChuteState::Full { by: FullBy::Eye };
        }
        match (self.change, care.change) {
            (Some(_), Change::Buffered { pieces }) if self.buffered >= pieces => {
                ChuteState::Full { by: FullBy::Buffer }
            }
            (Some(_), _) => ChuteState::Buffered { landed: self.buffered },
            (None, _) if care.pieces_max.is_some_and(|most| content.pieces >= u32::from(most)) => {
                ChuteState::Full { by: FullBy::Count }
            }
            (None, _) if care.weight_max.is_some_and(|most| content.grams >= u64::from(most.0)) => {
                ChuteState::Full { by: FullBy::Weight }
            }
            (None, _) if content.pieces == 0 => ChuteState::Idle,
            (None, _) => ChuteState::Filling,
        }
    }

    /// When its state may change by itself, not before `now`.
    fn next_deadline(&self, care: &ChuteCare, now: Micros) -> Option<Micros> {
        let full = self.full_eye.zip(care.full_after).map(|(since, least)| since.plus(least));
        let stands = self.landing_eye.map(|since| since.plus(limits::LANDING_STANDS));
        full.into_iter().chain(stands).filter(|at| *at > now).min()
    }
}

impl Default for ChuteMemory {
    fn default() -> Self {
        Self::new()
    }
}

/// What of the line a chute's state depends on.
#[derive(Clone, Copy)]
struct Around {
    now: Micros,
    diverter_on: bool,
    wants_bag: bool,
}

/// A step in a chute's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChuteEvent {
    /// Its state changed.
    State {
        /// From.
        from: ChuteState,
        /// To.
        to: ChuteState,
        /// What brought it there.
        cause: ChuteCause,
    },
    /// A bag was bound.
    BagBound {
        /// Its label.
        label: String,
    },
    /// The bag was closed, or a closed one has gained a landing from before the next was bound.
    BagClosed {
        /// Its label.
        label: String,
        /// Pieces in it.
        pieces: u32,
        /// Weight of those that were weighed.
        grams: u64,
    },
    /// What lay in it was taken away; it had no label.
    Emptied {
        /// Pieces.
        pieces: u32,
        /// Weight of those that were weighed.
        grams: u64,
    },
    /// 人工落格: a person put a parcel in.
    PutByHand {
        /// Its code.
        code: String,
    },
    /// 错分登记: a person found a parcel in it that does not belong there.
    Missorted {
        /// Its code.
        code: String,
    },
}

/// Adds a step to a chute's story.
pub(crate) fn tell_of(out: &mut Vec<Decision>, chute: ChuteNo, event: ChuteEvent) {
    out.push(Decision::Chute { chute, event });
}

impl Line {
    /// When a chute's state may change by itself.
    pub(crate) fn chute_deadline(&self) -> Option<Micros> {
        let blocked = self
            .memory
            .at_chutes
            .iter()
            .filter(|(_, memory)| memory.full_eye.is_some() || memory.landing_eye.is_some());
        let of = |(chute, memory): (&ChuteNo, &ChuteMemory)| {
            memory.next_deadline(&self.layout.chute(*chute)?.care, self.memory.now)
        };
        blocked.filter_map(of).min()
    }

    /// What is known of a chute.
    ///
    /// # Panics
    /// When the chute is not of this layout.
    pub(crate) fn at_chute(&self, chute: ChuteNo) -> &ChuteMemory {
        &self.memory.at_chutes[&chute]
    }

    /// Gives every chute of the layout a memory; a new one has the state that follows.
    pub(crate) fn furnish_chutes(&mut self) {
        let numbers: Vec<ChuteNo> = self.layout.chutes.iter().map(|place| place.number).collect();
        for number in numbers {
            let new = !self.memory.at_chutes.contains_key(&number);
            self.memory.at_chutes.entry(number).or_default();
            if new {
                self.turn_chute(number, ChuteCause::Node, &mut Vec::new());
            }
        }
    }

    fn around(&self, place: &ChutePlace) -> Around {
        let plan = self.memory.plans.last();
        Around {
            now: self.memory.now,
            diverter_on: self.diverter_on(place.diverter),
            wants_bag: plan.is_some_and(|plan| plan.plan.bagged.contains(&place.number)),
        }
    }

    /// Lets a chute's state follow from what is known: the one place where a chute changes it.
    pub(crate) fn turn_chute(
        &mut self,
        chute: ChuteNo,
        cause: ChuteCause,
        out: &mut Vec<Decision>,
    ) {
        let Some(place) = self.layout.chute(chute) else { return };
        let around = self.around(place);
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        let (from, to) = (memory.state, memory.follows(&place.care, around));
        if from == to {
            return;
        }
        (memory.state, memory.since, memory.cause) = (to, around.now, cause);
        tell_of(out, chute, ChuteEvent::State { from, to, cause });
    }

    /// Lets every chute's state follow.
    pub(crate) fn turn_chutes(&mut self, cause: ChuteCause, out: &mut Vec<Decision>) {
        for at in 0..self.layout.chutes.len() {
            self.turn_chute(self.layout.chutes[at].number, cause, out);
        }
    }

    /// Takes a contact of a chute.
    pub(crate) fn chute_contact(
        &mut self,
        chute: ChuteNo,
        contact: ChuteContact,
        active: bool,
        out: &mut Vec<Decision>,
    ) {
        let now = self.memory.now;
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        let cause = match contact {
            ChuteContact::Full => {
                // Told again at every connect: it is blocked since it was first seen so.
                memory.full_eye = active.then(|| memory.full_eye.unwrap_or(now));
                ChuteCause::Eye
            }
            ChuteContact::Lock => {
                memory.switch = active;
                ChuteCause::Switch
            }
            // A button acts when it is pressed.
            ChuteContact::Button if !active => return,
            ChuteContact::Button if memory.change.is_some() => {
                return self.end_change(chute, ChuteCause::Button, out);
            }
            ChuteContact::Button => {
                memory.change = Some(ChangeBy::Button);
                memory.buffered = 0;
                ChuteCause::Button
            }
        };
        self.turn_chute(chute, cause, out);
    }

    /// A change is over: what had no label was taken away.
    pub(crate) fn end_change(
        &mut self,
        chute: ChuteNo,
        cause: ChuteCause,
        out: &mut Vec<Decision>,
    ) {
        let from = self.belt_now(self.memory.now);
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        memory.change = None;
        if memory.content.label.is_none() {
            let old =
                core::mem::replace(&mut memory.content, Content { from, ..Content::default() });
            let (pieces, grams) = (old.pieces, old.grams);
            memory.before = Some(old);
            tell_of(out, chute, ChuteEvent::Emptied { pieces, grams });
        }
        self.turn_chute(chute, cause, out);
    }

    /// Notes an edge of a chute's landing eye.
    pub(crate) fn note_landing_eye(
        &mut self,
        chute: ChuteNo,
        active: bool,
        out: &mut Vec<Decision>,
    ) {
        let now = self.memory.now;
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        memory.landing_eye = active.then_some(now);
        self.turn_chute(chute, ChuteCause::Eye, out);
    }

    /// Counts a landing into what lies in the chute; `pulse` says where the belt stood at it.
    pub(crate) fn load_chute(
        &mut self,
        chute: ChuteNo,
        pulse: Option<Position>,
        weight: Option<Grams>,
        out: &mut Vec<Decision>,
    ) {
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        let earlier = pulse.zip(memory.content.from).is_some_and(|(at, from)| at.since(from).0 < 0);
        let content = match &mut memory.before {
            Some(before) if earlier => before,
            Some(_) | None => &mut memory.content,
        };
        content.gain(weight);
        if let (true, Some(label)) = (content.closed, content.label.clone()) {
            let (pieces, grams) = (content.pieces, content.grams);
            tell_of(out, chute, ChuteEvent::BagClosed { label, pieces, grams });
        }
        if memory.change.is_some() {
            memory.buffered = memory.buffered.saturating_add(1);
        }
        self.turn_chute(chute, ChuteCause::Landing, out);
    }

    /// Whether hands may be in a chute: nothing that is known comes there, and its lamp says so.
    pub(crate) fn hands_in(&self, chute: ChuteNo) -> bool {
        let memory = self.at_chute(chute);
        match memory.state {
            ChuteState::Full { .. } | ChuteState::Locked { .. } => memory.lamp == Lamp::Steady,
            ChuteState::Idle
            | ChuteState::Filling
            | ChuteState::Buffered { .. }
            | ChuteState::Faulted { .. } => false,
        }
    }

    /// Whether a pulse in a chute may be a hand's: its bag is, or is about to be, changed.
    pub(crate) fn changing(&self, chute: ChuteNo) -> bool {
        match self.at_chute(chute).state {
            ChuteState::Full { .. }
            | ChuteState::Locked { .. }
            | ChuteState::Buffered { .. }
            | ChuteState::Faulted { .. } => true,
            ChuteState::Idle | ChuteState::Filling => false,
        }
    }

    /// Chutes into which something comes that cannot be stopped any more.
    pub(crate) fn coming(&self) -> BTreeSet<ChuteNo> {
        let committed = |parcel: &Parcel| match &parcel.fate {
            Fate::Armed { choice, .. }
            | Fate::Fired { choice, .. }
            | Fate::MayHaveFired { choice, .. } => Some(choice.chute),
            Fate::Open | Fate::Assigned(_) | Fate::ToEnd { .. } => None,
        };
        // An arm that was asked back may have fired before the node heard of it.
        let asked_back = self.memory.arms.values().filter_map(|arm| {
            self.layout.chute_at(arm.plan.diverter, arm.plan.side).map(|place| place.number)
        });
        self.memory.live.values().filter_map(committed).chain(asked_back).collect()
    }

    /// How many parcels are decided for a chute and have not landed.
    pub(crate) fn decided_for(&self, chute: ChuteNo) -> u32 {
        let meant = self.memory.live.values();
        let meant = meant.filter(|parcel| parcel.fate.chute() == Some(chute)).count();
        u32::try_from(meant).unwrap_or(u32::MAX)
    }

    /// Lets every lamp follow its chute's state and what still comes.
    pub(crate) fn adjust_lamps(&mut self, out: &mut Vec<Decision>) {
        let quiet = |memory: &ChuteMemory| memory.state.takes() && memory.lamp == Lamp::Off;
        let buffered = |memory: &ChuteMemory| memory.change.is_some();
        if self.memory.at_chutes.values().all(|found| quiet(found) && !buffered(found)) {
            return;
        }
        let coming = self.coming();
        for (chute, memory) in &mut self.memory.at_chutes {
            let lamp = match memory.state {
                ChuteState::Idle | ChuteState::Filling | ChuteState::Faulted { .. } => Lamp::Off,
                ChuteState::Buffered { .. } => Lamp::Steady,
                ChuteState::Full { .. } | ChuteState::Locked { .. } if coming.contains(chute) => {
                    Lamp::Blink
                }
                ChuteState::Full { .. } | ChuteState::Locked { .. } => Lamp::Steady,
            };
            if lamp != memory.lamp {
                memory.lamp = lamp;
                out.push(Decision::Lamp { chute: *chute, lamp });
            }
        }
    }

    /// Takes the parcels away from chutes that take nothing any more, as long as that is safe.
    ///
    /// An arm whose latest instant has passed stays: its node refuses it, or the parcel lands and
    /// belongs to what lies in the chute.
    pub(crate) fn leave_closed_chutes(&mut self, out: &mut Vec<Decision>) {
        if self.memory.at_chutes.values().all(|memory| memory.state.takes()) {
            return;
        }
        let stranded: Vec<_> = self
            .memory
            .live
            .values()
            .filter_map(|parcel| {
                let (choice, tag) = match &parcel.fate {
                    Fate::Assigned(choice) => (choice, None),
                    Fate::Armed { choice, tag } => (choice, Some(*tag)),
                    Fate::Open
                    | Fate::Fired { .. }
                    | Fate::MayHaveFired { .. }
                    | Fate::ToEnd { .. } => return None,
                };
                let bar = self.memory.at_chutes.get(&choice.chute)?.state.bar()?;
                let stoppable = tag.is_none_or(|tag| self.stoppable(parcel, tag));
                stoppable.then_some((parcel.id, bar, tag))
            })
            .collect();
        for (id, bar, tag) in stranded {
            if let Some(tag) = tag {
                self.cancel_arm(tag, out);
            }
            self.rechoose(id, bar, out);
        }
    }

    /// Whether an arm can still be asked back in time.
    fn stoppable(&self, parcel: &Parcel, tag: Tag) -> bool {
        self.memory.arms.get(&tag).is_some_and(|arm| {
            self.diverter_on(arm.plan.diverter)
                && self
                    .send_by(parcel, arm.plan.diverter)
                    .is_some_and(|send_by| send_by >= self.memory.now)
        })
    }

    /// Why a chute has no place for another parcel, whatever the parcel; `None` when it has.
    pub(crate) fn no_place(&self, chute: ChuteNo, parcel: &Parcel) -> Option<Bar> {
        let place = self.layout.chute(chute)?;
        let memory = self.at_chute(chute);
        if let Some(bar) = memory.state.bar() {
            return Some(bar);
        }
        let mine = u32::from(parcel.fate.chute() == Some(chute));
        let most = match (memory.change, place.care.change) {
            (Some(_), Change::Buffered { pieces }) => {
                Some(u32::from(pieces.saturating_sub(memory.buffered)))
            }
            (Some(_), Change::Locked) | (None, _) => {
                let most = place.care.pieces_max.map(u32::from);
                most.map(|most| most.saturating_sub(memory.content.pieces))
            }
        };
        if most.is_some_and(|most| self.decided_for(chute).saturating_sub(mine) >= most) {
            return Some(Bar::Full);
        }
        self.over_rate(place, parcel).then_some(Bar::Rate)
    }

    /// Whether another parcel would exceed the chute's rate limit now.
    fn over_rate(&self, place: &ChutePlace, parcel: &Parcel) -> bool {
        let Some(rate) = place.care.rate else { return false };
        let recent = self.at_chute(place.number).recent.iter();
        let recent = recent.filter(|(at, _)| self.memory.now.since(*at) < rate.span);
        let (mut count, mut length) = (0u16, self.length_of(parcel).0);
        for (_, one) in recent {
            count += 1;
            length += one.0;
        }
        count >= rate.parcels || rate.length.is_some_and(|most| length > most.0)
    }

    /// Length of a parcel; the longest one while it is not known.
    fn length_of(&self, parcel: &Parcel) -> Distance {
        parcel.track.length.unwrap_or(self.layout.limits.length_max)
    }

    /// Notes a decision for a chute with a rate limit.
    pub(crate) fn note_rate(&mut self, chute: ChuteNo, parcel: &Parcel) {
        let Some(rate) = self.layout.chute(chute).and_then(|place| place.care.rate) else { return };
        let (now, length) = (self.memory.now, self.length_of(parcel));
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        while memory.recent.len() >= limits::RATE_MAX
            || memory.recent.front().is_some_and(|(at, _)| now.since(*at) >= rate.span)
        {
            memory.recent.pop_front();
        }
        memory.recent.push_back((now, length));
    }

    /// Counts a pulse of somebody's hand.
    pub(crate) fn note_hand(&mut self, chute: ChuteNo) {
        if let Some(memory) = self.memory.at_chutes.get_mut(&chute) {
            memory.counts.hands += 1;
        }
    }

    /// Counts that a parcel went elsewhere because of a chute.
    pub(crate) fn count_bar(&mut self, chute: ChuteNo, bar: Bar) {
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        match bar {
            Bar::Full => memory.counts.barred_full += 1,
            Bar::Locked => memory.counts.barred_locked += 1,
            Bar::Rate => memory.counts.barred_rate += 1,
            Bar::Late | Bar::Off => {}
        }
    }
}
