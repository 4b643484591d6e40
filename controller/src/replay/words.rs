//! A record in words, with the names of the line file.

use line_model::chute::{ChuteEvent, ChuteState, Lamp};
use line_model::decision::{ArmPlan, Decision, ParcelEvent};
use line_model::ids::{ChuteNo, DiverterId, EyeId, NodeId, ScannerId, Tag, ZoneId};
use line_model::layout::Layout;
use line_model::packml::StateReason;
use line_model::parcel::Confidence;
use line_model::plan::Facts;
use line_model::signal::{
    ArmEnd, ChuteContact, Command, Contact, Deed, DownReason, File, Input, Read,
};
use line_model::view::Unmet;

/// What happened.
pub fn input(layout: &Layout, input: &Input) -> String {
    let n = |id: &NodeId| node(layout, *id);
    match input {
        Input::Edge { eye: id, active, at, spread } => {
            let edge = if *active { "head" } else { "tail" };
            format!("{edge} at {}, belt {} ± {}", eye(layout, *id), at.at, spread.0)
        }
        Input::Landing { chute, active, at, ms: _ } => {
            let edge = if *active { "begins" } else { "ends" };
            format!("landing pulse of chute {} {edge}, belt {}", chute.0, at.at)
        }
        Input::Heard { node, at } => format!("{} was heard up to belt {}", n(node), at.at),
        Input::Read { scanner, at, spread, read } => {
            let (by, read) = (reader(layout, *scanner), codes(read));
            format!("read {by} of the trigger at belt {} ± {}: {read}", at.at, spread.0)
        }
        Input::Unassigned { scanner, at, trigger } => {
            format!("{} {}, belt {}", unasked(*trigger), reader(layout, *scanner), at.at)
        }
        Input::Measured { at, spread: _, weight, size_mm: [l, w, h] } => {
            let grams = weight.map_or_else(|| "no weight".to_owned(), |w| format!("{} g", w.0));
            format!("scale at belt {}: {grams}, {l} × {w} × {h} mm", at.at)
        }
        Input::ArmAnswered { tag, taken } => {
            format!("arm {} was {}", tag.0, if *taken { "taken" } else { "refused" })
        }
        Input::ArmEnded { tag, end, at, ms: _ } => {
            format!("arm {} ended: {}, belt {}", tag.0, arm_end(*end), at.at)
        }
        Input::Contact { contact, active } => contact_words(*contact, *active),
        Input::Chute { chute, contact, active } => chute_contact(*chute, *contact, *active),
        Input::NodeUp { node, restarted: true } => format!("{} is up after a restart", n(node)),
        Input::NodeUp { node, restarted: false } => format!("{} is up", n(node)),
        Input::NodeDown { node, why } => format!("{} is down: {}", n(node), down(*why)),
        Input::EventsLost { node, entries } => format!("{} lost {entries} events", n(node)),
        Input::LeaseExpired { node } => format!("the lease of {} expired", n(node)),
        Input::MapSpread { node, spread } => {
            format!("counts of {} are known to ± {}", n(node), spread.0)
        }
        Input::EncoderDrift { node, by } => {
            format!("the encoder of {} has drifted by {}; it is mapped anew", n(node), by.0)
        }
        Input::Adopted { node, tags } => {
            format!("{} still holds the arms [{}]", n(node), list(tags))
        }
        Input::Route { parcel, facts } => format!("parcel {}: {}", parcel.0, known(facts.as_ref())),
        Input::Command { command: asked, by, reason } => {
            format!("{by} commands {}{}", command(*asked), because(reason))
        }
        Input::Deed { deed: done, by, reason } => {
            format!("{by}: {}{}", deed(done), because(reason))
        }
        Input::PlanSelected { plan } => {
            format!("plan {:?} version {} selected", plan.name, plan.version)
        }
        Input::Withheld { tag } => format!("arm {} was not sent in time", tag.0),
        Input::CommitsStalled => "the journal does not keep up".to_owned(),
        Input::CommitsResumed => "the journal keeps up again".to_owned(),
        Input::Resumed { gap } => format!("back after {} ms", gap.millis()),
        Input::Quarantined => "an input was set aside".to_owned(),
        Input::ZoneExit { zone: id, active } => {
            let edge = if *active { "came to" } else { "left" };
            format!("a parcel {edge} the exit of {}", zone(layout, *id))
        }
        Input::WallClock { utc_us } => format!("wall clock {}", super::time::utc(*utc_us)),
        Input::WallClockStepped { utc_us, by_us } => jumped(*utc_us, *by_us),
        Input::FileTaken { file, name, hash, by, reason: _ } => {
            format!("{by} gave the {} {name}, {}", file_name(*file), short(hash))
        }
        Input::Timer => "a deadline".to_owned(),
    }
}

