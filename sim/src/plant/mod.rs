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
mod fate;
pub mod feed;
mod hands;
mod induction;
pub mod motion;
pub mod parcel;
pub mod people;
pub mod reader;
mod round;
pub mod scale;
mod trouble;
mod work;

pub use round::RoundPlan;
pub use work::{Call, Work};

#[cfg(test)]
pub(crate) mod tests;

use crate::items::Item;
use crate::plant_file::{PlantFile, Profile};
use crate::rng::Rng;
use crate::truth::{Firing, Place, Truth};
use belt::Belt;
use chute::{EndSlide, Pile, Slides};
use diverter::{Bed, BedPlan};
use eye::{Eye, EyeRole};
use fate::{Fates, Joint};
use feed::{Feed, Infeed};
use parcel::{Body, Parcel};
use people::People;
use reader::Reader;
use registers::exchange::Side;
use round::Round;
use scale::Scale;
use std::collections::VecDeque;
use std::sync::Arc;
use units::{Counts, Micros};

/// A length or position in nanometres.
pub type Nm = i64;
/// One millimetre.
pub const MM: Nm = 1_000_000;
/// One step in µs.
pub const STEP_US: u64 = 1_000;
/// Edges at an arrival eye that are remembered for a firing: more than a bouncing eye makes of a parcel.
const EDGES_KEPT: usize = 24;

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
    /// The input of its full eye, where the node has one.
    pub full: Option<u8>,
    /// The input of its lock button, where the node has one.
    pub button: Option<u8>,
    /// Where its bed begins, in mm.
    pub at_mm: i64,
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
    /// Stations of the scanner nodes, the tunnel's first.
    pub scanners: Vec<usize>,
    /// Station of the dws node and its belt.
    pub scale: Option<(usize, [Nm; 2])>,
    /// Where parcels drop into the end chute.
    pub drop: Nm,
    /// The return conveyor in the end chute's place.
    pub round: Option<RoundPlan>,
    /// Station and input of the full eye of the end slide, or of the return.
    pub end_full: (usize, u8),
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
    fates: Rng,
    pairs: Rng,
    chutes: Rng,
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
    /// In the order of the landing eyes.
    full_eyes: Vec<Option<Eye>>,
    beds: Vec<Bed>,
    /// On the belts, the most downstream one first.
    parcels: Vec<Parcel>,
    slides: Slides,
    /// What lies in the chutes, in the order of the landing eyes; nothing when they do not fill.
    piles: Vec<Pile>,
    end_slide: EndSlide,
    /// The return conveyor; `None` where the end is a chute.
    round: Option<Round>,
    people: People,
    fates: Fates,
    /// The joints of the belts at each eye; nothing when no eye sees them.
    joints: Vec<Joint>,
    /// Parcels that were put on as one and have not left the reader.
    pairs: Vec<(usize, usize)>,
    /// What somebody has to put right, by its place in the truth.
    to_repair: Vec<usize>,
    /// Piles that somebody has to change.
    to_change: Vec<usize>,
    /// What people will do that nobody has been told of yet.
    plans_made: Vec<(u64, Work)>,
    /// Parcels on the end slide that the bench has not been told of.
    to_bench: Vec<(usize, Body)>,
    /// Parcels at the bench, and how many of them it has still to do.
    bench: VecDeque<(usize, Body)>,
    at_bench: usize,
    /// Parcels that come from the bench, before anything else.
    again: VecDeque<(usize, Body)>,
    /// The tunnel's first.
    readers: Vec<Reader>,
    scale: Option<Scale>,
    infeed: Infeed,
    /// Waits ahead of the infeed.
    next_body: Body,
    streams: Streams,
    truth: Truth,
    /// Travel of the sorter belt at the latest edges of each bed's arrival eye, in mm.
    arrivals: Vec<Vec<i64>>,
}

impl Streams {
    fn new(seed: u64, parcels: Rng) -> Self {
        let stream = |name| Rng::stream(seed, name);
        Self {
            parcels,
            slip: stream("slip"),
            bounce: stream("bounce"),
            beds: stream("beds"),
            drives: stream("drives"),
            eyes: stream("eyes"),
            fates: stream("fates"),
            pairs: stream("pairs"),
            chutes: stream("chutes"),
        }
    }
}

/// A reader for each scanner station, each with a stream of its own.
fn readers(stations: &[usize], seed: u64) -> Vec<Reader> {
    let name = |number| if number == 0 { "reader".to_owned() } else { format!("reader {number}") };
    let build = |(number, station): (usize, &usize)| {
        Reader::new(number, *station, Rng::stream(seed, &name(number)))
    };
    stations.iter().enumerate().map(build).collect()
}

