//! What fills up, who empties it, and what people do on the line.

use super::chute::{Pile, Slide};
use super::eye::Sight;
use super::people::{Stint, Task};
use super::{Happening, MM, Plant, What};
use crate::plant_file::Holds;
use crate::scenario::Event;
use crate::truth::Closure;
use crate::world::Button;
use units::Micros;

/// Something that a person does at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Puts right what has this place in the truth.
    Repair(usize),
    /// Presses or leaves the lock button of a chute.
    Button {
        /// The chute, by its landing eye.
        chute: usize,
        /// Pressed.
        down: bool,
    },
    /// Cuts the landing eye of a chute with a hand.
    Hand {
        /// The chute.
        chute: usize,
    },
    /// Has changed what stands under a chute.
    Changed {
        /// The chute.
        chute: usize,
    },
    /// Presses or leaves a button of the panel.
    Panel {
        /// The button.
        button: Button,
        /// Pressed.
        down: bool,
    },
    /// Has done with the next parcel at the bench and gives it onto the line again.
    Bench,
}

/// What the harness tells people: an alarm that they hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Something is wrong within two metres of this place, in mm.
    Place(i64),
    /// The chute with this number is full.
    Chute(u16),
    /// The line asks for a button of the panel.
    Panel(Button),
}

/// An alarm names its place to within this, in mm.
const NEAR_MM: u64 = 2_000;
/// A hand cuts an eye for so long, in µs.
const HAND_US: [u64; 2] = [80_000, 700_000];
/// A button is held for so long, in µs.
const BUTTON_US: u64 = 300_000;
/// A parcel that rests under the landing eye lies there for so long, in µs.
const RESTS_US: [u64; 2] = [2_000_000, 20_000_000];

impl Plant {
    /// A parcel has been sent towards a chute: it may come to rest under its eye or bounce back.
    pub(super) fn linger(&mut self, chute: usize) {
        let [empty, full] = self.profile.resting_permille;
        let rebound = self.profile.rebound_permille;
        if empty + full + rebound == 0 {
            return;
        }
        let nearly = self.piles.get(chute).is_some_and(Pile::is_nearly_full);
        let rng = &mut self.streams.chutes;
        let rests = rng.chance(if nearly { full } else { empty } * 1_000);
        let rebounds = rng.chance(rebound * 1_000);
        let longer = if rests { rng.span(RESTS_US) } else { 0 };
        if let Some(slide) = self.slides.under_way.last_mut() {
            slide.leaves += longer;
            slide.rebounds = rebounds && !rests;
        }
    }

    /// A parcel has cut its landing eye.
    pub(super) fn landed(
        &mut self,
        slide: Slide,
        trouble: Option<usize>,
        out: &mut Vec<Happening>,
    ) {
        if let Some(trouble) = trouble {
            self.truth.touch(trouble, slide.parcel);
        }
        let mass = self.truth.parcels[slide.parcel].mass_g;
        let Some(pile) = self.piles.get_mut(slide.eye) else { return };
        let was = pile.is_full();
        pile.pieces += 1;
        pile.grams += mass;
        let full = pile.is_full();
        if let Some(eye) = &mut self.full_eyes[slide.eye] {
            // What slides past cuts it for a moment.
            eye.blip(slide.cuts + 1, slide.cuts + 350_000, out);
            if full && !was {
                eye.turn(Sight::Blocked, slide.cuts + 400_000, out);
            }
        }
        if full && !was {
            self.to_change.push(slide.eye);
            self.note_closed(slide.eye, slide.cuts);
        }
    }

    /// A chute takes nothing more from `at` on.
    fn note_closed(&mut self, chute: usize, at: u64) {
        let number = self.chutes[chute].number;
        let closures = &mut self.truth.closures;
        if closures.iter().all(|closure| closure.chute != number || closure.until.is_some()) {
            closures.push(Closure { chute: number, from: Micros(at), until: None });
        }
    }

    /// Whether somebody has to be told of something.
    pub const fn has_calls(&self) -> bool {
        !self.to_repair.is_empty()
            || !self.to_change.is_empty()
            || !self.to_bench.is_empty()
            || !self.plans_made.is_empty()
    }

    /// Something is wrong that somebody has to put right, by its place in the truth.
    pub fn ask_repair(&mut self, number: usize) {
        self.to_repair.push(number);
    }

    /// What people will do about what they see from `now` on, and when.
    pub fn see(&mut self, now: u64) -> Vec<(u64, Work)> {
        let mut plans = core::mem::take(&mut self.plans_made);
        for number in core::mem::take(&mut self.to_repair) {
            let at_mm = self.place_of(number);
            if let Some(work) = self.people.send(now, at_mm, Task::Repair, false) {
                plans.push((work.ends, Work::Repair(number)));
            }
        }
        for chute in core::mem::take(&mut self.to_change) {
            self.plan_change(chute, (now, false));
        }
        for (parcel, body) in core::mem::take(&mut self.to_bench) {
            self.at_bench += 1;
            self.bench.push_back((parcel, body));
            if let Some(at) = self.people.bench(now) {
                plans.push((at, Work::Bench));
            }
        }
        plans.append(&mut self.plans_made);
        plans
    }

