//! `REGISTERS.md` is what the tables say; `UPDATE=1 cargo test -p registers --test docs_current`
//! rewrites it.

mod document;

use std::path::Path;

#[test]
fn registers_md_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("REGISTERS.md");
    let expected = document::whole();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).expect("REGISTERS.md is writable");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "REGISTERS.md is stale: run `UPDATE=1 cargo test -p registers --test docs_current`"
    );
}

#[test]
fn every_register_point_and_setting_is_in_the_document() {
    let text = document::whole();
    for register in registers::map::BLOCKS.iter().flat_map(|block| block.registers) {
        assert!(text.contains(&format!("`{}`", register.name)), "{}", register.name);
    }
    for object in registers::objects::OBJECTS {
        assert!(text.contains(&format!("`{}`", object.name)), "{}", object.name);
    }
    for kind in registers::NodeKind::ALL {
        for point in kind.inputs().iter().chain(kind.outputs()) {
            assert!(text.contains(&format!("`{}`", point.name)), "{}", point.name);
        }
        for setting in kind.settings() {
            assert!(text.contains(&format!("`{}`", setting.name)), "{}", setting.name);
        }
    }
}
