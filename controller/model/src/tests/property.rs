//! Random inputs: the invariants hold after each (`handle` checks them in debug builds), nobody
//! uncertain is armed, and a line resumed from its memory goes on identically.

use crate::alarm::Alarm;
use crate::decision::Decision;
use crate::harness::{PANEL, demo_layout, demo_plan, facts, position};
use crate::ids::{ChuteNo, EyeId, NodeId, ParcelId, ScannerId, Tag, ZoneId};
use crate::layout::{Largest, LineEnd, StationPlace};
use crate::line::Line;
use crate::packml::{State, UnitMode};
use crate::parcel::Fate;
use crate::plan::{Hold, Screening};
use crate::reason::{Outcome, Reason};
use crate::signal::{ArmEnd, Command, Contact, DownReason, Input, Read};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use units::repeat::repeatable;
use units::{Distance, Grams, Micros, Millis};

/// One random step: what kind of thing happens, which of them, how far off, and the way before it.
type Step = (u8, u8, i16, u16);

struct Walk {
    line: Line,
    at: i64,
    now: Micros,
}

impl Walk {
    fn running(returns: bool) -> Self {
        let mut layout = demo_layout();
        if returns {
            layout.end = LineEnd::Return { laps_max: 2, transit: Micros::from_secs(5) };
        }
        layout.limits.largest = Largest { weight: Some(Grams(2_000)), side_mm: Some(1_500) };
        layout.rescanners = vec![StationPlace { node: NodeId(4), at: Distance(8_700) }];
        let line = Line::new(layout);
        let mut walk = Self { line, at: 50_000, now: Micros::ZERO };
        let mut out = Vec::new();
        for node in 0..=PANEL.0 {
            let input = Input::NodeUp { node: NodeId(node), restarted: true };
            walk.line.handle(walk.now, input, &mut out);
        }
        walk.line.handle(walk.now, Input::PlanSelected { plan: demo_plan() }, &mut out);
        for command in [Command::Reset, Command::Start] {
            let input = Input::Command { command, by: "walk".to_string(), reason: String::new() };
            walk.line.handle(walk.now, input, &mut out);
        }
        for _ in 0..2 {
            walk.now = walk.now.plus(Micros::from_secs(6));
            walk.line.handle(walk.now, Input::Timer, &mut out);
        }
        walk
    }

    fn live(&self, which: u8) -> Option<ParcelId> {
        let live = &self.line.memory.live;
        live.keys().nth(usize::from(which) % live.len().max(1)).copied()
    }

    fn tag(&self, which: u8) -> Tag {
        let arms = &self.line.memory.arms;
        let arm = arms.keys().nth(usize::from(which) % arms.len().max(1)).copied();
        arm.unwrap_or(Tag(u32::from(which)))
    }

    /// The parcel's next edge, about where it is expected.
    fn next_edge(&self, which: u8, off: i16) -> Option<Input> {
        let parcel = self.line.memory.live.get(&self.live(which)?)?;
        let last = parcel.last();
        if last.tail.is_none() {
            let length = parcel.track.length.unwrap_or(Distance(300));
            let at = last.head.plus(length).plus(Distance(i64::from(off) / 512));
            return Some(Input::Edge { eye: last.eye, active: false, at, spread: Distance(2) });
        }
        let eye = self.line.layout.eye_id(usize::from(parcel.track.next))?;
        let window = parcel.expected(&self.line.layout, &self.line.memory.nodes, eye)?;
        let middle = Distance((window.to.at - window.from.at) / 2 + i64::from(off) / 256);
        let at = window.from.plus(middle);
        Some(Input::Edge { eye, active: true, at, spread: Distance(2) })
    }

    fn fire(&self, which: u8, off: i16) -> Option<Input> {
        let arm = self.line.memory.arms.get(&self.tag(which))?;
        let eye = self.line.layout.diverter(arm.plan.diverter).eye;
        let seen = self.line.memory.live.get(&arm.plan.parcel).and_then(|parcel| parcel.at(eye));
        let edge = seen.map_or(arm.plan.from.plus(Distance(i64::from(off) / 256)), |s| s.head);
        let at = edge.plus(arm.plan.delay);
        Some(Input::ArmEnded { tag: arm.plan.tag, end: ArmEnd::Fired { edge }, at, ms: Millis(0) })
    }

    fn pulse(&self, which: u8, off: i16) -> Input {
        let fired = self.line.memory.live.values().find_map(|parcel| match &parcel.fate {
            Fate::Fired { choice, at, .. } => Some((choice.chute, at.plus(Distance(1_000)))),
            _ => None,
        });
        let nowhere = (ChuteNo(u16::from(which) % 14), position(self.at));
        let (chute, at) = fired.filter(|_| off > -20_000).unwrap_or(nowhere);
        let ms = Millis::of(self.now);
        Input::Landing { chute, active: off % 3 != 0, at, ms }
    }