    /// What people will do about an alarm that they hear.
    pub fn call(&mut self, call: Call, now: u64) -> Vec<(u64, Work)> {
        let mut plans = Vec::new();
        match call {
            Call::Place(at_mm) => {
                let open = |number: &usize| {
                    let happened = &self.truth.happened[*number];
                    happened.until.is_none() && happened.event.may_last()
                };
                let open: Vec<usize> = (0..self.truth.happened.len()).filter(open).collect();
                for number in open {
                    let place = self.place_of(number);
                    if place.abs_diff(at_mm) <= NEAR_MM
                        && let Some(work) = self.people.send(now, place, Task::Repair, true)
                    {
                        plans.push((work.ends, Work::Repair(number)));
                    }
                }
            }
            Call::Panel(button) => {
                if let Some(stint) = self.people.send(now, 0, Task::Press, true) {
                    plans.push((stint.ends, Work::Panel { button, down: true }));
                    let left = stint.ends + BUTTON_US;
                    plans.push((left, Work::Panel { button, down: false }));
                }
            }
            Call::Chute(number) => {
                if let Some(chute) = self.chutes.iter().position(|chute| chute.number == number) {
                    self.plan_change(chute, (now, true));
                }
            }
        }
        plans.append(&mut self.plans_made);
        plans
    }

    /// Somebody who stands beside it changes what stands under a chute; false when there is none.
    pub(super) fn change_now(&mut self, number: u16, now: u64) -> bool {
        let Some(chute) = self.chutes.iter().position(|chute| chute.number == number) else {
            return false;
        };
        let work = self.people.here(now, Task::Bag);
        self.plan_work(chute, work);
        true
    }

    /// Somebody comes to a chute, locks it, changes what stands there and gives it free again.
    fn plan_change(&mut self, chute: usize, (now, call): (u64, bool)) {
        let holds = self.piles.get(chute).map(|pile| pile.holds).unwrap_or_default();
        let task = match holds {
            Holds::Bag => Task::Bag,
            Holds::Cage => Task::Cage,
            Holds::Slide => Task::Slide,
        };
        let at_mm = self.chutes[chute].at_mm;
        if let Some(work) = self.people.send(now, at_mm, task, call) {
            self.plan_work(chute, work);
        }
    }

    fn plan_work(&mut self, chute: usize, work: Stint) {
        let plans = &mut self.plans_made;
        for at in [work.begins, work.ends] {
            plans.push((at, Work::Button { chute, down: true }));
            plans.push((at + BUTTON_US, Work::Button { chute, down: false }));
        }
        for at in self.people.hands(work) {
            plans.push((at, Work::Hand { chute }));
        }
        plans.push((work.ends, Work::Changed { chute }));
    }

    /// A person does something at `at`; repairs and the panel are no business of this.
    pub fn work(&mut self, work: Work, at: u64, out: &mut Vec<Happening>) {
        match work {
            Work::Repair(_) | Work::Panel { .. } => {}
            Work::Button { chute, down: level } => {
                let plan = self.chutes[chute];
                if let Some(input) = plan.button {
                    let station = plan.station;
                    out.push(Happening { at, what: What::Level { station, input, level } });
                }
                if level {
                    self.note_closed(chute, at);
                }
            }
            Work::Hand { chute } => {
                let until = at + self.streams.chutes.span(HAND_US);
                self.landing_eyes[chute].blip(at.max(1), until, out);
            }
            Work::Changed { chute } => self.changed(chute, at, out),
            Work::Bench => {
                self.at_bench = self.at_bench.saturating_sub(1);
                if let Some((parcel, body)) = self.bench.pop_front() {
                    let left = self.end_slide.pieces.saturating_sub(1);
                    self.end_slide.change(left, at, out);
                    // What comes back once more stays at the bench.
                    if self.truth.parcels[parcel].again_of.is_none() {
                        self.again.push_back((parcel, body));
                    }
                }
            }
        }
    }

    /// A new bag, cage or empty slide is there.
    fn changed(&mut self, chute: usize, at: u64, out: &mut Vec<Happening>) {
        let Some(pile) = self.piles.get_mut(chute) else { return };
        *pile = Pile::new(pile.holds, self.people.capacity(Pile::takes(pile.holds)));
        let number = self.chutes[chute].number;
        let open = self.truth.closures.iter_mut().filter(|closure| closure.chute == number);
        for closure in open.filter(|closure| closure.until.is_none()) {
            closure.until = Some(Micros(at));
        }
        if let Some(eye) = &mut self.full_eyes[chute] {
            eye.turn(Sight::Good, at, out);
        }
    }

