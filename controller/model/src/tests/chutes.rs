//! Chutes: states and lamps, who is kept away from them, bags, and people's deeds.

use crate::alarm::Alarm;
use crate::chute::{Bar, ChuteEvent, ChuteState, FaultedBy, FullBy, Lamp, LockedBy};
use crate::decision::{Decision, ParcelEvent};
use crate::harness::{Bench, facts, position};
use crate::ids::{ChuteNo, ParcelId};
use crate::layout::{Change, ChuteCare, Rate};
use crate::limits;
use crate::line::Line;
use crate::plan::{Allocation, CutOff, Rule};
use crate::reason::Reason;
use crate::signal::{ChuteContact, Deed, DownReason, Input};
use crate::view::Unmet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use units::repeat::repeatable;
use units::{Grams, Micros, Millis};

const THREE: ChuteNo = ChuteNo(3);

fn care(bench: &mut Bench, chute: u16, change: impl FnOnce(&mut ChuteCare)) {
    let mut places = bench.line.layout.chutes.iter_mut();
    change(&mut places.find(|place| place.number == ChuteNo(chute)).expect("there").care);
}

fn contact(bench: &mut Bench, chute: u16, contact: ChuteContact, active: bool) {
    bench.feed(Input::Chute { chute: ChuteNo(chute), contact, active });
}

fn press(bench: &mut Bench, chute: u16) {
    contact(bench, chute, ChuteContact::Button, true);
    contact(bench, chute, ChuteContact::Button, false);
}

fn deed(bench: &mut Bench, deed: Deed) {
    bench.feed(Input::Deed { deed, by: "pda 7".to_string(), reason: String::new() });
}

fn refused(bench: &Bench) -> Option<Unmet> {
    match bench.log.last() {
        Some(Decision::Refused { why }) => why.first().copied(),
        _ => None,
    }
}

fn state(bench: &Bench, chute: u16) -> ChuteState {
    bench.line.at_chute(ChuteNo(chute)).state
}

fn lamp(bench: &Bench, chute: u16) -> Lamp {
    bench.line.at_chute(ChuteNo(chute)).lamp
}

/// Changes the rule of a prefix in the plan in force.
fn rule(bench: &mut Bench, prefix: &str, change: impl FnOnce(&mut Rule)) {
    let plan = &mut bench.line.memory.plans[0].plan;
    change(plan.rules.iter_mut().find(|rule| rule.prefix == prefix).expect("there"));
}

/// Puts boxes of one route on the belt, 1.25 m apart, and lets them run out.
fn send(bench: &mut Bench, route: &str, boxes: usize) {
    let first = bench.cartons.len();
    for number in first..first + boxes {
        let code = format!("{route}-{number}");
        bench.facts.insert(code.clone(), facts(&code, route));
        let ahead = 100 + 1_250 * i64::try_from(number - first).expect("few");
        bench.put(ahead, 300, &code);
    }
    bench.drain();
}

fn landed(bench: &Bench) -> Vec<(u16, u64)> {
    bench.line.memory.chutes.iter().map(|(chute, count)| (chute.0, *count)).collect()
}

#[test]
fn what_stands_in_the_mouth_is_a_fault_and_a_full_chute_calls_after_a_while() {
    let mut bench = Bench::running();
    care(&mut bench, 3, |care| care.full_after = Some(Micros::from_millis(2_500)));
    let stands = |bench: &Bench, alarm| bench.line.memory.alarms.contains(&alarm);
    let eye = |bench: &mut Bench, active| {
        let (at, ms) = (position(bench.at), Millis::of(bench.line.memory.now));
        bench.feed(Input::Landing { chute: THREE, active, at, ms });
    };
    eye(&mut bench, true);
    bench.pass(limits::LANDING_STANDS);
    bench.feed(Input::Timer);
    assert_eq!(state(&bench, 3), ChuteState::Faulted { by: FaultedBy::Jam });
    assert!(stands(&bench, Alarm::ChuteFaulted(THREE)));
    eye(&mut bench, false);
    assert_eq!(state(&bench, 3), ChuteState::Idle, "it takes parcels again at once");
    bench.pass(Alarm::ChuteFaulted(THREE).row().off_delay);
    bench.feed(Input::Timer);
    assert!(!stands(&bench, Alarm::ChuteFaulted(THREE)), "a hand at work is one alarm");

    contact(&mut bench, 3, ChuteContact::Full, true);
    let waits = Alarm::ChuteWaits(THREE);
    bench.pass(Micros::from_secs(3));
    bench.feed(Input::Timer);
    assert_eq!(state(&bench, 3), ChuteState::Full { by: FullBy::Eye });
    assert!(!stands(&bench, waits), "people have their time");
    bench.pass(waits.row().on_delay);
    bench.feed(Input::Timer);
    assert!(stands(&bench, waits));
    contact(&mut bench, 3, ChuteContact::Button, true);
    assert!(!stands(&bench, waits), "somebody has begun to change it");
}

