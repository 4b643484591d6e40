//! Passes of one plant parcel over a line that brings it back.

use std::collections::BTreeMap;

/// One pass as the plant tells it.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Its place in the truth.
    pub index: u64,
    /// The same parcel's pass before.
    pub lap_of: Option<u64>,
    /// What its label says.
    pub waybill: &'a str,
    /// Whether a code was read on it.
    pub read: bool,
}

/// A pass among those of its parcel.
#[derive(Clone, Copy, Debug)]
pub struct Lap {
    /// The parcel's first pass.
    first: u64,
    /// A code was read on it.
    read: bool,
    /// Passes before this one on which a code was read.
    pub before: u64,
    /// No other pass follows.
    pub last: bool,
    /// An earlier parcel has the same label.
    pub repeated: bool,
}

/// Every pass of a run, by its place in the truth.
#[derive(Clone, Debug)]
pub struct Laps(BTreeMap<u64, Lap>);

impl Laps {
    /// Follows every parcel; a pass comes behind the one before it.
    pub fn of<'a>(passes: impl Iterator<Item = Pass<'a>>) -> Self {
        let mut laps: BTreeMap<u64, Lap> = BTreeMap::new();
        let mut labels: BTreeMap<&str, u64> = BTreeMap::new();
        for Pass { index, lap_of, waybill, read } in passes {
            let (mut first, mut before) = (index, 0);
            if let Some(lap) = lap_of.and_then(|of| laps.get_mut(&of)) {
                lap.last = false;
                (first, before) = (lap.first, lap.before + u64::from(lap.read));
            }
            // Another pass is the same parcel, not another one of its label.
            let repeated = *labels.entry(waybill).or_insert(first) != first;
            laps.insert(index, Lap { first, read, before, last: true, repeated });
        }
        Self(laps)
    }

    /// The pass at this place of the truth.
    ///
    /// # Panics
    /// When it is of another run.
    pub fn at(&self, index: u64) -> Lap {
        self.0[&index]
    }
}
