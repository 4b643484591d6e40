//! Replays the kept corpus of the fuzzers through the same bodies, on every test run.

#[path = "../fuzz/bodies/codec.rs"]
mod codec;
#[path = "wire/device.rs"]
mod device;
#[path = "../fuzz/bodies/session.rs"]
mod session;

/// Calls `body` with every input of a corpus file: one a line, in hexadecimal.
fn replay(name: &str, corpus: &str, body: fn(&[u8])) {
    let mut inputs = 0;
    for line in corpus.lines() {
        let byte = |at| u8::from_str_radix(&line[at..at + 2], 16).expect("hexadecimal");
        let input: Vec<u8> = (0..line.len()).step_by(2).map(byte).collect();
        let whole = std::panic::catch_unwind(|| body(&input));
        assert!(whole.is_ok(), "{name} fails on {line}");
        inputs += 1;
    }
    assert!(inputs > 10, "{name}: a corpus of {inputs} inputs finds nothing");
    println!("{name}: {inputs} inputs of the corpus replayed");
}

#[test]
fn the_kept_corpus_passes() {
    replay("request", include_str!("../fuzz/corpus/request.hex"), codec::request);
    replay("answer", include_str!("../fuzz/corpus/answer.hex"), codec::answer);
    replay("receiver", include_str!("../fuzz/corpus/receiver.hex"), codec::receiver);
    replay("mbap", include_str!("../fuzz/corpus/mbap.hex"), codec::mbap);
    replay("session", include_str!("../fuzz/corpus/session.hex"), session::session);
}
