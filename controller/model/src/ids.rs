//! Names of things on the line: indices into the layout and numbers that people see.

/// One parcel instance, counted from 1 at the induction eye; the key of everything, not the waybill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParcelId(pub u64);

/// Journaled name of one arm; its end on the node carries it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

/// Index into [`Layout::nodes`](crate::layout::Layout::nodes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u8);

/// Index into [`Layout::zones`](crate::layout::Layout::zones).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u8);

/// Index into [`Layout::eyes`](crate::layout::Layout::eyes), in the order that a parcel passes them; 0 is the induction eye, the last
/// one is the end eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EyeId(pub u8);

/// Index into [`Layout::diverters`](crate::layout::Layout::diverters), in the order that a parcel passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiverterId(pub u8);

/// A barcode scanner: 0 is the tunnel's, the others index [`Layout::rescanners`](crate::layout::Layout::rescanners) from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScannerId(pub u8);

/// Number of a physical chute, as painted on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChuteNo(pub u16);

/// Which way a bed sends a parcel, seen in the direction of travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Odd chute numbers.
    Left,
    /// Even chute numbers.
    Right,
}

impl Side {
    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}
