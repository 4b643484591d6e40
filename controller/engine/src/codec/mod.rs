//! Bytes of records and snapshots: big-endian, every tag written out, nothing derived.
//!
//! A tag or a field order is never changed: a new meaning takes a new tag, a new field stands last
//! and says since which version it is there (see [`crate::record::FORMAT_VERSION`]). Reading is
//! total: any bytes give a value or a [`Fault`], and no more is allocated than the bytes can hold.

mod decision;
#[cfg(test)]
mod golden;
mod input;
mod memory;
mod shared;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::record::{FORMAT_VERSION, OLDEST_VERSION};

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They end too early.
    Truncated {
        /// Offset at which more was expected.
        at: usize,
    },
    /// They go on after the end.
    Trailing {
        /// Offset of the first byte too many.
        at: usize,
    },
    /// They are of another format version.
    Version {
        /// The version found.
        found: u8,
    },
    /// A tag without a meaning.
    Tag {
        /// Of what.
        what: &'static str,
        /// The tag found.
        tag: u8,
        /// Its offset.
        at: usize,
    },
    /// Text that is not UTF-8.
    Text {
        /// Its offset.
        at: usize,
    },
    /// The keys of a map or set do not ascend.
    Order {
        /// Offset behind the wrong key.
        at: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { at } => write!(f, "read the bytes: they end at {at}"),
            Self::Trailing { at } => write!(f, "read the bytes: more follow at {at}"),
            Self::Version { found } => write!(f, "read the bytes: format version {found}"),
            Self::Tag { what, tag, at } => write!(f, "read {what}: unknown tag {tag} at {at}"),
            Self::Text { at } => write!(f, "read text at {at}: not UTF-8"),
            Self::Order { at } => write!(f, "read a map before {at}: keys do not ascend"),
        }
    }
}

impl core::error::Error for Fault {}

/// Takes values from bytes in order, in the form that they had in a format version.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
    version: u8,
}

impl<'a> Source<'a> {
    const fn new(bytes: &'a [u8], version: u8) -> Self {
        Self { bytes, at: 0, version }
    }

    /// Bytes that begin with their version; refuses one that this program does not know.
    pub(crate) fn versioned(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut from = Self::new(bytes, FORMAT_VERSION);
        let found = u8::get(&mut from)?;
        if !(OLDEST_VERSION..=FORMAT_VERSION).contains(&found) {
            return Err(Fault::Version { found });
        }
        from.version = found;
        Ok(from)
    }

    /// The version whose forms are read.
    pub(crate) const fn version(&self) -> u8 {
        self.version
    }

    /// A value that older versions than `version` do not hold: from them it is the default.
    fn since<T: Wire>(&mut self, version: u8, default: impl FnOnce() -> T) -> Result<T, Fault> {
        if self.version >= version { T::get(self) } else { Ok(default()) }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let fault = Fault::Truncated { at: self.bytes.len() };
        let end = self.at.checked_add(len).ok_or(fault)?;
        let taken = self.bytes.get(self.at..end).ok_or(fault)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A tag byte and its offset.
    pub(crate) fn tag(&mut self) -> Result<(u8, usize), Fault> {
        let at = self.at;
        Ok((u8::get(self)?, at))
    }

    /// A number of elements; each takes a byte at least, so that a wrong number cannot allocate more
    /// than the bytes allow.
    fn count(&mut self) -> Result<usize, Fault> {
        let fault = Fault::Truncated { at: self.bytes.len() };
        let count = usize::try_from(u32::get(self)?).map_err(|_| fault)?;
        if count > self.bytes.len() - self.at { Err(fault) } else { Ok(count) }
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&self) -> Result<(), Fault> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(Fault::Trailing { at: self.at }) }
    }
}

/// A value with one form as bytes.
pub(crate) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn get(from: &mut Source<'_>) -> Result<Self, Fault>;
}

macro_rules! integers {
    ($($name:ident)*) => {
        $(impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
                from.array().map(Self::from_be_bytes)
            }
        })*
    };
}

integers! { u8 u16 u32 u64 i32 i64 }

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            (0, _) => Ok(false),
            (1, _) => Ok(true),
            (tag, at) => Err(Fault::Tag { what: "a truth value", tag, at }),
        }
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.put(out);
            }
        }
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        match from.tag()? {
            (0, _) => Ok(None),
            (1, _) => T::get(from).map(Some),
            (tag, at) => Err(Fault::Tag { what: "an option", tag, at }),
        }
    }
}

