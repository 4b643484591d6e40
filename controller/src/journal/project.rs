//! Projections: what people read, made from each record's decisions in its own transaction.

use line_model::alarm::Alarm;
use line_model::decision::{Decision, ParcelEvent};
use line_model::ids::{EyeId, NodeId, ParcelId};
use line_model::packml::StateReason;
use line_model::parcel::Confidence;
use line_model::signal::{Command, Input};
use rusqlite::{OptionalExtension as _, Result, Transaction, params};
use serde_json::{Value, json};
use units::Micros;

/// Where a projected step stands.
#[derive(Clone, Copy, Debug)]
struct Step {
    record: u64,
    index: usize,
    at: Micros,
}

/// Projects one record.
pub(super) fn record(
    tx: &Transaction<'_>,
    number: u64,
    at: Micros,
    input: &Input,
    decisions: &[Decision],
) -> Result<()> {
    if let Input::WallClock { utc_us } | Input::WallClockStepped { utc_us, .. } = input {
        tx.prepare_cached("INSERT OR REPLACE INTO wall_clock (at_us, utc_us) VALUES (?1, ?2)")?
            .execute(params![at.0, utc_us])?;
    }
    for (index, decision) in decisions.iter().enumerate() {
        let step = Step { record: number, index, at };
        match decision {
            Decision::Parcel { parcel, event } => parcel_event(tx, step, *parcel, event)?,
            Decision::Alarm { alarm, raised } => alarm_change(tx, at, *alarm, *raised)?,
            Decision::State { from, to, reason } => {
                tx.prepare_cached(
                    "INSERT INTO states (record, step, at_us, from_state, to_state, reason)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    number,
                    index,
                    at.0,
                    from.name(),
                    to.name(),
                    state_reason(*reason)
                ])?;
            }
            Decision::Arm(_)
            | Decision::CancelArm { .. }
            | Decision::Drive { .. }
            | Decision::Release { .. }
            | Decision::Light { .. }
            | Decision::Lamp { .. }
            | Decision::Chute { .. }
            | Decision::AskRoute { .. }
            | Decision::Refused { .. } => {}
        }
    }
    Ok(())
}

fn parcel_event(
    tx: &Transaction<'_>,
    step: Step,
    parcel: ParcelId,
    event: &ParcelEvent,
) -> Result<()> {
    let (name, detail) = told(event);
    tx.prepare_cached(
        "INSERT INTO story (parcel, record, step, at_us, event, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        parcel.0,
        step.record,
        step.index,
        step.at.0,
        name,
        detail.to_string()
    ])?;
    facts(tx, step.at, parcel, event)?;
    match after(event) {
        Some(after) => outcome(tx, step.at, parcel, after),
        None => Ok(()),
    }
}

