//! Where `cargo xtask setup` put the peers.

use std::path::{Path, PathBuf};
use std::process::Command;

const WORDS: &str = "is missing; run: cargo xtask setup";

/// `target/peers`, from `target/<profile>/deps/peers-…`.
fn peers() -> PathBuf {
    let here = std::env::current_exe().expect("own path");
    here.ancestors().nth(3).expect("a cargo target directory").join("peers")
}

/// The interpreter of the peers' own Python environment.
pub(crate) fn python() -> PathBuf {
    let python = peers().join("venv/bin/python");
    assert!(python.exists(), "{} {WORDS}", python.display());
    python
}

/// A script of ours that drives a Python peer.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// Directory of libmodbus' own example and test sources, as Debian ships them.
pub(crate) fn libmodbus() -> PathBuf {
    let documents = "usr/share/doc/libmodbus-dev/examples";
    let found = [Path::new("/").join(documents), peers().join(documents)];
    let found = found.into_iter().find(|dir| dir.join("unit-test-client.c").exists());
    found.unwrap_or_else(|| panic!("/{documents} {WORDS}"))
}

/// What a program prints on standard output when it ends well.
pub(crate) fn output(command: &mut Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.output().unwrap_or_else(|why| panic!("{program} ({why}) {WORDS}"));
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} ended with {}: {errors}", done.status);
    String::from_utf8_lossy(&done.stdout).into_owned()
}
