//! The line's geometry and duties as the model needs them; built by the daemon's checked configuration.

use crate::ids::{ChuteNo, DiverterId, EyeId, NodeId, Side};
use alloc::string::String;
use alloc::vec::Vec;
use units::{Distance, EncoderId, Grams, Micros, MmPerSecond};

/// Everything about the line that does not change while it runs.
///
/// Distances are encoder counts of the sorter belt along a parcel's nominal path (sections and beds
/// that run faster or slower than the belt are already converted), measured for the parcel's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Encoder of the sorter belt: the frame of every position in the model.
    pub encoder: EncoderId,
    /// Counts a metre of that encoder.
    pub counts_per_metre: u32,
    /// Nominal speed of the sorter belt.
    pub speed: MmPerSecond,
    /// Every node, by name.
    pub nodes: Vec<NodePlace>,
    /// Conveyor zones from infeed to sorter; the last one is the sorter belt.
    pub zones: Vec<ZonePlace>,
    /// Eyes along the sorter belt in order: induction, tunnel exit, each diverter's arrival eye, end.
    pub eyes: Vec<EyePlace>,
    /// Head position at the scanner's trigger and its node.
    pub scanner: StationPlace,
    /// The same of the scanners that read once more behind diverters, in the order that a parcel
    /// passes them.
    pub rescanners: Vec<StationPlace>,
    /// Head position at the scale's trigger and its node; `None` without a scale.
    pub dws: Option<StationPlace>,
    /// Wheel diverters in order.
    pub diverters: Vec<DiverterPlace>,
    /// Chutes, ascending by number.
    pub chutes: Vec<ChutePlace>,
    /// What becomes of whoever passes the end eye.
    pub end: LineEnd,
    /// Node of the operator panel.
    pub panel: NodeId,
    /// Times and tolerances.
    pub limits: Limits,
}

/// What lies behind the end eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// A chute: parcels end there.
    Chute,
    /// A conveyor that brings parcels back to the infeed, where they are inducted again.
    Return {
        /// Passes of one waybill before it goes to the general exceptions.
        laps_max: u8,
        /// From the end eye to the infeed at nominal speed.
        transit: Micros,
    },
}

impl LineEnd {
    /// Whether parcels come back from it.
    pub const fn returns(self) -> bool {
        match self {
            Self::Chute => false,
            Self::Return { .. } => true,
        }
    }
}

/// A node by its name in the line file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlace {
    /// Name, unique.
    pub name: String,
    /// What the line loses without it.
    pub duty: Duty,
}

/// What the line loses when a node is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Belt or eyes that tracking stands on, or the panel: the line is held.
    Essential,
    /// A diverter: its chutes are off, the line goes on.
    Diverter(DiverterId),
    /// Weight or re-scan only: the line goes on without it.
    Optional,
}

/// A conveyor zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonePlace {
    /// Name in the line file.
    pub name: String,
    /// Its node.
    pub node: NodeId,
    /// Nominal speed.
    pub speed: MmPerSecond,
    /// Releases one parcel per distance; gets `gap_target`.
    pub gapping: bool,
    /// How long a parcel is on it at nominal speed.
    pub transit: Micros,
}

/// A photo-eye on the sorter belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EyePlace {
    /// The node that watches it.
    pub node: NodeId,
    /// Path counts from the induction eye.
    pub at: Distance,
}

/// A trigger position of a scanner or scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StationPlace {
    /// Its node.
    pub node: NodeId,
    /// Path counts from the induction eye.
    pub at: Distance,
}

/// A wheel diverter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiverterPlace {
    /// Name in the line file.
    pub name: String,
    /// Its node.
    pub node: NodeId,
    /// Its arrival eye.
    pub eye: EyeId,
    /// Counts from the arrival eye to the start of the bed.
    pub eye_to_bed: Distance,
    /// Length of the bed in counts.
    pub bed: Distance,
    /// Counts from the arrival eye's head edge to firing.
    pub delay: Distance,
    /// Tail-to-head gap needed before a parcel that changes the bed's state.
    pub gap_before: Distance,
    /// Tail-to-head gap needed behind a diverted parcel.
    pub gap_after: Distance,
    /// First landing edge after firing, earliest, in counts.
    pub landing_from: Distance,
    /// First landing edge after firing, latest, in counts.
    pub landing_to: Distance,
}

/// A chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChutePlace {
    /// Its number.
    pub number: ChuteNo,
    /// The diverter that serves it.
    pub diverter: DiverterId,
    /// On which side.
    pub side: Side,
    /// What it is for.
    pub role: ChuteRole,
    /// What catches its parcels, and when it has its fill.
    pub care: ChuteCare,
}

