//! Where frames come from: buses that are polled here, or a running controller.

use std::collections::VecDeque;

use line_file::LineFile;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::args::{Place, Units};
use super::attach::Attached;
use super::client::Client;
use super::fault::ToolFault;
use super::poll;
use super::target::{self, Target};
use crate::bus::tap::{Listener, Tap, Tapped};
use crate::config;
use crate::incident::key;
use crate::inputs::InputFault;
use crate::mask::{Mask, Masker};

/// Troubles of the buses that may wait.
const TROUBLES_MAX: usize = 16;

/// What there is to see.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// Where the frames come from, for people.
    pub(super) title: String,
    /// The buses.
    pub(super) targets: Vec<Target>,
    /// The line file, when there is one.
    pub(super) file: Option<LineFile>,
    /// Buses that could not be opened.
    pub(super) troubles: Vec<String>,
    /// Codes of parcels are masked.
    pub(super) masked: bool,
}

impl Scene {
    /// Name of the node at a unit of a bus.
    pub(super) fn name(&self, bus: u16, unit: u8) -> Option<String> {
        let target = self.targets.iter().find(|target| target.index == bus)?;
        target.node(unit).map(|node| node.name.clone())
    }

    /// Name of a bus.
    pub(super) fn bus(&self, bus: u16) -> &str {
        let target = self.targets.iter().find(|target| target.index == bus);
        target.map_or("?", |target| target.name.as_str())
    }
}

/// What a source says.
#[derive(Debug)]
pub(super) enum Said {
    /// A frame.
    Frame(Tapped),
    /// Something went wrong with one bus; the others go on.
    Trouble(String),
}

/// A source of frames.
#[derive(Debug)]
pub(super) enum Source {
    /// Own buses.
    Own {
        /// Their frames.
        listener: Listener,
        /// Their troubles.
        troubles: mpsc::Receiver<String>,
        /// Masks codes.
        masker: Option<Masker>,
        /// The polls; they end with the source.
        _polls: JoinSet<()>,
    },
    /// A running controller.
    Daemon {
        /// The stream.
        attached: Box<Attached>,
        /// Frames taken from it and not yet given on.
        waiting: VecDeque<Tapped>,
        /// Frames lost on the way.
        dropped: u64,
    },
}

impl Source {
    /// Opens the source that the arguments name.
    ///
    /// # Errors
    /// When nothing of it can be used.
    pub(super) async fn open(
        place: &Place,
        daemon: Option<&str>,
        units: Option<&Units>,
        raw: bool,
    ) -> Result<(Self, Scene), ToolFault> {
        match daemon {
            Some(address) => Self::attach(address, raw).await,
            None => Self::own(place, units, raw).await,
        }
    }

    async fn attach(address: &str, raw: bool) -> Result<(Self, Scene), ToolFault> {
        let (attached, line) = Attached::open(address, raw).await?;
        let checked = config::check(&line.file, line.text.as_bytes())
            .map_err(|faults| ToolFault::Line(InputFault::Faults(faults)))?;
        let scene = Scene {
            title: format!("beside the controller at {address}"),
            targets: target::described(&checked),
            file: Some(checked.file),
            troubles: Vec::new(),
            masked: line.masked,
        };
        let attached = Box::new(attached);
        Ok((Self::Daemon { attached, waiting: VecDeque::new(), dropped: 0 }, scene))
    }

    async fn own(
        place: &Place,
        units: Option<&Units>,
        raw: bool,
    ) -> Result<(Self, Scene), ToolFault> {
        let (targets, file) = target::all(place)?;
        let tap = Tap::default();
        let listener = tap.listen();
        let (tell, troubles) = mpsc::channel(TROUBLES_MAX);
        let mut polls = JoinSet::new();
        let mut faults = Vec::new();
        for target in &targets {
            match Client::open(target, &tap).await {
                Ok(client) => {
                    let asked = target.units(units);
                    polls.spawn(poll::keep(client, asked, tell.clone()));
                }
                Err(fault) => faults.push(fault),
            }
        }
        let scene = Scene {
            title: "status polled by FC 03, nothing acknowledged".to_owned(),
            targets,
            file,
            troubles: faults.iter().map(|fault| format!("failed to {fault}")).collect(),
            masked: !raw,
        };
        match (polls.is_empty(), faults.pop()) {
            (true, Some(fault)) => Err(fault),
            _ => {
                // Nothing masked elsewhere needs to be recognised, so that nobody keeps this key.
                let masker = if raw {
                    None
                } else {
                    let key = key::drawn().map_err(ToolFault::System)?;
                    Some(Masker::new(Mask::new(&key)))
                };
                Ok((Self::Own { listener, troubles, masker, _polls: polls }, scene))
            }
        }
    }

    /// What comes next. Cancelling loses nothing.
    ///
    /// # Errors
    /// When the source has ended.
    pub(super) async fn next(&mut self) -> Result<Said, ToolFault> {
        match self {
            Self::Own { listener, troubles, masker, .. } => tokio::select! {
                tapped = listener.next() => match tapped {
                    Some(mut tapped) => {
                        if let Some(masker) = masker {
                            masker.mask(&mut tapped);
                        }
                        Ok(Said::Frame(tapped))
                    }
                    None => Err(ToolFault::Gone { bus: "of every kind".to_owned() }),
                },
                Some(trouble) = troubles.recv() => Ok(Said::Trouble(trouble)),
            },
            Self::Daemon { attached, waiting, dropped } => loop {
                if let Some(tapped) = waiting.pop_front() {
                    return Ok(Said::Frame(tapped));
                }
                let batch = attached.next().await?;
                *dropped = batch.dropped;
                waiting.extend(batch.frames.iter().filter_map(|frame| frame.tapped()));
            },
        }
    }

    /// Frames that were lost to this tool, because it was too slow.
    pub(super) const fn dropped(&self) -> u64 {
        match self {
            Self::Own { listener, .. } => listener.dropped(),
            Self::Daemon { dropped, .. } => *dropped,
        }
    }
}
