//! The bytes of what came with format version 2, literally: new variants, and old ones that gained
//! a field.

use super::{Source, Wire, check, check_old};
use crate::codec::Fault;
use crate::codec::{fields, tags};
use crate::record;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use line_model::signal::Input;
use line_model::waybills::Waybills;
use std::vec;
use units::Micros;

#[test]
fn a_record_begins_with_its_version() {
    let written = record::encode(5, Micros(6), &Input::Timer, &[]);
    assert_eq!(super::hex(&written), "02000000000000000500000000000000061800000000");
    let mut old = written.clone();
    old[0] = 1;
    assert_eq!(record::decode(&old), record::decode(&written), "version 1 is read as well");
    for found in [0, 3, 255] {
        old[0] = found;
        assert_eq!(record::decode(&old), Err(record::Fault::Version { found }));
    }
}

/// Stands for any struct that gains fields.
#[derive(Debug, PartialEq, Eq)]
struct Grown {
    old: Vec<u8>,
    new: Vec<u8>,
}

fields! { Grown { old; since 2 { new = vec![9; Vec::len(&old)]; } } }

/// Stands for any variant that gains a field.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Bare,
    Grown { old: u8, new: bool },
}

tags! { Choice, "a choice" {
    1 Bare;
    2 Grown { old; since 2 { new = true; } };
} }

#[test]
fn a_field_since_a_version_has_its_default_before() {
    let grown = Grown { old: vec![4, 5], new: vec![9, 9] };
    check_old(1, &grown, "00000002 0405");
    check(2, &grown, "00000002 0405 00000002 0909");
    check_old(1, &Choice::Grown { old: 6, new: true }, "02 06");
    check(2, &Choice::Grown { old: 6, new: false }, "02 06 00");
    check(1, &Choice::Bare, "01");
    let mut later = Source::new(&[2, 6], 2);
    assert!(Choice::get(&mut later).is_err(), "of version 2 the field must be there");
}

#[test]
fn waybills_are_a_set_of_texts_in_every_version() {
    let texts = ["a", "b", "bc"].map(String::from);
    let golden = "00000003 00000001 61 00000001 62 00000002 6263";
    check(1, &Waybills::from_iter(texts.clone()), golden);
    check(1, &BTreeSet::from(texts), golden);
    let mut twice = Source::new(&[0, 0, 0, 2, 0, 0, 0, 1, 97, 0, 0, 0, 1, 97], 2);
    assert_eq!(Waybills::get(&mut twice), Err(Fault::Order { at: 14 }));
}
