//! Frames that test runs record, decoded by tshark: no complaint, and its values equal ours.
//!
//! What an arm or an event means is read here from tshark's values by the text of `REGISTERS.md`,
//! with none of the product's decoders.

use crate::tshark::{self, Seen};
use line_engine::record;
use line_model::decision::{ArmPlan, Decision};
use line_model::ids::Side;
use line_model::signal::{ArmEnd, Input, Read};
use modbus::pdu::{Request, Response};
use modbus::{mbap, rtu};
use sortline::bus::pcap::Frame;
use sortline::bus::tap::Wire;
use sortline::config::BusPort;
use std::collections::{BTreeMap, BTreeSet};
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::process::Scratch;
use system_tests::wires::Passed;
use units::Micros;

/// Where a run's time 0 lies in its recording.
pub(crate) const EPOCH_US: u64 = 1_798_732_800_000_000;
/// Blocks of the register map.
const EXCHANGE: u16 = 0x0100;
const EVENTS: u16 = 0x0200;

/// One node: bus and unit.
pub(crate) type Place = (u16, u8);

/// The frames of a run in order of time.
pub(crate) fn frames<'a>(ports: &[BusPort], recorded: &'a [Vec<Passed>]) -> Vec<Frame<'a>> {
    let mut frames = Vec::new();
    for (bus, passed) in recorded.iter().enumerate() {
        let wire = match ports[bus] {
            BusPort::Serial { .. } => Wire::Serial,
            BusPort::Tcp { .. } => Wire::Tcp,
        };
        for Passed { at, from_host, bytes } in passed {
            let unit = if wire == Wire::Serial { bytes[0] } else { bytes[6] };
            let (bus, utc_us) = (u16::try_from(bus).expect("few buses"), EPOCH_US + at.0);
            frames.push(Frame { utc_us, bus, wire, unit, from_host: *from_host, bytes });
        }
    }
    frames.sort_by_key(|frame| frame.utc_us);
    frames
}

/// The frames of one serial line in order of time.
pub(crate) fn serial_frames(passed: &[Passed]) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    for Passed { at, from_host, bytes } in passed {
        let (utc_us, unit, from_host) = (EPOCH_US + at.0, bytes[0], *from_host);
        frames.push(Frame { utc_us, bus: 0, wire: Wire::Serial, unit, from_host, bytes });
    }
    frames
}

/// The PDU of a frame of ours.
fn pdu<'a>(frame: &Frame<'a>) -> &'a [u8] {
    match frame.wire {
        Wire::Serial => rtu::check(frame.bytes).expect("a whole frame").1,
        Wire::Tcp => mbap::decode(frame.bytes).expect("a whole frame").pdu,
    }
}

/// What our codec makes of a frame; `asked` are the requests that wait for an answer.
fn ours<'a>(frame: &Frame<'a>, asked: &mut BTreeMap<Place, &'a [u8]>) -> Option<Seen> {
    let pdu = pdu(frame);
    let mut seen = Seen {
        query: frame.from_host,
        unit: frame.unit,
        function: pdu[0] & 0x7F,
        exception: None,
        crc: (frame.wire == Wire::Serial).then_some(true),
        read: None,
        written: None,
        words: Vec::new(),
    };
    if !frame.from_host {
        let request = asked.remove(&(frame.bus, frame.unit))?;
        match Response::parse(request, pdu).expect("the answer fits") {
            Response::Words(words) => seen.words = words.iter().collect(),
            Response::Exception(exception) => seen.exception = Some(exception.code()),
            Response::Written => {
                let Ok(Request::WriteMultiple { address, words }) = Request::parse(request) else {
                    panic!("{request:02x?}");
                };
                seen.written = Some((address, u16::try_from(words.len()).expect("few words")));
            }
            other => panic!("the host does not ask for {other:?}"),
        }
        return Some(seen);
    }
    asked.insert((frame.bus, frame.unit), pdu);
    match Request::parse(pdu).expect("a request") {
        Request::ReadHolding { address, quantity } => seen.read = Some((address, quantity)),
        Request::ReadWrite { read_address, read_quantity, write_address, words } => {
            seen.read = Some((read_address, read_quantity));
            seen.written = Some((write_address, u16::try_from(words.len()).expect("few words")));
            seen.words = words.iter().collect();
        }
        Request::WriteMultiple { address, words } => {
            seen.written = Some((address, u16::try_from(words.len()).expect("few words")));
            seen.words = words.iter().collect();
        }
        Request::WriteSingle { value, .. } => seen.words = vec![value],
        other => panic!("the host does not send {other:?}"),
    }
    Some(seen)
}

/// An arm as the write half of FC 23 carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Armed {
    right: bool,
    from: u32,
    to: u32,
    length_min: u16,
    delay: u16,
    release: u16,
}

/// How an arm ended, as the read half carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    outcome: u16,
    head: u32,
}

