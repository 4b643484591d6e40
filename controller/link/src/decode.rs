//! Ring events to inputs of the line, by the roles of the node's inputs.

use crate::map::{CountMap, Frame};
use crate::setup::{InputRole, StationSetup};
use alloc::string::String;
use alloc::vec::Vec;
use line_model::ids::{NodeId, Tag};
use line_model::signal::{ArmEnd, ChuteContact, Contact, Input, Read};
use registers::event::{ArmOutcome, At, CODES_MAX, Code, Event};
use units::{Counts, Distance, Grams, Position};

/// Codes of one trigger, until all of them are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    trigger: u16,
    of: u8,
    codes: Vec<String>,
    /// An entry of this trigger is missing: its codes are not to be trusted.
    broken: bool,
    at: At,
}

/// Turns the events of one node into inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoder {
    group: Option<Group>,
}

/// What decoding needs to know of the node.
pub(crate) struct Place<'a> {
    pub(crate) setup: &'a StationSetup,
    pub(crate) frame: &'a Frame,
    pub(crate) map: Option<&'a CountMap>,
    /// Events that had waited on the node before the host came are behind us.
    pub(crate) caught_up: bool,
}

impl Place<'_> {
    fn position(&self, count: Counts) -> Option<Position> {
        self.map.map(|map| self.frame.position(map, count))
    }

    fn spread(&self) -> Distance {
        self.map.map_or(Distance(0), CountMap::spread)
    }
}

impl Decoder {
    /// Decodes one event; appends at most two inputs, in order.
    ///
    /// Codes are kept until their trigger is complete. A trigger whose codes do not arrive whole
    /// becomes [`Read::TooLong`]: with a code missing, the others might route a parcel wrongly.
    pub(crate) fn decode(&mut self, event: &Event<'_>, place: &Place<'_>, out: &mut Vec<Input>) {
        if let Event::Code { trigger, index, of, code, at } = *event {
            self.code(trigger, (index, of), code, at, place, out);
            return;
        }
        self.give_up(place, out);
        out.extend(plain(event, place));
    }

    /// Ends a trigger whose codes are not complete.
    pub(crate) fn give_up(&mut self, place: &Place<'_>, out: &mut Vec<Input>) {
        if let Some(group) = self.group.take() {
            out.extend(read(place, group.at, Read::TooLong));
        }
    }

    fn code(
        &mut self,
        trigger: u16,
        (index, of): (u8, u8),
        code: Code<'_>,
        at: At,
        place: &Place<'_>,
        out: &mut Vec<Input>,
    ) {
        if self.group.as_ref().is_some_and(|group| group.trigger != trigger || index == 0) {
            self.give_up(place, out);
        }
        let group = self.group.get_or_insert_with(|| Group {
            trigger,
            of,
            codes: Vec::new(),
            broken: index != 0,
            at,
        });
        let bytes: Vec<u8> = code.bytes().collect();
        group.broken |= usize::from(index) != group.codes.len() || of != group.of;
        if group.codes.len() < usize::from(CODES_MAX) {
            // One character for each byte: text or not, the engine's door must see what was read.
            group.codes.push(bytes.into_iter().map(char::from).collect());
        }
        if index + 1 < of {
            return;
        }
        if let Some(group) = self.group.take() {
            let codes = if group.broken { Read::TooLong } else { Read::Codes(group.codes) };
            out.extend(read(place, group.at, codes));
        }
    }
}

fn read(place: &Place<'_>, at: At, read: Read) -> Option<Input> {
    let (scanner, at) = (place.setup.scanner, place.position(at.count)?);
    Some(Input::Read { scanner, at, spread: place.spread(), read })
}

