//! What is wrong in a file and how it is shown: rustc-style for people, a list for programs.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use core::ops::Range;
use line_file::{Document, Place, pattern};
use std::collections::BTreeSet;
use std::fmt;

/// Faults shown at most; a file with more is not read any further by a person either.
const SHOWN_MAX: usize = 200;

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Full path of the key, such as `diverter[2].switch_ms`; empty when the whole file is meant.
    pub key: String,
    /// What was found and why that is wrong.
    pub message: String,
    /// What would be right; empty when the message says it.
    pub allowed: String,
    /// Where.
    pub place: Place,
    /// Bytes of the text.
    pub span: Range<usize>,
    /// Another place that the fault is about, with its label.
    pub related: Option<(Range<usize>, String)>,
}

/// Everything that is wrong in one file, in order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The file's name as the person gave it.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The faults, at least one.
    pub list: Vec<Fault>,
}

impl Faults {
    /// The faults as text for a terminal, each with the lines that it is about.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for fault in self.list.iter().take(SHOWN_MAX) {
            let mut snippet = Snippet::source(self.text.as_str())
                .path(self.file.as_str())
                .annotation(AnnotationKind::Primary.span(fault.span.clone()).label(label(fault)));
            if let Some((span, label)) = &fault.related {
                let context = AnnotationKind::Context.span(span.clone()).label(label.as_str());
                snippet = snippet.annotation(context);
            }
            let title = Level::ERROR.primary_title(fault.message.as_str());
            let mut group = title.element(snippet);
            if !fault.allowed.is_empty() {
                group = group.element(Level::HELP.message(format!("allowed: {}", fault.allowed)));
            }
            out.push_str(&renderer.render(&[group]));
            out.push_str("\n\n");
        }
        let more = self.list.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            out.push_str(&format!("... and {more} more\n"));
        }
        let count = self.list.len();
        let noun = if count == 1 { "fault" } else { "faults" };
        out.push_str(&format!("{}: {count} {noun}; nothing was taken from it\n", self.file));
        out
    }

    /// The faults as a JSON list of `{file, line, column, key, message, allowed}`.
    pub fn to_json(&self) -> serde_json::Value {
        let list = self.list.iter().map(|fault| {
            serde_json::json!({
                "file": self.file,
                "line": fault.place.line,
                "column": fault.place.column,
                "key": fault.key,
                "message": fault.message,
                "allowed": fault.allowed,
            })
        });
        serde_json::Value::Array(list.collect())
    }

    /// One fault about the whole file, where there is no text to point at.
    pub(crate) fn whole(file: &str, message: String, allowed: &str) -> Self {
        let fault = Fault {
            key: String::new(),
            message,
            allowed: allowed.to_owned(),
            place: Place { line: 1, column: 1 },
            span: 0..0,
            related: None,
        };
        Self { file: file.to_owned(), text: String::new(), list: vec![fault] }
    }

    /// A text that is not TOML.
    pub(crate) fn syntax(file: &str, text: &str, error: &line_file::ParseError) -> Self {
        let span = within(text, error.span.clone().unwrap_or(0..0));
        let fault = Fault {
            key: String::new(),
            message: error.message.lines().collect::<Vec<_>>().join(", "),
            allowed: String::new(),
            place: Place::of(text, span.start),
            span,
            related: None,
        };
        Self { file: file.to_owned(), text: text.to_owned(), list: vec![fault] }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Faults {}

fn label(fault: &Fault) -> String {
    if fault.key.is_empty() { "here".to_owned() } else { format!("`{}`", fault.key) }
}

/// The span moved inside the text and onto character boundaries.
fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// Collects the faults of one file.
///
/// A key that is already known to be wrong is poisoned: what follows from its value is not reported
/// again as another fault.
pub(crate) struct Sink<'a> {
    file: &'a str,
    document: &'a Document,
    faults: Vec<Fault>,
    poisoned: BTreeSet<String>,
}

/// One fault under way.
pub(crate) struct Draft {
    key: String,
    message: String,
    allowed: String,
    related: Option<(String, String)>,
}

/// Begins a fault at a key.
pub(crate) fn draft(key: impl Into<String>, message: impl Into<String>) -> Draft {
    Draft { key: key.into(), message: message.into(), allowed: String::new(), related: None }
}

impl Draft {
    /// Says what would be right.
    pub(crate) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = allowed.into();
        self
    }

    /// Names another key that the fault is about.
    pub(crate) fn related(mut self, key: impl Into<String>, label: impl Into<String>) -> Self {
        self.related = Some((key.into(), label.into()));
        self
    }
}

impl<'a> Sink<'a> {
    /// No faults yet.
    pub(crate) const fn new(file: &'a str, document: &'a Document) -> Self {
        Self { file, document, faults: Vec::new(), poisoned: BTreeSet::new() }
    }

    /// Enters a fault, unless its key or a related one is poisoned.
    pub(crate) fn enter(&mut self, draft: Draft) {
        self.enter_from(draft, &[]);
    }

    /// Enters a fault that follows from the values of these keys, unless one of them is poisoned.
    pub(crate) fn enter_from(&mut self, draft: Draft, inputs: &[&str]) {
        let related = draft.related.as_ref().map(|(key, _)| key.as_str());
        let follows = related.is_some_and(|key| self.is_poisoned(key))
            || self.is_poisoned(&draft.key)
            || inputs.iter().any(|key| self.is_poisoned(key));
        if follows {
            return;
        }
        let span = within(self.document.text(), self.document.span(&draft.key));
        let related = draft
            .related
            .map(|(key, label)| (within(self.document.text(), self.document.span(&key)), label));
        self.faults.push(Fault {
            place: Place::of(self.document.text(), span.start),
            key: draft.key,
            message: draft.message,
            allowed: draft.allowed,
            span,
            related,
        });
    }

    /// Enters a fault that points at the key itself instead of its value.
    pub(crate) fn enter_at_key(&mut self, draft: Draft) {
        let key = draft.key.clone();
        let before = self.faults.len();
        self.enter(draft);
        let entry = self.document.entry(&key);
        if let (Some(fault), Some(entry)) = (self.faults.get_mut(before), entry) {
            fault.span = within(self.document.text(), entry.key.clone());
            fault.place = Place::of(self.document.text(), fault.span.start);
        }
    }

    /// From now on nothing that follows from this key is reported.
    pub(crate) fn poison(&mut self, key: &str) {
        self.poisoned.insert(key.to_owned());
    }

    /// Whether the key or a table around it is poisoned; a key with `[]` means any element.
    fn is_poisoned(&self, key: &str) -> bool {
        if key.contains("[]") {
            return self.poisoned.iter().any(|bad| {
                let bad = pattern(bad);
                key.strip_prefix(&bad)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            });
        }
        let mut at = key;
        loop {
            if self.poisoned.contains(at) {
                return true;
            }
            match at.rfind(['.', '[']) {
                Some(cut) => at = at.get(..cut).unwrap_or_default(),
                None => return false,
            }
        }
    }

    /// Nothing, or all faults in order of the text.
    pub(crate) fn finish(mut self) -> Result<(), Faults> {
        if self.faults.is_empty() {
            return Ok(());
        }
        self.faults.sort_by(|a, b| (a.place, &a.key).cmp(&(b.place, &b.key)));
        Err(Faults {
            file: self.file.to_owned(),
            text: self.document.text().to_owned(),
            list: self.faults,
        })
    }
}
