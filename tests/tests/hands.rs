//! Hands at the belt: one parcel of a running line taken off, held back, doubled or joined by another
//! at every place of the demo line. Nobody behind it goes wrong, and nobody but its direct neighbours
//! loses its way.

use line_sim::plant::MM;
use line_sim::scenario::Event;
use line_sim::truth::{Place, TruthParcel, With};
use std::collections::BTreeMap;
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::oracle::{self, Actual, Belief};
use system_tests::summary;
use units::Micros;

/// Seed of the run.
const SEED: u64 = 5;
/// Parcels of the run.
const PARCELS: u64 = 24;
/// Places of the victim's head, in mm from the induction eye.
const FROM: i64 = -2_200;
const TO: i64 = 14_200;
/// Sensors stand off their places by no more than this, in mm.
const OFFSET: i64 = 10;
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
    /// The victim, what was put on, or what ran into them lost its way.
    itself: u32,
    /// A direct neighbour of theirs did.
    neighbours: u32,
    /// Went into a chute with another one and was told as open: no eye looks at a bed.
    dragged: u32,
    /// Somebody else ended for want of room, not of certainty.
    crowded: u32,
    bad: Vec<String>,
}

/// One hand at one place.
struct Case {
    hand: Hand,
    victim: usize,
    put: Option<usize>,
    /// Where the hand was meant to act, and where the victim's head was, in mm.
    place: i64,
    head: i64,
    at: Micros,
    /// Others that stand elsewhere on the sorter belt than without the hand.
    pushed: Vec<usize>,
}

impl Case {
    /// Whether the hand held the victim back between the eye of a bed and its end, where nothing
    /// looks at it before the bed turns for the next one.
    fn on_a_bed(&self, length: i64) -> bool {
        let tail = self.head - length + OFFSET;
        let mut beds = (0..6).map(|bed| 1_600 * bed);
        matches!(self.hand, Hand::Holds(_))
            && beds.any(|bed| tail > 4_450 + bed && tail < 5_250 + bed)
    }

    /// Whom the hand moved: its victim, what it put on, whoever ran into them, and whoever came onto
    /// the belt closer to the one ahead than any gap that is made.
    fn disturbed(&self, fork: &Harness) -> Vec<usize> {
        let close = |one: &&TruthParcel| one.gap_mm.is_some_and(|gap| gap < 250);
        let ran_into = |one: &&TruthParcel| {
            one.contacts.iter().any(|contact| {
                let ahead = matches!(contact.with, With::Ahead(_));
                ahead && contact.at >= self.at && contact.at_mm > -1_000
            })
        };
        let truth = &fork.world.truth().parcels;
        let moved = truth.iter().filter(|one| ran_into(one) || close(one));
        let moved = moved.map(|one| usize::try_from(one.index).expect("few"));
        let own = [Some(self.victim), self.put].into_iter().flatten();
        own.chain(self.pushed.iter().copied()).chain(moved).collect()
    }

    /// How many places two parcels are apart where the hand was. Who was diverted at a bed that the
    /// victim had passed already is not between them any more.
    fn apart(&self, truth: &[TruthParcel], one: usize, other: usize) -> usize {
        let (one, other) = (self.order(one), self.order(other));
        let left = |parcel: &TruthParcel| match parcel.place {
            Place::Chute(chute) => 4_450 + 1_600 * ((i64::from(chute) - 1) / 2) <= self.head,
            _ => false,
        };
        let place = |parcel: &TruthParcel| self.order(usize::try_from(parcel.index).expect("few"));
        let (first, last) = (one.min(other), one.max(other));
        let stands = |parcel: &&TruthParcel| {
            (first + 1..=last).contains(&place(parcel)) && (place(parcel) == last || !left(parcel))
        };
        truth
            .iter()
            .filter(|parcel| self.put.is_none_or(|put| parcel.index != put as u64))
            .filter(stands)
            .count()
    }

    /// Who came onto the line next to whom; what was put on has no number of its own there.
    fn order(&self, index: usize) -> usize {
        index - usize::from(self.put.is_some_and(|put| index > put))
    }
}

