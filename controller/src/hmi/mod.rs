//! The screens: pages, live values and commands over HTTP.
//!
//! Owns what people see and press. Knows the line only as an [`HmiView`] that the daemon publishes
//! and the journal only as tables that it reads; never holds a `Line`, never decides. Start reading
//! at [`HmiSetup`], then [`serve`].

mod setup;

pub use ipnet::IpNet;
pub use setup::{BusHealth, HmiCommand, HmiSetup, HmiView, Refused, StationHealth, StationState};
