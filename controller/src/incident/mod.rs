//! Incidents: what leaves the house for somebody elsewhere to look into.
//!
//! [`key`] is the site's key, for the engine's door and for the [mask](crate::mask). [`export`] puts a
//! slice of the journal with everything that its replay needs, and the raw frames of its time, into
//! one masked file.

pub mod export;
pub mod key;
