//! States, commands, contacts and what keeps the line from running.

use crate::alarm::Alarm;
use crate::decision::{Decision, Light};
use crate::harness::{Bench, PANEL, demo_plan, diverter_node};
use crate::ids::{NodeId, ZoneId};
use crate::memory::Mode;
use crate::packml::{State, StateReason, UnitMode};
use crate::reason::Reason;
use crate::signal::{Command, Contact, DownReason, Input};
use crate::view::Unmet;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use units::{Distance, Micros};

fn refused(bench: &Bench) -> Vec<Unmet> {
    match bench.log.last() {
        Some(Decision::Refused { why }) => why.clone(),
        other => panic!("not refused: {other:?}"),
    }
}

fn lights(bench: &Bench) -> Vec<Light> {
    bench.line.memory.lights.iter().copied().collect()
}

#[test]
fn a_reset_names_every_unmet_condition() {
    let mut bench = Bench::stopped();
    bench.feed(Input::NodeDown { node: NodeId(1), why: DownReason::Silent });
    bench.feed(Input::NodeDown { node: diverter_node(2), why: DownReason::Silent });
    bench.press(Contact::EndFull, true);
    bench.feed(Input::CommitsStalled);
    bench.command(Command::Reset);
    let all =
        vec![Unmet::NodeDown(NodeId(1)), Unmet::NoPlan, Unmet::CommitsStalled, Unmet::EndFull];
    assert_eq!(refused(&bench), all);
    assert_eq!(bench.line.view(Micros::ZERO).unmet, all);
    bench.feed(Input::NodeUp { node: NodeId(1), restarted: false });
    bench.press(Contact::EndFull, false);
    bench.feed(Input::CommitsResumed);
    bench.feed(Input::PlanSelected { plan: demo_plan() });
    bench.command(Command::Reset);
    assert_eq!(bench.state(), State::Idle);
}

#[test]
fn starting_warns_then_starts_downstream_first() {
    let mut bench = Bench::stopped();
    bench.feed(Input::PlanSelected { plan: demo_plan() });
    bench.press(Contact::Reset, true);
    assert_eq!(bench.state(), State::Idle);
    bench.press(Contact::Start, true);
    assert_eq!(bench.state(), State::Starting);
    assert_eq!(lights(&bench), [Light::Yellow, Light::Horn]);
    assert!(!bench.drives(2), "no belt moves during the warning");
    bench.log.clear();
    bench.pass(Micros::from_millis(5_001));
    bench.feed(Input::Timer);
    assert_eq!(lights(&bench), [Light::Yellow]);
    assert!(bench.drives(2) && !bench.drives(1) && !bench.drives(0));
    bench.pass(Micros::from_millis(2_401));
    bench.feed(Input::Timer);
    assert_eq!((bench.state(), lights(&bench)), (State::Execute, vec![Light::Green]));
    let order: Vec<ZoneId> = bench
        .log
        .iter()
        .filter_map(|decision| match decision {
            Decision::Drive { zone, run: true, .. } => Some(*zone),
            _ => None,
        })
        .collect();
    assert_eq!(order, [ZoneId(2), ZoneId(1), ZoneId(0)]);
    let opened = Decision::Release { zone: ZoneId(1), gap: Distance(900) };
    assert!(bench.log.contains(&opened));
}

#[test]
fn stop_ramps_down_and_needs_a_reset() {
    let mut bench = Bench::running();
    bench.press(Contact::Stop, true);
    assert_eq!(bench.state(), State::Stopping);
    assert!(!bench.drives(0) && !bench.drives(1) && !bench.drives(2));
    assert_eq!(
        bench.line.next_deadline(),
        Some(bench.line.memory.now.plus(Micros::from_millis(2_400)))
    );
    bench.pass(Micros::from_secs(3));
    bench.feed(Input::Timer);
    assert_eq!(bench.state(), State::Stopped);
    bench.command(Command::Start);
    assert_eq!(refused(&bench), [Unmet::WrongState(State::Stopped)]);
}

