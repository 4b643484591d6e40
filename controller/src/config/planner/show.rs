//! The plan for people and for programs.

use super::plan::{BusPlan, NodePlan, Path, Plan};
use super::refuse::grouped;
use crate::config::rescanners::Rescan;
use serde_json::{Value, json};
use std::fmt::{self, Write as _};
use units::Micros;

/// Milliseconds with one digit behind the point.
fn ms(span: Micros) -> String {
    let tenths = span.0.div_ceil(100);
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

fn permille(part: u64, whole: u64) -> String {
    let share = part * 1_000 / whole.max(1);
    format!("{}.{} %", share / 10, share % 10)
}

impl Plan {
    /// The plan as one JSON object; times in microseconds.
    pub fn to_json(&self) -> Value {
        let rescans = self.rescans.iter().map(|rescan| {
            json!({ "node": rescan.node, "at_mm": rescan.at_mm, "sorts_from": rescan.first })
        });
        let paths = self.paths.iter().map(|path| {
            json!({
                "diverter": path.diverter,
                "bus": self.buses.get(path.bus).map(|bus| &bus.name),
                "way_mm": path.way_mm,
                "have_us": path.have.0,
                "host_us": path.host.0,
                "wire_us": path.wire.0,
                "total_us": path.total().0,
                "cycle_max_us": path.cycle_max.0,
            })
        });
        json!({
            "buses": self.buses.iter().map(bus_json).collect::<Vec<_>>(),
            "paths": paths.collect::<Vec<_>>(),
            "rescans": rescans.collect::<Vec<_>>(),
        })
    }

    fn bus_lines(&self, n: usize, bus: &BusPlan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = bus.baud.map_or("TCP".to_owned(), |baud| format!("{baud} baud"));
        let worst = self.paths.iter().filter(|path| path.bus == n).min_by_key(|p| p.cycle_max);
        let mut allows = String::new();
        if let Some(path) = worst {
            let share = permille(bus.cycle_worst.0, path.cycle_max.0);
            write!(allows, "; {} allows {} ms ({share})", path.diverter, ms(path.cycle_max))?;
        }
        writeln!(
            f,
            "bus        {}: {wire}, {} nodes, cycle {} ms, with status {} ms{allows}; needs {} of its time",
            bus.name,
            bus.nodes.len(),
            ms(bus.cycle),
            ms(bus.cycle_worst),
            permille(bus.load_permille, 1_000),
        )?;
        writeln!(
            f,
            "           {:<12} {:>4} {:<9} {:<7} {:>3} {:>3} {:>5} {:>11} {:>11} {:>13}",
            "node",
            "unit",
            "kind",
            "block",
            "W",
            "R",
            "bytes",
            "exchange ms",
            "period ms",
            "ring need/has"
        )?;
        bus.nodes.iter().try_for_each(|node| node_lines(node, f))
    }
}

fn node_lines(node: &NodePlan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (n, block) in node.blocks.iter().enumerate() {
        let (name, unit, kind) = if n == 0 {
            (node.name.as_str(), node.unit.to_string(), node.kind.name())
        } else {
            ("", String::new(), "")
        };
        let ring = format!("{}/{}", grouped(node.ring.need), grouped(node.ring.holds));
        writeln!(
            f,
            "           {name:<12} {unit:>4} {kind:<9} {:<7} {:>3} {:>3} {:>5} {:>11} {:>11} {:>13}",
            block.name,
            block.write,
            block.read,
            block.bytes,
            ms(block.exchange),
            ms(block.period),
            if n == 0 { ring.as_str() } else { "" },
        )?;
    }
    Ok(())
}

fn rescan_line(rescan: &Rescan, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Rescan { node, at_mm, first } = rescan;
    match first {
        Some(first) => writeln!(f, "re-scan    {node} at {at_mm} mm: sorts from {first} on"),
        None => writeln!(f, "re-scan    {node} at {at_mm} mm: only checks"),
    }
}

fn path_line(path: &Path, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "path       scanner to {}: {} ms on the wires + {} ms read, route and disk = {} ms; {} mm of belt give {} ms",
        path.diverter,
        ms(path.wire),
        ms(path.host),
        ms(path.total()),
        path.way_mm,
        ms(path.have),
    )
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, bus) in self.buses.iter().enumerate() {
            self.bus_lines(n, bus, f)?;
        }
        self.paths.iter().try_for_each(|path| path_line(path, f))?;
        self.rescans.iter().try_for_each(|rescan| rescan_line(rescan, f))
    }
}

fn bus_json(bus: &BusPlan) -> Value {
    let nodes = bus.nodes.iter().map(|node| {
        let blocks = node.blocks.iter().map(|block| {
            json!({
                "name": block.name,
                "write_words": block.write,
                "read_words": block.read,
                "bytes": block.bytes,
                "exchange_us": block.exchange.0,
                "period_us": block.period.0,
            })
        });
        json!({
            "name": node.name,
            "unit": node.unit,
            "kind": node.kind.name(),
            "blocks": blocks.collect::<Vec<_>>(),
            "ring_parcels": node.ring.parcels,
            "ring_words_need": node.ring.need,
            "ring_words_hold": node.ring.holds,
        })
    });
    json!({
        "name": bus.name,
        "baud": bus.baud,
        "cycle_us": bus.cycle.0,
        "cycle_worst_us": bus.cycle_worst.0,
        "period_min_us": bus.period.0,
        "retry_us": bus.retry.0,
        "load_permille": bus.load_permille,
        "nodes": nodes.collect::<Vec<_>>(),
    })
}
