//! The manifest in memory answers questions by the code read.

use std::collections::BTreeMap;

use line_engine::Question;
use line_model::ids::ParcelId;
use line_model::plan::Facts;
use tokio::sync::mpsc;

/// Questions and answers that may wait; more than parcels on any belt. A question that finds the
/// queue full is dropped: its parcel goes to the end because its route came too late.
pub const WAITING_MAX: usize = 256;

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whose question.
    pub parcel: ParcelId,
    /// What is known; `None` = not in the manifest.
    pub facts: Option<Facts>,
}

/// Answers until nobody asks or listens any more.
pub async fn serve(
    items: BTreeMap<String, Facts>,
    mut questions: mpsc::Receiver<Question>,
    answers: mpsc::Sender<Answer>,
) {
    while let Some(Question { parcel, code }) = questions.recv().await {
        let facts = items.get(&code).cloned();
        if answers.send(Answer { parcel, facts }).await.is_err() {
            return;
        }
    }
}
