//! The server core: requests in, a node's registers behind, answers out.
//!
//! A node implements [`Bank`] for what it has and calls [`serve_rtu`] or [`serve_tcp`] with whole
//! frames. Exceptions come as the specification orders its checks: function, then quantities and
//! values, then addresses, then execution.

mod bank;
mod counters;
mod serve;
mod sink;

pub use bank::Bank;
pub use counters::Counters;
pub use serve::{serve, serve_rtu, serve_tcp};
pub use sink::{BitSink, ByteSink, WordSink};
