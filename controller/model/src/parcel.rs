//! One parcel: where it was seen, who it is, and what becomes of it.

use crate::ids::{ChuteNo, EyeId, ParcelId, Tag};
use crate::plan::Facts;
use crate::reason::Reason;
use crate::rescan::Trigger;
use alloc::string::String;
use alloc::vec::Vec;
use units::{Distance, Grams, Position};

/// A parcel on the sorter belt, made at the head edge of the induction eye.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its instance number.
    pub id: ParcelId,
    /// Where it was seen.
    pub track: Track,
    /// What was read and answered.
    pub identity: Identity,
    /// Its weight, when the scale gave one.
    pub weight: Option<Grams>,
    /// What becomes of it.
    pub fate: Fate,
    /// How far position and identity are beyond doubt.
    pub confidence: Confidence,
    /// Length, width, height in mm, 0 = not measured.
    pub size_mm: [u16; 3],
    /// Where a re-scanner read a code that makes it sure; ends at the first eye behind.
    pub rescan: Option<Trigger>,
    /// Two bodies or two codes may be in what is followed as it: no re-scan makes it sure.
    pub mixed: bool,
}

impl Parcel {
    /// Whether it is beyond doubt which parcel this is and where.
    pub fn certain(&self) -> bool {
        self.confidence == Confidence::Certain
    }

    /// Whether that is in doubt until a re-scan.
    pub fn uncertain(&self) -> bool {
        self.confidence == Confidence::Uncertain
    }

    /// Whether it goes by this code.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        let waybill = self.identity.facts().map(|facts| facts.waybill.as_str());
        self.identity.code().is_some_and(|own| own == code) || waybill == Some(code)
    }

    /// Whether a re-scan can make it sorted: nothing but its code or its place is in doubt.
    pub(crate) fn curable(&self) -> bool {
        !self.mixed
            && match self.fate {
                Fate::Open => true,
                Fate::ToEnd { reason, fired: None } => reason.ends_with_a_rescan(),
                Fate::ToEnd { fired: Some(_), .. }
                | Fate::Assigned(_)
                | Fate::Armed { .. }
                | Fate::Fired { .. }
                | Fate::MayHaveFired { .. } => false,
            }
    }
}

/// How far a parcel's position and identity are beyond doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Every edge so far fits it and nobody else; only such a parcel gets an arm.
    Certain,
    /// An edge at this eye may be its own or another parcel's; ends when the edges there are told
    /// apart, or in doubt.
    Open {
        /// The eye.
        eye: EyeId,
    },
    /// Which parcel this is, or where, is in doubt; ends with its code at a re-scanner and one body
    /// of its length at the eye behind.
    Uncertain,
}

/// Where a parcel was seen and where it is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Every eye that saw it, ascending, the induction eye first; at most one entry an eye.
    pub seen: Vec<Sighting>,
    /// Index of the next eye that should see it; the number of eyes when there is none.
    pub next: u8,
    /// Extra ± since the last sighting, from stops of the belt under it.
    pub slack: Distance,
    /// Length at the first eye that saw it wholly on the sorter belt; `None` until its tail passed.
    pub length: Option<Distance>,
}

/// A parcel under one eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Which eye.
    pub eye: EyeId,
    /// Belt position at the head edge.
    pub head: Position,
    /// Belt position at the tail edge.
    pub tail: Option<Position>,
    /// ± of these positions.
    pub spread: Distance,
}

impl Sighting {
    /// Tail minus head, once the tail passed.
    pub(crate) fn length(&self) -> Option<Distance> {
        self.tail.map(|tail| tail.since(self.head))
    }
}

/// What is known of who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The scanner has said nothing yet.
    Unread,
    /// The scanner answered without exactly one code.
    Unreadable,
    /// One code was read; the manifest was asked.
    Asked {
        /// The code.
        code: String,
    },
    /// The manifest does not have it.
    Unknown {
        /// The code.
        code: String,
    },
    /// The manifest answered.
    Known {
        /// The code.
        code: String,
        /// The answer.
        facts: Facts,
    },
}

impl Identity {
    /// The one code read.
    pub const fn code(&self) -> Option<&String> {
        match self {
            Self::Unread | Self::Unreadable => None,
            Self::Asked { code } | Self::Unknown { code } | Self::Known { code, .. } => Some(code),
        }
    }

    /// The manifest was asked and has not answered.
    pub(crate) const fn asked(&self) -> bool {
        match self {
            Self::Asked { .. } => true,
            Self::Unread | Self::Unreadable | Self::Unknown { .. } | Self::Known { .. } => false,
        }
    }

