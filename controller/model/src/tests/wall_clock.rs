//! Wall-clock time is for people: whatever the host's clock does, parcels go the same way.

use crate::alarm::Alarm;
use crate::decision::Decision;
use crate::harness::Bench;
use crate::signal::{Command, Input};
use alloc::vec::Vec;

/// Three parcels, with what `at` feeds on their way.
fn run(told: impl Fn(&mut Bench, i64)) -> Bench {
    let mut bench = Bench::running();
    for (n, code) in (0..).zip(["A", "B", "A"]) {
        bench.put(100 + n * 1_300, 300, code);
    }
    for step in 0..40 {
        told(&mut bench, step);
        bench.run(200);
    }
    bench.drain();
    bench
}

fn without_alarms(bench: &Bench) -> Vec<&Decision> {
    bench.log.iter().filter(|decision| !matches!(decision, Decision::Alarm { .. })).collect()
}

#[test]
fn no_decision_depends_on_the_wall_clock() {
    let plain = run(|_, _| {});
    for by_us in [3_600_000_000, -3_600_000_000] {
        let utc_us = 1_798_732_800_000_000_u64.checked_add_signed(by_us).expect("in range");
        let jumped = run(|bench, step| {
            if step % 5 == 2 {
                bench.feed(Input::WallClockStepped { utc_us, by_us });
            }
        });
        assert_eq!(without_alarms(&plain), without_alarms(&jumped));
        assert_eq!(plain.line.memory().tally, jumped.line.memory().tally);
        assert!(jumped.line.memory().alarms.contains(&Alarm::WallClockStepped));
    }
}

#[test]
fn a_jump_stands_until_a_person_has_seen_it() {
    let mut bench = Bench::running();
    bench.feed(Input::WallClockStepped { utc_us: 1, by_us: -1 });
    let raised = bench.log.iter().filter(|decision| {
        **decision == Decision::Alarm { alarm: Alarm::WallClockStepped, raised: true }
    });
    assert_eq!(raised.count(), 1);
    bench.feed(Input::WallClock { utc_us: 2 });
    assert!(bench.line.memory().alarms.contains(&Alarm::WallClockStepped), "it stands");
    bench.command(Command::Acknowledge { alarm: Some(Alarm::WallClockStepped) });
    assert!(!bench.line.memory().alarms.contains(&Alarm::WallClockStepped), "seen");
}
