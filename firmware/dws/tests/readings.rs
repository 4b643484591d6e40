//! Triggers and readings: exactly one `Measured` per trigger.

use dws::{Dws, node};
use node::Input;
use node::bench::{Bench, IDENTITY};
use registers::event::Event;
use registers::exchange::{Operation, Verdict};
use registers::points::dws::{TRIGGER, ZERO};

fn bench() -> Bench<Dws> {
    Bench::new(node(IDENTITY))
}

fn pass(bench: &mut Bench<Dws>) {
    bench.level(TRIGGER, true);
    bench.run(100);
    bench.level(TRIGGER, false);
    bench.run(30);
}

fn scale(bench: &mut Bench<Dws>, bytes: &[u8]) {
    bench.give(Input::Device(bytes));
}

/// Trigger, weight and size of every reading; an unassigned one has no weight and size 1 × 1 × 1.
fn readings(bench: &mut Bench<Dws>) -> Vec<(u16, Option<u32>, [u16; 3])> {
    let told = bench.drain().into_iter().filter_map(|event| match event {
        Event::Measured { trigger, weight_g, size_mm, .. } => Some((trigger, weight_g, size_mm)),
        Event::Unassigned { trigger, .. } => Some((trigger, None, [1; 3])),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_reading_belongs_to_the_trigger_that_the_scale_echoes() {
    let mut bench = bench();
    pass(&mut bench);
    pass(&mut bench);
    assert_eq!(bench.device, b"T1\rT2\r");
    scale(&mut bench, b"2:1800;320;2");
    scale(&mut bench, b"40;90\r\n1:650;200;150;80\r");
    let expected = [(2, Some(1_800), [320, 240, 90]), (1, Some(650), [200, 150, 80])];
    assert_eq!(readings(&mut bench), expected);
    scale(&mut bench, b"1:650;200;150;80\rgarbage\r\xFF\xFE\r");
    let unassigned = |n| (n, None, [1; 3]);
    assert_eq!(readings(&mut bench), [unassigned(1), unassigned(0), unassigned(0)]);
    bench.run(5_000);
    assert!(readings(&mut bench).is_empty(), "once per trigger");
}

#[test]
fn no_value_is_told_as_none() {
    let mut bench = bench();
    pass(&mut bench);
    scale(&mut bench, b"1:E\r");
    assert_eq!(readings(&mut bench), [(1, None, [0; 3])]);
    pass(&mut bench);
    scale(&mut bench, format!("2:{}\r", "9".repeat(100)).as_bytes());
    assert_eq!(readings(&mut bench), [(2, None, [0; 3])], "an over-long line has no value");
}

#[test]
fn silence_of_the_scale_ends_at_the_wait_after_the_head() {
    let mut bench = bench();
    bench.level(TRIGGER, true);
    bench.run(1_499);
    assert!(readings(&mut bench).is_empty());
    bench.run(1);
    assert_eq!(readings(&mut bench), [(1, None, [0; 3])]);
}

#[test]
fn a_fifth_open_trigger_closes_the_oldest() {
    let mut bench = bench();
    for _ in 0..5 {
        pass(&mut bench);
    }
    assert_eq!(readings(&mut bench), [(1, None, [0; 3])]);
}

#[test]
fn zeroing_is_the_hosts_and_ends_with_the_lease() {
    let mut bench = bench();
    bench.set(ZERO, 1);
    let bad = bench.command(Operation::SetOutput { output: ZERO, value: 2 });
    assert_eq!(bad, Verdict::BadArgument);
    bench.run(3_000);
    assert_eq!(bench.outputs[usize::from(ZERO)], 0);
    assert!(size_of::<dws::DwsNode>() <= 5_120);
}
