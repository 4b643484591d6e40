//! Names: unique where they must be, known where they refer, each node with exactly one duty.

use super::fault::{Sink, draft};
use line_file::{BusKind, ChuteRole, EndKind, LineFile, NodeKind, ZoneMode};
use std::collections::BTreeMap;

/// Checks every name of the file.
pub(crate) fn check(file: &LineFile, sink: &mut Sink<'_>) {
    estops(file, sink);
    let encoders = unique(sink, "encoder", file.encoder.iter().map(|e| e.name.as_str()));
    let buses = unique(sink, "bus", file.bus.iter().map(|b| b.name.as_str()));
    let nodes = unique(sink, "node", file.node.iter().map(|n| n.name.as_str()));
    unique(sink, "zone", file.zone.iter().map(|z| z.name.as_str()));
    unique(sink, "eye", file.eye.iter().map(|e| e.name.as_str()));
    unique(sink, "diverter", file.diverter.iter().map(|d| d.name.as_str()));
    for (n, node) in file.node.iter().enumerate() {
        known(sink, &format!("node[{n}].bus"), "bus", &node.bus, &buses);
        known(sink, &format!("node[{n}].encoder"), "encoder", &node.encoder, &encoders);
    }
    units(file, sink);
    Duties { file, nodes, taken: BTreeMap::new(), sink }.check();
    belts(file, sink);
    wiring(file, sink);
    chutes(file, sink);
}

/// Emergency stops: each contact once, known zones, and no zone that none of them stops.
fn estops(file: &LineFile, sink: &mut Sink<'_>) {
    let zones: BTreeMap<&str, usize> =
        file.zone.iter().enumerate().map(|(n, zone)| (zone.name.as_str(), n)).collect();
    for (n, estop) in file.estop.iter().enumerate() {
        let key = format!("estop[{n}].contact");
        let first = file.estop.iter().position(|other| other.contact == estop.contact);
        if let Some(first) = first.filter(|first| *first < n) {
            let message = format!("contact {} has two names", estop.contact);
            let fault = draft(key, message).allowed("each contact once");
            sink.enter(fault.related(format!("estop[{first}].contact"), "first here"));
        }
        for (z, zone) in estop.zones.iter().enumerate() {
            known(sink, &format!("estop[{n}].zones[{z}]"), "zone", zone, &zones);
        }
    }
    for (n, zone) in file.zone.iter().enumerate().filter(|_| !file.estop.is_empty()) {
        if !file.estop.iter().any(|estop| estop.zones.contains(&zone.name)) {
            let message = format!("no emergency stop stops zone {:?}", zone.name);
            let fault = draft(format!("zone[{n}].name"), message);
            sink.enter_from(fault.allowed("in the zones of an estop"), &["estop[].zones"]);
        }
    }
}

/// Index by name; a name that occurs twice is a fault.
fn unique<'a>(
    sink: &mut Sink<'_>,
    table: &str,
    names: impl Iterator<Item = &'a str>,
) -> BTreeMap<&'a str, usize> {
    let mut seen = BTreeMap::new();
    for (n, name) in names.enumerate() {
        if let Some(first) = seen.get(name) {
            let fault =
                draft(format!("{table}[{n}].name"), format!("{table} {name:?} exists twice"))
                    .allowed("a name of its own")
                    .related(format!("{table}[{first}].name"), "first here");
            sink.enter(fault);
        } else {
            seen.insert(name, n);
        }
    }
    seen
}

/// The index of a name; an unknown name is a fault.
fn known(
    sink: &mut Sink<'_>,
    key: &str,
    what: &str,
    name: &str,
    index: &BTreeMap<&str, usize>,
) -> Option<usize> {
    let found = index.get(name).copied();
    if found.is_none() {
        let names: Vec<&str> = index.keys().copied().collect();
        sink.enter(draft(key, format!("there is no {what} {name:?}")).allowed(names.join(", ")));
        sink.poison(key);
    }
    found
}

