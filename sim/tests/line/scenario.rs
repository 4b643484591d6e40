//! Scenarios on the world: what is scheduled happens when and where it should.

use crate::support::{Bench, setup};
use line_sim::scenario::{Entry, Event};
use line_sim::{Place, Scenario, World};
use registers::points::zone;
use std::path::Path;
use units::Micros;

const SPEEDS: [u32; 3] = [600, 900, 1_200];

fn run(parcels: u64, events: Vec<Entry>, secs: u64) -> Bench {
    let mut setup = setup(false, "clean", 3, parcels);
    setup.events = events;
    let mut bench = Bench::new(setup);
    bench.start(SPEEDS, 902, [67, 40]);
    bench.poll_for(Micros::from_secs(secs));
    bench
}

#[test]
fn every_shipped_scenario_builds_its_world_and_prints_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for file in std::fs::read_dir(root.join("sim/scenarios")).expect("the directory is there") {
        let path = file.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let name = path.display();
        let scenario = Scenario::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        let printed = scenario.print().expect("prints");
        assert_eq!(Scenario::parse(&printed).expect("reads"), scenario, "{name}");
        let setup = scenario.setup(&root).unwrap_or_else(|why| panic!("{name}: {why}"));
        World::new(setup).unwrap_or_else(|why| panic!("{name}: {why}"));
        seen += 1;
    }
    assert!(seen >= 5, "{seen} scenarios");
}

#[test]
fn a_name_that_nothing_has_is_refused() {
    let mut setup = setup(false, "clean", 3, 1);
    let eye = "D7".to_owned();
    setup.events = vec![Entry::at(5, Event::EyeBlocked { eye, for_ms: None })];
    let fault = World::new(setup).expect_err("no such eye").to_string();
    assert!(fault.contains("D7"), "{fault}");
}

#[test]
fn a_parcel_is_taken_off_where_the_schedule_says() {
    let bench = run(5, vec![Entry::on(2, 3_300, Event::TakeOff)], 40);
    let truth = bench.world.truth();
    assert!(bench.world.is_drained() && !bench.world.awaits_events());
    for parcel in &truth.parcels {
        let expected = if parcel.index == 2 { Place::Taken } else { Place::End };
        assert_eq!(parcel.place, expected);
    }
    let [happened] = &truth.happened[..] else { panic!("{:?}", truth.happened) };
    assert_eq!((happened.done, happened.drawn, &happened.parcels[..]), (true, false, &[2][..]));
    assert!(happened.at_mm.is_some_and(|at| (3_300..=3_302).contains(&at)), "{happened:?}");
    assert_eq!(happened.until, Some(happened.at));
}

#[test]
fn spans_end_and_their_parcels_are_known() {
    let eye = "D1".to_owned();
    let blind = Event::EyeClear { eye, for_ms: Some(1_500) };
    let bench = run(6, vec![Entry::on(2, 4_300, blind)], 45);
    let [happened] = &bench.world.truth().happened[..] else { panic!("one") };
    let lasted = happened.until.expect("over").since(happened.at);
    assert_eq!(lasted, Micros::from_millis(1_500));
    assert_eq!(happened.parcels[0], 2);
    assert!(happened.parcels.len() <= 3, "{happened:?}");
}

#[test]
fn a_tripped_drive_stops_its_belt_and_a_stalled_encoder_its_counts() {
    let trip = Event::DriveTrip { zone: "Z3".to_owned(), for_ms: Some(3_000) };
    let stall = Event::EncoderStall { encoder: "sorter".to_owned(), for_ms: 2_000 };
    let mut bench = run(3, vec![Entry::at(9_000, trip), Entry::at(30_000, stall)], 3);
    let sorter = 2;
    assert!(bench.world.plant().belt(sorter).speed_mm_s() > 1_000);
    bench.poll_for(Micros::from_millis(11_800).since(bench.world.now()));
    assert_eq!(bench.world.plant().belt(sorter).speed_mm_s(), 0);
    // Power is back, and the drive waits for its command to be taken back once.
    bench.poll_for(Micros::from_secs(5));
    assert_eq!(bench.world.plant().belt(sorter).speed_mm_s(), 0);
    bench.set("Z3", zone::RUN, 0);
    bench.set("Z3", zone::RUN, 1);
    bench.poll_for(Micros::from_millis(30_100).since(bench.world.now()));
    assert!(bench.world.plant().belt(sorter).speed_mm_s() > 1_000);
    let node = bench.node("D1");
    let count =
        |bench: &mut Bench| bench.exchange(node, registers::exchange::Operation::Noop).encoder;
    let before = count(&mut bench);
    bench.poll_for(Micros::from_millis(1_500));
    assert_eq!(count(&mut bench), before, "no pulses");
    bench.poll_for(Micros::from_millis(1_500));
    let after = count(&mut bench).since(before);
    assert!((500..2_000).contains(&after), "what was missed is lost, then it counts: {after}");
}

#[test]
fn what_the_host_must_do_comes_out_at_its_time() {
    let mut setup = setup(false, "clean", 3, 1);
    setup.events = vec![
        Entry::at(2_000, Event::ControllerRestart),
        Entry::at(1_000, Event::ControllerKill),
        Entry::at(3_000, Event::DiskStall { for_ms: 700 }),
    ];
    let mut world = World::new(setup).expect("fits");
    world.advance(Micros::from_secs(5));
    let asked = world.take_for_host();
    let expected = [Event::ControllerKill, Event::ControllerRestart];
    for (index, event) in expected.iter().enumerate() {
        assert_eq!(asked[index].event, *event);
    }
    assert_eq!(asked[2].at, Micros::from_secs(3));
    assert!(world.take_for_host().is_empty());
}