impl Plant {
    /// Builds a plant at rest, with nothing on it.
    pub fn new(plan: PlantPlan, file: &PlantFile, run: Run) -> Self {
        let stream = |name| Rng::stream(run.seed, name);
        let mut parcels = stream("parcels");
        let next_body = parcel::make(&mut parcels, &run.profile);
        let mut people = People::new(run.profile.workers, file.people.clone(), stream("people"));
        let piles = piles(&plan, file, &run.profile, &mut people);
        let (landing_eyes, full_eyes) = chute_eyes(&plan);
        let mut plant = Self {
            stretches: stretches(&plan).into(),
            belts: plan
                .belts
                .iter()
                .map(|belt| Belt::new(belt.ramp[0], belt.ramp[1], belt.coast_mm))
                .collect(),
            plans: plan.belts.into(),
            landing_eyes,
            full_eyes,
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
            arrivals: vec![Vec::new(); plan.beds.len()],
            beds: plan.beds.into_iter().map(Bed::new).collect(),
            parcels: Vec::with_capacity(64),
            slides: Slides::new(file.landing_ms, file.landing_pulse_ms, stream("slides")),
            piles,
            end_slide: EndSlide {
                full_eye: plan.end_full,
                takes: plan.round.map_or(EndSlide::TAKES, |round| round.holds),
                pieces: 0,
                blocked: false,
            },
            round: plan.round.map(|plan| Round::new(plan, stream("round"))),
            people,
            fates: Fates::none(stream("hours")),
            joints: Vec::new(),
            pairs: Vec::new(),
            to_repair: Vec::new(),
            to_change: Vec::new(),
            plans_made: Vec::new(),
            to_bench: Vec::new(),
            bench: VecDeque::new(),
            at_bench: 0,
            again: VecDeque::new(),
            readers: readers(&plan.scanners, run.seed),
            scale: plan.scale.map(|(station, belt)| Scale::new(station, belt, stream("scale"))),
            streams: Streams::new(run.seed, parcels),
            truth: Truth::default(),
        };
        plant.wear(stream("lenses"));
        plant
    }

    /// What is worn, dirty or will fail.
    fn wear(&mut self, mut lenses: Rng) {
        let most = i64::from(self.profile.dirty_lens_mm);
        if most > 0 {
            self.eyes.iter_mut().for_each(|eye| eye.blind = lenses.between(0, most) * MM);
        }
        self.joints = fate::joints(self, &mut lenses);
        let slower = 1_000 + i64::from(self.profile.slow_switch_permille);
        self.beds.iter_mut().for_each(|bed| bed.slow_down(slower));
        self.fates = self.fates.clone().draw(self);
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
        self.pass_joints(start, out);
        self.step_slides(end, out);
        self.step_scale(end, out);
        self.step_infeed(end, out);
    }

    fn step_belts(&mut self) {
        for (index, belt) in self.belts.iter_mut().enumerate() {
            let stops = belt.step() && self.profile.stop_slip;
            let starts = belt.starts() && self.profile.start_slip;
            if stops || starts {
                let [low, high] = self.plans[index].stop_slip_mm.map(i64::from);
                for parcel in &mut self.parcels {
                    if self.stretches[parcel.stretch].belt == index {
                        let slip = self.streams.slip.between(low, high) * MM;
                        parcel.slip += if stops { slip } else { -slip };
                    }
                }
            }
        }
    }