/// What the values of a whole recording say.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// Arms taken, by tag.
    pub(crate) arms: BTreeMap<u32, Armed>,
    /// Their ends, by tag.
    pub(crate) ends: BTreeMap<u32, Ended>,
    /// Ring entries of every kind, by place and sequence number.
    pub(crate) entries: BTreeMap<(Place, u16), Vec<u16>>,
    /// Codes, as the scanner handed them over.
    codes: Vec<String>,
    /// Weights in g, as the scale handed them over.
    weights: Vec<Option<u32>>,
    /// Frames compared, and broadcasts, which tshark does not decode.
    pub(crate) compared: usize,
    pub(crate) broadcasts: usize,
}

fn long(words: &[u16]) -> u32 {
    u32::from(words[0]) << 16 | u32::from(words[1])
}

impl Story {
    /// Takes one exchange: both halves, as tshark gave them.
    fn exchange(&mut self, place: Place, wrote: &[u16], block: u16, read: &[u16]) {
        assert_eq!(read[0], wrote[0], "the token is echoed");
        if block != EVENTS {
            return;
        }
        let (operation, arguments, accepted) = (wrote[5], &wrote[6..], read[5] == 1);
        if operation == 1 && accepted {
            let armed = Armed {
                right: arguments[2] == 1,
                from: long(&arguments[3..]),
                to: long(&arguments[5..]),
                length_min: arguments[7],
                delay: arguments[8],
                release: arguments[9],
            };
            let before = self.arms.insert(long(arguments), armed.clone());
            assert!(before.is_none_or(|before| before == armed), "a tag names one arm");
        }
        let (mut sequence, count) = (read[2], read[3] & 0xFF);
        let mut rest = &read[8..read.len() - 1];
        for _ in 0..count {
            let (entry, behind) = rest.split_at(usize::from(rest[0] & 0xFF));
            rest = behind;
            let numbers = if entry[0] == 0x0802 { entry[1] } else { 1 };
            self.entry(place, sequence, entry);
            sequence = sequence.wrapping_add(numbers);
        }
    }

    fn entry(&mut self, place: Place, sequence: u16, entry: &[u16]) {
        if let Some(before) = self.entries.insert((place, sequence), entry.to_vec()) {
            assert_eq!(before, entry, "an entry that has been read never changes");
            return;
        }
        match entry[0] >> 8 {
            2 => {
                let ended = Ended { outcome: entry[3], head: long(&entry[4..]) };
                let before = self.ends.insert(long(&entry[1..]), ended);
                assert_eq!(before, None, "an arm ends once");
            }
            3 => {
                let bytes = entry[8..].iter().flat_map(|word| word.to_be_bytes());
                let code = bytes.take(usize::from(entry[3])).collect();
                self.codes.push(String::from_utf8(code).expect("digits"));
            }
            7 => {
                let weight = long(&entry[2..]);
                self.weights.push((weight != u32::MAX).then_some(weight));
            }
            _ => {}
        }
    }
}

/// Compares frame by frame and returns what tshark's values say.
pub(crate) fn compare(frames: &[Frame<'_>], seen: &[Option<Seen>]) -> Story {
    assert_eq!(seen.len(), frames.len(), "a line for each frame");
    let (mut asked, mut story) = (BTreeMap::new(), Story::default());
    let mut open: BTreeMap<Place, &Seen> = BTreeMap::new();
    for (number, (frame, theirs)) in frames.iter().zip(seen).enumerate() {
        let Some(theirs) = theirs else {
            // tshark 4.0 takes no RTU frame to unit 0 for Modbus.
            assert_eq!((frame.wire, frame.unit), (Wire::Serial, rtu::BROADCAST), "{frame:?}");
            story.broadcasts += 1;
            continue;
        };
        let Some(ours) = ours(frame, &mut asked) else { continue };
        let echoed = (ours.function == 6).then(|| ours.words.clone());
        let shown =
            Seen { words: echoed.unwrap_or_else(|| theirs.words.clone()), ..theirs.clone() };
        assert_eq!(ours, shown, "frame {}", number + 1);
        story.compared += 1;
        let place = (frame.bus, frame.unit);
        if theirs.query {
            open.insert(place, theirs);
        } else if let Some(query) = open.remove(&place)
            && let (23, None, Some((EXCHANGE, _))) =
                (query.function, theirs.exception, query.written)
        {
            let block = query.read.expect("FC 23 reads").0;
            story.exchange(place, &query.words, block, &theirs.words);
        }
    }
    story
}

#[test]
fn a_run_on_virtual_time_as_tshark_sees_it() {
    let place = Scratch::new("peer-tshark");
    let mut run = Harness::new(&Inputs::demo(60, 11)).expect("sets up");
    run.record();
    assert!(run.run_until(Micros::from_secs(1_200), Harness::drained), "drains");
    let recorded: Vec<Vec<Passed>> = run.recorded().map(<[Passed]>::to_vec).collect();
    let frames = frames(&run.fixed.line.ports, &recorded);
    let file = place.at("run.pcap");
    let seen = tshark::decode(&file, frames.iter().copied());
    assert_eq!(tshark::complaints(&file), Vec::<String>::new());
    let story = compare(&frames, &seen);

    let journal = Journal::read(&run.disk.records);
    let taken: BTreeSet<u32> = story.arms.keys().copied().collect();
    assert_eq!(taken, journal.taken, "the arms taken");
    assert!(taken.len() > 30, "{} arms", taken.len());
    let fired =
        story.arms.iter().filter(|(tag, armed)| journal.agrees(**tag, armed, &story)).count();
    assert!(fired > 30, "{fired} fired");
    assert_eq!(story.codes.len(), journal.codes.len(), "codes in order");
    for (wire, kept) in story.codes.iter().zip(&journal.codes) {
        // What is no waybill goes through the engine's door as its length and a keyed hash.
        let closed = kept.starts_with(&format!("?{}-", wire.len()));
        assert!(kept == wire || closed, "{wire} on the wire, {kept} in the journal");
    }
    assert_eq!(story.weights, journal.weights, "weights in order");
    assert!(story.codes.len() > 30 && story.weights.len() > 30, "{story:?}");
    println!(
        "proved: tshark {}: {} frames of a run on virtual time (RTU and TCP) decoded alike, 0 \
         complaints; {} arms with their windows, {fired} fired, {} ring entries, {} codes, {} \
         weights as in the journal; {} broadcasts, which tshark takes for no Modbus",
        tshark::version(),
        story.compared,
        taken.len(),
        story.entries.len(),
        story.codes.len(),
        story.weights.len(),
        story.broadcasts
    );
}

/// What the journal says of the same run.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    plans: BTreeMap<u32, ArmPlan>,
    pub(crate) taken: BTreeSet<u32>,
    ends: BTreeMap<u32, ArmEnd>,
    codes: Vec<String>,
    weights: Vec<Option<u32>>,
}

