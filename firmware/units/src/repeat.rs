//! Test aid (feature `repeat`): random tests that say how to run the very same cases again.

use core::hash::{BuildHasher, Hasher};
use proptest::test_runner::{Config, RngSeed};
use std::hash::RandomState;

/// Returns a configuration for `cases` random cases and prints the command that repeats them.
///
/// The harness shows what a test printed when it fails. `PROPTEST_CASES` in the environment wins
/// over `cases`, `PROPTEST_RNG_SEED` over a fresh seed.
pub fn repeatable(cases: u32) -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().build_hasher().finish());
    }
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let thread = std::thread::current();
    std::println!(
        "repeat: PROPTEST_RNG_SEED={} PROPTEST_CASES={} cargo test -p {package} {}",
        config.rng_seed,
        config.cases,
        thread.name().unwrap_or_default(),
    );
    config
}
