//! From line file and plant file to what the world is built of.
//!
//! The controller's own check of the line file is much stricter; here only what the plant cannot be
//! built without is refused.

use crate::plant::belt::nm_per_count;
use crate::plant::diverter::BedPlan;
use crate::plant::eye::{Eye, EyeRole};
use crate::plant::{BeltPlan, ChutePlan, MM, Nm, PlantPlan, RoundPlan};
use crate::plant_file::PlantFile;
use crate::rng::Rng;
use line_file::{BusKind, EndKind, LineFile, NodeKind, Parity, ZoneMode};
use modbus::rtu::Timing;
use registers::points::{diverter, dws, panel, scanner, zone};
use units::Counts;

/// Why a world cannot be built from its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupError {
    /// A name in the line file that nothing there has.
    UnknownName {
        /// What it should name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something of the line file that the plant file does not describe.
    NotInPlant {
        /// Table of the plant file.
        table: &'static str,
        /// Name of the zone or diverter, or the line file's table.
        name: String,
    },
    /// The plant file has no such profile.
    UnknownProfile {
        /// The name asked for.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// The line file has none of these.
    Missing(&'static str),
    /// An encoder whose count is no whole number of nanometres.
    CountsPerMetre {
        /// Name of the encoder.
        encoder: String,
        /// What the line file says.
        counts_per_metre: u32,
    },
    /// The manifest has no rows.
    EmptyManifest,
}

impl core::fmt::Display for SetupError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::UnknownName { what, name } => {
                write!(f, "build the plant: the line file has no {what} \"{name}\"")
            }
            Self::NotInPlant { table, name } => {
                write!(f, "build the plant: the plant file has no [[{table}]] for \"{name}\"")
            }
            Self::UnknownProfile { name, known } => {
                let known = known.join(", ");
                write!(f, "build the plant: no profile \"{name}\" in the plant file, only {known}")
            }
            Self::Missing(what) => write!(f, "build the plant: the line file has no {what}"),
            Self::CountsPerMetre { encoder, counts_per_metre } => write!(
                f,
                "build the plant: encoder \"{encoder}\" with {counts_per_metre} counts a metre; \
                 the number must divide 1,000,000,000"
            ),
            Self::EmptyManifest => write!(f, "build the plant: the manifest has no rows"),
        }
    }
}

impl std::error::Error for SetupError {}

/// A bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusPlan {
    /// Name in the line file.
    pub name: String,
    /// Speed of a serial bus; `None` = TCP.
    pub serial: Option<Timing>,
}

/// Which belt an encoder counts and how finely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderPlan {
    /// The belt.
    pub belt: usize,
    /// Span of one count.
    pub nm_per_count: Nm,
}

/// A station: the place of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationPlan {
    /// Name in the line file.
    pub name: String,
    /// What is built there.
    pub kind: registers::NodeKind,
    /// Its bus.
    pub bus: usize,
    /// Its unit number.
    pub unit: u8,
    /// The encoder that it counts.
    pub main: EncoderPlan,
    /// The take-away belt's encoder of a gapping zone.
    pub second: Option<EncoderPlan>,
    /// The belt that it drives.
    pub drives: Option<usize>,
    /// Station whose DOWNSTREAM_READY input its READY output is wired to.
    pub ready_to: Option<usize>,
}

/// Everything that a world is built of.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// The plant; its reference count starts at 0.
    pub plant: PlantPlan,
    /// Stations, in the line file's order of nodes.
    pub stations: Vec<StationPlan>,
    /// Buses, in the line file's order.
    pub buses: Vec<BusPlan>,
    /// Station of the panel.
    pub panel: usize,
    /// Station of the sorter belt: its count is the reference.
    pub reference: usize,
    /// Encoders by name, in the line file's order.
    pub encoders: Vec<(String, EncoderPlan)>,
}

/// Finds names in the line file.
struct Names<'a>(&'a LineFile);

