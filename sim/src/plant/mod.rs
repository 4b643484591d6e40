//! The line as it physically is: belts, parcels, eyes, beds, chutes, reader, scale.
//!
//! Moves in steps of one millisecond, in integers: lengths in nanometres (1 µm/s carries 1 nm in a
//! step), times in microseconds. Knows nodes only as numbered stations with inputs and outputs.
//! Start reading at [`Plant::step`].

pub mod belt;
pub mod chute;
mod device;
pub mod diverter;
pub mod eye;
pub mod feed;
mod hands;
pub mod motion;
pub mod parcel;
pub mod reader;
pub mod scale;
mod trouble;

#[cfg(test)]
pub(crate) mod tests;

use crate::items::Item;
use crate::plant_file::{PlantFile, Profile};
use crate::rng::Rng;
use crate::truth::{Place, ReadTruth, Truth, TruthParcel};
use belt::Belt;
use chute::Slides;
use diverter::{Bed, BedPlan};
use eye::{Eye, EyeRole};
use feed::{Feed, Infeed};
use parcel::{Body, Parcel};
use reader::Reader;
use registers::exchange::Side;
use scale::Scale;
use std::sync::Arc;
use units::{Counts, Micros};

/// A length or position in nanometres.
pub type Nm = i64;
/// One millimetre.
pub const MM: Nm = 1_000_000;
/// One step in µs.
pub const STEP_US: u64 = 1_000;

/// Something that reaches a node at its instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happening {
    /// When, in µs.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What reaches a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The raw level of an input.
    Level {
        /// Whose.
        station: usize,
        /// Which.
        input: u8,
        /// The level.
        level: bool,
    },
    /// Bytes from the reader or the scale.
    Device {
        /// To whom.
        station: usize,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// A stretch of the line with one speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins; it ends where the next one begins.
    pub from: Nm,
    /// Its belt.
    pub belt: usize,
    /// Faster than the belt by this much: a bed.
    pub extra_ppm: i64,
    /// Whether it is a wheel bed.
    pub wheels: bool,
}

/// A belt of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeltPlan {
    /// What its zone is called.
    pub zone: String,
    /// Where it begins.
    pub from: Nm,
    /// Where it ends.
    pub to: Nm,
    /// Ramp up and down in mm/s².
    pub ramp: [u32; 2],
    /// Way after an emergency stop.
    pub coast_mm: [u32; 2],
    /// How far parcels slide on when it stops.
    pub stop_slip_mm: [u32; 2],
}

/// A landing eye and the number of its chute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChutePlan {
    /// Number of the chute.
    pub number: u16,
    /// The station that watches it.
    pub station: usize,
    /// The station's input.
    pub input: u8,
}

/// What a plant is made of; positions are the true ones.
#[derive(Clone, Debug)]
pub struct PlantPlan {
    /// Belts from infeed to sorter.
    pub belts: Vec<BeltPlan>,
    /// Eyes along the line, ascending.
    pub eyes: Vec<Eye>,
    /// Beds along the line, ascending.
    pub beds: Vec<BedPlan>,
    /// Landing eyes.
    pub chutes: Vec<ChutePlan>,
    /// Station of the scanner node.
    pub scanner: usize,
    /// Station of the dws node and its belt.
    pub scale: Option<(usize, [Nm; 2])>,
    /// Where parcels drop into the end chute.
    pub drop: Nm,
    /// The reference node's count at travel 0, and the span of one count.
    pub reference: (Counts, Nm),
}

/// What a run brings along.
#[derive(Clone, Debug)]
pub struct Run {
    /// Seed of every stream.
    pub seed: u64,
    /// The profile.
    pub profile: Profile,
    /// How parcels come.
    pub feed: Feed,
    /// How many; `None` = without end.
    pub parcels: Option<u64>,
    /// What is on their labels; not empty.
    pub items: Arc<[Item]>,
}

/// One stream for each subsystem that draws while the line runs.
#[derive(Clone, Debug)]
struct Streams {
    parcels: Rng,
    slip: Rng,
    bounce: Rng,
    beds: Rng,
    drives: Rng,
    eyes: Rng,
}

/// The plant.
#[derive(Clone, Debug)]
pub struct Plant {
    plans: Arc<[BeltPlan]>,
    stretches: Arc<[Stretch]>,
    chutes: Arc<[ChutePlan]>,
    items: Arc<[Item]>,
    profile: Profile,
    drop: Nm,
    reference: (Counts, Nm),
    /// What the reference node counts while it gets no pulses.
    reference_stands: Option<Counts>,
    belts: Vec<Belt>,
    eyes: Vec<Eye>,
    landing_eyes: Vec<Eye>,
    beds: Vec<Bed>,
    /// On the belts, the most downstream one first.
    parcels: Vec<Parcel>,
    slides: Slides,
    reader: Reader,
    scale: Option<Scale>,
    infeed: Infeed,
    /// Waits ahead of the infeed.
    next_body: Body,
    streams: Streams,
    truth: Truth,
}

