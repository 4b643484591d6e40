//! Hypotheses about whose the edges of one stretch are: every order-keeping assignment, scored.
//!
//! A parcel at the edge of its window costs as much as a parcel that is missing: being off its place
//! is measured against what its place is known to. What has still to come may yet be missing, so a
//! cost is a range until every window is over.

use alloc::vec::Vec;

/// Price of a parcel at the edge of its window; half way out it is half of that.
pub(crate) const EDGE: i64 = 300;
/// Price of a parcel that should have been seen and was not: taken off, or its edge missed.
pub(crate) const MISSING: i64 = 300;
/// Price of a pulse that is nobody's: put on, or a reflection.
pub(crate) const STRANGE: i64 = 300;
/// Price of a parcel that comes later than its window: held back.
pub(crate) const SLIPPED: i64 = 250;
/// Price of a parcel seen although it was fired: the wheels did not take it.
pub(crate) const UNTAKEN: i64 = 200;
/// A hypothesis this much better than every other one is taken for the truth: half a fault.
pub(crate) const MARGIN: i64 = 150;

/// What one pulse would say about one parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It cannot be this parcel's.
    Never,
    /// In its window: how far off its nominal place, and what its length costs.
    Window {
        /// Off its place, in parts of [`EDGE`]; late is positive.
        residual: i64,
        /// How far the length is off.
        length: i64,
    },
    /// Later than its window.
    Late {
        /// How far the length is off.
        length: i64,
    },
}

/// One parcel that may be in the stretch, in the order of the belt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// What each pulse would say, in their order.
    pub(crate) fits: Vec<Fit>,
    /// It may have left the belt into a chute: nobody misses it.
    pub(crate) gone: bool,
    /// Its window is over: unless it is one of these pulses, it is missing.
    pub(crate) over: bool,
}

/// One way in which everything fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hypothesis {
    /// For each pulse the place of its candidate; `None` = nobody's.
    pub(crate) owners: Vec<Option<usize>>,
    /// What would have to be true already.
    pub(crate) cost: i64,
    /// The same if nobody comes who has still time.
    pub(crate) most: i64,
}

/// What follows from all hypotheses together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The cheapest one.
    pub(crate) best: Hypothesis,
    /// For each pulse whether every hypothesis within the margin says the same.
    pub(crate) pulses: Vec<bool>,
    /// For each candidate the same.
    pub(crate) candidates: Vec<bool>,
}

impl Verdict {
    /// Whether nothing is left open.
    pub(crate) fn settled(&self) -> bool {
        self.pulses.iter().chain(&self.candidates).all(|sure| *sure)
    }
}

/// Every assignment that keeps the order of the belt. At most C(p + c, p) for p pulses and c
/// candidates: 126 within the limits of a stretch.
fn assignments(pulses: usize, candidates: &[Candidate]) -> Vec<Vec<Option<usize>>> {
    let mut all: Vec<Vec<Option<usize>>> = alloc::vec![Vec::new()];
    for pulse in 0..pulses {
        let mut longer = Vec::new();
        for owners in all {
            let next = owners.iter().rev().flatten().next().map_or(0, |last| last + 1);
            for (place, candidate) in candidates.iter().enumerate().skip(next) {
                if candidate.fits.get(pulse).is_some_and(|fit| *fit != Fit::Never) {
                    let mut with = owners.clone();
                    with.push(Some(place));
                    longer.push(with);
                }
            }
            let mut without = owners;
            without.push(None);
            longer.push(without);
        }
        all = longer;
    }
    all
}

/// Scores an assignment; `offset` = how far their neighbours ahead are off their places.
fn score(owners: Vec<Option<usize>>, candidates: &[Candidate], offset: i64) -> Hypothesis {
    let mut residuals = Vec::new();
    let mut total = 0;
    for (pulse, owner) in owners.iter().enumerate() {
        let Some(candidate) = owner.and_then(|owner| candidates.get(owner)) else {
            total += STRANGE;
            continue;
        };
        match candidate.fits.get(pulse) {
            Some(Fit::Window { residual, length }) => {
                residuals.push(*residual);
                total += *length;
            }
            Some(Fit::Late { length }) => total += SLIPPED + *length,
            Some(Fit::Never) | None => total += STRANGE,
        }
        total += if candidate.gone { UNTAKEN } else { 0 };
    }
    let last = owners.iter().flatten().next_back();
    let mut pending = 0;
    for (place, candidate) in candidates.iter().enumerate() {
        if candidate.gone || owners.contains(&Some(place)) {
            continue;
        }
        if candidate.over || last.is_some_and(|last| place < *last) {
            total += MISSING;
        } else {
            pending += MISSING;
        }
    }
    let cost = total + off_place(&residuals, offset);
    Hypothesis { owners, cost, most: cost + pending }
}

