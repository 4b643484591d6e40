//! Which plans are refused, and what a good one becomes.

use super::load;
use crate::config::{check, manifest};
use line_model::ids::ChuteNo;
use line_model::layout::Layout;
use line_model::plan::{Allocation, CutOff};
use proptest::prelude::*;
use std::sync::OnceLock;
use units::repeat::repeatable;

const PLAN: &str = include_str!("../../examples/plan.toml");

fn layout() -> &'static Layout {
    static LAYOUT: OnceLock<Layout> = OnceLock::new();
    let file = include_str!("../../examples/factory-line.toml");
    LAYOUT.get_or_init(|| check("line.toml", file).expect("clean").engine.layout)
}

/// The changes give exactly these faults, in order of the text.
fn just(changes: &[(&str, &str)], keys: &[&str]) {
    let mut text = PLAN.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "the example lost {old:?}");
        text = text.replacen(old, new, 1);
    }
    let found = load("plan.toml", &text, layout()).expect_err("faults");
    let told: Vec<&str> = found.list.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(told, keys, "{changes:?}\n{found}");
}

#[test]
fn the_example_is_clean() {
    let plan = load("plan.toml", PLAN, layout()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((plan.name.as_str(), plan.version, plan.rules.len()), ("day-outbound", 1, 18));
    assert_eq!(plan.rules[0].chutes, [ChuteNo(1), ChuteNo(3), ChuteNo(5)]);
    assert_eq!(plan.rules[0].allocation, Allocation::RoundRobin);
    assert_eq!(plan.rules[3].chutes, [ChuteNo(2), ChuteNo(4)]);
}

#[test]
fn the_example_routes_the_manifest_but_a_few() {
    let plan = load("plan.toml", PLAN, layout()).expect("clean");
    let bytes = include_bytes!("../../examples/manifest.csv");
    let manifest = manifest::load(bytes, false).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(manifest.items.len(), 6_000);
    let unroutable = manifest.items.values().filter(|facts| {
        !plan
            .rules
            .iter()
            .any(|rule| rule.carrier == facts.carrier && facts.route.starts_with(&rule.prefix))
    });
    let count = unroutable.count();
    assert!((30..=90).contains(&count), "{count} of 6,000 have no route");
}

#[test]
fn each_rule_is_kept() {
    just(&[("physical = 10", "physical = 99")], &["chute[9].physical"]);
    just(&[("physical = 10", "physical = 12")], &["chute[9].physical"]);
    just(&[("physical = 10", "physical = 9")], &["chute[9].physical"]);
    just(
        &[("logical = \"ZTO-B\"", "logical = \"ZTO-A\"")],
        &["chute[1].logical", "rule[0].chutes[1]", "rule[1].chutes[0]"],
    );
    just(&[("[\"ZTO-B\"]", "[\"ZTO-X\"]")], &["rule[1].chutes[0]"]);
    just(&[("[\"ZTO-B\"]", "[]")], &["rule[1].chutes"]);
    just(&[("[\"ZTO-B\"]", "[\"ZTO-B\", \"ZTO-B\"]")], &["rule[1].chutes[1]"]);
    just(&[("[\"ZTO-B\"]", "[\"JT\"]")], &["rule[13].chutes[0]", "rule[14].chutes[0]"]);
    just(&[("prefix = \"021-\"", "prefix = \"356-\"")], &["rule[1].prefix"]);
    just(&[("carrier = \"JT\"", "carrier = \"DHL\"")], &["rule[13].carrier"]);
    just(&[("allocation = \"nearest\"", "allocation = \"random\"")], &["rule[1].allocation"]);
    just(&[("version = 1 ", "version = 0 ")], &["plan.version"]);
    just(
        &[("allocation = \"nearest\"", "allocation = \"nearest\"\npriority = 1")],
        &["rule[1].priority"],
    );
    just(
        &[
            ("physical = 10", "physical = 99"),
            ("[\"ZTO-B\"]", "[]"),
            ("version = 1 ", "version = true "),
        ],
        &["plan.version", "chute[9].physical", "rule[1].chutes"],
    );
}

#[test]
fn bags_overflow_and_cut_off_are_read_and_their_rules_kept() {
    let with = |more: &str| {
        PLAN.replacen("chutes = [\"ZTO-B\"]", &format!("chutes = [\"ZTO-B\"]\n{more}"), 1)
    };
    let later = "overflow = [\"ZTO-A\"]\ncut_off = \"18:30\"\nafter_cut_off = [\"ZTO-C\"]";
    let text = with(later).replacen("bagged = false", "bagged = true", 1);
    let plan = load("plan.toml", text, layout()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(plan.bagged, [ChuteNo(1)]);
    assert_eq!(plan.rules[1].overflow, [ChuteNo(1)]);
    // 18:30 and 06:00 in Shanghai are 10:30 and 22:00 UTC.
    let cut_off = CutOff { from: 630, until: 1_320, chutes: vec![ChuteNo(5)] };
    assert_eq!(plan.rules[1].cut_off, Some(cut_off));
    for (more, key) in [
        ("overflow = [\"ZTO-B\"]", "rule[1].overflow[0]"),
        ("overflow = [\"JT\"]", "rule[13].chutes[0]"),
        ("overflow = [\"ZTO-X\"]", "rule[1].overflow[0]"),
        ("cut_off = \"24:30\"", "rule[1].cut_off"),
        ("cut_off = \"9:30\"", "rule[1].cut_off"),
        ("after_cut_off = [\"ZTO-C\"]", "rule[1].after_cut_off"),
    ] {
        let found = load("plan.toml", with(more), layout()).expect_err(more);
        assert!(found.list.iter().any(|fault| fault.key == key), "{more}: {found}");
    }
}

#[test]
fn an_unknown_chute_names_the_chutes_of_the_line() {
    let text = PLAN.replacen("physical = 10", "physical = 99", 1);
    let found = load("plan.toml", &text, layout()).expect_err("unknown chute");
    assert_eq!(found.list[0].allowed, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
    assert!(found.to_string().contains("chute 99 is not on this line"), "{found}");
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..PLAN.len()) {
        if let Err(faults) = load("x", &bytes, layout()) {
            prop_assert!(!faults.render(false).is_empty());
        }
        let mangled = PLAN.get(cut..).unwrap_or(PLAN);
        if let Err(faults) = load("x", mangled, layout()) {
            prop_assert!(!faults.render(false).is_empty());
        }
    }
}
