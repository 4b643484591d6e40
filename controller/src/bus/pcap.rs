//! Recorded frames as a pcap file that protocol analysers decode.
//!
//! A serial frame has no place in a pcap that keeps its direction, so that every frame becomes the
//! payload of one TCP packet: requests go to port [`RTU_PORT`] or [`TCP_PORT`], answers come from
//! there. Each node of each bus is a connection of its own, its address tells which:
//! `10.<bus>.<bus>.<unit>`. Read RTU frames with
//! `tshark -r FILE -o mbrtu.tcp.port:5020 -o mbrtu.crc_verification:TRUE` (with `-d` instead of the
//! port, FC 23 is not told to be query or response, and its words stay hidden); port 502 needs nothing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::tap::{Tapped, What, Wire};

/// The nodes' port in packets that carry RTU frames.
pub const RTU_PORT: u16 = 5_020;
/// The nodes' port in packets that carry Modbus TCP frames.
pub const TCP_PORT: u16 = 502;

/// Microsecond time stamps, version 2.4.
const MAGIC: u32 = 0xA1B2_C3D4;
/// Longest packet: headers and the longest frame with room for noise.
const SNAP: u32 = 65_535;
/// Packets begin with their IP header (LINKTYPE_RAW).
const LINK_RAW: u32 = 101;
const IP_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
const TCP: u8 = 6;
const PUSH_ACK: u8 = 0x18;
/// Longest payload of one packet; no frame comes near it.
const PAYLOAD_MAX: usize = 60_000;
/// The host's address.
const HOST: [u8; 4] = [10, 255, 255, 1];
/// First port of the host's ends.
const HOST_PORT: u16 = 49_152;

/// One frame to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Microseconds since 1970-01-01 UTC.
    pub utc_us: u64,
    /// Index of the bus.
    pub bus: u16,
    /// What stands around the PDU.
    pub wire: Wire,
    /// The unit addressed, or the one that answered.
    pub unit: u8,
    /// Sent by the host.
    pub from_host: bool,
    /// All bytes, with CRC or MBAP header.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// A frame of the tap; `None` when it stands for the absence of one.
    pub fn of(tapped: &'a Tapped) -> Option<Self> {
        let from_host = matches!(tapped.what, What::Request | What::Echo);
        let Tapped { utc_us, bus, wire, unit, ref bytes, .. } = *tapped;
        (!bytes.is_empty()).then_some(Self { utc_us, bus, wire, unit, from_host, bytes })
    }
}

/// Both directions of one connection: the next sequence number of host and node.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    host: u32,
    node: u32,
}

/// Writes a pcap file.
#[derive(Debug)]
pub struct Pcap<W> {
    out: W,
    flows: BTreeMap<(u16, Port, u8), Flow>,
    identification: u16,
}

type Port = u16;

impl<W: Write> Pcap<W> {
    /// Writes the head of the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&MAGIC.to_le_bytes())?;
        out.write_all(&2_u16.to_le_bytes())?;
        out.write_all(&4_u16.to_le_bytes())?;
        // Time zone and accuracy: always 0.
        out.write_all(&[0; 8])?;
        out.write_all(&SNAP.to_le_bytes())?;
        out.write_all(&LINK_RAW.to_le_bytes())?;
        Ok(Self { out, flows: BTreeMap::new(), identification: 0 })
    }

    /// Appends one frame as a packet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn frame(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let packet = self.packet(frame);
        let len = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
        let seconds = u32::try_from(frame.utc_us / 1_000_000).unwrap_or(u32::MAX);
        let micros = u32::try_from(frame.utc_us % 1_000_000).unwrap_or_default();
        self.out.write_all(&seconds.to_le_bytes())?;
        self.out.write_all(&micros.to_le_bytes())?;
        self.out.write_all(&len)?;
        self.out.write_all(&len)?;
        self.out.write_all(&packet)
    }

    /// Writes through everything appended so far and gives the file back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn packet(&mut self, frame: &Frame<'_>) -> Vec<u8> {
        let payload = frame.bytes.get(..PAYLOAD_MAX).unwrap_or(frame.bytes);
        let port = match frame.wire {
            Wire::Serial => RTU_PORT,
            Wire::Tcp => TCP_PORT,
        };
        let flow = self.flows.entry((frame.bus, port, frame.unit)).or_default();
        let [high, low] = frame.bus.to_be_bytes();
        let node = [10, high, low, frame.unit];
        let host_port = HOST_PORT.saturating_add(u16::from(frame.unit));
        let len = u32::try_from(payload.len()).unwrap_or_default();
        let (from, to, ports, sequence, acknowledged) = if frame.from_host {
            let sequence = flow.host;
            flow.host = sequence.wrapping_add(len);
            (HOST, node, [host_port, port], sequence, flow.node)
        } else {
            let sequence = flow.node;
            flow.node = sequence.wrapping_add(len);
            (node, HOST, [port, host_port], sequence, flow.host)
        };
        self.identification = self.identification.wrapping_add(1);
        let mut packet = ip_header(from, to, payload.len(), self.identification);
        packet.extend(tcp_header(from, to, ports, sequence, acknowledged, payload));
        packet.extend_from_slice(payload);
        packet
    }
}