impl Plant {
    /// Builds a plant at rest, with nothing on it.
    pub fn new(plan: PlantPlan, file: &PlantFile, run: Run) -> Self {
        let stream = |name| Rng::stream(run.seed, name);
        let mut parcels = stream("parcels");
        let next_body = parcel::make(&mut parcels, &run.profile);
        let landing = |chute: &ChutePlan| {
            let name = format!("chute-{}", chute.number);
            Eye::new(0, EyeRole::Plain, &name, chute.station, chute.input)
        };
        Self {
            stretches: stretches(&plan).into(),
            belts: plan
                .belts
                .iter()
                .map(|belt| Belt::new(belt.ramp[0], belt.ramp[1], belt.coast_mm))
                .collect(),
            plans: plan.belts.into(),
            landing_eyes: plan.chutes.iter().map(landing).collect(),
            chutes: plan.chutes.into(),
            infeed: Infeed::new(
                run.feed,
                run.items.len(),
                run.parcels,
                file.feed_room_mm,
                stream("feed"),
            ),
            next_body,
            items: run.items,
            profile: run.profile,
            drop: plan.drop,
            reference: plan.reference,
            reference_stands: None,
            eyes: plan.eyes,
            beds: plan.beds.into_iter().map(Bed::new).collect(),
            parcels: Vec::with_capacity(64),
            slides: Slides::new(file.landing_ms, file.landing_pulse_ms, stream("slides")),
            reader: Reader::new(plan.scanner, stream("reader")),
            scale: plan.scale.map(|(station, belt)| Scale::new(station, belt, stream("scale"))),
            streams: Streams {
                parcels,
                slip: stream("slip"),
                bounce: stream("bounce"),
                beds: stream("beds"),
                drives: stream("drives"),
                eyes: stream("eyes"),
            },
            truth: Truth::default(),
        }
    }

    /// Moves everything on by the millisecond that begins at `start`; what reaches nodes in it, or
    /// later because of it, is appended to `out` in no order.
    pub fn step(&mut self, start: u64, out: &mut Vec<Happening>) {
        let end = start + STEP_US;
        self.step_belts();
        for bed in &mut self.beds {
            bed.step(end, out);
        }
        self.move_parcels(start, out);
        self.step_slides(end, out);
        self.step_scale(end, out);
        self.step_infeed(end);
    }

    fn step_belts(&mut self) {
        for (index, belt) in self.belts.iter_mut().enumerate() {
            let stops = belt.step();
            if stops && self.profile.stop_slip {
                let [low, high] = self.plans[index].stop_slip_mm.map(i64::from);
                for parcel in &mut self.parcels {
                    if self.stretches[parcel.stretch].belt == index {
                        parcel.slip += self.streams.slip.between(low, high) * MM;
                    }
                }
            }
        }
    }

    fn step_slides(&mut self, end: u64, out: &mut Vec<Happening>) {
        let bounce = self.profile.bounce_permille * 1_000;
        let (eyes, rng) = (&mut self.landing_eyes, &mut self.streams.bounce);
        let parcels = &mut self.truth.parcels;
        self.slides.under_way.retain_mut(|slide| {
            if !slide.landed && slide.cuts <= end {
                slide.landed = true;
                eyes[slide.eye].cover(slide.cuts, bounce, rng, out);
                parcels[slide.parcel].place = Place::Chute(slide.chute);
                parcels[slide.parcel].landed_at = Some(Micros(slide.cuts));
            }
            let leaves = slide.landed && slide.leaves <= end;
            if leaves {
                eyes[slide.eye].clear(slide.leaves, bounce, rng, out);
            }
            !leaves
        });
    }

    fn step_scale(&mut self, end: u64, out: &mut Vec<Happening>) {
        let Some(scale) = &mut self.scale else { return };
        while let Some(at) = scale.weighings.iter().position(|weighing| weighing.due <= end) {
            let weighing = scale.weighings.remove(at);
            let [from, to] = scale.belt;
            let alone = self.parcels.iter().all(|parcel| {
                parcel.index == weighing.parcel || parcel.head < from || parcel.tail() > to
            });
            let parcel = &self.truth.parcels[weighing.parcel];
            scale.result(weighing, parcel, alone, &self.profile, out);
        }
    }

    fn step_infeed(&mut self, now: u64) {
        while self.infeed.ready(now, self.free_infeed()) {
            self.put_on(now);
        }
    }

    /// Free belt that would be left ahead of the next parcel.
    fn free_infeed(&self) -> Nm {
        let start = self.plans[0].from;
        match self.parcels.last() {
            Some(last) => last.tail() - start - self.next_body.apparent,
            None => self.plans[0].to - start,
        }
    }

