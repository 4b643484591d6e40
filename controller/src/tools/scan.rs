//! `bus scan`: who is on a bus, and whether that is what the line file says.

use std::collections::BTreeSet;

use registers::NodeKind;
use serde_json::{Value, json};

use super::args::{Scan, Units};
use super::client::{Client, Reply};
use super::fault::ToolFault;
use super::identity::{Identity, Objects};
use super::progress::Progress;
use super::sweep::{self, Swept};
use super::target::{self, Settings, Target, Wire};
use crate::bus::tap::Tap;
use crate::exit::Exit;

/// Times that a unit which answers is read, to see whether it is always the same node.
const READS: u32 = 4;
/// Times that a unit is asked which should be there or garbled its answer.
const TRIES: u32 = 4;
/// Garbled answers of one unit that are no accident any more.
const GARBLED_MIN: u32 = 2;

/// What answers at one unit.
#[derive(Clone, Debug)]
struct Found {
    unit: u8,
    /// The identity read last, when it is a node of ours.
    identity: Option<Identity>,
    objects: Objects,
    /// Every serial number that was read.
    serials: BTreeSet<u32>,
    answers: u32,
    garbled: u32,
}

/// How what answers fits the line file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// The node that the line file has there.
    Expected,
    /// A node without a line file to compare with.
    Node,
    /// A device that is no node of ours, without a line file to compare with.
    Foreign,
    /// Nothing in the line file is at this unit.
    Unexpected,
    /// Another kind than the line file says.
    WrongKind { expected: NodeKind, got: String },
    /// Another version of the register map.
    WrongMap { got: u16 },
    /// Two nodes at one address.
    Clash { why: String },
    /// Something answers, no answer was whole.
    Garbled,
    /// The line file has a node that does not answer.
    Missing,
}

impl Verdict {
    const fn name(&self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Node => "node",
            Self::Foreign => "foreign",
            Self::Unexpected => "unexpected",
            Self::WrongKind { .. } => "wrong_kind",
            Self::WrongMap { .. } => "wrong_map",
            Self::Clash { .. } => "suspected_clash",
            Self::Garbled => "garbled",
            Self::Missing => "missing",
        }
    }

    const fn is_finding(&self) -> bool {
        match self {
            Self::Expected | Self::Node | Self::Foreign => false,
            Self::Unexpected
            | Self::WrongKind { .. }
            | Self::WrongMap { .. }
            | Self::Clash { .. }
            | Self::Garbled
            | Self::Missing => true,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Expected => "as the line file says".to_owned(),
            Self::Node => "a node".to_owned(),
            Self::Foreign => "not a node of ours".to_owned(),
            Self::Unexpected => "UNEXPECTED: nothing in the line file is at this unit".to_owned(),
            Self::WrongKind { expected, got } => {
                format!("WRONG KIND: the line file says {}, this is a {got}", expected.name())
            }
            Self::WrongMap { got } => format!(
                "WRONG MAP: it speaks register map {got}, this program {}",
                registers::MAP_VERSION
            ),
            Self::Clash { why } => format!("SUSPECTED ADDRESS CLASH: {why}"),
            Self::Garbled => "GARBLED: something answers and no answer is whole".to_owned(),
            Self::Missing => "MISSING: no answer".to_owned(),
        }
    }
}

/// What was found on one bus.
#[derive(Debug)]
struct Survey {
    target: Target,
    asked: Vec<u8>,
    settings: Option<Settings>,
    swept: Option<Swept>,
    rows: Vec<(Option<Found>, u8, Verdict)>,
}

/// Scans and prints.
pub(super) async fn run(args: Scan) -> Result<Exit, ToolFault> {
    let (targets, _) = target::all(&args.place)?;
    let mut surveys = Vec::new();
    for target in targets {
        surveys.push(survey(target, args.units.as_ref(), args.sweep).await?);
    }
    let findings: usize = surveys.iter().map(Survey::findings).sum();
    if args.place.json {
        let buses: Vec<Value> = surveys.iter().map(Survey::json).collect();
        println!("{}", json!({ "buses": buses, "findings": findings }));
    } else {
        for survey in &surveys {
            survey.print();
        }
    }
    Ok(if findings == 0 { Exit::Done } else { Exit::Findings })
}

