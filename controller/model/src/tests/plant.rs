//! Random boxes and faults on the small plant: whatever goes wrong, a landing that is counted is one
//! that the plant saw, in a chute that the plan allows.

use crate::decision::{Decision, ParcelEvent};
use crate::harness::{ArmAnswer, Bench, diverter_node, position};
use crate::ids::{ChuteNo, EyeId, ParcelId, ScannerId};
use crate::line::Line;
use crate::signal::{ArmEnd, DownReason, Input, Read};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use units::repeat::repeatable;
use units::{Distance, Millis};

/// A box: gap before it, length, which code, and what goes wrong with it.
type Put = (u16, u16, u8, u8);
/// A fault of the line: where, which, and which node.
type Fault = (u16, u8, u8);

/// Troubles of boxes that are drawn from a slower belt, by half a per cent each.
const DRAWN: u8 = 24;
const DRAWN_MOST: u8 = DRAWN + 99;

const ROUTES: [(&str, &[u16]); 5] =
    [("1", &[1]), ("35", &[3, 5]), ("9", &[9]), ("r", &[7, 8]), ("none", &[11])];

fn put(bench: &mut Bench, number: usize, ahead: i64, (_, length, code, trouble): Put) {
    let name = format!("W{number}");
    let (route, _) = ROUTES[usize::from(code) % ROUTES.len()];
    bench.facts.insert(name.clone(), crate::harness::facts(&name, route));
    let mut carton = bench.carton(ahead, 150 + i64::from(length % 450), &name);
    match trouble {
        0..4 => carton.gone_after = Some(EyeId(code % 9)),
        4..10 => carton.grips = false,
        10..16 => carton.pulse = false,
        16..20 => carton.read = Some(Read::NoRead),
        20..24 => carton.read = None,
        // Drawn from a slower belt: up to 49 % too long at the induction eye.
        DRAWN..=DRAWN_MOST => carton.draw(carton.length * i64::from(trouble - DRAWN) / 200),
        _ => {}
    }
    bench.put_carton(carton);
}

fn fault(bench: &mut Bench, ahead: i64, (_, kind, which): Fault) {
    let node = diverter_node(1 + which % 6);
    let at = position(bench.at + ahead);
    let eye = EyeId(1 + which % 9);
    let tag = crate::ids::Tag(u32::from(which) % 12);
    let input = match kind % 10 {
        0 => Input::NodeDown { node, why: DownReason::Silent },
        1 => Input::NodeUp { node, restarted: false },
        2 => Input::NodeUp { node, restarted: true },
        3 => Input::EventsLost { node, entries: 1 },
        4 => Input::Unassigned { scanner: ScannerId(0), at, trigger: None },
        5 => Input::CommitsStalled,
        6 => Input::CommitsResumed,
        7 => Input::Edge { eye, active: true, at, spread: Distance(0) },
        8 => {
            let chute = ChuteNo(1 + u16::from(which) % 12);
            Input::Landing { chute, active: true, at, ms: Millis(0) }
        }
        _ => Input::ArmEnded { tag, end: ArmEnd::Ambiguous, at, ms: Millis(0) },
    };
    bench.later(ahead, input);
}

/// Numbers of the parcels that landed, with chute and the box that each was made for.
fn landings(bench: &Bench) -> Vec<(ParcelId, ChuteNo, usize)> {
    let mut boxes = BTreeMap::new();
    let mut landed = Vec::new();
    for decision in &bench.log {
        if let Decision::Parcel { parcel, event } = decision {
            match event {
                ParcelEvent::Inducted { at } => {
                    let index = bench.cartons.iter().position(|carton| carton.head == at.at);
                    boxes.insert(*parcel, index.expect("only boxes are inducted"));
                }
                ParcelEvent::Landed { chute, .. } => landed.push((*parcel, *chute, boxes[parcel])),
                _ => {}
            }
        }
    }
    landed
}

proptest! {
    #![proptest_config(repeatable(120))]

    #[test]
    fn a_counted_landing_is_real_and_allowed(
        puts in prop::collection::vec(any::<Put>(), 1..25),
        faults in prop::collection::vec(any::<Fault>(), 0..6),
        answer in 0u8..12,
        fork in 0u16..20_000,
    ) {
        let mut bench = Bench::running();
        bench.arm_answer = match answer {
            0 => ArmAnswer::Ends(ArmEnd::Locked),
            1 => ArmAnswer::Ends(ArmEnd::Restarted),
            2 => ArmAnswer::Silent,
            _ => ArmAnswer::Works,
        };
        let mut ahead = 100;
        for (number, one) in puts.iter().enumerate() {
            put(&mut bench, number, ahead, *one);
            ahead += 150 + i64::from(one.1 % 450) + 300 + i64::from(one.0 % 1_500);
        }
        for one in faults {
            fault(&mut bench, i64::from(one.0) / 2, one);
        }
        bench.run(i64::from(fork));
        let twin = Line::resume(bench.line.layout().clone(), bench.line.memory().clone());
        prop_assert_eq!(&twin, &bench.line);
        bench.drain();
        let mut seen = vec![0; bench.cartons.len()];
        for (parcel, chute, carton) in landings(&bench) {
            seen[carton] += 1;
            prop_assert_eq!(bench.diverted.get(&carton), Some(&chute), "{:?} invented", parcel);
            let (_, allowed) = ROUTES[usize::from(puts[carton].2) % ROUTES.len()];
            prop_assert!(allowed.contains(&chute.0), "{:?} in chute {:?}", parcel, chute);
        }
        prop_assert!(seen.iter().all(|times| *times <= 1), "landed twice");
        // Nobody is diverted to a chute that the plan does not allow, counted or not.
        for (carton, chute) in &bench.diverted {
            let (_, allowed) = ROUTES[usize::from(puts[*carton].2) % ROUTES.len()];
            prop_assert!(allowed.contains(&chute.0), "box {} went to {:?}", carton, chute);
        }
        let tally = &bench.line.memory.tally;
        prop_assert_eq!(tally.inducted, u64::try_from(puts.len()).unwrap());
    }
}

#[test]
fn without_faults_every_box_with_room_lands() {
    let mut bench = Bench::running();
    for number in 0..200usize {
        let ahead = 100 + i64::try_from(number).unwrap() * 1_300;
        let code = u8::try_from(number % ROUTES.len()).unwrap();
        let drawn = DRAWN + u8::try_from(number * 37 % 100).unwrap();
        put(&mut bench, number, ahead, (0, 170, code, drawn));
    }
    bench.drain();
    let tally = &bench.line.memory.tally;
    assert_eq!((tally.landed_planned, tally.on_line), (200, 0), "{tally:?}");
    assert_eq!(landings(&bench).len(), 200);
}
