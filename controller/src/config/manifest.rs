//! Manifests: CSV lists of waybills with carrier, route and gates, as factories export them.
//!
//! Nothing of a file with bad rows is taken unless the person says that bad rows may be skipped. Only
//! the columns below are read; whatever else a file holds (names, telephone numbers, addresses) is not
//! even kept in memory.

use super::waybill::{Forms, Refused};
use encoding_rs::{Encoding, GB18030, UTF_8};
use line_model::plan::{Facts, Hold, Screening};
use std::collections::BTreeMap;
use std::fmt;

/// Largest file that is read, in bytes.
pub const BYTES_MAX: usize = 256 << 20;
/// Most rows of one manifest; one line sorts less in a day.
pub const ROWS_MAX: usize = 1_000_000;
/// Most bad rows that are listed; the rest is counted.
pub const FAULTS_MAX: usize = 1_000;
/// Heaviest item, in grams.
const WEIGHT_MAX_G: u32 = 60_000;
/// Longest route code and item class, in characters.
const TEXT_MAX: usize = 32;

/// A column with the headings that it goes by.
struct Column {
    name: &'static str,
    zh: &'static str,
    /// Its value where the column is missing or a cell is empty; `None` = it must be there.
    absent: Option<&'static str>,
}

const WAYBILL: usize = 0;
const CARRIER: usize = 1;
const ROUTE: usize = 2;
const CLASS: usize = 3;
const WEIGHT: usize = 4;
const INSPECTED: usize = 5;
const XRAY: usize = 6;
const REAL_NAME: usize = 7;
const HOLD: usize = 8;

/// The columns, found by heading in any order.
const COLUMNS: [Column; 9] = [
    Column { name: "waybill", zh: "运单号", absent: None },
    Column { name: "carrier", zh: "快递公司", absent: None },
    Column { name: "route_code", zh: "三段码", absent: None },
    Column { name: "item_class", zh: "物品类别", absent: None },
    Column { name: "expected_weight_g", zh: "预计重量g", absent: None },
    Column { name: "inspected", zh: "收寄验视", absent: None },
    Column { name: "xray", zh: "过机安检", absent: None },
    Column { name: "real_name", zh: "实名收寄", absent: Some("yes") },
    Column { name: "hold", zh: "管控", absent: Some("none") },
];

/// Words of the gate 收寄验视.
const INSPECTED_WORDS: [(&str, bool); 4] =
    [("yes", true), ("no", false), ("已验视", true), ("未验视", false)];

/// Words of the gate 过机安检.
const XRAY_WORDS: [(&str, Screening); 8] = [
    ("passed", Screening::Passed),
    ("hub", Screening::AtHub),
    ("rejected", Screening::Rejected),
    ("unknown", Screening::Unknown),
    ("通过", Screening::Passed),
    ("枢纽安检", Screening::AtHub),
    ("未通过", Screening::Rejected),
    ("未知", Screening::Unknown),
];

/// Words of the gate 实名收寄: a real name, or a safety agreement that is valid.
const REAL_NAME_WORDS: [(&str, bool); 4] =
    [("yes", true), ("no", false), ("已实名", true), ("未实名", false)];

/// Words of what holds an item back.
const HOLD_WORDS: [(&str, Option<Hold>); 12] = [
    ("none", None),
    ("cancelled", Some(Hold::Cancelled)),
    ("intercepted", Some(Hold::Intercepted)),
    ("debt", Some(Hold::Debt)),
    ("customs", Some(Hold::Customs)),
    ("prohibited", Some(Hold::Prohibited)),
    ("无", None),
    ("取消件", Some(Hold::Cancelled)),
    ("拦截件", Some(Hold::Intercepted)),
    ("欠费拦截", Some(Hold::Debt)),
    ("待放行", Some(Hold::Customs)),
    ("疑似禁寄", Some(Hold::Prohibited)),
];

/// A manifest that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What is known of each waybill.
    pub items: BTreeMap<String, Facts>,
    /// Character encoding that was found.
    pub encoding: &'static str,
    /// Rows that were left out, when that was allowed.
    pub skipped: RowFaults,
}

/// What is wrong with the rows of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFaults {
    /// The faults in order of their lines, at most [`FAULTS_MAX`].
    pub list: Vec<RowFault>,
    /// Rows with at least one fault.
    pub rows: usize,
    /// Faults beyond the list.
    pub more: usize,
}

/// One value that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// Line of the file, from 1.
    pub line: u64,
    /// Heading of the column; empty when the whole row or file is meant.
    pub column: &'static str,
    /// What was found and what is allowed.
    pub reason: String,
}

impl RowFaults {
    fn enter(&mut self, line: u64, column: &'static str, reason: String) {
        if self.list.len() < FAULTS_MAX {
            self.list.push(RowFault { line, column, reason });
        } else {
            self.more += 1;
        }
    }

