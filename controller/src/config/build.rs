//! A checked line file as what the engine, the buses and the screens need.

mod chutes;

use super::fault::{Sink, draft};
use super::geometry::{self, Bed, Derived};
use super::planner::{BusPlan, Plan, wire::bits_per_char};
use super::policies::Policies;
use super::rescanners;
use ipnet::IpNet;
use line_engine::{EngineLimits, EngineSetup};
use line_file::{Bus, BusKind, EchoMode, LineFile, Node, NodeKind, Parity, Rs485, ZoneMode};
use line_model::ids::{ChuteNo, DiverterId, EyeId, NodeId, ZoneId};
use line_model::layout::{
    ChutePlace, DiverterPlace, Duty, EyePlace, Layout, Limits, NodePlace, StationPlace, ZonePlace,
};
use line_model::signal::{ChuteContact, Contact};
use modbus::session::{Echo, Wire};
use node_link::{BusSetup, InputRole, LinkLimits, StationSetup};
use registers::points::{self, MODE_ACCUMULATE, MODE_GAPPING, MODE_TRANSPORT};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use units::{Distance, EncoderId, Micros, MmPerSecond};

/// A checked line: cannot be built from a file with a fault.
#[derive(Clone, Debug)]
pub struct Line {
    /// Name of the line.
    pub name: String,
    /// The same for operators.
    pub name_zh: String,
    /// A simulator stands in for it.
    pub simulated: bool,
    /// What the engine is built from; its `layout` is the line's.
    pub engine: EngineSetup,
    /// What the shell opens, one for each bus of the engine.
    pub ports: Vec<BusPort>,
    /// What the buses have to carry.
    pub polls: Plan,
    /// Screens.
    pub screens: Screens,
    /// What the site decides about journal, frames and clocks.
    pub policies: Policies,
    /// Names of chutes for operators, where the file gives one.
    pub chute_names: BTreeMap<ChuteNo, String>,
    /// The file as it was read, for tags and terminals.
    pub file: LineFile,
}

/// What the shell opens for one bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusPort {
    /// A serial port.
    Serial {
        /// Its path.
        path: String,
        /// Bits a second.
        baud: u32,
        /// Parity.
        parity: Parity,
        /// Stop bits, 1 or 2.
        stop_bits: u8,
        /// Longest pause of a node between request and answer.
        turnaround: Micros,
        /// Whether the adapter hears what it sends.
        echo: EchoMode,
        /// Who switches the direction of the driver.
        rs485: Rs485,
    },
    /// A TCP connection.
    Tcp {
        /// host:port.
        address: String,
    },
}

impl BusPort {
    /// The serial line as a session must know it; `None` on TCP.
    pub fn wire(&self) -> Option<Wire> {
        match self {
            Self::Serial { baud, parity, stop_bits, turnaround, echo, path: _, rs485: _ } => {
                Some(Wire {
                    baud: *baud,
                    bits_per_char: bits_per_char(*parity, *stop_bits),
                    turnaround_max: *turnaround,
                    broadcast_wait: *turnaround,
                    echo: match echo {
                        EchoMode::Absent => Echo::Absent,
                        EchoMode::Present => Echo::Present,
                        EchoMode::Detect => Echo::Detect,
                    },
                })
            }
            Self::Tcp { address: _ } => None,
        }
    }
}

/// Where the screens are served and which of them are panels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screens {
    /// Address and port.
    pub bind: SocketAddr,
    /// Addresses whose screens may start and reset the line.
    pub panel: Vec<IpNet>,
}

/// The node kind of the wire.
pub(crate) const fn kind(kind: NodeKind) -> registers::NodeKind {
    match kind {
        NodeKind::Zone => registers::NodeKind::Zone,
        NodeKind::Diverter => registers::NodeKind::Diverter,
        NodeKind::Scanner => registers::NodeKind::Scanner,
        NodeKind::Dws => registers::NodeKind::Dws,
        NodeKind::Panel => registers::NodeKind::Panel,
    }
}

