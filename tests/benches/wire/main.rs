//! The wire against its computed limits and against other people's clients.
//!
//! Prints figures and ratios; asserts nothing about time. `cargo bench -p system-tests --bench wire`
//! runs all of it, `… -- rtu | pty | tcp | many | dead` one part.

mod many;
mod pty;
mod tcp;
mod virtual_bus;

use std::time::Instant;

/// Baud rate of the reference bus.
const BAUD: u32 = 115_200;
/// How long a node of the bench takes to begin its answer after the silence, in µs: the stated
/// turn-around, part of the computed minimum.
const TURN_AROUND_US: u64 = 500;

#[expect(clippy::disallowed_methods, reason = "a benchmark is a stopwatch")]
fn clock() -> Instant {
    Instant::now()
}

/// The value below which `permille` of the sorted values lie.
fn percentile(sorted: &[u64], permille: usize) -> u64 {
    sorted.get(sorted.len().saturating_sub(1) * permille / 1_000).copied().unwrap_or_default()
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let Some(["many-nodes", nodes]) =
        words.iter().map(String::as_str).collect::<Vec<_>>().get(..)
    {
        return many::serve(nodes.parse().expect("a number of nodes"));
    }
    if let Some(["many-host", ports @ ..]) =
        words.iter().map(String::as_str).collect::<Vec<_>>().get(..)
    {
        return many::host(ports);
    }
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    if wanted("rtu") {
        virtual_bus::cycles();
    }
    if wanted("dead") {
        virtual_bus::one_dead_node();
    }
    if wanted("pty") {
        pty::cycle();
    }
    if wanted("tcp") {
        tcp::beside_peers();
    }
    if wanted("many") {
        many::at_20_ms();
    }
}