fn put_count(count: usize, out: &mut Vec<u8>) {
    let count = u32::try_from(count);
    assert!(count.is_ok(), "every list of the model has a limit far below 2^32");
    count.unwrap_or_default().put(out);
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        let (count, at) = (from.count()?, from.at());
        let text = core::str::from_utf8(from.take(count)?).map_err(|_| Fault::Text { at })?;
        Ok(Self::from(text))
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        self.iter().for_each(|item| item.put(out));
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        let count = from.count()?;
        (0..count).map(|_| T::get(from)).collect()
    }
}

impl<T: Wire> Wire for VecDeque<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        self.iter().for_each(|item| item.put(out));
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        Vec::get(from).map(Self::from)
    }
}

impl<T: Wire + Ord> Wire for BTreeSet<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        self.iter().for_each(|item| item.put(out));
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        let (count, mut set) = (from.count()?, Self::new());
        for _ in 0..count {
            let item = T::get(from)?;
            if set.last().is_some_and(|last| *last >= item) {
                return Err(Fault::Order { at: from.at() });
            }
            set.insert(item);
        }
        Ok(set)
    }
}

impl<K: Wire + Ord, V: Wire> Wire for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        let (count, mut map) = (from.count()?, Self::new());
        for _ in 0..count {
            let key = K::get(from)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(Fault::Order { at: from.at() });
            }
            map.insert(key, V::get(from)?);
        }
        Ok(map)
    }
}

impl<T: Wire + Copy + Default, const N: usize> Wire for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.put(out));
    }

    fn get(from: &mut Source<'_>) -> Result<Self, Fault> {
        let mut array = [T::default(); N];
        for slot in &mut array {
            *slot = T::get(from)?;
        }
        Ok(array)
    }
}

/// Structs with one field.
macro_rules! wrapped {
    ($($name:ident)*) => {
        $(impl $crate::codec::Wire for $name {
            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::codec::Wire::put(&self.0, out);
            }

            fn get(
                from: &mut $crate::codec::Source<'_>,
            ) -> Result<Self, $crate::codec::Fault> {
                $crate::codec::Wire::get(from).map(Self)
            }
        })*
    };
}

/// Structs with named fields: the fields in the order written here, then those that came with a
/// later version: `Name { one other; since 2 { third = 0; } }`. A default may give the fields
/// before it to functions (`Vec::len(&other)`; their types are not yet known for methods); it is
/// what the line knew or did when there was no such field.
macro_rules! fields {
    ($($name:path {
        $($field:ident)* $(; since $version:literal { $($new:ident = $default:expr;)* })*
    })*) => {
        $(impl $crate::codec::Wire for $name {
            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                $($crate::codec::Wire::put(&self.$field, out);)*
                $($($crate::codec::Wire::put(&self.$new, out);)*)*
            }

            fn get(
                from: &mut $crate::codec::Source<'_>,
            ) -> Result<Self, $crate::codec::Fault> {
                $(let $field = $crate::codec::Wire::get(from)?;)*
                $($(let $new = from.since($version, || $default)?;)*)*
                Ok(Self { $($field,)* $($($new,)*)* })
            }
        })*
    };
}

/// Enums: each variant's tag, then its fields in the order written here, then those that came with
/// a later version, written as in [`fields`].
macro_rules! tags {
    ($name:path, $what:literal {
        $($tag:literal $variant:ident $({
            $($field:ident)* $(; since $version:literal { $($new:ident = $default:expr;)* })*
        })? $(( $item:ident ))?;)*
    }) => {
        impl $crate::codec::Wire for $name {
            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                match self {
                    $(Self::$variant $({ $($field,)* $($($new,)*)* })? $(( $item ))? => {
                        out.push($tag);
                        $($($crate::codec::Wire::put($field, out);)*)?
                        $($($($crate::codec::Wire::put($new, out);)*)*)?
                        $($crate::codec::Wire::put($item, out);)?
                    })*
                }
            }

            fn get(
                from: &mut $crate::codec::Source<'_>,
            ) -> Result<Self, $crate::codec::Fault> {
                match from.tag()? {
                    $(($tag, _) => {
                        $($(let $field = $crate::codec::Wire::get(from)?;)*)?
                        $($($(let $new = from.since($version, || $default)?;)*)*)?
                        $(let $item = $crate::codec::Wire::get(from)?;)?
                        Ok(Self::$variant $({ $($field,)* $($($new,)*)* })? $(( $item ))?)
                    })*
                    (tag, at) => Err($crate::codec::Fault::Tag { what: $what, tag, at }),
                }
            }
        }
    };
}

pub(crate) use {fields, tags, wrapped};