/// Checks and reads the addresses of the screens.
pub(crate) fn screens(file: &LineFile, sink: &mut Sink<'_>) -> Screens {
    let bind = file.hmi.bind.parse().unwrap_or_else(|_| {
        let message = format!("`bind` is {:?}", file.hmi.bind);
        sink.enter(
            draft("hmi.bind", message).allowed("IP address and port, such as 127.0.0.1:8080"),
        );
        SocketAddr::from(([127, 0, 0, 1], 0))
    });
    let mut panel = Vec::new();
    for (n, text) in file.hmi.panel_addresses.iter().enumerate() {
        let single = text.parse::<IpAddr>().map(IpNet::from);
        match single.or_else(|_| text.parse::<IpNet>()) {
            Ok(net) => panel.push(net),
            Err(_) => sink.enter(
                draft(format!("hmi.panel_addresses[{n}]"), format!("the address is {text:?}"))
                    .allowed("an IP address or a network, such as 127.0.0.1 or 10.1.2.0/24"),
            ),
        }
    }
    Screens { bind, panel }
}

/// Checks the keys of each kind of bus and takes what the shell opens.
pub(crate) fn ports(file: &LineFile, sink: &mut Sink<'_>) -> Vec<BusPort> {
    let mut ports: Vec<BusPort> = Vec::new();
    for (n, bus) in file.bus.iter().enumerate() {
        bus_keys(n, bus, sink);
        let (name, port) = match bus.kind {
            BusKind::Rtu => {
                let path = bus.port.clone().unwrap_or_default();
                let port = BusPort::Serial {
                    path,
                    baud: bus.baud.unwrap_or_default(),
                    parity: bus.parity.unwrap_or(Parity::Even),
                    stop_bits: bus.stop_bits.unwrap_or(1),
                    turnaround: Micros::from_millis(u64::from(bus.turnaround_ms)),
                    echo: bus.echo.unwrap_or(EchoMode::Detect),
                    rs485: bus.rs485.unwrap_or(Rs485::Auto),
                };
                ("port", port)
            }
            BusKind::Tcp => {
                let address = bus.address.clone().unwrap_or_default();
                ("address", BusPort::Tcp { address })
            }
        };
        if let Some(first) = ports.iter().position(|other| same_wire(other, &port)) {
            let fault = draft(
                format!("bus[{n}].{name}"),
                format!("bus {:?} uses the same {name} as another", bus.name),
            )
            .allowed("one of its own")
            .related(format!("bus[{first}].{name}"), "first here");
            let kinds = [format!("bus[{n}].kind"), format!("bus[{first}].kind")];
            sink.enter_from(fault, &[&kinds[0], &kinds[1]]);
        }
        ports.push(port);
    }
    ports
}

fn same_wire(a: &BusPort, b: &BusPort) -> bool {
    match (a, b) {
        (BusPort::Serial { path: a, .. }, BusPort::Serial { path: b, .. }) => {
            a == b && !a.is_empty()
        }
        (BusPort::Tcp { address: a }, BusPort::Tcp { address: b }) => a == b && !a.is_empty(),
        (BusPort::Serial { .. }, BusPort::Tcp { .. })
        | (BusPort::Tcp { .. }, BusPort::Serial { .. }) => false,
    }
}

