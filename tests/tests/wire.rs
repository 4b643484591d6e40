//! The two product programs over real sockets, PTYs and files, in real time.

use std::path::Path;
use std::time::Duration;
use system_tests::inputs::Inputs;
use system_tests::oracle::{self, Actual, Finding, Law};
use system_tests::process::{self, Binaries, Daemon, Scratch, Sim};
use system_tests::{replays, summary};

fn actual(truth: &Path) -> Vec<Actual> {
    let text = std::fs::read_to_string(truth).unwrap_or_default();
    text.lines().filter_map(Actual::from_line).collect()
}

/// Everything in the journal, judged against the truth file.
fn judge(inputs: &Inputs, data: &Path, truth: &[Actual]) -> Finding {
    let file = |path: &Path| std::fs::read_to_string(path).expect("example");
    let law = Law::read(&file(&inputs.plan), &file(&inputs.manifest), &file(&inputs.line));
    let records = sortline::journal::records(data).expect("the journal is readable");
    let decisions = summary::decisions(&records);
    oracle::judge(&law, truth, &oracle::beliefs(decisions.iter()))
}

fn nothing_wrong(finding: &Finding) {
    assert_eq!(finding.wrong_by_decision, Vec::<String>::new());
    assert_eq!(finding.wrong_unreported, Vec::<String>::new());
    assert_eq!(finding.wrong_mechanical, Vec::<String>::new());
    assert_eq!(finding.lost, Vec::<String>::new());
    assert_eq!(finding.doubled, Vec::<String>::new());
}

/// Waits until the plant has nothing left underway and the controller agrees that nothing is.
fn drained(daemon: &mut Daemon, truth: &Path, parcels: usize, patience: Duration) {
    let hmi = daemon.hmi.clone();
    let done = daemon.process.until(patience, || {
        let view: serde_json::Value =
            serde_json::from_str(&process::get(&hmi, "/api/view")?).ok()?;
        let on_line = view["tie"]["on_line"].as_u64()?;
        (actual(truth).len() >= parcels && on_line == 0).then_some(())
    });
    done.expect("drains");
}

#[test]
fn three_hundred_parcels_over_real_sockets() {
    let place = Scratch::new("wire");
    let binaries = Binaries::build().expect("builds");
    let inputs = Inputs::fast(300, 5);
    let log = place.at("log");
    let sim = Sim::start(&binaries, &inputs, place.dir(), Some(&log)).expect("sim starts");
    let hmi = process::free_address().expect("loopback");
    let data = place.at("data");
    let mut daemon =
        Daemon::start(&binaries, &inputs, &sim, &data, &hmi, Some(&log)).expect("daemon starts");
    daemon.start_line(Duration::from_secs(60)).expect("runs");
    drained(&mut daemon, &sim.truth, 300, Duration::from_secs(600));
    let status = daemon.process.terminate(Duration::from_secs(20)).expect("ends when asked");
    assert!(status.success(), "a clean end: {status}");
    let truth = actual(&sim.truth);
    assert_eq!(truth.len(), 300);
    println!("{} records replay to the bit", replays::path(&data));
    let finding = judge(&inputs, &data, &truth);
    nothing_wrong(&finding);
    println!("sorted {} of {} sortable", finding.sorted, finding.sortable);
    assert!(finding.sorted * 100 >= finding.sortable * 95, "{finding:?}");
}

#[test]
fn the_daemon_is_killed_at_twenty_random_instants() {
    let place = Scratch::new("kill");
    let binaries = Binaries::build().expect("builds");
    let parcels = 170;
    let inputs = Inputs::demo(parcels, 31);
    let log = place.at("log");
    let sim = Sim::start(&binaries, &inputs, place.dir(), Some(&log)).expect("sim starts");
    let hmi = process::free_address().expect("loopback");
    let data = place.at("data");
    let start = || Daemon::start(&binaries, &inputs, &sim, &data, &hmi, Some(&log));
    let mut daemon = start().expect("daemon starts");
    daemon.start_line(Duration::from_secs(60)).expect("runs");
    let seed = 31;
    println!("kill instants from seed {seed}");
    let mut rng = line_sim::rng::Rng::stream(seed, "kill");
    for round in 0..20 {
        let wait = Duration::from_millis(rng.span([1_500, 9_000]));
        process::wait_for(wait, || (!daemon.process.alive()).then_some(()));
        assert!(daemon.process.alive(), "round {round}: it ran until it was killed");
        daemon.process.kill();
        daemon = start().expect("comes back");
        let state = daemon.view().expect("view")["state"]["name"].as_str().map(ToOwned::to_owned);
        println!("round {round}: killed after {wait:?}, came back {state:?}");
        daemon.start_line(Duration::from_secs(60)).expect("runs on");
    }
    let count = usize::try_from(parcels).expect("small");
    drained(&mut daemon, &sim.truth, count, Duration::from_secs(600));
    daemon.process.terminate(Duration::from_secs(20)).expect("ends when asked");
    let truth = actual(&sim.truth);
    println!("{} records replay to the bit", replays::path(&data));
    let finding = judge(&inputs, &data, &truth);
    nothing_wrong(&finding);
    println!("sorted {} of {} sortable", finding.sorted, finding.sortable);
    assert!(finding.sorted > 0);
    sortline::journal::verify(&data).expect("the chain holds over every restart");
}