#[test]
fn an_emergency_stop_needs_release_clear_reset_and_start() {
    let mut bench = Bench::running();
    bench.press(Contact::Estop(2), true);
    assert_eq!(bench.state(), State::Aborting);
    assert!(!bench.drives(2) && bench.line.memory.alarms.contains(&Alarm::Estop(2)));
    assert_eq!(lights(&bench), [Light::Red]);
    bench.pass(Micros::from_secs(3));
    bench.feed(Input::Timer);
    assert_eq!(bench.state(), State::Aborted);
    bench.press(Contact::Reset, true);
    assert_eq!(refused(&bench), [Unmet::EstopActive(2)]);
    bench.press(Contact::Estop(2), false);
    assert_eq!(bench.state(), State::Aborted, "nothing clears itself");
    bench.press(Contact::Reset, true);
    assert_eq!(bench.state(), State::Stopped);
    bench.press(Contact::Start, true);
    assert_eq!(bench.state(), State::Stopped);
    bench.press(Contact::Reset, true);
    bench.press(Contact::Start, true);
    assert_eq!(bench.state(), State::Starting);
    assert!(bench.line.memory.alarms.is_empty());
}

#[test]
fn an_essential_node_holds_the_line_and_a_diverter_does_not() {
    let mut bench = Bench::running();
    bench.feed(Input::NodeDown { node: diverter_node(1), why: DownReason::Silent });
    assert_eq!(bench.state(), State::Execute);
    bench.feed(Input::NodeDown { node: NodeId(0), why: DownReason::BusDown });
    assert_eq!(bench.state(), State::Holding);
    bench.stand();
    assert_eq!(bench.state(), State::Held);
    assert_eq!(bench.line.memory.machine.reason, StateReason::NodeDown(NodeId(0)));
    bench.command(Command::Start);
    assert_eq!(refused(&bench), [Unmet::NodeDown(NodeId(0))]);
    bench.feed(Input::NodeUp { node: NodeId(0), restarted: true });
    assert_eq!(bench.state(), State::Held, "nothing restarts itself");
    bench.command(Command::Start);
    assert_eq!(bench.state(), State::Unholding);
    assert_eq!(lights(&bench), [Light::Yellow, Light::Horn]);
    bench.wait_for_start();
}

#[test]
fn a_lease_that_expires_at_a_zone_holds_the_line() {
    let mut bench = Bench::running();
    bench.feed(Input::LeaseExpired { node: NodeId(1) });
    bench.stand();
    assert_eq!(bench.state(), State::Held);
    let node = NodeId(1);
    assert_eq!(bench.line.memory.machine.reason, StateReason::LeaseExpired(node));
    assert!(bench.line.memory.alarms.contains(&Alarm::LeaseExpired(node)));
}

#[test]
fn parcels_keep_their_identity_over_a_hold() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.run(3_000);
    bench.command(Command::Hold);
    for mode in [
        Mode::Holding { until: Micros::ZERO },
        Mode::UnholdWarning { until: Micros::ZERO },
        Mode::UnholdRamping { until: Micros::ZERO },
    ] {
        // The boxes of the bench do not stand still while time passes: none does here.
        bench.line.memory.machine.mode = mode;
        bench.feed(Input::Timer);
        if bench.state() == State::Held {
            bench.command(Command::Start);
        }
    }
    assert_eq!(bench.state(), State::Execute);
    assert_eq!(bench.line.memory.live.values().map(|p| p.track.slack.0).max(), Some(60));
    bench.drain();
    bench.lands(1, 9);
}

