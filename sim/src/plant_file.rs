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

/// How often and how much things differ from the ideal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
        ] {
            let plant = PlantFile::parse(text).expect("shipped");
            assert!(plant.profile.contains_key("clean") && plant.profile.contains_key("normal"));
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
