//! The two product binaries as child processes over real sockets, PTYs and files.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Why a process could not be used.
#[derive(Debug)]
pub enum ProcessFault {
    /// The program did not start.
    Spawn {
        /// Which program.
        program: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The build of the binaries failed.
    Build(ExitStatus),
    /// It ended before it was ready.
    Ended {
        /// Which program.
        name: &'static str,
        /// How.
        status: ExitStatus,
    },
    /// It was not ready in time.
    NotReady {
        /// Which program.
        name: &'static str,
    },
    /// What it wrote is not what was expected.
    Form {
        /// Which program.
        name: &'static str,
        /// What it wrote.
        text: String,
    },
}

impl std::fmt::Display for ProcessFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spawn { program, why } => write!(f, "start {}: {why}", program.display()),
            Self::Build(status) => write!(f, "build the binaries: {status}"),
            Self::Ended { name, status } => write!(f, "{name} ended early: {status}"),
            Self::NotReady { name } => write!(f, "{name} was not ready in time"),
            Self::Form { name, text } => write!(f, "{name} wrote something unexpected: {text}"),
        }
    }
}

impl std::error::Error for ProcessFault {}

/// Where the binaries stand.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// `sortline`.
    pub daemon: PathBuf,
    /// `sortline-sim`.
    pub sim: PathBuf,
    /// `demo`.
    pub demo: PathBuf,
}

impl Binaries {
    /// Builds them in release, which is quick when nothing changed, and finds them.
    ///
    /// # Errors
    /// When cargo is missing or the build fails.
    ///
    /// # Panics
    /// When this program does not run from a cargo target directory.
    pub fn build() -> Result<Self, ProcessFault> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("workspace root");
        let release = release_dir();
        let status = Command::new(&cargo)
            .args(["build", "--release", "--quiet", "-p", "sortline", "-p", "line-sim"])
            .args(["-p", "demo", "--bins"])
            .arg("--target-dir")
            .arg(release.parent().expect("target directory"))
            .current_dir(root)
            .status()
            .map_err(|why| ProcessFault::Spawn { program: cargo.into(), why })?;
        if !status.success() {
            return Err(ProcessFault::Build(status));
        }
        Ok(Self {
            daemon: release.join("sortline"),
            sim: release.join("sortline-sim"),
            demo: release.join("demo"),
        })
    }
}

/// `target/release`, from `target/<profile>/demo` or `target/<profile>/deps/test-…`.
fn release_dir() -> PathBuf {
    let here = std::env::current_exe().expect("own path");
    let profile = here
        .ancestors()
        .skip(1)
        .find(|dir| dir.file_name().is_some_and(|name| name != "deps"))
        .expect("a cargo target directory");
    profile.with_file_name("release")
}

/// A child process that dies with its owner, by its own id.
#[derive(Debug)]
pub struct Running {
    child: Child,
    name: &'static str,
}

