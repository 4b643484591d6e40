//! The codec, the framing and the server core: by the specification, exhaustively, and on any bytes.

mod asked;
mod codec;
mod counters;
mod device;
mod exhaustive;
mod framing;
mod identity;
mod session;
