//! Long runs: what the test command shows in short, over more instants, seeds and ways.

use crate::cargo;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

/// One long run: a system test that takes its length and its seed from the environment.
struct Soak {
    name: &'static str,
    what: &'static str,
    /// Test target and the name of the test in it.
    test: [&'static str; 2],
    /// What makes it long.
    length: &'static [(&'static str, &'static str)],
    /// The variable that holds the seed.
    seed: &'static str,
}

const SOAKS: &[Soak] = &[
    Soak {
        name: "kills",
        what: "kill -9 of the real daemon at 200 random instants over real sockets",
        test: ["wire", "the_daemon_is_killed_at_random_instants"],
        length: &[("KILLS", "200"), ("KILL_LINES", "8")],
        seed: "KILL_SEED",
    },
    Soak {
        name: "matrix",
        what: "500 parcels in virtual time, cut at every record in all nine ways",
        test: ["crash_matrix", "the_process_is_cut_at_every_record"],
        length: &[("CRASH_PARCELS", "500"), ("CRASH_WAYS", "all")],
        seed: "CRASH_SEED",
    },
    Soak {
        name: "parcels",
        what: "a million parcels over 2,000 random lines with troubles of every observable class",
        test: ["swarm", "random_lines_mislead_no_parcel"],
        length: &[("SWARM_LINES", "2000")],
        seed: "SWARM_SEED",
    },
];

/// The names, for people.
pub(crate) fn help() -> String {
    let line = |soak: &Soak| format!("  {:<10} {}\n", soak.name, soak.what);
    SOAKS.iter().map(line).collect()
}

/// Runs one soak, or all of them without a name, with this seed or a fresh one.
pub(crate) fn run(rest: &[&str]) -> Result<(), String> {
    let name = rest.first().filter(|word| word.parse::<u64>().is_err());
    let seed = rest.get(usize::from(name.is_some()));
    let seed = match seed {
        Some(word) => word.parse().map_err(|_| format!("a seed is a number, not {word}"))?,
        None => RandomState::new().build_hasher().finish() >> 32,
    };
    let wanted = |soak: &&Soak| name.is_none_or(|name| *name == soak.name);
    let soaks: Vec<&Soak> = SOAKS.iter().filter(wanted).collect();
    if soaks.is_empty() {
        return Err(format!("there is no such soak; there are\n{}", help()));
    }
    let (mut failed, seed) = (Vec::new(), seed.to_string());
    for soak in soaks {
        let [target, test] = soak.test;
        let repeat = format!("cargo xtask soak {} {seed}", soak.name);
        println!("\n{}; repeat: {repeat}", soak.what);
        let words = [
            "test",
            "--release",
            "-p",
            "system-tests",
            "--test",
            target,
            test,
            "--",
            "--nocapture",
        ];
        let mut environment = soak.length.to_vec();
        environment.push((soak.seed, &seed));
        // The others are run all the same: a soak is started in the evening.
        if let Err(why) = cargo(soak.name, &words, &environment) {
            failed.push(format!("{why}; repeat: {repeat}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}