    fn step_slides(&mut self, end: u64, out: &mut Vec<Happening>) {
        let bounce = self.profile.bounce_permille * 1_000;
        let (eyes, rng) = (&mut self.landing_eyes, &mut self.streams.bounce);
        let parcels = &mut self.truth.parcels;
        let (piles, mut landed) = (!self.piles.is_empty(), Vec::new());
        self.slides.under_way.retain_mut(|slide| {
            if !slide.landed && slide.cuts <= end {
                slide.landed = true;
                eyes[slide.eye].cover(slide.cuts, bounce, rng, out);
                parcels[slide.parcel].place = Place::Chute(slide.chute);
                parcels[slide.parcel].landed_at = Some(Micros(slide.cuts));
                let trouble = eyes[slide.eye].trouble;
                if piles || trouble.is_some() {
                    landed.push((*slide, trouble));
                }
            }
            let leaves = slide.landed && slide.leaves <= end;
            if leaves {
                eyes[slide.eye].clear(slide.leaves, bounce, rng, out);
                if slide.rebounds {
                    eyes[slide.eye].blip(slide.leaves + 80_000, slide.leaves + 230_000, out);
                }
            }
            !leaves
        });
        for (slide, trouble) in landed {
            self.landed(slide, trouble, out);
        }
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

    /// A zone node commands its drive, in mm/s.
    pub fn drive(&mut self, belt: usize, mm_s: u32) {
        self.belts[belt].command(mm_s);
    }

    /// A drive's power is cut or comes back.
    pub fn power(&mut self, belt: usize, on: bool) {
        self.belts[belt].power(on, &mut self.streams.drives);
    }

    /// A diverter node switches one of its turn outputs.
    pub fn turn(&mut self, station: usize, side: Side, on: bool, now: u64) {
        let sigma = self.profile.switch_sigma_permille;
        for index in 0..self.beds.len() {
            if self.beds[index].plan.station != station {
                continue;
            }
            if on {
                self.draw_defect(index, now);
                self.note_firing(index, now);
            }
            let bed = &mut self.beds[index];
            bed.output(side, on, sigma, &mut self.streams.beds);
            bed.recover();
        }
    }

    /// How far the sorter belt has gone, in mm.
    fn sorter_mm(&self) -> i64 {
        self.belts.last().map_or(0, |belt| belt.segment().1 / MM)
    }

    /// The arrival eye of a diverter's node was cut, by whatever.
    pub fn note_arrival(&mut self, station: usize) {
        let travel = self.sorter_mm();
        let mine = self.beds.iter().position(|bed| bed.plan.station == station);
        if let Some(edges) = mine.and_then(|bed| self.arrivals.get_mut(bed)) {
            if edges.len() == EDGES_KEPT {
                edges.remove(0);
            }
            edges.push(travel);
        }
    }

    fn note_firing(&mut self, bed: usize, now: u64) {
        let travel = self.sorter_mm();
        let edges = self.arrivals.get(bed).into_iter().flatten();
        let edges_ago_mm = edges.map(|edge| travel - edge).collect();
        self.truth.firings.push(Firing { at: Micros(now), bed, edges_ago_mm });
    }

    /// A node sends bytes to its reader or scale.
    pub fn device(&mut self, station: usize, bytes: &[u8], now: u64, out: &mut Vec<Happening>) {
        let reader = self.readers.iter().position(|reader| reader.station() == station);
        if let Some(reader) = reader {
            let parcel = self.at_eye(EyeRole::Reader(reader));
            if let Some(index) = self.readers[reader].receive(bytes, parcel) {
                let truth = &mut self.truth.parcels[index];
                self.readers[reader].tail(truth, index, now, (&self.profile, &self.items), out);
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
            && self.again.is_empty()
            && self.round.as_ref().is_none_or(Round::is_empty)
            && (self.at_bench == 0 || self.people.is_empty())
            && self.to_bench.is_empty()
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
        let has_room = |body| self.infeed.has_room(self.free_ahead_of(body));
        let back = self.round.as_ref().and_then(Round::next);
        let back = back.filter(|(body, _)| has_room(body)).map(|(_, due)| due);
        let put_on = match self.again.front() {
            Some((_, body)) => has_room(body).then_some(0),
            None => self.infeed.next_at().filter(|_| has_room(&self.next_body)),
        };
        [back, put_on].into_iter().flatten().min()
    }
}

/// What lies in the chutes at first; nothing is counted when they do not fill.
fn piles(plan: &PlantPlan, file: &PlantFile, profile: &Profile, people: &mut People) -> Vec<Pile> {
    let pile = |chute: &ChutePlan| {
        let truth = file.chute.iter().find(|truth| truth.number == chute.number);
        let holds = truth.map(|truth| truth.holds).unwrap_or_default();
        Pile::new(holds, people.capacity(Pile::takes(holds)))
    };
    let filling = plan.chutes.iter().filter(|_| profile.chutes_fill);
    filling.map(pile).collect()
}

/// The landing eyes, and the full eyes of the chutes whose nodes have them.
fn chute_eyes(plan: &PlantPlan) -> (Vec<Eye>, Vec<Option<Eye>>) {
    let landing = |chute: &ChutePlan| {
        let name = format!("chute-{}", chute.number);
        Eye::new(0, EyeRole::Plain, &name, chute.station, chute.input)
    };
    let full = |chute: &ChutePlan| {
        let name = format!("full-{}", chute.number);
        Some(Eye::new(0, EyeRole::Plain, &name, chute.station, chute.full?))
    };
    (plan.chutes.iter().map(landing).collect(), plan.chutes.iter().map(full).collect())
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
