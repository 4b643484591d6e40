//! Synthetic manifests: well-formed waybills of six Chinese carriers and China Post, from a seed.
//!
//! Shares are skewed as on real lines: one key takes a fifth of the parcels. Routes follow published
//! label samples; a few are on purpose such as no plan knows. Nothing here belongs to a real parcel.

use crate::rng::Rng;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Headings of the file.
const HEADER: &str = "waybill,carrier,route_code,item_class,expected_weight_g,inspected,xray";
/// Rows that were not inspected, in a million.
const NOT_INSPECTED_PPM: u32 = 5_000;
/// Rows whose screening is unknown, in a million.
const NOT_SCREENED_PPM: u32 = 3_000;
/// Rows that screening rejected, in a million.
const REJECTED_PPM: u32 = 2_000;
/// Rows whose route no plan knows, in a million.
const UNKNOWN_ROUTE_PPM: u32 = 10_000;
/// Weights in grams: median and σ of the natural logarithm in per mille, then the limits.
const WEIGHT: (i64, i64, i64, i64) = (1_800, 900, 100, 30_000);
/// First route segment that no plan knows.
const UNKNOWN: &str = "899";

/// A carrier with its share of the parcels and its first route segments with theirs, in per mille.
struct Carrier {
    code: &'static str,
    share: u64,
    routes: &'static [(&'static str, u64)],
}

const CARRIERS: &[Carrier] = &[
    Carrier { code: "ZTO", share: 290, routes: &[("356", 700), ("021", 170), ("571", 130)] },
    Carrier { code: "YTO", share: 190, routes: &[("200", 640), ("310", 220), ("610", 140)] },
    Carrier { code: "SF", share: 140, routes: &[("755", 450), ("021", 300), ("710", 250)] },
    Carrier { code: "STO", share: 110, routes: &[("571", 600), ("280", 400)] },
    Carrier { code: "YUNDA", share: 110, routes: &[("470", 600), ("510", 400)] },
    Carrier { code: "JT", share: 100, routes: &[("882", 550), ("755", 450)] },
    Carrier { code: "POST", share: 60, routes: &[("US", 400), ("JP", 300), ("DE", 300)] },
];

const CLASSES: &[(&str, u64)] =
    &[("general", 780), ("fragile", 90), ("food", 80), ("battery", 30), ("liquid", 20)];

/// Generates a manifest CSV with this many rows; the same seed gives the same bytes everywhere.
pub fn generate(seed: u64, rows: usize) -> String {
    let mut rng = Rng::stream(seed, "manifest");
    let mut seen = BTreeSet::new();
    let mut out = format!("{HEADER}\n");
    while seen.len() < rows {
        let carrier = pick(&mut rng, CARRIERS, |carrier| carrier.share);
        let waybill = waybill(&mut rng, carrier.code);
        if !seen.insert(waybill.clone()) {
            continue;
        }
        let first = if rng.chance(UNKNOWN_ROUTE_PPM) {
            UNKNOWN
        } else {
            pick(&mut rng, carrier.routes, |(_, share)| *share).0
        };
        let route = route(&mut rng, carrier.code, first);
        let class = pick(&mut rng, CLASSES, |(_, share)| *share).0;
        let (median, sigma, least, most) = WEIGHT;
        let weight = rng.log_normal(median, sigma).clamp(least, most);
        let inspected = if rng.chance(NOT_INSPECTED_PPM) { "no" } else { "yes" };
        let xray = xray(&mut rng, carrier.code);
        writeln!(out, "{waybill},{},{route},{class},{weight},{inspected},{xray}", carrier.code)
            .expect("writing to a string does not fail");
    }
    out
}

/// One of the items, by share.
fn pick<'a, T>(rng: &mut Rng, items: &'a [T], share: impl Fn(&T) -> u64) -> &'a T {
    let total = items.iter().map(&share).sum();
    let mut left = rng.below(total);
    let chosen = items.iter().find(|item| {
        let own = share(item);
        let hit = left < own;
        left = left.saturating_sub(own);
        hit
    });
    chosen.expect("the shares add up to the total")
}