/// An event that is one input, or none: positions need a map, and roles may be "ignored".
fn plain(event: &Event<'_>, place: &Place<'_>) -> Option<Input> {
    let node = place.setup.node;
    match *event {
        Event::Edge { input, active, at } => edge(input, active, at, place),
        Event::ArmEnded { tag, outcome, edge, length: _, at } => Some(Input::ArmEnded {
            tag: Tag(tag),
            end: end(outcome, place.position(edge)?),
            at: place.position(at.count)?,
            ms: at.ms,
        }),
        Event::Code { .. } => None,
        Event::NoRead { trigger: _, at } => read(place, at, Read::NoRead),
        Event::TooLong { trigger: _, at } => read(place, at, Read::TooLong),
        Event::Unassigned { trigger, at } => Some(Input::Unassigned {
            scanner: place.setup.scanner,
            at: place.position(at.count)?,
            trigger: Some(trigger).filter(|number| *number != 0),
        }),
        Event::Measured { trigger: _, weight_g, size_mm, at } => Some(Input::Measured {
            at: place.position(at.count)?,
            spread: place.spread(),
            weight: weight_g.map(Grams),
            size_mm,
        }),
        Event::Lost { entries } => Some(Input::EventsLost { node, entries }),
        Event::LeaseExpired { .. } => Some(Input::LeaseExpired { node }),
    }
}

fn edge(input: u8, active: bool, at: At, place: &Place<'_>) -> Option<Input> {
    match role(place.setup, input) {
        InputRole::Ignored => None,
        InputRole::Eye(eye) => {
            Some(Input::Edge { eye, active, at: place.position(at.count)?, spread: place.spread() })
        }
        InputRole::Landing(chute) => {
            Some(Input::Landing { chute, active, at: place.position(at.count)?, ms: at.ms })
        }
        InputRole::Chute(chute, contact) => {
            // A press while nobody listened would lock a chute much later.
            let stale = active && !place.caught_up && contact == ChuteContact::Button;
            (!stale).then_some(Input::Chute { chute, contact, active })
        }
        // Its own belt is another one: what counts is that somebody waits there.
        InputRole::ZoneExit(zone) => Some(Input::ZoneExit { zone, active }),
        InputRole::Contact(contact) => {
            let stale = active && !place.caught_up && starts(contact);
            (!stale).then_some(Input::Contact { contact, active })
        }
    }
}

/// A button that was pressed while nobody listened must not start anything later.
const fn starts(contact: Contact) -> bool {
    match contact {
        Contact::Start | Contact::Reset => true,
        Contact::Estop(_) | Contact::Stop | Contact::EndFull => false,
    }
}

const fn end(outcome: ArmOutcome, edge: Position) -> ArmEnd {
    match outcome {
        ArmOutcome::Fired => ArmEnd::Fired { edge },
        ArmOutcome::Expired => ArmEnd::Expired,
        ArmOutcome::Ambiguous => ArmEnd::Ambiguous,
        ArmOutcome::RefusedLocked => ArmEnd::Locked,
        ArmOutcome::RefusedShort => ArmEnd::Short,
        ArmOutcome::RefusedBusy => ArmEnd::Busy,
        ArmOutcome::Cancelled => ArmEnd::Cancelled,
        ArmOutcome::LeaseExpired => ArmEnd::LeaseExpired,
    }
}

fn role(setup: &StationSetup, input: u8) -> InputRole {
    setup.inputs.get(usize::from(input)).copied().unwrap_or(InputRole::Ignored)
}

/// The contacts of panel and chutes that keep their level, as a status block shows them.
///
/// Told at every connect, so that a restarted host knows of a tripped contact or a full chute; push
/// buttons are not: only a press is one.
pub(crate) fn contacts(setup: &StationSetup, inputs: u16) -> Vec<Input> {
    let is_active = |id| inputs.checked_shr(id).is_some_and(|bits| bits & 1 == 1);
    let level = |(id, role): (u32, &InputRole)| match role {
        InputRole::Contact(contact @ (Contact::Estop(_) | Contact::EndFull)) => {
            Some(Input::Contact { contact: *contact, active: is_active(id) })
        }
        InputRole::Chute(chute, contact @ (ChuteContact::Full | ChuteContact::Lock)) => {
            Some(Input::Chute { chute: *chute, contact: *contact, active: is_active(id) })
        }
        InputRole::Contact(Contact::Start | Contact::Stop | Contact::Reset)
        | InputRole::Chute(_, ChuteContact::Button)
        | InputRole::Ignored
        | InputRole::ZoneExit(_)
        | InputRole::Eye(_)
        | InputRole::Landing(_) => None,
    };
    (0u32..).zip(&setup.inputs).filter_map(level).collect()
}

/// Event numbers that a gap stands for, as the input that names it.
pub(crate) const fn lost(node: NodeId, entries: u16) -> Input {
    Input::EventsLost { node, entries }
}
