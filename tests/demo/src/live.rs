//! The live demonstration: both product binaries over real buses, until Ctrl-C.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use system_tests::inputs::Inputs;
use system_tests::process::{self, Binaries, Daemon, ProcessFault, Sim};

/// Where the screens listen unless the port is taken.
const HMI: &str = "127.0.0.1:8420";

/// Starts everything, prints the address and waits.
pub(crate) fn run(inputs: &Inputs, hmi: Option<&str>) -> ExitCode {
    match start(inputs, hmi) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("failed to {why}");
            ExitCode::from(4)
        }
    }
}

fn run_dir() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("workspace root");
    root.join("run").join(format!("demo-{}", std::process::id()))
}

fn address(wish: Option<&str>) -> Result<String, ProcessFault> {
    if let Some(wish) = wish {
        return Ok(wish.to_owned());
    }
    if std::net::TcpListener::bind(HMI).is_ok() {
        return Ok(HMI.to_owned());
    }
    process::free_address().map_err(|why| ProcessFault::Spawn { program: "loopback".into(), why })
}

fn start(inputs: &Inputs, hmi: Option<&str>) -> Result<(), ProcessFault> {
    println!("building the two programs …");
    let binaries = Binaries::build()?;
    let dir = run_dir();
    std::fs::create_dir_all(&dir)
        .map_err(|why| ProcessFault::Spawn { program: dir.clone(), why })?;
    let hmi = address(hmi)?;
    let mut sim = Sim::start(&binaries, inputs, &dir, Some(&dir.join("sim.log")))?;
    for (name, at) in &sim.endpoints {
        println!("bus {name}: {at}");
    }
    let data = dir.join("data");
    let log = dir.join("sortline.log");
    let mut daemon = Daemon::start(&binaries, inputs, &sim, &data, &hmi, Some(&log))?;
    println!("journal and logs: {}", dir.display());
    println!("pressing reset and start at the panel …");
    daemon.start_line(Duration::from_secs(60))?;
    println!("\n  the line runs: open http://{hmi}/   (Ctrl-C stops it)\n");
    let patience = Duration::from_secs(2);
    while sim.process.alive() && daemon.process.alive() {
        let figures = daemon.view();
        if let Some(view) = figures {
            let tie = &view["tie"];
            println!(
                "{}  inducted {}  landed {}  end {}  on line {}",
                view["state"]["name"].as_str().unwrap_or("?"),
                tie["inducted"],
                tie["landed"],
                tie["end"],
                tie["on_line"],
            );
        }
        // Waits for the next report or an early end of either program.
        process::wait_for(patience, || {
            (!sim.process.alive() || !daemon.process.alive()).then_some(())
        });
    }
    Ok(())
}
