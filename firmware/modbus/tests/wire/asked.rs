//! Every request that a master can send, as its encoder takes it.

use modbus::pdu::{self, Access, Counter, Request};
use proptest::collection::vec;
use proptest::prelude::*;

/// One request.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// FC 01, 02, 03 or 04.
    Read(u8, u16, u16),
    Coil(u16, bool),
    Single(u16, u16),
    Coils(u16, Vec<bool>),
    Multiple(u16, Vec<u16>),
    Mask(u16, u16, u16),
    ReadWrite(u16, u16, u16, Vec<u16>),
    Echo(Vec<u16>),
    Counter(Counter),
    Clear,
    ServerId,
    DeviceId(Access, u8),
}

impl Asked {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = [0; pdu::MAX_PDU];
        let len = match self {
            Self::Read(1, address, quantity) => pdu::read_coils(*address, *quantity, &mut out),
            Self::Read(2, address, quantity) => pdu::read_discrete(*address, *quantity, &mut out),
            Self::Read(3, address, quantity) => pdu::read_holding(*address, *quantity, &mut out),
            Self::Read(_, address, quantity) => pdu::read_input(*address, *quantity, &mut out),
            Self::Coil(address, on) => pdu::write_coil(*address, *on, &mut out),
            Self::Single(address, value) => pdu::write_single(*address, *value, &mut out),
            Self::Coils(address, bits) => pdu::write_coils(*address, bits, &mut out),
            Self::Multiple(address, words) => pdu::write_multiple(*address, words, &mut out),
            Self::Mask(address, and, or) => pdu::mask_write(*address, *and, *or, &mut out),
            Self::ReadWrite(read, quantity, write, words) => {
                pdu::read_write(*read, *quantity, *write, words, &mut out)
            }
            Self::Echo(words) => pdu::echo(&wire(words), &mut out),
            Self::Counter(counter) => pdu::read_counter(*counter, &mut out),
            Self::Clear => pdu::clear_counters(&mut out),
            Self::ServerId => pdu::server_id(&mut out),
            Self::DeviceId(access, object) => pdu::device_id(*access, *object, &mut out),
        };
        out[..len.expect("fits")].to_vec()
    }

    /// Whether `request` says the same.
    pub(crate) fn is(&self, request: &Request<'_>) -> bool {
        match (self, *request) {
            (Self::Read(1, a, n), Request::ReadCoils { address, quantity })
            | (Self::Read(2, a, n), Request::ReadDiscrete { address, quantity })
            | (Self::Read(3, a, n), Request::ReadHolding { address, quantity })
            | (Self::Read(4, a, n), Request::ReadInput { address, quantity }) => {
                (*a, *n) == (address, quantity)
            }
            (Self::Coil(a, v), Request::WriteCoil { address, on }) => (*a, *v) == (address, on),
            (Self::Single(a, v), Request::WriteSingle { address, value }) => {
                (*a, *v) == (address, value)
            }
            (Self::Coils(a, v), Request::WriteCoils { address, bits }) => {
                let single = (0..v.len()).all(|at| bits.get(at) == v.get(at).copied());
                *a == address && bits.iter().eq(v.iter().copied()) && single
            }
            (Self::Multiple(a, w), Request::WriteMultiple { address, words }) => {
                let single = (0..w.len()).all(|at| words.get(at) == w.get(at).copied());
                *a == address && words.iter().eq(w.iter().copied()) && single
            }
            (Self::Mask(a, x, y), Request::MaskWrite { address, and, or }) => {
                (*a, *x, *y) == (address, and, or)
            }
            (
                Self::ReadWrite(r, n, a, w),
                Request::ReadWrite { read_address, read_quantity, write_address, words },
            ) => {
                let addresses = (*r, *n, *a) == (read_address, read_quantity, write_address);
                addresses && words.as_bytes() == wire(w)
            }
            (Self::Echo(w), Request::Echo { data }) => data == wire(w),
            (Self::Counter(a), Request::ReadCounter(b)) => *a == b,
            (Self::Clear, Request::ClearCounters) | (Self::ServerId, Request::ServerId) => true,
            (Self::DeviceId(a, o), Request::DeviceId { access, object }) => {
                (*a, *o) == (access, object)
            }
            _ => false,
        }
    }
}

/// Words as they are on the wire.
pub(crate) fn wire(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn access() -> impl Strategy<Value = Access> {
    let all = [Access::Basic, Access::Regular, Access::Extended, Access::Individual];
    prop::sample::select(all.to_vec())
}

/// Requests whose quantities are in their limits; most addresses are in a test device.
pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let object = prop_oneof![0..6u8, Just(0x80u8), any::<u8>()];
    prop_oneof![
        (1..=2u8, 0..600u16, 1..=2_000u16).prop_map(|(f, a, n)| Asked::Read(f, a, n)),
        (1..=4u8, 0..400u16, 1..=125u16).prop_map(|(f, a, n)| Asked::Read(f, a, n)),
        (0..600u16, any::<bool>()).prop_map(|(a, v)| Asked::Coil(a, v)),
        (any::<u16>(), any::<u16>()).prop_map(|(a, v)| Asked::Single(a, v)),
        (0..400u16, vec(any::<bool>(), 1..=40)).prop_map(|(a, v)| Asked::Coils(a, v)),
        vec(any::<bool>(), 1..=1_968).prop_map(|v| Asked::Coils(0, v)),
        (0..400u16, vec(any::<u16>(), 1..=123)).prop_map(|(a, w)| Asked::Multiple(a, w)),
        (0..600u16, any::<u16>(), any::<u16>()).prop_map(|(a, x, y)| Asked::Mask(a, x, y)),
        (0..400u16, 1..=125u16, 0..400u16, vec(any::<u16>(), 1..=121))
            .prop_map(|(r, n, a, w)| Asked::ReadWrite(r, n, a, w)),
        vec(any::<u16>(), 1..=125).prop_map(Asked::Echo),
        prop::sample::select(Counter::ALL.to_vec()).prop_map(Asked::Counter),
        Just(Asked::Clear),
        Just(Asked::ServerId),
        (access(), object).prop_map(|(access, object)| Asked::DeviceId(access, object)),
    ]
}

/// Bytes that often look like a request.
pub(crate) fn nearly_a_request() -> impl Strategy<Value = Vec<u8>> {
    let known = vec![1u8, 2, 3, 4, 5, 6, 8, 15, 16, 17, 22, 23, 43, 0x83, 0x97, 0xAB, 7, 20, 24, 0];
    prop_oneof![
        vec(any::<u8>(), 0..=253),
        (prop::sample::select(known), vec(any::<u8>(), 0..=30)).prop_map(|(f, tail)| [
            vec![f],
            tail
        ]
        .concat()),
        (asked(), any::<(prop::sample::Index, u8)>()).prop_map(|(asked, (at, value))| {
            let mut bytes = asked.encode();
            let at = at.index(bytes.len());
            bytes[at] = value;
            bytes
        }),
        (asked(), any::<prop::sample::Index>()).prop_map(|(asked, at)| {
            let mut bytes = asked.encode();
            bytes.truncate(at.index(bytes.len()) + 1);
            bytes
        }),
    ]
}