impl Journal {
    pub(crate) fn read(records: &[Vec<u8>]) -> Self {
        let mut journal = Self::default();
        for bytes in records {
            let record = record::decode(bytes).expect("our own record");
            match record.input {
                Input::ArmAnswered { tag, taken: true } => drop(journal.taken.insert(tag.0)),
                Input::ArmEnded { tag, end, .. } => drop(journal.ends.insert(tag.0, end)),
                Input::Read { read: Read::Codes(codes), .. } => journal.codes.extend(codes),
                Input::Measured { weight, .. } => journal.weights.push(weight.map(|g| g.0)),
                _ => {}
            }
            for decision in record.decisions {
                if let Decision::Arm(plan) = decision {
                    journal.plans.insert(plan.tag.0, plan);
                }
            }
        }
        journal
    }

    /// Demands that an arm and its end on the wire are what was decided and heard; whether it fired.
    pub(crate) fn agrees(&self, tag: u32, armed: &Armed, story: &Story) -> bool {
        let (plan, end, ended) = (&self.plans[&tag], self.ends[&tag], story.ends[&tag]);
        assert_eq!(armed.right, plan.side == Side::Right, "{tag}");
        let counts = [plan.length_min, plan.delay, plan.release].map(|distance| distance.0);
        let wire = [armed.length_min, armed.delay, armed.release].map(i64::from);
        assert_eq!(counts.map(i64::from), wire, "{tag}");
        // The window is that of the decision, widened alike on both sides by the ± of the map.
        let (width, decided) = (armed.to.wrapping_sub(armed.from), plan.to.since(plan.from).0);
        let wider = i64::from(width) - decided;
        assert!((0..=20).contains(&wider) && wider % 2 == 0, "{tag}: {wider} counts wider");
        let ArmEnd::Fired { edge } = end else {
            assert_ne!(ended.outcome, 1, "{tag}: {end:?}");
            return false;
        };
        assert_eq!(ended.outcome, 1, "{tag}");
        // Window and head edge lie alike in the node's counts and in the belt's frame.
        let centre = armed.from.wrapping_add(width / 2);
        let on_wire = i64::from(ended.head.wrapping_sub(centre).cast_signed());
        let in_journal = edge.since(plan.from).0 - decided / 2;
        assert!((on_wire - in_journal).abs() <= 4, "{tag}: {on_wire} {in_journal}");
        true
    }
}

#[test]
fn tshark_complains_of_a_garbled_frame() {
    let place = Scratch::new("peer-tshark-bad");
    let mut bytes = [5, 3, 0, 0, 0, 10, 0, 0];
    let len = rtu::encode(5, &[3, 0, 0, 0, 10], &mut bytes).expect("fits");
    bytes[5] ^= 1;
    let frame = Frame {
        utc_us: EPOCH_US,
        bus: 0,
        wire: Wire::Serial,
        unit: 5,
        from_host: true,
        bytes: &bytes[..len],
    };
    let file = place.at("bad.pcap");
    let seen = tshark::decode(&file, [frame]);
    assert_eq!(seen[0].as_ref().and_then(|seen| seen.crc), Some(false), "{seen:?}");
    assert_eq!(tshark::complaints(&file).len(), 1);
}
