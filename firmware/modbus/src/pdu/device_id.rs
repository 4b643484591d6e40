//! Device identification, FC 43/14: who a device says it is, object by object.

use super::function::{DEVICE_ID, ENCAPSULATED, PduLength};
use super::{MAX_PDU, Mismatch};

/// Bytes of an answer before its objects.
pub(crate) const HEAD: usize = 7;
/// The flag that more objects follow.
pub(crate) const MORE: u8 = 0xFF;

/// Which objects are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// 01: the basic objects (0x00 to 0x02) from one on.
    Basic,
    /// 02: basic and regular objects (to 0x7F) from one on.
    Regular,
    /// 03: all objects from one on.
    Extended,
    /// 04: one object.
    Individual,
}

impl Access {
    /// The code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Basic => 1,
            Self::Regular => 2,
            Self::Extended => 3,
            Self::Individual => 4,
        }
    }

    /// The access that `code` stands for.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Basic),
            2 => Some(Self::Regular),
            3 => Some(Self::Extended),
            4 => Some(Self::Individual),
            _ => None,
        }
    }

    /// The last object id that it reaches.
    pub const fn last(self) -> u8 {
        match self {
            Self::Basic => 0x02,
            Self::Regular => 0x7F,
            Self::Extended | Self::Individual => 0xFF,
        }
    }
}

/// One answer of a device that identifies itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceId<'a> {
    /// What the device can tell: 1 basic, 2 regular, 3 extended; 0x80 added = single objects too.
    pub conformity: u8,
    /// More objects follow: ask again with the same access from this object on.
    pub next: Option<u8>,
    objects: &'a [u8],
}

impl<'a> DeviceId<'a> {
    /// The objects of this answer in its order: id and value.
    pub fn objects(self) -> impl Iterator<Item = (u8, &'a [u8])> + Clone {
        let mut rest = self.objects;
        core::iter::from_fn(move || {
            let (id, value, tail) = object(rest)?;
            rest = tail;
            Some((id, value))
        })
    }

    /// Takes the answer to a request with this access and object.
    pub(super) fn parse(access: Access, asked: u8, answer: &'a [u8]) -> Result<Self, Mismatch> {
        let [_, transport, code, conformity, more, next, count, objects @ ..] = answer else {
            return Err(Mismatch::Length { expected: HEAD, got: answer.len() });
        };
        let known = matches!(conformity, 1..=3 | 0x81..=0x83);
        let flags = matches!(*more, 0 | MORE);
        let single = access != Access::Individual || *count == 1;
        for (at, good) in [
            (1, *transport == DEVICE_ID),
            (2, *code == access.code()),
            (3, known),
            (4, flags),
            (6, single),
        ] {
            if !good {
                return Err(Mismatch::Field { at });
            }
        }
        if length(answer) != PduLength::Exactly(answer.len()) {
            let (PduLength::Need(expected) | PduLength::Exactly(expected)) = length(answer) else {
                return Err(Mismatch::Field { at: 6 });
            };
            return Err(Mismatch::Length { expected, got: answer.len() });
        }
        if access == Access::Individual && objects.first() != Some(&asked) {
            return Err(Mismatch::Field { at: HEAD });
        }
        Ok(Self { conformity: *conformity, next: (*more == MORE).then_some(*next), objects })
    }
}

/// The object that `bytes` begin with, and what is behind it.
fn object(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [id, len, rest @ ..] = bytes else { return None };
    let (value, tail) = rest.split_at_checked(usize::from(*len))?;
    Some((*id, value, tail))
}

/// The length of the answer that begins with `pdu`, found by walking its objects; open when the
/// objects do not fit into a PDU or another transport answers.
pub(crate) fn length(pdu: &[u8]) -> PduLength {
    let [function, transport, _, _, _, _, count, ..] = *pdu else {
        let other = pdu.get(1).is_some_and(|transport| *transport != DEVICE_ID);
        return if other { PduLength::Open } else { PduLength::Need(HEAD) };
    };
    if (function, transport) != (ENCAPSULATED, DEVICE_ID) {
        return PduLength::Open;
    }
    let mut end = HEAD;
    for _ in 0..count {
        let head = end.saturating_add(2);
        let Some(&len) = pdu.get(end.saturating_add(1)) else {
            return if head <= MAX_PDU { PduLength::Need(head) } else { PduLength::Open };
        };
        end = head.saturating_add(usize::from(len));
        if end > MAX_PDU {
            return PduLength::Open;
        }
    }
    PduLength::Exactly(end)
}