#[test]
fn a_full_eye_counts_when_it_was_blocked_for_long_and_the_next_chute_takes_over() {
    let mut bench = Bench::running();
    care(&mut bench, 3, |care| care.full_after = Some(Micros::from_millis(2_500)));
    contact(&mut bench, 3, ChuteContact::Full, true);
    bench.pass(Micros::from_millis(2_400));
    bench.feed(Input::Timer);
    assert_eq!((state(&bench, 3), lamp(&bench, 3)), (ChuteState::Idle, Lamp::Off));
    let due = bench.line.next_deadline();
    bench.pass(Micros::from_millis(101));
    bench.feed(Input::Timer);
    assert!(due.is_some_and(|at| at <= bench.line.memory.now), "it wakes itself");
    let full = ChuteState::Full { by: FullBy::Eye };
    assert_eq!((state(&bench, 3), lamp(&bench, 3)), (full, Lamp::Steady));
    assert_eq!(bench.line.chute_deadline(), None, "what is due is done");
    send(&mut bench, "35", 2);
    assert_eq!(landed(&bench), [(5, 2)]);
    let told = ParcelEvent::PassedOver { chute: THREE, bar: Bar::Full };
    assert!(bench.story(1).contains(&&told), "{:#?}", bench.story(1));
    assert_eq!(bench.line.memory.tally.landed_planned, 2, "the first decision is as planned");
    contact(&mut bench, 3, ChuteContact::Full, false);
    assert_eq!((state(&bench, 3), lamp(&bench, 3)), (ChuteState::Idle, Lamp::Off));
    send(&mut bench, "35", 1);
    assert_eq!(landed(&bench), [(3, 1), (5, 2)]);
    assert_eq!(state(&bench, 3), ChuteState::Filling);
}

#[test]
fn a_lock_in_time_sends_the_parcel_elsewhere_as_an_alternate() {
    let mut bench = Bench::running();
    bench.put(100, 300, "B");
    bench.run(2_500);
    assert_eq!(bench.line.memory.live.get(&ParcelId(1)).and_then(|p| p.fate.chute()), Some(THREE));
    press(&mut bench, 3);
    assert_eq!(state(&bench, 3), ChuteState::Locked { by: LockedBy::Button });
    assert_eq!(lamp(&bench, 3), Lamp::Steady, "nothing comes");
    bench.drain();
    bench.ends(1, &ParcelEvent::Landed { chute: ChuteNo(5), alternate: true });
    press(&mut bench, 3);
    assert_eq!((state(&bench, 3), lamp(&bench, 3)), (ChuteState::Idle, Lamp::Off));
}

#[test]
fn an_arm_is_asked_back_while_that_is_safe_and_stays_when_it_is_not() {
    // Belt travel from the lock to the arrival eye: far, and too near to ask the arm back.
    for (before, alternate) in [(1_200, true), (60, false)] {
        let mut bench = Bench::running();
        // Somebody has passed the next eye downstream: it is alive.
        send(&mut bench, "9", 1);
        let carton = bench.put(100, 300, "B");
        let eye = 4_900 + 1_600 - 450;
        bench.run_to(bench.cartons[carton].head + eye - before);
        assert_eq!(bench.line.memory.arms.len(), 1, "armed");
        press(&mut bench, 3);
        bench.run(20);
        assert_eq!(lamp(&bench, 3), Lamp::Blink, "until the arm has ended");
        bench.drain();
        let chute = if alternate { ChuteNo(5) } else { THREE };
        bench.ends(2, &ParcelEvent::Landed { chute, alternate });
        assert_eq!(lamp(&bench, 3), Lamp::Steady, "可换袋");
    }
}