/// What being off their places costs parcels that slip together: their common offset once, and each
/// one's distance from it.
fn off_place(residuals: &[i64], offset: i64) -> i64 {
    let with = |common: i64| {
        let apart: i64 = residuals.iter().map(|residual| (residual - common).abs()).sum();
        (common - offset).abs() + apart
    };
    residuals.iter().map(|common| with(*common)).fold(with(offset), i64::min)
}

/// Weighs every hypothesis.
pub(crate) fn weigh(pulses: usize, candidates: &[Candidate], offset: i64) -> Verdict {
    let mut all: Vec<Hypothesis> = assignments(pulses, candidates)
        .into_iter()
        .map(|owners| score(owners, candidates, offset))
        .collect();
    // Stable: of equal costs the one with the earlier candidate stays first.
    all.sort_by_key(|hypothesis| hypothesis.cost);
    let best = all.remove(0);
    let near = || all.iter().take_while(|other| other.cost < best.most + MARGIN);
    let same = |pulse: usize| near().all(|other| other.owners[pulse] == best.owners[pulse]);
    let place = |owners: &[Option<usize>], candidate| {
        owners.iter().position(|owner| *owner == Some(candidate))
    };
    let agreed = |candidate: usize| {
        let mine = place(&best.owners, candidate);
        near().all(|other| place(&other.owners, candidate) == mine)
    };
    Verdict {
        pulses: (0..pulses).map(same).collect(),
        candidates: (0..candidates.len()).map(agreed).collect(),
        best,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn at(residual: i64) -> Fit {
        Fit::Window { residual, length: 0 }
    }

    fn candidate(fits: &[Fit]) -> Candidate {
        Candidate { fits: fits.to_vec(), gone: false, over: false }
    }

    #[test]
    fn two_pulses_that_fit_two_parcels_are_theirs_in_order() {
        let both = [candidate(&[at(5), at(80)]), candidate(&[at(-70), at(8)])];
        let verdict = weigh(2, &both, 0);
        assert_eq!(verdict.best.owners, [Some(0), Some(1)]);
        assert!(verdict.settled());
    }

    #[test]
    fn everybody_late_by_the_same_is_cheaper_than_a_fault() {
        let both = [candidate(&[at(120), Fit::Never]), candidate(&[at(0), at(120)])];
        let verdict = weigh(2, &both, 0);
        assert_eq!(verdict.best.owners, [Some(0), Some(1)], "not: gone, in place, put on");
        assert_eq!(verdict.best.cost, 120);
        assert!(verdict.settled());
    }

    #[test]
    fn one_pulse_between_two_parcels_is_open_until_one_is_nearer() {
        let between = |near: i64, far: i64| {
            let mut first = candidate(&[at(far)]);
            let mut second = candidate(&[at(near)]);
            (first.over, second.over) = (true, true);
            weigh(1, &[first, second], 0)
        };
        let open = between(-60, 60);
        assert!(!open.settled() && open.pulses == [false] && open.candidates == [false, false]);
        let near = between(-5, 160);
        assert_eq!((near.best.owners.clone(), near.settled()), (vec![Some(1)], true));
    }

    #[test]
    fn a_parcel_taken_off_is_told_from_one_held_back_by_its_follower() {
        // The follower's place is filled: either it is there, or the one before came late.
        let late = Candidate { over: true, ..candidate(&[Fit::Late { length: 5 }]) };
        let mut follower = candidate(&[at(4)]);
        assert!(!weigh(1, &[late.clone(), follower.clone()], 0).settled(), "its window is open");
        follower.over = true;
        let verdict = weigh(1, &[late.clone(), follower], 0);
        assert_eq!((verdict.best.owners.clone(), verdict.settled()), (vec![Some(1)], true));
        // With a second pulse at the follower's heels the first one is the late one.
        let late = Candidate { fits: vec![Fit::Late { length: 5 }, Fit::Never], ..late };
        let follower = Candidate { over: true, ..candidate(&[at(4), at(140)]) };
        let verdict = weigh(2, &[late, follower], 0);
        assert_eq!(
            (verdict.best.owners.clone(), verdict.settled()),
            (vec![Some(0), Some(1)], true)
        );
    }

    #[test]
    fn a_length_decides_where_places_do_not() {
        let mut first = candidate(&[Fit::Never]);
        first.over = true;
        let second = Candidate { over: true, ..candidate(&[at(100)]) };
        let verdict = weigh(1, &[first, second], 0);
        assert_eq!((verdict.best.owners.clone(), verdict.settled()), (vec![Some(1)], true));
    }

    #[test]
    fn the_number_of_hypotheses_is_bounded() {
        let all = vec![candidate(&[at(0); 4]); 5];
        assert_eq!(assignments(4, &all).len(), 126);
    }
}
