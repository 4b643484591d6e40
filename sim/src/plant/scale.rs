//! The scale and its belt on their serial line to the dws node.

use super::device::Triggers;
use super::{Happening, Nm, What};
use crate::plant_file::Profile;
use crate::rng::Rng;
use crate::truth::TruthParcel;

/// After the parcel stands fully on the scale, in µs.
const RESULT_US: [u64; 2] = [200_000, 400_000];

/// A weighing under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighing {
    /// When the result is given out, in µs.
    pub due: u64,
    /// The parcel.
    pub parcel: usize,
    number: u16,
}

/// The scale.
#[derive(Clone, Debug)]
pub struct Scale {
    station: usize,
    /// Where its belt begins and ends.
    pub belt: [Nm; 2],
    triggers: Triggers,
    /// Weighings under way.
    pub weighings: Vec<Weighing>,
    /// It gives nothing, since what in the truth.
    pub dead: Option<usize>,
    /// When it was zeroed last, in µs.
    pub zeroed: u64,
    rng: Rng,
}

impl Scale {
    /// Builds the scale of a dws station.
    pub fn new(station: usize, belt: [Nm; 2], rng: Rng) -> Self {
        let triggers = Triggers::default();
        Self { station, belt, triggers, weighings: Vec::new(), dead: None, zeroed: 0, rng }
    }

    /// The station that it is wired to.
    pub const fn station(&self) -> usize {
        self.station
    }

    /// Takes bytes from the node while `parcel` is at the trigger eye.
    pub fn receive(&mut self, bytes: &[u8], parcel: Option<usize>) {
        self.triggers.receive(bytes, parcel);
    }

    /// The tail of `parcel` has passed the trigger eye at `at`: it stands fully on the scale.
    pub fn full_on(&mut self, parcel: usize, at: u64) {
        if let Some(trigger) = self.triggers.take(parcel)
            && self.dead.is_none()
        {
            let due = at + self.rng.span(RESULT_US);
            self.weighings.push(Weighing { due, parcel, number: trigger.number });
        }
    }

    /// Gives out the result of a weighing; `alone` = nothing else stood on the belt.
    pub fn result(
        &mut self,
        weighing: Weighing,
        parcel: &TruthParcel,
        alone: bool,
        profile: &Profile,
        out: &mut Vec<Happening>,
    ) {
        let none = self.rng.chance(profile.no_weight_ppm);
        let [low, high] = profile.weight_sigma_g.map(i64::from);
        let sigma = self.rng.between(low, high);
        let hours = weighing.due.saturating_sub(self.zeroed) / 3_600_000;
        let drift = i64::from(profile.scale_drift_g) * hours.cast_signed() / 1_000;
        let grams = (parcel.mass_g + drift + self.rng.normal(sigma)).max(1);
        let [long, wide, high] = parcel.size_mm;
        let number = weighing.number;
        let text = if alone && !none {
            format!("{number}:{grams};{long};{wide};{high}\r")
        } else {
            format!("{number}:E\r")
        };
        let what = What::Device { station: self.station, bytes: text.into_bytes() };
        out.push(Happening { at: weighing.due, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::tests::{profile, truth_parcel};

    fn weigh(profile: &Profile, alone: bool, count: usize) -> Vec<(u64, String)> {
        let mut scale = Scale::new(1, [0, 900], Rng::stream(3, "scale"));
        (0..count)
            .map(|index| {
                scale.receive(format!("T{index}\r").as_bytes(), Some(index));
                scale.full_on(index, 1_000_000);
                let weighing = scale.weighings.pop().expect("triggered");
                let mut out = Vec::new();
                scale.result(weighing, &truth_parcel(index), alone, profile, &mut out);
                let What::Device { station: 1, bytes } = &out[0].what else { panic!("{out:?}") };
                (out[0].at - 1_000_000, String::from_utf8(bytes.clone()).expect("text"))
            })
            .collect()
    }

    #[test]
    fn results_come_in_time_with_the_truth_on_a_clean_scale() {
        for (index, (delay, text)) in weigh(&profile("clean"), true, 300).into_iter().enumerate() {
            assert!((200_000..=400_000).contains(&delay));
            assert_eq!(text, format!("{index}:1800;300;200;100\r"));
        }
        assert_eq!(weigh(&profile("clean"), false, 1)[0].1, "0:E\r");
    }

    #[test]
    fn errors_and_noise_have_their_measure() {
        let results = weigh(&profile("normal"), true, 20_000);
        let errors = results.iter().filter(|(_, text)| text.ends_with(":E\r")).count();
        assert!((70..135).contains(&errors), "{errors} of 100");
        let off: Vec<i64> = results
            .iter()
            .filter_map(|(_, text)| text.split_once(':')?.1.split_once(';')?.0.parse().ok())
            .map(|grams: i64| grams - 1_800)
            .collect();
        let count = i64::try_from(off.len()).expect("small");
        let sigma = (off.iter().map(|g| g * g).sum::<i64>() / count).isqrt();
        assert!((13..=17).contains(&sigma), "σ {sigma} g");
    }

    #[test]
    fn nothing_is_weighed_without_a_trigger() {
        let mut scale = Scale::new(1, [0, 900], Rng::stream(4, "scale"));
        scale.full_on(3, 5);
        assert!(scale.weighings.is_empty());
    }
}