#[test]
fn a_full_end_chute_pauses_induction_then_holds_before_the_next_one() {
    let mut bench = Bench::running();
    bench.put(100, 300, "nobody's");
    bench.run(2_000);
    bench.press(Contact::EndFull, true);
    assert_eq!(bench.state(), State::Execute);
    assert!(bench.line.view(bench.line.memory.now).induction_paused);
    assert_eq!(bench.log.last(), Some(&Decision::Release { zone: ZoneId(1), gap: Distance(0) }));
    bench.drain();
    bench.stand();
    assert_eq!(bench.state(), State::Held);
    assert_eq!(bench.line.memory.machine.reason, StateReason::EndFull);
    bench.press(Contact::EndFull, false);
    bench.command(Command::Start);
    assert_eq!(bench.state(), State::Unholding);
}

#[test]
fn a_stall_pauses_induction_and_resuming_opens_it() {
    let mut bench = Bench::running();
    let release = |gap| Decision::Release { zone: ZoneId(1), gap: Distance(gap) };
    bench.feed(Input::CommitsStalled);
    assert_eq!(bench.log.last(), Some(&release(0)));
    assert_eq!(bench.state(), State::Execute);
    bench.feed(Input::CommitsResumed);
    assert_eq!(bench.log.last(), Some(&release(900)));
    bench.pass(Alarm::CommitsStalled.row().off_delay);
    bench.feed(Input::Timer);
    assert!(bench.line.memory.alarms.is_empty());
}

#[test]
fn away_for_longer_than_the_lease_means_stopped() {
    let mut bench = Bench::running();
    bench.feed(Input::Resumed { gap: Micros::from_millis(3_000) });
    assert_eq!(bench.state(), State::Execute);
    bench.feed(Input::Resumed { gap: Micros::from_millis(3_001) });
    assert_eq!(bench.state(), State::Stopped);
    assert_eq!(bench.line.memory.machine.reason, StateReason::AwayTooLong);
    assert!(!bench.drives(2));
}

#[test]
fn back_within_the_lease_says_every_output_again() {
    let mut bench = Bench::running();
    bench.log.clear();
    bench.feed(Input::Resumed { gap: Micros::from_millis(800) });
    for zone in [0, 1, 2] {
        let runs = |decision: &Decision| matches!(decision, Decision::Drive { zone: ZoneId(id), run: true, .. } if *id == zone);
        assert!(bench.log.iter().any(runs), "zone {zone}: {:?}", bench.log);
    }
    let release = Decision::Release { zone: ZoneId(1), gap: Distance(900) };
    assert!(bench.log.contains(&release), "{:?}", bench.log);
    assert!(bench.log.contains(&Decision::Light { light: Light::Green, on: true }));
    let lamps = bench.log.iter().filter(|decision| matches!(decision, Decision::Lamp { .. }));
    assert_eq!(lamps.count(), bench.line.layout.chutes.len());
}

#[test]
fn a_panel_that_comes_back_gets_its_lights() {
    let mut bench = Bench::running();
    bench.log.clear();
    bench.feed(Input::NodeUp { node: PANEL, restarted: true });
    let on: BTreeSet<(Light, bool)> = bench
        .log
        .iter()
        .filter_map(|decision| match decision {
            Decision::Light { light, on } => Some((*light, *on)),
            _ => None,
        })
        .collect();
    let all = [Light::Red, Light::Yellow, Light::Green, Light::Horn];
    let wanted: BTreeSet<_> = all.into_iter().map(|l| (l, l == Light::Green)).collect();
    assert_eq!(on, wanted);
}

#[test]
fn the_rate_counts_running_minutes_only() {
    let mut bench = Bench::running();
    for number in 0..10 {
        bench.put(100 + number * 1_200, 300, "nobody's");
    }
    bench.run(100 + 10 * 1_200);
    let now = bench.line.memory.now;
    // Ten in about ten seconds.
    let rate = bench.line.view(now).parcels_per_hour;
    assert!((3_300..=3_700).contains(&rate), "{rate}");
    bench.command(Command::Hold);
    let held = bench.line.view(now.plus(Micros::from_secs(100))).parcels_per_hour;
    assert_eq!(held, bench.line.view(bench.line.memory.now).parcels_per_hour);
}