/// Keys that belong to the other kind of bus, and keys that this kind needs.
fn bus_keys(n: usize, bus: &Bus, sink: &mut Sink<'_>) {
    let kind = format!("bus[{n}].kind");
    let serial = bus.kind == BusKind::Rtu;
    let keys = [
        ("port", bus.port.is_some(), serial),
        ("baud", bus.baud.is_some(), serial),
        ("parity", bus.parity.is_some(), serial),
        ("stop_bits", bus.stop_bits.is_some(), serial),
        ("address", bus.address.is_some(), !serial),
    ];
    let word = if serial { "rtu" } else { "tcp" };
    for (name, present, wanted) in keys {
        let key = format!("bus[{n}].{name}");
        if wanted && !present {
            let message = format!("bus {:?} is {word} and has no `{name}`", bus.name);
            sink.enter_from(draft(key, message).allowed("the key"), &[&kind]);
        } else if present && !wanted {
            let message = format!("bus {:?} is {word} and cannot have `{name}`", bus.name);
            sink.enter_from(draft(key, message).allowed("no such key"), &[&kind]);
        }
    }
    for (name, present) in [("echo", bus.echo.is_some()), ("rs485", bus.rs485.is_some())] {
        if present && !serial {
            let message = format!("bus {:?} is {word} and cannot have `{name}`", bus.name);
            let fault = draft(format!("bus[{n}].{name}"), message).allowed("no such key");
            sink.enter_from(fault, &[&kind]);
        }
    }
    if let Some(address) = bus.address.as_ref().filter(|_| !serial) {
        let port = address.rsplit_once(':').and_then(|(host, port)| {
            port.parse::<u16>().ok().filter(|port| *port > 0 && !host.is_empty())
        });
        if port.is_none() {
            let fault = draft(format!("bus[{n}].address"), format!("`address` is {address:?}"));
            sink.enter_from(fault.allowed("host:port, such as 127.0.0.1:502"), &[&kind]);
        }
    }
}

pub(super) fn to_counts(mm: i64, counts_per_metre: u32) -> Distance {
    Distance(mm * i64::from(counts_per_metre) / 1_000)
}

/// Span of a chute's rate limit where the file gives none.
const RATE_SPAN_MS: u32 = 60_000;

fn millis(ms: u32) -> Micros {
    Micros::from_millis(u64::from(ms))
}

/// Builds the line from a file that has no fault.
pub(crate) fn line(
    file: LineFile,
    derived: &Derived,
    ports: Vec<BusPort>,
    screens: Screens,
    policies: Policies,
) -> Line {
    let builder = Builder::new(&file);
    let layout = builder.layout(derived);
    let polls = derived.polls.buses.iter();
    let buses = file.bus.iter().zip(polls).map(|(bus, plan)| builder.bus(bus, plan, derived));
    let buses = buses.collect();
    let limits = EngineLimits { stall: millis(file.timing.stall_ms), link: LinkLimits::default() };
    let names = file
        .chute
        .iter()
        .filter_map(|chute| chute.name_zh.clone().map(|name| (ChuteNo(chute.number), name)));
    Line {
        name: file.line.name.clone(),
        name_zh: file.line.name_zh.clone(),
        simulated: file.line.simulated,
        engine: EngineSetup { layout, buses, limits, door: super::waybill::door() },
        ports,
        polls: derived.polls.clone(),
        screens,
        policies,
        chute_names: names.collect(),
        file,
    }
}

/// The inputs of a diverter's node that are contacts of its chutes.
fn chute_contacts(diverter: &line_file::Diverter) -> [(u8, ChuteContact, Option<u16>); 6] {
    use points::diverter::{
        BUTTON_LEFT, BUTTON_RIGHT, FULL_LEFT, FULL_RIGHT, LOCK_LEFT, LOCK_RIGHT,
    };
    [
        (FULL_LEFT, ChuteContact::Full, diverter.left),
        (FULL_RIGHT, ChuteContact::Full, diverter.right),
        (LOCK_LEFT, ChuteContact::Lock, diverter.left),
        (LOCK_RIGHT, ChuteContact::Lock, diverter.right),
        (BUTTON_LEFT, ChuteContact::Button, diverter.left),
        (BUTTON_RIGHT, ChuteContact::Button, diverter.right),
    ]
}

/// What the pieces share: the sorter belt and its encoder.
struct Builder<'a> {
    file: &'a LineFile,
    encoder: &'a str,
    counts_per_metre: u32,
    speed: u32,
}

/// An index of the file as the small number of an id; the table of keys keeps lists below 256.
fn id(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX)
}

