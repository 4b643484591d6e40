//! What each plant parcel really did; no controller's belief is in it.

use crate::scenario::Event;
use serde::Serialize;
use units::{Counts, Micros};

/// Every parcel of a run, in the order in which they were put onto the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The parcels; a parcel's index is its place here.
    pub parcels: Vec<TruthParcel>,
    /// What was made to happen on the line, in order of time.
    pub happened: Vec<Happened>,
    /// Every time that a node turned a bed's wheels.
    pub firings: Vec<Firing>,
    /// When chutes were full or somebody changed what stands under them.
    pub closures: Vec<Closure>,
}

/// A chute took nothing more: it was full, or somebody had locked it to change its bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closure {
    /// The chute's number.
    pub chute: u16,
    /// Since when.
    pub from: Micros,
    /// Until when; `None` while it lasts.
    pub until: Option<Micros>,
}

/// A node turned a bed's wheels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// When.
    pub at: Micros,
    /// Place of the diverter in the line file.
    pub bed: usize,
    /// How far the belt had gone since each edge at its arrival eye, in mm; the latest ones.
    pub edges_ago_mm: Vec<i64>,
}

/// Something that was made to happen, by a scenario or drawn by the plant's profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// When it began.
    #[serde(rename = "at_us", serialize_with = "micros")]
    pub at: Micros,
    /// When it was over; `None` while it lasts.
    #[serde(rename = "until_us", serialize_with = "maybe_micros")]
    pub until: Option<Micros>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
    /// Whether it could be done: nobody takes off what is not there.
    pub done: bool,
    /// Whether the plant's profile drew it.
    pub drawn: bool,
    /// Where the parcel was that it acted on, its head in mm.
    pub at_mm: Option<i64>,
    /// The parcels that it touched itself, by their places in the truth; not their neighbours.
    pub parcels: Vec<u64>,
}

/// What acted on a parcel besides the belt under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// When.
    #[serde(rename = "at_us", serialize_with = "micros")]
    pub at: Micros,
    /// Where its head was, in mm from the induction eye.
    pub at_mm: i64,
    /// What.
    #[serde(flatten)]
    pub with: With,
}

/// What a parcel came into contact with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "with", content = "which")]
pub enum With {
    /// The parcel ahead, run up to.
    Ahead(u64),
    /// The parcel ahead, which carries it.
    RidesOn(u64),
    /// A bed that sent it off the belt.
    Bed(usize),
    /// A bed that turned for it and did not grip it.
    NotGripped(usize),
    /// A bed whose wheels stood.
    WheelsStopped(usize),
    /// The mouth of a chute, in which it stuck.
    Mouth(u16),
    /// A parcel that dragged it along.
    DraggedBy(u64),
    /// A person's hand.
    Hand,
    /// The pile on a full end slide.
    Overflow,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn micros<S: serde::Serializer>(at: &Micros, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(at.0)
}

#[expect(clippy::ref_option, reason = "serde calls it by reference")]
fn maybe_micros<S: serde::Serializer>(at: &Option<Micros>, to: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.0).serialize(to)
}

impl Truth {
    /// Notes that what has this number touched a parcel.
    pub(crate) fn touch(&mut self, number: usize, parcel: usize) {
        let parcel = u64::try_from(parcel).unwrap_or(u64::MAX);
        if let Some(happened) = self.happened.get_mut(number)
            && !happened.parcels.contains(&parcel)
        {
            happened.parcels.push(parcel);
        }
    }
}

/// One plant parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthParcel {
    /// Its place in the truth.
    pub index: u64,
    /// The parcel ahead with which it was put on as one: the induction eye sees a single pulse.
    pub joined: Option<u64>,
    /// The same parcel's last round, when the bench gave it onto the line again.
    pub again_of: Option<u64>,
    /// The same parcel's pass before, when it has come back over the return.
    pub lap_of: Option<u64>,
    /// What its label says.
    pub waybill: String,
    /// Row of the manifest (from 0) that has this waybill; `None` for a stranger.
    pub row: Option<usize>,
    /// Length, width and height in mm.
    pub size_mm: [i64; 3],
    /// Length along the belt as it lies, in mm.
    pub apparent_mm: i64,
    /// Mass in grams.
    pub mass_g: i64,
    /// Carton or poly bag.
    pub packaging: Packaging,
    /// When it was put onto the line.
    pub fed_at: Micros,
    /// When its head reached the induction eye.
    pub inducted_at: Option<Micros>,
    /// What the sorter belt's own zone node (the reference node) counted then.
    pub induct_count: Option<Counts>,
    /// Free belt ahead of it when its head reached the scan line, tail to head in mm; `None`
    /// before, and for a parcel that follows nobody.
    pub gap_mm: Option<i64>,
    /// What the tunnel's reader gave out for it.
    pub read: ReadTruth,
    /// What each re-scanner's reader gave out for it.
    pub rescans: Vec<ReadTruth>,
    /// Where it is, or where it ended.
    pub place: Place,
    /// When it cut the landing eye of its chute or dropped at the end.
    pub landed_at: Option<Micros>,
    /// A bed that moved at the wrong moment.
    pub fault: Option<BedFault>,
    /// What acted on it besides the belts, in order of time.
    pub contacts: Vec<Contact>,
}

