//! The engine's view with the names that screens need.

use std::collections::BTreeMap;
use std::sync::Arc;

use line_engine::{EngineView, Health};
use line_file::LineFile;
use line_model::ids::ChuteNo;
use line_model::layout::Layout;
use units::Micros;

use crate::hmi::{BusHealth, EstopName, EyeTag, HmiView, StationHealth, StationState};

/// What a view needs besides the engine's.
#[derive(Clone, Debug)]
pub struct Names {
    /// Name of the line.
    pub line: String,
    /// The same in Chinese.
    pub line_zh: String,
    /// Geometry and names.
    pub layout: Arc<Layout>,
    /// Names of chutes.
    pub chutes: BTreeMap<ChuteNo, String>,
    /// Tags and terminals, by eye.
    pub eye_tags: Vec<EyeTag>,
    /// Emergency stops that the line file names.
    pub estops: Vec<EstopName>,
    /// Parcels an hour that the geometry can carry.
    pub limit_per_hour: u32,
}

impl Names {
    /// The view for screens.
    pub fn view(&self, view: EngineView, taken: Micros, taken_utc_us: u64) -> HmiView {
        HmiView {
            line_name: self.line.clone(),
            line_name_zh: self.line_zh.clone(),
            taken,
            taken_utc_us,
            layout: Arc::clone(&self.layout),
            chute_names: self.chutes.clone(),
            eye_tags: self.eye_tags.clone(),
            estops: self.estops.clone(),
            limit_per_hour: self.limit_per_hour,
            line: view.line,
            buses: view.buses.into_iter().map(bus).collect(),
            records_pending: u64::try_from(view.pending).unwrap_or(u64::MAX),
        }
    }
}

/// Emergency stops by name, as the line file has them.
pub fn estops(file: &LineFile) -> Vec<EstopName> {
    let named = file.estop.iter().map(|estop| EstopName {
        contact: estop.contact,
        name: estop.name.clone(),
        name_zh: estop.name_zh.clone().unwrap_or_else(|| estop.name.clone()),
        zones: estop.zones.clone(),
    });
    named.collect()
}

/// Tags and terminals in the order of the layout's eyes: the line's own, arrival eyes, end eye.
pub fn eye_tags(file: &LineFile) -> Vec<EyeTag> {
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let eyes = file.eye.iter().map(|eye| (&eye.tag, &eye.terminal));
    let arrivals = file.diverter.iter().map(|diverter| (&diverter.tag, &diverter.terminal));
    let tagged = eyes.chain(arrivals);
    let tags = tagged.map(|(tag, terminal)| EyeTag { tag: word(tag), terminal: word(terminal) });
    tags.chain([EyeTag::default()]).collect()
}

fn bus(bus: line_engine::BusView) -> BusHealth {
    let stations = bus.stations.into_iter().map(|station| StationHealth {
        node: station.node,
        state: state(station.state, station.health),
        last_answer: station.last_answer,
        exchanges: station.counters.exchanges,
        timeouts: station.counters.timeouts,
        bad: station.counters.bad,
    });
    BusHealth { name: bus.name, up: bus.up, stations: stations.collect() }
}

const fn state(state: line_engine::StationState, health: Health) -> StationState {
    match state {
        line_engine::StationState::Unknown => StationState::Unknown,
        line_engine::StationState::Peeking
        | line_engine::StationState::Configuring
        | line_engine::StationState::Checking
        | line_engine::StationState::Adopting
        | line_engine::StationState::Mapping => StationState::Joining,
        line_engine::StationState::Online => match health {
            Health::Degraded => StationState::Degraded,
            Health::Ok | Health::Offline => StationState::Online,
        },
        line_engine::StationState::Down { why, probe: _ } => StationState::Down(why),
    }
}