fn list(tags: &[Tag]) -> String {
    let tags: Vec<String> = tags.iter().map(|tag| tag.0.to_string()).collect();
    tags.join(", ")
}

fn unasked(trigger: Option<u16>) -> String {
    trigger.map_or_else(
        || "read without a trigger".to_owned(),
        |trigger| format!("late read of trigger {trigger}"),
    )
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

fn known(facts: Option<&Facts>) -> String {
    let Some(facts) = facts else { return "not in the manifest".to_owned() };
    format!(
        "the manifest has {} of {}, route {:?}, inspected {}, screened {:?}",
        facts.waybill, facts.carrier, facts.route, facts.inspected, facts.screened
    )
}

fn jumped(utc_us: u64, by_us: i64) -> String {
    let way = if by_us < 0 { "back" } else { "ahead" };
    let ms = by_us.unsigned_abs() / 1_000;
    format!("the wall clock jumped {ms} ms {way} to {}", super::time::utc(utc_us))
}

/// A kind of file.
pub const fn file_name(file: File) -> &'static str {
    match file {
        File::Line => "line file",
        File::Plan => "plan",
        File::Manifest => "manifest",
    }
}

/// The first digits of a hash: enough for people to tell two files apart.
pub fn short(hash: &[u8; 32]) -> String {
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// What was decided.
pub fn decision(layout: &Layout, decision: &Decision) -> String {
    match decision {
        Decision::Arm(plan) => arm(layout, plan),
        Decision::CancelArm { diverter: id, tag } => {
            format!("cancel arm {} at {}", tag.0, diverter(layout, *id))
        }
        Decision::Drive { zone: id, run: true, speed } => {
            format!("run {} at {} mm/s", zone(layout, *id), speed.0)
        }
        Decision::Drive { zone: id, run: false, speed: _ } => {
            format!("stop {}", zone(layout, *id))
        }
        Decision::Release { zone: id, gap } if gap.0 == 0 => {
            format!("close the release of {}", zone(layout, *id))
        }
        Decision::Release { zone: id, gap } => {
            format!("release of {} at a gap of {}", zone(layout, *id), gap.0)
        }
        Decision::Light { light, on } => {
            format!("{light:?} {}", if *on { "on" } else { "off" })
        }
        Decision::Lamp { chute, lamp } => {
            let how = match lamp {
                Lamp::Off => "off",
                Lamp::Steady => "steady",
                Lamp::Blink => "blinks",
            };
            format!("lamp of chute {}: {how}", chute.0)
        }
        Decision::Chute { chute, event } => format!("chute {}: {}", chute.0, chute_step(event)),
        Decision::AskRoute { parcel, code } => {
            format!("ask the manifest for {code} of parcel {}", parcel.0)
        }
        Decision::Alarm { alarm, raised } => {
            let what = if *raised { "raise" } else { "clear" };
            format!("{what} alarm {} {alarm:?}", alarm.code())
        }
        Decision::Parcel { parcel, event } => {
            format!("parcel {}: {}", parcel.0, step(layout, event))
        }
        Decision::State { from, to, reason } => {
            format!("{} → {}: {}", from.name(), to.name(), state_reason(layout, *reason))
        }
        Decision::Refused { why } => {
            let why: Vec<String> = why.iter().map(|why| unmet(layout, *why)).collect();
            format!("refused: {}", why.join(", "))
        }
    }
}

/// A person's command.
pub fn command(command: Command) -> String {
    match command {
        Command::Reset => "reset".to_owned(),
        Command::Start => "start".to_owned(),
        Command::Stop => "stop".to_owned(),
        Command::Hold => "hold".to_owned(),
        Command::Abort => "abort".to_owned(),
        Command::Clear => "clear".to_owned(),
        Command::Resolve { parcel, chute: Some(chute) } => {
            format!("resolve: parcel {} lies in chute {}", parcel.0, chute.0)
        }
        Command::Resolve { parcel, chute: None } => {
            format!("resolve: parcel {} was taken off", parcel.0)
        }
        Command::Complete => "run empty".to_owned(),
        Command::SetMode(mode) => format!("mode {}", mode.name()),
        Command::Acknowledge { alarm: None } => "acknowledge every alarm".to_owned(),
        Command::Acknowledge { alarm: Some(alarm) } => format!("acknowledge {alarm:?}"),
        Command::Shelve { alarm, minutes } => format!("shelve {alarm:?} for {minutes} minutes"),
        Command::Unshelve { alarm } => format!("unshelve {alarm:?}"),
        Command::Jog { zone: Some(zone) } => format!("jog zone {}", zone.0),
        Command::Jog { zone: None } => "let jog go".to_owned(),
    }
}

fn chute_contact(chute: ChuteNo, contact: ChuteContact, active: bool) -> String {
    let name = match contact {
        ChuteContact::Full => "full eye",
        ChuteContact::Lock => "lock switch",
        ChuteContact::Button => "lock button",
    };
    format!("{name} of chute {}: {}", chute.0, if active { "on" } else { "off" })
}

/// What a person did, or wants done.
pub fn deed(deed: &Deed) -> String {
    match deed {
        Deed::Lock { chute } => format!("lock chute {}", chute.0),
        Deed::Unlock { chute } => format!("unlock chute {}", chute.0),
        Deed::TakeOut { chute } => format!("take chute {} out of use", chute.0),
        Deed::PutBack { chute } => format!("take chute {} into use", chute.0),
        Deed::BindBag { chute, label } => format!("bind bag {label} at chute {}", chute.0),
        Deed::CloseBag { chute, label } => format!("close bag {label} at chute {}", chute.0),
        Deed::PutByHand { chute, code } => format!("put {code} into chute {} by hand", chute.0),
        Deed::Missorted { chute, code } => format!("{code} was missorted into chute {}", chute.0),
        Deed::Fallen { code } => format!("{code} had fallen off the line"),
    }
}

fn chute_step(event: &ChuteEvent) -> String {
    match event {
        ChuteEvent::State { from, to, cause } => {
            format!("{} → {}: {cause:?}", chute_state(*from), chute_state(*to))
        }
        ChuteEvent::BagBound { label } => format!("bag {label} begins"),
        ChuteEvent::BagClosed { label, pieces, grams } => {
            format!("bag {label} is closed with {pieces} pieces, {grams} g")
        }
        ChuteEvent::Emptied { pieces, grams } => {
            format!("{pieces} pieces, {grams} g were taken away")
        }
        ChuteEvent::PutByHand { code } => format!("{code} was put in by hand"),
        ChuteEvent::Missorted { code } => format!("{code} was missorted and taken out"),
    }
}

fn chute_state(state: ChuteState) -> String {
    match state {
        ChuteState::Idle => "idle".to_owned(),
        ChuteState::Filling => "filling".to_owned(),
        ChuteState::Full { by } => format!("full ({by:?})"),
        ChuteState::Locked { by } => format!("locked ({by:?})"),
        ChuteState::Buffered { landed } => format!("buffered ({landed})"),
        ChuteState::Faulted { by } => format!("faulted ({by:?})"),
    }
}

fn arm(layout: &Layout, plan: &ArmPlan) -> String {
    format!(
        "arm {} at {} to the {} for parcel {}: head in {}..={}, fire {} behind it",
        plan.tag.0,
        diverter(layout, plan.diverter),
        plan.side.name(),
        plan.parcel.0,
        plan.from.at,
        plan.to.at,
        plan.delay.0
    )
}

fn step(layout: &Layout, event: &ParcelEvent) -> String {
    match event {
        ParcelEvent::Inducted { at } => format!("inducted at belt {}", at.at),
        ParcelEvent::Measured { length } => format!("is {} counts long", length.0),
        ParcelEvent::Weighed { weight: Some(weight) } => format!("weighs {} g", weight.0),
        ParcelEvent::Weighed { weight: None } => "could not be weighed".to_owned(),
        ParcelEvent::Identified { code } => format!("reads {code}"),
        ParcelEvent::Rescanned { scanner, code, result } => {
            format!("re-scan {}: {code}, {}", reader(layout, *scanner), result.name())
        }
        ParcelEvent::Seen { eye: id, at } => {
            format!("seen at {}, belt {}", eye(layout, *id), at.at)
        }
        ParcelEvent::Routed { carrier, route } => format!("belongs to {carrier:?} {route:?}"),
        ParcelEvent::Assigned { chute, alternate, reason } => {
            let alternate = if *alternate { " instead" } else { "" };
            let reason = reason.map_or_else(String::new, |why| format!(", {}", why.en()));
            format!("goes to chute {}{alternate}{reason}", chute.0)
        }
        ParcelEvent::PassedOver { chute, bar } => {
            format!("cannot have chute {}: {}", chute.0, bar.code())
        }
        ParcelEvent::Believed { now } => match now {
            Confidence::Certain => "is certain".to_owned(),
            Confidence::Open { eye: id } => {
                format!("may or may not be what {} saw", eye(layout, *id))
            }
            Confidence::Uncertain => "is uncertain".to_owned(),
        },
        ParcelEvent::SentToEnd { reason } => format!("goes to the end: {}", reason.en()),
        ParcelEvent::Armed { tag, diverter: id } => {
            format!("armed as {} at {}", tag.0, diverter(layout, *id))
        }
        ParcelEvent::Fired { tag, chute } => format!("fired by {} to chute {}", tag.0, chute.0),
        ParcelEvent::LandedProvisional { chute } => format!("was seen landing in {}", chute.0),
        ParcelEvent::Landed { chute, alternate: _ } => format!("landed in chute {}", chute.0),
        ParcelEvent::EndLanded { reason } => format!("went off the end: {}", reason.en()),
        ParcelEvent::Recirculated { reason } => format!("went round again: {}", reason.en()),
        ParcelEvent::Unconfirmed { chute } => {
            format!("was fired to chute {} and not confirmed", chute.0)
        }
        ParcelEvent::Lost { eye: id } => format!("was lost before {}", eye(layout, *id)),
        ParcelEvent::Removed { by } => format!("was resolved by {by}"),
    }
}

/// Which scanner read, by its node.
fn reader(layout: &Layout, scanner: ScannerId) -> String {
    let place = layout.rescanner(scanner).unwrap_or(&layout.scanner);
    format!("by {}", node(layout, place.node))
}

fn codes(read: &Read) -> String {
    match read {
        Read::Codes(codes) => codes.join(", "),
        Read::NoRead => "no read".to_owned(),
        Read::TooLong => "too long or not whole".to_owned(),
    }
}

const fn arm_end(end: ArmEnd) -> &'static str {
    match end {
        ArmEnd::Fired { edge: _ } => "fired",
        ArmEnd::Expired => "no edge in its window",
        ArmEnd::Ambiguous => "two edges in its window",
        ArmEnd::Locked => "chute locked or full",
        ArmEnd::Short => "shorter than expected",
        ArmEnd::Busy => "the bed was not home",
        ArmEnd::Cancelled => "cancelled",
        ArmEnd::LeaseExpired => "the lease expired",
        ArmEnd::Restarted => "the node restarted",
    }
}

