//! Triggers and reads: exactly one outcome per trigger.

use node::Input;
use node::bench::{Bench, IDENTITY};
use proptest::prelude::*;
use registers::event::Event;
use registers::points::scanner::TRIGGER;
use scanner::{Scanner, node};
use std::collections::BTreeMap;
use units::repeat::repeatable;

fn bench() -> Bench<Scanner> {
    Bench::new(node(IDENTITY))
}

/// A parcel passes the eye; the trigger is open afterwards.
fn pass(bench: &mut Bench<Scanner>) {
    bench.level(TRIGGER, true);
    bench.run(100);
    bench.level(TRIGGER, false);
    bench.run(30);
}

fn reader(bench: &mut Bench<Scanner>, bytes: &[u8]) {
    bench.give(Input::Device(bytes));
}

/// Outcomes in the ring as text.
fn outcomes(bench: &mut Bench<Scanner>) -> Vec<String> {
    let told = bench.drain().into_iter().filter_map(|event| match event {
        Event::Code { trigger, index, of, code, .. } => {
            let bytes: Vec<u8> = code.bytes().collect();
            Some(format!("{trigger} {index}/{of} {}", String::from_utf8_lossy(&bytes)))
        }
        Event::NoRead { trigger, .. } => Some(format!("{trigger} no read")),
        Event::TooLong { trigger, .. } => Some(format!("{trigger} too long")),
        Event::Unassigned { trigger, .. } => Some(format!("{trigger} unassigned")),
        Event::Edge { .. } => None,
        other => Some(format!("{other:?}")),
    });
    told.collect()
}

#[test]
fn the_reader_is_told_each_trigger_and_its_answer_closes_it() {
    let mut bench = bench();
    pass(&mut bench);
    assert_eq!(bench.device, b"T1\r");
    reader(&mut bench, b"1:YT12");
    assert!(outcomes(&mut bench).is_empty(), "the line is not whole yet");
    reader(&mut bench, b"34;YT1234;B;YT1234\r\n");
    assert_eq!(outcomes(&mut bench), ["1 0/2 YT1234", "1 1/2 B"], "each code once");
    reader(&mut bench, b"1:LATE\r");
    bench.run(1_000);
    assert_eq!(outcomes(&mut bench), ["1 unassigned"], "a closed trigger stays closed");
    pass(&mut bench);
    reader(&mut bench, b"2:NOREAD\r");
    assert_eq!(outcomes(&mut bench), ["2 no read"]);
    assert_eq!(bench.device, b"T1\rT2\r");
}

#[test]
fn the_head_edge_of_the_trigger_stamps_its_outcome() {
    let mut bench = bench();
    let count = bench.at.count;
    pass(&mut bench);
    reader(&mut bench, b"1:A\r");
    let events = bench.drain();
    assert!(matches!(events.last(), Some(Event::Code { at, .. }) if at.count == count));
}

#[test]
fn silence_of_the_reader_is_a_no_read_after_the_tail() {
    let mut bench = bench();
    bench.level(TRIGGER, true);
    bench.run(2_000);
    assert!(outcomes(&mut bench).is_empty(), "a standing parcel keeps its trigger open");
    bench.level(TRIGGER, false);
    bench.run(299);
    assert!(outcomes(&mut bench).is_empty());
    bench.run(1);
    assert_eq!(outcomes(&mut bench), ["1 no read"]);
}

#[test]
fn an_answer_without_a_number_needs_exactly_one_open_trigger() {
    let mut bench = bench();
    reader(&mut bench, b"A\r");
    assert_eq!(outcomes(&mut bench), ["0 unassigned"]);
    pass(&mut bench);
    reader(&mut bench, b"A\r");
    assert_eq!(outcomes(&mut bench), ["1 0/1 A"]);
    pass(&mut bench);
    pass(&mut bench);
    reader(&mut bench, b"B\r");
    assert_eq!(outcomes(&mut bench), ["0 unassigned"]);
    reader(&mut bench, b"3:C\r9:D\r0:E\r");
    assert_eq!(outcomes(&mut bench), ["3 0/1 C", "9 unassigned", "0 unassigned"]);
}