#[test]
fn without_another_chute_a_locked_key_goes_to_the_end() {
    let mut bench = Bench::running();
    press(&mut bench, 1);
    send(&mut bench, "1", 1);
    bench.ends_at_end(1, Reason::ChuteLocked);
    care(&mut bench, 9, |care| care.pieces_max = Some(1));
    send(&mut bench, "9", 2);
    assert_eq!(state(&bench, 9), ChuteState::Full { by: FullBy::Count });
    bench.ends_at_end(3, Reason::ChuteFull);
}

#[test]
fn hands_in_a_locked_chute_are_nobodys_landing_and_no_alarm() {
    let mut bench = Bench::running();
    press(&mut bench, 3);
    for _ in 0..4 {
        for active in [true, false] {
            bench.run(300);
            let (at, ms) = (crate::harness::position(bench.at), units::Millis(0));
            bench.feed(Input::Landing { chute: THREE, active, at, ms });
        }
    }
    assert_eq!(bench.line.at_chute(THREE).counts.hands, 4);
    assert!(bench.line.memory.alarms.is_empty() && landed(&bench).is_empty());
    press(&mut bench, 3);
    let (at, ms) = (crate::harness::position(bench.at), units::Millis(9_000));
    bench.feed(Input::Landing { chute: THREE, active: true, at, ms });
    assert_eq!(bench.line.memory.alarms.len(), 1, "in an open chute it is one");
}

#[test]
fn a_chute_that_the_plan_bags_takes_parcels_only_into_a_bound_bag() {
    let mut bench = Bench::running();
    let mut plan = bench.line.memory.plans[0].plan.clone();
    plan.bagged = vec![THREE];
    bench.feed(Input::PlanSelected { plan });
    assert_eq!(state(&bench, 3), ChuteState::Locked { by: LockedBy::NoBag });
    let bind = |label: &str| Deed::BindBag { chute: THREE, label: label.to_string() };
    let close = |label: &str| Deed::CloseBag { chute: THREE, label: label.to_string() };
    deed(&mut bench, bind(""));
    assert_eq!(refused(&bench), Some(Unmet::NoCode));
    deed(&mut bench, bind("one"));
    assert_eq!(state(&bench, 3), ChuteState::Idle);
    send(&mut bench, "35", 2);
    assert_eq!(bench.line.at_chute(THREE).content.pieces, 2);
    assert_eq!(bench.line.at_chute(THREE).content.grams, 3_600);
    deed(&mut bench, bind("two"));
    assert_eq!(refused(&bench), Some(Unmet::BagOpen(THREE)));
    deed(&mut bench, Deed::BindBag { chute: ChuteNo(5), label: "one".to_string() });
    assert_eq!(refused(&bench), Some(Unmet::LabelBound(THREE)));
    deed(&mut bench, close("two"));
    assert_eq!(refused(&bench), Some(Unmet::OtherBag(THREE)));
    deed(&mut bench, close("one"));
    let closed = ChuteEvent::BagClosed { label: "one".to_string(), pieces: 2, grams: 3_600 };
    assert!(bench.log.contains(&Decision::Chute { chute: THREE, event: closed }));
    assert_eq!(state(&bench, 3), ChuteState::Locked { by: LockedBy::NoBag });
    deed(&mut bench, bind("two"));
    send(&mut bench, "35", 1);
    assert_eq!(bench.line.at_chute(THREE).content.pieces, 1);
}

#[test]
fn a_landing_before_the_new_bind_belongs_to_the_old_bag() {
    let mut bench = Bench::running();
    care(&mut bench, 3, |care| care.change = Change::Buffered { pieces: 2 });
    deed(&mut bench, Deed::BindBag { chute: THREE, label: "one".to_string() });
    bench.put(100, 300, "B");
    while !bench.story(1).iter().any(|e| matches!(e, ParcelEvent::LandedProvisional { .. })) {
        bench.run(50);
    }
    press(&mut bench, 3);
    assert_eq!(state(&bench, 3), ChuteState::Buffered { landed: 0 });
    deed(&mut bench, Deed::CloseBag { chute: THREE, label: "one".to_string() });
    bench.run(20);
    deed(&mut bench, Deed::BindBag { chute: THREE, label: "two".to_string() });
    bench.drain();
    bench.lands(1, 3);
    assert_eq!(bench.line.at_chute(THREE).content.pieces, 0, "the new bag is empty");
    let gained = ChuteEvent::BagClosed { label: "one".to_string(), pieces: 1, grams: 1_800 };
    assert!(bench.log.contains(&Decision::Chute { chute: THREE, event: gained }));
}

