//! Names of registers, settings and points, and what their words mean.

use registers::descriptor::{Access, Block, Point, Register, Setting};
use registers::event::Event;
use registers::exchange::{EVENT_OVERHEAD, EventsHead, Verdict};
use registers::map::{BLOCKS, EVENTS, SETTINGS, STATUS};
use registers::{NodeKind, Reader};
use serde_json::{Value, json};

/// Names offered when one is not known.
const NEAREST: usize = 4;
/// Status register that holds the levels of the inputs.
const INPUTS: &str = "inputs";
/// Status register that holds the outputs that are on.
const OUTPUTS: &str = "outputs";

/// What a name stands for in one node kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    /// A whole block.
    Block(&'static Block),
    /// A register of a block.
    Register(&'static Block, &'static Register),
    /// A setting by its place in the settings block.
    Setting(usize, &'static Setting),
    /// An input: a bit of the status.
    Input(&'static Point),
    /// An output: a bit of the status.
    Output(&'static Point),
}

/// Looks a name up; registers before blocks, because `latch` is both.
pub(super) fn find(kind: NodeKind, name: &str) -> Result<Named, Vec<&'static str>> {
    for block in BLOCKS {
        if let Some(register) = block.registers.iter().find(|register| register.name == name) {
            return Ok(Named::Register(block, register));
        }
    }
    if let Some(block) = BLOCKS.iter().find(|block| block.name == name) {
        return Ok(Named::Block(block));
    }
    let settings = kind.settings().iter().enumerate();
    if let Some((index, setting)) = settings.clone().find(|(_, setting)| setting.name == name) {
        return Ok(Named::Setting(index, setting));
    }
    if let Some(point) = kind.inputs().iter().find(|point| point.name == name) {
        return Ok(Named::Input(point));
    }
    if let Some(point) = kind.outputs().iter().find(|point| point.name == name) {
        return Ok(Named::Output(point));
    }
    Err(nearest(kind, name))
}

/// Every name of a node kind.
fn all(kind: NodeKind) -> Vec<&'static str> {
    let blocks = BLOCKS.iter().flat_map(|block| {
        std::iter::once(block.name).chain(block.registers.iter().map(|register| register.name))
    });
    let settings = kind.settings().iter().map(|setting| setting.name);
    let points = kind.inputs().iter().chain(kind.outputs()).map(|point| point.name);
    let mut names: Vec<&'static str> = blocks.chain(settings).chain(points).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn nearest(kind: NodeKind, name: &str) -> Vec<&'static str> {
    let limit = (name.chars().count() / 2).max(2);
    let mut ranked: Vec<(usize, &'static str)> = all(kind)
        .into_iter()
        .map(|other| {
            let part = !name.is_empty() && (other.contains(name) || name.contains(other));
            (if part { 1 } else { distance(name, other) }, other)
        })
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(NEAREST).map(|(_, other)| other).collect()
}

/// Letters to insert, drop or change between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Words of a block in a node of this kind.
pub(super) fn block_words(kind: NodeKind, block: &Block) -> u16 {
    match block.address {
        EVENTS => kind.event_words(),
        SETTINGS => u16::try_from(kind.settings().len()).unwrap_or_default(),
        _ => block.words,
    }
}

/// Why a block cannot be read alone; `None` when it can.
pub(super) fn unreadable(access: Access) -> Option<&'static str> {
    match access {
        Access::Read | Access::ReadWrite => None,
        Access::Exchange => Some(
            "it is the write half of an exchange (FC 23); its echo is `last_command` and `verdict` in the block `events`",
        ),
        Access::Write => {
            Some("it can only be written; the block `status` has latch_number and latch_count")
        }
        Access::Place => {
            Some("it can only be written; the address is the one at which the node answers")
        }
    }
}

/// Access of a whole block: that of its registers.
pub(super) fn access(block: &Block) -> Access {
    block.registers.first().map_or(Access::ReadWrite, |register| register.access)
}

/// One value of a node with what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Its name.
    pub(super) name: String,
    /// First register; `None` for what is a part of one.
    pub(super) address: Option<u16>,
    /// The value.
    pub(super) value: Value,
    /// Its unit; empty for plain numbers.
    pub(super) unit: &'static str,
    /// The value in words, where words say more.
    pub(super) words: Option<String>,
    /// What it means.
    pub(super) meaning: &'static str,
}

impl Reading {
    /// The reading for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "address": self.address,
            "value": self.value,
            "unit": self.unit,
            "words": self.words,
            "meaning": self.meaning,
        })
    }

    /// The reading in one line.
    pub(super) fn line(&self) -> String {
        let value = match &self.value {
            Value::String(text) => text.clone(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => self.value.to_string(),
        };
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        let words = self.words.as_ref().map_or(String::new(), |words| format!("  ({words})"));
        format!("{:<26} {value}{unit}{words}", self.name)
    }
}

