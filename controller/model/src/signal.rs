//! The closed list of what can happen to the line.

use crate::alarm::Alarm;
use crate::ids::{ChuteNo, EyeId, NodeId, ParcelId, ScannerId, Tag, ZoneId};
use crate::packml::UnitMode;
use crate::plan::{Facts, Plan};
use alloc::string::String;
use alloc::vec::Vec;
use units::{Distance, Grams, Micros, Millis, Position};

/// One thing that happened; each is one journal record together with its decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A debounced edge at an eye on the sorter belt.
    Edge {
        /// Which eye.
        eye: EyeId,
        /// true = head (blocked), false = tail (clear).
        active: bool,
        /// Where the belt stood at the edge.
        at: Position,
        /// ± of the map from the node's counts to the belt's frame.
        spread: Distance,
    },
    /// A debounced edge at a chute's landing eye.
    Landing {
        /// Which chute.
        chute: ChuteNo,
        /// true = blocked.
        active: bool,
        /// Where the belt stood.
        at: Position,
        /// The node's clock, for differences with other stamps of the same node only.
        ms: Millis,
    },
    /// Every event of the node up to this position has been heard.
    Heard {
        /// Which node.
        node: NodeId,
        /// Up to where.
        at: Position,
    },
    /// The reader answered for one trigger.
    Read {
        /// Which scanner's.
        scanner: ScannerId,
        /// Head position at the trigger.
        at: Position,
        /// ± of `at`.
        spread: Distance,
        /// What was read.
        read: Read,
    },
    /// A read came that belongs to no open trigger; both neighbours of the instant are uncertain.
    Unassigned {
        /// Which scanner's.
        scanner: ScannerId,
        /// Where the belt stood when it came.
        at: Position,
        /// Number that the reader echoed; `None` without one. With a number it only came late.
        trigger: Option<u16>,
    },
    /// The scale answered for one trigger.
    Measured {
        /// Head position at the trigger.
        at: Position,
        /// ± of `at`.
        spread: Distance,
        /// The weight; `None` without a value.
        weight: Option<Grams>,
        /// Length, width, height in mm, 0 = not measured.
        size_mm: [u16; 3],
    },
    /// The node took or refused an arm.
    ArmAnswered {
        /// Which arm.
        tag: Tag,
        /// Whether it was taken.
        taken: bool,
    },
    /// An accepted arm ended.
    ArmEnded {
        /// Which arm.
        tag: Tag,
        /// How.
        end: ArmEnd,
        /// Where the belt stood at the end.
        at: Position,
        /// The node's clock at the end.
        ms: Millis,
    },
    /// A contact of a chute changed, or is told again after a connect.
    Chute {
        /// Which chute.
        chute: ChuteNo,
        /// Which contact.
        contact: ChuteContact,
        /// Blocked, on, pressed.
        active: bool,
    },
    /// A contact of the panel changed.
    Contact {
        /// Which one.
        contact: Contact,
        /// Tripped, pressed, full.
        active: bool,
    },
    /// The node is reachable and was checked; `restarted` when its boot id is new, so that its counts,
    /// arms and unread events are gone.
    NodeUp {
        /// Which node.
        node: NodeId,
        /// Its boot id differs from the last one known.
        restarted: bool,
    },
    /// The node no longer answers, or is not what the line file says.
    NodeDown {
        /// Which node.
        node: NodeId,
        /// Why.
        why: DownReason,
    },
    /// The node's ring overflowed: this many events are gone.
    EventsLost {
        /// Which node.
        node: NodeId,
        /// How many.
        entries: u16,
    },
    /// The node fell to its safe state because the host had been silent.
    LeaseExpired {
        /// Which node.
        node: NodeId,
    },
    /// How exactly the node's counts are known in the belt's frame, when that has changed; windows
    /// at its eyes are wider by it.
    MapSpread {
        /// Which node.
        node: NodeId,
        /// ± of its positions.
        spread: Distance,
    },
    /// The node's encoder and the belt's have lost pulses against each other; its counts have been
    /// mapped anew.
    EncoderDrift {
        /// Which node; the reference when every other one differs by the same.
        node: NodeId,
        /// How far its positions were off, beyond the ± of both maps.
        by: Distance,
    },
    /// After a restart: the tags that still wait on the node.
    Adopted {
        /// Which node.
        node: NodeId,
        /// Their tags.
        tags: Vec<Tag>,
    },
    /// The manifest's answer.
    Route {
        /// Whose question.
        parcel: ParcelId,
        /// What is known; `None` = not in the manifest.
        facts: Option<Facts>,
    },
    /// A person's command, from a screen.
    Command {
        /// What.
        command: Command,
        /// Who.
        by: String,
        /// Why, in the person's words; empty when nobody said.
        reason: String,
    },
    /// A person did something at a chute or with a parcel, or wants something done.
    Deed {
        /// What.
        deed: Deed,
        /// Who.
        by: String,
        /// Why, in the person's words; may be empty.
        reason: String,
    },
    /// The plan in force from now on, for parcels inducted from now on.
    PlanSelected {
        /// The plan.
        plan: Plan,
    },
    /// An arm was not durable in time and was never sent, or it was sent in time and its node did
    /// not take it.
    Withheld {
        /// Which arm.
        tag: Tag,
    },
    /// The journal's disk does not keep up.
    CommitsStalled,
    /// The journal's disk keeps up again.
    CommitsResumed,
    /// The controller is back after an interruption of this length.
    Resumed {
        /// From the last record to now.
        gap: Micros,
    },
    /// An input made the model panic twice and was set aside; nothing is certain any more.
    Quarantined,
    /// A parcel came to the exit eye of a gapping zone, or left it.
    ZoneExit {
        /// Which zone.
        zone: ZoneId,
        /// true = blocked.
        active: bool,
    },
    /// Wall-clock time, for people and for the cut-off times of a plan.
    WallClock {
        /// Microseconds since 1970-01-01 UTC.
        utc_us: u64,
    },
    /// The wall clock jumped: an alarm for people, no decision depends on it.
    WallClockStepped {
        /// What it reads now, microseconds since 1970-01-01 UTC.
        utc_us: u64,
        /// How far that is ahead of what it should read; negative = back.
        by_us: i64,
    },
    /// A file that the controller works by is another one than before: for people, no decision
    /// depends on it. Its content is kept beside the records.
    FileTaken {
        /// Which kind of file.
        file: File,
        /// Its name, without the directory.
        name: String,
        /// Hash of its content (blake3).
        hash: [u8; 32],
        /// Who.
        by: String,
        /// Why, in the person's words; empty when nobody said.
        reason: String,
    },
    /// A deadline has come.
    Timer,
}

