//! Starting the daemon: locks and ports first, then the past, then threads and the loop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use line_engine::{Engine, Question, Wake};
use line_file::{Parity, Rs485};
use line_model::plan::Plan;
use line_model::signal::File;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::bus::tap::Tap;
use crate::bus::{self, Heard, serial, tcp};
use crate::clock::{Clock, utc_us};
use crate::config::{self, BusPort, Line, manifest::Manifest};
use crate::exit::Exit;
use crate::flight::recorder::{Ending, Recorder};
use crate::guard::Guard;
use crate::hmi::{self, Frames, HmiCommand, HmiSetup, HmiView};
use crate::incident::key::{self, KeyFault};
use crate::inputs::Input;
use crate::journal::restart::{self, Past};
use crate::journal::writer::{Entry, FileKind, Writer};
use crate::journal::{JournalFault, Store};
use crate::mask::Mask;
use crate::replay::words::file_name;
use crate::run::{self, Leave, Loop, RunFault};
use crate::upstream::manifest as upstream;
use crate::view::Names;
use crate::wall::{Step, WallWatch};

/// Commands of people that may wait; a full queue is answered as busy.
const COMMANDS_MAX: usize = 16;
/// How long the last dump of frames may take before the daemon leaves without it.
const DUMP_MAX: Duration = Duration::from_secs(5);

/// What the daemon runs with; every file is checked.
#[derive(Debug)]
pub struct Daemon {
    /// The line, with its buses where they are.
    pub line: Input<Line>,
    /// The plan.
    pub plan: Input<Plan>,
    /// The manifest.
    pub manifest: Input<Manifest>,
    /// The data directory.
    pub data: PathBuf,
    /// Address of the screens.
    pub hmi: SocketAddr,
    /// Why it is started with these files, in the person's words; may be empty.
    pub reason: String,
}

/// Why the daemon did not start or ended badly.
#[derive(Debug)]
pub enum DaemonFault {
    /// The screens' address cannot be had.
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The journal.
    Journal(JournalFault),
    /// The operating system gave no thread, signal or event queue.
    System {
        /// For what.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The site's key.
    Key(KeyFault),
    /// The loop.
    Run(RunFault),
}

impl DaemonFault {
    /// The exit code that it leads to.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Listen { .. } => Exit::CannotStart,
            Self::Journal(fault) => fault.exit(),
            Self::Key(_) => Exit::CannotStart,
            Self::System { .. } | Self::Run(_) => Exit::Internal,
        }
    }
}

impl std::fmt::Display for DaemonFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listen { address, source } if source.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "serve the screens on {address}: another program has this port")
            }
            Self::Listen { address, source } => {
                write!(f, "serve the screens on {address}: {source}")
            }
            Self::Journal(fault) => write!(f, "{fault}"),
            Self::Key(fault) => write!(f, "{fault}"),
            Self::System { what, source } => write!(f, "start {what}: {source}"),
            Self::Run(fault) => write!(f, "{fault}"),
        }
    }
}

impl std::error::Error for DaemonFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::System { source, .. } => Some(source),
            Self::Journal(fault) => Some(fault),
            Self::Key(fault) => Some(fault),
            Self::Run(fault) => Some(fault),
        }
    }
}

/// Runs the daemon until a signal asks it to leave.
///
/// # Errors
/// When it cannot start, or its last records are not on disk.
pub fn daemon(daemon: Daemon) -> Result<(), DaemonFault> {
    let listener = TcpListener::bind(daemon.hmi)
        .map_err(|source| DaemonFault::Listen { address: daemon.hmi, source })?;
    let (past, begins, writer) = past(&daemon).map_err(DaemonFault::Journal)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| DaemonFault::System { what: "the event loop", source })?;
    runtime.block_on(async {
        let (parts, recorder) = parts(daemon, listener, past, begins, writer)?;
        let ended = run::run(parts).await.map_err(DaemonFault::Run);
        recorder.wait(DUMP_MAX);
        ended
    })
}

