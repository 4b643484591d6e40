//! The full line drains past a node and nobody acknowledges: what the host accepts fits the ring.

use diverter::{Diverter, node};
use node::bench::{Bench, IDENTITY};
use registers::event::RING_WORDS;
use registers::exchange::{Arm, Operation, Side, Verdict};
use registers::points::diverter::{EYE_ARRIVAL, EYE_LEFT, FULL_LEFT, HOME, INPUTS};
use registers::status::ARMS_MAX;

/// Parcels for which the host accepts a diverter: `planner/tests.rs` of the daemon says the same.
const ACCEPTED: i32 = 86;
/// From head to head in counts: shortest parcel and least gap.
const PITCH: i32 = 800;

fn blink(bench: &mut Bench<Diverter>, input: u8, to: bool) {
    bench.level(input, to);
    bench.run(60);
    bench.level(input, !to);
    bench.run(60);
}

/// Lets parcels pass as dense as can be, the first ones diverted by every arm that can wait, while the
/// host keeps the lease and acknowledges nothing; then every input changes there and back.
fn drained(parcels: i32) -> Bench<Diverter> {
    let mut bench = Bench::new(node(IDENTITY));
    bench.level(HOME, true);
    bench.run(30);
    bench.drain();
    let tags = 1..=u32::try_from(ARMS_MAX).expect("few");
    for (number, tag) in (0..).zip(tags) {
        let at = 100 + PITCH * number;
        let (window_from, window_to) = (bench.ahead(at - 50), bench.ahead(at + 50));
        let arm = Arm {
            tag,
            side: Side::Left,
            window_from,
            window_to,
            length_min: 100,
            delay: 50,
            release: 200,
        };
        assert_eq!(bench.command(Operation::Arm(arm)), Verdict::Accepted);
    }
    bench.run(100);
    for parcel in 0..parcels {
        bench.level(EYE_ARRIVAL, true);
        bench.run(150);
        bench.level(EYE_ARRIVAL, false);
        if usize::try_from(parcel).expect("few") < ARMS_MAX {
            // The bed has turned and comes home; its parcel passes the landing and the full eye.
            blink(&mut bench, HOME, false);
            blink(&mut bench, EYE_LEFT, true);
            blink(&mut bench, FULL_LEFT, true);
            bench.run(650 - 3 * 120);
        } else {
            bench.run(650);
        }
        let block = bench.block(Operation::Noop);
        bench.send(block);
    }
    assert_eq!(bench.view().armed.tags(), [], "every arm has ended");
    for point in INPUTS {
        blink(&mut bench, point.id, point.id != HOME);
    }
    // The host falls silent at last.
    bench.run(4_000);
    bench
}

#[test]
fn what_the_host_accepts_fits_the_ring_and_hardly_more_does() {
    let mut bench = drained(ACCEPTED);
    let status = bench.view().status;
    assert_eq!((status.ring_lost, status.lease_ms), (0, 0), "{status:?}");
    assert_eq!(bench.drain().len(), usize::from(status.ring_used));
    assert!(drained(ACCEPTED + 1).view().status.ring_lost > 0, "a ring of {RING_WORDS} words");
}