/// What a parcel is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Packaging {
    /// A box; it does not slip where it is accelerated.
    Carton,
    /// A soft bag.
    PolyBag,
}

/// What the reader gave out for a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum ReadTruth {
    /// Nothing yet.
    Pending,
    /// It saw no code.
    NoRead,
    /// These codes, in this order.
    Codes {
        /// The codes.
        codes: Vec<String>,
        /// They came after the window of their trigger.
        late: bool,
    },
}

/// Where a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "at", content = "chute")]
pub enum Place {
    /// On the infeed, ahead of the induction eye.
    Waiting,
    /// On the sorter belt.
    OnLine,
    /// Off the belt towards this chute, its landing eye not reached.
    Sliding(u16),
    /// In this chute.
    Chute(u16),
    /// In the end chute.
    End,
    /// On the return: another pass of the same parcel begins when it comes back.
    Round,
    /// In a person's hands, off the line.
    Taken,
}

/// A bed that moved at the wrong moment for a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "diverter")]
pub enum BedFault {
    /// It was turning when the parcel reached it; the parcel went where it pointed under its
    /// centre.
    HalfTurned(usize),
    /// It turned under the rear half of a parcel that had passed straight.
    Brushed(usize),
    /// It pointed to a side that has no chute; the parcel went on.
    NoChute(usize),
}

impl TruthParcel {
    /// What a reader gave out for it; `None` on a line without that one.
    pub fn read_by(&self, scanner: usize) -> Option<&ReadTruth> {
        match scanner.checked_sub(1) {
            None => Some(&self.read),
            Some(place) => self.rescans.get(place),
        }
    }

    pub(crate) fn read_by_mut(&mut self, scanner: usize) -> Option<&mut ReadTruth> {
        match scanner.checked_sub(1) {
            None => Some(&mut self.read),
            Some(place) => self.rescans.get_mut(place),
        }
    }

    /// Whether nothing more will happen to it.
    pub const fn is_final(&self) -> bool {
        match self.place {
            Place::Chute(_) | Place::End | Place::Round | Place::Taken => true,
            Place::Waiting | Place::OnLine | Place::Sliding(_) => false,
        }
    }
}

/// One line of the truth file.
#[derive(Clone, Debug, Serialize)]
pub struct TruthLine<'a> {
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again_of: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lap_of: Option<u64>,
    waybill: &'a str,
    row: Option<usize>,
    length_mm: i64,
    apparent_mm: i64,
    mass_g: i64,
    packaging: Packaging,
    inducted_at_us: Option<u64>,
    induct_count: Option<u32>,
    read: &'a ReadTruth,
    #[serde(skip_serializing_if = "<[ReadTruth]>::is_empty")]
    rescans: &'a [ReadTruth],
    place: Place,
    landed_at_us: Option<u64>,
    fault: Option<BedFault>,
    #[serde(skip_serializing_if = "<[Contact]>::is_empty")]
    contacts: &'a [Contact],
}

impl<'a> TruthLine<'a> {
    /// The line of `parcel`.
    pub fn of(parcel: &'a TruthParcel) -> Self {
        Self {
            index: parcel.index,
            joined: parcel.joined,
            again_of: parcel.again_of,
            lap_of: parcel.lap_of,
            waybill: &parcel.waybill,
            row: parcel.row,
            length_mm: parcel.size_mm[0],
            apparent_mm: parcel.apparent_mm,
            mass_g: parcel.mass_g,
            packaging: parcel.packaging,
            inducted_at_us: parcel.inducted_at.map(|at| at.0),
            induct_count: parcel.induct_count.map(|count| count.0),
            read: &parcel.read,
            rescans: &parcel.rescans,
            place: parcel.place,
            landed_at_us: parcel.landed_at.map(|at| at.0),
            fault: parcel.fault,
            contacts: &parcel.contacts,
        }
    }
}