/// Everything that goes wrong on a bad day, with people, nodes and frames: the same again from the
/// same seed, and no parcel is nowhere.
#[test]
fn a_bad_day_repeats_itself_and_ends_for_every_parcel() {
    let run = || {
        let mut setup = setup(false, "bad", 8, 30);
        let profile = setup.plant.profile.get_mut("bad").expect("shipped");
        (profile.eye_stuck_hours, profile.skew_jam_ppm) = (1, 40_000);
        let mut bench = Bench::new(setup);
        bench.start(SPEEDS, 902, [67, 40]);
        bench.poll_for(Micros::from_secs(80));
        bench.world.truth().clone()
    };
    let truth = run();
    println!("seed 8: {} things happened", truth.happened.len());
    assert!(truth.happened.iter().any(|happened| happened.drawn));
    assert!(truth.parcels.len() >= 30);
    assert_eq!(truth, run());
}

#[test]
fn people_come_when_they_are_called_and_press_what_the_line_asks_for() {
    use line_sim::Button;
    use line_sim::plant::Call;
    use registers::points::panel;
    let mut setup = setup(false, "clean", 3, 1);
    setup.plant.profile.get_mut("clean").expect("shipped").workers = 1;
    let mut bench = Bench::new(setup);
    let node = bench.node("panel");
    bench.exchange(node, registers::exchange::Operation::Noop);
    bench.world.call(Call::Panel(Button::Reset));
    bench.poll_for(Micros::from_secs(12));
    let pressed = |active| {
        let events = bench.events(node).iter();
        let reset = |seen: &&crate::support::Seen| matches!(seen, crate::support::Seen::Edge { input: panel::RESET, active: a, .. } if *a == active);
        events.filter(reset).count()
    };
    assert_eq!((pressed(true), pressed(false)), (1, 1));
}

#[test]
fn inputs_power_and_wires_change_when_the_schedule_says_so() {
    use line_sim::Button;
    let name = |name: &str| name.to_owned();
    let faults = name("lost=1000000");
    let mut setup = setup(false, "clean", 3, 1);
    setup.events = vec![
        Entry::at(1_000, Event::ChuteFull { chute: 3, for_ms: Some(4_000) }),
        Entry::at(1_000, Event::ChuteButton { chute: 4, for_ms: 400 }),
        Entry::at(1_000, Event::EndFull { for_ms: Some(400) }),
        Entry::at(1_000, Event::Estop { contact: 1 }),
        Entry::at(2_000, Event::EstopRelease { contact: 1 }),
        Entry::at(3_000, Event::Press { button: Button::Stop, for_ms: 300 }),
        Entry::at(4_000, Event::NodeReboot { node: name("D4"), off_ms: 500 }),
        Entry::at(6_000, Event::BusFaults { bus: name("field"), faults, for_ms: 1_000 }),
        Entry::at(6_000, Event::BagChange { chute: 1 }),
    ];
    let mut bench = Bench::new(setup);
    let node = bench.node("D4");
    let boot_id = bench.world.stations()[node].identity.boot_id;
    let inputs = |bench: &Bench, name: &str| {
        let station = &bench.world.stations()[bench.node(name)];
        station.active().collect::<Vec<u8>>()
    };
    use registers::points::{diverter, panel};
    bench.world.advance(Micros::from_millis(1_200));
    assert!(inputs(&bench, "D2").contains(&diverter::FULL_LEFT));
    assert!(inputs(&bench, "D2").contains(&diverter::BUTTON_RIGHT));
    let at_panel = inputs(&bench, "panel");
    assert!(at_panel.contains(&panel::END_FULL) && at_panel.contains(&panel::ESTOP_1));
    bench.world.advance(Micros::from_millis(3_100));
    assert_eq!(inputs(&bench, "panel"), [panel::STOP]);
    bench.world.advance(Micros::from_millis(4_100));
    assert!(bench.world.stations()[node].off);
    bench.world.advance(Micros::from_millis(5_500));
    assert_eq!(inputs(&bench, "D2"), [diverter::HOME]);
    let station = &bench.world.stations()[node];
    assert!(!station.off && station.identity.boot_id != boot_id);
    // A request on the bad bus is lost; after it the same one is answered.
    let unit = bench.world.stations()[bench.node("Z1")].plan.unit;
    for (at_ms, answers) in [(6_100, 0), (8_000, 1)] {
        bench.world.advance(Micros::from_millis(at_ms));
        let pdu = [3, 0, 0, 0, 1];
        let mut frame = [0; modbus::rtu::MAX_FRAME];
        let len = modbus::rtu::encode(unit, &pdu, &mut frame).expect("fits");
        bench.world.send(0, &frame[..len]);
        bench.world.advance(Micros::from_millis(at_ms + 100));
        assert_eq!(bench.world.take_answers().len(), answers, "at {at_ms} ms");
    }
    let truth = bench.world.truth();
    assert_eq!(truth.happened.len(), 9);
    assert!(truth.happened.iter().all(|happened| happened.done), "{:?}", truth.happened);
    // Whoever changes the bag is still at it; then the button is pressed for the second time.
    bench.world.advance(Micros::from_secs(100));
    assert_eq!(inputs(&bench, "D1"), [diverter::HOME]);
}
