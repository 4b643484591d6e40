//! What can be made to happen on a line: the closed list, each with what sensors can tell of it.

use serde::{Deserialize, Serialize};

/// Something that happens to the line on purpose.
///
/// A parcel's events act on the parcel that their [`super::Entry`] names. Spans are in ms; a span
/// that is `None` lasts until a person puts it right (or to the end of the run where nobody does).
/// *Observable* means that no reading of the plant's sensors is the same with and without it where
/// it matters: the controller must not do wrong by it. *Unobservable* ones are run apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Event {
    /// A person takes the parcel off the belt. Observable: its next eye stays dark.
    TakeOff,
    /// A person puts a foreign parcel onto the belt, its head at `place_mm`, without induction; not
    /// done where there is no room. Observable: an edge where no parcel is expected.
    PutOn {
        /// Where its head comes to lie.
        place_mm: i32,
        /// Its length.
        length_mm: u32,
        /// What its label says; without it a waybill that no manifest has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waybill: Option<String>,
    },
    /// The parcel is held fast while the belt runs on under it. Observable: its edge comes late by
    /// as much; what is held shorter than the tolerance is no other parcel.
    Hold {
        /// How long.
        for_ms: u64,
    },
    /// The parcel slides by this much, backwards when negative. Observable as [`Event::Hold`] is.
    Slip {
        /// How far.
        by_mm: i32,
    },
    /// The parcel is pushed up to the one ahead, so that both touch; not done without one.
    /// Observable: one long pulse where two are expected.
    Touch,
    /// The parcel is laid over the tail of the one ahead and rides on it; not done without one.
    /// Observable: one pulse where two are expected. Where the upper one ends, no sensor knows.
    Overlap {
        /// How much of it lies on the other.
        by_mm: u32,
    },
    /// The parcel is turned by a quarter. Observable: its length changes; no harm if it fits still.
    Rotate,
    /// The eye is blocked. Observable: a pulse longer than any parcel.
    EyeBlocked {
        /// Its name.
        eye: String,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The eye sees nothing. Observable: parcels that the eyes before and behind it see are missing.
    EyeClear {
        /// Its name.
        eye: String,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// A dirty lens: heads are seen late and tails early. Observable: lengths that other eyes
    /// measured longer.
    EyeDirty {
        /// Its name.
        eye: String,
        /// How late and how early.
        by_mm: u32,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The eye does not see the next thing that cuts it. Observable: other eyes do.
    EyeMiss {
        /// Its name.
        eye: String,
    },
    /// The eye's contact chatters. Observable: pulses shorter than any parcel.
    EyeBounce {
        /// Its name.
        eye: String,
        /// How many pulses.
        pulses: u32,
        /// In what time.
        in_ms: u64,
    },
    /// Hands cut a landing eye. Observable: a landing needs firing, pulse and a dark eye behind.
    Hand {
        /// The chute.
        chute: u16,
        /// How often.
        times: u32,
        /// In what time.
        in_ms: u64,
    },
    /// A reader gives nothing. Observable: triggers without an answer.
    ReaderDead {
        /// Which one; 0 is the tunnel's, the others re-scan.
        #[serde(default, skip_serializing_if = "is_first")]
        scanner: usize,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// What a reader makes of the parcel; see [`ReadFault`].
    Read {
        /// Which one; 0 is the tunnel's, the others re-scan.
        #[serde(default, skip_serializing_if = "is_first")]
        scanner: usize,
        /// What.
        result: ReadFault,
    },
    /// The scale gives nothing. Observable: triggers without an answer.
    ScaleDead {
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The bed does not turn at its next command; with a span it stays stuck. Observable: the next
    /// eye sees the parcel.
    NoTurn {
        /// The diverter.
        diverter: String,
        /// How long it stays so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The bed stays turned after its next parcel. Observable: no home contact.
    NoReturn {
        /// The diverter.
        diverter: String,
        /// How long it stays so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The bed's wheels stand: what comes onto it stays there. Observable: the eyes behind stay dark
    /// and the parcels behind it pile up.
    WheelsStopped {
        /// The diverter.
        diverter: String,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// Little air: the bed turns slowly. Observable: parcels land elsewhere or not at all, and the
    /// home contact is late.
    SlowSwitch {
        /// The diverter.
        diverter: String,
        /// How long it takes to turn.
        switch_ms: u32,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The parcel is not gripped by the next bed that turns for it: it goes on. Observable: the next
    /// eye sees it.
    NotGripped,
    /// The parcel sticks askew at the mouth of the next chute that it is diverted to. Observable:
    /// landing eye and next eye stay dark.
    SkewJam,
    /// The parcel drags the next one with it when it is diverted. Observable: the dragged one is
    /// missing at its next eye; into which chute it went, no sensor knows.
    Drag,
    /// The diverter's home contact stays as it is. Observable: it does not follow the commands.
    FeedbackLies {
        /// The diverter.
        diverter: String,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// An encoder gives no pulses to anybody. Observable: the belt is told to run, time passes and
    /// edges come, at one and the same count.
    EncoderStall {
        /// Name of the encoder.
        encoder: String,
        /// How long.
        for_ms: u64,
    },
    /// One node's counter gets no pulses. Observable: it falls behind the other nodes' by latch and
    /// by common edges.
    CounterStall {
        /// Name of the node.
        node: String,
        /// How long.
        for_ms: u64,
    },
    /// A drive trips and its belt stops. Observable: the drive's ready contact opens.
    DriveTrip {
        /// The zone.
        zone: String,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// A node loses its power and boots again. Observable: another boot id.
    NodeReboot {
        /// Name of the node.
        node: String,
        /// How long it is off.
        off_ms: u64,
    },
    /// A bus is bad. Observable: every answer carries token and check word.
    BusFaults {
        /// Name of the bus.
        bus: String,
        /// Rates, as [`crate::Faults::parse`] reads them.
        faults: String,
        /// How long.
        for_ms: u64,
    },
    /// An emergency-stop contact trips. Observable: it is an input.
    Estop {
        /// 1 or 2.
        contact: usize,
    },
    /// An emergency-stop contact is released. Observable: it is an input.
    EstopRelease {
        /// 1 or 2.
        contact: usize,
    },
    /// A button of the panel is pressed and left. Observable: it is an input.
    Press {
        /// Which.
        button: crate::world::Button,
        /// How long it is held.
        for_ms: u64,
    },
    /// The full eye of a chute is blocked. Observable: it is an input.
    ChuteFull {
        /// The chute.
        chute: u16,
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The lock button of a chute is pressed and left. Observable: it is an input.
    ChuteButton {
        /// The chute.
        chute: u16,
        /// How long it is held.
        for_ms: u64,
    },
    /// Somebody at the chute presses its button, changes the bag with hands before its landing eye,
    /// and presses again. Observable as [`Event::Hand`] and [`Event::ChuteButton`] are.
    BagChange {
        /// The chute.
        chute: u16,
    },
    /// The full eye of the end slide is blocked. Observable: it is an input.
    EndFull {
        /// How long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The journal's disk stands still; for the harness. Observable: no commit comes.
    DiskStall {
        /// How long.
        for_ms: u64,
    },
    /// The controller dies; for the harness. Observable: leases run out.
    ControllerKill,
    /// The controller starts again; for the harness. Observable: it knows that it starts.
    ControllerRestart,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
const fn is_first(scanner: &usize) -> bool {
    *scanner == 0
}

/// What the reader makes of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadFault {
    /// It says that it saw no code. Observable: it says so.
    None,
    /// It does not answer. Observable: the answer's window passes.
    Silent,
    /// It answers after the window. Observable: the answer carries an old trigger number.
    Late,
    /// It gives the label and a second code. Observable: two codes.
    Several,
    /// It gives a well-formed code that is not the label's. Unobservable: it reads like any other;
    /// another parcel's code, when that parcel comes too, is seen as a repeated waybill.
    Wrong,
}

impl Event {
    /// Whether sensors can tell; the reason stands with each event.
    pub const fn is_observable(&self) -> bool {
        match self {
            Self::Read { scanner, result } => match result {
                // A re-scan of another code than the tunnel's is seen as that.
                ReadFault::Wrong => *scanner > 0,
                ReadFault::None | ReadFault::Silent | ReadFault::Late | ReadFault::Several => true,
            },
            Self::TakeOff
            | Self::PutOn { .. }
            | Self::Hold { .. }
            | Self::Slip { .. }
            | Self::Touch
            | Self::Overlap { .. }
            | Self::Rotate
            | Self::EyeBlocked { .. }
            | Self::EyeClear { .. }
            | Self::EyeDirty { .. }
            | Self::EyeMiss { .. }
            | Self::EyeBounce { .. }
            | Self::Hand { .. }
            | Self::ReaderDead { .. }
            | Self::ScaleDead { .. }
            | Self::NoTurn { .. }
            | Self::NoReturn { .. }
            | Self::WheelsStopped { .. }
            | Self::SlowSwitch { .. }
            | Self::NotGripped
            | Self::SkewJam
            | Self::Drag
            | Self::FeedbackLies { .. }
            | Self::EncoderStall { .. }
            | Self::CounterStall { .. }
            | Self::DriveTrip { .. }
            | Self::NodeReboot { .. }
            | Self::BusFaults { .. }
            | Self::Estop { .. }
            | Self::EstopRelease { .. }
            | Self::Press { .. }
            | Self::ChuteFull { .. }
            | Self::ChuteButton { .. }
            | Self::BagChange { .. }
            | Self::EndFull { .. }
            | Self::DiskStall { .. }
            | Self::ControllerKill
            | Self::ControllerRestart => true,
        }
    }

    /// Whether it acts on a parcel, so that its entry must name one.
    pub const fn needs_parcel(&self) -> bool {
        matches!(
            self,
            Self::TakeOff
                | Self::Hold { .. }
                | Self::Slip { .. }
                | Self::Touch
                | Self::Overlap { .. }
                | Self::Rotate
                | Self::Read { .. }
                | Self::NotGripped
                | Self::SkewJam
                | Self::Drag
        )
    }

    /// Whether it goes on after it has begun: until it is put right, or until its own end.
    pub const fn may_last(&self) -> bool {
        matches!(
            self,
            Self::Hold { .. }
                | Self::EyeBlocked { .. }
                | Self::EyeClear { .. }
                | Self::EyeDirty { .. }
                | Self::ReaderDead { .. }
                | Self::ScaleDead { .. }
                | Self::NoTurn { .. }
                | Self::NoReturn { .. }
                | Self::WheelsStopped { .. }
                | Self::SlowSwitch { .. }
                | Self::FeedbackLies { .. }
                | Self::SkewJam
                | Self::EncoderStall { .. }
                | Self::CounterStall { .. }
                | Self::DriveTrip { .. }
                | Self::NodeReboot { .. }
                | Self::BusFaults { .. }
                | Self::Press { .. }
                | Self::ChuteFull { .. }
                | Self::ChuteButton { .. }
                | Self::EndFull { .. }
        )
    }

    /// How long it lasts, in ms; `None` for what is over at once or lasts until put right.
    pub const fn lasts_ms(&self) -> Option<u64> {
        match self {
            Self::EyeBlocked { for_ms, .. }
            | Self::EyeClear { for_ms, .. }
            | Self::EyeDirty { for_ms, .. }
            | Self::ReaderDead { for_ms, .. }
            | Self::ScaleDead { for_ms }
            | Self::NoTurn { for_ms, .. }
            | Self::NoReturn { for_ms, .. }
            | Self::WheelsStopped { for_ms, .. }
            | Self::SlowSwitch { for_ms, .. }
            | Self::FeedbackLies { for_ms, .. }
            | Self::DriveTrip { for_ms, .. }
            | Self::ChuteFull { for_ms, .. }
            | Self::EndFull { for_ms } => *for_ms,
            Self::Hold { for_ms }
            | Self::EncoderStall { for_ms, .. }
            | Self::CounterStall { for_ms, .. }
            | Self::BusFaults { for_ms, .. }
            | Self::Press { for_ms, .. }
            | Self::ChuteButton { for_ms, .. }
            | Self::NodeReboot { off_ms: for_ms, .. } => Some(*for_ms),
            Self::TakeOff
            | Self::PutOn { .. }
            | Self::Slip { .. }
            | Self::Touch
            | Self::Overlap { .. }
            | Self::Rotate
            | Self::EyeMiss { .. }
            | Self::EyeBounce { .. }
            | Self::Hand { .. }
            | Self::Read { .. }
            | Self::NotGripped
            | Self::SkewJam
            | Self::Drag
            | Self::Estop { .. }
            | Self::EstopRelease { .. }
            | Self::BagChange { .. }
            | Self::DiskStall { .. }
            | Self::ControllerKill
            | Self::ControllerRestart => None,
        }
    }
}