fn digits(rng: &mut Rng, count: usize) -> String {
    const DIGITS: &[u8] = b"0123456789";
    (0..count).map(|_| char::from(DIGITS[rng.index(DIGITS.len())])).collect()
}

fn letters(rng: &mut Rng, count: usize) -> String {
    // Without I and O, which labels avoid beside 1 and 0.
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
    (0..count).map(|_| char::from(LETTERS[rng.index(LETTERS.len())])).collect()
}

/// A number of the carrier's form.
fn waybill(rng: &mut Rng, carrier: &str) -> String {
    match carrier {
        "SF" => format!("SF{}", digits(rng, 13)),
        "ZTO" => format!("7{}{}", ["3", "4", "5", "6", "8"][rng.index(5)], digits(rng, 12)),
        "YTO" => format!("YT{}", digits(rng, 13)),
        "STO" => format!("77{}", digits(rng, 13)),
        "YUNDA" => format!("4{}", digits(rng, 14)),
        "JT" => format!("JT{}", digits(rng, 13)),
        _ => s10(["EA", "CP", "RA", "LA", "HA"][rng.index(5)], &digits(rng, 8)),
    }
}

/// A UPU S10 number: weights 8 6 4 2 3 5 9 7, 11 minus the sum modulo 11, 10 is 0 and 11 is 5.
fn s10(service: &str, serial: &str) -> String {
    let weights = [8, 6, 4, 2, 3, 5, 9, 7];
    let figures = serial.chars().filter_map(|c| c.to_digit(10));
    let sum: u32 = figures.zip(weights).map(|(figure, weight)| figure * weight).sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        other => other,
    };
    format!("{service}{serial}{check}CN")
}

/// A route code as the carrier's labels print it.
fn route(rng: &mut Rng, carrier: &str, first: &str) -> String {
    match carrier {
        "SF" => format!("{first}{}-{}{}", letters(rng, 2), digits(rng, 3), letters(rng, 1)),
        "ZTO" => format!(
            "{first}-{}-{}{}{}-{}",
            digits(rng, 2),
            digits(rng, 2),
            letters(rng, 3),
            digits(rng, 1),
            digits(rng, 2)
        ),
        "YTO" => format!("{first}-{}-{}", digits(rng, 3), digits(rng, 3)),
        "YUNDA" => format!("{first} {}{} {}", letters(rng, 1), digits(rng, 3), digits(rng, 3)),
        "STO" | "JT" => format!("{first}-{}{}-{}", letters(rng, 1), digits(rng, 2), digits(rng, 2)),
        // Office of exchange.
        _ => format!("{first}{}", letters(rng, 4)),
    }
}

/// The gate 过机安检: one carrier screens at its hub by agreement.
fn xray(rng: &mut Rng, carrier: &str) -> &'static str {
    if rng.chance(NOT_SCREENED_PPM) {
        "unknown"
    } else if rng.chance(REJECTED_PPM) {
        "rejected"
    } else if carrier == "STO" {
        "hub"
    } else {
        "passed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_every_byte() {
        assert_eq!(generate(3, 50), generate(3, 50));
        assert_ne!(generate(3, 50), generate(4, 50));
        assert_eq!(generate(3, 50).lines().count(), 51);
        assert_eq!(generate(3, 0), format!("{HEADER}\n"));
    }

    #[test]
    fn check_digits_are_right() {
        assert_eq!(s10("EA", "47312482"), "EA473124829CN");
        assert_eq!(s10("EA", "10000014"), "EA100000140CN");
        assert_eq!(s10("EA", "10000002"), "EA100000025CN");
    }

    #[test]
    fn shares_are_as_told() {
        let text = generate(1, 20_000);
        let count = |part: &str| text.lines().filter(|line| line.contains(part)).count();
        assert!((3_900..4_250).contains(&count(",ZTO,356-")), "{}", count(",ZTO,356-"));
        assert!((140..260).contains(&count(&format!(",{UNKNOWN}"))), "unknown routes");
        assert!((60..140).contains(&count(",no,")), "not inspected");
        assert!((30..90).contains(&count(",unknown")), "not screened");
        assert!((20..65).contains(&count(",rejected")), "rejected");
    }
}
