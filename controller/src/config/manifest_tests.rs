//! Which rows are refused and named, and which encodings are read.

use super::{FAULTS_MAX, load};
use line_model::plan::{Hold, Screening};
use proptest::prelude::*;
use units::repeat::repeatable;

const HEAD: &str = "waybill,carrier,route_code,item_class,expected_weight_g,inspected,xray\n";
const GOOD: &str = "73100118865046,ZTO,356-01-02AOF3-11,general,1200,yes,passed\n";
const SF: &str = "SF7551234567890,SF,755WE-571A3,food,900,no,rejected\n";

fn rows(rows: &[&str]) -> Vec<u8> {
    format!("{HEAD}{}", rows.concat()).into_bytes()
}

/// The row behind a good one is refused for this column.
fn refused(row: &str, column: &str, part: &str) {
    let faults = load(&rows(&[GOOD, row, "\n"]), false).expect_err(row);
    assert_eq!((faults.rows, faults.list.len()), (1, 1), "{row}: {faults}");
    let fault = &faults.list[0];
    assert_eq!((fault.line, fault.column), (3, column), "{row}: {faults}");
    assert!(fault.reason.contains(part), "{row}: {faults}");
}

#[test]
fn good_rows_are_taken() {
    let manifest = load(&rows(&[GOOD, SF, "\n"]), false).expect("good");
    assert_eq!((manifest.items.len(), manifest.encoding), (2, "UTF-8"));
    let zto = &manifest.items["73100118865046"];
    assert_eq!((zto.carrier.as_str(), zto.route.as_str()), ("ZTO", "356-01-02AOF3-11"));
    assert!(zto.inspected);
    assert_eq!(manifest.items["SF7551234567890"].screened, Screening::Rejected);
}

#[test]
fn holds_and_real_names_may_stand_in_columns_of_their_own() {
    let manifest = load(&rows(&[GOOD]), false).expect("good");
    let plain = &manifest.items["73100118865046"];
    assert_eq!((plain.real_name, plain.hold), (true, None), "without the columns nothing is held");
    let head = HEAD.trim_end().to_owned() + ",管控,real_name\n";
    let words = [
        (",", true, None),
        ("none,yes", true, None),
        ("cancelled,no", false, Some(Hold::Cancelled)),
        ("拦截件,已实名", true, Some(Hold::Intercepted)),
        ("debt,yes", true, Some(Hold::Debt)),
        ("待放行,yes", true, Some(Hold::Customs)),
        ("prohibited,yes", true, Some(Hold::Prohibited)),
    ];
    for (cells, real_name, hold) in words {
        let file = format!("{head}{},{cells}\n", GOOD.trim_end());
        let manifest = load(file.as_bytes(), false).expect(cells);
        let item = &manifest.items["73100118865046"];
        assert_eq!((item.real_name, item.hold), (real_name, hold), "{cells}");
    }
    let file = format!("{head}{},stolen,yes\n", GOOD.trim_end());
    let faults = load(file.as_bytes(), false).expect_err("no such hold");
    assert_eq!((faults.list[0].line, faults.list[0].column), (2, "hold"));
}

#[test]
fn each_bad_cell_is_named() {
    refused("SF755123456789,SF,755,food,900,yes,passed", "waybill", "no waybill of SF");
    refused("EA100000141CN,POST,USABCD,food,900,yes,passed", "waybill", "check digit; right: 0");
    refused("7.31001E+13,ZTO,356,food,900,yes,passed", "waybill", "spreadsheet");
    refused("73100118865046,ZTO,356,food,900,yes,passed", "waybill", "line 2 already");
    refused("1,DHL,356,food,900,yes,passed", "carrier", "allowed: SF, ZTO");
    refused("JT1234567890123,JT,,food,900,yes,passed", "route_code", "1 to 32");
    refused("JT1234567890123,JT,882,,900,yes,passed", "item_class", "1 to 32");
    refused("JT1234567890123,JT,882,food,0,yes,passed", "expected_weight_g", "1 to 60000");
    refused("JT1234567890123,JT,882,food,1.5,yes,passed", "expected_weight_g", "whole grams");
    refused("JT1234567890123,JT,882,food,900,maybe,passed", "inspected", "yes, no");
    refused("JT1234567890123,JT,882,food,900,yes,ok", "xray", "passed, hub");
    refused("JT1234567890123,JT,882,food,900,yes,passed,x", "", "8 cells");
}

#[test]
fn nothing_is_taken_unless_told_to_skip() {
    let file = rows(&[GOOD, "x,SF,755,food,heavy,yes,passed\n", SF]);
    let faults = load(&file, false).expect_err("a bad row");
    let places: Vec<(u64, &str)> = faults.list.iter().map(|f| (f.line, f.column)).collect();
    assert_eq!(places, [(3, "waybill"), (3, "expected_weight_g")]);
    let manifest = load(&file, true).expect("skipped");
    assert_eq!(manifest.items.len(), 2);
    assert_eq!(manifest.skipped, faults);
    assert_eq!(faults.to_json().as_array().map(Vec::len), Some(2));
}

#[test]
fn headings_are_found_by_name() {
    let zh = "过机安检,运单号,快递公司,三段码,备注,物品类别,预计重量g,收寄验视\n\
              通过,73100118865046,ZTO,356-01,易碎,普货,1200,已验视\n";
    let manifest = load(zh.as_bytes(), false).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(manifest.items["73100118865046"].class, "普货");
    let missing = HEAD.replace("xray", "x") + GOOD;
    let faults = load(missing.as_bytes(), true).expect_err("no xray");
    assert_eq!((faults.list[0].line, faults.list[0].column), (1, "xray"));
    let twice = HEAD.replace("item_class", "xray");
    assert_eq!(load(twice.as_bytes(), false).expect_err("twice").list.len(), 2);
    assert!(load(b"", false).is_err());
}

#[test]
fn encodings_of_spreadsheets_are_read() {
    let zh = format!("{HEAD}JT1234567890123,JT,882-南京,普货,900,已验视,枢纽安检\n");
    let (gb, _, _) = encoding_rs::GB18030.encode(&zh);
    let manifest = load(&gb, false).unwrap_or_else(|e| panic!("{e}"));
    let facts = &manifest.items["JT1234567890123"];
    assert_eq!((manifest.encoding, facts.route.as_str()), ("gb18030", "882-南京"));
    assert_eq!(facts.screened, Screening::AtHub);
    let mark = ["\u{feff}", &zh].concat();
    assert_eq!(load(mark.as_bytes(), false).expect("mark").items, manifest.items);
    assert!(load(b"waybill\n\xff\xff\xff", false).is_err());
}

#[test]
fn a_long_list_of_faults_is_counted() {
    let bad = "x,SF,755,food,900,yes,passed\n".repeat(FAULTS_MAX + 5);
    let faults = load(&rows(&[&bad]), false).expect_err("bad");
    assert_eq!(faults.list.len(), FAULTS_MAX);
    assert_eq!(faults.rows, FAULTS_MAX + 5);
    assert!(faults.to_string().contains("more"));
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), skip: bool) {
        let mut file = HEAD.as_bytes().to_vec();
        file.extend(&bytes);
        for file in [&bytes, &file] {
            if let Err(faults) = load(file, skip) {
                prop_assert!(!faults.to_string().is_empty());
            }
        }
    }
}