/// Keeps what the event tells of the parcel itself.
fn facts(tx: &Transaction<'_>, at: Micros, parcel: ParcelId, event: &ParcelEvent) -> Result<()> {
    let set = |sql: &str, value: &dyn rusqlite::ToSql| {
        tx.prepare_cached(sql)?.execute(params![parcel.0, value]).map(|_| ())
    };
    match event {
        ParcelEvent::Inducted { at: position } => {
            let fresh = tx
                .prepare_cached(
                    "INSERT INTO parcels (id, inducted_us, position, outcome, outcome_us)
                     VALUES (?1, ?2, ?3, 'on_line', ?2) ON CONFLICT DO NOTHING",
                )?
                .execute(params![parcel.0, at.0, position.at])?;
            if fresh == 1 {
                count(tx, "inducted", 1)?;
                count(tx, "on_line", 1)?;
            }
            Ok(())
        }
        ParcelEvent::Measured { length } => {
            set("UPDATE parcels SET length = ?2 WHERE id = ?1", &length.0)
        }
        ParcelEvent::Weighed { weight } => {
            set("UPDATE parcels SET weight_g = ?2 WHERE id = ?1", &weight.map(|grams| grams.0))
        }
        ParcelEvent::Identified { code } => set("UPDATE parcels SET code = ?2 WHERE id = ?1", code),
        ParcelEvent::Routed { carrier, route } => {
            set("UPDATE parcels SET carrier = ?2 WHERE id = ?1", carrier)?;
            set("UPDATE parcels SET route = ?2 WHERE id = ?1", route)
        }
        ParcelEvent::Assigned { chute, alternate: _, reason } => {
            set("UPDATE parcels SET chute = ?2 WHERE id = ?1", &chute.0)?;
            let reason = reason.map(line_model::reason::Reason::code);
            set("UPDATE parcels SET reason = ?2 WHERE id = ?1", &reason)
        }
        ParcelEvent::SentToEnd { reason } => {
            set("UPDATE parcels SET chute = NULL, reason = ?2 WHERE id = ?1", &reason.code())
        }
        ParcelEvent::Landed { chute, .. } | ParcelEvent::Unconfirmed { chute } => {
            set("UPDATE parcels SET chute = ?2 WHERE id = ?1", &chute.0)
        }
        ParcelEvent::EndLanded { reason } | ParcelEvent::Recirculated { reason } => {
            set("UPDATE parcels SET chute = NULL, reason = ?2 WHERE id = ?1", &reason.code())
        }
        ParcelEvent::Seen { .. }
        | ParcelEvent::Rescanned { .. }
        | ParcelEvent::PassedOver { .. }
        | ParcelEvent::Believed { .. }
        | ParcelEvent::Armed { .. }
        | ParcelEvent::Fired { .. }
        | ParcelEvent::LandedProvisional { .. }
        | ParcelEvent::Lost { .. }
        | ParcelEvent::Removed { .. } => Ok(()),
    }
}

/// An outcome with the keys that it counts under.
#[derive(Clone, Debug, PartialEq, Eq)]
struct After {
    outcome: &'static str,
    key: Option<String>,
}

/// What the event makes of the parcel; `None` when its outcome stays.
fn after(event: &ParcelEvent) -> Option<After> {
    let plain = |outcome| Some(After { outcome, key: None });
    match event {
        ParcelEvent::Landed { chute, alternate } => Some(After {
            outcome: if *alternate { "landed_alternate" } else { "landed_planned" },
            key: Some(format!("chute.{}", chute.0)),
        }),
        ParcelEvent::EndLanded { reason } => Some(After {
            outcome: "end_landed",
            key: Some(format!("end_landed.{}", reason.code())),
        }),
        ParcelEvent::Recirculated { reason } => Some(After {
            outcome: "recirculated",
            key: Some(format!("recirculated.{}", reason.code())),
        }),
        ParcelEvent::Unconfirmed { .. } => plain("unconfirmed"),
        ParcelEvent::Lost { .. } => plain("lost"),
        ParcelEvent::Removed { .. } => plain("removed"),
        // A lost parcel that is seen again is on the line again.
        ParcelEvent::Seen { .. } => plain("on_line"),
        ParcelEvent::Inducted { .. }
        | ParcelEvent::Measured { .. }
        | ParcelEvent::Weighed { .. }
        | ParcelEvent::Identified { .. }
        | ParcelEvent::Rescanned { .. }
        | ParcelEvent::Routed { .. }
        | ParcelEvent::Assigned { .. }
        | ParcelEvent::PassedOver { .. }
        | ParcelEvent::Believed { .. }
        | ParcelEvent::SentToEnd { .. }
        | ParcelEvent::Armed { .. }
        | ParcelEvent::Fired { .. }
        | ParcelEvent::LandedProvisional { .. } => None,
    }
}

