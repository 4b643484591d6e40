//! Random belts and hosts: every accepted arm ends exactly once, and the bed fires only inside a
//! window. A failing case prints its input and the command that repeats it.

use diverter::{Diverter, node};
use node::Input;
use node::bench::{Bench, IDENTITY};
use proptest::prelude::*;
use registers::event::{ArmOutcome, Event};
use registers::exchange::{Arm, Operation, Side, Verdict};
use registers::points::diverter::{HOME, TURN_LEFT, TURN_RIGHT};
use std::collections::BTreeMap;
use units::repeat::repeatable;

#[derive(Clone, Debug)]
enum Step {
    Run(u64),
    Level(u8, bool),
    Arm { from: i32, width: i32, length_min: u16, delay: u16, release: u16, left: bool },
    Cancel(u32),
    CancelAll,
    Silence,
    Drain,
    Speed(i32),
    Noise(Vec<u8>),
    Reboot,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u64..200).prop_map(Step::Run),
        6 => (0u8..6, any::<bool>()).prop_map(|(input, level)| Step::Level(input, level)),
        4 => any::<bool>().prop_map(|level| Step::Level(0, level)),
        6 => (-50i32..400, -1i32..150, 0u16..200, 0u16..300, 0u16..300, any::<bool>()).prop_map(
            |(from, width, length_min, delay, release, left)| Step::Arm {
                from, width, length_min, delay, release, left
            }
        ),
        1 => (0u32..40).prop_map(Step::Cancel),
        1 => Just(Step::CancelAll),
        1 => Just(Step::Silence),
        2 => Just(Step::Drain),
        1 => (0i32..3).prop_map(Step::Speed),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Noise),
        1 => Just(Step::Reboot),
    ]
}

struct Run {
    bench: Bench<Diverter>,
    /// Accepted arms of this boot that have not ended.
    open: BTreeMap<u32, Arm>,
    next_tag: u32,
}

impl Run {
    fn collect(&mut self) -> Result<(), TestCaseError> {
        for event in self.bench.drain() {
            let Event::ArmEnded { tag, outcome, edge, at, .. } = event else { continue };
            let arm = self.open.remove(&tag);
            prop_assert!(arm.is_some(), "arm {tag} ended twice or never was");
            let Some(arm) = arm else { continue };
            if outcome == ArmOutcome::Fired {
                prop_assert!(edge.reached(arm.window_from) && arm.window_to.reached(edge));
                let late = at.count.since(edge.plus(i32::from(arm.delay)));
                prop_assert!((0..=60).contains(&late), "fired {late} counts late");
            }
        }
        let waiting = self.bench.view().armed.tags().to_vec();
        let open: Vec<u32> = self.open.keys().copied().collect();
        prop_assert_eq!(waiting, open, "what has not ended waits, in order");
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let bench = &mut self.bench;
        match step {
            Step::Run(ms) => bench.run(ms),
            Step::Level(input, level) => bench.level(input, level),
            Step::Arm { from, width, length_min, delay, release, left } => {
                let window_from = bench.ahead(from);
                let window_to = window_from.plus(width);
                let side = if left { Side::Left } else { Side::Right };
                let tag = self.next_tag;
                let arm = Arm { tag, side, window_from, window_to, length_min, delay, release };
                let full = bench.view().armed.count == 8;
                let verdict = bench.command(Operation::Arm(arm));
                let bad = width < 0 || release == 0;
                let expected = match (bad, full) {
                    (true, _) => Verdict::BadArgument,
                    // A place may have become free in this very request.
                    (false, true) if verdict == Verdict::QueueFull => Verdict::QueueFull,
                    (false, _) => Verdict::Accepted,
                };
                prop_assert_eq!(verdict, expected);
                if verdict == Verdict::Accepted {
                    self.open.insert(tag, arm);
                    self.next_tag += 1;
                }
            }
            Step::Cancel(tag) => {
                prop_assert_eq!(bench.command(Operation::Cancel { tag }), Verdict::Accepted);
            }
            Step::CancelAll => {
                prop_assert_eq!(bench.command(Operation::CancelAll), Verdict::Accepted);
            }
            Step::Silence => bench.run(3_100),
            Step::Drain => self.collect()?,
            Step::Speed(speed) => bench.speed = (speed, speed),
            Step::Noise(bytes) => {
                prop_assert!(bench.give(Input::Rtu(&bytes)).is_empty());
                bench.give(Input::Tcp(&bytes));
                bench.give(Input::Device(&bytes));
            }
            Step::Reboot => {
                // The new boot id reports what was lost; nothing of the old boot may come back.
                self.collect()?;
                *self = Self::boot(self.next_tag);
            }
        }
        let turned = [TURN_LEFT, TURN_RIGHT].map(|id| self.bench.outputs[usize::from(id)]);
        prop_assert_ne!(turned, [1, 1]);
        Ok(())
    }

    fn boot(next_tag: u32) -> Self {
        let mut bench = Bench::new(node(IDENTITY));
        bench.level(HOME, true);
        Self { bench, open: BTreeMap::new(), next_tag }
    }
}

proptest! {
    #![proptest_config(repeatable(300))]

    #[test]
    fn every_accepted_arm_ends_exactly_once(steps in prop::collection::vec(step(), 1..120)) {
        let mut run = Run::boot(0);
        for step in steps {
            run.step(step)?;
        }
        run.bench.speed = (1, 1);
        run.bench.run(4_000);
        run.collect()?;
        prop_assert!(run.open.is_empty(), "left: {:?}", run.open);
    }
}
