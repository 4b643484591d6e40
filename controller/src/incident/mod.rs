//! Incidents: what leaves the house for somebody elsewhere to look into.
//!
//! [`key`] is the site's key, for the engine's door and for [`mask`], which replaces codes and
//! persons consistently and at equal length. [`export`] puts a slice of the journal with everything
//! that its replay needs into one masked file.

pub mod export;
pub mod key;
pub mod mask;
