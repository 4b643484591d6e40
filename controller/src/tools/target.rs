//! Which buses and nodes a command is about.

use std::path::Path;

use line_file::{EchoMode, LineFile, Parity, Rs485};
use registers::NodeKind;
use units::Micros;

use super::args::{Place, Units};
use super::fault::ToolFault;
use crate::config::{self, BusPort, Line};
use crate::inputs;

/// Answers on a serial line begin within this time unless somebody says otherwise.
const SERIAL_TIMEOUT: Micros = Micros::from_millis(50);
/// The same over TCP, where a switch or a gateway may be slow.
const TCP_TIMEOUT: Micros = Micros::from_millis(500);
/// The worst pause of a node on a serial line without a line file.
const TURNAROUND: Micros = Micros::from_millis(50);

/// One bus.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Its index in the line file.
    pub(super) index: u16,
    /// Its name, or where it is.
    pub(super) name: String,
    /// Where it is.
    pub(super) wire: Wire,
    /// How long an answer may take to begin.
    pub(super) timeout: Micros,
    /// Nodes that the line file has on it.
    pub(super) nodes: Vec<Known>,
    /// A line file describes it.
    pub(super) described: bool,
}

/// Where a bus is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// A serial port.
    Serial {
        /// Its path.
        path: String,
        /// How its characters are formed.
        line: Settings,
        /// The worst pause of a node before its answer.
        turnaround: Micros,
        /// Whether the adapter hears what it sends.
        echo: EchoMode,
        /// Who switches the direction of the driver.
        rs485: Rs485,
    },
    /// A Modbus TCP server.
    Tcp {
        /// host:port.
        address: String,
    },
}

/// Speed and form of the characters on a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Bits a second.
    pub(super) baud: u32,
    /// Parity.
    pub(super) parity: Parity,
    /// Stop bits.
    pub(super) stop_bits: u8,
}

impl Settings {
    /// Bits of one character: start, eight data bits, parity, stops.
    pub(super) fn bits_per_char(self) -> u8 {
        9 + u8::from(self.parity != Parity::None) + self.stop_bits
    }

    /// The parity's name.
    pub(super) const fn parity_name(self) -> &'static str {
        match self.parity {
            Parity::Even => "even",
            Parity::Odd => "odd",
            Parity::None => "none",
        }
    }
}

impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letter = match self.parity {
            Parity::Even => 'E',
            Parity::Odd => 'O',
            Parity::None => 'N',
        };
        write!(f, "{} 8{letter}{}", self.baud, self.stop_bits)
    }
}

/// A node that the line file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its name.
    pub(super) name: String,
    /// Its kind.
    pub(super) kind: NodeKind,
    /// Its unit.
    pub(super) unit: u8,
}

impl Target {
    /// The node that the line file has at this unit.
    pub(super) fn node(&self, unit: u8) -> Option<&Known> {
        self.nodes.iter().find(|node| node.unit == unit)
    }

    /// What people call the node at this unit.
    pub(super) fn call(&self, unit: u8) -> String {
        match self.node(unit) {
            Some(node) => format!("{} (unit {unit})", node.name),
            None => format!("unit {unit}"),
        }
    }

    /// Where the bus is, in words.
    pub(super) fn place(&self) -> String {
        match &self.wire {
            Wire::Serial { path, line, .. } => format!("{path} {line}"),
            Wire::Tcp { address } => address.clone(),
        }
    }

    /// Units to look at: those asked for, those of the line file, or the first few.
    pub(super) fn units(&self, asked: Option<&Units>) -> Vec<u8> {
        match asked {
            Some(units) => units.0.clone().collect(),
            None if !self.nodes.is_empty() => self.nodes.iter().map(|node| node.unit).collect(),
            None => match self.wire {
                Wire::Serial { .. } => (1..=32).collect(),
                Wire::Tcp { .. } => vec![1],
            },
        }
    }
}

/// Every bus that the arguments name.
pub(super) fn all(place: &Place) -> Result<(Vec<Target>, Option<LineFile>), ToolFault> {
    let timeout = place.timeout_ms.map(|ms| Micros::from_millis(u64::from(ms)));
    if let Some(path) = &place.line {
        return of_line(place, path, timeout);
    }
    let (name, wire, usual) = match (&place.serial, &place.tcp) {
        (Some(path), _) => {
            let path = path.to_string_lossy().into_owned();
            let line = Settings {
                baud: place.baud,
                parity: place.parity.into(),
                stop_bits: place.stop_bits,
            };
            let wire = Wire::Serial {
                path: path.clone(),
                line,
                turnaround: TURNAROUND,
                echo: EchoMode::Detect,
                rs485: Rs485::Auto,
            };
            (path, wire, SERIAL_TIMEOUT)
        }
        (None, Some(address)) => {
            (address.clone(), Wire::Tcp { address: address.clone() }, TCP_TIMEOUT)
        }
        (None, None) => return Err(ToolFault::NoPlace),
    };
    let timeout = timeout.unwrap_or(usual);
    let target = Target { index: 0, name, wire, timeout, nodes: Vec::new(), described: false };
    Ok((vec![target], None))
}