async fn survey(
    mut target: Target,
    units: Option<&Units>,
    sweep: bool,
) -> Result<Survey, ToolFault> {
    let tap = Tap::default();
    let mut swept = None;
    if sweep && (matches!(target.wire, Wire::Serial { .. }) || !target.described) {
        let few = target.units(units);
        let found = sweep::run(&target, &few, &tap).await?;
        swept = Some(found);
        if let (Wire::Serial { line, .. }, Some(settings)) = (&mut target.wire, found.settings) {
            *line = settings;
        }
    }
    let asked: Vec<u8> = match (units, &target.wire) {
        (None, Wire::Serial { .. }) => (1..=247).collect(),
        (Some(_), _) | (None, Wire::Tcp { .. }) => target.units(units),
    };
    let nobody = swept.is_some_and(|swept| swept.settings.is_none());
    let found = if nobody { Vec::new() } else { look(&target, &asked, &tap).await? };
    let rows = judged(&target, &asked, found);
    let settings = match &target.wire {
        Wire::Serial { line, .. } => Some(*line),
        Wire::Tcp { .. } => None,
    };
    Ok(Survey { target, asked, settings, swept, rows })
}

/// Asks every unit.
async fn look(target: &Target, asked: &[u8], tap: &Tap) -> Result<Vec<Found>, ToolFault> {
    let longest = target
        .timeout
        .0
        .saturating_mul(2)
        .saturating_mul(u64::try_from(asked.len()).unwrap_or(u64::MAX));
    eprintln!(
        "scanning {} ({}): {} units, at most {} s",
        target.name,
        target.place(),
        asked.len(),
        longest / 1_000_000 + 1
    );
    let mut progress = Progress::new(format!("scan {}", target.name), asked.len());
    let mut client = Client::open(target, tap).await?;
    let mut found = Vec::new();
    for unit in asked {
        progress.step(&target.call(*unit));
        let expected = target.node(*unit).is_some();
        let here = knock(&mut client, *unit, expected).await?;
        if here.answers > 0 || here.garbled > 0 {
            found.push(here);
        }
    }
    client.close().await;
    Ok(found)
}

/// Asks one unit who it is, often enough to see two nodes behind one address.
async fn knock(client: &mut Client, unit: u8, expected: bool) -> Result<Found, ToolFault> {
    let objects = Objects::default();
    let mut found =
        Found { unit, identity: None, objects, serials: BTreeSet::new(), answers: 0, garbled: 0 };
    let (mut tries, mut limit) = (0, if expected { TRIES } else { 1 });
    while tries < limit {
        tries += 1;
        match client.identity(unit).await? {
            Reply::Words(words) => {
                found.answers += 1;
                if let Some(identity) = Identity::parse(&words) {
                    found.serials.insert(identity.serial_number);
                    found.identity = Some(identity);
                }
                limit = limit.max(tries).max(READS);
            }
            Reply::Exception(_) | Reply::Done(_) => found.answers += 1,
            Reply::Silent { garbled: true } => {
                found.garbled += 1;
                limit = limit.max(TRIES);
            }
            Reply::Silent { garbled: false } => {}
        }
    }
    if found.answers > 0 {
        found.objects = Objects::of(client, unit).await?;
    }
    Ok(found)
}

/// Compares what was found with the line file.
fn judged(target: &Target, asked: &[u8], found: Vec<Found>) -> Vec<(Option<Found>, u8, Verdict)> {
    // Garbled answers of every unit are the line's fault, those of one unit are that unit's.
    let noisy = found.iter().filter(|found| found.garbled > 0).count();
    let line_is_bad = noisy > 1 && noisy * 2 > found.len();
    let mut rows: Vec<(Option<Found>, u8, Verdict)> = found
        .into_iter()
        .map(|found| {
            let verdict = verdict(target, &found, line_is_bad);
            let unit = found.unit;
            (Some(found), unit, verdict)
        })
        .collect();
    for node in target.nodes.iter().filter(|node| asked.contains(&node.unit)) {
        if !rows.iter().any(|(_, unit, _)| *unit == node.unit) {
            rows.push((None, node.unit, Verdict::Missing));
        }
    }
    rows.sort_by_key(|(_, unit, _)| *unit);
    rows
}

