//! Which belief of the journal stands for which plant parcel.
//!
//! Both sides read the belt at the induction eye. The two readings differ by a start, another one
//! after each restart of the reference's counter, so that the distance of two parcels may look like
//! a start. A true one is in force for a whole row of parcels: their neighbours agree with it.

use super::judge::Story;
use line_sim::truth::{Truth, TruthParcel};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use units::Micros;

/// Largest distance of the two induction readings, in counts.
const JOIN: u32 = 60;
/// A start of the reference's counter is known to so many counts.
const SHARP: u32 = 16;
/// Parcels ahead and behind that are asked for their start.
const ROW: usize = 8;
/// So many of them make a start.
const AGREE_MIN: usize = 2;
/// The journal tells an induction this long after it at the latest.
const TOLD: Micros = Micros::from_secs(20);
/// Without a fitting reading, the induction told within this time of the edge is the same one.
const TOLD_SOON: Micros = Micros::from_millis(1_500);

/// Plant parcels by the belief that stands for them, and those that nothing stands for.
#[derive(Debug, Default)]
pub struct Joined<'a> {
    /// By parcel id of the journal, in the order of induction.
    pub members: BTreeMap<u64, Vec<&'a TruthParcel>>,
    /// The journal does not know them.
    pub alone: Vec<&'a TruthParcel>,
}

/// Joins them; several plant parcels may be one belief, when they touched at the induction eye.
pub fn join<'a>(truth: &'a Truth, stories: &BTreeMap<u64, Story>) -> Joined<'a> {
    let mut parcels: Vec<&TruthParcel> = truth.parcels.iter().collect();
    parcels.sort_by_key(|parcel| parcel.inducted_at);
    let mut pairs =
        Pairs { parcels: &parcels, stories, mine: BTreeMap::new(), taken: BTreeSet::new() };
    pairs.by_reading();
    pairs.by_pulse();
    pairs.by_time();
    let mut joined = Joined::default();
    let mut last: Option<(u64, &TruthParcel)> = None;
    for (rank, parcel) in parcels.iter().enumerate() {
        let ahead = last
            .filter(|(_, ahead)| parcel.joined.is_some() || touches(ahead, parcel))
            .map(|(id, _)| id);
        match pairs.mine.get(&rank).map(|(id, _)| *id).or(ahead) {
            Some(id) => {
                joined.members.entry(id).or_default().push(parcel);
                last = Some((id, parcel));
            }
            None => joined.alone.push(parcel),
        }
    }
    joined
}

/// Pairs found so far.
struct Pairs<'a> {
    /// In the order of induction; a parcel's rank is its place here.
    parcels: &'a [&'a TruthParcel],
    stories: &'a BTreeMap<u64, Story>,
    /// Belief and start by rank.
    mine: BTreeMap<usize, (u64, i32)>,
    taken: BTreeSet<u64>,
}

impl Pairs<'_> {
    fn free(&self) -> Vec<usize> {
        (0..self.parcels.len()).filter(|rank| !self.mine.contains_key(rank)).collect()
    }

    /// The beliefs told in this time after a parcel's induction, each with the start that it means.
    fn told_within(&self, rank: usize, within: Micros) -> Vec<(u64, i32)> {
        let Some((at, count)) = induction(self.parcels[rank]) else { return Vec::new() };
        let told = |story: &Story| story.told_at >= at && story.told_at <= at.plus(within);
        let fitting = self.stories.iter().filter(|(_, story)| told(story));
        fitting.map(|(id, story)| (*id, story.inducted.wrapping_sub(count).cast_signed())).collect()
    }

    /// Takes a pair, unless one of the two has another.
    fn take(&mut self, rank: usize, id: u64, start: i32) {
        if !self.mine.contains_key(&rank) && self.taken.insert(id) {
            self.mine.insert(rank, (id, start));
        }
    }

    /// Those whose start most of their neighbours share, and those that started together.
    fn by_reading(&mut self) {
        let all: Vec<Vec<(u64, i32)>> =
            (0..self.parcels.len()).map(|rank| self.told_within(rank, TOLD)).collect();
        let mut found = Vec::new();
        for (rank, mine) in all.iter().enumerate() {
            let row = rank.saturating_sub(ROW)..(rank + ROW + 1).min(all.len());
            for (id, start) in mine {
                let agrees = |other: usize| {
                    all[other].iter().any(|(their, theirs)| {
                        let same = theirs.wrapping_sub(*start).unsigned_abs() <= SHARP;
                        same && their.cmp(id) == other.cmp(&rank)
                    })
                };
                let agree = row.clone().filter(|other| *other != rank && agrees(*other)).count();
                if agree >= AGREE_MIN || start.unsigned_abs() <= JOIN {
                    found.push((Reverse(agree), start.unsigned_abs(), rank, *id, *start));
                }
            }
        }
        found.sort_unstable();
        for (_, _, rank, id, start) in found {
            self.take(rank, id, start);
        }
    }

    /// Those that reached the eye while the pulse lasted that made a belief: something else, or a
    /// bounce, had begun it.
    fn by_pulse(&mut self) {
        let mut found = Vec::new();
        for rank in self.free() {
            let Some((at, count)) = induction(self.parcels[rank]) else { continue };
            for start in self.starts_beside(rank) {
                for (id, story) in self.stories {
                    let behind = count.wrapping_add_signed(start).wrapping_sub(story.inducted);
                    let length = story.passed.wrapping_sub(story.inducted);
                    let under = behind.wrapping_add(JOIN) <= length.saturating_add(2 * JOIN);
                    if under && story.told_at <= at.plus(TOLD) && story.passed_at >= at {
                        found.push((behind.cast_signed().unsigned_abs(), rank, *id, start));
                    }
                }
            }
        }
        found.sort_unstable();
        for (_, rank, id, start) in found {
            self.take(rank, id, start);
        }
    }

    /// The starts of the next parcels ahead and behind that have one; 0 when none has.
    fn starts_beside(&self, rank: usize) -> Vec<i32> {
        let ahead = self.mine.range(..rank).next_back();
        let behind = self.mine.range(rank..).next();
        let starts: Vec<i32> =
            [ahead, behind].into_iter().flatten().map(|(_, (_, start))| *start).collect();
        if starts.is_empty() { vec![0] } else { starts }
    }

    /// What is left, by time alone.
    fn by_time(&mut self) {
        let mut found = Vec::new();
        for rank in self.free() {
            let Some((at, _)) = induction(self.parcels[rank]) else { continue };
            for (id, start) in self.told_within(rank, TOLD_SOON) {
                found.push((self.stories[&id].told_at.since(at), rank, id, start));
            }
        }
        found.sort_unstable();
        for (_, rank, id, start) in found {
            self.take(rank, id, start);
        }
    }
}