/// One register of a block that was read whole.
pub(super) fn reading(
    kind: NodeKind,
    block: &Block,
    register: &'static Register,
    words: &[u16],
) -> Reading {
    let from = usize::from(register.address.saturating_sub(block.address));
    let own = words.get(from..).unwrap_or_default();
    let own = match register.words {
        0 => own.split_last().map_or(own, |(_, rest)| rest),
        len => own.get(..usize::from(len)).unwrap_or(own),
    };
    let value = match *own {
        [word] => json!(word),
        [high, low] if register.words == 2 => {
            json!((u32::from(high) << 16) | u32::from(low))
        }
        _ => json!(own),
    };
    Reading {
        name: register.name.to_owned(),
        address: Some(register.address),
        value,
        unit: register.unit,
        words: meaning_of(kind, register.name, own),
        meaning: register.meaning,
    }
}

fn meaning_of(kind: NodeKind, name: &str, words: &[u16]) -> Option<String> {
    let first = *words.first()?;
    match name {
        "kind" => NodeKind::from_word(first).map(|kind| kind.name().to_owned()),
        "firmware_hash" => {
            let second = words.get(1)?;
            Some(format!("{first:04X}{second:04X}"))
        }
        INPUTS => Some(points_on(kind.inputs(), first)),
        OUTPUTS => Some(points_on(kind.outputs(), first)),
        "verdict" => Verdict::from_word(first).map(verdict).map(str::to_owned),
        "reset_cause" => {
            Some(["power on", "watchdog", "software"].get(usize::from(first))?.to_string())
        }
        "status_owner" if first == 0 => Some("nobody".to_owned()),
        "lease_left" if first == 0 => Some("safe state".to_owned()),
        _ => None,
    }
}

/// The name of a verdict.
pub(super) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::None => "none",
        Verdict::Accepted => "accepted",
        Verdict::WrongSequence => "wrong sequence",
        Verdict::NotOwner => "not owner",
        Verdict::WrongBoot => "wrong boot",
        Verdict::QueueFull => "queue full",
        Verdict::BadArgument => "bad argument",
        Verdict::NotSupported => "not supported",
    }
}

/// Names of the points whose bits are set.
pub(super) fn points_on(points: &[Point], bits: u16) -> String {
    let on = points.iter().filter(|point| bits >> point.id & 1 == 1);
    let names: Vec<&str> = on.map(|point| point.name).collect();
    if names.is_empty() { "none on".to_owned() } else { names.join(" ") }
}

/// Name of an input; its number where the kind has none of it.
pub(super) fn input_name(kind: NodeKind, input: u8) -> String {
    let point = kind.inputs().iter().find(|point| point.id == input);
    point.map_or_else(|| format!("input {input}"), |point| point.name.to_owned())
}

/// Every register of a block that was read whole.
pub(super) fn readings(kind: NodeKind, block: &'static Block, words: &[u16]) -> Vec<Reading> {
    if block.address == SETTINGS {
        let settings = kind.settings().iter().enumerate().zip(words);
        return settings
            .map(|((index, setting), word)| setting_reading(index, setting, *word))
            .collect();
    }
    let registers = block.registers.iter();
    let mut all: Vec<Reading> =
        registers.map(|register| reading(kind, block, register, words)).collect();
    if block.address == EVENTS
        && let Some(entries) = all.iter_mut().find(|reading| reading.name == "entries")
    {
        entries.value = json!(entry_lines(kind, words));
    }
    all
}

/// One setting.
pub(super) fn setting_reading(index: usize, setting: &'static Setting, word: u16) -> Reading {
    Reading {
        name: setting.name.to_owned(),
        address: Some(SETTINGS + u16::try_from(index).unwrap_or_default()),
        value: json!(word),
        unit: setting.unit,
        words: Some(format!("{} to {}", setting.min, setting.max)),
        meaning: setting.meaning,
    }
}

/// One point, as the status block says.
pub(super) fn point_reading(point: &'static Point, input: bool, words: &[u16]) -> Reading {
    let register = if input { INPUTS } else { OUTPUTS };
    let at = BLOCKS
        .iter()
        .find(|block| block.address == STATUS)
        .and_then(|block| block.registers.iter().find(|other| other.name == register))
        .map_or(0, |register| usize::from(register.address - STATUS));
    let bits = words.get(at).copied().unwrap_or_default();
    let on = bits >> point.id & 1 == 1;
    Reading {
        name: point.name.to_owned(),
        address: None,
        value: json!(on),
        unit: "",
        words: Some(format!("bit {} of {register}", point.id)),
        meaning: point.meaning,
    }
}

