//! The two product programs over real sockets, PTYs and files, in real time.

use line_engine::record::{self, Decoded};
use line_model::decision::Decision;
use line_model::packml::State;
use line_model::signal::Input;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use system_tests::inputs::Inputs;
use system_tests::oracle::{self, Actual, Finding, Law};
use system_tests::process::{self, Binaries, Daemon, Scratch, Sim};
use system_tests::summary;

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
        process::attend(&hmi)?;
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
    drop(daemon);
    let finding = judge(&inputs, &data, &truth);
    nothing_wrong(&finding);
    println!("sorted {} of {} sortable", finding.sorted, finding.sortable);
    assert!(finding.sorted * 100 >= finding.sortable * 95, "{finding:?}");
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a line whose controller was killed again and again has seen.
struct Killed {
    /// Kills before the controller had shown its screens again.
    starting: u64,
    /// Kills while the line ran.
    running: u64,
    /// Restarts after which the line went on by itself, and those that told of an absence at all.
    went_on: u64,
    resumed: u64,
    records: u64,
    finding: Finding,
}

/// Restarts told by the journal: all, and those behind which the line still ran.
fn restarts(records: &[Vec<u8>]) -> (u64, u64) {
    let (mut all, mut went_on, mut state) = (0, 0, State::Stopped);
    for bytes in records {
        let Decoded { input, decisions, .. } = record::decode(bytes).expect("our own record");
        for decision in &decisions {
            if let Decision::State { to, .. } = decision {
                state = *to;
            }
        }
        if matches!(input, Input::Resumed { .. }) {
            all += 1;
            went_on += u64::from(state == State::Execute);
        }
    }
    (all, went_on)
}

/// No arm ended twice, whatever the controllers remembered of it.
fn no_arm_twice(records: &[Vec<u8>]) {
    let mut ended = BTreeSet::new();
    for bytes in records {
        if let Input::ArmEnded { tag, .. } = record::decode(bytes).expect("our own record").input {
            assert!(ended.insert(tag), "{tag:?} ended twice");
        }
    }
}

/// Lets one line live through `kills` kills at instants drawn from `seed`, then runs it empty.
fn kill_one_line(binaries: &Binaries, index: u64, kills: u64, seed: u64) -> Killed {
    let place = Scratch::new(&format!("kill-{index}"));
    // About one parcel a second, so that parcels are on the line whenever it dies.
    let parcels = kills * 8 + 10;
    let inputs = if index.is_multiple_of(2) {
        Inputs::demo(parcels, seed)
    } else {
        Inputs::fast(parcels, seed)
    };
    let (log, data) = (place.at("log"), place.at("data"));
    let sim = Sim::start(binaries, &inputs, place.dir(), Some(&log)).expect("sim starts");
    let hmi = process::free_address().expect("loopback");
    let spawn = || Daemon::spawn(binaries, &inputs, &sim, &data, &hmi, Some(&log)).expect("starts");
    let mut daemon = spawn();
    daemon.start_line(Duration::from_secs(120)).expect("runs");
    let mut rng = line_sim::rng::Rng::stream(seed, &format!("kills of line {index}"));
    let (mut starting, mut running) = (0, 0);
    for _ in 0..kills {
        let (wait, mut seen) = (Duration::from_millis(rng.span([20, 6_000])), None);
        process::wait_for(wait, || {
            seen = process::attend(&hmi).or(seen.take());
            (!daemon.process.alive()).then_some(())
        });
        assert!(daemon.process.alive(), "line {index}: it ran until it was killed");
        starting += u64::from(seen.is_none());
        running += u64::from(seen.as_deref() == Some("Execute"));
        // What it has left replays; then the next one finds it.
        drop(daemon);
        daemon = spawn();
    }
    daemon.start_line(Duration::from_secs(120)).expect("runs on");
    let count = usize::try_from(parcels).expect("small");
    drained(&mut daemon, &sim.truth, count, Duration::from_secs(600));
    daemon.process.terminate(Duration::from_secs(20)).expect("ends when asked");
    drop(daemon);
    let records = sortline::journal::records(&data).expect("the journal is readable");
    sortline::journal::verify(&data).expect("the chain holds over every restart");
    no_arm_twice(&records);
    let (resumed, went_on) = restarts(&records);
    let finding = judge(&inputs, &data, &actual(&sim.truth));
    nothing_wrong(&finding);
    Killed { starting, running, went_on, resumed, records: records.len() as u64, finding }
}

/// `KILLS` kills in all, `KILL_LINES` lines at a time in real time beside each other.
#[test]
fn the_daemon_is_killed_at_random_instants() {
    let (kills, lines) = (number("KILLS", 30), number("KILL_LINES", 5).max(1));
    let seed = number("KILL_SEED", 31);
    println!(
        "{kills} kills on {lines} lines, seed {seed}; repeat: KILLS={kills} KILL_LINES={lines} \
         KILL_SEED={seed} cargo test --release -p system-tests --test wire killed -- --nocapture"
    );
    let binaries = Binaries::build().expect("builds");
    let each = kills.div_ceil(lines);
    let lines: Vec<Killed> = std::thread::scope(|threads| {
        let binaries = &binaries;
        let line =
            |index| threads.spawn(move || kill_one_line(binaries, index, each, seed + index));
        let lines: Vec<_> = (0..lines).map(line).collect();
        lines.into_iter().map(|line| line.join().expect("the line came through")).collect()
    });
    let sum = |of: fn(&Killed) -> u64| lines.iter().map(of).sum::<u64>();
    let (resumed, went_on) = (sum(|line| line.resumed), sum(|line| line.went_on));
    println!(
        "{} kills, {} during the start, {} while the line ran; {resumed} restarts told, {went_on} went \
         on; {} records replay to the bit; {} of {} sortable parcels in their chutes",
        each * lines.len() as u64,
        sum(|line| line.starting),
        sum(|line| line.running),
        sum(|line| line.records),
        sum(|line| line.finding.sorted),
        sum(|line| line.finding.sortable),
    );
    assert!(sum(|line| line.running) > 0 && resumed > 0 && went_on > 0, "kills that matter");
    assert!(sum(|line| line.finding.sorted) > 0);
}
