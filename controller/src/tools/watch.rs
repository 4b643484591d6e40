//! `bus watch`: the wires live, on a terminal, line by line, or as JSON.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior};
use units::Micros;

use super::args::Watch;
use super::describe;
use super::fault::ToolFault;
use super::meter::Meter;
use super::points::{Change, Points};
use super::source::{Said, Scene, Source};
use super::view;
use crate::bus::tap::{Tapped, What};
use crate::clock::Clock;
use crate::exit::Exit;

/// A terminal is drawn this often.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Figures are printed this often where there is no terminal.
const PRINT_EVERY: Duration = Duration::from_secs(1);
/// Frames and changes kept for the screen: more than any terminal shows.
const LINES_MAX: usize = 200;

/// The signals that end a long command.
#[derive(Debug)]
pub(super) struct Leave {
    interrupt: Signal,
    terminate: Signal,
}

impl Leave {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Ends when somebody asks to leave.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct State {
    /// What there is to see.
    pub(super) scene: Scene,
    /// The figures.
    pub(super) meter: Meter,
    points: Points,
    asked: BTreeMap<u16, Vec<u8>>,
    /// The newest frames in words.
    pub(super) lines: VecDeque<String>,
    /// The newest changes in words.
    pub(super) changes: VecDeque<String>,
    touched: BTreeSet<(String, String)>,
    begun: Option<Micros>,
    changed: Option<Micros>,
    /// Frames lost to this tool.
    pub(super) dropped: u64,
    clock: Clock,
    /// The frames' clock against ours.
    ahead: Option<(Micros, Micros)>,
}

impl State {
    /// Builds what is shown at first.
    pub(super) fn new(scene: Scene) -> Self {
        let meter = Meter::new(&scene.targets);
        let points = Points::new(&scene.targets, scene.file.as_ref());
        Self {
            scene,
            meter,
            points,
            asked: BTreeMap::new(),
            lines: VecDeque::new(),
            changes: VecDeque::new(),
            touched: BTreeSet::new(),
            begun: None,
            changed: None,
            dropped: 0,
            clock: Clock::starting_at(Micros::ZERO),
            ahead: None,
        }
    }

    /// Now, on the clock of the frames.
    pub(super) fn now(&self) -> Micros {
        let (frames, ours) = self.ahead.unwrap_or_default();
        frames.plus(self.clock.now().since(ours))
    }

    /// Since the first frame.
    pub(super) fn since(&self) -> Micros {
        self.begun.map_or(Micros::ZERO, |begun| self.now().since(begun))
    }

    /// Inputs of the line file that have not changed yet.
    pub(super) fn untouched(&self) -> Vec<String> {
        self.points.untouched(&self.touched)
    }

    /// Takes one frame; returns the changes that it tells, as a line and for programs.
    pub(super) fn take(&mut self, tapped: &Tapped) -> Vec<(String, Value)> {
        let begun = *self.begun.get_or_insert(tapped.at);
        if self.ahead.is_none() || tapped.at > self.now() {
            self.ahead = Some((tapped.at, self.clock.now()));
        }
        self.meter.take(tapped);
        let asked = self.asked.get(&tapped.bus).cloned();
        let kind = self.points.kind(tapped.bus, tapped.unit);
        let words = describe::frame(kind, tapped, asked.as_deref());
        let name = self.scene.name(tapped.bus, tapped.unit);
        let name = name.unwrap_or_else(|| format!("unit {}", tapped.unit));
        let (ms, bus) = (tapped.at.since(begun).millis(), self.scene.bus(tapped.bus));
        let what = tapped.what.name();
        keep(&mut self.lines, format!("{ms:>8} ms  {bus:<8} {name:<10} {what:<9} {words}"));
        let changes = match (tapped.what, tapped.pdu(), &asked) {
            (What::Request, Some(pdu), _) => {
                self.asked.insert(tapped.bus, pdu.to_vec());
                Vec::new()
            }
            (What::Answer, Some(_), Some(asked)) => self.points.answer(tapped, asked),
            _ => Vec::new(),
        };
        changes.into_iter().map(|change| self.told(begun, &change)).collect()
    }

    fn told(&mut self, begun: Micros, change: &Change) -> (String, Value) {
        let before = self.changed.replace(change.at);
        self.touched.insert((change.node.clone(), change.input.clone()));
        let line = change.line(begun, before);
        keep(&mut self.changes, line.clone());
        (line, change.json(begun, before))
    }