/// A unit number is unique on its bus, and a bus without nodes is a slip.
fn units(file: &LineFile, sink: &mut Sink<'_>) {
    let mut seen: BTreeMap<(&str, u8), usize> = BTreeMap::new();
    for (n, node) in file.node.iter().enumerate() {
        let Some(first) = seen.get(&(node.bus.as_str(), node.unit)).copied() else {
            seen.insert((&node.bus, node.unit), n);
            continue;
        };
        let message = format!("unit {} exists twice on bus {:?}", node.unit, node.bus);
        let buses = [format!("node[{n}].bus"), format!("node[{first}].bus")];
        let fault = draft(format!("node[{n}].unit"), message)
            .allowed("1 to 247, each once on a bus")
            .related(format!("node[{first}].unit"), "first here");
        sink.enter_from(fault, &[&buses[0], &buses[1]]);
    }
    for (n, bus) in file.bus.iter().enumerate() {
        let nodes = file.node.iter().filter(|node| node.bus == bus.name).count();
        let most = if bus.kind == BusKind::Rtu { 32 } else { 64 };
        let key = format!("bus[{n}].name");
        if nodes == 0 || nodes > most {
            let message = format!("bus {:?} has {nodes} nodes", bus.name);
            let kind = format!("bus[{n}].kind");
            sink.enter_from(
                draft(key, message).allowed(format!("1 to {most}")),
                &["node[].bus", "node[].unit", &kind],
            );
        }
    }
}

/// Every key that gives a node its duty.
const REFERENCES: &[&str] = &[
    "zone[].node",
    "diverter[].node",
    "scanner.node",
    "rescanner[].node",
    "dws.node",
    "panel.node",
    "end.node",
    "node[].name",
];

/// Hands every node its duty, once.
struct Duties<'a, 'b, 'c> {
    file: &'a LineFile,
    nodes: BTreeMap<&'a str, usize>,
    taken: BTreeMap<usize, String>,
    sink: &'b mut Sink<'c>,
}

impl Duties<'_, '_, '_> {
    fn check(mut self) {
        let file = self.file;
        for (n, zone) in file.zone.iter().enumerate() {
            self.take(format!("zone[{n}].node"), &zone.node, NodeKind::Zone);
        }
        for (n, diverter) in file.diverter.iter().enumerate() {
            self.take(format!("diverter[{n}].node"), &diverter.node, NodeKind::Diverter);
        }
        self.take("scanner.node".to_owned(), &file.scanner.node, NodeKind::Scanner);
        for (n, place) in file.rescanner.iter().enumerate() {
            self.take(format!("rescanner[{n}].node"), &place.node, NodeKind::Scanner);
        }
        if let Some(dws) = &file.dws {
            self.take("dws.node".to_owned(), &dws.node, NodeKind::Dws);
        }
        self.take("panel.node".to_owned(), &file.panel.node, NodeKind::Panel);
        self.refer("end.node", &file.end.node, NodeKind::Panel);
        for (n, eye) in file.eye.iter().enumerate() {
            self.refer(&format!("eye[{n}].node"), &eye.node, NodeKind::Zone);
        }
        self.inputs();
        for (n, node) in file.node.iter().enumerate() {
            // The second of two nodes of one name is reported as such.
            let first = self.nodes.get(node.name.as_str()) == Some(&n);
            if first && !self.taken.contains_key(&n) && file.end.node != node.name {
                let message = format!("node {:?} has no duty: nothing refers to it", node.name);
                self.sink.enter_from(draft(format!("node[{n}].name"), message), REFERENCES);
            }
        }
    }

    /// The node that a key refers to, of the right kind.
    fn refer(&mut self, key: &str, name: &str, kind: NodeKind) -> Option<usize> {
        let found = known(self.sink, key, "node", name, &self.nodes)?;
        let node = self.file.node.get(found)?;
        if node.kind != kind {
            let fault = draft(key, format!("node {name:?} is no {} node", kind_name(kind)))
                .allowed(format!("a node of kind {}", kind_name(kind)))
                .related(format!("node[{found}].kind"), "its kind");
            self.sink.enter(fault);
            self.sink.poison(key);
            return None;
        }
        Some(found)
    }

    /// The same, for a duty that a node can have only once.
    fn take(&mut self, key: String, name: &str, kind: NodeKind) {
        let Some(found) = self.refer(&key, name, kind) else { return };
        if let Some(first) = self.taken.get(&found) {
            let fault = draft(key, format!("node {name:?} has two duties"))
                .allowed("a node of its own")
                .related(first.clone(), "first here");
            self.sink.enter(fault);
        } else {
            self.taken.insert(found, key);
        }
    }

    /// Two eyes cannot share one input.
    fn inputs(&mut self) {
        for (n, eye) in self.file.eye.iter().enumerate() {
            let first = self
                .file
                .eye
                .iter()
                .take(n)
                .position(|e| (&e.node, &e.input) == (&eye.node, &eye.input));
            if let Some(first) = first {
                let message = format!("input {:?} of node {:?} has two eyes", eye.input, eye.node);
                let fault = draft(format!("eye[{n}].input"), message)
                    .allowed("eye_a, eye_b, each once on a node")
                    .related(format!("eye[{first}].input"), "first here");
                self.sink.enter(fault);
            }
        }
    }
}

