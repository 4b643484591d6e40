//! What is put onto the infeed, and when.

use super::{MM, Nm};
use crate::items::Item;
use crate::plant_file::Profile;
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// How parcels arrive at the infeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feed {
    /// Always one waiting: put on whenever there is room.
    #[default]
    Saturated,
    /// People: one by one, and bursts from a packing line with pauses behind them.
    People,
}

impl Feed {
    /// The feed with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "saturated" => Some(Self::Saturated),
            "people" => Some(Self::People),
            _ => None,
        }
    }
}

/// A label and the manifest's row that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The code.
    pub waybill: String,
    /// Row of the manifest; `None` for a stranger.
    pub row: Option<usize>,
}

/// The infeed's state.
#[derive(Clone, Debug)]
pub struct Infeed {
    feed: Feed,
    room_mm: [i64; 2],
    /// Parcels still to come; `None` = without end.
    left: Option<u64>,
    /// Rows in the order in which they come.
    order: Vec<usize>,
    taken: usize,
    /// Instant before which nobody puts anything on, in µs.
    not_before: u64,
    /// Parcels left of the person's or the packing line's turn.
    turn: u64,
    burst: bool,
    /// Free belt that the next one needs ahead of it.
    room: Nm,
    rng: Rng,
}

impl Infeed {
    /// Builds the infeed of a run.
    pub fn new(
        feed: Feed,
        items: usize,
        parcels: Option<u64>,
        room_mm: [u32; 2],
        mut rng: Rng,
    ) -> Self {
        let room_mm = room_mm.map(i64::from);
        let mut order: Vec<usize> = (0..items).collect();
        rng.shuffle(&mut order);
        let room = rng.between(room_mm[0], room_mm[1]) * MM;
        let (taken, not_before, turn) = (0, 0, 0);
        Self {
            feed,
            room_mm,
            left: parcels,
            order,
            taken,
            not_before,
            turn,
            burst: false,
            room,
            rng,
        }
    }

    /// Whether one is ready at `now` to be put where `free` belt is left behind the last one.
    pub fn ready(&self, now: u64, free: Nm) -> bool {
        self.left != Some(0) && now >= self.not_before && self.has_room(free)
    }

    /// Whether `free` belt is enough for the next one.
    pub const fn has_room(&self, free: Nm) -> bool {
        free >= self.room
    }

    /// When the next one may be ready if room is no matter; `None` when none comes any more.
    pub fn next_at(&self) -> Option<u64> {
        (self.left != Some(0)).then_some(self.not_before)
    }

    /// Nobody puts anything on any more.
    pub const fn stop(&mut self) {
        self.left = Some(0);
    }

    /// Takes the next label, and decides when the one after it comes.
    pub fn next(&mut self, now: u64, items: &[Item], profile: &Profile) -> Label {
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.room = self.rng.between(self.room_mm[0], self.room_mm[1]) * MM;
        self.not_before = match self.feed {
            Feed::Saturated => 0,
            Feed::People => now + self.pause(),
        };
        if self.rng.chance(profile.strangers_permille * 1_000) {
            return Label { waybill: self.stranger(items), row: None };
        }
        if self.taken == self.order.len() {
            self.taken = 0;
            self.rng.shuffle(&mut self.order);
        }
        let row = self.order[self.taken];
        self.taken += 1;
        Label { waybill: items[row].waybill.clone(), row: Some(row) }
    }

    /// Time until the next one, in µs.
    fn pause(&mut self) -> u64 {
        let mut pause = 0;
        if self.turn == 0 {
            if self.burst {
                pause = self.rng.span([30_000_000, 90_000_000]);
            }
            self.burst = self.rng.chance(300_000);
            self.turn = if self.burst { self.rng.span([15, 40]) } else { self.rng.span([20, 60]) };
        }
        self.turn -= 1;
        if !self.burst {
            let human = self.rng.log_normal(2_400_000, 350).max(500_000);
            pause += u64::try_from(human).unwrap_or_default();
        }
        pause
    }

    /// A waybill of a known form that no row has.
    pub(super) fn stranger(&mut self, items: &[Item]) -> String {
        let mut code = items[self.rng.index(items.len())].waybill.clone();
        while items.iter().any(|item| item.waybill == code) {
            if code.chars().skip(4).any(|char| char.is_ascii_digit()) {
                code = self.other_digits(&code);
            } else {
                code.push('0');
            }
        }
        code
    }

    /// The code with other digits behind its first four characters.
    fn other_digits(&mut self, code: &str) -> String {
        let digit = |rng: &mut Rng| char::from_digit(u32::from(rng.half_word() % 10), 10);
        code.chars()
            .enumerate()
            .map(|(at, char)| match digit(&mut self.rng) {
                Some(other) if at >= 4 && char.is_ascii_digit() => other,
                _ => char,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::tests::{item, profile};
    use std::collections::BTreeSet;

    fn infeed(feed: Feed, parcels: Option<u64>) -> Infeed {
        Infeed::new(feed, 200, parcels, [60, 120], Rng::stream(9, "feed"))
    }

    #[test]
    fn no_waybill_comes_twice_until_all_have_come() {
        let items: Vec<Item> = (0..200).map(item).collect();
        let mut infeed = infeed(Feed::Saturated, None);
        let normal = profile("normal");
        let labels: Vec<Label> = (0..8_000).map(|_| infeed.next(0, &items, &normal)).collect();
        let known: Vec<usize> = labels.iter().filter_map(|label| label.row).collect();
        for round in known.chunks_exact(200) {
            assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), 200);
        }
        assert_ne!(known[..200], known[200..400], "another order each time");
        let strangers: Vec<&Label> = labels.iter().filter(|label| label.row.is_none()).collect();
        assert!((50..115).contains(&strangers.len()), "{} of 80", strangers.len());
        assert!(strangers.iter().all(|l| items.iter().all(|item| item.waybill != l.waybill)));
    }

    #[test]
    fn the_limit_ends_the_feed() {
        let items: Vec<Item> = (0..200).map(item).collect();
        let mut infeed = infeed(Feed::Saturated, Some(2));
        for _ in 0..2 {
            assert!(infeed.ready(0, 120 * MM) && !infeed.ready(0, 59 * MM));
            infeed.next(0, &items, &profile("clean"));
        }
        assert!(!infeed.ready(0, 120 * MM));
        assert_eq!(infeed.next_at(), None);
    }

    #[test]
    fn people_take_their_time_and_bursts_end_in_pauses() {
        let items: Vec<Item> = (0..200).map(item).collect();
        let mut infeed = infeed(Feed::People, None);
        let (mut now, mut gaps) = (0, Vec::new());
        for _ in 0..20_000 {
            infeed.next(now, &items, &profile("clean"));
            gaps.push((infeed.not_before - now) / 1_000);
            now = infeed.not_before;
        }
        let mut human: Vec<u64> =
            gaps.iter().copied().filter(|gap| (1..20_000).contains(gap)).collect();
        human.sort_unstable();
        let median = human[human.len() / 2];
        assert!((2_300..2_500).contains(&median), "median {median} ms");
        assert!(gaps.iter().any(|gap| *gap >= 30_000), "no pause");
        assert!(gaps.contains(&0), "no burst");
    }
}
