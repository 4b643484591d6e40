//! Named situations of a sorting line, one file each, with the decisions that they lead to.
//!
//! Every `sim/scenarios/*.toml` has its log in `tests/tests/scenarios/`; `UPDATE=1` writes the logs
//! anew, and a person reads the difference before it is kept.

use line_sim::Scenario;
use std::path::{Path, PathBuf};
use system_tests::inputs::Case;
use system_tests::swarm::{log, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_path_buf()
}

/// What is wrong with one scenario; `None` when nothing is.
fn check(path: &Path, update: bool) -> Option<String> {
    let name = path.file_stem()?.to_str()?;
    let text = std::fs::read_to_string(path).expect("listed");
    let scenario = Scenario::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
    let case = Case::of(&scenario, &root()).unwrap_or_else(|why| panic!("{name}: {why}"));
    let (harness, drained) = run::to_the_end(&case, None);
    let outcome = run::judge(&case, &harness, drained);
    let comment = text.lines().take_while(|line| line.starts_with('#'));
    let head: Vec<&str> = comment.collect();
    let log = format!("{}\n{}", head.join("\n"), log::of(&harness, &outcome));
    let place = root().join(format!("tests/tests/scenarios/{name}.log"));
    let unobservable = scenario.events.iter().any(|entry| !entry.event.is_observable());
    let faults = if unobservable { Vec::new() } else { outcome.faults() };
    if update {
        std::fs::create_dir_all(place.parent()?).expect("a folder");
        std::fs::write(&place, &log).expect("a file");
    }
    let kept = std::fs::read_to_string(&place).unwrap_or_default();
    if !faults.is_empty() {
        return Some(format!("{name}: {}", faults.join("\n    ")));
    }
    if kept == log {
        return None;
    }
    let first = kept.lines().zip(log.lines()).find(|(was, is)| was != is);
    let (was, is) = first.unwrap_or(("another number of lines", ""));
    Some(format!(
        "{name}: its log is another\n    was {was}\n    is  {is}\n    UPDATE=1 cargo test --release \
         -p system-tests --test scenarios writes it anew"
    ))
}

/// Runs the file in `SCENARIO_FILE`, as the swarm leaves it, and prints its log.
#[test]
fn one_file() {
    let Some(path) = std::env::var_os("SCENARIO_FILE") else { return };
    let text = std::fs::read_to_string(path).expect("readable");
    let scenario = Scenario::parse(&text).unwrap_or_else(|why| panic!("{why}"));
    let case = Case::of(&scenario, &root()).unwrap_or_else(|why| panic!("{why}"));
    let (harness, drained) = run::to_the_end(&case, None);
    let outcome = run::judge(&case, &harness, drained);
    println!("{}", log::of(&harness, &outcome));
    assert_eq!(outcome.faults(), Vec::<String>::new());
}

#[test]
fn every_scenario_is_decided_as_its_log_says() {
    let update = std::env::var_os("UPDATE").is_some();
    let only = std::env::var("SCENARIO").ok();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join("sim/scenarios"))
        .expect("shipped")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            only.as_ref().is_none_or(|only| name.contains(only.as_str()))
        })
        .collect();
    paths.sort();
    assert!(only.is_some() || paths.len() >= 40, "{} scenarios", paths.len());
    let wrong: Vec<String> = paths.iter().filter_map(|path| check(path, update)).collect();
    println!("{} scenarios, {} wrong", paths.len(), wrong.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