/// Opens the journal and brings back what it knows.
fn past(daemon: &Daemon) -> Result<(Past, Vec<Wake<'static>>, Writer), JournalFault> {
    let layout = &daemon.line.value.engine.layout;
    let mut store = Store::open(&daemon.data, daemon.line.value.policies.journal, utc_us())?;
    check_same_line(&store, &daemon.line.value, &daemon.data)?;
    let past = restart::restore(&mut store, layout, utc_us())?;
    let mut begins = taken(&store, daemon)?;
    let step = daemon.line.value.policies.wall.step.0;
    let back = past.back.filter(|back| back.by_us.unsigned_abs() > step);
    begins.extend(back.map(|Step { utc_us, by_us }| Wake::WallClockStepped { utc_us, by_us }));
    let writer = Writer::start(store)?;
    Ok((past, begins, writer))
}

/// The files that are others than the journal keeps: who changed them and why is for the audit.
fn taken(store: &Store, daemon: &Daemon) -> Result<Vec<Wake<'static>>, JournalFault> {
    let Daemon { line, plan, manifest, reason, .. } = daemon;
    let files = [
        (FileKind::Line, File::Line, &line.name, &line.bytes),
        (FileKind::Plan, File::Plan, &plan.name, &plan.bytes),
        (FileKind::Manifest, File::Manifest, &manifest.name, &manifest.bytes),
    ];
    let by = format!("start by user {}", rustix::process::getuid().as_raw());
    let mut taken = Vec::new();
    for (kind, file, name, bytes) in files {
        let kept = restart::kept_file(store, kind)?;
        if kept.is_none_or(|(_, kept)| kept != *bytes) {
            let name = Path::new(name).file_name().map_or_else(
                || file_name(file).to_owned(),
                |name| name.to_string_lossy().into_owned(),
            );
            let (hash, by) = (*blake3::hash(bytes).as_bytes(), by.clone());
            taken.push(Wake::FileTaken { file, name, hash, by, reason: reason.clone() });
        }
    }
    Ok(taken)
}

/// Parcels and positions of another geometry mean nothing here.
fn check_same_line(store: &Store, line: &Line, data: &Path) -> Result<(), JournalFault> {
    let Some((name, bytes)) = restart::kept_file(store, FileKind::Line)? else { return Ok(()) };
    let same =
        config::check(&name, &bytes).is_ok_and(|kept| kept.engine.layout == line.engine.layout);
    if same { Ok(()) } else { Err(JournalFault::OtherLine { path: data.to_owned() }) }
}

/// Starts every task and thread but the loop's own.
fn parts(
    daemon: Daemon,
    listener: TcpListener,
    past: Past,
    begins: Vec<Wake<'static>>,
    writer: Writer,
) -> Result<(Loop, Ending), DaemonFault> {
    let Daemon { line, plan, manifest, data, hmi: _, reason: _ } = daemon;
    let read = utc_us();
    let files = vec![
        Entry::File(line.kept(FileKind::Line, read)),
        Entry::File(plan.kept(FileKind::Plan, read)),
        Entry::File(manifest.kept(FileKind::Manifest, read)),
    ];
    let clock = Clock::starting_at(past.now);
    let tap = Tap::on(clock);
    let site = key::read_or_make(&data).map_err(DaemonFault::Key)?;
    let mask = Mask::new(&site);
    let frames = Frames {
        tap: tap.clone(),
        file: line.name.clone(),
        text: String::from_utf8_lossy(&line.bytes).into(),
        mask: mask.clone(),
    };
    let mut line = line.value;
    line.engine.door = line.engine.door.with_key(site);
    tracing::info!(line = line.name, repeated = past.repeated, now_us = past.now.0, "starting");
    let guard = Guard::new(Engine::new(line.engine.clone(), past.token, past.start));
    let names = Names {
        line: line.name.clone(),
        line_zh: line.name_zh.clone(),
        layout: Arc::new(line.engine.layout.clone()),
        chutes: line.chute_names.clone(),
        eye_tags: crate::view::eye_tags(&line.file),
        estops: crate::view::estops(&line.file),
        limit_per_hour: line.geometric_limit_per_hour(),
    };
    let first = names.view(guard.engine().view(past.now), past.now, read);
    let (view, shown) = watch::channel(Arc::new(first));
    let (press, commands) = mpsc::channel(COMMANDS_MAX);
    serve_screens(&line, listener, shown, press, &data, frames)?;
    let (flight, ending) = Recorder::start(&tap, clock, line.policies.flight, &data, mask)
        .map_err(|source| DaemonFault::System { what: "the flight recorder", source })?;
    let (buses, heard) = open_buses(&line, &tap)?;
    let (questions, answers) = ask_manifest(manifest.value);
    let on = |kind, what| signal(kind).map_err(|source| DaemonFault::System { what, source });
    let leave = Leave {
        interrupt: on(SignalKind::interrupt(), "listening to SIGINT")?,
        terminate: on(SignalKind::terminate(), "listening to SIGTERM")?,
    };
    let parts = Loop {
        clock,
        guard,
        buses,
        heard,
        writer,
        questions,
        answers,
        commands,
        view,
        names,
        plan: plan.value,
        files,
        begins,
        wall: WallWatch::new(line.policies.wall),
        policy: line.policies.journal,
        flight,
        leave,
    };
    Ok((parts, ending))
}

