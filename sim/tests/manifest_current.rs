//! The example manifest is what the generator makes; `UPDATE=1` rewrites it.

use std::path::Path;

/// Seed of the example.
const SEED: u64 = 20_261_121;
/// Rows of the example.
const ROWS: usize = 6_000;

#[test]
fn example_manifest_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../controller/examples/manifest.csv");
    let fresh = line_sim::manifest::generate(SEED, ROWS);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &fresh).expect("the example can be written");
    }
    let found = std::fs::read_to_string(&path).expect("the example exists");
    let differs = found.lines().zip(fresh.lines()).position(|(found, fresh)| found != fresh);
    assert_eq!(differs, None, "line (from 0) that differs; UPDATE=1 rewrites the file");
    assert_eq!(found.len(), fresh.len(), "UPDATE=1 rewrites the file");
}
