//! What the daemon gives to the screens and what it gets back.

use super::frames::Frames;
use ipnet::IpNet;
use line_model::ids::{ChuteNo, NodeId};
use line_model::layout::Layout;
use line_model::signal::{Command, Deed, DownReason};
use line_model::view::{LineView, Unmet};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use units::Micros;

/// Everything that the screens need; built by the daemon.
#[derive(Debug)]
pub struct HmiSetup {
    /// Bound socket; taking the port is the daemon's business, so that a taken port is its error.
    pub listener: TcpListener,
    /// The line as it is now. The daemon publishes at least twice a second, also when nothing
    /// changed: screens grey a value after two missed updates.
    pub view: watch::Receiver<Arc<HmiView>>,
    /// Commands of people. Bounded; a full queue is answered to the person as "busy".
    pub commands: mpsc::Sender<HmiCommand>,
    /// The journal's SQLite file of the current business day, or the directory that holds the
    /// daily files; only ever opened read-only.
    pub data: PathBuf,
    /// Addresses of panels: only they may reset, start and clear.
    pub panel: Vec<IpNet>,
    /// A simulated line: every screen carries the watermark.
    pub simulated: bool,
    /// What passes on the buses, for tools; `None` where there are none.
    pub frames: Option<Frames>,
}

/// One snapshot for the screens: the line's and the buses' views with the names that people use.
#[derive(Clone, Debug)]
pub struct HmiView {
    /// Name of the line.
    pub line_name: String,
    /// The same in Chinese.
    pub line_name_zh: String,
    /// The engine's clock when the snapshot was taken; the base of every [`Micros`] below.
    pub taken: Micros,
    /// Wall clock at the same instant, microseconds since 1970-01-01 UTC.
    pub taken_utc_us: u64,
    /// Geometry and names.
    pub layout: Arc<Layout>,
    /// Names of chutes where the line file or the plan gives one.
    pub chute_names: BTreeMap<ChuteNo, String>,
    /// Equipment tag and terminal of each eye of the layout, where the line file gives them.
    pub eye_tags: Vec<EyeTag>,
    /// Emergency stops that the line file names.
    pub estops: Vec<EstopName>,
    /// Parcels an hour that the geometry can carry.
    pub limit_per_hour: u32,
    /// The line.
    pub line: LineView,
    /// Every bus in the order of the line file.
    pub buses: Vec<BusHealth>,
    /// Records that wait for the disk.
    pub records_pending: u64,
}

impl HmiView {
    /// The line's name for people of this language; the other one where it has none.
    pub(super) fn line_name(&self, lang: super::i18n::Lang) -> &str {
        let name = lang.pick(&self.line_name_zh, &self.line_name);
        if name.is_empty() { &self.line_name } else { name }
    }
}

/// What alarms print of an emergency stop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EstopName {
    /// Its contact.
    pub contact: u8,
    /// Its name on the line.
    pub name: String,
    /// The same for operators.
    pub name_zh: String,
    /// The zones that its circuit stops.
    pub zones: Vec<String>,
}

/// What alarms print of an eye.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EyeTag {
    /// Equipment tag; empty without one.
    pub tag: String,
    /// Terminal; empty without one.
    pub terminal: String,
}

/// Health of one bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusHealth {
    /// Name in the line file.
    pub name: String,
    /// The port or connection is open.
    pub up: bool,
    /// Its stations.
    pub stations: Vec<StationHealth>,
}

/// Health of one node as its bus sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationHealth {
    /// Which node.
    pub node: NodeId,
    /// State of the session with it.
    pub state: StationState,
    /// When it answered last, on the clock of [`HmiView::taken`]; `None` = never.
    pub last_answer: Option<Micros>,
    /// Exchanges that were answered.
    pub exchanges: u64,
    /// Exchanges that timed out.
    pub timeouts: u64,
    /// Answers that were thrown away: wrong check word, token or shape.
    pub bad: u64,
}

/// State of the session with one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StationState {
    /// Not asked yet.
    Unknown,
    /// Identity, settings, adoption or count map in progress.
    Joining,
    /// In use.
    Online,
    /// In use, but several of its last exchanges failed.
    Degraded,
    /// Not in use, and why.
    Down(DownReason),
}

/// What a person at a screen wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// A command to the line.
    Command {
        /// What.
        command: Command,
        /// Why, in the person's words; empty when nobody said.
        reason: String,
    },
    /// A deed at a chute or with a parcel.
    Deed {
        /// What.
        deed: Deed,
        /// Why, in the person's words; may be empty.
        reason: String,
    },
}

/// One command of a person, on its way to the line.
#[derive(Debug)]
pub struct HmiCommand {
    /// What.
    pub order: Order,
    /// Who: `screen <address>`, for the journal.
    pub by: String,
    /// Where the answer goes; dropped unanswered = the controller is going down.
    pub answer: oneshot::Sender<Result<(), Refused>>,
}

/// The line refused a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("take the command: {} condition(s) not met", why.len())]
pub struct Refused {
    /// Every condition that is not met, as the line's decision names them.
    pub why: Vec<Unmet>,
}