/// A kind of file that the controller works by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// The line file with every setting.
    Line,
    /// The sort plan.
    Plan,
    /// The manifest.
    Manifest,
}

/// What a reader said for one trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Distinct codes, at least one.
    Codes(Vec<String>),
    /// Nothing.
    NoRead,
    /// A code or their number was over the limit.
    TooLong,
}

/// How an accepted arm ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmEnd {
    /// Fired for the head edge at this position.
    Fired {
        /// The head edge that fitted.
        edge: Position,
    },
    /// No edge in the window.
    Expired,
    /// Two edges: not fired.
    Ambiguous,
    /// Chute locked or full: not fired.
    Locked,
    /// Shorter than expected: not fired.
    Short,
    /// Bed not home: not fired.
    Busy,
    /// Withdrawn by the host.
    Cancelled,
    /// Withdrawn at lease expiry.
    LeaseExpired,
    /// The node restarted; whether it fired is not known.
    Restarted,
}

/// A contact of the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contact {
    /// Emergency-stop contact with this number.
    Estop(u8),
    /// Start button.
    Start,
    /// Stop button.
    Stop,
    /// Reset button.
    Reset,
    /// End chute, or return, full.
    EndFull,
}

/// A contact of a chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChuteContact {
    /// Full eye.
    Full,
    /// Lock switch; the node refuses by itself while it is on.
    Lock,
    /// Lock button.
    Button,
}