impl Running {
    /// Starts a program with its output going to `log`, or to ours.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(
        name: &'static str,
        command: &mut Command,
        log: Option<&Path>,
    ) -> Result<Self, ProcessFault> {
        let program = PathBuf::from(command.get_program());
        let spawn = |why| ProcessFault::Spawn { program: program.clone(), why };
        command.stdin(Stdio::null());
        if let Some(log) = log {
            let file = std::fs::File::options().create(true).append(true).open(log);
            let file = file.map_err(spawn)?;
            command.stderr(file.try_clone().map_err(spawn)?).stdout(file);
        }
        Ok(Self { child: command.spawn().map_err(spawn)?, name })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it at once (SIGKILL) and collects it.
    pub fn kill(&mut self) {
        // It may have ended by itself: then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Asks it to end (SIGTERM) and waits; kills it when it does not within `patience`.
    pub fn terminate(&mut self, patience: Duration) -> Option<ExitStatus> {
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        if asked.is_ok_and(|status| status.success()) {
            let ended = wait_for(patience, || self.child.try_wait().ok().flatten());
            if ended.is_some() {
                return ended;
            }
        }
        self.kill();
        None
    }

    /// Waits until `ready` gives a value.
    ///
    /// # Errors
    /// When the process ends before, or `patience` is over.
    pub fn until<T>(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T, ProcessFault> {
        let name = self.name;
        let found = wait_for(patience, || match ready() {
            Some(value) => Some(Ok(value)),
            None => match self.child.try_wait() {
                Ok(Some(status)) => Some(Err(ProcessFault::Ended { name, status })),
                Ok(None) | Err(_) => None,
            },
        });
        found.unwrap_or(Err(ProcessFault::NotReady { name }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Looks every 20 ms until `ready` gives a value or `patience` is over: another process shows its
/// readiness only by what it leaves in a file or on a port.
pub fn wait_for<T>(patience: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut looks = patience.as_millis() / PAUSE.as_millis();
    loop {
        if let Some(value) = ready() {
            return Some(value);
        }
        looks = looks.checked_sub(1)?;
        std::thread::sleep(PAUSE);
    }
}

/// A directory of one test; it goes away with it, unless the test fails: then its logs are wanted.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the directory.
    ///
    /// # Panics
    /// When the machine has no room for temporary files.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sortline-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("temporary directory");
        Self(path)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("left for reading: {}", self.0.display());
        } else {
            // What cannot be removed is the system's to clean up.
            std::fs::remove_dir_all(&self.0).ok();
        }
    }
}

/// A simulated line that serves real sockets and PTYs.
#[derive(Debug)]
pub struct Sim {
    /// Its process.
    pub process: Running,
    /// Bus name and where it can be reached.
    pub endpoints: Vec<(String, String)>,
    /// JSON lines of what the plant's parcels really did.
    pub truth: PathBuf,
}

impl Sim {
    /// Starts the simulator in `dir` and waits for its endpoints.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(
        binaries: &Binaries,
        inputs: &crate::inputs::Inputs,
        dir: &Path,
        log: Option<&Path>,
    ) -> Result<Self, ProcessFault> {
        let truth = dir.join("truth.jsonl");
        let mut command = Command::new(&binaries.sim);
        command.arg("serve").arg("--line").arg(&inputs.line).arg("--plant").arg(&inputs.plant);
        command.arg("--manifest").arg(&inputs.manifest).arg("--dir").arg(dir);
        command.args(["--seed", &inputs.seed.to_string(), "--profile", &inputs.profile]);
        command.args(["--feed", &inputs.feed]).arg("--truth").arg(&truth);
        if let Some(parcels) = inputs.parcels {
            command.args(["--parcels", &parcels.to_string()]);
        }
        let mut process = Running::start("sortline-sim", &mut command, log)?;
        let file = dir.join("endpoints.json");
        let endpoints = process.until(Duration::from_secs(20), || {
            let text = std::fs::read_to_string(&file).ok()?;
            let table: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&text).ok()?;
            table.into_iter().map(|(name, at)| Some((name, at.as_str()?.to_owned()))).collect()
        })?;
        Ok(Self { process, endpoints, truth })
    }
}

/// A controller on real buses; when it goes, however that was, its journal must replay to the bit.
#[derive(Debug)]
pub struct Daemon {
    /// Its process.
    pub process: Running,
    /// Address of its screens.
    pub hmi: String,
    data: PathBuf,
}

impl Daemon {
    /// Starts the controller against `sim` with its journal in `data`, screens on `hmi`.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(
        binaries: &Binaries,
        inputs: &crate::inputs::Inputs,
        sim: &Sim,
        data: &Path,
        hmi: &str,
        log: Option<&Path>,
    ) -> Result<Self, ProcessFault> {
        let mut daemon = Self::spawn(binaries, inputs, sim, data, hmi, log)?;
        daemon.process.until(Duration::from_secs(20), || get(hmi, "/api/view"))?;
        Ok(daemon)
    }

    /// As [`Daemon::start`], without waiting until it shows its screens.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn spawn(
        binaries: &Binaries,
        inputs: &crate::inputs::Inputs,
        sim: &Sim,
        data: &Path,
        hmi: &str,
        log: Option<&Path>,
    ) -> Result<Self, ProcessFault> {
        let mut command = Command::new(&binaries.daemon);
        command.arg("run").arg("--line").arg(&inputs.line).arg("--plan").arg(&inputs.plan);
        command.arg("--manifest").arg(&inputs.manifest).arg("--data").arg(data);
        command.args(["--hmi", hmi]);
        for (name, at) in &sim.endpoints {
            command.args(["--bus", &format!("{name}={at}")]);
        }
        let process = Running::start("sortline", &mut command, log)?;
        Ok(Self { process, hmi: hmi.to_owned(), data: data.to_owned() })
    }

    /// The screens' view as JSON.
    pub fn view(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&get(&self.hmi, "/api/view")?).ok()
    }

    /// Gives a command as the panel's screen does; whether it was taken.
    pub fn command(&self, command: &str) -> bool {
        post(&self.hmi, command)
    }

    /// Presses clear, reset and start until the line runs.
    ///
    /// # Errors
    /// When it does not run within `patience`.
    pub fn start_line(&mut self, patience: Duration) -> Result<(), ProcessFault> {
        let hmi = &self.hmi;
        self.process.until(patience, || attend(hmi).filter(|state| state == "Execute").map(|_| ()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.process.kill();
        if !std::thread::panicking() {
            crate::replays::whatever_is_in(&self.data);
        }
    }
}

/// Presses the one button that brings the line nearer to work; the state that it was in.
pub fn attend(hmi: &str) -> Option<String> {
    let view: serde_json::Value = serde_json::from_str(&get(hmi, "/api/view")?).ok()?;
    let state = view["state"]["name"].as_str()?;
    match state {
        "Aborted" => post(hmi, "clear"),
        "Stopped" => post(hmi, "reset"),
        // Nothing that was held goes on by itself.
        "Idle" | "Held" => post(hmi, "start"),
        _ => false,
    };
    Some(state.to_owned())
}

fn post(hmi: &str, command: &str) -> bool {
    let sent = ureq::post(&format!("http://{hmi}/api/command"))
        .header("content-type", "application/json")
        .header("origin", &format!("http://{hmi}"))
        .send(&format!("{{\"command\":\"{command}\"}}"));
    sent.is_ok()
}

/// Fetches a path of the screens; `None` when it does not answer with success.
pub fn get(hmi: &str, path: &str) -> Option<String> {
    let mut answer = ureq::get(&format!("http://{hmi}{path}")).call().ok()?;
    answer.body_mut().read_to_string().ok()
}

/// A loopback address whose port was free a moment ago.
///
/// # Errors
/// When the machine has no loopback.
pub fn free_address() -> io::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
