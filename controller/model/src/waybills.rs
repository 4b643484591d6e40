//! A set of waybills that is cheap to copy however many it holds.

#[cfg(not(target_has_atomic = "ptr"))]
use alloc::rc::Rc as Shared;
use alloc::string::String;
#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc as Shared;
use alloc::vec::Vec;

/// Waybills in one chunk; a full one is halved. Larger: a change behind a copy takes longer;
/// smaller: the first change behind a copy does.
const CHUNK_MAX: usize = 256;

/// Some waybills in ascending order; never empty.
type Chunk = Vec<Shared<str>>;

/// A set in ascending order. A copy shares everything and each of the two goes its own way: the
/// guard of the engine copies the line every 1,024 wakes, and a day's waybills are many.
///
/// A change costs the search and one chunk; the first one behind a copy the list of chunks as well.
#[derive(Clone, Debug, Default)]
pub struct Waybills {
    /// In ascending order, too.
    chunks: Shared<Vec<Shared<Chunk>>>,
    len: usize,
}

/// How the waybills lie in chunks depends on the order in which they came, and says nothing.
impl PartialEq for Waybills {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for Waybills {}

impl Waybills {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The greatest one.
    pub fn last(&self) -> Option<&str> {
        self.chunks.last().and_then(|chunk| chunk.last()).map(|waybill| &**waybill)
    }

    /// Every waybill, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|waybill| &**waybill)
    }

    /// Whether a waybill is there.
    pub fn contains(&self, waybill: &str) -> bool {
        let chunk = self.chunks.get(self.place(waybill));
        chunk.is_some_and(|chunk| search(chunk, waybill).is_ok())
    }

    /// Puts a waybill in; false when it was there.
    pub fn insert(&mut self, waybill: &str) -> bool {
        let at = self.place(waybill);
        let within = match self.chunks.get(at).map(|chunk| search(chunk, waybill)) {
            Some(Ok(_)) => return false,
            Some(Err(within)) => within,
            None => 0,
        };
        let chunks = Shared::make_mut(&mut self.chunks);
        self.len += 1;
        let Some(chunk) = chunks.get_mut(at) else {
            chunks.push(Shared::new(Vec::from([Shared::from(waybill)])));
            return true;
        };
        let chunk = Shared::make_mut(chunk);
        chunk.insert(within, Shared::from(waybill));
        if chunk.len() > CHUNK_MAX {
            let upper = chunk.split_off(CHUNK_MAX / 2);
            chunks.insert(at + 1, Shared::new(upper));
        }
        true
    }

    /// Takes a waybill out; false when it was not there.
    pub fn remove(&mut self, waybill: &str) -> bool {
        let at = self.place(waybill);
        let Some(Ok(within)) = self.chunks.get(at).map(|chunk| search(chunk, waybill)) else {
            return false;
        };
        let chunks = Shared::make_mut(&mut self.chunks);
        let chunk = Shared::make_mut(&mut chunks[at]);
        chunk.remove(within);
        if chunk.is_empty() {
            chunks.remove(at);
        }
        self.len -= 1;
        true
    }

    /// The chunk that holds a waybill or would: the last one that does not begin behind it.
    fn place(&self, waybill: &str) -> usize {
        let behind = |chunk: &Shared<Chunk>| chunk.first().is_some_and(|first| **first <= *waybill);
        self.chunks.partition_point(behind).saturating_sub(1)
    }
}

fn search(chunk: &Chunk, waybill: &str) -> Result<usize, usize> {
    chunk.binary_search_by(|found| (**found).cmp(waybill))
}

impl<'a> Extend<&'a str> for Waybills {
    fn extend<T: IntoIterator<Item = &'a str>>(&mut self, waybills: T) {
        for waybill in waybills {
            self.insert(waybill);
        }
    }
}

impl FromIterator<String> for Waybills {
    fn from_iter<T: IntoIterator<Item = String>>(waybills: T) -> Self {
        let mut set = Self::default();
        for waybill in waybills {
            set.insert(&waybill);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString as _;

    fn same(set: &Waybills, expected: &BTreeSet<String>) {
        assert!(set.iter().eq(expected.iter().map(String::as_str)));
        assert_eq!(set.len(), expected.len());
        assert_eq!(set.is_empty(), expected.is_empty());
        assert_eq!(set.last(), expected.last().map(String::as_str));
        assert!(set.chunks.iter().all(|chunk| (1..=CHUNK_MAX).contains(&chunk.len())));
    }

    #[test]
    fn sets_of_the_same_waybills_are_equal_whatever_order_they_came_in() {
        let names: Vec<String> = (0..600).map(|number| format!("{number:04}")).collect();
        let ascending: Waybills = names.iter().cloned().collect();
        let descending: Waybills = names.iter().rev().cloned().collect();
        assert_eq!(ascending, descending);
        let mut other = descending.clone();
        other.remove("0300");
        assert_ne!(ascending, other);
        other.insert("0600");
        assert_ne!(ascending, other);
    }

    #[test]
    fn a_day_of_waybills_is_kept_in_order_and_a_copy_stays_as_it_was() {
        let (mut set, mut expected) = (Waybills::default(), BTreeSet::new());
        for n in 0u64..5_000 {
            let waybill = format!("SF{:08}", n * 7_919 % 100_003);
            assert_eq!(set.insert(&waybill), expected.insert(waybill.clone()));
            assert!(set.contains(&waybill) && !set.insert(&waybill));
        }
        same(&set, &expected);
        let (copy, before) = (set.clone(), expected.clone());
        for waybill in before.iter().step_by(2) {
            assert!(set.remove(waybill) && !set.remove(waybill) && !set.contains(waybill));
            expected.remove(waybill);
        }
        set.insert("ZZ");
        expected.insert("ZZ".to_string());
        same(&set, &expected);
        same(&copy, &before);
        assert_ne!(set, copy);
    }

    proptest! {
        #[test]
        fn it_is_a_set(steps in proptest::collection::vec((any::<bool>(), 0u16..600), 0..2_000)) {
            let (mut set, mut expected) = (Waybills::default(), BTreeSet::new());
            for (put, number) in steps {
                let waybill = number.to_string();
                if put {
                    prop_assert_eq!(set.insert(&waybill), expected.insert(waybill));
                } else {
                    prop_assert_eq!(set.remove(&waybill), expected.remove(&waybill));
                }
            }
            same(&set, &expected);
        }
    }
}
