//! One parcel's story in words: its steps in order, and one sentence on why it went there.

use super::i18n::{Lang, Msg};
use super::mask;
use super::words::{self, Tone};
use line_model::chute::Bar;
use line_model::decision::{ParcelEvent, Rescan};
use line_model::ids::{ChuteNo, ParcelId};
use line_model::layout::{Layout, LineEnd};
use line_model::parcel::Confidence;
use line_model::reason::Reason;
use units::Micros;

/// Where a parcel ended, or that it has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Landed in the chute first decided.
    Planned(ChuteNo),
    /// Landed in a chute decided later.
    Alternate(ChuteNo),
    /// Off the end of the line.
    End(Reason),
    /// Off its end onto the return.
    Round(Reason),
    /// Taken off or resolved by a person.
    Removed(String),
    /// Lost by tracking.
    Lost,
    /// Fired towards the chute, nothing proves the landing.
    Unconfirmed(ChuteNo),
    /// Still on the line.
    OnLine,
}

/// The classes of outcome, as filters and in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// See [`Outcome::Planned`].
    Planned,
    /// See [`Outcome::Alternate`].
    Alternate,
    /// See [`Outcome::End`].
    End,
    /// See [`Outcome::Round`].
    Round,
    /// See [`Outcome::Removed`].
    Removed,
    /// See [`Outcome::Lost`].
    Lost,
    /// See [`Outcome::Unconfirmed`].
    Unconfirmed,
    /// See [`Outcome::OnLine`].
    OnLine,
}

impl Class {
    /// Every class, in the order of the tie-out.
    pub(super) const ALL: [Self; 8] = [
        Self::Planned,
        Self::Alternate,
        Self::End,
        Self::Round,
        Self::Removed,
        Self::Unconfirmed,
        Self::Lost,
        Self::OnLine,
    ];

    /// Name in queries and JSON.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Alternate => "alternate",
            Self::End => "end",
            Self::Round => "round",
            Self::Removed => "removed",
            Self::Lost => "lost",
            Self::Unconfirmed => "unconfirmed",
            Self::OnLine => "on_line",
        }
    }

    /// The class with this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Its words.
    pub(super) const fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Planned => Msg::OutcomePlanned,
            Self::Alternate => Msg::OutcomeAlternate,
            Self::End => Msg::OutcomeEnd,
            Self::Round => Msg::OutcomeRound,
            Self::Removed => Msg::OutcomeRemoved,
            Self::Lost => Msg::OutcomeLost,
            Self::Unconfirmed => Msg::OutcomeUnconfirmed,
            Self::OnLine => Msg::OutcomeOnLine,
        }
        .text(lang)
    }

    /// How much it asks for attention.
    pub(super) const fn tone(self) -> Tone {
        match self {
            Self::Planned | Self::Alternate | Self::OnLine => Tone::Normal,
            Self::End | Self::Round | Self::Removed => Tone::Attention,
            Self::Lost | Self::Unconfirmed => Tone::Alarm,
        }
    }
}

impl Outcome {
    /// Its class.
    pub(super) const fn class(&self) -> Class {
        match self {
            Self::Planned(_) => Class::Planned,
            Self::Alternate(_) => Class::Alternate,
            Self::End(_) => Class::End,
            Self::Round(_) => Class::Round,
            Self::Removed(_) => Class::Removed,
            Self::Lost => Class::Lost,
            Self::Unconfirmed(_) => Class::Unconfirmed,
            Self::OnLine => Class::OnLine,
        }
    }

    /// Where it went, in words.
    pub(super) fn place(&self, lang: Lang) -> String {
        match self {
            Self::Planned(chute) | Self::Alternate(chute) | Self::Unconfirmed(chute) => {
                lang.fill(Msg::ChuteName, &[&chute.0.to_string()])
            }
            Self::End(reason) | Self::Round(reason) => words::reason(lang, *reason).to_owned(),
            Self::Removed(by) => by.clone(),
            Self::Lost | Self::OnLine => String::new(),
        }
    }
}

/// One step with its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Number of the journal record.
    pub(super) record: u64,
    /// When, on the engine's clock.
    pub(super) at: Micros,
    /// When, on the wall clock; `None` when the journal has no wall-clock record before it.
    pub(super) utc_us: Option<u64>,
    /// What.
    pub(super) event: ParcelEvent,
}

/// One parcel's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Story {
    /// Which parcel.
    pub(super) parcel: ParcelId,
    /// Its steps, oldest first.
    pub(super) steps: Vec<Step>,
}

impl Story {
    /// The code that was read, when exactly one was.
    pub(super) fn code(&self) -> Option<&str> {
        self.steps.iter().rev().find_map(|step| match &step.event {
            ParcelEvent::Identified { code } => Some(code.as_str()),
            _ => None,
        })
    }

