//! Passes of one plant parcel over a line that brings it back.

use super::judge::in_time;
use line_sim::truth::{Truth, TruthParcel};
use std::collections::BTreeMap;

/// A pass among those of its parcel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lap {
    /// The parcel's first pass.
    first: u64,
    /// Passes before this one on which a code was read.
    pub(super) before: u64,
    /// No other pass follows.
    pub(super) last: bool,
    /// An earlier parcel has the same label.
    pub(super) repeated: bool,
}

/// Every pass of a run, by its place in the truth.
#[derive(Clone, Debug)]
pub(super) struct Laps(BTreeMap<u64, Lap>);

impl Laps {
    /// Follows every parcel; a pass comes behind the one before it.
    pub(super) fn of(truth: &Truth) -> Self {
        let mut laps: BTreeMap<u64, Lap> = BTreeMap::new();
        let mut labels: BTreeMap<&String, u64> = BTreeMap::new();
        for parcel in &truth.parcels {
            let (mut first, mut before) = (parcel.index, 0);
            if let Some(lap) = parcel.lap_of.and_then(|of| laps.get_mut(&of)) {
                lap.last = false;
                (first, before) = (lap.first, lap.before);
            }
            let read = |of: u64| usize::try_from(of).ok().and_then(|of| truth.parcels.get(of));
            let read =
                parcel.lap_of.and_then(read).is_some_and(|pass| !in_time(&pass.read).is_empty());
            before += u64::from(read);
            // Another pass is the same parcel, not another one of its label.
            let repeated = *labels.entry(&parcel.waybill).or_insert(first) != first;
            laps.insert(parcel.index, Lap { first, before, last: true, repeated });
        }
        Self(laps)
    }

    /// The pass of this parcel.
    ///
    /// # Panics
    /// When it is of another run.
    pub(super) fn at(&self, parcel: &TruthParcel) -> Lap {
        self.0[&parcel.index]
    }
}