/// Serves the screens on a thread of their own, so that they never delay the loop.
fn serve_screens(
    line: &Line,
    listener: TcpListener,
    view: watch::Receiver<Arc<HmiView>>,
    commands: mpsc::Sender<HmiCommand>,
    data: &Path,
    frames: Frames,
) -> Result<(), DaemonFault> {
    let system = |source| DaemonFault::System { what: "the screens", source };
    let address = listener.local_addr().map_err(system)?;
    let setup = HmiSetup {
        listener,
        view,
        commands,
        data: data.to_owned(),
        panel: line.screens.panel.clone(),
        simulated: line.simulated,
        frames: Some(frames),
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    std::thread::Builder::new()
        .name("hmi".to_owned())
        .spawn(move || {
            if let Err(error) = runtime.block_on(hmi::serve(setup)) {
                tracing::error!(%error, "failed to serve the screens; the line goes on");
            }
        })
        .map_err(system)?;
    tracing::info!(%address, "screens at http://{address}/");
    Ok(())
}

type Buses = (Vec<mpsc::Sender<bus::Request>>, mpsc::Receiver<Heard>);

/// Starts every bus; ports and connections are opened by the buses themselves.
fn open_buses(line: &Line, tap: &Tap) -> Result<Buses, DaemonFault> {
    let (say, heard) = mpsc::channel(bus::HEARD_MAX);
    let mut buses = Vec::with_capacity(line.ports.len());
    for (index, (port, setup)) in (0_u8..).zip(line.ports.iter().zip(&line.engine.buses)) {
        let (submit, requests) = mpsc::channel(bus::REQUESTS_MAX);
        let name = setup.name.clone();
        if let BusPort::Tcp { address } = port {
            let setup = tcp::Setup { bus: index, name, address: address.clone(), tap: tap.clone() };
            tokio::spawn(tcp::serve(setup, requests, say.clone()));
        } else if let Some((setup, rs485)) = serial_setup(index, name, port, tap) {
            // The thread ends with its requests' sender; nobody needs to join it.
            let _thread = serial::spawn_rs485(setup, rs485, requests, say.clone())
                .map_err(|source| DaemonFault::System { what: "a serial bus", source })?;
        }
        buses.push(submit);
    }
    Ok((buses, heard))
}

/// What a serial bus is opened with; `None` for TCP.
pub(crate) fn serial_setup(
    bus: u8,
    name: String,
    port: &BusPort,
    tap: &Tap,
) -> Option<(serial::Setup, Rs485)> {
    let wire = port.wire()?;
    let BusPort::Serial { path, parity, stop_bits, rs485, .. } = port else { return None };
    let parity = match parity {
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
        Parity::None => tokio_serial::Parity::None,
    };
    let two = *stop_bits == 2;
    let stop_bits = if two { tokio_serial::StopBits::Two } else { tokio_serial::StopBits::One };
    let path = PathBuf::from(path);
    Some((serial::Setup { bus, name, path, wire, parity, stop_bits, tap: tap.clone() }, *rs485))
}

/// Lets the manifest answer questions.
fn ask_manifest(manifest: Manifest) -> (mpsc::Sender<Question>, mpsc::Receiver<upstream::Answer>) {
    let (questions, asked) = mpsc::channel(upstream::WAITING_MAX);
    let (answer, answers) = mpsc::channel(upstream::WAITING_MAX);
    tokio::spawn(upstream::serve(manifest.items, asked, answer));
    (questions, answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs;
    use units::Micros;

    fn inputs(data: &Path, hmi: SocketAddr) -> Daemon {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let line = inputs::line(&examples.join("factory-line.toml")).expect("the example is right");
        let plan = inputs::plan(&examples.join("plan.toml"), &line.value).expect("right");
        let manifest = inputs::manifest(&examples.join("manifest.csv"), false).expect("right");
        let reason = String::new();
        Daemon { line, plan, manifest, data: data.to_owned(), hmi, reason }
    }

    #[test]
    fn a_taken_port_is_named_and_touches_no_journal() {
        let dir = tempfile::tempdir().expect("a directory");
        let taken = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = taken.local_addr().expect("its address");
        let data = dir.path().join("data");
        let fault = daemon(inputs(&data, address)).expect_err("the port is taken");
        assert_eq!(fault.exit(), Exit::CannotStart);
        assert!(fault.to_string().contains(&address.to_string()), "{fault}");
        assert!(!data.exists(), "nothing was begun");
    }

    #[test]
    fn a_journal_of_another_geometry_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut given = inputs(dir.path(), any);
        let (_, begins, writer) = past(&given).expect("fresh");
        assert_eq!(begins.len(), 3, "every file is new: {begins:?}");
        writer.offer(Entry::File(given.line.kept(FileKind::Line, 1))).expect("room");
        let mut progress = writer.close();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(progress.wait_for(|progress| progress.closed)).expect("closes");
        let (_, begins, writer) = past(&given).expect("the same line goes on");
        assert_eq!(begins.len(), 2, "the line file is known: {begins:?}");
        let mut progress = writer.close();
        runtime.block_on(progress.wait_for(|progress| progress.closed)).expect("closes");
        given.line.value.engine.layout.diverters[0].delay.0 += 1;
        let Err(fault) = past(&given) else { panic!("another geometry") };
        assert!(matches!(fault, JournalFault::OtherLine { .. }), "{fault}");
    }

    #[test]
    fn a_wall_clock_that_went_back_meanwhile_is_told_and_time_goes_on() {
        let dir = tempfile::tempdir().expect("a directory");
        let given = inputs(dir.path(), SocketAddr::from(([127, 0, 0, 1], 0)));
        let closed = |writer: Writer| {
            let mut progress = writer.close();
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(progress.wait_for(|progress| progress.closed)).expect("closes");
        };
        let (_, _, writer) = past(&given).expect("fresh");
        let (mut engine, mut out) = (crate::example::engine(), line_engine::Effects::default());
        let (at, hour) = (Micros::from_secs(9), 3_600_000_000);
        let ahead = utc_us() + hour;
        engine.handle(at, Wake::WallClock { utc_us: ahead }, &mut out);
        for record in out.records {
            writer.offer(Entry::Record(record)).expect("room");
        }
        writer.offer(Entry::Alive { at, utc_us: ahead }).expect("room");
        closed(writer);
        let (found, begins, writer) = past(&given).expect("goes on");
        closed(writer);
        assert!(found.now > at, "time never goes back: {:?}", found.now);
        let stepped = begins.iter().find_map(|wake| match wake {
            Wake::WallClockStepped { by_us, .. } => Some(*by_us),
            _ => None,
        });
        let by = stepped.expect("told").unsigned_abs();
        assert!(stepped < Some(0) && by <= hour && by > hour / 2, "{by}");
    }
}
