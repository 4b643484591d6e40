//! Chutes: what each one is doing, why it takes parcels or not, and what its lamp says.
//!
//! What is known of a chute (contacts, bag, load, people's orders) is kept as facts; its state
//! follows from them in one function, so that a restart cannot leave the two apart.

use crate::decision::Decision;
use crate::ids::ChuteNo;
use crate::layout::{Change, ChuteCare};
use crate::limits;
use crate::reason::Reason;
use alloc::collections::VecDeque;
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
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Full, Self::Locked, Self::Rate, Self::Late, Self::Off];

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
    pub(crate) fn gain(&mut self, weight: Option<Grams>) {
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
    pub(crate) fn follows(&self, care: &ChuteCare, around: Around) -> ChuteState {
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
    pub(crate) fn next_deadline(&self, care: &ChuteCare, now: Micros) -> Option<Micros> {
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
pub(crate) struct Around {
    pub(crate) now: Micros,
    pub(crate) diverter_on: bool,
    pub(crate) wants_bag: bool,
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