fn ip_header(from: [u8; 4], to: [u8; 4], payload: usize, identification: u16) -> Vec<u8> {
    let len = u16::try_from(IP_HEADER + TCP_HEADER + payload).unwrap_or(u16::MAX);
    let mut header = vec![0x45, 0];
    header.extend(len.to_be_bytes());
    header.extend(identification.to_be_bytes());
    // Not to be fragmented; 64 hops.
    header.extend([0x40, 0, 64, TCP, 0, 0]);
    header.extend(from);
    header.extend(to);
    let sum = checksum(&header).to_be_bytes();
    header[10..12].copy_from_slice(&sum);
    header
}

fn tcp_header(
    from: [u8; 4],
    to: [u8; 4],
    ports: [u16; 2],
    sequence: u32,
    acknowledged: u32,
    payload: &[u8],
) -> Vec<u8> {
    let mut header: Vec<u8> = ports.iter().flat_map(|port| port.to_be_bytes()).collect();
    header.extend(sequence.to_be_bytes());
    header.extend(acknowledged.to_be_bytes());
    header.extend([0x50, PUSH_ACK, 0xFF, 0xFF, 0, 0, 0, 0]);
    let len = u16::try_from(TCP_HEADER + payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    let pseudo = [&from[..], &to[..], &[0, TCP], &len[..], &header[..], payload].concat();
    let sum = checksum(&pseudo).to_be_bytes();
    header[16..18].copy_from_slice(&sum);
    header
}

/// The checksum of the Internet protocols: ones' complement of the ones' complement sum.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| match *pair {
        [high, low] => u16::from_be_bytes([high, low]),
        [high] => u16::from_be_bytes([high, 0]),
        _ => 0,
    });
    let sum: u64 = words.map(u64::from).sum();
    let mut folded = sum;
    while folded > 0xFFFF {
        folded = (folded & 0xFFFF) + (folded >> 16);
    }
    !u16::try_from(folded).unwrap_or_default()
}

/// Turns recorded frames into a whole pcap file.
pub fn file<'a>(frames: impl IntoIterator<Item = Frame<'a>>) -> Vec<u8> {
    let written = Pcap::new(Vec::new()).and_then(|mut pcap| {
        for frame in frames {
            pcap.frame(&frame)?;
        }
        pcap.finish()
    });
    // Memory takes every byte.
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(from_host: bool, bytes: &[u8]) -> Frame<'_> {
        let (utc_us, wire) = (1_798_732_800_000_007, Wire::Serial);
        Frame { utc_us, bus: 0x0102, wire, unit: 3, from_host, bytes }
    }

    #[test]
    fn packets_are_valid_and_their_numbers_go_on() {
        let file = file([frame(true, b"12345"), frame(false, b"678"), frame(true, b"9")]);
        assert_eq!(file[..4], [0xD4, 0xC3, 0xB2, 0xA1]);
        assert_eq!(file[20], 101);
        let mut rest = &file[24..];
        let mut packets = Vec::new();
        while !rest.is_empty() {
            assert_eq!(rest[..4], 1_798_732_800_u32.to_le_bytes(), "seconds");
            assert_eq!(rest[4..8], 7_u32.to_le_bytes(), "microseconds");
            let len = usize::from(rest[8]);
            packets.push(&rest[16..16 + len]);
            rest = &rest[16 + len..];
        }
        let numbers = |packet: &[u8]| {
            let word = |at: usize| {
                let bytes = packet[at..at + 4].try_into().expect("four bytes");
                u32::from_be_bytes(bytes)
            };
            (word(24), word(28))
        };
        assert_eq!(
            packets.iter().map(|p| numbers(p)).collect::<Vec<_>>(),
            [(0, 0), (0, 5), (5, 3)]
        );
        for packet in &packets {
            assert_eq!(checksum(&packet[..20]), 0, "the sum over a right header is 0");
            let len = [0, 0, 0, u8::try_from(packet.len() - 20).expect("short")];
            let pseudo = [&packet[12..20], &[0, TCP], &len[2..], &packet[20..]].concat();
            assert_eq!(checksum(&pseudo), 0);
        }
        assert_eq!(packets[0][16..20], [10, 1, 2, 3], "to the node");
        assert_eq!(packets[0][22..24], RTU_PORT.to_be_bytes());
        assert_eq!(packets[1][12..16], [10, 1, 2, 3], "from the node");
        assert_eq!(packets[1][20..22], RTU_PORT.to_be_bytes());
    }

    #[test]
    fn odd_lengths_are_summed_as_if_a_zero_followed() {
        // The example of RFC 1071, section 3, and one byte more.
        assert_eq!(checksum(&[0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]), !0xDDF2);
        assert_eq!(checksum(&[0x01]), !0x0100);
    }
}