impl<'a> Builder<'a> {
    fn new(file: &'a LineFile) -> Self {
        let sorter = file.zone.last();
        let node = sorter.and_then(|zone| file.node.iter().find(|node| node.name == zone.node));
        let encoder = node.map_or("", |node| node.encoder.as_str());
        let found = file.encoder.iter().find(|e| e.name == encoder);
        Self {
            file,
            encoder,
            counts_per_metre: found.map_or(1_000, |e| e.counts_per_metre),
            speed: sorter.map_or(0, |zone| zone.speed_mm_s),
        }
    }

    fn counts(&self, mm: i64) -> Distance {
        to_counts(mm, self.counts_per_metre)
    }

    /// Counts of the belt from the induction eye along the path: wheels run faster than the belt, so
    /// that a bed takes fewer counts than its length.
    fn path(&self, mm: i32) -> Distance {
        let mm = i64::from(mm);
        let saved = self.file.diverter.iter().map(|diverter| {
            let length = i64::from(diverter.bed_length_mm);
            let on_bed = (mm - i64::from(diverter.bed_from_mm)).clamp(0, length);
            on_bed - on_bed * 1_000 / i64::from(diverter.wheel_ratio_permille)
        });
        self.counts(mm - saved.sum::<i64>())
    }

    fn node(&self, name: &str) -> NodeId {
        NodeId(id(self.file.node.iter().position(|node| node.name == name).unwrap_or_default()))
    }

    fn layout(&self, derived: &Derived) -> Layout {
        let file = self.file;
        let encoder = file.encoder.iter().position(|e| e.name == self.encoder);
        let mut chutes: Vec<ChutePlace> = file.chute.iter().filter_map(|c| self.chute(c)).collect();
        chutes.sort_by_key(|chute| chute.number);
        let beds = file.diverter.iter().zip(&derived.beds).enumerate();
        Layout {
            encoder: EncoderId(id(encoder.unwrap_or_default())),
            counts_per_metre: self.counts_per_metre,
            speed: MmPerSecond(self.speed),
            nodes: file.node.iter().map(|node| self.place(node)).collect(),
            zones: file.zone.iter().map(|zone| self.zone(zone)).collect(),
            eyes: self.eyes(),
            scanner: self.scanner(&file.scanner),
            rescanners: file.rescanner.iter().map(|place| self.scanner(place)).collect(),
            dws: file
                .dws
                .as_ref()
                .map(|dws| StationPlace { node: self.node(&dws.node), at: self.path(dws.at_mm) }),
            diverters: beds.map(|(n, (diverter, bed))| self.diverter(n, diverter, bed)).collect(),
            chutes,
            end: super::end::line_end(&file.end),
            panel: self.node(&file.panel.node),
            limits: self.limits(derived),
        }
    }

    fn scanner(&self, place: &line_file::Scanner) -> StationPlace {
        StationPlace { node: self.node(&place.node), at: self.path(place.at_mm) }
    }

    fn place(&self, node: &Node) -> NodePlace {
        let diverter = self.file.diverter.iter().position(|diverter| diverter.node == node.name);
        let duty = match (node.kind, diverter) {
            (NodeKind::Diverter, Some(n)) => Duty::Diverter(DiverterId(id(n))),
            (NodeKind::Dws, _) => Duty::Optional,
            (NodeKind::Scanner, _) if node.name != self.file.scanner.node => Duty::Optional,
            (NodeKind::Zone | NodeKind::Scanner | NodeKind::Panel | NodeKind::Diverter, _) => {
                Duty::Essential
            }
        };
        NodePlace { name: node.name.clone(), duty }
    }

    fn zone(&self, zone: &line_file::Zone) -> ZonePlace {
        ZonePlace {
            name: zone.name.clone(),
            node: self.node(&zone.node),
            speed: MmPerSecond(zone.speed_mm_s),
            gapping: zone.mode == ZoneMode::Gapping,
            transit: geometry::transit(zone),
        }
    }

