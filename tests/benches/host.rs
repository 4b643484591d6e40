//! What a host takes for 12,000 parcels an hour: three real daemons on their own simulated lines, over
//! real sockets and PTYs, in real time. Prints what each daemon used; asserts nothing about time.
//!
//! `HOST_SECONDS` is how long is measured, 60 without it.

use std::path::Path;
use std::time::{Duration, Instant};
use system_tests::inputs::Inputs;
use system_tests::process::{self, Binaries, Daemon, ProcessFault, Scratch, Sim};

#[expect(clippy::disallowed_methods, reason = "a benchmark is a stopwatch")]
fn clock() -> Instant {
    Instant::now()
}

/// Clock ticks a second in the files of a process (`USER_HZ`, 100 on every Linux).
const TICKS: f64 = 100.0;

/// Seconds that a process has had a core for, and its resident bytes.
fn used(id: u32) -> (f64, u64) {
    let read =
        |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
    let (stat, memory) = (read("stat"), read("statm"));
    // The name in brackets may hold blanks; the fields behind it do not.
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
    let pages = memory.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok());
    ((ticks(11) + ticks(12)) / TICKS, pages.unwrap_or(0) * 4_096)
}

/// One line with its controller.
struct Line {
    name: &'static str,
    daemon: Daemon,
    _sim: Sim,
}

impl Line {
    fn start(
        binaries: &Binaries,
        (name, inputs): (&'static str, &Inputs),
        dir: &Path,
    ) -> Result<Self, ProcessFault> {
        std::fs::create_dir_all(dir).expect("a directory");
        let log = dir.join("log");
        let sim = Sim::start(binaries, inputs, dir, Some(&log))?;
        let hmi = process::free_address().expect("loopback");
        let mut daemon =
            Daemon::start(binaries, inputs, &sim, &dir.join("data"), &hmi, Some(&log))?;
        daemon.start_line(Duration::from_secs(120))?;
        Ok(Self { name, daemon, _sim: sim })
    }

    fn inducted(&self) -> u64 {
        let view = self.daemon.view().expect("it answers");
        view["tie"]["inducted"].as_u64().expect("a figure")
    }
}

fn main() {
    let seconds = std::env::var("HOST_SECONDS").map_or(60, |text| text.parse().expect("a number"));
    let place = Scratch::new("host");
    let binaries = Binaries::build().expect("builds");
    let mut endless = [Inputs::demo(1, 7), Inputs::fast(1, 8), Inputs::fast(1, 9)];
    endless.iter_mut().for_each(|inputs| inputs.parcels = None);
    let named = ["demo line", "fast line", "fast line"].into_iter().zip(&endless).enumerate();
    let lines: Vec<Line> = named
        .map(|(number, line)| Line::start(&binaries, line, &place.at(&number.to_string())))
        .collect::<Result<_, _>>()
        .expect("lines run");
    let look = || -> Vec<(u64, (f64, u64))> {
        lines.iter().map(|line| (line.inducted(), used(line.daemon.process.id()))).collect()
    };
    // Parcels are on every line by now; what starting cost is not in it.
    std::thread::sleep(Duration::from_secs(10));
    let (started, before) = (clock(), look());
    std::thread::sleep(Duration::from_secs(seconds));
    let (after, lasted) = (look(), started.elapsed().as_secs_f64());
    let (mut parcels, mut cores) = (0.0, 0.0);
    for (line, (first, last)) in lines.iter().zip(before.iter().zip(&after)) {
        let hourly = (last.0 - first.0) as f64 * 3_600.0 / lasted;
        let share = (last.1.0 - first.1.0) / lasted;
        println!(
            "{}: {hourly:.0} parcels/h, {:.1} % of a core, {} MiB resident",
            line.name,
            share * 100.0,
            last.1.1 >> 20
        );
        parcels += hourly;
        cores += share;
    }
    println!(
        "host load: {} daemons, {parcels:.0} parcels/h together, {:.1} % of one core; 12,000 parcels/h \
         would take {:.1} %",
        lines.len(),
        cores * 100.0,
        cores * 12_000.0 / parcels.max(1.0) * 100.0
    );
}