    /// The faults as a JSON list of `{line, column, reason}`.
    pub fn to_json(&self) -> serde_json::Value {
        let list = self.list.iter().map(|fault| {
            serde_json::json!({
                "line": fault.line, "column": fault.column, "reason": fault.reason,
            })
        });
        serde_json::Value::Array(list.collect())
    }

    fn whole(line: u64, reason: String) -> Self {
        Self { list: vec![RowFault { line, column: "", reason }], rows: 0, more: 0 }
    }
}

impl fmt::Display for RowFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.list {
            write!(f, "line {}", fault.line)?;
            if !fault.column.is_empty() {
                write!(f, ", column {}", fault.column)?;
            }
            writeln!(f, ": {}", fault.reason)?;
        }
        if self.more > 0 {
            writeln!(f, "... and {} more", self.more)?;
        }
        write!(f, "{} bad rows", self.rows)
    }
}

impl std::error::Error for RowFaults {}

/// Reads a manifest: UTF-8 with or without byte-order mark, or GB18030; headings in any order.
///
/// # Errors
/// When a row is bad and `skip_bad_rows` is not set; when headings are missing or the file cannot be
/// decoded, whatever is set.
pub fn load(bytes: &[u8], skip_bad_rows: bool) -> Result<Manifest, RowFaults> {
    if bytes.len() > BYTES_MAX {
        let reason = format!("the file has {} bytes; allowed: at most {BYTES_MAX}", bytes.len());
        return Err(RowFaults::whole(1, reason));
    }
    let (text, encoding) = decode(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut rows = reader.records();
    let head = match rows.next() {
        Some(Ok(head)) => head,
        Some(Err(e)) => return Err(RowFaults::whole(1, e.to_string())),
        None => return Err(RowFaults::whole(1, "the file is empty".to_owned())),
    };
    let mut import = Import {
        columns: headings(&head)?,
        width: head.len(),
        forms: Forms::new(),
        items: BTreeMap::new(),
        lines: BTreeMap::new(),
        faults: RowFaults::default(),
    };
    for (n, row) in rows.enumerate() {
        if n >= ROWS_MAX {
            let reason = format!("the file has more than {ROWS_MAX} rows");
            return Err(RowFaults::whole(0, reason));
        }
        match row {
            Ok(row) => import.row(&row),
            Err(e) => return Err(RowFaults::whole(0, e.to_string())),
        }
    }
    if import.faults.rows > 0 && !skip_bad_rows {
        return Err(import.faults);
    }
    Ok(Manifest { items: import.items, encoding, skipped: import.faults })
}

/// The bytes as text: byte-order mark, else strict UTF-8, else GB18030.
fn decode(bytes: &[u8]) -> Result<(std::borrow::Cow<'_, str>, &'static str), RowFaults> {
    if let Some((encoding, skip)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(skip..).unwrap_or_default();
        return strict(encoding, rest);
    }
    strict(UTF_8, bytes)
        .or_else(|_| strict(GB18030, bytes))
        .map_err(|_| RowFaults::whole(1, "the file is neither UTF-8 nor GB18030 text".to_owned()))
}

fn strict<'a>(
    encoding: &'static Encoding,
    bytes: &'a [u8],
) -> Result<(std::borrow::Cow<'a, str>, &'static str), RowFaults> {
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(|text| (text, encoding.name()))
        .ok_or_else(|| RowFaults::whole(1, format!("the file is no {} text", encoding.name())))
}

/// Where each column stands.
fn headings(head: &csv::StringRecord) -> Result<[Option<usize>; 9], RowFaults> {
    let mut places = [None; 9];
    let mut faults = RowFaults::default();
    for (column, place) in COLUMNS.iter().zip(&mut places) {
        let found = |cell: &str| cell.eq_ignore_ascii_case(column.name) || cell == column.zh;
        let mut all = head.iter().enumerate().filter(|(_, cell)| found(cell));
        match (all.next(), all.next()) {
            (Some((n, _)), None) => *place = Some(n),
            (None, _) if column.absent.is_some() => {}
            (None, _) => {
                let reason =
                    format!("the heading is missing; allowed: {} or {}", column.name, column.zh);
                faults.enter(1, column.name, reason);
            }
            (Some(_), Some(_)) => {
                faults.enter(1, column.name, "the heading occurs twice".to_owned());
            }
        }
    }
    if faults.list.is_empty() { Ok(places) } else { Err(faults) }
}

/// An import under way.
struct Import {
    columns: [Option<usize>; 9],
    width: usize,
    forms: Forms,
    items: BTreeMap<String, Facts>,
    /// Line of every waybill seen, bad rows included.
    lines: BTreeMap<String, u64>,
    faults: RowFaults,
}