/// Every key that says who looks at which belt.
const BELTS: &[&str] = &["zone[].node", "eye[].node", "node[].name"];

/// Every node counts the encoder of the belt that its eyes look at.
fn belts(file: &LineFile, sink: &mut Sink<'_>) {
    let Some((sorter, before)) = file.zone.split_last() else { return };
    let encoder_of = |name: &str| file.node.iter().enumerate().find(|(_, node)| node.name == name);
    let Some((s, sorter)) = encoder_of(&sorter.node) else { return };
    let sorter_key = format!("node[{s}].encoder");
    for (n, node) in file.node.iter().enumerate() {
        let upstream = before.iter().any(|zone| zone.node == node.name);
        let eyes = file.eye.iter().any(|eye| eye.node == node.name);
        let key = format!("node[{n}].encoder");
        if upstream && eyes {
            let message = format!("node {:?} watches eyes of two belts", node.name);
            sink.enter_from(draft(format!("node[{n}].name"), message), BELTS);
        } else if upstream && node.encoder == sorter.encoder {
            let message =
                format!("node {:?} drives another belt than {:?}", node.name, node.encoder);
            let fault = draft(key, message)
                .allowed("the encoder of its own belt")
                .related(sorter_key.clone(), "the sorter belt's");
            sink.enter_from(fault, BELTS);
        } else if !upstream && node.encoder != sorter.encoder {
            let message = format!(
                "node {:?} looks at the sorter belt but counts {:?}",
                node.name, node.encoder
            );
            let fault = draft(key, message)
                .allowed(format!("{:?}", sorter.encoder))
                .related(sorter_key.clone(), "the sorter belt's");
            sink.enter_from(fault, BELTS);
        }
    }
}

/// READY is wired from the next zone, and an accumulating zone cannot do without.
fn wiring(file: &LineFile, sink: &mut Sink<'_>) {
    for (n, zone) in file.zone.iter().enumerate() {
        let key = format!("zone[{n}].wired_ready_from");
        let mode = format!("zone[{n}].mode");
        let next = file.zone.get(n + 1).map(|next| next.name.as_str());
        match (zone.wired_ready_from.as_deref(), next) {
            (Some(from), Some(next)) if from == next => {}
            (Some(from), Some(next)) => {
                let message = format!("READY comes from {from:?}, which is not the next zone");
                sink.enter(draft(key, message).allowed(format!("{next:?}")));
            }
            (Some(from), None) => {
                let message = format!("READY comes from {from:?} behind the last zone");
                sink.enter(draft(key, message).allowed("no key on the last zone"));
            }
            (None, Some(next)) if zone.mode == ZoneMode::Accumulate => {
                let message = format!("zone {:?} accumulates and has no READY wired", zone.name);
                sink.enter_from(draft(key, message).allowed(format!("{next:?}")), &[&mode]);
            }
            (None, _) => {}
        }
    }
}