fn of_line(
    place: &Place,
    path: &Path,
    timeout: Option<Micros>,
) -> Result<(Vec<Target>, Option<LineFile>), ToolFault> {
    let line = inputs::line(path).map_err(ToolFault::Line)?.value;
    let mut targets = described(&line);
    for target in &mut targets {
        target.timeout = timeout.unwrap_or(target.timeout);
    }
    if place.buses.is_empty() {
        return Ok((targets, Some(line.file)));
    }
    let known = || targets.iter().map(|target| target.name.clone()).collect();
    let mut chosen = Vec::new();
    for bus in &place.buses {
        let found = targets.iter().find(|target| target.name == bus.name);
        let Some(mut target) = found.cloned() else {
            return Err(ToolFault::UnknownBus { name: bus.name.clone(), known: known() });
        };
        if let Some(at) = &bus.at {
            match &mut target.wire {
                Wire::Serial { path, .. } => path.clone_from(at),
                Wire::Tcp { address } => address.clone_from(at),
            }
        }
        chosen.push(target);
    }
    Ok((chosen, Some(line.file)))
}

/// The buses of a line file.
pub(super) fn described(line: &Line) -> Vec<Target> {
    let buses = (0_u16..).zip(line.ports.iter().zip(&line.file.bus));
    let target = |(index, (port, bus)): (u16, (&BusPort, &line_file::Bus))| {
        let wire = match port {
            BusPort::Serial { path, baud, parity, stop_bits, turnaround, echo, rs485 } => {
                Wire::Serial {
                    path: path.clone(),
                    line: Settings { baud: *baud, parity: *parity, stop_bits: *stop_bits },
                    turnaround: *turnaround,
                    echo: *echo,
                    rs485: *rs485,
                }
            }
            BusPort::Tcp { address } => Wire::Tcp { address: address.clone() },
        };
        let nodes = line.file.node.iter().filter(|node| node.bus == bus.name);
        let nodes = nodes.map(|node| Known {
            name: node.name.clone(),
            kind: config::wire_kind(node.kind),
            unit: node.unit,
        });
        Target {
            index,
            name: bus.name.clone(),
            wire,
            timeout: Micros::from_millis(u64::from(bus.answer_timeout_ms)),
            nodes: nodes.collect(),
            described: true,
        }
    };
    buses.map(target).collect()
}

/// The one bus that the arguments name.
pub(super) fn one(place: &Place) -> Result<Target, ToolFault> {
    let (targets, _) = all(place)?;
    let known = targets.iter().map(|target| target.name.clone()).collect();
    match <[Target; 1]>::try_from(targets) {
        Ok([target]) => Ok(target),
        Err(_) => Err(ToolFault::WhichBus { known }),
    }
}

/// The bus and the unit of a node, by its name in the line file or by its unit.
pub(super) fn node(place: &Place, name: &str) -> Result<(Target, u8), ToolFault> {
    let (targets, _) = all(place)?;
    for target in &targets {
        if let Some(node) = target.nodes.iter().find(|node| node.name == name) {
            return Ok((target.clone(), node.unit));
        }
    }
    let unit = name.parse::<u8>().ok().filter(|unit| (1..=247).contains(unit));
    let names: Vec<&str> =
        targets.iter().flat_map(|t| &t.nodes).map(|node| node.name.as_str()).collect();
    match (unit, &targets[..]) {
        (Some(unit), [target]) => Ok((target.clone(), unit)),
        (Some(_), _) => Err(ToolFault::WhichBus {
            known: targets.iter().map(|target| target.name.clone()).collect(),
        }),
        (None, _) if names.is_empty() => Err(ToolFault::UnknownNode {
            name: name.to_owned(),
            hint: "without a line file a node is given by its unit, 1 to 247".to_owned(),
        }),
        (None, _) => Err(ToolFault::UnknownNode {
            name: name.to_owned(),
            hint: format!("the line has {}", names.join(", ")),
        }),
    }
}