/// What a person did at a chute or with a parcel, or wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Lock a chute, as its button does.
    Lock {
        /// Which chute.
        chute: ChuteNo,
    },
    /// Unlock a chute; what has no label in it was taken away.
    Unlock {
        /// Which chute.
        chute: ChuteNo,
    },
    /// Take a chute out of use.
    TakeOut {
        /// Which chute.
        chute: ChuteNo,
    },
    /// Take a chute into use again.
    PutBack {
        /// Which chute.
        chute: ChuteNo,
    },
    /// A bag was hung and its label scanned.
    BindBag {
        /// Which chute.
        chute: ChuteNo,
        /// The label.
        label: String,
    },
    /// The label of a bag was scanned to close it.
    CloseBag {
        /// Which chute.
        chute: ChuteNo,
        /// The label.
        label: String,
    },
    /// 人工落格: a parcel was put into a chute by hand.
    PutByHand {
        /// Which chute.
        chute: ChuteNo,
        /// The parcel's code.
        code: String,
    },
    /// 错分登记: a parcel was found in a chute where it does not belong, and was taken out.
    Missorted {
        /// Which chute.
        chute: ChuteNo,
        /// The parcel's code.
        code: String,
    },
    /// 掉件: a parcel was found beside the line; it will be inducted again.
    Fallen {
        /// The parcel's code.
        code: String,
    },
}

impl Deed {
    /// Its chute, where it has one.
    pub const fn chute(&self) -> Option<ChuteNo> {
        match self {
            Self::Lock { chute }
            | Self::Unlock { chute }
            | Self::TakeOut { chute }
            | Self::PutBack { chute }
            | Self::BindBag { chute, .. }
            | Self::CloseBag { chute, .. }
            | Self::PutByHand { chute, .. }
            | Self::Missorted { chute, .. } => Some(*chute),
            Self::Fallen { .. } => None,
        }
    }

    /// Its name in files, reports and the interface.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Lock { .. } => "lock",
            Self::Unlock { .. } => "unlock",
            Self::TakeOut { .. } => "take_out",
            Self::PutBack { .. } => "put_back",
            Self::BindBag { .. } => "bind_bag",
            Self::CloseBag { .. } => "close_bag",
            Self::PutByHand { .. } => "put_by_hand",
            Self::Missorted { .. } => "missorted",
            Self::Fallen { .. } => "fallen",
        }
    }

    /// The code that was scanned for it, where one was.
    pub const fn code(&mut self) -> Option<&mut String> {
        match self {
            Self::BindBag { label: code, .. }
            | Self::CloseBag { label: code, .. }
            | Self::PutByHand { code, .. }
            | Self::Missorted { code, .. }
            | Self::Fallen { code } => Some(code),
            Self::Lock { .. }
            | Self::Unlock { .. }
            | Self::TakeOut { .. }
            | Self::PutBack { .. } => None,
        }
    }
}

/// Why a node is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// It does not answer.
    Silent,
    /// Its bus cannot be opened or was unplugged.
    BusDown,
    /// It speaks another map version.
    WrongMap {
        /// The version it speaks.
        found: u16,
    },
    /// It is another kind of node.
    WrongKind {
        /// The kind word it gave.
        found: u16,
    },
    /// Another master owns it.
    NotOwner,
    /// Two devices answer at its address; it is left alone until only one does.
    AddressClash {
        /// Serial number of the one.
        one: u32,
        /// Serial number of the other; 0 when it did not identify itself.
        other: u32,
    },
}

/// A person's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Stopped → Idle.
    Reset,
    /// Idle or Held → Execute; wakes a sleeping line.
    Start,
    /// Any running state → Stopped.
    Stop,
    /// Execute → Held.
    Hold,
    /// Any state → Aborted.
    Abort,
    /// Aborted → Stopped.
    Clear,
    /// An unconfirmed or lost parcel was found and resolved by a person.
    Resolve {
        /// Which parcel.
        parcel: ParcelId,
        /// The chute where it lies; `None` = taken off the line by hand.
        chute: Option<ChuteNo>,
    },
    /// 清线停机: Execute → Completed, through an empty line.
    Complete,
    /// Stopped → stopped in another mode.
    SetMode(UnitMode),
    /// One alarm was seen, or all.
    Acknowledge {
        /// Which; `None` = all.
        alarm: Option<Alarm>,
    },
    /// An alarm is put aside; needs a reason.
    Shelve {
        /// Which.
        alarm: Alarm,
        /// For how long.
        minutes: u16,
    },
    /// An alarm is taken back.
    Unshelve {
        /// Which.
        alarm: Alarm,
    },
    /// The jog button of a zone is held, said again and again; only in maintenance.
    Jog {
        /// Which; `None` = let go.
        zone: Option<ZoneId>,
    },
}