    fn read(&self, which: u8, off: i16) -> Option<Input> {
        let parcel = self.line.memory.live.get(&self.live(which)?)?;
        let (scanner, place) = [(0, 900), (1, 8_700)][usize::from(which) % 2];
        let slip = Distance(place + i64::from(off) / 512);
        let at = parcel.at(EyeId(0))?.head.plus(slip);
        let code = |n: u8| format!("W{}", n % 40);
        let read = match off % 8 {
            0 => Read::NoRead,
            1 => Read::TooLong,
            2 => Read::Codes(vec![code(which), code(which.wrapping_add(1))]),
            _ => Read::Codes(vec![code(which)]),
        };
        Some(Input::Read { scanner: ScannerId(scanner), at, spread: Distance(3), read })
    }

    fn route(&self, which: u8, off: i16) -> Option<Input> {
        let parcel = self.live(which)?;
        let route = ["1", "35", "9", "r", "x"][usize::from(which) % 5];
        let mut item = facts(&format!("W{}", which % 40), route);
        item.inspected = off % 7 != 0;
        item.real_name = off % 17 != 0;
        item.hold = (off % 19 == 0).then_some(Hold::Intercepted);
        if off % 11 == 0 {
            item.screened = Screening::Rejected;
        }
        Some(Input::Route { parcel, facts: (off % 13 != 0).then_some(item) })
    }

    fn rare(&self, which: u8, off: i16) -> Input {
        let node = NodeId(which % 14);
        let tag = self.tag(which);
        let ends = [
            ArmEnd::Expired,
            ArmEnd::Ambiguous,
            ArmEnd::Locked,
            ArmEnd::Short,
            ArmEnd::Busy,
            ArmEnd::Cancelled,
            ArmEnd::LeaseExpired,
            ArmEnd::Restarted,
        ];
        let known = &self.line.memory.annunciator.entries;
        let alarm = known.keys().nth(usize::from(which) % known.len().max(1)).copied();
        let commands = [
            Command::Reset,
            Command::Start,
            Command::Stop,
            Command::Hold,
            Command::Abort,
            Command::Clear,
            Command::Complete,
            Command::SetMode(UnitMode::ALL[usize::from(which) % 3]),
            Command::Acknowledge { alarm: alarm.filter(|_| off > 0) },
            Command::Shelve { alarm: alarm.unwrap_or(Alarm::Flood), minutes: 1 + u16::from(which) },
            Command::Unshelve { alarm: alarm.unwrap_or(Alarm::Flood) },
            Command::Jog { zone: (off > 0).then_some(ZoneId(which % 4)) },
            Command::Resolve { parcel: ParcelId(u64::from(which) % 30), chute: None },
        ];
        let pick = usize::from(off.unsigned_abs());
        let (at, ms) = (position(self.at), Millis::of(self.now));
        match pick % 19 {
            0 => Input::NodeDown { node, why: DownReason::Silent },
            1 | 2 => Input::NodeUp { node, restarted: which > 200 },
            3 => Input::EventsLost { node, entries: 3 },
            4 => Input::LeaseExpired { node },
            5 => Input::Contact { contact: Contact::Estop(1), active: which > 128 },
            6 => Input::Contact { contact: Contact::EndFull, active: which > 200 },
            7 => Input::ArmEnded { tag, end: ends[usize::from(which) % 8], at, ms },
            8 => Input::ArmAnswered { tag, taken: which > 40 },
            9 => Input::Withheld { tag },
            10 => Input::Adopted { node, tags: vec![tag, Tag(u32::from(which))] },
            11 => {
                let (scanner, trigger) = (ScannerId(which % 2), (which > 128).then_some(1));
                Input::Unassigned { scanner, at, trigger }
            }
            12 => Input::CommitsStalled,
            13 => Input::CommitsResumed,
            14 => Input::Resumed { gap: Micros::from_millis(u64::from(which) * 14) },
            15 if which > 240 => Input::Quarantined,
            15 | 16 => Input::WallClock { utc_us: 1 },
            _ => {
                let command = commands[usize::from(which) % commands.len()];
                Input::Command { command, by: "walk".to_string(), reason: "walk".to_string() }
            }
        }
    }

    fn input(&self, (kind, which, off, _): Step) -> Option<Input> {
        let at = position(self.at);
        match kind % 32 {
            0..3 => Some(Input::Edge { eye: EyeId(0), active: true, at, spread: Distance(1) }),
            3..12 => self.next_edge(which, off),
            12 => {
                let eye = EyeId(which % 11);
                Some(Input::Edge { eye, active: off > 0, at, spread: Distance(1) })
            }
            13..16 => self.fire(which, off),
            16..19 => Some(self.pulse(which, off)),
            19..22 => self.read(which, off),
            22..25 => self.route(which, off),
            25 => {
                let weight = Some(Grams(u32::from(which) * 10));
                let size_mm = [off.unsigned_abs() / 16, 0, 0];
                Some(Input::Measured { at, spread: Distance(1), weight, size_mm })
            }
            26..29 => {
                let node = NodeId(which % 13);
                Some(Input::Heard { node, at: position(self.at + i64::from(off) / 8) })
            }
            29 => Some(Input::Timer),
            _ => Some(self.rare(which, off)),
        }
    }
}

