//! What passes on the wires, in figures: load, rates, latencies, errors, health.
//!
//! A pure function of the frames and their instants; nothing is asked for.

use std::collections::{BTreeMap, VecDeque};

use modbus::rtu::Timing;
use registers::address::UNITS;
use serde_json::{Value, json};
use units::Micros;

use super::target::{Target, Wire};
use crate::bus::tap::{Tapped, What};

/// Load and rates are those of the last seconds.
const WINDOW: Micros = Micros::from_secs(5);
/// Latencies kept of each bus and node: the newest.
const LATENCIES_MAX: usize = 1_024;
/// Exchanges that health looks back on.
const HEALTH_EXCHANGES: usize = 16;
/// Failures in a row that make a node offline.
const OFFLINE_FAILURES: usize = 3;

/// How a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It was not asked yet.
    Unknown,
    /// Each of the last exchanges was answered.
    Ok,
    /// Some were not.
    Degraded,
    /// The last ones were not.
    Offline,
}

impl Health {
    /// The name in JSON and on the screen.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Offline => "offline",
        }
    }
}

/// Latencies of the newest exchanges, from a request to its answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies(VecDeque<u64>);

impl Latencies {
    fn push(&mut self, latency: Micros) {
        if self.0.len() == LATENCIES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(latency.0);
    }

    /// Median, 99th percentile and greatest, in µs; `None` before the first answer.
    pub(super) fn figures(&self) -> Option<[u64; 3]> {
        let mut sorted: Vec<u64> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        Some([sorted[last / 2], sorted[last * 99 / 100], sorted[last]])
    }

    fn json(&self) -> Value {
        self.figures()
            .map_or(Value::Null, |[p50, p99, max]| json!({ "p50": p50, "p99": p99, "max": max }))
    }
}

/// The figures of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeMeter {
    /// Requests to it.
    pub(super) exchanges: u64,
    /// Requests after one that was not answered.
    pub(super) retries: u64,
    /// Exceptions among its answers.
    pub(super) exceptions: u64,
    /// Everything else by what it was.
    counts: BTreeMap<What, u64>,
    /// From request to answer.
    pub(super) latencies: Latencies,
    /// Whether each of the newest exchanges was answered.
    recent: VecDeque<bool>,
}

impl NodeMeter {
    /// How often `what` occurred.
    pub(super) fn count(&self, what: What) -> u64 {
        self.counts.get(&what).copied().unwrap_or_default()
    }

    /// How it answers.
    pub(super) fn health(&self) -> Health {
        let failures = self.recent.iter().filter(|answered| !**answered).count();
        let row = self.recent.iter().rev().take_while(|answered| !**answered).count();
        match (self.recent.len(), failures, row) {
            (0, ..) => Health::Unknown,
            (_, _, row) if row >= OFFLINE_FAILURES => Health::Offline,
            (_, 0, _) => Health::Ok,
            _ => Health::Degraded,
        }
    }

    fn ended(&mut self, answered: bool) {
        if self.recent.len() == HEALTH_EXCHANGES {
            self.recent.pop_front();
        }
        self.recent.push_back(answered);
    }
}

/// The figures of one bus.
#[derive(Clone, Debug)]
pub(super) struct BusMeter {
    /// Its name.
    pub(super) name: String,
    timing: Option<Timing>,
    since: Option<Micros>,
    /// Instant, time that the wire was taken, whether it began an exchange.
    recent: VecDeque<(Micros, Micros, bool)>,
    asked: Option<(u8, Micros)>,
    /// From request to answer.
    pub(super) latencies: Latencies,
    /// Its nodes by unit.
    pub(super) nodes: BTreeMap<u8, NodeMeter>,
}

impl BusMeter {
    /// Share of the last seconds in which the wire was taken, in per mille: of a serial line by
    /// frames and the silences around them, of a TCP connection by requests that wait.
    pub(super) fn load_permille(&self, now: Micros) -> u64 {
        let taken: u64 = self.inside(now).map(|(_, taken, _)| taken.0).fold(0, u64::saturating_add);
        let span = self.span(now).0;
        taken.saturating_mul(1_000).checked_div(span).unwrap_or_default().min(1_000)
    }

