//! The plant's physics, one test for each row; and what other tests here need.

use super::*;
use crate::truth::Packaging;

/// A profile of the shipped plant.
pub(crate) fn profile(name: &str) -> Profile {
    plant_file().profile[name].clone()
}

pub(crate) fn plant_file() -> PlantFile {
    PlantFile::parse(include_str!("../../plants/factory-line.plant.toml")).expect("shipped")
}

pub(crate) fn item(index: usize) -> Item {
    Item { waybill: format!("YT{:013}", index * 7_919 + 1_000_000) }
}

pub(crate) fn truth_parcel(index: usize) -> TruthParcel {
    TruthParcel {
        index: u64::try_from(index).expect("small"),
        waybill: item(index).waybill,
        row: Some(index),
        size_mm: [300, 200, 100],
        apparent_mm: 300,
        mass_g: 1_800,
        packaging: Packaging::Carton,
        fed_at: Micros(0),
        inducted_at: None,
        induct_count: None,
        gap_mm: None,
        read: ReadTruth::Pending,
        place: Place::Waiting,
        landed_at: None,
        fault: None,
    }
}