#[test]
fn a_fifth_open_trigger_closes_the_oldest() {
    let mut bench = bench();
    assert!(bench.settings(&[30_000, 25, 2_000]));
    for _ in 0..5 {
        pass(&mut bench);
    }
    assert_eq!(outcomes(&mut bench), ["1 no read"]);
    bench.run(3_000);
    assert_eq!(outcomes(&mut bench), ["2 no read", "3 no read", "4 no read", "5 no read"]);
}

#[test]
fn over_long_reads_are_told_and_never_cut() {
    let mut bench = bench();
    pass(&mut bench);
    reader(&mut bench, format!("1:{}\r", "1".repeat(49)).as_bytes());
    assert_eq!(outcomes(&mut bench), ["1 too long"]);
    pass(&mut bench);
    reader(&mut bench, format!("2:{}\r", "A;".repeat(600)).as_bytes());
    assert_eq!(outcomes(&mut bench), ["2 too long"]);
    pass(&mut bench);
    let longest = "7".repeat(48);
    reader(&mut bench, format!("3:{longest}\r").as_bytes());
    assert_eq!(outcomes(&mut bench), [format!("3 0/1 {longest}")]);
}

#[test]
fn codes_of_one_trigger_stay_together_when_the_ring_is_full() {
    let mut bench = bench();
    let answer: Vec<String> = (0..8).map(|n| format!("{n}{}", "5".repeat(47))).collect();
    let answer = answer.join(";");
    for n in 1..=7 {
        pass(&mut bench);
        reader(&mut bench, format!("{n}:{answer}\r").as_bytes());
    }
    let mut codes: BTreeMap<u16, u8> = BTreeMap::new();
    let mut lost = 0;
    for event in bench.drain() {
        match event {
            Event::Code { trigger, index, .. } => {
                let seen = codes.entry(trigger).or_default();
                assert_eq!(*seen, index, "in order");
                *seen += 1;
            }
            Event::Lost { entries } => lost += entries,
            _ => {}
        }
    }
    assert!(codes.values().all(|seen| *seen == 8), "{codes:?}");
    assert!(lost >= 16, "{lost}");
}

#[test]
fn trigger_numbers_skip_0() {
    let mut bench = bench();
    for _ in 0..65_536u32 {
        bench.level(TRIGGER, true);
        bench.at.now = bench.at.now.plus(units::Micros::from_millis(30));
        bench.level(TRIGGER, false);
        bench.at.now = bench.at.now.plus(units::Micros::from_millis(400));
        bench.give(Input::Tick);
    }
    assert!(bench.device.ends_with(b"T65535\rT1\r"));
    assert!(size_of::<scanner::ScannerNode>() <= 5_120);
}

proptest! {
    #![proptest_config(repeatable(256))]

    /// Any bytes from the reader, any belt: each trigger has exactly one outcome.
    #[test]
    fn every_trigger_ends_exactly_once(
        steps in prop::collection::vec((0u8..5, 1u16..12, prop::collection::vec(any::<u8>(), 0..60)), 1..60),
    ) {
        let mut bench = bench();
        let mut ended: BTreeMap<u16, u8> = BTreeMap::new();
        let mut collect = |bench: &mut Bench<Scanner>| {
            for event in bench.drain() {
                match event {
                    Event::Code { trigger, index: 0, .. }
                    | Event::NoRead { trigger, .. }
                    | Event::TooLong { trigger, .. } => *ended.entry(trigger).or_default() += 1,
                    _ => {}
                }
            }
        };
        for (kind, n, bytes) in steps {
            match kind {
                0 => reader(&mut bench, &bytes),
                1 => reader(&mut bench, format!("{n}:CODE;X\r").as_bytes()),
                2 => bench.run(u64::from(n) * 40),
                _ => pass(&mut bench),
            }
            collect(&mut bench);
        }
        bench.level(TRIGGER, false);
        bench.run(3_000);
        collect(&mut bench);
        let triggers = bench.device.iter().filter(|byte| **byte == b'T').count();
        prop_assert_eq!(ended.len(), triggers);
        prop_assert!(ended.values().all(|times| *times == 1), "{:?}", ended);
    }
}
