//! The bad wire: what can go wrong between the host and the nodes of one bus, in virtual time.
//!
//! A [`Bridge`] stands between the host's port and the nodes' UARTs (or sockets). It takes whole
//! requests and answers, puts them on the line as characters with their instants, lets them be
//! hit, lost, repeated and overlapped at the rates of [`Faults`], and says what everybody hears.
//! One seed gives one run; a clone continues exactly like the original. It knows no plant and no
//! controller. Start reading at [`Bridge`]; the rates are explained in [`Faults`].

mod air;
mod bits;
mod faults;
mod forge;
mod machine;
mod serial;
mod tally;
mod tcp;

pub use faults::{Faults, FaultsError};
pub(crate) use machine::NETWORK_US;
pub use machine::TURN_AROUND_US;
pub use machine::{Bridge, Effect, Sound, Speaker};
pub use tally::{Class, Tally};
