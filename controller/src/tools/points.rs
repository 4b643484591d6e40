//! The point check: each change of an input with its name and its terminal.
//!
//! Beside a controller the ring events tell every edge with the node's own count and milliseconds;
//! alone the status block tells the levels at the poll.

use std::collections::{BTreeMap, BTreeSet};

use line_file::LineFile;
use registers::event::Event;
use registers::map::{EVENTS, IDENTITY, STATUS};
use registers::{NodeKind, points};
use serde_json::{Value, json};
use units::{Micros, Serial};

use super::identity::Identity;
use super::names;
use super::target::Target;
use crate::bus::tap::Tapped;

/// First register of the status block's levels, counted from its beginning.
const STATUS_INPUTS: usize = 8;

/// Where an input is wired, as the line file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Label {
    /// Name of the eye.
    pub(super) eye: Option<String>,
    /// Equipment tag.
    pub(super) tag: Option<String>,
    /// Terminal.
    pub(super) terminal: Option<String>,
}

/// One change of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Number of this change, from 1.
    pub(super) number: u64,
    /// When the host learned of it.
    pub(super) at: Micros,
    /// Name of the node, or bus and unit.
    pub(super) node: String,
    /// Name of the input.
    pub(super) input: String,
    /// Its new level.
    pub(super) active: bool,
    /// Where it is wired.
    pub(super) label: Label,
    /// The node's count and milliseconds, when an event told.
    pub(super) edge: Option<(u32, u32)>,
}

impl Change {
    /// The change for programs; `since` is the beginning of the watch.
    pub(super) fn json(&self, since: Micros, before: Option<Micros>) -> Value {
        json!({
            "change": self.number,
            "t_ms": self.at.since(since).millis(),
            "after_ms": before.map(|before| self.at.since(before).millis()),
            "node": self.node,
            "input": self.input,
            "active": self.active,
            "eye": self.label.eye,
            "tag": self.label.tag,
            "terminal": self.label.terminal,
            "count": self.edge.map(|(count, _)| count),
            "node_ms": self.edge.map(|(_, ms)| ms),
        })
    }

    /// The change in one line.
    pub(super) fn line(&self, since: Micros, before: Option<Micros>) -> String {
        let t = self.at.since(since).millis();
        let after = before.map_or(String::new(), |at| format!("+{}", self.at.since(at).millis()));
        let level = if self.active { "ON " } else { "off" };
        let parts = [&self.label.tag, &self.label.terminal, &self.label.eye];
        let label: Vec<&str> = parts.iter().filter_map(|part| part.as_deref()).collect();
        let edge =
            self.edge.map_or(String::new(), |(count, ms)| format!("count {count}, node {ms} ms"));
        format!(
            "{:>5} {t:>8} ms {after:>8}  {:<10} {:<17} {level}  {:<26} {edge}",
            self.number,
            self.node,
            self.input,
            label.join(" ")
        )
    }
}

#[derive(Clone, Debug, Default)]
struct Levels {
    known: u16,
    bits: u16,
    /// Boot id and the number of the next event that is news.
    next: Option<(u16, u16)>,
}

/// Follows the inputs of every node.
#[derive(Clone, Debug)]
pub(super) struct Points {
    names: BTreeMap<(u16, u8), String>,
    kinds: BTreeMap<(u16, u8), NodeKind>,
    labels: BTreeMap<(String, String), Label>,
    levels: BTreeMap<(u16, u8), Levels>,
    number: u64,
}

impl Points {
    /// Builds the follower from what is known of the buses.
    pub(super) fn new(targets: &[Target], file: Option<&LineFile>) -> Self {
        let mut names = BTreeMap::new();
        let mut kinds = BTreeMap::new();
        for target in targets {
            for node in &target.nodes {
                names.insert((target.index, node.unit), node.name.clone());
                kinds.insert((target.index, node.unit), node.kind);
            }
        }
        let labels = file.map(labels).unwrap_or_default();
        Self { names, kinds, labels, levels: BTreeMap::new(), number: 0 }
    }

    /// The kind of a node, when it is known.
    pub(super) fn kind(&self, bus: u16, unit: u8) -> Option<NodeKind> {
        self.kinds.get(&(bus, unit)).copied()
    }

    /// Takes an answer to `request`; returns the changes that it tells.
    pub(super) fn answer(&mut self, tapped: &Tapped, request: &[u8]) -> Vec<Change> {
        let Some(&[0x03 | 0x04 | 0x17, _, ref data @ ..]) = tapped.pdu() else { return Vec::new() };
        let &[_, high, low, ..] = request else { return Vec::new() };
        let words: Vec<u16> =
            data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        match u16::from_be_bytes([high, low]) {
            IDENTITY => {
                if let Some(Ok(kind)) = Identity::parse(&words).map(|identity| identity.kind) {
                    self.kinds.insert((tapped.bus, tapped.unit), kind);
                }
                Vec::new()
            }
            STATUS => self.status(tapped, &words),
            EVENTS => self.events(tapped, &words),
            _ => Vec::new(),
        }
    }