    /// Induction, tunnel exit, arrival eyes, end eye.
    fn eyes(&self) -> Vec<EyePlace> {
        let file = self.file;
        let eyes = file.eye.iter().map(|eye| (&eye.node, eye.at_mm));
        let arrivals = file.diverter.iter().map(|d| (&d.node, d.eye_at_mm));
        let end = (&file.end.node, file.end.eye_at_mm);
        let all = eyes.chain(arrivals).chain([end]);
        all.map(|(node, at)| EyePlace { node: self.node(node), at: self.path(at) }).collect()
    }

    /// Index of the first arrival eye.
    fn first_arrival(&self) -> usize {
        self.file.eye.len()
    }

    fn diverter(&self, n: usize, diverter: &line_file::Diverter, bed: &Bed) -> DiverterPlace {
        DiverterPlace {
            name: diverter.name.clone(),
            node: self.node(&diverter.node),
            eye: EyeId(id(self.first_arrival() + n)),
            eye_to_bed: self.counts(bed.eye_to_bed),
            // The whole length, though the wheels take fewer counts for it: the bed must not return
            // under a parcel that slips.
            bed: self.counts(i64::from(diverter.bed_length_mm)),
            delay: self.counts(bed.delay),
            gap_before: self.counts(bed.gap_before),
            gap_after: self.counts(bed.gap_after),
            landing_from: self.counts(bed.landing_from),
            landing_to: self.counts(bed.landing_to),
        }
    }

    fn limits(&self, derived: &Derived) -> Limits {
        let (file, tracking) = (self.file, &self.file.tracking);
        Limits {
            prestart: millis(file.timing.prestart_ms),
            ramp: millis(file.timing.ramp_ms),
            lease: millis(geometry::lease(file)),
            arm_lead: millis(file.timing.arm_lead_ms),
            tolerance: self.counts(i64::from(tracking.tolerance_mm)),
            early_permille: tracking.early_permille,
            late_permille: tracking.late_permille,
            length_percent: tracking.length_percent,
            length_min: self.counts(i64::from(tracking.length_min_mm)),
            length_max: self.counts(i64::from(tracking.length_max_mm)),
            gap_target: self.counts(derived.gap_target),
            in_flight_max: tracking.in_flight_max,
            jam: millis(file.timing.jam_ms.unwrap_or(geometry::JAM_MS)),
            sleep: file.timing.sleep_s.map(|s| Micros::from_secs(s.into())),
            largest: geometry::largest(file),
        }
    }

    fn bus(&self, bus: &Bus, plan: &BusPlan, derived: &Derived) -> BusSetup {
        let nodes = self.file.node.iter().filter(|node| node.bus == bus.name);
        let stations: Vec<StationSetup> = nodes.map(|node| self.station(node, derived)).collect();
        let serial = bus.kind == BusKind::Rtu;
        BusSetup {
            name: bus.name.clone(),
            serial,
            baud: bus.baud.filter(|_| serial).unwrap_or_default(),
            owner: self.file.line.owner,
            poll_min: plan.period,
            answer_timeout: Micros::from_millis(u64::from(bus.answer_timeout_ms)),
            stations,
        }
    }

    fn station(&self, node: &Node, derived: &Derived) -> StationSetup {
        // Rounded up, so that nothing is called heard too early.
        let lag = (i64::from(self.speed) * i64::from(node.debounce_ms)).div_euclid(1_000) + 1;
        StationSetup {
            node: self.node(&node.name),
            unit: node.unit,
            kind: kind(node.kind),
            main_encoder: node.encoder == self.encoder,
            settings: self.settings(node, derived),
            inputs: self.inputs(node),
            scanner: rescanners::number(self.file, &node.name),
            horizon_lag: self.counts(lag).plus(Distance(1)),
        }
    }

