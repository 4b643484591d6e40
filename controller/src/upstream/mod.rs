//! Where routes come from: whoever answers the engine's questions, never waited for.

pub mod manifest;
