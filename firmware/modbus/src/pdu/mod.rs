//! Protocol data units: what is the same on every wire.
//!
//! [`Request`] is what a node parses, the functions beside it encode what a master sends, and
//! [`Response`] is what a master accepts. To add a function: its code and length in `function.rs`,
//! a variant here and there, a row in [`server`](crate::server).

mod bits;
mod counter;
mod device_id;
mod encode;
mod exception;
pub mod function;
mod request;
mod response;
mod words;

pub use bits::Bits;
pub use counter::Counter;
pub use device_id::{Access, DeviceId};
pub use encode::{
    clear_counters, device_id, echo, mask_write, read_coils, read_counter, read_discrete,
    read_holding, read_input, read_write, server_id, write_coil, write_coils, write_multiple,
    write_single,
};
pub use exception::Exception;
pub use request::Request;
pub use response::{Mismatch, Response};
pub use words::Words;

pub(crate) use device_id::{HEAD as DEVICE_ID_HEAD, MORE as DEVICE_ID_MORE};
pub(crate) use response::Expected;

/// The longest PDU on any wire, in bytes.
pub const MAX_PDU: usize = 253;

/// A PDU that owns its bytes.
pub type Pdu = crate::Buffer<MAX_PDU>;
