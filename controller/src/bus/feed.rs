//! Tapped frames as JSON, between a running controller and the tools beside it.
//!
//! `GET /api/bus/frames` is a stream of server-sent events: one `line` with the line file, then
//! `frames` with what passed since the last one. Both sides read and write the shapes here.

use serde::{Deserialize, Serialize};
use units::Micros;

use super::tap::{Tapped, What, Wire};

/// Address of the stream.
pub const PATH: &str = "/api/bus/frames";

/// First event `line`: what the controller runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDto {
    /// Name of the line file.
    pub file: String,
    /// Its text.
    pub text: String,
    /// Codes of parcels are masked.
    pub masked: bool,
}

/// Every later event `frames`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramesDto {
    /// Frames lost to this listener since the beginning.
    pub dropped: u64,
    /// Frames in their order.
    pub frames: Vec<FrameDto>,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameDto {
    at_us: u64,
    utc_us: u64,
    bus: u16,
    wire: String,
    unit: u8,
    what: String,
    hex: String,
}

impl FrameDto {
    /// The shape of a frame.
    pub fn of(tapped: &Tapped) -> Self {
        let wire = match tapped.wire {
            Wire::Serial => "serial",
            Wire::Tcp => "tcp",
        };
        Self {
            at_us: tapped.at.0,
            utc_us: tapped.utc_us,
            bus: tapped.bus,
            wire: wire.to_owned(),
            unit: tapped.unit,
            what: tapped.what.name().to_owned(),
            hex: tapped.bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// The frame of a shape; `None` when a word of it has no meaning.
    pub fn tapped(&self) -> Option<Tapped> {
        let wire = match self.wire.as_str() {
            "serial" => Wire::Serial,
            "tcp" => Wire::Tcp,
            _ => return None,
        };
        let (pairs, []) = self.hex.as_bytes().as_chunks::<2>() else { return None };
        let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        Some(Tapped {
            at: Micros(self.at_us),
            utc_us: self.utc_us,
            bus: self.bus,
            wire,
            unit: self.unit,
            what: What::parse(&self.what)?,
            bytes: pairs.iter().map(byte).collect::<Option<Vec<u8>>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_the_way() {
        for what in What::ALL {
            let tapped = Tapped {
                at: Micros(7),
                utc_us: 8,
                bus: 300,
                wire: Wire::Tcp,
                unit: 9,
                what,
                bytes: vec![0, 0xAB, 0xFF],
            };
            let text = serde_json::to_string(&FrameDto::of(&tapped)).expect("JSON");
            let back: FrameDto = serde_json::from_str(&text).expect("its shape");
            assert_eq!(back.tapped(), Some(tapped));
        }
        let mut odd = FrameDto {
            at_us: 0,
            utc_us: 0,
            bus: 0,
            wire: "serial".to_owned(),
            unit: 1,
            what: "answer".to_owned(),
            hex: "0".to_owned(),
        };
        assert_eq!(odd.tapped(), None);
        odd.hex = "0g".to_owned();
        assert_eq!(odd.tapped(), None);
    }
}