    /// Why nothing was decided in time.
    pub(crate) const fn late(&self) -> Reason {
        match self {
            Self::Unread => Reason::ReaderSilent,
            Self::Unreadable | Self::Asked { .. } | Self::Unknown { .. } | Self::Known { .. } => {
                Reason::RouteLate
            }
        }
    }

    /// The manifest's answer.
    pub const fn facts(&self) -> Option<&Facts> {
        match self {
            Self::Unread | Self::Unreadable | Self::Asked { .. } | Self::Unknown { .. } => None,
            Self::Known { facts, .. } => Some(facts),
        }
    }
}

/// What becomes of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// No chute yet; ends with the route, or at the last diverter.
    Open,
    /// A chute is decided, no arm planned; ends when the eye before the diverter sees it.
    Assigned(Choice),
    /// An arm is planned or waits on the node; ends with the arm.
    Armed {
        /// The chute and its alternatives.
        choice: Choice,
        /// The arm.
        tag: Tag,
    },
    /// The bed was fired for it; ends at a landing, at the next eye, or unconfirmed.
    Fired {
        /// To which chute, and how it was chosen.
        choice: Choice,
        /// Belt position at firing.
        at: Position,
        /// Belt position at its landing pulse.
        pulse: Option<Position>,
        /// Where an earlier parcel's pulse ended after this one could have begun its own: the two
        /// may have merged into one.
        shared: Option<Position>,
        /// Its pulse came while the chute's bag was, or was about to be, changed: hands cut the eye
        /// too, so that it counts only beside a downstream eye that is proven alive.
        among_hands: bool,
    },
    /// The arm's end is not known; ends at the next eye, or unconfirmed.
    MayHaveFired {
        /// To which chute, and how it was chosen.
        choice: Choice,
        /// Why it is not known; the reason at the end when it comes there.
        reason: Reason,
    },
    /// It runs to the end of the line; ends at the end eye.
    ToEnd {
        /// Why.
        reason: Reason,
        /// A bed was fired for it all the same, towards this chute, and an eye behind it saw it.
        fired: Option<ChuteNo>,
    },
}

/// A [`Fate`] without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    Assigned,
    Armed,
    Fired,
    MayHaveFired,
    ToEnd,
}

impl Fate {
    /// Which fate it is.
    pub(crate) const fn stage(&self) -> Stage {
        match self {
            Self::Open => Stage::Open,
            Self::Assigned(_) => Stage::Assigned,
            Self::Armed { .. } => Stage::Armed,
            Self::Fired { .. } => Stage::Fired,
            Self::MayHaveFired { .. } => Stage::MayHaveFired,
            Self::ToEnd { .. } => Stage::ToEnd,
        }
    }

    /// The chute that a bed was fired towards for it, whatever was seen since.
    pub(crate) fn fired_to(&self) -> Option<ChuteNo> {
        match self {
            Self::Fired { choice, .. } | Self::MayHaveFired { choice, .. } => Some(choice.chute),
            Self::ToEnd { fired, .. } => *fired,
            Self::Open | Self::Assigned(_) | Self::Armed { .. } => None,
        }
    }

    /// The chute it is meant for, unless it runs to the end.
    pub const fn chute(&self) -> Option<ChuteNo> {
        match self.choice() {
            Some(choice) => Some(choice.chute),
            None => None,
        }
    }

    /// The choice behind it, unless there is none.
    pub const fn choice(&self) -> Option<&Choice> {
        match self {
            Self::Open | Self::ToEnd { .. } => None,
            Self::Assigned(choice)
            | Self::Armed { choice, .. }
            | Self::Fired { choice, .. }
            | Self::MayHaveFired { choice, .. } => Some(choice),
        }
    }
}

/// A decided chute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The chute.
    pub chute: ChuteNo,
    /// Every chute that was allowed when it was first decided, by preference.
    pub allowed: Vec<ChuteNo>,
    /// Decided later, because an earlier choice was off.
    pub alternate: bool,
    /// Why, when the chute is an exception chute or an alternate.
    pub reason: Option<Reason>,
}

/// A parcel that left the belt and waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenParcel {
    /// The parcel as last known.
    pub parcel: Parcel,
    /// Why it is open.
    pub kind: OpenKind,
}

/// Why a parcel waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenKind {
    /// Fired to this chute, not confirmed.
    Unconfirmed {
        /// The chute.
        chute: ChuteNo,
    },
    /// Lost before this eye.
    Lost {
        /// The eye that should have seen it.
        eye: EyeId,
    },
}