fn check_arms(line: &Line, out: &[Decision]) {
    for decision in out {
        if let Decision::Arm(plan) = decision {
            let parcel = line.memory.live.get(&plan.parcel).expect("armed parcels are on the belt");
            assert!(parcel.certain(), "an uncertain parcel was armed");
            assert!(matches!(parcel.fate, Fate::Armed { tag, .. } if tag == plan.tag));
            assert!(plan.send_by >= line.memory.now && plan.length_min.0 >= 0);
            // Whatever else may come to that eye, it does not come in this window.
            let eye = line.layout.diverter(plan.diverter).eye;
            for other in line.memory.live.values().filter(|other| other.id != plan.parcel) {
                let window = other.expected(&line.layout, &line.memory.nodes, eye);
                let comes = other.at(eye).is_none() && other.last().eye < eye;
                let apart = window.is_none_or(|window| {
                    window.to.at < plan.from.at || plan.to.at < window.from.at
                });
                assert!(!comes || apart, "parcel {:?} may cut the eye for {plan:?}", other.id);
            }
        }
    }
}

/// Every transition is in the table, and nothing leaves a state that waits for a person by itself.
fn check_states(input: &Input, before: State, out: &[Decision]) {
    let asked = matches!(
        input,
        Input::Command { .. }
            | Input::Contact { contact: Contact::Start | Contact::Stop | Contact::Reset, .. }
    );
    let mut now = before;
    for decision in out {
        let Decision::State { from, to, reason: _ } = decision else { continue };
        assert_eq!(*from, now, "states follow each other");
        assert!(from.may_become(*to), "{from:?} does not become {to:?}");
        let waits = matches!(
            from,
            State::Stopped | State::Idle | State::Held | State::Aborted | State::Completed
        );
        let downwards = matches!(to, State::Stopping | State::Aborting | State::Holding);
        assert!(asked || !waits || downwards, "{from:?} became {to:?} by itself on {input:?}");
        now = *to;
    }
}

proptest! {
    #![proptest_config(repeatable(300))]

    #[test]
    fn any_inputs_keep_the_invariants_and_resume_identically(
        steps in prop::collection::vec(any::<Step>(), 1..250),
        fork in 0usize..200,
        returns in any::<bool>(),
    ) {
        let mut walk = Walk::running(returns);
        let mut twin: Option<Line> = None;
        for (number, step) in steps.into_iter().enumerate() {
            if number == fork {
                let memory = walk.line.memory().clone();
                twin = Some(Line::resume(walk.line.layout().clone(), memory));
            }
            walk.at += i64::from(step.3 % 700);
            walk.now = walk.now.plus(Micros(u64::from(step.3 % 700) * 833));
            let Some(input) = walk.input(step) else { continue };
            let mut out = Vec::new();
            let before = walk.line.memory.machine.mode.state();
            walk.line.handle(walk.now, input.clone(), &mut out);
            check_arms(&walk.line, &out);
            check_states(&input, before, &out);
            prop_assert!(walk.line.next_deadline().is_none_or(|at| at > walk.now));
            if let Some(twin) = &mut twin {
                let mut again = Vec::new();
                twin.handle(walk.now, input, &mut again);
                prop_assert_eq!(&again, &out);
                prop_assert_eq!(twin.memory(), walk.line.memory());
            }
            let view = walk.line.view(walk.now);
            prop_assert!(view.tally.ties());
            let all: u64 = Outcome::ALL.iter().map(|outcome| view.tally.count(*outcome)).sum();
            prop_assert_eq!(all, view.tally.inducted);
            let reasoned: u64 = Reason::ALL.iter().map(|why| view.tally.count_for(*why)).sum();
            let past = [Outcome::EndLanded, Outcome::Recirculated];
            let ended: u64 = past.iter().map(|outcome| view.tally.count(*outcome)).sum();
            prop_assert_eq!(view.tally.count(past[usize::from(!returns)]), 0);
            let alternate = view.tally.count(Outcome::LandedAlternate);
            let planned = view.tally.count(Outcome::LandedPlanned);
            prop_assert!(ended + alternate <= reasoned, "each of them has a reason");
            prop_assert!(reasoned <= ended + alternate + planned, "and only one");
            for node in 0..=PANEL.0 {
                if let (Some(next), Some(heard)) = (
                    walk.line.next_position(NodeId(node)),
                    walk.line.memory.nodes[usize::from(node)].heard,
                ) {
                    prop_assert!(next.at > heard.at, "what was heard is not waited for");
                }
            }
        }
    }
}
