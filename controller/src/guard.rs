//! The guard around the engine: a panic costs one input, not the line.
//!
//! An unwind out of the engine leaves it in an unknown state, so it is thrown away. The guard keeps
//! an earlier copy and every wake since; from these it rebuilds the engine as it was just before,
//! and tries the wake once more. When the same input panics again, it is set aside: the engine takes
//! `Quarantined` in its place, which makes everything uncertain and raises an alarm. No thread, no
//! clock, no file: the same guard stands in the daemon and in tests on virtual time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use line_engine::{BusId, Effects, Engine, Outcome, Wake};
use line_model::ids::ParcelId;
use line_model::plan::{Facts, Plan};
use line_model::signal::{Command, Deed, File, Input};
use units::Micros;

/// Wakes between two copies of the engine: a rebuild handles no more than these again.
const WAKES_MAX: usize = 1_024;
/// Inputs that one wake may lose; one more, and the program is so wrong that it must end.
const SET_ASIDE_MAX: usize = 8;

/// How often the guard was needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Unwinds caught.
    pub panics: u64,
    /// Inputs set aside.
    pub set_aside: u64,
}

/// An engine with a guard.
#[derive(Clone, Debug)]
pub struct Guard {
    engine: Engine,
    /// The engine as it was before the wakes in `log`.
    copy: Engine,
    log: Vec<(Micros, Owned)>,
    counts: Counts,
}

impl Guard {
    /// Guards an engine.
    pub fn new(engine: Engine) -> Self {
        let copy = engine.clone();
        Self { engine, copy, log: Vec::with_capacity(WAKES_MAX), counts: Counts::default() }
    }

    /// The engine, to look at.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Changes the engine from outside, as tests do; the change survives a rebuild.
    pub fn change(&mut self, change: impl FnOnce(&mut Engine)) {
        change(&mut self.engine);
        self.copy();
    }

    /// How often it was needed.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Lets the engine take one wake, as [`Engine::handle`] does.
    ///
    /// # Panics
    /// When the engine panics outside of its line model twice, or loses too many inputs to one wake:
    /// then no part of the program can be trusted, and the nodes fall to their safe state.
    pub fn handle(&mut self, now: Micros, wake: Wake<'_>, out: &mut Effects) {
        let before = Lengths::of(out);
        if attempt(&mut self.engine, now, wake.clone(), out).is_ok() {
            self.log.push((now, Owned::of(wake)));
            if self.log.len() >= WAKES_MAX {
                self.copy();
            }
            return;
        }
        self.insist(now, &wake, out, before);
        self.copy();
    }

    /// Goes on after a first panic until the wake is handled.
    fn insist(&mut self, now: Micros, wake: &Wake<'_>, out: &mut Effects, before: Lengths) {
        let mut aside: Vec<Input> = Vec::new();
        let mut tried: Option<Option<Input>> = None;
        loop {
            self.counts.panics += 1;
            before.cut(out);
            let culprit = self.engine.handling().cloned();
            self.engine = self.rebuilt();
            if tried.as_ref() == Some(&culprit) {
                match culprit {
                    Some(input) if aside.len() < SET_ASIDE_MAX => {
                        self.counts.set_aside += 1;
                        aside.push(input);
                        tried = None;
                    }
                    Some(_) | None => panic!("the engine cannot go on"),
                }
            } else {
                tried = Some(culprit);
            }
            for input in &aside {
                self.engine.set_aside(input.clone());
            }
            if attempt(&mut self.engine, now, wake.clone(), out).is_ok() {
                return;
            }
        }
    }

    fn copy(&mut self) {
        self.copy = self.engine.clone();
        self.log.clear();
    }

    /// The engine as it was before the last wake.
    fn rebuilt(&self) -> Engine {
        let mut engine = self.copy.clone();
        let mut forgotten = Effects::default();
        for (now, wake) in &self.log {
            engine.handle(*now, wake.as_wake(), &mut forgotten);
            forgotten.clear();
        }
        engine
    }
}

fn attempt(
    engine: &mut Engine,
    now: Micros,
    wake: Wake<'_>,
    out: &mut Effects,
) -> std::thread::Result<()> {
    // Whatever the unwind leaves half done is thrown away: the engine by `rebuilt`, the effects by
    // `Lengths::cut`.
    catch_unwind(AssertUnwindSafe(|| engine.handle(now, wake, out)))
}

/// How long the lists of effects were before a wake.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    transmit: usize,
    records: usize,
    questions: usize,
}

