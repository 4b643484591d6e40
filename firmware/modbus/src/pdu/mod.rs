//! Protocol data units: what is the same on every wire.
//!
//! [`Request`] is what a node parses and a master encodes, [`Response`] what a master accepts. To
//! add a function: its code and shape in `function.rs`, a variant here and there, a row in
//! [`server`](crate::server).

mod exception;
pub mod function;
mod request;
mod response;
mod words;

pub use exception::Exception;
pub use request::{Request, echo, read_holding, read_write, write_multiple, write_single};
pub use response::{Mismatch, Response};
pub use words::Words;

pub(crate) use response::Expected;

/// The longest PDU on any wire, in bytes.
pub const MAX_PDU: usize = 253;

/// A PDU that owns its bytes.
pub type Pdu = crate::Buffer<MAX_PDU>;
