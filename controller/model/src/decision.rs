//! The closed list of what the line may ask of the world.

use crate::alarm::Alarm;
use crate::chute::{Bar, ChuteEvent, Lamp};
use crate::ids::{ChuteNo, DiverterId, EyeId, ParcelId, ScannerId, Side, Tag, ZoneId};
use crate::packml::{State, StateReason};
use crate::parcel::Confidence;
use crate::reason::Reason;
use alloc::string::String;
use alloc::vec::Vec;
use units::{Distance, Grams, Micros, MmPerSecond, Position};

/// One thing to do; stands in the same journal record as the input that caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Queue an arm on a diverter's node. Energising.
    Arm(ArmPlan),
    /// Withdraw an arm. Stopping.
    CancelArm {
        /// Its diverter.
        diverter: DiverterId,
        /// Its tag.
        tag: Tag,
    },
    /// Run or stop a zone. Energising when it runs.
    Drive {
        /// Which zone.
        zone: ZoneId,
        /// Run or stop.
        run: bool,
        /// Belt speed.
        speed: MmPerSecond,
    },
    /// Open (energising) or close the release of a gapping zone.
    Release {
        /// Which zone.
        zone: ZoneId,
        /// Tail-to-head gap; zero = closed.
        gap: Distance,
    },
    /// Switch a light or the horn. Never waits for the journal.
    Light {
        /// Which.
        light: Light,
        /// On or off.
        on: bool,
    },
    /// Light a chute's lamp. Never waits for the journal.
    Lamp {
        /// Which chute.
        chute: ChuteNo,
        /// How.
        lamp: Lamp,
    },
    /// A step in a chute's story.
    Chute {
        /// Whose.
        chute: ChuteNo,
        /// What.
        event: ChuteEvent,
    },
    /// Ask the manifest.
    AskRoute {
        /// For whom.
        parcel: ParcelId,
        /// The one code read.
        code: String,
    },
    /// Raise or clear an alarm.
    Alarm {
        /// Which.
        alarm: Alarm,
        /// Raised or cleared.
        raised: bool,
    },
    /// A step in a parcel's story.
    Parcel {
        /// Whose.
        parcel: ParcelId,
        /// What.
        event: ParcelEvent,
    },
    /// The line changed its PackML state.
    State {
        /// From.
        from: State,
        /// To.
        to: State,
        /// Why.
        reason: StateReason,
    },
    /// A person's command was refused.
    Refused {
        /// Why; names every unmet condition.
        why: Vec<crate::view::Unmet>,
    },
}

/// One arm in the belt's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmPlan {
    /// Its name.
    pub tag: Tag,
    /// Which diverter.
    pub diverter: DiverterId,
    /// Which way.
    pub side: Side,
    /// For whom.
    pub parcel: ParcelId,
    /// First head position (belt position at the arrival eye's edge) that fits.
    pub from: Position,
    /// Last one.
    pub to: Position,
    /// Shortest fitting length.
    pub length_min: Distance,
    /// Counts from the edge to firing.
    pub delay: Distance,
    /// Counts from firing until the bed returns home.
    pub release: Distance,
    /// Never sent later than this.
    pub send_by: Micros,
}

/// A light of the stack, or the horn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Light {
    /// Fault.
    Red,
    /// Waiting or warning.
    Yellow,
    /// Running.
    Green,
    /// Pre-start warning.
    Horn,
}

/// What a code at a re-scanner says of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rescan {
    /// It is sure, and the code is its own.
    Confirmed,
    /// It was in doubt, and the code is its own: sure again when the next eye sees it there.
    Found,
    /// It had no code: this one is its own when the next eye sees it there.
    Named,
    /// Place and code say too little to make it sure.
    Unproven,
    /// It was expected there, and the code is not its own.
    Differs,
    /// The code is its own, and it was not expected there.
    Elsewhere,
}

impl Rescan {
    /// Every result.
    pub const ALL: [Self; 6] =
        [Self::Confirmed, Self::Found, Self::Named, Self::Unproven, Self::Differs, Self::Elsewhere];

    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Found => "found",
            Self::Named => "named",
            Self::Unproven => "unproven",
            Self::Differs => "differs",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// A step in a parcel's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParcelEvent {
    /// Its head reached the induction eye.
    Inducted {
        /// Belt position.
        at: Position,
    },
    /// Its length is known.
    Measured {
        /// Tail minus head.
        length: Distance,
    },
    /// It was weighed.
    Weighed {
        /// The weight; `None` without a value.
        weight: Option<Grams>,
    },
    /// Exactly one code was read.
    Identified {
        /// The code.
        code: String,
    },
    /// A re-scanner read a code that concerns it.
    Rescanned {
        /// Which one.
        scanner: ScannerId,
        /// The code.
        code: String,
        /// What that says.
        result: Rescan,
    },
    /// It was seen at an eye.
    Seen {
        /// Which.
        eye: EyeId,
        /// Belt position at its head edge.
        at: Position,
    },
    /// The manifest answered.
    Routed {
        /// Carrier code; empty when it is not in the manifest.
        carrier: String,
        /// Route code.
        route: String,
    },
    /// Its chute was decided.
    Assigned {
        /// Which chute.
        chute: ChuteNo,
        /// Decided later, because an earlier choice was full, locked or off.
        alternate: bool,
        /// Why, when the chute is an exception chute.
        reason: Option<Reason>,
    },
    /// A chute of its key could not be had, or could no longer be had.
    PassedOver {
        /// Which chute.
        chute: ChuteNo,
        /// Why.
        bar: Bar,
    },
    /// How far it is beyond doubt has changed.
    Believed {
        /// From now on.
        now: Confidence,
    },
    /// It will go to the end of the line.
    SentToEnd {
        /// Why.
        reason: Reason,
    },
    /// An arm was planned for it.
    Armed {
        /// Its tag.
        tag: Tag,
        /// Where.
        diverter: DiverterId,
    },
    /// The bed was fired for it.
    Fired {
        /// Its tag.
        tag: Tag,
        /// The chute.
        chute: ChuteNo,
    },
    /// The landing eye saw it; the next downstream eye decides.
    LandedProvisional {
        /// The chute.
        chute: ChuteNo,
    },
    /// It landed: pulse seen and the next downstream eye stayed dark.
    Landed {
        /// The chute.
        chute: ChuteNo,
        /// Not the chute first decided.
        alternate: bool,
    },
    /// It went off the end of the line.
    EndLanded {
        /// Why.
        reason: Reason,
    },
    /// It went off the end onto the return, and will be inducted again as another one.
    Recirculated {
        /// Why.
        reason: Reason,
    },
    /// It was fired and nothing tells where it is.
    Unconfirmed {
        /// The chute it was fired to.
        chute: ChuteNo,
    },
    /// Tracking lost it.
    Lost {
        /// The eye that should have seen it.
        eye: EyeId,
    },
    /// A person resolved it.
    Removed {
        /// Who.
        by: String,
    },
}
