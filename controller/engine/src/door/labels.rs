//! What QR codes of labels hold: every content that is no waybill number leaves only its length.

use super::{CLOSED, Door, Form};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::collections::BTreeSet;

/// Forms such as the controller gives; its own table is tried on the same contents by the daemon's test.
const FORMS: [&str; 14] = [
    "SF[A-Z0-9][0-9]{12}",
    "7[3-68][0-9]{12}",
    "YT[0-9]{13}",
    "77[0-9]{12,15}",
    "43[0-9]{12,15}",
    "[34][0-9]{14}",
    "5[0-9]{12}",
    "JT[0-9]{13}",
    "[A-Z]{2}[0-9]{9}CN",
    "9[0-9]{12}",
    "1[0-9]{12}",
    "8[0-57-9][0-9]{11}",
    "86[02-9][0-9]{10}",
    "P[A-Z][0-9]{11}",
];

/// Contents with the parts of them that are somebody's.
const CONTENTS: &[(&str, &[&str])] = &[
    (r#"{"name":"张三","tel":"13812345678"}"#, &["张三", "13812345678"]),
    (r#"{"no":"SF1234567890123","rcv":"李四"}"#, &["李四", "SF1234567890123"]),
    ("https://q.example/t?no=YT1234567890123&p=13912345678", &["13912345678"]),
    ("https://q.example/?n=%E5%BC%A0%E4%B8%89", &["%E5%BC%A0%E4%B8%89"]),
    ("收件人：王小明 手机号：15012345678", &["王小明", "15012345678"]),
    ("王小明,138****5678,南山区科技路1号", &["王小明", "138****5678", "南山区科技路1号"]),
    ("广东省深圳市南山区科技园路18号3栋502", &["深圳市", "科技园路18号"]),
    ("ZHANG SAN|+86 138 1234 5678", &["ZHANG SAN", "138 1234 5678"]),
    ("0755-26001234", &["26001234"]),
    ("13812345678", &["13812345678"]),
    ("+8613812345678", &["13812345678"]),
    ("8613812345678", &["13812345678"]),
    ("008613812345678", &["13812345678"]),
    ("11010519900307123X", &["19900307"]),
    ("MECARD:N:陈,七;TEL:17712345678;;", &["陈,七", "17712345678"]),
    ("BEGIN:VCARD\nFN:赵六\nTEL:18612345678\nEND:VCARD", &["赵六", "18612345678"]),
    ("YT1234567890123\n13812345678", &["13812345678", "YT1234567890123"]),
    ("YT1234567890123 张三", &["张三", "YT1234567890123"]),
    ("\u{0}\u{1}\u{1d}张三\u{1e}\u{4}", &["张三"]),
    ("ＹＴ１２３４５６７８９０１２３", &["１２３４５６７８９０１２３"]),
    ("zhang.san@mail.example", &["zhang.san"]),
];

fn door() -> Door {
    Door::new([7; 32], FORMS.iter().map(|form| Form::parse(form).expect("a form")).collect())
}

/// As a link gives bytes.
fn told(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn closed(door: &Door, bytes: &[u8]) -> String {
    let closed = door.code(told(bytes));
    let (length, hash) = closed
        .strip_prefix(CLOSED)
        .and_then(|rest| rest.split_once('-'))
        .unwrap_or_else(|| panic!("{:?} passed as {closed:?}", String::from_utf8_lossy(bytes)));
    assert_eq!(length, bytes.len().to_string());
    assert!(hash.len() == 20 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{closed}");
    closed
}

#[test]
fn contents_of_labels_leave_their_length_and_nothing_else() {
    let door = door();
    let mut all = BTreeSet::new();
    for (content, parts) in CONTENTS {
        let closed = closed(&door, content.as_bytes());
        for part in *parts {
            assert!(!closed.contains(part), "{part} of {content}");
        }
        all.insert(closed);
    }
    assert_eq!(all.len(), CONTENTS.len(), "different contents stay different");
}

/// The two ways in which Chinese labels write, and bytes that are neither.
#[test]
fn other_encodings_and_broken_ones_are_closed_too() {
    let door = door();
    let gb18030: &[&[u8]] = &[
        // 张三, 李四; 收件人:张三; a four-byte character (U+3400 is 8139 EE39).
        &[0xD5, 0xC5, 0xC8, 0xFD],
        &[0xC0, 0xEE, 0xCB, 0xC4],
        &[0xCA, 0xD5, 0xBC, 0xFE, 0xC8, 0xCB, b':', 0xD5, 0xC5, 0xC8, 0xFD],
        &[0x81, 0x39, 0xEE, 0x39],
    ];
    let broken: &[&[u8]] = &[
        // UTF-8 cut inside 张, a lone continuation, overlong, a surrogate, a byte-order mark.
        &[0xE5, 0xBC],
        &[0x80, b'1', b'3', b'8'],
        &[0xC0, 0xAF],
        &[0xED, 0xA0, 0x80],
        &[0xEF, 0xBB, 0xBF, b'Y', b'T'],
        &[0xFF; 48],
        &[0; 48],
    ];
    let mut all = BTreeSet::new();
    for bytes in gb18030.iter().chain(broken) {
        all.insert(closed(&door, bytes));
    }
    assert_eq!(all.len(), gb18030.len() + broken.len(), "different contents stay different");
}

#[test]
fn every_byte_behind_or_before_a_number_closes_it() {
    let door = door();
    let number = b"YT1234567890123";
    assert_eq!(door.code(told(number)), told(number));
    for byte in 0..=u8::MAX {
        closed(&door, &[&number[..], &[byte]].concat());
        closed(&door, &[&[byte], &number[..]].concat());
        let mut other = number.to_vec();
        other[5] = byte;
        let kept = byte.is_ascii_digit();
        assert_eq!(door.code(told(&other)) == told(&other), kept, "byte {byte}");
    }
}

/// A hash that could be guessed would be no protection: all mobile numbers are tried in an hour.
#[test]
fn nobody_without_the_key_can_try_numbers() {
    let content = b"13812345678";
    let ours = closed(&door(), content);
    let others: Vec<String> = (0..32)
        .map(|n| closed(&door().with_key([n; 32]), content))
        .filter(|o| *o == ours)
        .collect();
    assert_eq!(others.len(), 1, "only under its own key");
    let bare = blake3::hash(content).to_hex();
    assert!(!ours.contains(bare.as_str().get(..8).expect("long")), "not a bare hash");
}
