//! Hands at the belt: one parcel of a running line taken off, held back, doubled or joined by another
//! at every place of the demo line. Nobody behind it goes wrong, and nobody but its direct neighbours
//! loses its way.

use line_sim::plant::MM;
use line_sim::scenario::Event;
use line_sim::truth::Place;
use std::collections::BTreeMap;
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::oracle::{self, Actual, Belief};
use system_tests::summary;
use units::Micros;

/// Parcels of the run.
const PARCELS: u64 = 24;
/// Places of the victim's head, in mm from the induction eye.
const FROM: i64 = -2_200;
const TO: i64 = 14_200;
/// A run of 26 parcels takes about 50 s.
const LIMIT: Micros = Micros::from_secs(180);

/// What a hand does to the victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    /// Takes it off.
    TakesOff,
    /// Holds it while this much belt runs by.
    Holds(u64),
    /// Puts another one right behind it, touching.
    Doubles,
    /// Puts another one this far ahead of it.
    PutsAhead(i64),
}

/// Head of a parcel on the belts, in mm.
fn head(harness: &Harness, parcel: usize) -> Option<i64> {
    harness.world.plant().head(parcel).map(|head| head / MM)
}

/// Whether the hand could act, and which parcel it has put on.
fn act(harness: &mut Harness, victim: usize, hand: Hand) -> (bool, Option<usize>) {
    let Some(head) = head(harness, victim) else { return (false, None) };
    let next = harness.world.truth().parcels.len();
    let tail = head - harness.world.truth().parcels[victim].apparent_mm;
    let put_on = |place: i64| Event::PutOn {
        place_mm: i32::try_from(place).expect("on the line"),
        length_mm: 250,
        waybill: None,
    };
    let event = match hand {
        Hand::TakesOff => Event::TakeOff,
        Hand::Holds(mm) => Event::Hold { for_ms: mm * 1_000 / 1_200 },
        Hand::Doubles => put_on(tail - 3),
        Hand::PutsAhead(by) => put_on(head + by + 250),
    };
    let parcel = u64::try_from(victim).expect("few");
    harness.world.inject(Some(parcel), &event).expect("the line has it");
    let put = (harness.world.truth().parcels.len() > next).then_some(next);
    let puts = matches!(hand, Hand::Doubles | Hand::PutsAhead(_));
    (put.is_some() || !puts, put)
}

/// What became of everybody, by plant parcel.
struct Outcome {
    actual: Vec<Actual>,
    beliefs: BTreeMap<u64, Belief>,
}

impl Outcome {
    fn of(harness: &Harness) -> Self {
        let decisions = summary::decisions(&harness.disk.records);
        let actual = harness.world.truth().parcels.iter().filter_map(Actual::of).collect();
        Self { actual, beliefs: oracle::beliefs(decisions.iter()) }
    }

    fn belief(&self, actual: &Actual) -> Option<&Belief> {
        let near =
            |belief: &&Belief| belief.inducted.wrapping_sub(actual.count).cast_signed().abs() <= 60;
        self.beliefs.values().find(near)
    }

    /// Parcels that were read right and did not land, and others that ended for another reason than
    /// their own label's.
    fn strayed(&self) -> Vec<(u64, String)> {
        let mut strayed = Vec::new();
        for one in &self.actual {
            let Some(belief) = self.belief(one) else {
                strayed.push((one.index, "nobody's".to_owned()));
                continue;
            };
            let own = ["no_read", "multi_code", "no_manifest"];
            let ended = belief.ended.iter().any(|reason| own.contains(reason));
            if belief.landed.is_empty() && !ended {
                let text =
                    format!("{:?}, ended {:?}, open {}", one.lies, belief.ended, belief.open);
                strayed.push((one.index, text));
            }
        }
        strayed
    }
}

/// What a hand at one place did to the others.
#[derive(Default)]
struct Tally {
    places: u32,
    /// The victim, or what was put on, lost its way.
    itself: u32,
    /// A direct neighbour did.
    neighbours: u32,
    /// What was put on went into a chute with the victim.
    dragged: u32,
    /// Somebody else ended for want of room, not of certainty.
    crowded: u32,
    bad: Vec<String>,
}

