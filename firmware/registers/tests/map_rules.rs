//! Rules that every map keeps: no overlap, no gap inside a block, unique names, stable ids.

use registers::NodeKind;
use registers::map::{BLOCKS, EVENTS, IDENTITY};
use std::collections::BTreeSet;

#[test]
fn registers_of_a_block_follow_each_other_without_gap() {
    for block in BLOCKS {
        let mut next = block.address;
        for register in block.registers {
            assert_eq!(register.address, next, "{}", register.name);
            next += register.words;
        }
        if block.words != 0 {
            assert_eq!(next - block.address, block.words, "length of {}", block.name);
        }
    }
}

#[test]
fn blocks_do_not_overlap() {
    for pair in BLOCKS.windows(2) {
        let longest = NodeKind::ALL.iter().map(|kind| kind.event_words()).max().expect("kinds");
        let words = if pair[0].address == EVENTS { longest } else { pair[0].words };
        assert!(pair[0].address + words <= pair[1].address, "{}", pair[0].name);
    }
    assert_eq!(BLOCKS[0].address, IDENTITY);
}

#[test]
fn names_are_unique_and_ids_count_up() {
    let names: Vec<_> = BLOCKS.iter().flat_map(|b| b.registers).map(|r| r.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for kind in NodeKind::ALL {
        assert_eq!(NodeKind::from_word(kind.word()), Some(kind));
        for table in [kind.inputs(), kind.outputs()] {
            assert!(table.len() <= 16, "one status word holds them");
            let names: BTreeSet<_> = table.iter().map(|p| p.name).collect();
            assert_eq!(names.len(), table.len());
            assert!(table.iter().zip(0..).all(|(point, id)| point.id == id));
        }
        for setting in kind.settings() {
            assert!((setting.min..=setting.max).contains(&setting.reset), "{}", setting.name);
        }
    }
    assert!((6..=u16::MAX).all(|word| NodeKind::from_word(word).is_none()));
}
