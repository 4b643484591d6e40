//! The simulated line: plant, virtual nodes, wire.