    fn status(&mut self, tapped: &Tapped, words: &[u16]) -> Vec<Change> {
        let key = (tapped.bus, tapped.unit);
        let Some(&bits) = words.get(STATUS_INPUTS) else { return Vec::new() };
        let levels = self.levels.entry(key).or_default();
        // Events tell each edge in order; a status beside them may be newer or older.
        if levels.next.is_some() {
            return Vec::new();
        }
        let changed = (levels.bits ^ bits) & levels.known;
        levels.bits = bits;
        levels.known = u16::MAX;
        let inputs = (0..16_u8).filter(|input| changed >> input & 1 == 1);
        let inputs: Vec<u8> = inputs.collect();
        inputs
            .into_iter()
            .map(|input| self.change(tapped, input, bits >> input & 1 == 1, None))
            .collect()
    }

    fn events(&mut self, tapped: &Tapped, words: &[u16]) -> Vec<Change> {
        let Some((head, entries)) = names::entries(words) else { return Vec::new() };
        let levels = self.levels.entry((tapped.bus, tapped.unit)).or_default();
        // Entries that the host has not acknowledged come again.
        let next = match levels.next {
            Some((boot, next)) if boot == head.boot_id => Serial(next),
            Some(_) | None => head.first,
        };
        let mut edges = Vec::new();
        let mut after = next;
        for (number, event) in entries {
            let past = Serial(number.wrapping_add(event.numbers()));
            if after.0 == past.0 || past.0.wrapping_sub(after.0) > 0x8000 {
                continue;
            }
            after = past;
            if let Event::Edge { input, active, at } = event {
                edges.push((input, active, (at.count.0, at.ms.0)));
            }
        }
        levels.next = Some((head.boot_id, after.0));
        let edges = edges.into_iter();
        edges.map(|(input, active, edge)| self.change(tapped, input, active, Some(edge))).collect()
    }

    fn change(
        &mut self,
        tapped: &Tapped,
        input: u8,
        active: bool,
        edge: Option<(u32, u32)>,
    ) -> Change {
        self.number += 1;
        let key = (tapped.bus, tapped.unit);
        let input = match self.kinds.get(&key) {
            Some(kind) => names::input_name(*kind, input),
            None => format!("input {input}"),
        };
        let node = self.names.get(&key).cloned();
        let node = node.unwrap_or_else(|| format!("unit {}", tapped.unit));
        let label = self.labels.get(&(node.clone(), input.clone())).cloned().unwrap_or_default();
        Change { number: self.number, at: tapped.at, node, input, active, label, edge }
    }

    /// Inputs of known nodes that have not changed yet, as `node input`.
    pub(super) fn untouched(&self, touched: &BTreeSet<(String, String)>) -> Vec<String> {
        let mut left = Vec::new();
        for (key, kind) in &self.kinds {
            let Some(name) = self.names.get(key) else { continue };
            for point in kind.inputs() {
                if !touched.contains(&(name.clone(), point.name.to_owned())) {
                    left.push(format!("{name} {}", point.name));
                }
            }
        }
        left
    }
}