/// What catches a chute's parcels, how that is changed, and when it has its fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChuteCare {
    /// What catches its parcels.
    pub kind: ChuteKind,
    /// How that is changed.
    pub change: Change,
    /// Its full eye blocked for so long means full; `None` without a full eye.
    pub full_after: Option<Micros>,
    /// Pieces with which it is full; `None` without a limit.
    pub pieces_max: Option<u16>,
    /// Weight with which it is full; `None` without a limit.
    pub weight_max: Option<Grams>,
    /// Most parcels that are decided for it within a span; `None` without a limit.
    pub rate: Option<Rate>,
}

impl ChuteCare {
    /// A slide without eye or limit.
    pub const PLAIN: Self = Self {
        kind: ChuteKind::Slide,
        change: Change::Locked,
        full_after: None,
        pieces_max: None,
        weight_max: None,
        rate: None,
    };
}

/// What catches a chute's parcels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChuteKind {
    /// A bag with a label.
    Bag,
    /// A cage.
    Cage,
    /// Nothing but its slide.
    Slide,
}

impl ChuteKind {
    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bag => "bag",
            Self::Cage => "cage",
            Self::Slide => "slide",
        }
    }
}

/// How what catches a chute's parcels is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The chute is locked, others take over.
    Locked,
    /// The slide collects so many pieces meanwhile.
    Buffered {
        /// How many.
        pieces: u16,
    },
}

/// Most parcels that are decided for a chute within a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The span.
    pub span: Micros,
    /// Most parcels in it.
    pub parcels: u16,
    /// Most counts of their lengths in it; `None` without this limit.
    pub length: Option<Distance>,
}

/// What a chute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChuteRole {
    /// Parcels by plan.
    Sort,
    /// 综合异常口: unroutable parcels.
    GeneralExceptions,
    /// 拦截管控口: parcels whose gate failed.
    Quarantine,
}

impl ChuteRole {
    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sort => "sort",
            Self::GeneralExceptions => "general_exceptions",
            Self::Quarantine => "quarantine",
        }
    }
}

/// Times, windows and tolerances of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pre-start warning before any belt moves.
    pub prestart: Micros,
    /// Longest ramp of the sorter belt, up or down.
    pub ramp: Micros,
    /// Nodes fall to their safe state after this much silence.
    pub lease: Micros,
    /// Least time between the sending of an arm and the parcel's arrival at the eye.
    pub arm_lead: Micros,
    /// Position tolerance at the next eye, besides slip.
    pub tolerance: Distance,
    /// A parcel may arrive early by this share of the way, in per mille.
    pub early_permille: u16,
    /// A parcel may arrive late by this share of the way, in per mille.
    pub late_permille: u16,
    /// Length tolerance in per cent of the length.
    pub length_percent: u16,
    /// Length tolerance in counts at least.
    pub length_min: Distance,
    /// Longest parcel in counts; longer is treated as touching parcels.
    pub length_max: Distance,
    /// Tail-to-head gap that the gapping zone is told.
    pub gap_target: Distance,
    /// Most parcels on the sorter belt.
    pub in_flight_max: u16,
    /// An eye blocked for longer while the belt runs is a jam.
    pub jam: Micros,
    /// Nothing came for so long: the sorter belt sleeps; `None` = never.
    pub sleep: Option<Micros>,
    /// What is heavier or larger goes to the general exceptions.
    pub largest: Largest,
}

/// The heaviest and largest that the line takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Largest {
    /// Weight; `None` without a limit.
    pub weight: Option<Grams>,
    /// Longest side in mm; `None` without a limit.
    pub side_mm: Option<u16>,
}

impl Layout {
    /// The chute with this number.
    pub fn chute(&self, number: ChuteNo) -> Option<&ChutePlace> {
        let place = self.chutes.binary_search_by_key(&number, |chute| chute.number);
        place.ok().and_then(|place| self.chutes.get(place))
    }

    /// The chute on one side of a diverter.
    pub fn chute_at(&self, diverter: DiverterId, side: Side) -> Option<&ChutePlace> {
        self.chutes.iter().find(|chute| chute.diverter == diverter && chute.side == side)
    }

    /// The first chute with this role.
    pub fn role(&self, role: ChuteRole) -> Option<&ChutePlace> {
        self.chutes.iter().find(|chute| chute.role == role)
    }

    /// The diverter with this index.
    ///
    /// # Panics
    /// When the index is not of this layout.
    pub fn diverter(&self, id: DiverterId) -> &DiverterPlace {
        &self.diverters[usize::from(id.0)]
    }

    /// The eye with this index.
    ///
    /// # Panics
    /// When the index is not of this layout.
    pub fn eye(&self, id: EyeId) -> &EyePlace {
        &self.eyes[usize::from(id.0)]
    }
}