    /// Its outcome by the last step that decides one.
    pub(super) fn outcome(&self) -> Outcome {
        let ends = self.steps.iter().rev().find_map(|step| match &step.event {
            ParcelEvent::Landed { chute, alternate: true } => Some(Outcome::Alternate(*chute)),
            ParcelEvent::Landed { chute, alternate: false } => Some(Outcome::Planned(*chute)),
            ParcelEvent::EndLanded { reason } => Some(Outcome::End(*reason)),
            ParcelEvent::Recirculated { reason } => Some(Outcome::Round(*reason)),
            ParcelEvent::Unconfirmed { chute } => Some(Outcome::Unconfirmed(*chute)),
            ParcelEvent::Lost { .. } => Some(Outcome::Lost),
            ParcelEvent::Removed { by } => Some(Outcome::Removed(by.clone())),
            // What was lost and is seen again is on the line again.
            ParcelEvent::Seen { .. } => Some(Outcome::OnLine),
            _ => None,
        });
        ends.unwrap_or(Outcome::OnLine)
    }

    /// Why it went there, in one sentence.
    pub(super) fn why(&self, lang: Lang, layout: &Layout) -> String {
        let subject = self.subject(lang);
        match self.outcome() {
            Outcome::Planned(chute) => self.why_planned(lang, &subject, chute),
            Outcome::Alternate(chute) => {
                lang.fill(Msg::WhyAlternate, &[&subject, &chute.0.to_string()])
            }
            Outcome::End(reason) => {
                lang.fill(Msg::WhyEnd, &[&subject, words::reason(lang, reason)])
            }
            Outcome::Round(reason) => {
                lang.fill(Msg::WhyRound, &[&subject, words::reason(lang, reason)])
            }
            Outcome::Unconfirmed(chute) => {
                lang.fill(Msg::WhyUnconfirmed, &[&subject, &chute.0.to_string()])
            }
            Outcome::Lost => self.why_lost(lang, layout, &subject),
            Outcome::Removed(by) => lang.fill(Msg::WhyRemoved, &[&subject, &by]),
            Outcome::OnLine => self.why_on_line(lang, layout, &subject),
        }
    }

    fn subject(&self, lang: Lang) -> String {
        match self.code() {
            Some(code) => lang.fill(Msg::Subject, &[&mask::waybill(code)]),
            None => lang.fill(Msg::SubjectNone, &[&self.parcel.0.to_string()]),
        }
    }

    fn why_planned(&self, lang: Lang, subject: &str, chute: ChuteNo) -> String {
        let number = chute.0.to_string();
        match self.assigned() {
            Some((_, Some(reason))) => {
                lang.fill(Msg::WhyException, &[subject, &number, words::reason(lang, reason)])
            }
            Some((_, None)) | None => {
                let (carrier, route) = self.route().unwrap_or_default();
                lang.fill(Msg::WhyPlanned, &[subject, carrier, route, &number])
            }
        }
    }

    fn why_lost(&self, lang: Lang, layout: &Layout, subject: &str) -> String {
        let eye = self.steps.iter().rev().find_map(|step| match &step.event {
            ParcelEvent::Lost { eye } => Some(words::eye(lang, layout, *eye)),
            _ => None,
        });
        lang.fill(Msg::WhyLost, &[subject, &eye.unwrap_or_default()])
    }

    fn why_on_line(&self, lang: Lang, layout: &Layout, subject: &str) -> String {
        let bound = self.steps.iter().rev().find_map(|step| match &step.event {
            ParcelEvent::SentToEnd { reason } => {
                let why = match layout.end {
                    LineEnd::Chute => Msg::WhyOnLineEnd,
                    LineEnd::Return { .. } => Msg::WhyOnLineRound,
                };
                Some(lang.fill(why, &[subject, words::reason(lang, *reason)]))
            }
            ParcelEvent::Assigned { chute, .. } => {
                Some(lang.fill(Msg::WhyOnLineChute, &[subject, &chute.0.to_string()]))
            }
            _ => None,
        });
        bound.unwrap_or_else(|| lang.fill(Msg::WhyOnLine, &[subject]))
    }

    fn assigned(&self) -> Option<(ChuteNo, Option<Reason>)> {
        self.steps.iter().rev().find_map(|step| match &step.event {
            ParcelEvent::Assigned { chute, reason, .. } => Some((*chute, *reason)),
            _ => None,
        })
    }

    fn route(&self) -> Option<(&str, &str)> {
        self.steps.iter().rev().find_map(|step| match &step.event {
            ParcelEvent::Routed { carrier, route } => Some((carrier.as_str(), route.as_str())),
            _ => None,
        })
    }
}

/// What a re-scan said, in words.
fn rescanned(lang: Lang, code: &str, result: Rescan) -> (String, Tone) {
    let (message, tone) = match result {
        Rescan::Confirmed => (Msg::StepRescanConfirmed, Tone::Normal),
        Rescan::Found => (Msg::StepRescanFound, Tone::Normal),
        Rescan::Named => (Msg::StepRescanNamed, Tone::Normal),
        Rescan::Unproven => (Msg::StepRescanUnproven, Tone::Attention),
        Rescan::Differs => (Msg::StepRescanDiffers, Tone::Alarm),
        Rescan::Elsewhere => (Msg::StepRescanElsewhere, Tone::Alarm),
    };
    (lang.fill(message, &[&mask::waybill(code)]), tone)
}