/// Tags and terminals of the line file by node and input.
fn labels(file: &LineFile) -> BTreeMap<(String, String), Label> {
    let arrival = registers::points::diverter::EYE_ARRIVAL;
    let arrival = points::diverter::INPUTS.iter().find(|point| point.id == arrival);
    let arrival = arrival.map(|point| point.name).unwrap_or_default();
    let eyes = file.eye.iter().map(|eye| {
        let label = Label {
            eye: Some(eye.name.clone()),
            tag: eye.tag.clone(),
            terminal: eye.terminal.clone(),
        };
        ((eye.node.clone(), eye.input.clone()), label)
    });
    let diverters = file.diverter.iter().map(|diverter| {
        let label =
            Label { eye: None, tag: diverter.tag.clone(), terminal: diverter.terminal.clone() };
        ((diverter.node.clone(), arrival.to_owned()), label)
    });
    eyes.chain(diverters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::tap::{What, Wire};
    use crate::tools::target::{self, Known};
    use modbus::mbap;
    use registers::event::At;
    use registers::exchange::{EventsHead, Verdict};
    use registers::{Writer, check};
    use units::{Counts, Millis};

    fn points() -> Points {
        let text = include_str!("../../examples/factory-line.toml");
        let file = LineFile::parse(text).expect("the example");
        let target = Target {
            index: 0,
            name: "field".to_owned(),
            wire: target::Wire::Tcp { address: String::new() },
            timeout: Micros::ZERO,
            nodes: vec![
                Known { name: "Z3".to_owned(), kind: NodeKind::Zone, unit: 3 },
                Known { name: "D1".to_owned(), kind: NodeKind::Diverter, unit: 11 },
            ],
            described: true,
        };
        Points::new(&[target], Some(&file))
    }

    fn answer(unit: u8, words: &[u16]) -> Tapped {
        let data: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let pdu = [&[0x03, u8::try_from(data.len()).expect("short")], &data[..]].concat();
        let mut bytes = vec![0; 300];
        let frame = mbap::Frame { transaction: 0, unit, pdu: &pdu };
        let len = mbap::encode(frame, &mut bytes).expect("fits");
        bytes.truncate(len);
        let (at, wire, what) = (Micros::from_millis(1_500), Wire::Tcp, What::Answer);
        Tapped { at, utc_us: 0, bus: 0, wire, unit, what, bytes }
    }

    fn status(inputs: u16) -> Vec<u16> {
        let mut words = vec![0; 26];
        words[STATUS_INPUTS] = inputs;
        words
    }

    const READ_STATUS: [u8; 5] = [0x03, 0x03, 0x00, 0, 26];
    const READ_EVENTS: [u8; 5] = [0x03, 0x02, 0x00, 0, 28];

    #[test]
    fn levels_of_the_status_become_changes_with_their_terminals() {
        let mut points = points();
        assert!(points.answer(&answer(3, &status(0)), &READ_STATUS).is_empty(), "the first look");
        let changes = points.answer(&answer(3, &status(0b110)), &READ_STATUS);
        let told: Vec<_> = changes.iter().map(|c| (c.number, c.input.as_str(), c.active)).collect();
        assert_eq!(told, [(1, "eye_a", true), (2, "eye_b", true)]);
        assert_eq!(changes[0].label.terminal.as_deref(), Some("CAB1-X2:1"));
        assert_eq!(changes[0].label.tag.as_deref(), Some("PE-IND"));
        let changes = points.answer(&answer(3, &status(0b100)), &READ_STATUS);
        assert_eq!((changes.len(), changes[0].active), (1, false));
        let line = changes[0].line(Micros::from_secs(1), Some(Micros::from_millis(1_460)));
        assert!(line.contains("500 ms") && line.contains("+40") && line.contains("Z3"), "{line}");
        let touched = BTreeSet::from([("Z3".to_owned(), "eye_a".to_owned())]);
        let left = points.untouched(&touched);
        assert!(!left.contains(&"Z3 eye_a".to_owned()) && left.contains(&"D1 home".to_owned()));
    }

    fn events(first: u16, edges: &[(u8, bool)]) -> Vec<u16> {
        let mut words = vec![0; 28];
        let mut used = 8;
        for (n, (input, active)) in (0_u32..).zip(edges) {
            let at = At { count: Counts(100 + n), ms: Millis(n) };
            let event = Event::Edge { input: *input, active: *active, at };
            used += event.encode(&mut words[used..]).expect("fits");
        }
        let head = EventsHead {
            token: 0,
            boot_id: 5,
            first: Serial(first),
            count: u8::try_from(edges.len()).expect("few"),
            more: false,
            overflowed: false,
            last_command: Serial(0),
            verdict: Verdict::None,
            encoder: Counts(0),
        };
        head.encode(&mut Writer::new(&mut words[..8]));
        check::seal(11, 0, &mut words);
        words
    }

    #[test]
    fn events_are_told_once_although_they_are_read_again() {
        let mut points = points();
        let mut take = |first, edges: &[(u8, bool)]| {
            let changes = points.answer(&answer(11, &events(first, edges)), &READ_EVENTS);
            changes.iter().map(|c| (c.input.clone(), c.active)).collect::<Vec<_>>()
        };
        let arrival = |active| ("eye_arrival".to_owned(), active);
        assert_eq!(take(65_535, &[(0, true)]), [arrival(true)]);
        assert_eq!(take(65_535, &[(0, true), (0, false)]), [arrival(false)], "over the wrap");
        assert_eq!(take(65_535, &[(0, true), (0, false)]), []);
        assert_eq!(take(1, &[]), []);
        assert_eq!(take(1, &[(0, true)]), [arrival(true)]);
        let change = points.answer(&answer(11, &status(0b1000)), &READ_STATUS);
        assert!(change.is_empty(), "where events tell, the status does not");
    }
}