impl Tally {
    fn take(&mut self, case: &Case, fork: &Harness) {
        let Case { victim, put, place, .. } = *case;
        let outcome = Outcome::of(fork);
        let truth = &fork.world.truth().parcels;
        let told = outcome.actual.iter().find(|one| one.index == victim as u64);
        let told = told.and_then(|one| outcome.belief(one)).is_some_and(|belief| belief.open);
        let dragged = told && case.on_a_bed(truth[victim].apparent_mm);
        self.dragged += u32::from(dragged && matches!(truth[victim].place, Place::Chute(_)));
        let finding = summary::report(fork, &Inputs::demo(PARCELS, SEED)).finding;
        let own = format!("plant parcel {victim} ");
        let mechanical = finding.wrong_mechanical.iter();
        let mechanical = mechanical.filter(|wrong| !dragged || !wrong.starts_with(&own));
        let wrong = finding.wrong_by_decision.iter().chain(&finding.wrong_unreported);
        for wrong in wrong.chain(mechanical).chain(&finding.doubled) {
            self.bad.push(format!("{place} mm: {wrong}"));
        }
        let disturbed = case.disturbed(fork);
        for (index, what) in outcome.strayed() {
            let index = usize::try_from(index).expect("few");
            let near = disturbed.iter().map(|one| case.apart(truth, *one, index)).min();
            if Some(index) == put || near == Some(0) {
                self.itself += 1;
            } else if near == Some(1) {
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

/// Who stands elsewhere on the sorter belt once the hand lets go than without it.
fn pushed(free: &Harness, fork: &mut Harness, hand: Hand) -> Vec<usize> {
    let Hand::Holds(mm) = hand else { return Vec::new() };
    let over = fork.now().plus(Micros::from_millis(mm * 1_000 / 1_200));
    let mut free = free.clone();
    for harness in [&mut free, &mut *fork] {
        harness.run_until(LIMIT, |harness| harness.now() >= over);
    }
    let moved = |index: &usize| {
        head(&free, *index)
            .zip(head(fork, *index))
            .is_some_and(|(free, held)| held > 0 && free.abs_diff(held) > 20)
    };
    (0..fork.world.truth().parcels.len()).filter(moved).collect()
}

/// Forks the run at each place and lets `hand` act on each fork; what went wrong.
fn everywhere(hand: Hand, victim: usize, step: i64) -> Vec<String> {
    let mut harness = Harness::new(&Inputs::demo(PARCELS, SEED)).expect("set up");
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
        let (at, own) = (fork.now(), head(&fork, victim));
        if let (true, put) = act(&mut fork, victim, hand) {
            let pushed = pushed(&harness, &mut fork, hand);
            let head = own.expect("on the line");
            tally.places += 1;
            assert!(fork.run_until(LIMIT, Harness::drained), "{hand:?} at {place} mm: not drained");
            let case = Case { hand, victim, put, place, head, at, pushed };
            tally.take(&case, &fork);
        }
        place += step;
    }
    let Tally { places, itself, neighbours, dragged, crowded, bad } = tally;
    println!(
        "{hand:?} parcel {victim}: {places} places up to {place} mm; lost their way: {itself} of \
         its own, {neighbours} neighbours, {crowded} others by their gap; {dragged} dragged along"
    );
    assert!(places > 8, "only {places} places");
    bad.into_iter().map(|what| format!("{hand:?} parcel {victim} at {what}")).collect()
}

/// Lets every hand act on every victim, and tells all that went wrong at once.
fn each(hands: impl IntoIterator<Item = Hand>, victims: &[usize], step: i64) {
    println!("repeat: cargo test --release -p system-tests --test hands");
    let all = hands.into_iter().flat_map(|hand| victims.iter().map(move |one| (hand, *one)));
    let bad: Vec<String> = all.flat_map(|(hand, one)| everywhere(hand, one, step)).collect();
    assert!(bad.is_empty(), "{} faults:\n{}", bad.len(), bad.join("\n"));
}

/// Parcels with readable neighbours, to chutes 10, 1 and 7.
const VICTIMS: [usize; 3] = [8, 11, 14];

/// The first parcel to each chute and to the end of the undisturbed run, among those with neighbours
/// on both sides.
fn one_to_each_place() -> Vec<usize> {
    let mut harness = Harness::new(&Inputs::demo(PARCELS, SEED)).expect("set up");
    assert!(harness.run_until(LIMIT, Harness::drained));
    let mut first = BTreeMap::new();
    for one in &harness.world.truth().parcels[2..22] {
        first.entry(format!("{:?}", one.place)).or_insert(one.index);
    }
    println!("victims: {first:?}");
    first.into_values().map(|index| usize::try_from(index).expect("few")).collect()
}

#[test]
fn one_parcel_taken_off_at_every_place() {
    let victims = one_to_each_place();
    assert!(victims.len() >= 8, "near and far: {victims:?}");
    let others: Vec<usize> = victims.into_iter().filter(|one| !VICTIMS.contains(one)).collect();
    each([Hand::TakesOff], &VICTIMS, 100);
    each([Hand::TakesOff], &others, 200);
}

#[test]
fn one_parcel_held_back_at_every_place() {
    each([150, 400, 800, 1_250].map(Hand::Holds), &VICTIMS, 250);
}

#[test]
fn one_parcel_doubled_at_every_place() {
    each([Hand::Doubles], &VICTIMS, 200);
}

#[test]
fn one_parcel_put_on_at_every_place() {
    each([10, 200, 450].map(Hand::PutsAhead), &VICTIMS, 250);
}