    /// Where something that happens is, in mm.
    fn place_of(&self, number: usize) -> i64 {
        let happened = &self.truth.happened[number];
        let at = match &happened.event {
            Event::EyeBlocked { eye, .. } | Event::EyeClear { eye, .. } => {
                self.eyes.iter().find(|known| *known.name == **eye).map(|known| known.at)
            }
            Event::NoTurn { diverter, .. }
            | Event::NoReturn { diverter, .. }
            | Event::WheelsStopped { diverter, .. }
            | Event::SlowSwitch { diverter, .. }
            | Event::FeedbackLies { diverter, .. } => {
                let known = self.beds.iter().find(|bed| bed.plan.name == *diverter);
                known.map(|bed| bed.plan.from)
            }
            Event::DriveTrip { zone, .. } => {
                self.belt_named(zone).map(|belt| self.plans[belt].from)
            }
            _ => None,
        };
        at.map(|at| at / MM).or(happened.at_mm).unwrap_or_default()
    }

    /// The scale is zeroed.
    pub const fn zero(&mut self, now: u64) {
        if let Some(scale) = &mut self.scale {
            scale.zeroed = now;
        }
    }

    /// What lies in the chutes, in the order of the line file; empty when they do not fill.
    pub fn piles(&self) -> &[Pile] {
        &self.piles
    }

    /// Parcels on the end slide.
    pub const fn on_end_slide(&self) -> u64 {
        self.end_slide.pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::tests::{D1, PANEL, Rig, profile};
    use crate::plant_file::Profile;
    use crate::truth::{Place, With};
    use registers::exchange::Side;
    use registers::points::{diverter, panel};

    fn filling(workers: u32, parcels: u64) -> Rig {
        let rates = Profile { chutes_fill: true, workers, ..profile("clean") };
        Rig::with(rates, 51, parcels)
    }

    #[test]
    fn a_chute_fills_up_and_somebody_comes_and_changes_the_bag() {
        let mut rig = filling(1, 45);
        rig.turn(D1, Side::Left, true);
        while rig
            .edges(D1, diverter::FULL_LEFT)
            .last()
            .is_none_or(|(at, level)| !level || rig.now < at + 2_500_000)
        {
            rig.step();
        }
        let pieces = rig.plant.piles()[0].pieces;
        assert!((1..=38).contains(&pieces), "{pieces} pieces");
        rig.run(240_000);
        let full = rig.edges(D1, diverter::FULL_LEFT);
        assert!(full.last().is_some_and(|(_, level)| !level), "the bag is new");
        let button = rig.edges(D1, diverter::BUTTON_LEFT);
        assert!(button.len() >= 4, "pressed before and after: {button:?}");
        let change = button[0].0..=button[2].0;
        assert!((30_000_000..=90_000_000).contains(&(change.end() - change.start())));
        assert!(rig.plant.piles()[0].pieces < pieces);
    }

    #[test]
    fn without_anybody_the_pile_comes_up_to_the_mouth_and_the_next_one_sticks() {
        let mut rig = filling(0, 60);
        rig.turn(D1, Side::Left, true);
        rig.run(120_000);
        let stuck: Vec<&crate::truth::TruthParcel> = rig
            .plant
            .truth
            .parcels
            .iter()
            .filter(|p| p.contacts.iter().any(|contact| contact.with == With::Mouth(1)))
            .collect();
        assert_eq!(stuck.len(), 1);
        assert_eq!(stuck[0].place, Place::OnLine);
        let pile = rig.plant.piles()[0];
        assert!(pile.is_at_the_mouth(), "{pile:?}");
    }

    #[test]
    fn the_end_slide_fills_and_the_bench_gives_parcels_back_once() {
        let mut rig = filling(1, 30);
        rig.run(60_000);
        let full = rig.edges(PANEL, panel::END_FULL);
        assert_eq!(full.first().map(|(_, level)| *level), Some(true), "{full:?}");
        rig.run(1_500_000);
        assert!(rig.plant.is_drained());
        let parcels = &rig.plant.truth.parcels;
        let again = parcels.iter().filter(|parcel| parcel.again_of.is_some()).count();
        assert_eq!((again, parcels.len()), (30, 60));
        assert!(rig.edges(PANEL, panel::END_FULL).last().is_some_and(|(_, level)| !level));
    }

    #[test]
    fn parcels_rest_under_the_eye_and_bounce_back_as_often_as_told() {
        let rates =
            Profile { resting_permille: [100, 300], rebound_permille: 50, ..profile("clean") };
        let mut rig = Rig::with(rates, 52, 1);
        for _ in 0..4_000 {
            rig.plant.slides.begin(0, 0, 1, 0, 0);
            rig.plant.linger(0);
        }
        let slides = &rig.plant.slides.under_way;
        let rests = slides.iter().filter(|s| s.leaves - s.cuts > 1_500_000).count();
        let rebounds = slides.iter().filter(|s| s.rebounds).count();
        assert!((320..480).contains(&rests), "{rests} of 400");
        assert!((130..230).contains(&rebounds), "{rebounds} of 180");
    }

    #[test]
    fn an_alarm_sends_people_at_once() {
        let mut rig = filling(1, 1);
        let plans = rig.plant.call(Call::Chute(1), 0);
        let begins = plans.iter().map(|(at, _)| *at).min().expect("plans");
        assert_eq!(begins, 6_125_000, "4.9 m at 0.8 m/s, nothing to notice");
        assert!(rig.plant.call(Call::Chute(99), 0).is_empty());
        assert!(rig.plant.call(Call::Place(0), 0).is_empty(), "nothing is wrong");
    }
}