#[test]
fn the_view_shows_who_is_where_and_what_is_open() {
    let mut bench = Bench::running();
    bench.route_delay = 3_000;
    bench.put(100, 300, "C");
    bench.put(1_600, 300, "nobody's");
    bench.run(2_600);
    let view = bench.line.view(bench.line.memory.now);
    assert_eq!(view.parcels.len(), 2);
    let first = &view.parcels[0];
    assert_eq!((first.at, first.code.as_deref()), (Distance(1_500), Some("C")));
    assert!(first.decide_in_ms.is_some_and(|ms| (300..2_000).contains(&ms)), "{first:?}");
    assert_eq!(view.plan, Some(("day".into(), 1)));
    bench.drain();
    bench.ends_at_end(2, Reason::NoManifest);
    assert!(bench.line.view(bench.line.memory.now).tally.ties());
}

#[test]
fn running_empty_closes_the_infeed_and_stops_when_every_eye_stayed_dark() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.run(500);
    bench.command(Command::Complete);
    assert_eq!(bench.state(), State::Completing);
    assert!(!bench.drives(0) && bench.drives(1) && bench.drives(2), "only the infeed stands");
    assert_eq!(lights(&bench), [Light::Yellow, Light::Green]);
    // One that the gapping zone still held.
    bench.put(1_000, 300, "A");
    bench.run(14_000);
    assert_eq!(bench.state(), State::Completing, "the last one may still be on its way");
    bench.drain();
    bench.lands(1, 9);
    bench.lands(2, 1);
    bench.run(20_000);
    assert!(!bench.drives(1) && !bench.drives(2));
    bench.stand();
    assert_eq!(bench.state(), State::Completed);
    assert_eq!(bench.line.memory.tally.on_line, 0);
    bench.command(Command::Start);
    assert_eq!(refused(&bench), [Unmet::WrongState(State::Completed)]);
    bench.command(Command::Reset);
    assert_eq!(bench.state(), State::Idle);
}

#[test]
fn an_eye_that_says_nothing_proves_no_empty_line() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.run(500);
    bench.mute.insert(diverter_node(3));
    bench.command(Command::Complete);
    bench.drain();
    bench.run(60_000);
    bench.feed(Input::Timer);
    assert_eq!(bench.state(), State::Completing);
    bench.run(60_000);
    bench.feed(Input::Timer);
    assert_eq!(bench.state(), State::Stopping);
    assert_eq!(bench.line.memory.machine.reason, StateReason::NotEmpty);
    assert!(bench.line.memory.alarms.contains(&Alarm::NotEmpty));
}

#[test]
fn a_hold_while_running_empty_stops_since_completing_has_no_way_back() {
    let mut bench = Bench::running();
    bench.command(Command::Complete);
    bench.feed(Input::NodeDown { node: NodeId(2), why: DownReason::Silent });
    assert_eq!(bench.state(), State::Stopping);
}

#[test]
fn modes_change_only_while_stopped_and_maintenance_does_not_start() {
    let mut bench = Bench::stopped();
    bench.feed(Input::PlanSelected { plan: demo_plan() });
    bench.command(Command::SetMode(UnitMode::Maintenance));
    bench.command(Command::Reset);
    assert_eq!(refused(&bench), [Unmet::WrongMode(UnitMode::Maintenance)]);
    bench.command(Command::SetMode(UnitMode::Manual));
    bench.command(Command::Reset);
    bench.command(Command::SetMode(UnitMode::Production));
    assert_eq!(refused(&bench), [Unmet::WrongState(State::Idle)]);
    bench.command(Command::Start);
    bench.wait_for_start();
    assert!(!bench.line.memory.release_open, "manual: the infeed is closed");
}
