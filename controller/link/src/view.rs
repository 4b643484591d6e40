//! What a link shows of itself: plain data for screens and tests.

use crate::health::Health;
use crate::station::{Counters, State, Why};
use alloc::string::String;
use alloc::vec::Vec;
use line_model::ids::NodeId;
use registers::NodeKind;
use units::{Distance, Micros};

/// One bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusView {
    /// Name in the line file.
    pub name: String,
    /// The bus can be used.
    pub up: bool,
    /// Times that it came up.
    pub opened: u64,
    /// Ends of exchanges that nobody waited for.
    pub stray: u64,
    /// Its nodes.
    pub stations: Vec<StationView>,
}

/// One node on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StationView {
    /// Which node of the layout.
    pub node: NodeId,
    /// Its Modbus unit.
    pub unit: u8,
    /// What it must be.
    pub kind: NodeKind,
    /// Where it stands.
    pub state: State,
    /// Why it came there.
    pub why: Why,
    /// How well it answers.
    pub health: Health,
    /// Failures among its last 16 exchanges.
    pub failures: u32,
    /// Serial number of the device that identified itself last; `None` before.
    pub serial: Option<u32>,
    /// Since when.
    pub since: Micros,
    /// When it answered last; the age of everything known of it.
    pub last_answer: Option<Micros>,
    /// Its boot id; 0 = not known.
    pub boot_id: u16,
    /// ± of its positions; `None` without a count map.
    pub spread: Option<Distance>,
    /// Orders that wait for it.
    pub orders: usize,
    /// What has been counted.
    pub counters: Counters,
}