impl Import {
    fn row(&mut self, row: &csv::StringRecord) {
        let line = row.position().map_or(0, csv::Position::line);
        if row.iter().all(str::is_empty) {
            return;
        }
        let before = self.faults.list.len() + self.faults.more;
        if row.len() != self.width {
            let reason = format!("{} cells; allowed: {}, as in the heading", row.len(), self.width);
            self.faults.enter(line, "", reason);
        }
        let cell = |column: usize| {
            let found = self.columns[column].and_then(|place| row.get(place)).unwrap_or_default();
            COLUMNS[column].absent.filter(|_| found.is_empty()).unwrap_or(found)
        };
        let [waybill, carrier, route, class, weight, inspected, xray, real_name, hold] =
            [WAYBILL, CARRIER, ROUTE, CLASS, WEIGHT, INSPECTED, XRAY, REAL_NAME, HOLD].map(cell);
        self.number(line, carrier, waybill);
        self.text(line, ROUTE, route);
        self.text(line, CLASS, class);
        self.weight(line, weight);
        let inspected = self.word(line, INSPECTED, inspected, &INSPECTED_WORDS);
        let screened = self.word(line, XRAY, xray, &XRAY_WORDS);
        let real_name = self.word(line, REAL_NAME, real_name, &REAL_NAME_WORDS);
        let hold = self.word(line, HOLD, hold, &HOLD_WORDS);
        if self.faults.list.len() + self.faults.more > before {
            self.faults.rows += 1;
            return;
        }
        if let (Some(inspected), Some(screened), Some(real_name), Some(hold)) =
            (inspected, screened, real_name, hold)
        {
            let facts = Facts {
                waybill: waybill.to_owned(),
                carrier: carrier.to_owned(),
                route: route.to_owned(),
                class: class.to_owned(),
                inspected,
                screened,
                real_name,
                hold,
            };
            self.items.insert(waybill.to_owned(), facts);
        }
    }

    fn fault(&mut self, line: u64, column: usize, reason: String) {
        let name = COLUMNS.get(column).map_or("", |column| column.name);
        self.faults.enter(line, name, reason);
    }

    fn number(&mut self, line: u64, carrier: &str, waybill: &str) {
        match self.forms.check(carrier, waybill) {
            Ok(()) => {}
            Err(Refused::UnknownCarrier) => {
                let codes: Vec<&str> =
                    super::waybill::CARRIERS.iter().map(|known| known.code).collect();
                let reason =
                    format!("no carrier {}; allowed: {}", shown(carrier), codes.join(", "));
                self.fault(line, CARRIER, reason);
            }
            Err(Refused::Form(known)) => {
                let reason = format!(
                    "{} is no waybill of {}; allowed: {}",
                    shown(waybill),
                    known.code,
                    known.forms.join(" or ")
                );
                self.fault(line, WAYBILL, reason);
            }
            Err(Refused::CheckDigit { right }) => {
                let reason = format!("{} has a wrong check digit; right: {right}", shown(waybill));
                self.fault(line, WAYBILL, reason);
            }
            Err(Refused::Scientific) => {
                let reason = format!(
                    "{} was rounded by a spreadsheet and its digits are lost; export the column as text",
                    shown(waybill)
                );
                self.fault(line, WAYBILL, reason);
            }
        }
        if waybill.is_empty() {
            return;
        }
        if let Some(first) = self.lines.get(waybill) {
            let reason = format!("{} stands in line {first} already", shown(waybill));
            self.fault(line, WAYBILL, reason);
        } else {
            self.lines.insert(waybill.to_owned(), line);
        }
    }

    fn text(&mut self, line: u64, column: usize, text: &str) {
        let length = text.chars().count();
        if length == 0 || length > TEXT_MAX || text.chars().any(char::is_control) {
            let reason = format!("{}; allowed: 1 to {TEXT_MAX} printable characters", shown(text));
            self.fault(line, column, reason);
        }
    }

    fn weight(&mut self, line: u64, text: &str) {
        let weight = text.parse::<u32>().ok().filter(|grams| (1..=WEIGHT_MAX_G).contains(grams));
        if weight.is_none() {
            let reason = format!("{}; allowed: 1 to {WEIGHT_MAX_G}, whole grams", shown(text));
            self.fault(line, WEIGHT, reason);
        }
    }

    fn word<T: Copy>(
        &mut self,
        line: u64,
        column: usize,
        text: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let reason = format!("{}; allowed: {}", shown(text), all.join(", "));
            self.fault(line, column, reason);
        }
        found.map(|(_, value)| *value)
    }
}

/// A cell for a message: short, quoted, without control characters.
fn shown(cell: &str) -> String {
    let mut text: String = cell.chars().take(40).collect();
    if text.len() < cell.len() {
        text.push('…');
    }
    format!("{text:?}")
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
