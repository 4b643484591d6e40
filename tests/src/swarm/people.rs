//! People at the line: they see that it stands, walk there, put right what they find and press what
//! brings it back. The controller's host restarts it when it died.

use crate::harness::Harness;
use line_model::packml::State;
use line_model::signal::Command;
use line_model::view::Unmet;
use line_sim::plant::chute::EndSlide;
use line_sim::rng::Rng;
use line_sim::scenario::Event;
use line_sim::truth::{Place, With};
use units::Micros;

/// Somebody who watches the line.
#[derive(Clone, Debug)]
pub struct People {
    rng: Rng,
    /// When the next button is pressed.
    press_at: Option<Micros>,
    /// When the jam that somebody saw is cleared.
    clear_at: Option<Micros>,
    /// When the controller is started again.
    restart_at: Option<Micros>,
    /// When somebody looks next whether the controller keeps snapshots, as the daemon does.
    snapshot_at: Micros,
    /// Parcels inducted and on the line, and since when that is so.
    still: (u64, u64, Micros),
}

/// From seeing a lamp to pressing a button, in µs.
const REACTION_US: [u64; 2] = [1_000_000, 8_000_000];
/// From a jam to its clearing, in µs.
const JAM_US: [u64; 2] = [5_000_000, 20_000_000];
/// How long a dead controller stays away, in µs: about as often within the lease as beyond it.
const AWAY_US: [u64; 2] = [100_000, 6_000_000];
/// A running line on which nothing comes or goes for so long is stopped and started again.
const STILL: Micros = Micros::from_secs(120);
/// Between two snapshots.
const SNAPSHOT: Micros = Micros::from_secs(60);

impl People {
    /// Builds people whose pace comes from `rng`.
    pub const fn new(rng: Rng) -> Self {
        let (press_at, clear_at, restart_at) = (None, None, None);
        let still = (0, 0, Micros::ZERO);
        Self { rng, press_at, clear_at, restart_at, snapshot_at: SNAPSHOT, still }
    }

    /// Looks at the line and does what is due.
    pub fn attend(&mut self, harness: &mut Harness) {
        let now = harness.now();
        if harness.engine().is_none() {
            if self.due(now, AWAY_US, |people| &mut people.restart_at) {
                harness.restart();
            }
            return;
        }
        if now >= self.snapshot_at {
            self.snapshot_at = now.plus(SNAPSHOT);
            harness.snapshot();
        }
        self.clear_jams(harness);
        self.look(harness);
        self.press(harness);
    }

    /// Whether something that was first seen a reaction ago is done now.
    fn due(
        &mut self,
        now: Micros,
        reaction: [u64; 2],
        of: fn(&mut Self) -> &mut Option<Micros>,
    ) -> bool {
        match *of(self) {
            Some(due) if due <= now => {
                *of(self) = None;
                true
            }
            Some(_) => false,
            None => {
                let due = now.plus(Micros(self.rng.span(reaction)));
                *of(self) = Some(due);
                false
            }
        }
    }

    /// Stops the line and takes off what sticks, and what stands under an eye whose jam keeps the
    /// line from starting, as its alarm says.
    fn clear_jams(&mut self, harness: &mut Harness) {
        let sticks = |parcel: &&line_sim::TruthParcel| {
            let stuck = |with| matches!(with, With::Mouth(_) | With::WheelsStopped(_));
            parcel.place == Place::OnLine
                && parcel.contacts.iter().any(|contact| stuck(contact.with))
        };
        let parcels = &harness.world.truth().parcels;
        let mut stuck: Vec<u64> =
            parcels.iter().filter(sticks).map(|parcel| parcel.index).collect();
        for eye in jammed(harness) {
            stuck.extend(harness.world.plant().under(&eye));
        }
        if stuck.is_empty() {
            self.clear_at = None;
        } else if self.due(harness.now(), JAM_US, |people| &mut people.clear_at) {
            harness.command(Command::Stop);
            for parcel in stuck {
                harness.world.inject(Some(parcel), &Event::TakeOff).expect("it names nothing");
            }
        }
    }

    /// A belt that stands although the line runs, as behind a drive that tripped, is seen by people.
    fn look(&mut self, harness: &mut Harness) {
        let Some(engine) = harness.engine() else { return };
        let memory = engine.line().memory();
        let (inducted, on_line) = (memory.tally.inducted, memory.tally.on_line);
        let runs = memory.machine.mode.state() == State::Execute;
        let now = harness.now();
        if !runs || (inducted, on_line) != (self.still.0, self.still.1) {
            self.still = (inducted, on_line, now);
        } else if now.since(self.still.2) >= STILL {
            self.still.2 = now;
            harness.command(Command::Stop);
        }
    }

    fn press(&mut self, harness: &mut Harness) {
        let Some(engine) = harness.engine() else { return };
        let memory = engine.line().memory();
        let contact = memory.estops.first().copied();
        let command = match memory.machine.mode.state() {
            State::Aborted => Some(Command::Clear),
            // One place on the end slide would be taken by the first parcel that comes.
            State::Held if !end_has_room(harness) => None,
            State::Held | State::Idle => Some(Command::Start),
            State::Stopped => Some(Command::Reset),
            // It moves on by itself.
            _ => None,
        };
        let Some(command) = command else {
            self.press_at = None;
            return;
        };
        if !self.due(harness.now(), REACTION_US, |people| &mut people.press_at) {
            return;
        }
        match contact {
            Some(contact) => harness.world.estop(usize::from(contact), false),
            None => harness.command(command),
        }
    }
}

/// Whether somebody at the bench has worked off half of what the end slide takes.
fn end_has_room(harness: &Harness) -> bool {
    harness.world.plant().on_end_slide() * 2 <= EndSlide::TAKES
}

/// Names of the eyes whose jams are not cleared.
fn jammed(harness: &Harness) -> Vec<String> {
    let Some(engine) = harness.engine() else { return Vec::new() };
    let line = &harness.fixed.line.file;
    let mut names: Vec<&str> = line.eye.iter().map(|eye| eye.name.as_str()).collect();
    names.extend(line.diverter.iter().map(|bed| bed.name.as_str()));
    names.push("end");
    let unmet = engine.line().view(harness.now()).unmet;
    let eyes = unmet.iter().filter_map(|unmet| match unmet {
        Unmet::EyeBlocked(eye) => names.get(usize::from(eye.0)),
        _ => None,
    });
    eyes.map(|name| (*name).to_owned()).collect()
}
