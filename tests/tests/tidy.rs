//! House rules as tests: import table, file length, banned words, what stands at the top level.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest source file, tests at its end not counted.
const FILE_LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("workspace root").to_path_buf()
}

/// Who may import whom inside the workspace. A crate that is not listed is not allowed to exist;
/// dev-dependencies are free, since tests may join what the product must keep apart.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    const NODE: &[&str] = &["units", "modbus", "registers", "node"];
    BTreeMap::from([
        ("units", &[] as &[&str]),
        ("modbus", &["units"]),
        ("registers", &["units"]),
        ("node", &["units", "modbus", "registers"]),
        ("zone", NODE),
        ("diverter", NODE),
        ("scanner", NODE),
        ("dws", NODE),
        ("panel", NODE),
        ("line-file", &["units"]),
        ("line-model", &["units"]),
        ("node-link", &["units", "modbus", "registers", "line-model"]),
        ("line-engine", &["units", "modbus", "registers", "line-model", "node-link"]),
        (
            "sortline",
            &[
                "units",
                "modbus",
                "registers",
                "line-file",
                "line-model",
                "node-link",
                "line-engine",
            ],
        ),
        (
            "line-sim",
            &[
                "units",
                "modbus",
                "registers",
                "node",
                "zone",
                "diverter",
                "scanner",
                "dws",
                "panel",
                "line-file",
            ],
        ),
        (
            "system-tests",
            &[
                "units",
                "modbus",
                "registers",
                "line-file",
                "line-model",
                "node-link",
                "line-engine",
                "sortline",
                "line-sim",
                // Real node logic without a plant: the million exchanges.
                "node",
            ],
        ),
        ("demo", &["system-tests"]),
        ("xtask", &[]),
    ])
}

fn metadata() -> serde_json::Value {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON")
}

#[test]
fn crates_import_only_what_the_table_allows() {
    let allowed = allowed();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let ours: BTreeSet<_> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    assert_eq!(ours, allowed.keys().copied().collect(), "every crate has its row");
    for package in packages {
        let name = package["name"].as_str().expect("name");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let other = dependency["name"].as_str().expect("name");
            if ours.contains(other) && dependency["kind"].as_str() != Some("dev") {
                assert!(allowed[name].contains(&other), "{name} must not import {other}");
            }
        }
    }
}

#[test]
fn sans_io_crates_are_plainly_no_std() {
    for file in [
        "firmware/units",
        "firmware/modbus",
        "firmware/registers",
        "firmware/node",
        "firmware/zone",
        "firmware/diverter",
        "firmware/scanner",
        "firmware/dws",
        "firmware/panel",
        "controller/model",
        "controller/link",
        "controller/engine",
    ] {
        let lib = root().join(file).join("src/lib.rs");
        let text = std::fs::read_to_string(&lib).expect("lib.rs");
        assert!(text.lines().any(|line| line == "#![no_std]"), "{file} is plainly #![no_std]");
    }
}

fn tracked() -> Vec<PathBuf> {
    let out = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(out.status.success(), "git lists the files");
    let names = String::from_utf8(out.stdout).expect("UTF-8 names");
    let files = names.split('\0').filter(|name| !name.is_empty()).map(|name| root().join(name));
    files.filter(|path| path.is_file()).collect()
}

#[test]
fn the_top_level_holds_only_what_the_design_names() {
    let known = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "controller",
        "firmware",
        "sim",
        "tests",
        "clippy.toml",
        "rustfmt.toml",
        "rust-toolchain.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
    ];
    for path in tracked() {
        let relative = path.strip_prefix(root()).expect("inside").to_path_buf();
        let first = relative.components().next().expect("a name").as_os_str().to_os_string();
        let first = first.to_str().expect("UTF-8");
        assert!(first.starts_with('.') || known.contains(&first), "{first} at the top level");
    }
}

#[test]
fn source_files_stay_readable() {
    let in_tests = |path: &PathBuf| path.parent().is_some_and(|dir| dir.ends_with("tests"));
    let sources = tracked().into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs"));
    for path in sources.filter(|path| !in_tests(path)) {
        let text = std::fs::read_to_string(&path).expect("source");
        let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_unfinished_work_is_left_behind() {
    // Spelled in two parts, so that this file does not accuse itself.
    let banned = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[ign", "ore"),
        concat!("FIX", "ME"),
        concat!("XX", "X "),
        concat!("TO", "DO"),
        concat!("dbg", "!("),
        concat!("thread::", "sleep"),
    ];
    // Waiting for another process or a sick disk, and measuring a load, is real time by nature; each
    // place says why.
    let sleepers = [
        "tests/src/process.rs",
        "controller/src/journal/writer.rs",
        "controller/src/flight/recorder.rs",
        "tests/benches/host.rs",
    ];
    for path in tracked().iter().filter(|p| p.extension().is_some_and(|e| e == "rs")) {
        let text = std::fs::read_to_string(path).expect("source");
        for word in banned {
            let excused =
                word.ends_with("sleep") && sleepers.iter().any(|name| path.ends_with(name));
            assert!(excused || !text.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn embedded_hal_is_named_only_in_io_rs() {
    for path in tracked().iter().filter(|p| p.extension().is_some_and(|e| e == "rs")) {
        let text = std::fs::read_to_string(path).expect("source");
        let named = text.lines().any(|l| l.trim_start().starts_with("use embedded_hal"));
        assert!(!named || path.ends_with("firmware/node/src/io.rs"), "{}", path.display());
    }
}

#[test]
fn every_place_in_the_code_map_exists() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let map = readme.split("## Code map").nth(1).expect("README has a code map");
    let map = map.split("\n## ").next().expect("a section");
    let mut seen = BTreeSet::new();
    let names = map.split('`').skip(1).step_by(2);
    for name in names.filter(|name| name.contains('/') || root().join(name).is_dir()) {
        assert!(root().join(name).exists(), "README names {name}");
        seen.insert(name.trim_end_matches('/').to_owned());
    }
    for package in metadata()["packages"].as_array().expect("packages") {
        let manifest = package["manifest_path"].as_str().expect("path");
        let folder = Path::new(manifest).parent().expect("folder");
        let relative = folder.strip_prefix(root()).expect("inside").to_str().expect("UTF-8");
        assert!(seen.contains(relative), "README's code map lacks {relative}");
    }
}
