//! Parcels held back by a hand, and those that stood with the belt: what the eyes can tell of it, and
//! whom it concerns.

use crate::decision::ParcelEvent;
use crate::harness::{Bench, arrival, facts};
use crate::ids::EyeId;
use crate::packml::State;
use crate::reason::Reason;
use crate::signal::{Command, Input};
use alloc::format;
use alloc::string::ToString;
use units::Micros;

#[test]
fn a_parcel_held_back_in_the_tunnel_into_its_followers_place_is_not_the_follower() {
    // The follower has run into it: one thing as long as both, with the first one's code, comes
    // where the follower is due.
    let mut bench = Bench::running();
    let first = bench.put(100, 300, "C");
    bench.change(first, |carton| carton.gone_after = Some(EyeId(0)));
    bench.put(1_300, 640, "A");
    bench.put(4_000, 300, "C");
    bench.drain();
    bench.ends_at_end(2, Reason::Uncertain);
    bench.lands(3, 9);
}

#[test]
fn those_behind_a_parcel_held_back_are_not_taken_for_their_predecessors() {
    // The second and the third run into the first; nobody behind them is touched.
    let mut bench = Bench::running();
    let mut put = |head: i64, length: i64, slip: i64, drawn: i64, code: &str| {
        bench.facts.insert(code.to_string(), facts(code, "9"));
        let mut carton = bench.carton(head, length, code);
        carton.slip_behind = Some((EyeId(0), slip));
        carton.looks = Some((EyeId(0), length + drawn));
        bench.put_carton(carton)
    };
    put(100, 506, 1_347, 0, "W1");
    put(1_544, 228, 455, 450, "W2");
    put(2_259, 560, 97, 90, "W3");
    for number in 0..6i64 {
        put(3_770 + 1_500 * number, 595, 120, 114, &format!("W{}", 4 + number));
    }
    bench.drain();
    for number in 5..=9 {
        bench.lands(number, 9);
    }
}

#[test]
fn a_parcel_held_under_the_eye_of_a_bed_takes_its_followers_arm_back() {
    // The eye stays blocked long after its tail was due; the bed would turn under it.
    for held in [700, 1_200] {
        let mut bench = Bench::running();
        let first = bench.put(100, 300, "C");
        bench.change(first, |carton| carton.looks = Some((arrival(1), 300 + held)));
        bench.put(1_300 + held / 2, 300, "A");
        bench.drain();
        bench.ends_at_end(1, Reason::LengthMismatch);
        bench.ends_at_end(2, Reason::GapTooSmall);
        assert!(bench.diverted.is_empty(), "{:?}", bench.diverted);
    }
}

#[test]
fn the_second_behind_a_parcel_that_is_missing_waits_for_the_first_behind_it() {
    // Due at the very eye where it is missing: the follower passes there first and settles it.
    let mut bench = Bench::running();
    for code in ["X", "Y"] {
        bench.facts.insert(code.to_string(), facts(code, "9"));
    }
    let first = bench.put(100, 300, "C");
    bench.change(first, |carton| carton.gone_after = Some(arrival(4)));
    bench.put(1_300, 300, "X");
    bench.put(2_500, 300, "Y");
    bench.drain();
    bench.ends(1, &ParcelEvent::Lost { eye: arrival(5) });
    bench.ends_at_end(2, Reason::Uncertain);
    bench.lands(3, 9);
}

#[test]
fn a_hold_costs_no_parcel_its_chute() {
    // Wherever on the way to its bed it stands, as long as it was not fired just then.
    for way in (2_000..11_000).step_by(250) {
        let mut bench = Bench::running();
        bench.put(100, 300, "C");
        bench.run(way);
        bench.command(Command::Hold);
        bench.run(500);
        bench.stall(Micros::from_secs(60));
        bench.feed(Input::Timer);
        assert_eq!(bench.state(), State::Held);
        bench.command(Command::Start);
        for seconds in [5, 3] {
            bench.stall(Micros::from_secs(seconds));
            bench.feed(Input::Timer);
        }
        assert_eq!(bench.state(), State::Execute);
        bench.drain();
        bench.lands(1, 9);
    }
}
