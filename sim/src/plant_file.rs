//! The plant file: what is physically true of a line and what the controller never sees.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A whole `*.plant.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlantFile {
    /// The belts, by the line file's zone names.
    pub belt: Vec<BeltTruth>,
    /// The wheel beds, by the line file's diverter names.
    pub bed: Vec<BedTruth>,
    /// How far at most an eye sits from where the line file says; each is off by at least 1 mm.
    pub eye_offset_mm_max: u32,
    /// Length of the scale's own belt from its trigger eye.
    pub scale_length_mm: u32,
    /// After its head reached the bed, when a diverted parcel cuts the landing eye.
    pub landing_ms: [u64; 2],
    /// How long it cuts it.
    pub landing_pulse_ms: [u64; 2],
    /// Free belt between two parcels that are put on.
    pub feed_room_mm: [u32; 2],
    /// What the chutes hold; one that is not named holds a bag.
    #[serde(default)]
    pub chute: Vec<ChuteTruth>,
    /// The return conveyor of a line that has one.
    pub round: Option<RoundTruth>,
    /// What people need.
    #[serde(default)]
    pub people: PeopleTruth,
    /// Troubles by profile name.
    pub profile: BTreeMap<String, Profile>,
}

/// What is true of one belt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeltTruth {
    /// Zone of the line file.
    pub zone: String,
    /// Ramp up.
    pub accel_mm_s2: u32,
    /// Ramp down.
    pub decel_mm_s2: u32,
    /// Way from full speed after an emergency stop.
    pub coast_mm: [u32; 2],
    /// How far a parcel slides on when the belt stops.
    pub stop_slip_mm: [u32; 2],
}

/// What is true of one wheel bed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BedTruth {
    /// Diverter of the line file.
    pub diverter: String,
    /// Speed of its wheels in per mille of the belt's.
    pub ratio_permille: u32,
    /// How long its wheels take to turn.
    pub switch_ms: u32,
}

/// What is true of a return conveyor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundTruth {
    /// How long parcels take over it.
    pub transit_ms: [u64; 2],
    /// Parcels with which it is full.
    pub holds: u64,
}

/// What stands under a chute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// A bag of 15 to 30 pieces and 25 kg.
    #[default]
    Bag,
    /// A cage of 70 to 100 pieces.
    Cage,
    /// A slide of 8 to 12 pieces that somebody empties.
    Slide,
}

/// What is true of one chute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChuteTruth {
    /// Number of the chute.
    pub number: u16,
    /// What stands under it.
    pub holds: Holds,
}

/// How long people need; times in ms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeopleTruth {
    /// Until somebody notices: median and most.
    pub notice_ms: [u64; 2],
    /// σ of its natural logarithm.
    pub notice_sigma_permille: u32,
    /// How fast they walk.
    pub walk_mm_s: u32,
    /// To change a bag: median, least, most.
    pub bag_ms: [u64; 3],
    /// To change a cage.
    pub cage_ms: [u64; 3],
    /// To empty a slide.
    pub slide_ms: [u64; 3],
    /// To look round and press a button at the panel.
    pub press_ms: [u64; 3],
    /// To clear a jam or reset a device.
    pub jam_ms: [u64; 3],
    /// A parcel at the exceptions bench.
    pub bench_ms: [u64; 2],
    /// How often a hand cuts the landing eye during a change.
    pub hands: [u64; 2],
}

impl Default for PeopleTruth {
    fn default() -> Self {
        Self {
            notice_ms: [20_000, 180_000],
            notice_sigma_permille: 600,
            walk_mm_s: 800,
            bag_ms: [45_000, 30_000, 90_000],
            cage_ms: [120_000, 80_000, 240_000],
            slide_ms: [30_000, 20_000, 60_000],
            press_ms: [4_000, 2_000, 10_000],
            jam_ms: [60_000, 40_000, 180_000],
            bench_ms: [15_000, 25_000],
            hands: [2, 5],
        }
    }
}

