//! A frame in words, by the names of the register map.

use registers::exchange::{Operation, WriteBlock};
use registers::map::{BLOCKS, EVENTS, LATCH, SETTINGS, WRITE};
use registers::{NodeKind, address::NewAddress};

use super::names;
use crate::bus::tap::{Tapped, What};

/// What a request asks for.
pub(super) fn request(kind: Option<NodeKind>, unit: u8, pdu: &[u8]) -> String {
    match *pdu {
        [function @ (0x03 | 0x04), a1, a0, q1, q0] => {
            let (address, quantity) = (word(a1, a0), word(q1, q0));
            format!("FC {function:02} read {}", span(address, quantity))
        }
        [0x06, a1, a0, v1, v0] => {
            let (address, value) = (word(a1, a0), word(v1, v0));
            let name = if address == LATCH { "latch".to_owned() } else { span(address, 1) };
            format!("FC 06 {name} = {value}")
        }
        [0x08, s1, s0, ..] => format!("FC 08 diagnostics {:#06x}", word(s1, s0)),
        [0x10, a1, a0, _, _, _, ref data @ ..] => {
            let words = words(data);
            match word(a1, a0) {
                SETTINGS => format!("FC 16 {}", settings(kind, &words)),
                registers::map::ADDRESS => match NewAddress::parse(unit, &words) {
                    Ok(new) => format!(
                        "FC 16 address: serial number {} becomes unit {}",
                        new.serial_number, new.unit
                    ),
                    Err(_) => "FC 16 address, malformed".to_owned(),
                },
                address => format!("FC 16 write {}", span(address, len(&words))),
            }
        }
        [0x11] => "FC 17 server id".to_owned(),
        [0x17, r1, r0, n1, n0, w1, w0, _, _, _, ref data @ ..] => {
            let words = words(data);
            let read = span(word(r1, r0), word(n1, n0));
            let write = match (word(w1, w0), WriteBlock::parse(unit, &words)) {
                (WRITE, Ok(block)) => exchange(kind, &block),
                (WRITE, Err(_)) => "exchange, malformed".to_owned(),
                (address, _) => format!("write {}", span(address, len(&words))),
            };
            format!("FC 23 {write} → {read}")
        }
        [0x2B, 0x0E, code, object] => format!("FC 43/14 identification {code} from {object:#04x}"),
        [function, ..] => format!("FC {function:02}"),
        [] => String::new(),
    }
}

/// What an answer to `asked` says.
pub(super) fn answer(kind: Option<NodeKind>, asked: &[u8], pdu: &[u8]) -> String {
    match *pdu {
        [function, code] if function & 0x80 != 0 => {
            let text = modbus::pdu::Exception::from_code(code);
            let text = text.map_or("unknown".to_owned(), |exception| format!("{exception:?}"));
            format!("exception {code:02X} {text}")
        }
        [0x03 | 0x04 | 0x17, _, ref data @ ..] => {
            let &[_, a1, a0, ..] = asked else { return "registers".to_owned() };
            registers_of(kind, word(a1, a0), &words(data))
        }
        [0x06 | 0x10, ..] => "written".to_owned(),
        [0x11, _, ref data @ ..] => format!("server id, {} bytes", data.len()),
        [0x2B, 0x0E, ..] => "identification".to_owned(),
        [function, ..] => format!("FC {function:02}, {} bytes", pdu.len()),
        [] => String::new(),
    }
}

/// A whole tapped frame in words; `asked` is the request that it may answer.
pub(super) fn frame(kind: Option<NodeKind>, tapped: &Tapped, asked: Option<&[u8]>) -> String {
    match (tapped.what, tapped.pdu()) {
        (What::Request | What::Echo, Some(pdu)) => request(kind, tapped.unit, pdu),
        (What::Answer | What::Duplicate, Some(pdu)) => answer(kind, asked.unwrap_or_default(), pdu),
        (What::Timeout, _) => "no answer".to_owned(),
        (What::Lost, _) => "port or connection lost".to_owned(),
        (_, Some(pdu)) => {
            format!("whole frame, FC {:02}", pdu.first().copied().unwrap_or(0) & 0x7F)
        }
        (_, None) => {
            let shown = tapped.bytes.iter().take(12).map(|byte| format!("{byte:02x}"));
            let shown: Vec<String> = shown.collect();
            format!("{} bytes {}", tapped.bytes.len(), shown.join(" "))
        }
    }
}