    /// Exchanges a second, in tenths.
    pub(super) fn rate_tenths(&self, now: Micros) -> u64 {
        let begun = self.inside(now).filter(|(_, _, begins)| *begins).count();
        let span = self.span(now).0;
        let begun = u64::try_from(begun).unwrap_or(u64::MAX).saturating_mul(10_000_000);
        begun.checked_div(span).unwrap_or_default()
    }

    fn inside(&self, now: Micros) -> impl Iterator<Item = &(Micros, Micros, bool)> {
        self.recent.iter().filter(move |(at, _, _)| now.since(*at) <= WINDOW)
    }

    fn span(&self, now: Micros) -> Micros {
        self.since.map_or(Micros::ZERO, |since| now.since(since).min(WINDOW))
    }

    fn note(&mut self, at: Micros, taken: Micros, begins: bool) {
        self.recent.push_back((at, taken, begins));
        while self.recent.front().is_some_and(|(old, _, _)| at.since(*old) > WINDOW) {
            self.recent.pop_front();
        }
    }

    fn take(&mut self, tapped: &Tapped) {
        let Tapped { at, unit, what, ref bytes, .. } = *tapped;
        self.since.get_or_insert(at);
        let on_wire = self.timing.map_or(Micros::ZERO, |timing| {
            if bytes.is_empty() {
                Micros::ZERO
            } else {
                timing.wire_time(bytes.len()).plus(timing.silence())
            }
        });
        if what == What::Request {
            self.note(at, on_wire, true);
            self.asked = Some((unit, at));
            if unit != 0 {
                let node = self.nodes.entry(unit).or_default();
                node.exchanges += 1;
                node.retries += u64::from(node.recent.back() == Some(&false));
            }
            return;
        }
        let waited = self.asked.map_or(Micros::ZERO, |(_, asked)| at.since(asked));
        let ends = matches!(what, What::Answer | What::Timeout | What::Lost);
        let taken = match self.timing {
            Some(_) => on_wire,
            None if ends => waited,
            None => Micros::ZERO,
        };
        self.note(at, taken, false);
        // What is heard after a broadcast is nobody's.
        if unit == 0 {
            return;
        }
        let node = self.nodes.entry(unit).or_default();
        *node.counts.entry(what).or_default() += 1;
        match what {
            What::Answer => {
                node.ended(true);
                node.latencies.push(waited);
                let refused = tapped.pdu().and_then(<[u8]>::first).is_some_and(|f| f & 0x80 != 0);
                node.exceptions += u64::from(refused);
                self.latencies.push(waited);
            }
            What::Timeout | What::Lost => node.ended(false),
            What::Request
            | What::Crc
            | What::Late
            | What::Duplicate
            | What::Foreign
            | What::Mismatch
            | What::Echo => {}
        }
        if ends {
            self.asked = None;
        }
    }
}

/// The figures of every bus.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    /// Buses by their index in the line file.
    pub(super) buses: BTreeMap<u16, BusMeter>,
}

impl Meter {
    /// Builds the meter of these buses; their nodes are shown from the beginning.
    pub(super) fn new(targets: &[Target]) -> Self {
        let bus = |target: &Target| BusMeter {
            name: target.name.clone(),
            timing: match &target.wire {
                Wire::Serial { line, .. } => {
                    Some(Timing { baud: line.baud, bits_per_char: line.bits_per_char() })
                }
                Wire::Tcp { .. } => None,
            },
            since: None,
            recent: VecDeque::new(),
            asked: None,
            latencies: Latencies::default(),
            nodes: target.nodes.iter().map(|node| (node.unit, NodeMeter::default())).collect(),
        };
        Self { buses: targets.iter().map(|target| (target.index, bus(target))).collect() }
    }

    /// Takes one frame; one of a bus that is not known, or the probe for an echo, counts nowhere.
    pub(super) fn take(&mut self, tapped: &Tapped) {
        if !UNITS.contains(&tapped.unit) && tapped.unit != 0 {
            return;
        }
        if let Some(bus) = self.buses.get_mut(&tapped.bus) {
            bus.take(tapped);
        }
    }