    /// The settings block, one word for each setting of the kind in order of its registers.
    fn settings(&self, node: &Node, derived: &Derived) -> Vec<u16> {
        let file = self.file;
        let mut words = vec![node.lease_ms.unwrap_or(file.timing.lease_ms), node.debounce_ms];
        match node.kind {
            NodeKind::Zone => {
                let zone = file.zone.iter().find(|zone| zone.node == node.name);
                let mode = zone.map_or(ZoneMode::Transport, |zone| zone.mode);
                let lead = |mm: i64| self.counts(mm).clamp_u16();
                words.extend(match mode {
                    ZoneMode::Transport => [MODE_TRANSPORT, 0, 0],
                    ZoneMode::Accumulate => [MODE_ACCUMULATE, 0, 0],
                    ZoneMode::Gapping => {
                        [MODE_GAPPING, lead(derived.pass_lead), lead(derived.start_lead)]
                    }
                });
            }
            NodeKind::Scanner => words.push(rescanners::of(file, &node.name).read_wait_ms),
            NodeKind::Dws => words.extend(file.dws.as_ref().map(|dws| dws.result_wait_ms)),
            NodeKind::Diverter | NodeKind::Panel => {}
        }
        words
    }

    /// The roles of the node's inputs, by input id.
    fn inputs(&self, node: &Node) -> Vec<InputRole> {
        let file = self.file;
        let table = kind(node.kind).inputs();
        let mut roles = vec![InputRole::Ignored; table.len()];
        let mut set = |input: u8, role: InputRole| {
            if let Some(place) = roles.get_mut(usize::from(input)) {
                *place = role;
            }
        };
        match node.kind {
            NodeKind::Zone => {
                for (n, eye) in file.eye.iter().enumerate().filter(|(_, e)| e.node == node.name) {
                    let point = table.iter().find(|point| point.name == eye.input);
                    if let Some(point) = point {
                        set(point.id, InputRole::Eye(EyeId(id(n))));
                    }
                }
                if let Some(n) = geometry::gapping_zone(file, &node.name) {
                    set(points::zone::EYE_EXIT, InputRole::ZoneExit(ZoneId(id(n))));
                }
            }
            NodeKind::Diverter => {
                let mine = file.diverter.iter().enumerate().find(|(_, d)| d.node == node.name);
                if let Some((n, diverter)) = mine {
                    let eye = EyeId(id(self.first_arrival() + n));
                    set(points::diverter::EYE_ARRIVAL, InputRole::Eye(eye));
                    let sides = [
                        (points::diverter::EYE_LEFT, diverter.left),
                        (points::diverter::EYE_RIGHT, diverter.right),
                    ];
                    for (input, number) in sides {
                        if let Some(number) = number {
                            set(input, InputRole::Landing(ChuteNo(number)));
                        }
                    }
                    for (input, contact, number) in chute_contacts(diverter) {
                        let chute = file.chute.iter().find(|chute| Some(chute.number) == number);
                        let eye = chute.is_some_and(|chute| chute.full_delay_ms.is_some());
                        if let Some(chute) = chute.filter(|_| eye || contact != ChuteContact::Full)
                        {
                            set(input, InputRole::Chute(ChuteNo(chute.number), contact));
                        }
                    }
                }
            }
            NodeKind::Panel => {
                if file.panel.node == node.name {
                    set(points::panel::ESTOP_1, InputRole::Contact(Contact::Estop(1)));
                    set(points::panel::ESTOP_2, InputRole::Contact(Contact::Estop(2)));
                    set(points::panel::START, InputRole::Contact(Contact::Start));
                    set(points::panel::STOP, InputRole::Contact(Contact::Stop));
                    set(points::panel::RESET, InputRole::Contact(Contact::Reset));
                }
                if file.end.node == node.name {
                    let end = EyeId(id(self.first_arrival() + file.diverter.len()));
                    set(points::panel::EYE_END, InputRole::Eye(end));
                    set(points::panel::END_FULL, InputRole::Contact(Contact::EndFull));
                }
            }
            NodeKind::Scanner | NodeKind::Dws => {}
        }
        roles
    }
}