fn registers_of(kind: Option<NodeKind>, address: u16, words: &[u16]) -> String {
    let Some(block) = BLOCKS.iter().find(|block| block.address == address) else {
        return span(address, len(words));
    };
    let Some(kind) = kind else { return format!("{} ({} words)", block.name, words.len()) };
    if address == EVENTS {
        return events(kind, words);
    }
    let shown = ["kind", "serial_number", "inputs", "outputs", "status_owner", "armed_count"];
    let readings = names::readings(kind, block, words);
    let settings = address == SETTINGS;
    let parts = readings.iter().filter(|reading| settings || shown.contains(&&*reading.name));
    let parts: Vec<String> = parts
        .map(|reading| match &reading.words {
            Some(words) if !settings => format!("{} {words}", reading.name),
            Some(_) | None => format!("{} {}", reading.name, reading.value),
        })
        .collect();
    format!("{}: {}", block.name, parts.join(", "))
}

fn events(kind: NodeKind, words: &[u16]) -> String {
    let Some((head, _)) = names::entries(words) else { return "events, malformed".to_owned() };
    let mut text = format!("events: verdict {}", names::verdict(head.verdict));
    for line in names::entry_lines(kind, words) {
        text.push_str(", ");
        text.push_str(&line);
    }
    if head.more {
        text.push_str(", more wait");
    }
    text
}

fn exchange(kind: Option<NodeKind>, block: &WriteBlock) -> String {
    let command = match block.operation {
        Operation::Noop => String::new(),
        Operation::Arm(arm) => format!(
            " arm {} {:?} {}..{} delay {}",
            arm.tag, arm.side, arm.window_from.0, arm.window_to.0, arm.delay
        ),
        Operation::Cancel { tag } => format!(" cancel {tag}"),
        Operation::CancelAll => " cancel all".to_owned(),
        Operation::SetOutput { output, value } => {
            let point =
                kind.and_then(|kind| kind.outputs().iter().find(|point| point.id == output));
            let name = point.map_or_else(|| format!("output {output}"), |p| p.name.to_owned());
            format!(" set {name} = {value}")
        }
        Operation::Latch { number } => format!(" latch {number}"),
    };
    format!("exchange ack #{}{command}", block.ack.0)
}

fn settings(kind: Option<NodeKind>, words: &[u16]) -> String {
    let Some(kind) = kind else { return format!("settings ({} words)", words.len()) };
    let parts = kind.settings().iter().zip(words);
    let parts: Vec<String> = parts.map(|(set, word)| format!("{} {word}", set.name)).collect();
    format!("settings: {}", parts.join(", "))
}

/// A run of registers: the block's name, the register's, or the numbers.
fn span(address: u16, quantity: u16) -> String {
    for block in BLOCKS {
        if block.address == address {
            return block.name.to_owned();
        }
        if let Some(register) = block.registers.iter().find(|r| r.address == address) {
            return register.name.to_owned();
        }
    }
    format!("{address:#06x} x {quantity}")
}

const fn word(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

fn words(data: &[u8]) -> Vec<u16> {
    data.chunks_exact(2).map(|pair| word(pair[0], pair[1])).collect()
}

fn len(words: &[u16]) -> u16 {
    u16::try_from(words.len()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::client::encoded;
    use modbus::pdu;
    use registers::map::STATUS;
    use units::Serial;

    #[test]
    fn requests_and_answers_speak_the_map_s_names() {
        let zone = Some(NodeKind::Zone);
        let read = encoded(|out| pdu::read_holding(STATUS, 26, out));
        assert_eq!(request(zone, 3, &read), "FC 03 read status");
        let mut words = [0; 26];
        words[8] = 0b10;
        let data: Vec<u8> = words.iter().flat_map(|word: &u16| word.to_be_bytes()).collect();
        let said = answer(zone, &read, &[&[0x03, 52], &data[..]].concat());
        assert_eq!(said, "status: inputs eye_a, outputs none on, status_owner nobody");
        let block = WriteBlock {
            token: 1,
            owner: 2,
            boot_id: 3,
            ack: Serial(9),
            command: Serial(4),
            operation: Operation::SetOutput { output: 1, value: 1_200 },
        };
        let both = encoded(|out| pdu::read_write(EVENTS, 28, WRITE, &block.encode(3), out));
        assert_eq!(request(zone, 3, &both), "FC 23 exchange ack #9 set speed = 1200 → events");
        assert_eq!(request(zone, 4, &both), "FC 23 exchange, malformed → events");
        assert_eq!(answer(zone, &read, &[0x83, 2]), "exception 02 IllegalAddress");
        let write = encoded(|out| pdu::write_multiple(SETTINGS, &[3_000, 25], out));
        assert_eq!(
            request(Some(NodeKind::Panel), 1, &write),
            "FC 16 settings: lease_ms 3000, debounce_ms 25"
        );
        for n in 0..=255 {
            for len in 1..12 {
                let any = vec![n; len];
                let _shown = (request(zone, 1, &any), answer(zone, &read, &any));
            }
        }
    }
}
