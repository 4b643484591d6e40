//! Compares a TOML text with the table of keys and repairs it, so that one wrong key does not hide
//! the faults of all others.
//!
//! What is unknown is left out; what is missing, of a wrong type or out of range gets a placeholder
//! and is poisoned. The result always has the shape and is never used when there was a fault.

use super::fault::{Sink, draft};
use super::keys::{Key, Kind};
use toml::{Table, Value};

/// The table of the text with every key known, present and in range.
pub(crate) fn repair(mut root: Table, keys: &[Key], sink: &mut Sink<'_>) -> Table {
    Repair { keys, sink }.table(&mut root, "", "");
    root
}

struct Repair<'a, 'b> {
    keys: &'a [Key],
    sink: &'a mut Sink<'b>,
}

impl Repair<'_, '_> {
    /// Repairs one table; `path` names it in the text, `pattern` in the table of keys.
    fn table(&mut self, table: &mut Table, path: &str, pattern: &str) {
        let known: Vec<Key> =
            self.keys.iter().filter(|key| parent(key.path) == pattern).copied().collect();
        let found: Vec<String> = table.keys().cloned().collect();
        for name in found {
            if !known.iter().any(|key| leaf(key.path) == name) {
                table.remove(&name);
                self.unknown(path, &name, &known);
            }
        }
        for key in known {
            let name = leaf(key.path);
            let at = join(path, name);
            match table.get_mut(name) {
                Some(value) => self.value(value, &at, key),
                None if key.absent.is_some() => {}
                None => {
                    let message = format!("`{name}` is missing: {}", key.meaning);
                    self.sink.enter(draft(at.clone(), message).allowed(describe(key.kind)));
                    self.sink.poison(&at);
                    table.insert(name.to_owned(), self.placeholder(key));
                }
            }
        }
    }

    fn unknown(&mut self, path: &str, name: &str, known: &[Key]) {
        let at = join(path, name);
        let names: Vec<&str> = known.iter().map(|key| leaf(key.path)).collect();
        // Longer names are no slip of the keyboard, and comparing them costs.
        let short = name.chars().count() <= 40;
        let near = names.iter().filter(|_| short).min_by_key(|other| distance(name, other));
        let near = near.filter(|near| distance(name, near) <= 3);
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let draft =
            draft(at.clone(), format!("unknown key `{name}`{hint}")).allowed(names.join(", "));
        self.sink.enter_at_key(draft);
        self.sink.poison(&at);
        if let Some(near) = near {
            // The misspelt key is not reported as missing too.
            self.sink.poison(&join(path, near));
        }
    }

    fn value(&mut self, value: &mut Value, at: &str, key: Key) {
        match (key.kind, &mut *value) {
            (Kind::Table, Value::Table(table)) => self.table(table, at, key.path),
            (Kind::Tables(min, max), Value::Array(list))
                if list.iter().all(|element| element.is_table()) =>
            {
                self.count(list.len(), min, max, at);
                for (n, element) in list.iter_mut().enumerate() {
                    if let Value::Table(table) = element {
                        let pattern = format!("{}[]", key.path);
                        self.table(table, &format!("{at}[{n}]"), &pattern);
                    }
                }
            }
            (Kind::Integer(min, max), Value::Integer(number)) => {
                if *number < min || *number > max {
                    let message = format!("`{}` is {number}", leaf(key.path));
                    self.wrong(at, message, key);
                    *value = self.placeholder(key);
                }
            }
            (Kind::Text(max), Value::String(text)) => self.text(text, 1, max, at, key),
            (Kind::Prefix(max), Value::String(text)) => self.text(text, 0, max, at, key),
            (Kind::Word(words), Value::String(text)) => {
                if !words.contains(&text.as_str()) {
                    let message = format!("`{}` is {text:?}", leaf(key.path));
                    self.wrong(at, message, key);
                    *value = self.placeholder(key);
                }
            }
            (Kind::Boolean, Value::Boolean(_)) => {}
            (Kind::Texts(min, max), Value::Array(list))
                if list.iter().all(|element| element.is_str()) =>
            {
                self.count(list.len(), min, max, at);
                for (n, element) in list.iter().enumerate() {
                    let length = element.as_str().map_or(0, |text| text.chars().count());
                    if length == 0 || length > 64 {
                        let at = format!("{at}[{n}]");
                        self.sink.enter(
                            draft(at.clone(), format!("the string has {length} characters"))
                                .allowed("1 to 64 characters"),
                        );
                        self.sink.poison(&at);
                    }
                }
            }
            (kind, found) => {
                let message =
                    format!("`{}` is {}, not {}", leaf(key.path), type_name(found), kind.name());
                self.wrong(at, message, key);
                *value = self.placeholder(key);
            }
        }
    }

    fn text(&mut self, text: &str, min: usize, max: usize, at: &str, key: Key) {
        let length = text.chars().count();
        if length < min || length > max {
            self.wrong(at, format!("`{}` has {length} characters", leaf(key.path)), key);
        } else if text.chars().any(char::is_control) {
            let message = format!("`{}` has a control character", leaf(key.path));
            self.sink.enter(draft(at, message).allowed("printable characters"));
            self.sink.poison(at);
        }
    }

    fn count(&mut self, found: usize, min: usize, max: usize, at: &str) {
        if found < min || found > max {
            let message = format!("there are {found} of `{at}`");
            self.sink.enter(draft(at, message).allowed(format!("{min} to {max}")));
        }
    }

    fn wrong(&mut self, at: &str, message: String, key: Key) {
        self.sink.enter(draft(at, message).allowed(describe(key.kind)));
        self.sink.poison(at);
    }

    /// A value of the right shape that nobody will use.
    fn placeholder(&self, key: Key) -> Value {
        match key.kind {
            Kind::Table => {
                let mut table = Table::new();
                let children = self.keys.iter().filter(|child| parent(child.path) == key.path);
                for child in children.filter(|child| child.absent.is_none()) {
                    table.insert(leaf(child.path).to_owned(), self.placeholder(*child));
                }
                Value::Table(table)
            }
            Kind::Tables(..) | Kind::Texts(..) => Value::Array(Vec::new()),
            Kind::Integer(min, _) => Value::Integer(min),
            Kind::Text(_) | Kind::Prefix(_) => Value::String(String::new()),
            Kind::Word(words) => {
                Value::String(words.first().copied().unwrap_or_default().to_owned())
            }
            Kind::Boolean => Value::Boolean(false),
        }
    }
}

fn describe(kind: Kind) -> String {
    let range = kind.range();
    match kind {
        Kind::Table | Kind::Boolean | Kind::Word(_) if range.is_empty() => kind.name().to_owned(),
        Kind::Boolean | Kind::Word(_) => range,
        Kind::Table
        | Kind::Tables(..)
        | Kind::Integer(..)
        | Kind::Text(_)
        | Kind::Prefix(_)
        | Kind::Texts(..) => format!("{}, {range}", kind.name()),
    }
}

const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "an integer",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "a boolean",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "an array",
        Value::Table(_) => "a table",
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn leaf(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, leaf)| leaf)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn edits_are_counted() {
        assert_eq!(distance("switch_msec", "switch_ms"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