/// Chutes: numbers once, each on one side of one diverter, the two exception chutes.
fn chutes(file: &LineFile, sink: &mut Sink<'_>) {
    let mut numbers: BTreeMap<u16, usize> = BTreeMap::new();
    for (n, chute) in file.chute.iter().enumerate() {
        if let Some(first) = numbers.get(&chute.number) {
            let message = format!("chute {} exists twice", chute.number);
            let fault = draft(format!("chute[{n}].number"), message)
                .allowed("each number once")
                .related(format!("chute[{first}].number"), "first here");
            sink.enter(fault);
        } else {
            numbers.insert(chute.number, n);
        }
    }
    let mut served: BTreeMap<u16, String> = BTreeMap::new();
    for (n, diverter) in file.diverter.iter().enumerate() {
        let sides = [("left", diverter.left), ("right", diverter.right)];
        if diverter.left.is_none() && diverter.right.is_none() {
            let message = format!("diverter {:?} has no chute", diverter.name);
            let fault = draft(format!("diverter[{n}]"), message).allowed("left, right or both");
            let sides = [format!("diverter[{n}].left"), format!("diverter[{n}].right")];
            sink.enter_from(fault, &[&sides[0], &sides[1]]);
        }
        for (side, number) in sides {
            let Some(number) = number else { continue };
            let key = format!("diverter[{n}].{side}");
            if !numbers.contains_key(&number) {
                let all: Vec<String> = numbers.keys().map(u16::to_string).collect();
                let fault = draft(key.clone(), format!("there is no chute {number}"));
                sink.enter_from(fault.allowed(all.join(", ")), &["chute[].number"]);
            }
            if let Some(first) = served.get(&number) {
                let fault = draft(key, format!("chute {number} is used twice"))
                    .allowed("each chute on one side of one diverter")
                    .related(first.clone(), "first here");
                sink.enter(fault);
            } else {
                served.insert(number, key);
            }
        }
    }
    for (number, n) in &numbers {
        if !served.contains_key(number) {
            let fault =
                draft(format!("chute[{n}].number"), format!("no diverter serves chute {number}"))
                    .allowed("named by `left` or `right` of one diverter");
            sink.enter_from(fault, &["diverter[].left", "diverter[].right"]);
        }
    }
    roles(file, sink);
}

/// With fewer chutes the end chute takes exceptions and what is quarantined, so that there is
/// something to sort into.
const CHUTES_WITH_ROLES: usize = 3;

fn roles(file: &LineFile, sink: &mut Sink<'_>) {
    let wanted = [
        (ChuteRole::GeneralExceptions, "general_exceptions"),
        (ChuteRole::Quarantine, "quarantine"),
    ];
    for (role, name) in wanted {
        let mut with = file.chute.iter().enumerate().filter(|(_, chute)| chute.role == role);
        let Some((first, _)) = with.next() else {
            // What comes back from the end needs a place to end.
            let back = file.end.kind == Some(EndKind::Return);
            let needed = back && role == ChuteRole::GeneralExceptions;
            if needed || file.chute.len() >= CHUTES_WITH_ROLES {
                let fault = draft("chute", format!("no chute has the role {name}"));
                let inputs = ["chute[].role", "end.kind"];
                sink.enter_from(fault.allowed("exactly one"), &inputs);
            }
            continue;
        };
        for (n, _) in with {
            let fault =
                draft(format!("chute[{n}].role"), format!("a second chute has the role {name}"))
                    .allowed("exactly one")
                    .related(format!("chute[{first}].role"), "first here");
            sink.enter(fault);
        }
    }
    if !file.chute.iter().any(|chute| chute.role == ChuteRole::Sort) {
        let fault = draft("chute", "no chute has the role sort").allowed("at least one");
        sink.enter_from(fault, &["chute[].role"]);
    }
}

/// The word of the file.
const fn kind_name(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Zone => "zone",
        NodeKind::Diverter => "diverter",
        NodeKind::Scanner => "scanner",
        NodeKind::Dws => "dws",
        NodeKind::Panel => "panel",
    }
}
