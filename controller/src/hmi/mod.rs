//! The screens: pages, live values and commands over HTTP.
//!
//! Owns what people see and press. Knows the line only as an [`HmiView`] that the daemon publishes
//! and the journal only as tables that it reads; never holds a `Line`, never decides. Start reading
//! at [`HmiSetup`], then [`serve`]; `router` lists every address.

mod access;
mod api;
mod assets;
mod buttons;
mod carry;
mod chutes;
mod deeds;
mod dto;
mod frames;
mod hub;
mod i18n;
mod limits;
mod local_time;
mod mask;
mod mimic;
mod pages;
mod patience;
mod router;
mod server;
mod setup;
mod stories;
mod story;
mod stream;
mod words;

#[cfg(test)]
mod tests;

pub use frames::Frames;
pub use ipnet::IpNet;
pub use server::serve;
pub use setup::{
    BusHealth, EstopName, EyeTag, HmiCommand, HmiSetup, HmiView, Order, Refused, StationHealth,
    StationState,
};
