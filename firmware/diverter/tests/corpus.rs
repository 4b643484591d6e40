//! Replays the kept corpus of the nodes' fuzzer through the same body, on every test run.

#[path = "../../modbus/fuzz/bodies/node.rs"]
mod nodes;

#[test]
fn the_kept_corpus_passes() {
    let mut inputs = 0;
    for line in include_str!("../../modbus/fuzz/corpus/node.hex").lines() {
        let byte = |at| u8::from_str_radix(&line[at..at + 2], 16).expect("hexadecimal");
        let input: Vec<u8> = (0..line.len()).step_by(2).map(byte).collect();
        let whole = std::panic::catch_unwind(|| nodes::node(&input));
        assert!(whole.is_ok(), "a node fails on {line}");
        inputs += 1;
    }
    assert!(inputs > 10, "a corpus of {inputs} inputs finds nothing");
    println!("node: {inputs} inputs of the corpus replayed");
}
