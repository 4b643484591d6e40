//! libmodbus' own unit-test programs, built from Debian's sources with one substitution.

use crate::places;
use std::path::{Path, PathBuf};
use std::process::Command;
use system_tests::process::Running;

/// How the programs are connected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link<'a> {
    /// A loopback port.
    Tcp(u16),
    /// A serial port.
    Rtu(&'a Path),
}

impl Link<'_> {
    /// The argument that libmodbus' programs take.
    pub(crate) const fn argument(self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Rtu(_) => "rtu",
        }
    }
}

/// The version of the library, as its package says.
pub(crate) fn version() -> String {
    let version = places::output(Command::new("pkg-config").args(["--modversion", "libmodbus"]));
    version.trim().to_owned()
}

/// Builds one of the unit-test programs into `dir`; the one substitution is printed.
pub(crate) fn unit_test(program: &str, link: Link<'_>, dir: &Path) -> PathBuf {
    let source = places::libmodbus().join(format!("{program}.c"));
    let text = std::fs::read_to_string(&source).expect("libmodbus' source");
    let device = if program.ends_with("client") { "/dev/ttyUSB1" } else { "/dev/ttyUSB0" };
    let (old, new) = match link {
        Link::Tcp(port) => ("\"127.0.0.1\", 1502".to_owned(), format!("\"127.0.0.1\", {port}")),
        Link::Rtu(path) => (format!("\"{device}\""), format!("\"{}\"", path.display())),
    };
    assert_eq!(text.matches(&old).count(), 1, "{program}.c names {old} once");
    println!("{}: {old} -> {new}, nothing else is changed", source.display());
    let altered = dir.join(format!("{program}-{}.c", link.argument()));
    std::fs::write(&altered, text.replace(&old, &new)).expect("a place for the source");
    compile(&altered, &places::libmodbus())
}

/// Compiles a C program against libmodbus; the program stands beside its source.
pub(crate) fn compile(source: &Path, include: &Path) -> PathBuf {
    let flags =
        places::output(Command::new("pkg-config").args(["--cflags", "--libs", "libmodbus"]));
    let program = source.with_extension("");
    let mut gcc = Command::new("gcc");
    gcc.arg("-o").arg(&program).arg("-I").arg(include).arg(source).args(flags.split_whitespace());
    places::output(&mut gcc);
    program
}

/// libmodbus' unit-test server; it serves one connection and is started again for the next.
pub(crate) struct Server {
    program: PathBuf,
    argument: &'static str,
    log: PathBuf,
    running: Running,
    /// How often it was started.
    pub(crate) starts: usize,
}

impl Server {
    /// Builds and starts it.
    pub(crate) fn start(link: Link<'_>, dir: &Path) -> Self {
        let program = unit_test("unit-test-server", link, dir);
        let log = dir.join("unit-test-server.log");
        let argument = link.argument();
        let running = launch(&program, argument, &log);
        Self { program, argument, log, running, starts: 1 }
    }

    /// Starts it again when it has ended; it ends with its only connection.
    pub(crate) fn keep(&mut self) {
        if !self.running.alive() {
            self.running = launch(&self.program, self.argument, &self.log);
            self.starts += 1;
        }
    }
}

fn launch(program: &Path, argument: &str, log: &Path) -> Running {
    let mut command = Command::new(program);
    Running::start("unit-test-server", command.arg(argument), Some(log)).expect("starts")
}

/// How often the client may fail at a time that the machine was too busy to keep.
const ATTEMPTS: usize = 5;

/// Runs the unit-test client to its end and demands that it passes; returns what it printed of each
/// assertion that held. `ready` is done before each attempt.
///
/// Four of its assertions compare times (a byte each 5 ms against 3 ms and 7 ms, half a second
/// against 0.2 s and 0.6 s), which a busy machine cannot keep. Only a failure of one of them is met
/// with another attempt, and is printed.
pub(crate) fn unit_test_client(link: Link<'_>, dir: &Path, mut ready: impl FnMut()) -> Vec<String> {
    let program = unit_test("unit-test-client", link, dir);
    for attempt in 1..=ATTEMPTS {
        ready();
        match run_client(&program, link.argument()) {
            Ok(held) => return held,
            Err(said) => {
                let label = |line: &&str| line.ends_with(": ") && !line.starts_with("Line ");
                let last = said.lines().rev().find(label);
                let last = last.unwrap_or_default();
                assert!(last.contains("timeout (") && attempt < ATTEMPTS, "{said}");
                println!("attempt {attempt}: the machine was too busy for \"{last}\"");
            }
        }
    }
    unreachable!("the last attempt ends in one of the two ways");
}

/// Runs the client once; all that it printed when it fails.
fn run_client(program: &Path, argument: &str) -> Result<Vec<String>, String> {
    // What it sends and hears goes to standard error; a client that hangs is ended.
    let mut command = Command::new("timeout");
    let done = command.arg("120").arg(program).arg(argument).output().expect("coreutils");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let passed = done.status.success() && said.contains("ALL TESTS PASS WITH SUCCESS.");
    if !passed || said.contains("assertion error") {
        return Err(format!("{said}\n{}", done.status));
    }
    // The time-out of 1 us is no assertion to it: it "can fail on some platforms".
    let held = said.lines().filter(|line| line.ends_with("OK") && !line.contains("1us"));
    Ok(held.map(str::to_owned).collect())
}