fn contact_words(contact: Contact, active: bool) -> String {
    let name = match contact {
        Contact::Estop(number) => format!("emergency stop {number}"),
        Contact::Start => "start button".to_owned(),
        Contact::Stop => "stop button".to_owned(),
        Contact::Reset => "reset button".to_owned(),
        Contact::EndFull => "end chute or return full".to_owned(),
    };
    format!("{name}: {}", if active { "on" } else { "off" })
}

fn down(why: DownReason) -> String {
    match why {
        DownReason::Silent => "it does not answer".to_owned(),
        DownReason::BusDown => "its bus is down".to_owned(),
        DownReason::WrongMap { found } => format!("it speaks map version {found}"),
        DownReason::WrongKind { found } => format!("it is of kind {found}"),
        DownReason::NotOwner => "another master owns it".to_owned(),
        DownReason::AddressClash { one, other } => {
            format!("serial numbers {one} and {other} share its address")
        }
    }
}

fn state_reason(layout: &Layout, reason: StateReason) -> String {
    match reason {
        StateReason::Command(asked) => format!("command {}", command(asked)),
        StateReason::Done => "done".to_owned(),
        StateReason::Estop(number) => format!("emergency stop {number}"),
        StateReason::NodeDown(id) => format!("{} is down", node(layout, id)),
        StateReason::LeaseExpired(id) => format!("the lease of {} expired", node(layout, id)),
        StateReason::AwayTooLong => "the controller was away for too long".to_owned(),
        StateReason::EndFull => "end chute or return full".to_owned(),
        StateReason::Quarantined => "an input was set aside".to_owned(),
        StateReason::NotEmpty => "it did not prove empty in time".to_owned(),
        StateReason::Jam(id) => format!("{} stayed blocked", eye(layout, id)),
        StateReason::ArrivalJam(id) => format!("parcels did not come to {}", eye(layout, id)),
        StateReason::EncoderStall(id) => format!("the counts of {} stand", node(layout, id)),
        StateReason::Asleep => "nothing came for long".to_owned(),
        StateReason::Woken => "a parcel waits".to_owned(),
    }
}

