//! Literal bytes of every form, one file per format version; a released file is never edited.
//!
//! A value in an older file may gain a field of a newer version, with the default that reading old
//! bytes gives it: then its form differs and [`check`] becomes [`check_old`]. Bytes never change.

mod version_1;
mod version_2;
mod version_3;
mod version_4;

use super::{Source, Wire};
use crate::record::FORMAT_VERSION;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;
use std::format;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(golden: &str) -> Vec<u8> {
    let digits: Vec<u8> = golden.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| {
        let pair = core::str::from_utf8(pair).expect("hexadecimal digits");
        u8::from_str_radix(pair, 16).expect("hexadecimal digits")
    };
    digits.chunks(2).map(byte).collect()
}

/// A form that every version from `version` on has.
#[track_caller]
fn check<T: Wire + PartialEq + Debug>(version: u8, value: &T, golden: &str) {
    let mut written = Vec::new();
    value.put(&mut written);
    assert_eq!(hex(&written), golden.replace(' ', ""), "{value:?}");
    for version in version..=FORMAT_VERSION {
        check_old(version, value, golden);
    }
}

/// A form that is only read: today's bytes of the value are others.
#[track_caller]
fn check_old<T: Wire + PartialEq + Debug>(version: u8, value: &T, golden: &str) {
    let bytes = bytes(golden);
    let mut from = Source::new(&bytes, version);
    assert_eq!(T::get(&mut from).as_ref(), Ok(value), "version {version}");
    assert_eq!(from.end(), Ok(()));
}