impl Names<'_> {
    fn find<T>(
        list: &[T],
        what: &'static str,
        name: &str,
        of: impl Fn(&T) -> &str,
    ) -> Result<usize, SetupError> {
        let unknown = || SetupError::UnknownName { what, name: name.to_owned() };
        list.iter().position(|item| of(item) == name).ok_or_else(unknown)
    }

    fn node(&self, name: &str) -> Result<usize, SetupError> {
        Self::find(&self.0.node, "node", name, |node| &node.name)
    }

    fn bus(&self, name: &str) -> Result<usize, SetupError> {
        Self::find(&self.0.bus, "bus", name, |bus| &bus.name)
    }

    fn zone(&self, name: &str) -> Result<usize, SetupError> {
        Self::find(&self.0.zone, "zone", name, |zone| &zone.name)
    }

    /// The belt that an encoder counts: that of the zone whose own node counts it.
    fn encoder(&self, name: &str) -> Result<EncoderPlan, SetupError> {
        let at = Self::find(&self.0.encoder, "encoder", name, |encoder| &encoder.name)?;
        let counts_per_metre = self.0.encoder[at].counts_per_metre;
        let nm_per_count = nm_per_count(counts_per_metre).ok_or_else(|| {
            SetupError::CountsPerMetre { encoder: name.to_owned(), counts_per_metre }
        })?;
        let counted = |zone: &line_file::Zone| {
            self.0.node.iter().any(|node| node.name == zone.node && node.encoder == name)
        };
        let belt = self.0.zone.iter().position(counted).ok_or_else(|| SetupError::UnknownName {
            what: "zone that counts encoder",
            name: name.to_owned(),
        })?;
        Ok(EncoderPlan { belt, nm_per_count })
    }
}

fn mm(mm: i32) -> Nm {
    i64::from(mm) * MM
}

impl Blueprint {
    /// Draws the blueprint; `seed` sets how far each eye is off its place.
    ///
    /// # Errors
    /// The first thing that the plant cannot be built without.
    pub fn draw(line: &LineFile, plant: &PlantFile, seed: u64) -> Result<Self, SetupError> {
        let names = Names(line);
        if line.zone.is_empty() {
            return Err(SetupError::Missing("[[zone]]"));
        }
        if line.eye.is_empty() {
            return Err(SetupError::Missing("[[eye]]"));
        }
        let stations = stations(&names)?;
        let sorter = line.zone.len() - 1;
        let reference = names.node(&line.zone[sorter].node)?;
        let span = stations[reference].main.nm_per_count;
        let (beds, chutes) = beds(&names, plant)?;
        let plan = PlantPlan {
            belts: belts(line, plant)?,
            eyes: eyes(&names, plant, seed)?,
            beds,
            chutes,
            scanners: scanners(&names)?,
            scale: match &line.dws {
                Some(scale) => {
                    let from = mm(scale.at_mm);
                    let to = from + i64::from(plant.scale_length_mm) * MM;
                    Some((names.node(&scale.node)?, [from, to]))
                }
                None => None,
            },
            drop: mm(line.end.drop_at_mm),
            round: round(line, plant)?,
            end_full: (names.node(&line.end.node)?, panel::END_FULL),
            reference: (Counts(0), span),
        };
        let buses = line.bus.iter().map(bus).collect();
        let panel = names.node(&line.panel.node)?;
        let encoders = line.encoder.iter().map(|encoder| {
            // An encoder that no zone counts belongs to no belt: nothing can stall it.
            names.encoder(&encoder.name).ok().map(|plan| (encoder.name.clone(), plan))
        });
        let encoders = encoders.flatten().collect();
        Ok(Self { plant: plan, stations, buses, panel, reference, encoders })
    }
}

fn round(line: &LineFile, plant: &PlantFile) -> Result<Option<RoundPlan>, SetupError> {
    match line.end.kind.unwrap_or(EndKind::Chute) {
        EndKind::Chute => Ok(None),
        EndKind::Return => {
            let missing = || SetupError::NotInPlant { table: "round", name: "end".to_owned() };
            let truth = plant.round.as_ref().ok_or_else(missing)?;
            let transit_us = truth.transit_ms.map(|ms| ms * 1_000);
            Ok(Some(RoundPlan { transit_us, holds: truth.holds }))
        }
    }
}