fn unmet(layout: &Layout, unmet: Unmet) -> String {
    match unmet {
        Unmet::EstopActive(number) => format!("emergency stop {number} is tripped"),
        Unmet::NodeDown(id) => format!("{} is down", node(layout, id)),
        Unmet::NoPlan => "no plan is selected".to_owned(),
        Unmet::CommitsStalled => "the journal does not keep up".to_owned(),
        Unmet::EndFull => "end chute or return full".to_owned(),
        Unmet::WrongState(state) => format!("not in {}", state.name()),
        Unmet::NotOpen(parcel) => format!("parcel {} is not open", parcel.0),
        Unmet::NoSuchChute(chute) => format!("there is no chute {}", chute.0),
        Unmet::NotLocked(chute) => format!("chute {} is not locked", chute.0),
        Unmet::BagOpen(chute) => format!("a bag is bound at chute {}", chute.0),
        Unmet::OtherBag(chute) => format!("this bag is not bound at chute {}", chute.0),
        Unmet::LabelBound(chute) => format!("this label is bound at chute {}", chute.0),
        Unmet::NoCode => "a code is needed".to_owned(),
        Unmet::OnBelt(parcel) => format!("parcel {} is on the belt", parcel.0),
        Unmet::GateClosed(parcel) => format!("the gate of parcel {} is not passed", parcel.0),
        Unmet::OtherKey(chute) => format!("the plan does not allow it in chute {}", chute.0),
        Unmet::EyeBlocked(id) => format!("{} is still blocked", eye(layout, id)),
        Unmet::NoSuchAlarm(alarm) => format!("{alarm:?} is not in the list"),
        Unmet::TooUrgent(alarm) => format!("{alarm:?} is of high priority"),
        Unmet::NoReason => "no reason was given".to_owned(),
        Unmet::ShelfTooLong => "1 to 60 minutes are possible".to_owned(),
        Unmet::ShelvesFull => "too many alarms are put aside".to_owned(),
        Unmet::WrongMode(mode) => format!("not in mode {}", mode.name()),
    }
}

fn node(layout: &Layout, id: NodeId) -> String {
    let name = layout.nodes.get(usize::from(id.0)).map(|node| node.name.clone());
    name.unwrap_or_else(|| format!("node {}", id.0))
}

fn zone(layout: &Layout, id: ZoneId) -> String {
    let name = layout.zones.get(usize::from(id.0)).map(|zone| zone.name.clone());
    name.unwrap_or_else(|| format!("zone {}", id.0))
}

fn diverter(layout: &Layout, id: DiverterId) -> String {
    let name = layout.diverters.get(usize::from(id.0)).map(|diverter| diverter.name.clone());
    name.unwrap_or_else(|| format!("diverter {}", id.0))
}

fn eye(layout: &Layout, id: EyeId) -> String {
    match layout.eyes.get(usize::from(id.0)) {
        Some(place) => format!("eye {} ({})", id.0, node(layout, place.node)),
        None => format!("eye {}", id.0),
    }
}