/// Moves the parcel from its outcome to the new one, in its row and in the counts.
fn outcome(tx: &Transaction<'_>, at: Micros, parcel: ParcelId, after: After) -> Result<()> {
    let before: Option<String> = tx
        .prepare_cached("SELECT outcome FROM parcels WHERE id = ?1")?
        .query_row([parcel.0], |row| row.get(0))
        .optional()?;
    let Some(before) = before.filter(|before| before != after.outcome) else { return Ok(()) };
    tx.prepare_cached("UPDATE parcels SET outcome = ?2, outcome_us = ?3 WHERE id = ?1")?
        .execute(params![parcel.0, after.outcome, at.0])?;
    count(tx, &before, -1)?;
    count(tx, after.outcome, 1)?;
    after.key.map_or(Ok(()), |key| count(tx, &key, 1))
}

fn count(tx: &Transaction<'_>, key: &str, by: i64) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO tally (key, count) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET count = count + ?2",
    )?
    .execute(params![key, by])
    .map(|_| ())
}

/// An event's name and values for people.
fn told(event: &ParcelEvent) -> (&'static str, Value) {
    let code = |reason: &line_model::reason::Reason| reason.code();
    match event {
        ParcelEvent::Inducted { at } => ("inducted", json!({ "position": at.at })),
        ParcelEvent::Measured { length } => ("measured", json!({ "length": length.0 })),
        ParcelEvent::Weighed { weight } => {
            ("weighed", json!({ "weight_g": weight.map(|grams| grams.0) }))
        }
        ParcelEvent::Identified { code } => ("identified", json!({ "code": code })),
        ParcelEvent::Rescanned { scanner, code, result } => {
            ("rescanned", json!({ "scanner": scanner.0, "code": code, "result": result.name() }))
        }
        ParcelEvent::Seen { eye, at } => ("seen", json!({ "eye": eye.0, "position": at.at })),
        ParcelEvent::Routed { carrier, route } => {
            ("routed", json!({ "carrier": carrier, "route": route }))
        }
        ParcelEvent::Assigned { chute, alternate, reason } => (
            "assigned",
            json!({ "chute": chute.0, "alternate": alternate, "reason": reason.as_ref().map(code) }),
        ),
        ParcelEvent::PassedOver { chute, bar } => {
            ("passed_over", json!({ "chute": chute.0, "bar": bar.code() }))
        }
        ParcelEvent::Believed { now } => match now {
            Confidence::Certain => ("believed", json!({ "confidence": "certain" })),
            Confidence::Open { eye } => ("believed", json!({ "confidence": "open", "eye": eye.0 })),
            Confidence::Uncertain => ("believed", json!({ "confidence": "uncertain" })),
        },
        ParcelEvent::SentToEnd { reason } => ("sent_to_end", json!({ "reason": code(reason) })),
        ParcelEvent::Armed { tag, diverter } => {
            ("armed", json!({ "tag": tag.0, "diverter": diverter.0 }))
        }
        ParcelEvent::Fired { tag, chute } => ("fired", json!({ "tag": tag.0, "chute": chute.0 })),
        ParcelEvent::LandedProvisional { chute } => {
            ("landed_provisional", json!({ "chute": chute.0 }))
        }
        ParcelEvent::Landed { chute, alternate } => {
            ("landed", json!({ "chute": chute.0, "alternate": alternate }))
        }
        ParcelEvent::EndLanded { reason } => ("end_landed", json!({ "reason": code(reason) })),
        ParcelEvent::Recirculated { reason } => ("recirculated", json!({ "reason": code(reason) })),
        ParcelEvent::Unconfirmed { chute } => ("unconfirmed", json!({ "chute": chute.0 })),
        ParcelEvent::Lost { eye } => ("lost", json!({ "eye": eye.0 })),
        ParcelEvent::Removed { by } => ("removed", json!({ "by": by })),
    }
}