    fn put_on(&mut self, now: u64) {
        let label = self.infeed.next(now, &self.items, &self.profile);
        let next = parcel::make(&mut self.streams.parcels, &self.profile);
        let body = core::mem::replace(&mut self.next_body, next);
        let index = self.enter(&label, &body, now);
        let head = self.plans[0].from + body.apparent;
        let mut parcel = Parcel::new(index, head, body);
        parcel.head_eye = self.eyes.partition_point(|eye| eye.at <= head);
        parcel.tail_eye = parcel.head_eye;
        self.parcels.push(parcel);
    }

    /// Enters a parcel into the truth; gives its place there.
    fn enter(&mut self, label: &feed::Label, body: &Body, now: u64) -> usize {
        let index = self.truth.parcels.len();
        self.truth.parcels.push(TruthParcel {
            index: u64::try_from(index).unwrap_or(u64::MAX),
            waybill: label.waybill.clone(),
            row: label.row,
            size_mm: body.size_mm,
            apparent_mm: body.apparent / MM,
            mass_g: body.mass_g,
            packaging: body.packaging,
            fed_at: Micros(now),
            inducted_at: None,
            induct_count: None,
            gap_mm: None,
            read: ReadTruth::Pending,
            place: Place::Waiting,
            landed_at: None,
            fault: None,
            contacts: Vec::new(),
        });
        index
    }

    /// A zone node commands its drive, in mm/s.
    pub fn drive(&mut self, belt: usize, mm_s: u32) {
        self.belts[belt].command(mm_s);
    }

    /// A drive's power is cut or comes back.
    pub fn power(&mut self, belt: usize, on: bool) {
        self.belts[belt].power(on, &mut self.streams.drives);
    }

    /// A diverter node switches one of its turn outputs.
    pub fn turn(&mut self, station: usize, side: Side, on: bool) {
        let sigma = self.profile.switch_sigma_permille;
        for bed in self.beds.iter_mut().filter(|bed| bed.plan.station == station) {
            bed.output(side, on, sigma, &mut self.streams.beds);
            bed.recover();
        }
    }

    /// A node sends bytes to its reader or scale.
    pub fn device(&mut self, station: usize, bytes: &[u8], now: u64, out: &mut Vec<Happening>) {
        if station == self.reader.station() {
            let parcel = self.at_eye(EyeRole::Reader);
            if let Some(index) = self.reader.receive(bytes, parcel) {
                let truth = &mut self.truth.parcels[index];
                self.reader.tail(truth, index, now, (&self.profile, &self.items), out);
            }
        } else if self.scale.as_ref().is_some_and(|scale| scale.station() == station) {
            let parcel = self.at_eye(EyeRole::Scale);
            if let Some(scale) = &mut self.scale {
                scale.receive(bytes, parcel);
            }
        }
    }

    /// The last parcel whose head has reached the eye with this role.
    fn at_eye(&self, role: EyeRole) -> Option<usize> {
        let eye = self.eyes.iter().position(|eye| eye.role == role)?;
        self.parcels.iter().rev().find(|parcel| parcel.head_eye > eye).map(|parcel| parcel.index)
    }

    /// A belt.
    pub fn belt(&self, index: usize) -> &Belt {
        &self.belts[index]
    }

    /// What each parcel really did.
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Nobody puts parcels on any more; those on the belts go on.
    pub const fn stop_feed(&mut self) {
        self.infeed.stop();
    }

    /// Whether every parcel of the run was put on and is in a chute or at the end.
    pub fn is_drained(&self) -> bool {
        self.infeed.next_at().is_none()
            && self.parcels.is_empty()
            && self.slides.under_way.iter().all(|slide| slide.landed)
    }

    /// When the plant may move again by itself if no node commands anything: `Some(0)` while
    /// something moves, `None` when nothing ever will.
    pub fn next_motion(&self) -> Option<u64> {
        let moving = !self.belts.iter().all(Belt::rests)
            || !self.beds.iter().all(Bed::rests)
            || !self.slides.under_way.is_empty()
            || self.scale.as_ref().is_some_and(|scale| !scale.weighings.is_empty());
        if moving {
            return Some(0);
        }
        self.infeed.next_at().filter(|_| self.infeed.has_room(self.free_infeed()))
    }
}

/// Cuts the line into stretches: the belts, and the beds in the last one.
fn stretches(plan: &PlantPlan) -> Vec<Stretch> {
    let sorter = plan.belts.len() - 1;
    let plain = |from, belt| Stretch { from, belt, extra_ppm: 0, wheels: false };
    let mut all: Vec<Stretch> =
        plan.belts.iter().enumerate().map(|(index, belt)| plain(belt.from, index)).collect();
    for bed in &plan.beds {
        let extra_ppm = bed.extra_ppm;
        all.push(Stretch { from: bed.from, belt: sorter, extra_ppm, wheels: true });
        all.push(plain(bed.to, sorter));
    }
    all
}
