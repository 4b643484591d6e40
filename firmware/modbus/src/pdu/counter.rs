//! The counters of FC 08.

/// A counter that FC 08 reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// 0x0B: frames with a right CRC on the line, whoever sent them.
    BusMessages,
    /// 0x0C: frames with a wrong one, and characters that the UART could not read.
    CommunicationErrors,
    /// 0x0D: exceptions answered.
    Exceptions,
    /// 0x0E: requests to this unit, broadcasts included.
    ServerMessages,
    /// 0x0F: requests to this unit that were not answered, broadcasts included.
    NoResponses,
    /// 0x12: characters lost because they were not fetched in time.
    Overruns,
}

impl Counter {
    /// Every counter.
    pub const ALL: [Self; 6] = [
        Self::BusMessages,
        Self::CommunicationErrors,
        Self::Exceptions,
        Self::ServerMessages,
        Self::NoResponses,
        Self::Overruns,
    ];

    /// The sub-function that reads it.
    pub const fn sub_function(self) -> u16 {
        match self {
            Self::BusMessages => 0x0B,
            Self::CommunicationErrors => 0x0C,
            Self::Exceptions => 0x0D,
            Self::ServerMessages => 0x0E,
            Self::NoResponses => 0x0F,
            Self::Overruns => 0x12,
        }
    }

    /// The counter that `sub_function` reads.
    pub fn from_sub_function(sub_function: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|counter| counter.sub_function() == sub_function)
    }
}