/// When a parcel reached the induction eye, and what the reference counted then.
fn induction(parcel: &TruthParcel) -> Option<(Micros, u32)> {
    parcel.inducted_at.map(|at| (at, parcel.induct_count.map_or(0, |count| count.0)))
}

/// Whether the second came to the induction eye before the first had left it for long enough.
fn touches(first: &TruthParcel, second: &TruthParcel) -> bool {
    let (Some(one), Some(other)) = (first.inducted_at, second.inducted_at) else { return false };
    // Slowest belt that feeds: what takes longer than this behind the tail is seen apart.
    let passes = Micros(u64::try_from(first.apparent_mm).unwrap_or(0) * 1_000_000 / 300);
    other.since(one) <= passes
}

#[cfg(test)]
mod tests {
    use super::*;
    use line_sim::truth::{Packaging, Place, ReadTruth};
    use units::Counts;

    /// A parcel every two seconds, 1,000 counts apart, and what a journal says of it at once.
    fn row(places: u32) -> (Truth, BTreeMap<u64, Story>) {
        let mut truth = Truth::default();
        let mut stories = BTreeMap::new();
        for place in 0..places {
            let (index, count) = (u64::from(place), 10_000 + 1_000 * place + 7 * place * place);
            let at = Micros(index * 2_000_000);
            truth.parcels.push(parcel(index, at, count));
            stories.insert(index + 1, story(count, at, 300));
        }
        (truth, stories)
    }

    fn story(reading: u32, at: Micros, length: u32) -> Story {
        let told = at.plus(Micros::from_millis(40));
        Story {
            inducted: reading,
            told_at: told,
            passed: reading + length,
            passed_at: told.plus(Micros::from_millis(300)),
            ..Story::default()
        }
    }

    fn parcel(index: u64, at: Micros, count: u32) -> TruthParcel {
        TruthParcel {
            index,
            joined: None,
            again_of: None,
            lap_of: None,
            waybill: index.to_string(),
            row: None,
            size_mm: [300, 200, 100],
            apparent_mm: 300,
            mass_g: 1_000,
            packaging: Packaging::Carton,
            fed_at: at,
            inducted_at: Some(at),
            induct_count: Some(Counts(count)),
            gap_mm: None,
            read: ReadTruth::Pending,
            rescans: Vec::new(),
            place: Place::OnLine,
            landed_at: None,
            fault: None,
            contacts: Vec::new(),
        }
    }

    /// The parcels that each belief stands for.
    fn indices(joined: &Joined) -> Vec<(u64, Vec<u64>)> {
        let of = |parcels: &Vec<&TruthParcel>| parcels.iter().map(|parcel| parcel.index).collect();
        joined.members.iter().map(|(id, parcels)| (*id, of(parcels))).collect()
    }

    fn each_its_own(places: u64) -> Vec<(u64, Vec<u64>)> {
        (0..places).map(|index| (index + 1, vec![index])).collect()
    }

    #[test]
    fn a_gap_that_looks_like_a_start_is_none() {
        let (truth, mut stories) = row(20);
        // The counter began anew, behind by just the distance of the parcels 11 and 12.
        let by = 1_000 + 7 * (12 * 12 - 11 * 11);
        for story in stories.values_mut() {
            (story.inducted, story.passed) = (story.inducted - by, story.passed - by);
        }
        let joined = join(&truth, &stories);
        assert_eq!(indices(&joined), each_its_own(20));
    }

    #[test]
    fn a_belief_whose_pulse_a_bounce_began_is_still_the_parcels() {
        let (truth, mut stories) = row(20);
        let early = stories.get_mut(&13).expect("made");
        early.inducted -= 260;
        early.told_at = Micros(early.told_at.0 - 500_000);
        let joined = join(&truth, &stories);
        assert_eq!(indices(&joined), each_its_own(20));
    }

    #[test]
    fn a_pulse_that_was_over_before_is_nobodys() {
        let (truth, mut stories) = row(20);
        let bounce = Micros(12 * 2_000_000 - 500_000);
        let reading = stories[&13].inducted - 260;
        stories.insert(100, story(reading, bounce, 30));
        stories.get_mut(&100).expect("made").passed_at = bounce.plus(Micros::from_millis(90));
        let joined = join(&truth, &stories);
        assert_eq!(indices(&joined), each_its_own(20));
        stories.remove(&13);
        let joined = join(&truth, &stories);
        assert!(!joined.members.contains_key(&100), "{:?}", indices(&joined));
        assert_eq!(joined.alone.iter().map(|parcel| parcel.index).collect::<Vec<_>>(), [12]);
    }
}