    /// The figures for programs.
    pub(super) fn json(&self, now: Micros, call: impl Fn(u16, u8) -> Option<String>) -> Value {
        let buses = self.buses.values().map(|bus| {
            json!({
                "bus": bus.name,
                "load_permille": bus.load_permille(now),
                "exchanges_per_10_s": bus.rate_tenths(now),
                "latency_us": bus.latencies.json(),
            })
        });
        let nodes = self.buses.iter().flat_map(|(index, bus)| {
            let call = &call;
            bus.nodes.iter().map(move |(unit, node)| {
                json!({
                    "node": call(*index, *unit),
                    "bus": bus.name,
                    "unit": unit,
                    "health": node.health().name(),
                    "exchanges": node.exchanges,
                    "answers": node.count(What::Answer),
                    "retries": node.retries,
                    "exceptions": node.exceptions,
                    "timeouts": node.count(What::Timeout),
                    "lost": node.count(What::Lost),
                    "crc": node.count(What::Crc),
                    "late": node.count(What::Late),
                    "duplicate": node.count(What::Duplicate),
                    "foreign": node.count(What::Foreign),
                    "mismatch": node.count(What::Mismatch),
                    "echo": node.count(What::Echo),
                    "latency_us": node.latencies.json(),
                })
            })
        });
        json!({ "buses": buses.collect::<Vec<_>>(), "nodes": nodes.collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::tap;
    use crate::tools::target::Settings;
    use line_file::Parity;

    fn meter() -> Meter {
        Meter::new(&[Target {
            index: 2,
            name: "field".to_owned(),
            wire: Wire::Serial {
                path: "/dev/x".to_owned(),
                line: Settings { baud: 115_200, parity: Parity::Even, stop_bits: 1 },
                turnaround: Micros::ZERO,
                echo: line_file::EchoMode::Absent,
                rs485: line_file::Rs485::Auto,
            },
            timeout: Micros::from_millis(50),
            nodes: Vec::new(),
            described: true,
        }])
    }

    fn tapped(at_ms: u64, unit: u8, what: What, len: usize) -> Tapped {
        Tapped {
            at: Micros::from_millis(at_ms),
            utc_us: 0,
            bus: 2,
            wire: tap::Wire::Serial,
            unit,
            what,
            bytes: vec![0; len],
        }
    }

    #[test]
    fn load_rate_latency_and_errors_are_those_of_the_frames() {
        let mut meter = meter();
        // One exchange each 10 ms: 31 bytes out, 61 back, 92 characters of 95.5 µs and two
        // silences of 1.75 ms: 12.3 of 100 ms.
        for n in 0..20 {
            meter.take(&tapped(100 * n, 7, What::Request, 31));
            let what = if n % 10 == 3 { What::Timeout } else { What::Answer };
            let len = if what == What::Answer { 61 } else { 0 };
            meter.take(&tapped(100 * n + 8 + n % 2, 7, what, len));
        }
        let now = Micros::from_millis(2_000);
        let bus = &meter.buses[&2];
        assert_eq!(bus.rate_tenths(now), 100, "ten a second");
        assert_eq!(bus.load_permille(now), 115, "two answers are missing");
        assert_eq!(bus.latencies.figures(), Some([8_000, 9_000, 9_000]));
        let node = &bus.nodes[&7];
        assert_eq!((node.exchanges, node.retries, node.count(What::Timeout)), (20, 2, 2));
        assert_eq!(node.health(), Health::Degraded);
        let json = meter.json(now, |_, _| Some("D1".to_owned()));
        assert_eq!(json["nodes"][0]["node"], "D1");
        assert_eq!(json["nodes"][0]["timeouts"], 2);
        assert_eq!(bus.rate_tenths(Micros::from_secs(60)), 0, "nothing lately");
    }

    #[test]
    fn health_follows_the_last_exchanges() {
        let mut node = NodeMeter::default();
        assert_eq!(node.health(), Health::Unknown);
        node.ended(true);
        assert_eq!(node.health(), Health::Ok);
        for expected in [Health::Degraded, Health::Degraded, Health::Offline] {
            node.ended(false);
            assert_eq!(node.health(), expected);
        }
        node.ended(true);
        assert_eq!(node.health(), Health::Degraded);
        (0..HEALTH_EXCHANGES).for_each(|_| node.ended(true));
        assert_eq!(node.health(), Health::Ok);
    }
}