fn verdict(target: &Target, found: &Found, line_is_bad: bool) -> Verdict {
    if found.serials.len() > 1 {
        let serials: Vec<String> = found.serials.iter().map(u32::to_string).collect();
        let why = format!("serial numbers {} answer in turn", serials.join(" and "));
        return Verdict::Clash { why };
    }
    if found.garbled >= GARBLED_MIN && !line_is_bad {
        let asked = found.garbled + found.answers;
        let why = format!("{} of {asked} answers garbled, other units are clean", found.garbled);
        return Verdict::Clash { why };
    }
    if found.answers == 0 {
        return Verdict::Garbled;
    }
    let known = target.node(found.unit);
    let Some(identity) = &found.identity else {
        return match known {
            Some(known) => Verdict::WrongKind {
                expected: known.kind,
                got: "device that is not a node of ours".to_owned(),
            },
            None if target.described => Verdict::Unexpected,
            None => Verdict::Foreign,
        };
    };
    match known {
        Some(known) if identity.kind != Ok(known.kind) => {
            Verdict::WrongKind { expected: known.kind, got: identity.kind_name() }
        }
        None if target.described => Verdict::Unexpected,
        Some(_) | None if identity.map_version != registers::MAP_VERSION => {
            Verdict::WrongMap { got: identity.map_version }
        }
        Some(_) => Verdict::Expected,
        None => Verdict::Node,
    }
}