/// The ring entries of an events block with their sequence numbers; codes are masked.
pub(super) fn entry_lines(kind: NodeKind, words: &[u16]) -> Vec<String> {
    entries(words)
        .map(|(_, entries)| {
            entries
                .iter()
                .map(|(number, event)| format!("#{number} {}", entry(kind, event)))
                .collect()
        })
        .unwrap_or_default()
}

/// Head and entries of an events block.
pub(super) fn entries(words: &[u16]) -> Option<(EventsHead, Vec<(u16, Event<'_>)>)> {
    let mut read = Reader::new(words);
    let head = EventsHead::parse(&mut read)?;
    let room = words.len().checked_sub(usize::from(EVENT_OVERHEAD))?;
    let mut read = Reader::new(read.take(room)?);
    let mut number = head.first.0;
    let mut found = Vec::new();
    for _ in 0..head.count {
        let event = Event::parse(&mut read)?;
        found.push((number, event));
        number = number.wrapping_add(event.numbers());
    }
    Some((head, found))
}

/// One ring entry in words.
pub(super) fn entry(kind: NodeKind, event: &Event<'_>) -> String {
    match event {
        Event::Edge { input, active, at } => {
            let level = if *active { "on" } else { "off" };
            format!("{} {level} at {} counts", input_name(kind, *input), at.count.0)
        }
        Event::ArmEnded { tag, outcome, at, .. } => {
            format!("arm {tag} ended: {outcome:?} at {} counts", at.count.0)
        }
        Event::Code { trigger, index, of, code, .. } => {
            format!("code {} of {of} for trigger {trigger}, {} bytes", index + 1, code.len())
        }
        Event::NoRead { trigger, .. } => format!("no read for trigger {trigger}"),
        Event::TooLong { trigger, .. } => format!("code too long for trigger {trigger}"),
        Event::Unassigned { trigger, .. } => format!("read without an open trigger ({trigger})"),
        Event::Measured { trigger, weight_g, .. } => match weight_g {
            Some(grams) => format!("{grams} g for trigger {trigger}"),
            None => format!("no weight for trigger {trigger}"),
        },
        Event::Lost { entries } => format!("{entries} entries lost"),
        Event::LeaseExpired { at } => format!("lease expired at {} ms", at.ms.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_every_kind_is_found() {
        for kind in NodeKind::ALL {
            for name in all(kind) {
                assert!(find(kind, name).is_ok(), "{name} of a {}", kind.name());
            }
        }
        assert!(matches!(find(NodeKind::Zone, "eye_a"), Ok(Named::Input(_))));
        assert!(matches!(find(NodeKind::Zone, "latch"), Ok(Named::Register(..))));
        assert!(matches!(find(NodeKind::Zone, "mode"), Ok(Named::Setting(2, _))));
    }

    #[test]
    fn slips_lead_to_the_nearest_names() {
        let near = |kind, name| find(kind, name).expect_err("no such name");
        assert!(near(NodeKind::Diverter, "debounce").contains(&"debounce_ms"));
        assert_eq!(near(NodeKind::Diverter, "serialnumber").first(), Some(&"serial_number"));
        assert!(near(NodeKind::Diverter, "eye_a").contains(&"eye_arrival"));
        assert!(near(NodeKind::Panel, "qqqqqqqqqqqq").is_empty());
    }

    #[test]
    fn status_words_are_read_by_name() {
        let block = BLOCKS.iter().find(|block| block.address == STATUS).expect("there");
        let mut words = vec![0; 26];
        words[2..4].copy_from_slice(&[1, 2]);
        words[8] = 0b10;
        let all = readings(NodeKind::Zone, block, &words);
        let by = |name: &str| all.iter().find(|reading| reading.name == name).expect("there");
        assert_eq!(by("uptime").value, json!(65_538));
        assert_eq!(by("uptime").unit, "ms");
        assert_eq!(by("inputs").words.as_deref(), Some("eye_a"));
        assert_eq!(by("status_owner").words.as_deref(), Some("nobody"));
        let Ok(Named::Input(eye)) = find(NodeKind::Zone, "eye_a") else { panic!("an input") };
        assert_eq!(point_reading(eye, true, &words).value, json!(true));
        assert!(by("uptime").line().contains("65538 ms"));
    }
}
