//! Builds and runs the demonstration.
fn main() {}