impl Survey {
    /// Differences from the line file and suspicions.
    fn findings(&self) -> usize {
        let rows = self.rows.iter().filter(|(_, _, verdict)| verdict.is_finding()).count();
        let nobody = self.swept.is_some_and(|swept| swept.settings.is_none());
        rows + usize::from(nobody)
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(found, unit, verdict)| {
            let found = found.as_ref();
            json!({
                "unit": unit,
                "node": self.target.node(*unit).map(|node| &node.name),
                "verdict": verdict.name(),
                "text": verdict.text(),
                "identity": found.and_then(|found| found.identity.as_ref()).map(Identity::json),
                "objects": found.map(|found| found.objects.json()),
                "serial_numbers": found.map(|found| found.serials.iter().collect::<Vec<_>>()),
                "answers": found.map_or(0, |found| found.answers),
                "garbled": found.map_or(0, |found| found.garbled),
            })
        });
        let (first, last) = (self.asked.first(), self.asked.last());
        json!({
            "bus": self.target.name,
            "place": self.target.place(),
            "settings": self.settings.map(|line| json!({
                "baud": line.baud, "parity": line.parity_name(), "stop_bits": line.stop_bits,
            })),
            "sweep": self.swept.map(|swept| json!({
                "found": swept.settings.is_some(),
                "tried": swept.tried,
                "garbled": swept.garbled,
            })),
            "units": [first, last],
            "asked": self.asked.len(),
            "found": rows.collect::<Vec<_>>(),
        })
    }

    fn print(&self) {
        println!("bus {} at {}", self.target.name, self.target.place());
        if let Some(swept) = self.swept {
            match swept.settings {
                Some(settings) => {
                    println!("  sweep: a node answers at {settings} (try {})", swept.tried);
                }
                None => println!(
                    "  sweep: nobody answers at {} settings; at {} of them something was heard",
                    swept.tried, swept.garbled
                ),
            }
        }
        for (found, unit, verdict) in &self.rows {
            let name = self.target.node(*unit).map_or("-", |node| node.name.as_str());
            let identity = found.as_ref().and_then(|found| found.identity.as_ref());
            let said = found.as_ref().and_then(|found| found.objects.line()).unwrap_or_default();
            match identity {
                Some(identity) => println!(
                    "  {unit:>3}  {name:<12} {:<9} serial {:<10} boot {:04X} firmware {:08X}  {}",
                    identity.kind_name(),
                    identity.serial_number,
                    identity.boot_id,
                    identity.firmware_hash,
                    verdict.text()
                ),
                None => println!("  {unit:>3}  {name:<12} {said}  {}", verdict.text()),
            }
        }
        let found = self.rows.iter().filter(|(found, _, _)| found.is_some()).count();
        println!("  {found} found, {} findings, {} units asked", self.findings(), self.asked.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::target::Known;
    use line_file::Parity;
    use units::Micros;

    fn target() -> Target {
        let node = |name: &str, kind, unit| Known { name: name.to_owned(), kind, unit };
        Target {
            index: 0,
            name: "field".to_owned(),
            wire: Wire::Serial {
                path: "/dev/x".to_owned(),
                line: Settings { baud: 9_600, parity: Parity::Even, stop_bits: 1 },
                turnaround: Micros::ZERO,
                echo: line_file::EchoMode::Absent,
                rs485: line_file::Rs485::Auto,
            },
            timeout: Micros::from_millis(50),
            nodes: vec![node("Z1", NodeKind::Zone, 1), node("D1", NodeKind::Diverter, 11)],
            described: true,
        }
    }

    fn found(unit: u8, kind: NodeKind, serial_number: u32) -> Found {
        let identity = Identity {
            kind: Ok(kind),
            map_version: registers::MAP_VERSION,
            boot_id: 1,
            serial_number,
            firmware_hash: 0,
            settings_hash: 0,
        };
        Found {
            unit,
            identity: Some(identity),
            objects: Objects::default(),
            serials: BTreeSet::from([serial_number]),
            answers: 4,
            garbled: 0,
        }
    }

    fn verdicts(found: Vec<Found>) -> Vec<(u8, &'static str)> {
        let asked: Vec<u8> = (1..=20).collect();
        let rows = judged(&target(), &asked, found);
        rows.iter().map(|(_, unit, verdict)| (*unit, verdict.name())).collect()
    }

    #[test]
    fn expected_unexpected_missing_and_wrong_are_told_apart() {
        let rows = verdicts(vec![found(1, NodeKind::Zone, 7), found(5, NodeKind::Zone, 8)]);
        assert_eq!(rows, [(1, "expected"), (5, "unexpected"), (11, "missing")]);
        let mut old = found(11, NodeKind::Diverter, 9);
        if let Some(identity) = &mut old.identity {
            identity.map_version = 1;
        }
        let rows = verdicts(vec![found(1, NodeKind::Panel, 7), old]);
        assert_eq!(rows, [(1, "wrong_kind"), (11, "wrong_map")]);
        let mut foreign = found(1, NodeKind::Zone, 7);
        foreign.identity = None;
        assert_eq!(verdicts(vec![foreign])[0], (1, "wrong_kind"));
    }

    #[test]
    fn two_nodes_on_one_address_are_suspected_and_a_bad_line_is_not() {
        let mut two = found(1, NodeKind::Zone, 7);
        two.serials.insert(8);
        assert_eq!(verdicts(vec![two, found(11, NodeKind::Diverter, 9)])[0].1, "suspected_clash");
        let mut collides = found(1, NodeKind::Zone, 7);
        collides.garbled = 3;
        let clean = found(11, NodeKind::Diverter, 9);
        assert_eq!(
            verdicts(vec![collides.clone(), clean.clone()]),
            [(1, "suspected_clash"), (11, "expected")]
        );
        let mut never = collides.clone();
        never.answers = 0;
        assert_eq!(verdicts(vec![never.clone(), clean])[0].1, "suspected_clash");
        let mut other = found(11, NodeKind::Diverter, 9);
        other.garbled = 2;
        assert_eq!(verdicts(vec![collides, other.clone()]), [(1, "expected"), (11, "expected")]);
        assert_eq!(verdicts(vec![never, other])[0].1, "garbled");
    }
}