    /// The figures for programs.
    fn json(&self) -> Value {
        let mut value = self.meter.json(self.now(), |bus, unit| self.scene.name(bus, unit));
        value["t_ms"] = json!(self.since().millis());
        value["dropped"] = json!(self.dropped);
        value
    }
}

fn keep(lines: &mut VecDeque<String>, line: String) {
    if lines.len() == LINES_MAX {
        lines.pop_front();
    }
    lines.push_back(line);
}

/// How what is seen goes out.
enum Output {
    Terminal(Box<Restoring>),
    Lines,
    Json,
}

/// A terminal that is as it was when this is dropped.
struct Restoring(DefaultTerminal);

impl Drop for Restoring {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Watches until asked to leave.
pub(super) async fn run(args: Watch) -> Result<Exit, ToolFault> {
    let (mut source, scene) =
        Source::open(&args.place, args.daemon.as_deref(), args.units.as_ref(), false).await?;
    let mut state = State::new(scene);
    let output = match (args.place.json, io::stdout().is_terminal()) {
        (true, _) => Output::Json,
        (false, true) => {
            let terminal = ratatui::try_init().map_err(ToolFault::Terminal)?;
            Output::Terminal(Box::new(Restoring(terminal)))
        }
        (false, false) => Output::Lines,
    };
    for trouble in &state.scene.troubles {
        if !matches!(output, Output::Terminal(_)) {
            eprintln!("warning: {trouble}");
        }
    }
    let end = args.seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let result = show(&mut source, &mut state, output, args.io, end).await;
    match result {
        // The reader of a pipe may have had enough.
        Err(ToolFault::Terminal(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Exit::Done)
        }
        other => other.map(|()| Exit::Done),
    }
}

fn ticks(output: &Output) -> Interval {
    let every = match output {
        Output::Terminal(_) => DRAW_EVERY,
        Output::Lines | Output::Json => PRINT_EVERY,
    };
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn show(
    source: &mut Source,
    state: &mut State,
    mut output: Output,
    io: bool,
    end: Option<Duration>,
) -> Result<(), ToolFault> {
    let mut leave = Leave::listen().map_err(ToolFault::System)?;
    let mut ticks = ticks(&output);
    let end = async move {
        match end {
            Some(span) => tokio::time::sleep(span).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
            () = leave.asked() => break,
            _ = ticks.tick() => {
                state.dropped = source.dropped();
                if output.tick(state, io).map_err(ToolFault::Terminal)? {
                    break;
                }
            }
            said = source.next() => match said? {
                Said::Frame(tapped) => {
                    let changes = state.take(&tapped);
                    if io {
                        output.changes(&changes).map_err(ToolFault::Terminal)?;
                    }
                }
                Said::Trouble(trouble) => {
                    if !matches!(output, Output::Terminal(_)) {
                        eprintln!("warning: {trouble}");
                    }
                    state.scene.troubles.push(trouble);
                }
            },
        }
    }
    output.finish(state, io).map_err(ToolFault::Terminal)
}

impl Output {
    /// Draws or prints the figures; true when a key asks to leave.
    fn tick(&mut self, state: &State, io: bool) -> io::Result<bool> {
        match self {
            Self::Terminal(terminal) => {
                terminal.0.draw(|frame| view::draw(frame, state, io))?;
                leaving()
            }
            Self::Lines if !io => {
                let mut out = io::stdout().lock();
                view::lines(state).into_iter().try_for_each(|line| writeln!(out, "{line}"))?;
                out.flush().map(|()| false)
            }
            Self::Json if !io => print(&state.json()).map(|()| false),
            Self::Lines | Self::Json => Ok(false),
        }
    }

    /// Tells changes at once.
    fn changes(&self, changes: &[(String, Value)]) -> io::Result<()> {
        match self {
            Self::Terminal(_) => Ok(()),
            Self::Lines => {
                let mut out = io::stdout().lock();
                changes.iter().try_for_each(|(line, _)| writeln!(out, "{line}"))?;
                out.flush()
            }
            Self::Json => changes.iter().try_for_each(|(_, json)| print(json)),
        }
    }

    /// Tells at the end which inputs were never seen to change.
    fn finish(self, state: &State, io: bool) -> io::Result<()> {
        if !io {
            return Ok(());
        }
        let left = state.untouched();
        match self {
            Self::Json => print(&json!({ "changes": state.touched.len(), "untouched": left })),
            Self::Terminal(terminal) => {
                drop(terminal);
                untouched(&left)
            }
            Self::Lines => untouched(&left),
        }
    }
}

fn untouched(left: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{} inputs never changed: {}", left.len(), left.join(", "))
}

fn print(value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}

/// Whether a key asks to leave: q, Esc or Ctrl-C.
fn leaving() -> io::Result<bool> {
    while event::poll(Duration::ZERO)? {
        if let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
        {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            match key.code {
                KeyCode::Char('q') | KeyCode::Esc => return Ok(true),
                KeyCode::Char('c') if control => return Ok(true),
                _ => {}
            }
        }
    }
    Ok(false)
}
