//! tshark: what a foreign decoder makes of our frames.

use crate::places;
use sortline::bus::pcap::{self, Frame};
use std::path::Path;
use std::process::Command;

/// One Modbus frame as tshark sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Whether it is a query, and not a response.
    pub(crate) query: bool,
    /// Unit.
    pub(crate) unit: u8,
    /// Function code without the bit of an exception.
    pub(crate) function: u8,
    /// Exception code.
    pub(crate) exception: Option<u8>,
    /// Whether the CRC is right; `None` where there is none.
    pub(crate) crc: Option<bool>,
    /// Reference number and word count of what is read.
    pub(crate) read: Option<(u16, u16)>,
    /// Reference number and word count of what is written.
    pub(crate) written: Option<(u16, u16)>,
    /// Register values in the order of the frame.
    pub(crate) words: Vec<u16>,
}

const FIELDS: [&str; 14] = [
    "_ws.col.Info",
    "mbrtu.unit_id",
    "mbtcp.unit_id",
    "modbus.func_code",
    "modbus.exception_code",
    "mbrtu.crc16.status",
    "modbus.reference_num",
    "modbus.word_cnt",
    "modbus.read_reference_num",
    "modbus.read_word_cnt",
    "modbus.write_reference_num",
    "modbus.write_word_cnt",
    "modbus.regval_uint16",
    "modbus.data",
];

/// Version, as the program says.
pub(crate) fn version() -> String {
    let said = places::output(Command::new("tshark").arg("--version"));
    said.split_whitespace().nth(2).unwrap_or_default().trim_end_matches('.').to_owned()
}

/// Writes frames as a pcap file and lets tshark decode it; `None` is no Modbus to it.
pub(crate) fn decode<'a>(
    file: &Path,
    frames: impl IntoIterator<Item = Frame<'a>>,
) -> Vec<Option<Seen>> {
    std::fs::write(file, pcap::file(frames)).expect("a place for the recording");
    run(file, &[], &FIELDS).iter().map(|line| seen(line)).collect()
}

/// What tshark calls malformed, an error, or a frame with a wrong CRC.
pub(crate) fn complaints(file: &Path) -> Vec<String> {
    let filter = "_ws.malformed || _ws.expert.severity >= 0x600000 || mbrtu.crc16.status == 0";
    run(file, &["-Y", filter], &["frame.number", "_ws.expert.message", "_ws.col.Info"])
}

fn run(file: &Path, more: &[&str], fields: &[&str]) -> Vec<String> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-r"]).arg(file);
    // By port, so that FC 23 is told to be query or response; "decode as" alone does not.
    tshark.args(["-o", &format!("mbrtu.tcp.port:{}", pcap::RTU_PORT)]);
    tshark.args(["-o", &format!("mbtcp.tcp.port:{}", pcap::TCP_PORT)]);
    // A protocol inside Modbus, guessed from the bytes of any data.
    tshark.args(["--disable-protocol", "opensafety"]);
    tshark.args(["-o", "mbrtu.crc_verification:TRUE", "-T", "fields"]).args(more);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    places::output(&mut tshark).lines().map(str::to_owned).collect()
}

fn seen(line: &str) -> Option<Seen> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [info, rtu, tcp, function, exception, crc, at, count, from, reads, to, writes, words, data] =
        fields[..]
    else {
        panic!("tshark prints {} fields: {line}", fields.len());
    };
    let byte = |text: &str| text.parse::<u8>().ok();
    let pair = |at: &str, count: &str| Some((at.parse().ok()?, count.parse().ok()?));
    let (unit, function) = (byte(rtu).or(byte(tcp))?, byte(function)?);
    let query = info.contains("Query:");
    assert!(query != info.contains("Response:"), "not classified: {line}");
    let (plain_read, plain_write) = if function == 16 || function == 6 {
        (None, pair(at, count))
    } else {
        (pair(at, count), None)
    };
    Some(Seen {
        query,
        unit,
        function,
        exception: byte(exception),
        crc: (!crc.is_empty()).then_some(crc == "1"),
        read: pair(from, reads).or(plain_read),
        written: pair(to, writes).or(plain_write),
        words: if data.is_empty() { decimal(words) } else { hexadecimal(data) },
    })
}

fn decimal(words: &str) -> Vec<u16> {
    words.split(',').filter(|word| !word.is_empty()).map(|w| w.parse().expect("a word")).collect()
}

/// The data of FC 23, whose words tshark delimits but does not number.
fn hexadecimal(data: &str) -> Vec<u16> {
    let digits: Vec<char> = data.chars().filter(char::is_ascii_hexdigit).collect();
    let word = |word: &[char]| u16::from_str_radix(&word.iter().collect::<String>(), 16);
    digits.chunks(4).map(|digits| word(digits).expect("a word")).collect()
}