impl Tally {
    fn take(&mut self, place: i64, victim: usize, put: Option<usize>, fork: &Harness, seed: u64) {
        let finding = summary::report(fork, &Inputs::demo(PARCELS, seed)).finding;
        let wrong = finding.wrong_by_decision.iter().chain(&finding.wrong_unreported);
        for wrong in wrong.chain(&finding.wrong_mechanical).chain(&finding.doubled) {
            self.bad.push(format!("{place} mm: {wrong}"));
        }
        let outcome = Outcome::of(fork);
        // Who came onto the line next to whom; what was put on has no number of its own there.
        let own = |index: usize| index - usize::from(put.is_some_and(|put| index > put));
        for (index, what) in outcome.strayed() {
            let index = usize::try_from(index).expect("few");
            if index == victim || Some(index) == put {
                self.itself += 1;
            } else if own(index).abs_diff(victim) == 1 {
                self.neighbours += 1;
            } else if what.contains("gap_too_small") {
                self.crowded += 1;
            } else {
                self.bad.push(format!("{place} mm: parcel {index} strayed: {what}"));
            }
        }
        let thing =
            outcome.actual.iter().find(|one| put.is_some_and(|put| one.index == put as u64));
        let wrong = thing.is_none_or(|thing| outcome.belief(thing).is_none());
        let truth = &fork.world.truth().parcels;
        if let (true, Some(Place::Chute(number))) = (wrong, put.map(|put| truth[put].place)) {
            // What touches a diverted parcel goes with it, and no eye before the bed can tell.
            if truth[victim].place == Place::Chute(number) {
                self.dragged += 1;
            } else {
                self.bad.push(format!("{place} mm: the thing put on lies in chute {number}"));
            }
        }
    }
}

/// Forks the run at each place and lets `hand` act on each fork.
fn everywhere(hand: Hand, victim: usize, step: i64) {
    let seed = 5;
    println!("seed {seed}; repeat: cargo test --release -p system-tests --test hands");
    let mut harness = Harness::new(&Inputs::demo(PARCELS, seed)).expect("set up");
    let mut tally = Tally::default();
    let mut place = FROM;
    while place <= TO {
        let gone = |harness: &Harness| {
            harness.world.truth().parcels.get(victim).is_some_and(|one| {
                matches!(one.place, Place::Chute(_) | Place::Sliding(_) | Place::End)
            })
        };
        let there = |harness: &Harness| {
            gone(harness) || head(harness, victim).is_some_and(|head| head >= place)
        };
        assert!(harness.run_until(LIMIT, there), "parcel {victim} never came to {place} mm");
        if gone(&harness) {
            break;
        }
        let mut fork = harness.clone();
        if let (true, put) = act(&mut fork, victim, hand) {
            tally.places += 1;
            assert!(fork.run_until(LIMIT, Harness::drained), "{hand:?} at {place} mm: not drained");
            tally.take(place, victim, put, &fork, seed);
        }
        place += step;
    }
    let Tally { places, itself, neighbours, dragged, crowded, bad } = tally;
    println!(
        "{hand:?} parcel {victim}: {places} places up to {place} mm; lost their way: {itself} of \
         its own, {neighbours} neighbours, {crowded} others by their gap; {dragged} dragged along"
    );
    assert!(places > 8, "only {places} places");
    assert_eq!(bad, Vec::<String>::new());
}

/// Parcels with readable neighbours: to a near chute, to a far one, and one that runs to the end.
const VICTIMS: [usize; 3] = [8, 11, 14];

#[test]
fn one_parcel_taken_off_at_every_place() {
    for victim in VICTIMS {
        everywhere(Hand::TakesOff, victim, 100);
    }
}

#[test]
fn one_parcel_held_back_at_every_place() {
    for (held, victim) in
        [150, 400, 800, 1_250].into_iter().flat_map(|held| VICTIMS.map(|v| (held, v)))
    {
        everywhere(Hand::Holds(held), victim, 250);
    }
}

#[test]
fn one_parcel_doubled_at_every_place() {
    for victim in VICTIMS {
        everywhere(Hand::Doubles, victim, 200);
    }
}

#[test]
fn one_parcel_put_on_at_every_place() {
    for (ahead, victim) in [10, 200, 450].into_iter().flat_map(|ahead| VICTIMS.map(|v| (ahead, v)))
    {
        everywhere(Hand::PutsAhead(ahead), victim, 250);
    }
}
