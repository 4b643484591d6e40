//! The real-time program: the world paced by the wall clock, its buses on pseudo-terminals and
//! loopback ports.
//!
//! One task for each pseudo-terminal and TCP client moves bytes; [`run`]'s loop owns the world.
//! Requests reach it after their time on the wire, answers leave it at the world's own times.

mod clock;
mod endpoints;
mod error;
mod ledger;
mod pacer;
mod pty;
mod tcp;

pub(crate) use error::ServeError;

use crate::Serve;
use endpoints::Endpoints;
use ledger::Ledger;
use line_file::LineFile;
use line_sim::scenario::{Entry, Event};
use line_sim::{Faults, PlantFile, Scenario, World, WorldSetup, read_manifest};
use pacer::Pacer;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Requests on their way to the world; a bus has one outstanding at a time, so more means a flood,
/// and then the senders wait.
const REQUESTS_MAX: usize = 64;

/// A request frame from outside.
#[derive(Debug)]
struct Request {
    /// The bus.
    bus: usize,
    /// Where the answer goes when the bus has several clients.
    client: Option<tcp::Client>,
    /// RTU frame or MBAP frame.
    frame: Vec<u8>,
}

/// Serves the line until SIGTERM or SIGINT.
pub(crate) fn run(arguments: &Serve) -> Result<(), ServeError> {
    let setup = setup(arguments)?;
    let bad = |entry: &Entry| matches!(entry.event, Event::BusFaults { .. });
    let faulty = !setup.faults.is_none() || setup.events.iter().any(bad);
    let world = World::new(setup).map_err(ServeError::Setup)?;
    let ledger = Ledger::open(arguments.truth.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    runtime.block_on(serve(world, ledger, &arguments.dir, faulty))
}

/// What the world is built from: a scenario, or the arguments one by one.
fn setup(arguments: &Serve) -> Result<WorldSetup, ServeError> {
    let given = [&arguments.line, &arguments.plant, &arguments.manifest].map(Option::as_deref);
    let [line, plant, manifest_path] = given.map(|path| path.unwrap_or(Path::new("")));
    if let Some(path) = &arguments.scenario {
        let scenario = Scenario::parse(&text(path)?);
        return scenario
            .and_then(|scenario| scenario.setup(Path::new(".")))
            .map_err(|source| ServeError::Scenario { path: path.clone(), source });
    }
    Ok(WorldSetup {
        line: line_file(line)?,
        plant: plant_file(plant)?,
        manifest: manifest(manifest_path)?,
        seed: arguments.seed,
        feed: arguments.feed.into(),
        profile: arguments.profile.clone(),
        parcels: arguments.parcels,
        faults: faults(arguments.faults.as_deref())?,
        events: Vec::new(),
    })
}

async fn serve(world: World, ledger: Ledger, dir: &Path, faulty: bool) -> Result<(), ServeError> {
    let mut term = signal(SignalKind::terminate()).map_err(ServeError::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Runtime)?;
    let (requests, inbox) = mpsc::channel(REQUESTS_MAX);
    let mut endpoints = Endpoints::prepare(dir)?;
    let mut outlets = Vec::new();
    for (bus, plan) in world.buses().enumerate() {
        outlets.push(match plan.serial {
            Some(timing) => {
                let line = pty::open(&plan.name)?;
                let link = endpoints.serial(&plan.name, line.path())?;
                Some(line.start(bus, timing, (link, faulty), requests.clone()))
            }
            None => {
                let address = tcp::listen(bus, &plan.name, requests.clone()).await?;
                endpoints.network(&plan.name, address);
                None
            }
        });
    }
    let pacer = Pacer::new(world, ledger, outlets, faulty);
    endpoints.publish()?;
    tokio::select! {
        biased;
        _ = term.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        result = pacer.run(inbox) => result,
    }
}

fn text(path: &Path) -> Result<String, ServeError> {
    std::fs::read_to_string(path)
        .map_err(|source| ServeError::Read { path: path.to_owned(), source })
}

fn line_file(path: &Path) -> Result<LineFile, ServeError> {
    let text = text(path)?;
    LineFile::parse(&text).map_err(|error| {
        let before = error.span.clone().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        ServeError::LineFile { path: path.to_owned(), line, message: error.message }
    })
}

fn plant_file(path: &Path) -> Result<PlantFile, ServeError> {
    PlantFile::parse(&text(path)?)
        .map_err(|source| ServeError::PlantFile { path: path.to_owned(), source })
}

/// The faults of a file, when there is one of that name, or of the text itself.
fn faults(text_or_path: Option<&str>) -> Result<Faults, ServeError> {
    let Some(given) = text_or_path else { return Ok(Faults::NONE) };
    let path = Path::new(given);
    if path.is_file() { Faults::from_toml(&text(path)?) } else { Faults::parse(given) }
        .map_err(ServeError::Faults)
}

fn manifest(path: &Path) -> Result<Vec<line_sim::Item>, ServeError> {
    let file = std::fs::File::open(path)
        .map_err(|source| ServeError::Read { path: path.to_owned(), source })?;
    read_manifest(file).map_err(|source| ServeError::Manifest { path: path.to_owned(), source })
}
