//! Shapes and spans of the line file: what an integrator may write, before anything is checked.
//!
//! Owns the TOML shapes ([`LineFile`]) and the place of every key in the text ([`Document`]). Knows
//! no rule of the line: ranges, names and geometry are checked by the controller. The simulator
//! reads the same shapes. Start reading at [`LineFile`].

mod document;
mod policy;
mod shape;

pub use document::{Document, Entry, Kind, Place, pattern};
pub use policy::{ClockPolicy, FlightPolicy, JournalPolicy};
pub use shape::{
    Bus, BusKind, Chute, ChuteKind, ChuteRole, Diverter, Dws, EchoMode, Encoder, End, EndKind,
    Estop, Eye, Gap, Hmi, LineFile, LineInfo, Node, NodeKind, Panel, Parity, ParseError, Rs485,
    Scanner, Timing, Tracking, Zone, ZoneMode,
};