#[test]
fn a_pulse_in_a_change_counts_only_beside_an_eye_that_is_proven_alive() {
    for (alive, unconfirmed) in [(true, 0), (false, 1)] {
        let mut bench = Bench::running();
        care(&mut bench, 3, |care| care.change = Change::Buffered { pieces: 2 });
        if alive {
            send(&mut bench, "9", 1);
        }
        press(&mut bench, 3);
        send(&mut bench, "35", 1);
        assert_eq!(bench.line.memory.tally.unconfirmed, unconfirmed);
    }
}

#[test]
fn a_buffered_change_collects_what_the_slide_holds() {
    let mut bench = Bench::running();
    care(&mut bench, 3, |care| care.change = Change::Buffered { pieces: 2 });
    // The next eye downstream is alive: others pass it.
    send(&mut bench, "9", 1);
    press(&mut bench, 3);
    send(&mut bench, "35", 3);
    assert_eq!(state(&bench, 3), ChuteState::Full { by: FullBy::Buffer });
    assert_eq!(landed(&bench), [(3, 2), (5, 1), (9, 1)]);
}

#[test]
fn allocation_fills_balances_and_overflows_within_the_key() {
    type Case = (Allocation, &'static [u16], [(u16, u64); 2]);
    let cases: [Case; 3] = [
        (Allocation::Fill, &[7, 8], [(7, 3), (8, 2)]),
        (Allocation::Balance, &[7, 8], [(7, 3), (8, 2)]),
        (Allocation::Nearest, &[7], [(7, 3), (8, 2)]),
    ];
    for (allocation, chutes, wanted) in cases {
        let mut bench = Bench::running();
        care(&mut bench, 7, |care| care.pieces_max = Some(3));
        rule(&mut bench, "r", |rule| {
            rule.allocation = allocation;
            rule.chutes = chutes.iter().copied().map(ChuteNo).collect();
            rule.overflow = if chutes.len() == 1 { vec![ChuteNo(8)] } else { vec![] };
        });
        send(&mut bench, "r", 5);
        assert_eq!(landed(&bench), wanted, "{allocation:?}");
        assert_eq!(bench.line.memory.tally.landed_planned, 5);
    }
}

#[test]
fn a_rate_limit_is_shown_with_its_reason_and_counter() {
    let mut bench = Bench::running();
    care(&mut bench, 9, |care| {
        care.rate = Some(Rate { span: Micros::from_secs(600), parcels: 1, length: None });
    });
    send(&mut bench, "9", 2);
    bench.ends_at_end(2, Reason::RateLimit);
    assert_eq!(bench.line.at_chute(ChuteNo(9)).counts.barred_rate, 1);
    let told = ParcelEvent::PassedOver { chute: ChuteNo(9), bar: Bar::Rate };
    assert!(bench.story(2).contains(&&told));
}

#[test]
fn after_its_cut_off_a_key_goes_to_its_later_chutes_or_to_the_end() {
    for (later, minute, lands) in [(vec![ChuteNo(10)], 700, 10), (vec![], 599, 9)] {
        let mut bench = Bench::running();
        let cut_off = CutOff { from: 600, until: 1_320, chutes: later };
        rule(&mut bench, "9", |rule| rule.cut_off = Some(cut_off));
        bench.feed(Input::WallClock { utc_us: minute * 60_000_000 });
        send(&mut bench, "9", 1);
        bench.lands(1, lands);
    }
    let mut bench = Bench::running();
    let cut_off = CutOff { from: 600, until: 1_320, chutes: vec![] };
    rule(&mut bench, "9", |rule| rule.cut_off = Some(cut_off));
    bench.feed(Input::WallClock { utc_us: 600 * 60_000_000 });
    send(&mut bench, "9", 1);
    bench.ends_at_end(1, Reason::CutOff);
}

#[test]
fn people_move_parcels_by_hand_and_every_count_follows() {
    let mut bench = Bench::running();
    let carton = bench.put(100, 300, "B");
    bench.cartons[carton].pulse = false;
    bench.drain();
    bench.ends(1, &ParcelEvent::Unconfirmed { chute: THREE });
    let put = |chute, code: &str| Deed::PutByHand { chute, code: code.to_string() };
    deed(&mut bench, put(ChuteNo(9), "B"));
    assert_eq!(refused(&bench), Some(Unmet::OtherKey(ChuteNo(9))), "another key's chute");
    deed(&mut bench, put(ChuteNo(99), "B"));
    assert_eq!(refused(&bench), Some(Unmet::NoSuchChute(ChuteNo(99))));
    deed(&mut bench, put(THREE, "B"));
    assert_eq!((bench.line.memory.tally.removed, bench.line.memory.tally.unconfirmed), (1, 0));
    assert_eq!(bench.line.at_chute(THREE).content.pieces, 1);
    deed(&mut bench, Deed::Missorted { chute: THREE, code: "B".to_string() });
    assert_eq!(bench.line.at_chute(THREE).content.pieces, 0);
    assert_eq!(bench.line.at_chute(THREE).counts.missorted, 1);
    bench.put(100, 300, "B");
    bench.run(3_000);
    deed(&mut bench, Deed::Fallen { code: "B".to_string() });
    assert_eq!(refused(&bench), Some(Unmet::OnBelt(ParcelId(2))));
    bench.drain();
    bench.lands(2, 3);
    deed(&mut bench, Deed::Fallen { code: "B".to_string() });
    bench.put(100, 300, "B");
    bench.drain();
    bench.lands(3, 3);
    assert_eq!(bench.line.memory.counters.fallen, 1);
}

/// Brings chute 3 into each state.
fn into_each_state() -> Vec<(ChuteState, Bench)> {
    let step = |prepare: &dyn Fn(&mut Bench)| {
        let mut bench = Bench::running();
        care(&mut bench, 3, |care| care.full_after = Some(Micros::from_millis(2_500)));
        prepare(&mut bench);
        (state(&bench, 3), bench)
    };
    vec![
        step(&|_| {}),
        step(&|bench| send(bench, "35", 1)),
        step(&|bench| {
            contact(bench, 3, ChuteContact::Full, true);
            bench.pass(Micros::from_secs(3));
            bench.feed(Input::Timer);
        }),
        step(&|bench| press(bench, 3)),
        step(&|bench| contact(bench, 3, ChuteContact::Lock, true)),
        step(&|bench| {
            send(bench, "9", 1);
            care(bench, 3, |care| care.change = Change::Buffered { pieces: 5 });
            press(bench, 3);
        }),
        step(&|bench| deed(bench, Deed::TakeOut { chute: THREE })),
        step(&|bench| {
            let node = crate::harness::diverter_node(2);
            bench.feed(Input::NodeDown { node, why: DownReason::Silent });
        }),
    ]
}

#[test]
fn a_restart_in_each_state_goes_on_in_it() {
    let states = into_each_state();
    let wanted = [
        ChuteState::Idle,
        ChuteState::Filling,
        ChuteState::Full { by: FullBy::Eye },
        ChuteState::Locked { by: LockedBy::Button },
        ChuteState::Locked { by: LockedBy::Switch },
        ChuteState::Buffered { landed: 0 },
        ChuteState::Faulted { by: FaultedBy::Person },
        ChuteState::Faulted { by: FaultedBy::Diverter },
    ];
    let found: Vec<ChuteState> = states.iter().map(|(state, _)| *state).collect();
    assert_eq!(found, wanted);
    for (before, mut bench) in states {
        let layout = bench.line.layout().clone();
        bench.line = Line::resume(layout, bench.line.memory().clone());
        bench.feed(Input::Resumed { gap: Micros::from_millis(800) });
        assert_eq!(state(&bench, 3), before, "as it was");
        // The levels are told again at the connect: nothing new.
        let full = before == ChuteState::Full { by: FullBy::Eye };
        let switch = before == ChuteState::Locked { by: LockedBy::Switch };
        contact(&mut bench, 3, ChuteContact::Full, full);
        contact(&mut bench, 3, ChuteContact::Lock, switch);
        assert_eq!(state(&bench, 3), before, "told again");
        send(&mut bench, "35", 1);
        let takes = before.takes();
        let in_three = landed(&bench).iter().any(|(chute, _)| *chute == 3);
        assert!(takes == in_three || before == ChuteState::Filling, "{before:?}");
        assert_eq!(landed(&bench).iter().any(|(chute, _)| *chute == 5), !takes, "{before:?}");
    }
}

/// A random thing at a chute: which kind, which chute, and the belt's way before it.
type Happening = (u8, u8, u16);

fn happen(bench: &mut Bench, (kind, which, way): Happening, number: usize) {
    bench.run(i64::from(way % 900));
    let chute = [1, 3, 5, 7, 8, 9, 11, 12][usize::from(which) % 8];
    let no = ChuteNo(chute);
    match kind % 12 {
        0..4 => {
            let (code, routes) = (format!("P{number}"), ["1", "35", "9", "r", "none"]);
            bench.facts.insert(code.clone(), facts(&code, routes[usize::from(which) % 5]));
            bench.put(100, 200 + i64::from(way % 300), &code);
        }
        4 => press(bench, chute),
        5 => contact(bench, chute, ChuteContact::Full, way % 2 == 0),
        6 => contact(bench, chute, ChuteContact::Lock, way % 3 == 0),
        7 => deed(bench, Deed::TakeOut { chute: no }),
        8 => deed(bench, Deed::PutBack { chute: no }),
        9 => deed(bench, Deed::BindBag { chute: no, label: format!("L{number}") }),
        10 => {
            let label = bench.line.at_chute(no).content.label.clone().unwrap_or_default();
            deed(bench, Deed::CloseBag { chute: no, label });
        }
        _ => deed(bench, Deed::Unlock { chute: no }),
    }
}

/// Every decision for a chute is for one of the key's that takes parcels at that instant.
fn check_decisions(states: &[(ChuteNo, bool)], bench: &Bench, from: usize) {
    for decision in &bench.log[from..] {
        let Decision::Parcel { parcel, event: ParcelEvent::Assigned { chute, reason, .. } } =
            decision
        else {
            continue;
        };
        let takes = states.iter().any(|(no, takes)| no == chute && *takes)
            || bench.line.at_chute(*chute).state.takes();
        assert!(takes, "parcel {} was decided for a closed chute {}", parcel.0, chute.0);
        let routed = bench.story(parcel.0).into_iter().find_map(|event| match event {
            ParcelEvent::Routed { route, .. } => Some(route.clone()),
            _ => None,
        });
        let allowed: &[u16] = match routed.as_deref() {
            Some("1") => &[1],
            Some("35") => &[3, 5],
            Some("9") => &[9],
            Some("r") => &[7, 8],
            _ => &[11],
        };
        assert!(reason.is_some() || allowed.contains(&chute.0), "within the key");
    }
}

proptest! {
    #![proptest_config(repeatable(60))]

    #[test]
    fn whatever_happens_at_chutes_decisions_keep_away_from_closed_ones(
        happenings in prop::collection::vec(any::<Happening>(), 1..80),
        pieces in 1u16..6,
    ) {
        let mut bench = Bench::running();
        for chute in [3, 7, 9] {
            care(&mut bench, chute, |care| {
                care.full_after = Some(Micros::from_millis(2_500));
                care.pieces_max = Some(pieces);
                care.weight_max = Some(Grams(20_000));
                care.rate = Some(Rate { span: Micros::from_secs(20), parcels: 3, length: None });
            });
        }
        care(&mut bench, 8, |care| care.change = Change::Buffered { pieces: 2 });
        for (number, happening) in happenings.into_iter().enumerate() {
            let chutes = bench.line.memory.at_chutes.iter();
            let states: Vec<_> = chutes.map(|(no, found)| (*no, found.state.takes())).collect();
            let from = bench.log.len();
            happen(&mut bench, happening, number);
            check_decisions(&states, &bench, from);
            prop_assert!(bench.line.view(Micros::ZERO).tally.ties());
            for (no, found) in &bench.line.memory.at_chutes {
                prop_assert!(found.state.takes() || found.lamp != Lamp::Off
                    || matches!(found.state, ChuteState::Faulted { .. }), "lamp of {}", no.0);
            }
        }
        bench.drain();
        prop_assert_eq!(bench.line.memory.tally.on_line, 0);
    }
}