impl Lengths {
    const fn of(out: &Effects) -> Self {
        Self {
            transmit: out.transmit.len(),
            records: out.records.len(),
            questions: out.questions.len(),
        }
    }

    fn cut(self, out: &mut Effects) {
        out.transmit.truncate(self.transmit);
        out.records.truncate(self.records);
        out.questions.truncate(self.questions);
    }
}

/// A wake that owns its bytes.
#[derive(Clone, Debug)]
enum Owned {
    BusUp { bus: BusId },
    BusDown { bus: BusId },
    Exchange { bus: BusId, outcome: OwnedOutcome },
    Durable { record: u64 },
    Route { parcel: ParcelId, facts: Option<Facts> },
    Command { command: Command, by: String, reason: String },
    Deed { deed: Deed, by: String, reason: String },
    SelectPlan { plan: Plan },
    WallClock { utc_us: u64 },
    WallClockStepped { utc_us: u64, by_us: i64 },
    FileTaken { file: File, name: String, hash: [u8; 32], by: String, reason: String },
    Timer,
}

#[derive(Clone, Debug)]
enum OwnedOutcome {
    Answer { unit: u8, pdu: Vec<u8> },
    Timeout,
    BroadcastDone,
    Lost,
}

impl Owned {
    fn of(wake: Wake<'_>) -> Self {
        match wake {
            Wake::BusUp { bus } => Self::BusUp { bus },
            Wake::BusDown { bus } => Self::BusDown { bus },
            Wake::Exchange { bus, outcome } => Self::Exchange {
                bus,
                outcome: match outcome {
                    Outcome::Answer { unit, pdu } => {
                        OwnedOutcome::Answer { unit, pdu: pdu.to_vec() }
                    }
                    Outcome::Timeout => OwnedOutcome::Timeout,
                    Outcome::BroadcastDone => OwnedOutcome::BroadcastDone,
                    Outcome::Lost => OwnedOutcome::Lost,
                },
            },
            Wake::Durable { record } => Self::Durable { record },
            Wake::Route { parcel, facts } => Self::Route { parcel, facts },
            Wake::Command { command, by, reason } => Self::Command { command, by, reason },
            Wake::Deed { deed, by, reason } => Self::Deed { deed, by, reason },
            Wake::SelectPlan { plan } => Self::SelectPlan { plan },
            Wake::WallClock { utc_us } => Self::WallClock { utc_us },
            Wake::WallClockStepped { utc_us, by_us } => Self::WallClockStepped { utc_us, by_us },
            Wake::FileTaken { file, name, hash, by, reason } => {
                Self::FileTaken { file, name, hash, by, reason }
            }
            Wake::Timer => Self::Timer,
        }
    }

