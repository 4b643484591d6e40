//! Exception codes.

use core::fmt;

/// Why a server refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// 01: the function or sub-function is not served.
    IllegalFunction,
    /// 02: an address is outside the map.
    IllegalAddress,
    /// 03: a quantity, a byte count or a value is outside its limits.
    IllegalValue,
    /// 04: the device failed while it executed the request.
    DeviceFailure,
    /// 05: accepted, takes long.
    Acknowledge,
    /// 06: busy, ask again later.
    Busy,
    /// 08: a memory parity error in extended memory.
    MemoryParity,
    /// 0A: the gateway has no path to the unit.
    GatewayPath,
    /// 0B: the unit behind the gateway did not answer.
    GatewayTarget,
}

impl Exception {
    const ALL: [Self; 9] = [
        Self::IllegalFunction,
        Self::IllegalAddress,
        Self::IllegalValue,
        Self::DeviceFailure,
        Self::Acknowledge,
        Self::Busy,
        Self::MemoryParity,
        Self::GatewayPath,
        Self::GatewayTarget,
    ];

    /// The code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::IllegalFunction => 0x01,
            Self::IllegalAddress => 0x02,
            Self::IllegalValue => 0x03,
            Self::DeviceFailure => 0x04,
            Self::Acknowledge => 0x05,
            Self::Busy => 0x06,
            Self::MemoryParity => 0x08,
            Self::GatewayPath => 0x0A,
            Self::GatewayTarget => 0x0B,
        }
    }

    /// The exception that `code` stands for.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exception| exception.code() == code)
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::IllegalFunction => "illegal function",
            Self::IllegalAddress => "illegal address",
            Self::IllegalValue => "illegal value",
            Self::DeviceFailure => "device failure",
            Self::Acknowledge => "acknowledged, not finished",
            Self::Busy => "device busy",
            Self::MemoryParity => "memory parity error",
            Self::GatewayPath => "gateway path unavailable",
            Self::GatewayTarget => "gateway target silent",
        };
        write!(f, "get an answer: exception {:02X} ({text})", self.code())
    }
}

impl core::error::Error for Exception {}
