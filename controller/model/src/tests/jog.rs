//! Jog: who may, how long it runs, and what ends it.

use crate::decision::{Decision, Light};
use crate::harness::{Bench, Z3, demo_plan};
use crate::ids::{NodeId, ZoneId};
use crate::limits;
use crate::packml::{State, UnitMode};
use crate::signal::{Command, Contact, DownReason, Input};
use crate::view::Unmet;
use alloc::vec::Vec;
use units::Micros;

const SORTER: ZoneId = ZoneId(2);

fn refused(bench: &Bench) -> Vec<Unmet> {
    match bench.log.last() {
        Some(Decision::Refused { why }) => why.clone(),
        other => panic!("not refused: {other:?}"),
    }
}

fn maintained() -> Bench {
    let mut bench = Bench::stopped();
    bench.feed(Input::PlanSelected { plan: demo_plan() });
    bench.command(Command::SetMode(UnitMode::Maintenance));
    bench
}

/// Holds the button for a time: a word each 250 ms, and every timer that is asked for.
fn hold(bench: &mut Bench, zone: ZoneId, span: Micros) {
    let until = bench.line.memory.now.plus(span);
    while bench.line.memory.now < until {
        bench.command(Command::Jog { zone: Some(zone) });
        bench.pass(Micros::from_millis(250));
        bench.feed(Input::Timer);
    }
}

/// The sorter belt jogs.
fn jogging() -> Bench {
    let mut bench = maintained();
    let prestart = bench.line.layout.limits.prestart;
    hold(&mut bench, SORTER, prestart.plus(Micros::from_secs(1)));
    assert!(bench.drives(2), "held for longer than the warning");
    bench
}

#[test]
fn a_held_button_runs_one_zone_behind_its_warning_and_stops_by_itself() {
    let mut bench = maintained();
    let prestart = bench.line.layout.limits.prestart;
    hold(&mut bench, SORTER, prestart.minus(Micros::from_millis(500)));
    assert!(!bench.drives(2), "the warning comes first");
    assert!(bench.line.memory.lights.contains(&Light::Horn));
    hold(&mut bench, SORTER, Micros::from_secs(2));
    assert!(bench.drives(2) && !bench.drives(1) && !bench.drives(0), "one zone");
    assert!(!bench.line.memory.lights.contains(&Light::Horn));
    // Nobody says anything more: it ends by its own timer.
    let due = bench.line.next_deadline().expect("it ends by itself");
    assert!(due <= bench.line.memory.now.plus(limits::JOG_HOLD));
    bench.pass(limits::JOG_HOLD);
    bench.feed(Input::Timer);
    assert!(!bench.drives(2) && bench.line.memory.jog.is_none() && !bench.line.memory.belt.moving);
    // Another try has a warning of its own.
    bench.command(Command::Jog { zone: Some(SORTER) });
    bench.pass(Micros::from_millis(250));
    bench.feed(Input::Timer);
    assert!(!bench.drives(2));
}

#[test]
fn only_in_maintenance_on_a_stopped_line_without_an_emergency_stop() {
    let mut bench = Bench::stopped();
    let jog = Command::Jog { zone: Some(SORTER) };
    bench.command(jog);
    assert_eq!(refused(&bench), [Unmet::WrongMode(UnitMode::Production)]);
    let mut bench = Bench::running();
    bench.command(jog);
    let why = [Unmet::WrongMode(UnitMode::Production), Unmet::WrongState(State::Execute)];
    assert_eq!(refused(&bench), why);
    let mut bench = maintained();
    bench.feed(Input::NodeDown { node: Z3, why: DownReason::Silent });
    bench.command(jog);
    assert_eq!(refused(&bench), [Unmet::NodeDown(Z3)]);
    bench.command(Command::Jog { zone: Some(ZoneId(9)) });
    assert_eq!(refused(&bench), [Unmet::WrongState(State::Stopped)], "no such zone");
}

#[test]
fn whatever_takes_a_condition_away_stops_it() {
    type Ends = fn(&mut Bench);
    let ends: [(&str, Ends); 8] = [
        ("let go", |bench| bench.command(Command::Jog { zone: None })),
        ("stop", |bench| bench.press(Contact::Stop, true)),
        ("emergency stop", |bench| bench.press(Contact::Estop(2), true)),
        ("another mode", |bench| bench.command(Command::SetMode(UnitMode::Production))),
        ("its node", |bench| {
            bench.feed(Input::NodeDown { node: Z3, why: DownReason::Silent });
        }),
        ("the journal", |bench| bench.feed(Input::CommitsStalled)),
        ("a lease", |bench| bench.feed(Input::LeaseExpired { node: NodeId(0) })),
        ("a restart", |bench| bench.feed(Input::Resumed { gap: Micros::from_millis(300) })),
    ];
    for (what, end) in ends {
        let mut bench = jogging();
        end(&mut bench);
        assert!(!bench.drives(2) && bench.line.memory.jog.is_none(), "{what} stops it");
    }
    let mut bench = jogging();
    bench.command(Command::Jog { zone: Some(ZoneId(0)) });
    assert!(!bench.drives(2) && !bench.drives(0), "one zone at a time, each behind its warning");
}

#[test]
fn what_lies_on_a_jogged_line_is_uncertain_and_nothing_is_armed() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.run(2_600);
    bench.command(Command::Stop);
    bench.stand();
    bench.command(Command::SetMode(UnitMode::Maintenance));
    hold(&mut bench, SORTER, Micros::from_secs(6));
    assert!(bench.line.memory.live.values().all(|parcel| parcel.uncertain()));
    assert!(bench.line.memory.arms.is_empty());
}