    fn as_wake(&self) -> Wake<'_> {
        match self {
            Self::BusUp { bus } => Wake::BusUp { bus: *bus },
            Self::BusDown { bus } => Wake::BusDown { bus: *bus },
            Self::Exchange { bus, outcome } => Wake::Exchange {
                bus: *bus,
                outcome: match outcome {
                    OwnedOutcome::Answer { unit, pdu } => Outcome::Answer { unit: *unit, pdu },
                    OwnedOutcome::Timeout => Outcome::Timeout,
                    OwnedOutcome::BroadcastDone => Outcome::BroadcastDone,
                    OwnedOutcome::Lost => Outcome::Lost,
                },
            },
            Self::Durable { record } => Wake::Durable { record: *record },
            Self::Route { parcel, facts } => Wake::Route { parcel: *parcel, facts: facts.clone() },
            Self::Command { command, by, reason } => {
                Wake::Command { command: *command, by: by.clone(), reason: reason.clone() }
            }
            Self::Deed { deed, by, reason } => {
                Wake::Deed { deed: deed.clone(), by: by.clone(), reason: reason.clone() }
            }
            Self::SelectPlan { plan } => Wake::SelectPlan { plan: plan.clone() },
            Self::WallClock { utc_us } => Wake::WallClock { utc_us: *utc_us },
            Self::WallClockStepped { utc_us, by_us } => {
                Wake::WallClockStepped { utc_us: *utc_us, by_us: *by_us }
            }
            Self::FileTaken { file, name, hash, by, reason } => Wake::FileTaken {
                file: *file,
                name: name.clone(),
                hash: *hash,
                by: by.clone(),
                reason: reason.clone(),
            },
            Self::Timer => Wake::Timer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use line_engine::Record;
    use line_model::decision::Decision;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Wakes that make records: a plan, commands, times, an unavailable bus.
    fn wakes() -> Vec<(Micros, Wake<'static>)> {
        let by = || "test".to_owned();
        let mut wakes = vec![
            (Micros(1), Wake::WallClock { utc_us: 1 }),
            (Micros(2), Wake::SelectPlan { plan: example::plan() }),
            (Micros(3), Wake::BusDown { bus: BusId(0) }),
        ];
        for n in 0..40 {
            let command = if n % 2 == 0 { Command::Reset } else { Command::Stop };
            wakes
                .push((Micros(10 + n), Wake::Command { command, by: by(), reason: String::new() }));
            wakes.push((Micros(10 + n), Wake::WallClock { utc_us: n }));
        }
        wakes
    }

    fn records(guard: &mut Guard) -> Vec<Record> {
        let mut out = Effects::default();
        for (now, wake) in wakes() {
            guard.handle(now, wake, &mut out);
        }
        out.records
    }

    static ONCE: AtomicU32 = AtomicU32::new(0);

    fn panic_once(input: &Input, _: &mut Vec<Decision>) {
        if *input == (Input::WallClock { utc_us: 17 }) {
            assert!(ONCE.fetch_add(1, Ordering::Relaxed) > 0, "injected");
        }
    }

    #[test]
    fn a_passing_panic_leaves_no_trace() {
        let expected = records(&mut Guard::new(example::engine()));
        let mut guard = Guard::new(example::engine());
        guard.change(|engine| engine.tamper(panic_once));
        assert_eq!(records(&mut guard), expected);
        assert_eq!(guard.counts(), Counts { panics: 1, set_aside: 0 });
    }

    fn panic_always(input: &Input, _: &mut Vec<Decision>) {
        assert!(*input != (Input::WallClock { utc_us: 17 }), "injected");
    }

    #[test]
    fn an_input_that_panics_twice_is_set_aside() {
        let expected = records(&mut Guard::new(example::engine()));
        let mut guard = Guard::new(example::engine());
        guard.change(|engine| engine.tamper(panic_always));
        let got = records(&mut guard);
        assert_eq!(guard.counts(), Counts { panics: 2, set_aside: 1 });
        let inputs = |records: &[Record]| -> Vec<Input> {
            let decoded = records.iter().map(|r| line_engine::record::decode(&r.bytes));
            decoded.map(|r| r.expect("our own record").input).collect()
        };
        let (expected, got) = (inputs(&expected), inputs(&got));
        let place = expected.iter().position(|i| *i == Input::WallClock { utc_us: 17 });
        let place = place.expect("the input comes");
        assert_eq!(got[..place], expected[..place]);
        assert_eq!(got[place], Input::Quarantined);
        assert!(got.len() > place + 40, "it goes on");
        let numbers: Vec<u64> = records_numbers(&mut guard);
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "no number is used twice");
    }

    /// Numbers of what comes after everything before.
    fn records_numbers(guard: &mut Guard) -> Vec<u64> {
        let mut out = Effects::default();
        for n in 0..5 {
            guard.handle(Micros(1_000 + n), Wake::WallClock { utc_us: 100 }, &mut out);
        }
        out.records.iter().map(|record| record.number).collect()
    }

    fn panic_on_all(_: &Input, _: &mut Vec<Decision>) {
        panic!("injected");
    }

    #[test]
    #[should_panic(expected = "the engine cannot go on")]
    fn a_model_that_cannot_even_be_quarantined_ends_the_program() {
        let mut guard = Guard::new(example::engine());
        guard.change(|engine| engine.tamper(panic_on_all));
        guard.handle(Micros(1), Wake::WallClock { utc_us: 1 }, &mut Effects::default());
    }

    #[test]
    fn copies_between_wakes_change_nothing() {
        let mut guard = Guard::new(example::engine());
        let mut plain = example::engine();
        let (mut guarded, mut expected) = (Effects::default(), Effects::default());
        let rounds = u64::try_from(WAKES_MAX).expect("small") * 2 + 5;
        for n in 0..rounds {
            guard.handle(Micros(n), Wake::WallClock { utc_us: n }, &mut guarded);
            plain.handle(Micros(n), Wake::WallClock { utc_us: n }, &mut expected);
        }
        assert_eq!(guarded, expected);
        assert!(guard.log.len() < WAKES_MAX);
    }
}
