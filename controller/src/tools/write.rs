//! `bus write`: one setting, or the latch register, by name.

use modbus::pdu;
use registers::descriptor::{Access, Register, Setting};
use registers::map::{LATCH, SETTINGS, STATUS};
use registers::status::Status;
use serde_json::json;

use super::args::Write;
use super::client::{Client, Reply, encoded};
use super::fault::ToolFault;
use super::names::Named;
use super::{identity, read, target};
use crate::bus::tap::Tap;
use crate::exit::Exit;

/// Checks, writes and reads back.
pub(super) async fn run(args: Write) -> Result<Exit, ToolFault> {
    let (target, unit) = target::node(&args.place, &args.node)?;
    let mut client = Client::open(&target, &Tap::default()).await?;
    let (_, kind) = identity::require(&mut client, unit).await?;
    let (before, after) = match read::find(kind, &args.name, &args.node)? {
        Named::Setting(index, setting) => {
            in_range(setting, args.value)?;
            owned_by_nobody(&mut client, unit, args.force).await?;
            let mut words = read::settings(&mut client, unit, kind).await?;
            let slot = words.get_mut(index).ok_or_else(|| ToolFault::Nonsense {
                node: client.target().call(unit),
                what: "settings block",
            })?;
            let before = std::mem::replace(slot, args.value);
            let reply = client.write(unit, SETTINGS, &words).await?;
            written(&client, unit, &args.name, reply)?;
            let after = read::settings(&mut client, unit, kind).await?;
            (Some(before), after.get(index).copied())
        }
        Named::Register(_, register) if register.address == LATCH => {
            if args.value == 0 {
                return Err(refused(&args.name, "a latch number is 1 to 65535".to_owned()));
            }
            owned_by_nobody(&mut client, unit, args.force).await?;
            let request = encoded(|out| pdu::write_single(LATCH, args.value, out));
            let reply = client.ask(unit, &request).await?;
            written(&client, unit, &args.name, reply)?;
            (None, Some(status(&mut client, unit).await?.latch_number))
        }
        Named::Register(_, register) => {
            return Err(refused(&args.name, why_not(register).to_owned()));
        }
        Named::Block(block) => {
            let why = format!("{} is a block; give the name of one register in it", block.name);
            return Err(refused(&args.name, why));
        }
        Named::Input(_) => {
            return Err(refused(
                &args.name,
                "an input is read only: the node senses it".to_owned(),
            ));
        }
        Named::Output(_) => {
            let why = "outputs are set in an exchange (FC 23) with the owner word, so that no tool moves a machine beside its controller";
            return Err(refused(&args.name, why.to_owned()));
        }
    };
    if after != Some(args.value) {
        let got = after.map_or("nothing".to_owned(), |value| value.to_string());
        return Err(ToolFault::NotTaken { what: format!("{} = {}", args.name, args.value), got });
    }
    if args.place.json {
        println!(
            "{}",
            json!({ "node": args.node, "unit": unit, "name": args.name, "before": before, "value": after })
        );
    } else {
        let was = before.map_or(String::new(), |before| format!(" (was {before})"));
        println!("{} {} = {}{was}, read back", args.node, args.name, args.value);
        if before.is_some() {
            println!(
                "note: a controller writes the settings of its line file when it joins the node"
            );
        }
    }
    Ok(Exit::Done)
}

fn refused(name: &str, why: String) -> ToolFault {
    ToolFault::Refused { what: format!("write {name}"), why }
}

/// Why a register that is no setting cannot be written by hand.
const fn why_not(register: &Register) -> &'static str {
    match register.access {
        Access::Read => "it is read only: the node alone forms it",
        Access::Exchange => {
            "it belongs to the exchange (FC 23), which only the node's owner may write: owner word, sequence and check word guard every command, and a stray one would move a machine"
        }
        Access::Place => "an address is given by `bus set-address`, which verifies it",
        Access::Write | Access::ReadWrite => "it is not one of those that are written by hand",
    }
}

fn in_range(setting: &Setting, value: u16) -> Result<(), ToolFault> {
    if (setting.min..=setting.max).contains(&value) {
        return Ok(());
    }
    let unit = if setting.unit.is_empty() { String::new() } else { format!(" {}", setting.unit) };
    let (min, max) = (setting.min, setting.max);
    Err(refused(
        setting.name,
        format!("{value}{unit} is out of range, {min} to {max}{unit} is allowed"),
    ))
}

fn written(client: &Client, unit: u8, name: &str, reply: Reply) -> Result<(), ToolFault> {
    let node = client.target().call(unit);
    match reply {
        Reply::Done(_) => Ok(()),
        Reply::Exception(code) => {
            Err(ToolFault::Exception { node, what: format!("write {name}"), code })
        }
        Reply::Silent { .. } => Err(ToolFault::Silent { node, what: "the answer to the write" }),
        Reply::Words(_) => Err(ToolFault::Nonsense { node, what: "answer to the write" }),
    }
}

/// The status of a node.
pub(super) async fn status(client: &mut Client, unit: u8) -> Result<Status, ToolFault> {
    let block = read::block_at(STATUS);
    let node = client.target().call(unit);
    match client.read(unit, STATUS, block.words).await? {
        Reply::Words(words) => {
            Status::parse(unit, 0, &words).ok_or(ToolFault::Nonsense { node, what: "check word" })
        }
        Reply::Exception(code) => {
            Err(ToolFault::Exception { node, what: "read the status".to_owned(), code })
        }
        Reply::Silent { .. } => Err(ToolFault::Silent { node, what: "the status" }),
        Reply::Done(_) => Err(ToolFault::Nonsense { node, what: "status" }),
    }
}

/// Refuses while a controller owns the node, unless it is forced.
pub(super) async fn owned_by_nobody(
    client: &mut Client,
    unit: u8,
    force: bool,
) -> Result<(), ToolFault> {
    let status = status(client, unit).await?;
    if force || status.owner == 0 || status.lease_ms == 0 {
        return Ok(());
    }
    let what = format!("write to {}", client.target().call(unit));
    let why = format!(
        "a controller owns it (owner word {}, {} ms of lease left); stop that controller, or give --force",
        status.owner, status.lease_ms
    );
    Err(ToolFault::Refused { what, why })
}
