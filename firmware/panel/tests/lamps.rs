//! Buttons to the ring, lamps from the host, red light without it.

use node::bench::{Bench, IDENTITY};
use panel::{Panel, node};
use registers::NodeKind;
use registers::event::Event;
use registers::exchange::{Operation, Verdict};
use registers::points::panel::{HORN, LAMP_GREEN, LAMP_RED, LAMP_YELLOW};

fn lights(bench: &Bench<Panel>) -> [u32; 4] {
    [LAMP_RED, LAMP_YELLOW, LAMP_GREEN, HORN].map(|id| bench.outputs[usize::from(id)])
}

#[test]
fn red_burns_from_boot_and_again_when_the_host_falls_silent() {
    let mut bench = Bench::new(node(IDENTITY));
    assert_eq!(lights(&bench), [1, 0, 0, 0], "told with the first input");
    for (output, value) in [(LAMP_RED, 0), (LAMP_YELLOW, 1), (LAMP_GREEN, 1), (HORN, 1)] {
        bench.set(output, value);
    }
    assert_eq!(lights(&bench), [0, 1, 1, 1]);
    bench.run(2_999);
    assert_eq!(lights(&bench), [0, 1, 1, 1]);
    bench.run(1);
    assert_eq!(lights(&bench), [1, 0, 0, 0]);
}

#[test]
fn a_fresh_panel_asks_to_be_ticked_so_that_red_is_told() {
    assert_eq!(node(IDENTITY).next_deadline(), Some(units::Micros::ZERO));
}

#[test]
fn every_contact_reports_both_edges() {
    let mut bench = Bench::new(node(IDENTITY));
    for point in NodeKind::Panel.inputs() {
        for level in [true, false] {
            bench.level(point.id, level);
            bench.run(30);
            let events = bench.drain();
            assert!(
                matches!(events[..], [Event::Edge { input, active, .. }] if (input, active) == (point.id, level)),
                "{}: {events:?}",
                point.name
            );
        }
    }
    bench.level(7, true);
    bench.run(30);
    assert!(bench.drain().is_empty(), "an input that the kind does not have");
}

#[test]
fn what_a_panel_has_not_is_refused() {
    let mut bench = Bench::new(node(IDENTITY));
    let bad = bench.command(Operation::SetOutput { output: HORN, value: 2 });
    assert_eq!(bad, Verdict::BadArgument);
    assert_eq!(bench.command(Operation::Cancel { tag: 1 }), Verdict::NotSupported);
    assert!(size_of::<panel::PanelNode>() <= 5_120);
}
