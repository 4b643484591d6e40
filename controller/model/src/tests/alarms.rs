//! What people are told, what they answer, and what stays.

use crate::alarm::Alarm;
use crate::decision::Decision;
use crate::harness::{Bench, diverter_node};
use crate::ids::{ChuteNo, NodeId, ParcelId};
use crate::memory::Attention;
use crate::signal::{Command, Contact, DownReason, Input};
use crate::view::{AlarmView, Unmet};
use alloc::vec::Vec;
use units::Micros;

fn list(bench: &Bench) -> Vec<AlarmView> {
    bench.line.view(bench.line.memory.now).alarm_list
}

fn ghost(bench: &mut Bench, node: u8) -> Alarm {
    bench.line.raise(Alarm::Ghost(NodeId(node)), &mut bench.log);
    Alarm::Ghost(NodeId(node))
}

/// Lets the off-delay of an alarm pass whose condition is gone.
fn settle(bench: &mut Bench, alarm: Alarm) {
    bench.pass(alarm.row().off_delay);
    bench.feed(Input::Timer);
}

fn refused(bench: &Bench) -> Vec<Unmet> {
    match bench.log.last() {
        Some(Decision::Refused { why }) => why.clone(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn an_alarm_that_is_gone_stays_in_the_list_until_somebody_says_that_they_know() {
    let mut bench = Bench::running();
    let node = diverter_node(1);
    bench.feed(Input::NodeDown { node, why: DownReason::Silent });
    assert_eq!(list(&bench)[0].attention, Attention::Unacknowledged);
    bench.feed(Input::NodeUp { node, restarted: false });
    settle(&mut bench, Alarm::NodeDown(node));
    assert_eq!(list(&bench)[0].attention, Attention::Returned);
    assert!(bench.line.memory.alarms.is_empty());
    bench.command(Command::Acknowledge { alarm: Some(Alarm::NodeDown(node)) });
    assert!(list(&bench).is_empty());
    bench.command(Command::Acknowledge { alarm: Some(Alarm::NodeDown(node)) });
    assert_eq!(refused(&bench), [Unmet::NoSuchAlarm(Alarm::NodeDown(node))]);
}

#[test]
fn an_acknowledged_alarm_stays_while_it_stands_and_what_tells_of_the_past_ends() {
    let mut bench = Bench::running();
    let node = diverter_node(1);
    bench.feed(Input::NodeDown { node, why: DownReason::Silent });
    ghost(&mut bench, 2);
    bench.command(Command::Acknowledge { alarm: None });
    let entries = list(&bench);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].attention, Attention::Acknowledged);
    bench.feed(Input::NodeUp { node, restarted: false });
    settle(&mut bench, Alarm::NodeDown(node));
    assert!(list(&bench).is_empty());
}

#[test]
fn the_first_urgent_alarm_is_first_out_until_the_line_is_started_again() {
    let mut bench = Bench::running();
    ghost(&mut bench, 2);
    bench.press(Contact::Estop(1), true);
    bench.feed(Input::NodeDown { node: NodeId(0), why: DownReason::Silent });
    let entries = list(&bench);
    assert_eq!((entries[0].alarm, entries[0].first_out), (Alarm::Estop(1), true));
    assert_eq!(entries.iter().filter(|entry| entry.first_out).count(), 1);
    bench.press(Contact::Estop(1), false);
    bench.feed(Input::NodeUp { node: NodeId(0), restarted: false });
    bench.stand();
    bench.press(Contact::Reset, true);
    bench.press(Contact::Reset, true);
    assert_eq!(bench.line.memory.annunciator.first_out, None);
}

#[test]
fn putting_aside_needs_a_reason_ends_by_itself_and_spares_the_urgent() {
    let mut bench = Bench::running();
    let alarm = ghost(&mut bench, 2);
    bench.feed(Input::NodeDown { node: diverter_node(1), why: DownReason::Silent });
    let urgent = Alarm::NodeDown(diverter_node(1));
    bench.command(Command::Shelve { alarm: urgent, minutes: 5 });
    assert_eq!(refused(&bench), [Unmet::TooUrgent(urgent)]);
    bench.command(Command::Shelve { alarm, minutes: 61 });
    assert_eq!(refused(&bench), [Unmet::ShelfTooLong]);
    let (by, reason) = ("leader".into(), alloc::string::String::new());
    bench.feed(Input::Command { command: Command::Shelve { alarm, minutes: 5 }, by, reason });
    assert_eq!(refused(&bench), [Unmet::NoReason]);
    bench.command(Command::Shelve { alarm, minutes: 5 });
    let shelf = list(&bench).last().and_then(|entry| entry.shelf.clone()).expect("put aside");
    assert_eq!((shelf.by.as_str(), shelf.reason.as_str()), ("test", "a test"));
    let until = bench.line.next_deadline().expect("the shelf ends");
    assert_eq!(until, bench.line.memory.now.plus(Micros::from_secs(300)));
    bench.pass(Micros::from_secs(301));
    bench.feed(Input::Timer);
    assert!(list(&bench).iter().all(|entry| entry.shelf.is_none()));
    bench.command(Command::Unshelve { alarm });
    assert_eq!(refused(&bench), [Unmet::NoSuchAlarm(alarm)]);
}

#[test]
fn more_than_ten_alarms_in_ten_minutes_are_a_flood_that_ebbs_by_itself() {
    let mut bench = Bench::running();
    for number in 0..10 {
        bench.line.raise(Alarm::Lost(ParcelId(number)), &mut bench.log);
    }
    assert!(!bench.line.memory.alarms.contains(&Alarm::Flood));
    let alarm = ghost(&mut bench, 2);
    assert!(bench.line.memory.alarms.contains(&Alarm::Flood));
    let low = list(&bench).into_iter().find(|entry| entry.alarm == alarm).expect("listed");
    assert!(low.suppressed, "an alarm of low priority");
    assert_eq!(bench.line.view(bench.line.memory.now).alarms_lately, 11);
    bench.pass(Micros::from_secs(601));
    bench.feed(Input::Timer);
    assert!(!bench.line.memory.alarms.contains(&Alarm::Flood));
    assert_eq!(bench.line.next_deadline(), None);
}

#[test]
fn a_dead_node_says_enough_for_its_other_alarms() {
    let mut bench = Bench::running();
    let node = diverter_node(1);
    bench.feed(Input::LeaseExpired { node });
    bench.feed(Input::NodeDown { node, why: DownReason::Silent });
    let lease = list(&bench).into_iter().find(|e| e.alarm == Alarm::LeaseExpired(node));
    assert!(lease.expect("listed").suppressed);
}

#[test]
fn an_alarm_waits_for_its_on_delay_and_does_not_come_when_its_cause_goes_before() {
    let mut bench = Bench::running();
    let alarm = Alarm::ChuteWaits(ChuteNo(3));
    let delay = alarm.row().on_delay;
    assert!(delay > Micros::ZERO);
    bench.line.raise(alarm, &mut bench.log);
    let due = bench.line.memory.now.plus(delay);
    assert_eq!(bench.line.next_deadline(), Some(due), "it asks to be woken");
    bench.pass(delay.minus(Micros::from_secs(1)));
    // Its cause is told again: the delay counts from the first word.
    bench.line.raise(alarm, &mut bench.log);
    bench.feed(Input::Timer);
    assert!(list(&bench).is_empty(), "not before its time");
    bench.line.clear(alarm, &mut bench.log);
    bench.pass(delay);
    bench.feed(Input::Timer);
    assert!(list(&bench).is_empty(), "its cause was gone in time");
    bench.line.raise(alarm, &mut bench.log);
    bench.pass(delay);
    bench.feed(Input::Timer);
    assert_eq!(list(&bench).len(), 1);
    assert_eq!(bench.log.last(), Some(&Decision::Alarm { alarm, raised: true }));
}

#[test]
fn an_alarm_outlives_its_cause_by_its_off_delay_and_a_flutter_is_one_alarm() {
    let mut bench = Bench::running();
    let alarm = Alarm::NodeDown(diverter_node(1));
    let delay = alarm.row().off_delay;
    assert!(delay > Micros::ZERO);
    for _ in 0..12 {
        bench.line.raise(alarm, &mut bench.log);
        bench.line.clear(alarm, &mut bench.log);
        bench.pass(Micros(delay.0 / 2));
        bench.feed(Input::Timer);
    }
    let told = Decision::Alarm { alarm, raised: true };
    assert_eq!(bench.log.iter().filter(|decision| **decision == told).count(), 1);
    assert_eq!(bench.line.view(bench.line.memory.now).alarms_lately, 1, "and no flood");
    bench.line.raise(alarm, &mut bench.log);
    bench.line.clear(alarm, &mut bench.log);
    let due = bench.line.memory.now.plus(delay);
    assert_eq!(bench.line.next_deadline(), Some(due));
    bench.pass(delay);
    bench.feed(Input::Timer);
    assert_eq!(bench.log.last(), Some(&Decision::Alarm { alarm, raised: false }));
}