fn bus(bus: &line_file::Bus) -> BusPlan {
    let parity = match bus.parity.unwrap_or(Parity::Even) {
        Parity::Even | Parity::Odd => 1,
        Parity::None => 0,
    };
    let bits_per_char = 9 + parity + bus.stop_bits.unwrap_or(1);
    let serial = match bus.kind {
        BusKind::Rtu => Some(Timing { baud: bus.baud.unwrap_or(19_200), bits_per_char }),
        BusKind::Tcp => None,
    };
    BusPlan { name: bus.name.clone(), serial }
}

fn stations(names: &Names<'_>) -> Result<Vec<StationPlan>, SetupError> {
    let line = names.0;
    let mut stations = Vec::with_capacity(line.node.len());
    for node in &line.node {
        let zone = line.zone.iter().position(|zone| zone.node == node.name);
        let gapping = zone.filter(|index| line.zone[*index].mode == ZoneMode::Gapping);
        let second = match gapping.and_then(|index| line.zone.get(index + 1)) {
            Some(take_away) => {
                let encoder = &line.node[names.node(&take_away.node)?].encoder;
                Some(names.encoder(encoder)?)
            }
            None => None,
        };
        let upstream = zone.and_then(|index| {
            let name = Some(&line.zone[index].name);
            line.zone.iter().find(|other| other.wired_ready_from.as_ref() == name)
        });
        let ready_to = match upstream {
            Some(zone) => Some(names.node(&zone.node)?),
            None => None,
        };
        stations.push(StationPlan {
            name: node.name.clone(),
            kind: match node.kind {
                NodeKind::Zone => registers::NodeKind::Zone,
                NodeKind::Diverter => registers::NodeKind::Diverter,
                NodeKind::Scanner => registers::NodeKind::Scanner,
                NodeKind::Dws => registers::NodeKind::Dws,
                NodeKind::Panel => registers::NodeKind::Panel,
            },
            bus: names.bus(&node.bus)?,
            unit: node.unit,
            main: names.encoder(&node.encoder)?,
            second,
            drives: zone,
            ready_to,
        });
    }
    for zone in &line.zone {
        if let Some(from) = &zone.wired_ready_from {
            names.zone(from)?;
        }
    }
    Ok(stations)
}

fn belts(line: &LineFile, plant: &PlantFile) -> Result<Vec<BeltPlan>, SetupError> {
    let plan = |zone: &line_file::Zone| {
        let missing = || SetupError::NotInPlant { table: "belt", name: zone.name.clone() };
        let truth = plant.belt.iter().find(|belt| belt.zone == zone.name).ok_or_else(missing)?;
        Ok(BeltPlan {
            zone: zone.name.clone(),
            from: mm(zone.from_mm),
            to: mm(zone.to_mm),
            ramp: [truth.accel_mm_s2, truth.decel_mm_s2],
            coast_mm: truth.coast_mm,
            stop_slip_mm: truth.stop_slip_mm,
        })
    };
    line.zone.iter().map(plan).collect()
}

