//! The daemon: buses, journal, screens, and the only code of the controller that knows an operating
//! system.
//!
//! Owns threads, sockets, serial ports, files and the clock; joins them to the engine, which decides
//! everything. It must not know a register, a position or a rule of sorting. Start reading at
//! [`run`] (the loop: what wakes it and where effects go), then [`guard`], [`journal`], [`bus`].

pub mod audit;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod config;
#[cfg(test)]
mod example;
pub mod exit;
pub mod flight;
pub mod guard;
pub mod hmi;
pub mod incident;
pub mod inputs;
pub mod journal;
pub mod logs;
pub mod mask;
pub mod replay;
pub mod run;
pub mod start;
pub mod tools;
pub mod upstream;
pub mod view;
pub mod wall;
