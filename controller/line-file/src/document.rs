//! Where every key of a TOML text stands, so that a check can point at it.

use crate::shape::ParseError;
use core::ops::Range;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A parsed TOML text with the place of every key and value.
///
/// Keys are full paths such as `diverter[2].switch_ms`; elements of arrays count from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: String,
    entries: BTreeMap<String, Entry>,
}

/// One key of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bytes of the key; of the value for an element of an array.
    pub key: Range<usize>,
    /// Bytes of the value; of a table, its header.
    pub value: Range<usize>,
    /// What the value is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer; `None` when it does not fit 64 bits.
    Integer(Option<i64>),
    /// A string.
    Text(String),
    /// true or false.
    Boolean(bool),
    /// An array with this many elements.
    Array(usize),
    /// A table.
    Table,
    /// A number with a fraction, or a date: never right in our files.
    Other(&'static str),
}

impl Kind {
    /// The name that people know it by.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a string",
            Self::Boolean(_) => "a boolean",
            Self::Array(_) => "an array",
            Self::Table => "a table",
            Self::Other(name) => name,
        }
    }
}

/// A place in a text as editors show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The place of a byte of the text; the end of the text when it lies behind it.
    pub fn of(text: &str, byte: usize) -> Self {
        let mut end = byte.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = text.get(..end).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

/// The path with every element number left out: `diverter[2].left` becomes `diverter[].left`.
pub fn pattern(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        inside = (inside || c == '[') && c != ']';
        if !inside || c == '[' {
            out.push(c);
        }
    }
    out
}

impl Document {
    /// Reads any TOML text.
    ///
    /// # Errors
    /// When it is not TOML.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let root = DeTable::parse(text)?;
        let mut entries = BTreeMap::new();
        enter_table("", root.get_ref(), &mut entries);
        Ok(Self { text: text.to_owned(), entries })
    }

    /// The text itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every key with its full path, in order of the path.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// One key by its full path.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Bytes to point at for a path: its value, else those of the nearest table around it, else the
    /// beginning of the text.
    pub fn span(&self, path: &str) -> Range<usize> {
        let mut at = path;
        loop {
            if let Some(entry) = self.entries.get(at) {
                return entry.value.clone();
            }
            match at.rfind(['.', '[']) {
                Some(cut) => at = at.get(..cut).unwrap_or_default(),
                None => return 0..0,
            }
        }
    }

    /// The place of a path's [`span`](Self::span).
    pub fn place(&self, path: &str) -> Place {
        Place::of(&self.text, self.span(path).start)
    }
}

fn enter_table(prefix: &str, table: &DeTable<'_>, entries: &mut BTreeMap<String, Entry>) {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key.get_ref().to_string()
        } else {
            format!("{prefix}.{}", key.get_ref())
        };
        enter_value(path, key.span(), value, entries);
    }
}

fn enter_value(
    path: String,
    key: Range<usize>,
    value: &Spanned<DeValue<'_>>,
    entries: &mut BTreeMap<String, Entry>,
) {
    let kind = match value.get_ref() {
        DeValue::Integer(number) => {
            Kind::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::String(text) => Kind::Text(text.to_string()),
        DeValue::Boolean(on) => Kind::Boolean(*on),
        DeValue::Array(array) => {
            for (n, element) in array.iter().enumerate() {
                enter_value(format!("{path}[{n}]"), element.span(), element, entries);
            }
            Kind::Array(array.len())
        }
        DeValue::Table(table) => {
            enter_table(&path, table, entries);
            Kind::Table
        }
        DeValue::Float(_) => Kind::Other("a number with a fraction"),
        DeValue::Datetime(_) => Kind::Other("a date"),
    };
    entries.insert(path, Entry { key, value: value.span(), kind });
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "a = 1\n[[b]]\nc = \"中\" # 文\n\n[[b]]\nc = 'x'\nd = [1, 99999999999999999999]\n";

    #[test]
    fn every_key_has_its_place() {
        let document = Document::parse(TEXT).expect("TOML");
        assert_eq!(document.place("b[0].c"), Place { line: 3, column: 5 });
        assert_eq!(document.place("b[1].c"), Place { line: 6, column: 5 });
        assert_eq!(document.entry("b[1].d[1]").expect("there").kind, Kind::Integer(None));
        assert_eq!(document.entry("b").expect("there").kind, Kind::Array(2));
    }

    #[test]
    fn a_missing_key_points_at_its_table() {
        let document = Document::parse(TEXT).expect("TOML");
        assert_eq!(document.place("b[1].missing").line, 5);
        assert_eq!(document.span("nothing"), 0..0);
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(Place::of("é中x", 5), Place { line: 1, column: 3 });
        assert_eq!(Place::of("ab", 99), Place { line: 1, column: 3 });
        assert_eq!(Place::of("中", 1), Place { line: 1, column: 1 });
    }

    #[test]
    fn patterns_lose_their_numbers() {
        assert_eq!(pattern("a[12].b[0]"), "a[].b[]");
        assert_eq!(pattern("a.b"), "a.b");
    }
}