/// Every eye along the line at its true place, ascending.
fn eyes(names: &Names<'_>, plant: &PlantFile, seed: u64) -> Result<Vec<Eye>, SetupError> {
    let (line, mut rng) = (names.0, Rng::stream(seed, "eye offsets"));
    let most = i64::from(plant.eye_offset_mm_max.max(1));
    let mut place = |at_mm: i32| {
        let off = rng.between(1, most) * MM;
        mm(at_mm) + if rng.chance(500_000) { off } else { -off }
    };
    let mut eyes = Vec::new();
    for zone in &line.zone {
        if let Some(at) = zone.exit_eye_mm {
            let station = names.node(&zone.node)?;
            eyes.push(Eye::new(place(at), EyeRole::Plain, &zone.name, station, zone::EYE_EXIT));
        }
    }
    for (index, eye) in line.eye.iter().enumerate() {
        let station = names.node(&eye.node)?;
        let role = if index == 0 { EyeRole::Induction } else { EyeRole::Plain };
        let input = input(names, station, &eye.input)?;
        eyes.push(Eye::new(place(eye.at_mm), role, &eye.name, station, input));
    }
    let station = names.node(&line.scanner.node)?;
    let at = place(line.scanner.at_mm);
    eyes.push(Eye::new(at, EyeRole::Reader(0), "scanner", station, scanner::TRIGGER));
    if let Some(scale) = &line.dws {
        let station = names.node(&scale.node)?;
        eyes.push(Eye::new(place(scale.at_mm), EyeRole::Scale, "dws", station, dws::TRIGGER));
    }
    for bed in &line.diverter {
        let station = names.node(&bed.node)?;
        let at = place(bed.eye_at_mm);
        eyes.push(Eye::new(at, EyeRole::Plain, &bed.name, station, diverter::EYE_ARRIVAL));
    }
    let end = names.node(&line.end.node)?;
    eyes.push(Eye::new(place(line.end.eye_at_mm), EyeRole::Plain, "end", end, panel::EYE_END));
    for (place_of, number) in line.rescanner.iter().zip(1..) {
        let (station, at) = (names.node(&place_of.node)?, place(place_of.at_mm));
        let role = EyeRole::Reader(number);
        eyes.push(Eye::new(at, role, &place_of.node, station, scanner::TRIGGER));
    }
    eyes.sort_by_key(|eye| eye.at);
    Ok(eyes)
}

/// Stations of the scanners, the tunnel's first.
fn scanners(names: &Names<'_>) -> Result<Vec<usize>, SetupError> {
    let all = [&names.0.scanner].into_iter().chain(&names.0.rescanner);
    all.map(|scanner| names.node(&scanner.node)).collect()
}

/// The id of a named input of a station.
fn input(names: &Names<'_>, station: usize, name: &str) -> Result<u8, SetupError> {
    let inputs = match names.0.node[station].kind {
        NodeKind::Zone => zone::INPUTS,
        NodeKind::Diverter => diverter::INPUTS,
        NodeKind::Scanner => scanner::INPUTS,
        NodeKind::Dws => dws::INPUTS,
        NodeKind::Panel => panel::INPUTS,
    };
    let unknown = || SetupError::UnknownName { what: "node input", name: name.to_owned() };
    inputs.iter().find(|point| point.name == name).map(|point| point.id).ok_or_else(unknown)
}

fn beds(
    names: &Names<'_>,
    plant: &PlantFile,
) -> Result<(Vec<BedPlan>, Vec<ChutePlan>), SetupError> {
    let (mut beds, mut chutes) = (Vec::new(), Vec::new());
    for bed in &names.0.diverter {
        let missing = || SetupError::NotInPlant { table: "bed", name: bed.name.clone() };
        let truth =
            plant.bed.iter().find(|truth| truth.diverter == bed.name).ok_or_else(missing)?;
        let station = names.node(&bed.node)?;
        let at_mm = i64::from(bed.bed_from_mm);
        let mut side = |number: Option<u16>, [input, full, button]: [u8; 3]| {
            number.map(|number| {
                let (full, button) = (Some(full), Some(button));
                chutes.push(ChutePlan { number, station, input, full, button, at_mm });
                chutes.len() - 1
            })
        };
        let left = [diverter::EYE_LEFT, diverter::FULL_LEFT, diverter::BUTTON_LEFT];
        let right = [diverter::EYE_RIGHT, diverter::FULL_RIGHT, diverter::BUTTON_RIGHT];
        let sides = [side(bed.left, left), side(bed.right, right)];
        let from = mm(bed.bed_from_mm);
        beds.push(BedPlan {
            name: bed.name.clone(),
            from,
            to: from + i64::from(bed.bed_length_mm) * MM,
            extra_ppm: (i64::from(truth.ratio_permille) - 1_000) * 1_000,
            switch_us: i64::from(truth.switch_ms) * 1_000,
            station,
            sides,
        });
    }
    beds.sort_by_key(|bed| bed.from);
    Ok((beds, chutes))
}