fn alarm_change(tx: &Transaction<'_>, at: Micros, alarm: Alarm, raised: bool) -> Result<()> {
    let subject = alarm_subject(alarm);
    if raised {
        tx.prepare_cached("INSERT INTO alarms (code, subject, raised_us) VALUES (?1, ?2, ?3)")?
            .execute(params![alarm.code(), subject, at.0])?;
    } else {
        tx.prepare_cached(
            "UPDATE alarms SET cleared_us = ?3
             WHERE code = ?1 AND subject IS ?2 AND cleared_us IS NULL",
        )?
        .execute(params![alarm.code(), subject, at.0])?;
    }
    Ok(())
}

/// The number that the alarm names.
fn alarm_subject(alarm: Alarm) -> Option<u64> {
    match alarm {
        Alarm::Estop(contact) => Some(u64::from(contact)),
        Alarm::NodeDown(NodeId(node))
        | Alarm::LeaseExpired(NodeId(node))
        | Alarm::EventsLost(NodeId(node))
        | Alarm::EncoderDrift(NodeId(node))
        | Alarm::EncoderStall(NodeId(node))
        | Alarm::RescanDiffers(NodeId(node))
        | Alarm::RescannerSilent(NodeId(node))
        | Alarm::Ghost(NodeId(node)) => Some(u64::from(node)),
        Alarm::Unconfirmed(ParcelId(id))
        | Alarm::Lost(ParcelId(id))
        | Alarm::QuarantineAtEnd(ParcelId(id)) => Some(id),
        Alarm::Jam(EyeId(eye))
        | Alarm::QueueJam(EyeId(eye))
        | Alarm::ArrivalJam(EyeId(eye))
        | Alarm::EyeStuck(EyeId(eye))
        | Alarm::EyeBlind(EyeId(eye))
        | Alarm::EyeDirty(EyeId(eye)) => Some(u64::from(eye)),
        Alarm::UnexpectedLanding(chute) | Alarm::ChuteFaulted(chute) | Alarm::ChuteWaits(chute) => {
            Some(u64::from(chute.0))
        }
        Alarm::CommitsStalled
        | Alarm::EndFull
        | Alarm::ReturnFull
        | Alarm::RoundInVain
        | Alarm::InputQuarantined
        | Alarm::NotEmpty
        | Alarm::Flood
        | Alarm::WallClockStepped => None,
    }
}

fn state_reason(reason: StateReason) -> String {
    match reason {
        StateReason::Command(command) => format!("command.{}", command_name(command)),
        StateReason::Done => "done".to_owned(),
        StateReason::Estop(contact) => format!("estop.{contact}"),
        StateReason::NodeDown(NodeId(node)) => format!("node_down.{node}"),
        StateReason::LeaseExpired(NodeId(node)) => format!("lease_expired.{node}"),
        StateReason::AwayTooLong => "away_too_long".to_owned(),
        StateReason::EndFull => "end_full".to_owned(),
        StateReason::Quarantined => "quarantined".to_owned(),
        StateReason::NotEmpty => "not_empty".to_owned(),
        StateReason::Jam(EyeId(eye)) => format!("jam.{eye}"),
        StateReason::ArrivalJam(EyeId(eye)) => format!("arrival_jam.{eye}"),
        StateReason::EncoderStall(NodeId(node)) => format!("encoder_stall.{node}"),
        StateReason::Asleep => "asleep".to_owned(),
        StateReason::Woken => "woken".to_owned(),
    }
}

const fn command_name(command: Command) -> &'static str {
    match command {
        Command::Reset => "reset",
        Command::Start => "start",
        Command::Stop => "stop",
        Command::Hold => "hold",
        Command::Abort => "abort",
        Command::Clear => "clear",
        Command::Resolve { .. } => "resolve",
        Command::Complete => "complete",
        Command::SetMode(_) => "mode",
        Command::Acknowledge { .. } => "acknowledge",
        Command::Shelve { .. } => "shelve",
        Command::Unshelve { .. } => "unshelve",
        Command::Jog { .. } => "jog",
    }
}
