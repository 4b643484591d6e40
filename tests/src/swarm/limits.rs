//! What bars parcels on some random lines: items that are held, limits of the line and of its
//! chutes, and keys whose last truck leaves during the run.
//!
//! Drawn behind everything else, from a stream of its own, so that a line without them stays as it is.

use line_sim::rng::Rng;
use toml::{Table, Value};

/// Lines with limits and held items, in a million.
const LIMITED_PPM: u32 = 300_000;
/// Items of theirs that are held or without a name, in a million.
const HELD_PPM: u32 = 30_000;
/// Chutes of theirs that take so many pieces at most, and that have a rate limit, in a million each.
const CHUTE_PPM: u32 = 250_000;
/// What the columns of real names and holds say of such an item.
const HELD: [&str; 6] =
    ["no,none", "yes,cancelled", "yes,intercepted", "yes,debt", "yes,customs", "yes,prohibited"];

/// Rules of theirs that have a cut-off, in a million.
const CUT_OFF_PPM: u32 = 250_000;
/// The time of it, and how long the run has gone on by then at least, in s.
const CUT_OFF: (&str, [u64; 2]) = ("18:30", [60, 900]);
/// 2026-11-29 18:30 where the plan's clock stands, in s since 1970-01-01 UTC.
const CUT_OFF_UTC_S: u64 = 1_795_948_200;

/// Whether this line has them.
pub fn limited(rng: &mut Rng) -> bool {
    rng.chance(LIMITED_PPM)
}

/// The manifest with two more columns, in which some items are held or without a real name.
pub fn hold(rng: &mut Rng, manifest: &str) -> String {
    let mut rows = manifest.lines();
    let header = rows.next().unwrap_or_default();
    let mut held = format!("{header},real_name,hold\n");
    for row in rows {
        let word = if rng.chance(HELD_PPM) { HELD[rng.index(HELD.len())] } else { "yes,none" };
        held.push_str(&format!("{row},{word}\n"));
    }
    held
}

/// The plan with some keys that go elsewhere after a time of day, or to the end of the line, and the
/// wall clock at the beginning of the run.
///
/// # Panics
/// When the plan is none that was drawn.
pub fn cut_off(rng: &mut Rng, plan: &str) -> (String, u64) {
    let mut plan: Table = plan.parse().expect("drawn");
    let (time, span) = CUT_OFF;
    let rules = plan["rule"].as_array_mut().expect("drawn");
    for rule in rules.iter_mut().filter_map(Value::as_table_mut) {
        if rng.chance(CUT_OFF_PPM) {
            rule.insert("cut_off".to_owned(), Value::String(time.to_owned()));
            if rng.chance(500_000) {
                // Of the same carrier, so that what stays behind never gets to another one.
                rule.insert("after_cut_off".to_owned(), rule["chutes"].clone());
            }
        }
    }
    (toml::to_string(&plan).expect("TOML again"), CUT_OFF_UTC_S - rng.span(span))
}

/// The line with a heaviest and largest parcel, and with chutes that are full with some pieces or
/// take only so many a minute.
///
/// # Panics
/// When the line is none that was drawn.
pub fn limit(rng: &mut Rng, line: &str) -> String {
    let mut line: Table = line.parse().expect("drawn");
    let tracking = line["tracking"].as_table_mut().expect("drawn");
    tracking.insert("weight_max_g".to_owned(), Value::Integer(rng.between(5_000, 15_000)));
    tracking.insert("side_max_mm".to_owned(), Value::Integer(rng.between(450, 590)));
    let chutes = line["chute"].as_array_mut().expect("drawn");
    let sorting = |chute: &&mut Table| chute["role"].as_str() == Some("sort");
    for chute in chutes.iter_mut().filter_map(Value::as_table_mut).filter(sorting) {
        if rng.chance(CHUTE_PPM) {
            chute.insert("pieces_max".to_owned(), Value::Integer(rng.between(5, 30)));
        }
        if rng.chance(CHUTE_PPM) {
            chute.insert("rate_parcels".to_owned(), Value::Integer(rng.between(2, 10)));
            chute.insert("rate_span_ms".to_owned(), Value::Integer(60_000));
        }
    }
    toml::to_string(&line).expect("TOML again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::{lines, plans};

    #[test]
    fn what_passes_the_products_check_passes_with_limits() {
        let mut passed = 0;
        for seed in 0..20 {
            let drawn = lines::draw(&mut Rng::stream(seed, "line"));
            let mut rng = Rng::stream(seed, "limits");
            let check = |line: &str| sortline::config::check("line.toml", line);
            if check(&drawn.line).is_err() {
                continue;
            }
            let limited = check(&limit(&mut rng, &drawn.line));
            let limited = limited.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            let plan = plans::draw(&mut rng, &drawn.sorting, 1);
            let (plan, begins) = cut_off(&mut rng, &plan);
            let plan = sortline::config::plan::load("plan.toml", plan, &limited.engine.layout);
            plan.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            assert!(begins < CUT_OFF_UTC_S);
            passed += 1;
        }
        assert!(passed > 0, "no line passes");
    }

    #[test]
    fn every_hold_comes_and_most_items_have_none() {
        let manifest = line_sim::manifest::generate(1, 2_000);
        let held = hold(&mut Rng::stream(1, "limits"), &manifest);
        let rows: Vec<&str> = held.lines().collect();
        assert!(rows[0].ends_with(",xray,real_name,hold"), "{}", rows[0]);
        for word in HELD {
            assert!(rows.iter().any(|row| row.ends_with(word)), "{word}");
        }
        let free = rows.iter().filter(|row| row.ends_with(",yes,none")).count();
        assert!((1_900..1_970).contains(&free), "{free} of 2000 are free");
    }
}