/// How often and how much things differ from the ideal.
///
/// What a profile does not name does not happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// σ of the slip at a transfer between belts.
    pub transfer_sigma_mm: u32,
    /// σ of a parcel's own speed on the sorter belt.
    pub running_sigma_ppm: u32,
    /// Share of poly bags; the rest are cartons.
    pub bags_permille: u32,
    /// How much slower a poly bag is where it is accelerated.
    pub bag_slip_permille: [u32; 2],
    /// Whether parcels slide on when their belt stops.
    pub stop_slip: bool,
    /// Whether parcels slide back when their belt starts, by as much as they slide on when it stops.
    pub start_slip: bool,
    /// Length of a belt's joint, which every eye on it sees once per turn; 0 = none sees it.
    pub joint_mm: u32,
    /// σ of the angle at which parcels lie.
    pub yaw_sigma_tenth_deg: u32,
    /// Share of parcels that lie anywhere up to 15°.
    pub yaw_wide_permille: u32,
    /// Share of eye edges that bounce.
    pub bounce_permille: u32,
    /// σ of a bed's switch time.
    pub switch_sigma_permille: u32,
    /// Oscillators of nodes run wrong by up to this much.
    pub clock_drift_ppm: u32,
    /// Triggers without a read.
    pub no_read_ppm: u32,
    /// Triggers with several codes.
    pub several_codes_ppm: u32,
    /// Reads that are well-formed and wrong.
    pub wrong_read_ppm: u32,
    /// Reads that come after the next trigger.
    pub late_read_ppm: u32,
    /// Readings that the scale does not give.
    pub no_weight_ppm: u32,
    /// σ of the scale.
    pub weight_sigma_g: [u32; 2],
    /// Parcels whose waybill is not in the manifest.
    pub strangers_permille: u32,
    /// Parcels to which the next one sticks, so that the induction eye sees one.
    pub touching_ppm: u32,
    /// Parcels on whose tail the next one lies.
    pub overlapped_ppm: u32,
    /// Heads that an eye does not see: the whole pulse is missing.
    pub missed_edge_ppm: u32,
    /// Cartons with a hole or strap that eyes see as a gap.
    pub holes_permille: u32,
    /// How long that gap is.
    pub hole_mm: [u32; 2],
    /// Dirty lenses: heads are seen late and tails early by up to this much.
    pub dirty_lens_mm: u32,
    /// Hours between two times that one eye sticks; 0 = never.
    pub eye_stuck_hours: u32,
    /// Hours between two deaths of the reader; 0 = never.
    pub reader_dead_hours: u32,
    /// Hours between two trips of one drive; 0 = never.
    pub drive_trip_hours: u32,
    /// Hours between two times that one bed's wheels stop; 0 = never.
    pub wheels_stop_hours: u32,
    /// What the scale's zero gains in an hour.
    pub scale_drift_g: u32,
    /// Worn beds or low air: beds turn slower by this much.
    pub slow_switch_permille: u32,
    /// Turns that do not happen; half of these beds stay stuck until somebody resets them.
    pub no_turn_ppm: u32,
    /// Turns from which a bed does not return.
    pub no_return_ppm: u32,
    /// Turns at which the home contact begins to lie.
    pub feedback_lies_ppm: u32,
    /// Light bags that a bed does not grip.
    pub not_gripped_ppm: u32,
    /// Diverted parcels that stick askew in the mouth.
    pub skew_jam_ppm: u32,
    /// Diverted parcels that drag one along which is closer than 150 mm behind.
    pub drag_permille: u32,
    /// Parcels above 25 kg leave a bed so much later.
    pub heavy_late_mm: [u32; 2],
    /// Whether chutes and the end slide fill up, so that people must empty them.
    pub chutes_fill: bool,
    /// Landed parcels that rest under the landing eye: in an empty and in a nearly full chute.
    pub resting_permille: [u32; 2],
    /// Landings with a second pulse from the rebound.
    pub rebound_permille: u32,
    /// People who walk the line; with nobody, what breaks stays broken.
    pub workers: u32,
}

/// Why a plant file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlantFileError {
    /// It is not TOML of this shape; the message names line and column.
    Shape(String),
}

impl core::fmt::Display for PlantFileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Shape(message) => write!(f, "read the plant file: {}", message.trim_end()),
        }
    }
}

impl std::error::Error for PlantFileError {}

impl PlantFile {
    /// Reads a plant file.
    ///
    /// # Errors
    /// The first key that is unknown, missing or of the wrong type.
    pub fn parse(text: &str) -> Result<Self, PlantFileError> {
        toml::from_str(text).map_err(|error| PlantFileError::Shape(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_plants_have_their_profiles() {
        for text in [
            include_str!("../plants/factory-line.plant.toml"),
            include_str!("../plants/factory-line-fast.plant.toml"),
            include_str!("../plants/loop-line.plant.toml"),
        ] {
            let plant = PlantFile::parse(text).expect("shipped");
            for name in ["clean", "normal", "full", "bad"] {
                assert!(plant.profile.contains_key(name), "{name}");
            }
            assert!(plant.eye_offset_mm_max > 0);
            assert!(plant.bed.iter().all(|bed| (1_050..=1_150).contains(&bed.ratio_permille)));
        }
    }

    #[test]
    fn unknown_keys_are_refused_with_their_place() {
        let text = include_str!("../plants/factory-line.plant.toml");
        let text = text.replace("scale_length_mm", "scale_lenght_mm");
        let fault = PlantFile::parse(&text).expect_err("typo").to_string();
        assert!(fault.contains("scale_lenght_mm") && fault.contains("line"), "{fault}");
    }
}
