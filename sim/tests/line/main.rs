//! The simulated line under a small Modbus master in virtual time.

mod gapping;
mod scenario;
mod support;
mod world;
