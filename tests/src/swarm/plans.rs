//! Random sort plans and manifests for the chutes of a random line.

use line_sim::rng::Rng;
use std::fmt::Write as _;

/// Carriers of the synthetic manifests with the beginnings of their routes.
const CARRIERS: [(&str, &[&str]); 7] = [
    ("ZTO", &["356-", "021-", "571-"]),
    ("YTO", &["200-", "310-", "610-"]),
    ("SF", &["755", "021", "710"]),
    ("STO", &["571-", "280-"]),
    ("YUNDA", &["470 ", "510 "]),
    ("JT", &["882-", "755-"]),
    ("POST", &["US", "JP", "DE"]),
];
const ALLOCATIONS: [&str; 2] = ["nearest", "round_robin"];

/// A plan over these chutes; each belongs to one carrier, some carriers may have none.
///
/// # Panics
/// When there is no chute.
pub fn draw(rng: &mut Rng, sorting: &[u16], version: u32) -> String {
    let mut chutes = sorting.to_vec();
    rng.shuffle(&mut chutes);
    let mut dealt: Vec<Vec<u16>> = vec![Vec::new(); CARRIERS.len()];
    for (at, chute) in chutes.iter().enumerate() {
        let to = if at < CARRIERS.len() { at } else { rng.index(CARRIERS.len()) };
        dealt[to].push(*chute);
    }
    let mut text = format!("[plan]\nname = \"swarm\"\nversion = {version}\n");
    for chute in &chutes {
        writeln!(text, "[[chute]]\nlogical = \"L{chute}\"\nphysical = {chute}")
            .expect("a string takes everything");
    }
    for ((carrier, routes), mine) in CARRIERS.iter().zip(&dealt) {
        if mine.is_empty() {
            continue;
        }
        let whole = rng.chance(300_000);
        let prefixes: &[&str] = if whole { &[""] } else { routes };
        for prefix in prefixes {
            let mut list = mine.clone();
            rng.shuffle(&mut list);
            let rest = list.split_off(rng.index(mine.len()) + 1);
            let overflow = if rng.chance(400_000) { rest } else { Vec::new() };
            let named = |list: &[u16]| {
                let names: Vec<String> = list.iter().map(|chute| format!("\"L{chute}\"")).collect();
                names.join(", ")
            };
            let overflow = match overflow.as_slice() {
                [] => String::new(),
                rest => format!("overflow = [{}]\n", named(rest)),
            };
            writeln!(
                text,
                "[[rule]]\ncarrier = \"{carrier}\"\nprefix = \"{prefix}\"\nchutes = [{}]\n\
                 {overflow}allocation = \"{}\"",
                named(&list),
                ALLOCATIONS[rng.index(ALLOCATIONS.len())]
            )
            .expect("a string takes everything");
        }
    }
    text
}