/// Why a chute could not be had.
const fn barred(bar: Bar) -> Msg {
    match bar {
        Bar::Full => Msg::StepBarFull,
        Bar::Locked => Msg::StepBarLocked,
        Bar::Rate => Msg::StepBarRate,
        Bar::Late => Msg::StepBarLate,
        Bar::Off => Msg::StepBarOff,
    }
}

/// One step in words and how much it asks for attention.
pub(super) fn step(lang: Lang, layout: &Layout, event: &ParcelEvent) -> (String, Tone) {
    let plain = |message: Msg| message.text(lang).to_owned();
    let of_chute = |message: Msg, chute: &ChuteNo| lang.fill(message, &[&chute.0.to_string()]);
    let of_reason =
        |message: Msg, reason: &Reason| lang.fill(message, &[words::reason(lang, *reason)]);
    let of_eye = |message: Msg, eye| lang.fill(message, &[&words::eye(lang, layout, eye)]);
    let (text, tone) = match event {
        ParcelEvent::Inducted { .. } => (plain(Msg::StepInducted), Tone::Normal),
        ParcelEvent::Measured { length } => {
            let mm = super::dto::millimetres(layout, *length);
            (lang.fill(Msg::StepMeasured, &[&mm.to_string()]), Tone::Normal)
        }
        ParcelEvent::Weighed { weight: Some(weight) } => {
            (lang.fill(Msg::StepWeighed, &[&weight.0.to_string()]), Tone::Normal)
        }
        ParcelEvent::Weighed { weight: None } => (plain(Msg::StepNotWeighed), Tone::Normal),
        ParcelEvent::Identified { code } => {
            (lang.fill(Msg::StepIdentified, &[&mask::waybill(code)]), Tone::Normal)
        }
        ParcelEvent::Rescanned { code, result, .. } => rescanned(lang, code, *result),
        ParcelEvent::Seen { eye, .. } => (of_eye(Msg::StepSeen, *eye), Tone::Normal),
        ParcelEvent::Routed { carrier, .. } if carrier.is_empty() => {
            (plain(Msg::StepNoManifest), Tone::Attention)
        }
        ParcelEvent::Routed { carrier, route } => {
            (lang.fill(Msg::StepRouted, &[carrier, route]), Tone::Normal)
        }
        ParcelEvent::Assigned { chute, alternate, reason: Some(reason) } => {
            let message =
                if *alternate { Msg::StepAlternateReason } else { Msg::StepAssignedReason };
            let arguments = [&*chute.0.to_string(), words::reason(lang, *reason)];
            (lang.fill(message, &arguments), Tone::Attention)
        }
        ParcelEvent::Assigned { chute, alternate: true, .. } => {
            (of_chute(Msg::StepAlternate, chute), Tone::Attention)
        }
        ParcelEvent::Assigned { chute, .. } => (of_chute(Msg::StepAssigned, chute), Tone::Normal),
        ParcelEvent::PassedOver { chute, bar } => (of_chute(barred(*bar), chute), Tone::Attention),
        ParcelEvent::Believed { now } => match now {
            Confidence::Certain => (plain(Msg::StepCertain), Tone::Normal),
            Confidence::Open { eye } => (of_eye(Msg::StepOpen, *eye), Tone::Attention),
            Confidence::Uncertain => (plain(Msg::StepUncertain), Tone::Attention),
        },
        ParcelEvent::SentToEnd { reason } if layout.end.returns() => {
            (of_reason(Msg::StepToRound, reason), Tone::Attention)
        }
        ParcelEvent::SentToEnd { reason } => (of_reason(Msg::StepToEnd, reason), Tone::Attention),
        ParcelEvent::Armed { diverter, .. } => {
            let place = layout.diverters.get(usize::from(diverter.0));
            let name = place.map_or("", |place| place.name.as_str());
            (lang.fill(Msg::StepArmed, &[name]), Tone::Normal)
        }
        ParcelEvent::Fired { chute, .. } => (of_chute(Msg::StepFired, chute), Tone::Normal),
        ParcelEvent::LandedProvisional { chute } => {
            (of_chute(Msg::StepProvisional, chute), Tone::Normal)
        }
        ParcelEvent::Landed { chute, .. } => (of_chute(Msg::StepLanded, chute), Tone::Normal),
        ParcelEvent::EndLanded { reason } => {
            (of_reason(Msg::StepEndLanded, reason), Tone::Attention)
        }
        ParcelEvent::Recirculated { reason } => {
            (of_reason(Msg::StepRound, reason), Tone::Attention)
        }
        ParcelEvent::Unconfirmed { chute } => (of_chute(Msg::StepUnconfirmed, chute), Tone::Alarm),
        ParcelEvent::Lost { eye } => (of_eye(Msg::StepLost, *eye), Tone::Alarm),
        ParcelEvent::Removed { by } => (lang.fill(Msg::StepRemoved, &[by]), Tone::Attention),
    };
    (text, tone)
}
