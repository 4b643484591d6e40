//! `bus read`: one register, point or block by name.

use registers::NodeKind;
use registers::check;
use registers::descriptor::Block;
use registers::map::{ARMED, BLOCKS, EVENTS, SETTINGS, STATUS};
use serde_json::json;

use super::args::Read;
use super::client::{Client, Reply};
use super::fault::ToolFault;
use super::names::{self, Named, Reading};
use super::{identity, target};
use crate::bus::tap::Tap;
use crate::exit::Exit;

/// Reads and prints.
pub(super) async fn run(args: Read) -> Result<Exit, ToolFault> {
    let (target, unit) = target::node(&args.place, &args.node)?;
    let mut client = Client::open(&target, &Tap::default()).await?;
    let (_, kind) = identity::require(&mut client, unit).await?;
    let named = find(kind, &args.name, &args.node)?;
    let readings = read(&mut client, unit, kind, named).await?;
    if args.place.json {
        let values: Vec<_> = readings.iter().map(Reading::json).collect();
        println!(
            "{}",
            json!({
                "node": args.node, "bus": target.name, "unit": unit, "kind": kind.name(),
                "values": values,
            })
        );
    } else {
        for reading in readings {
            println!("{}", reading.line());
        }
    }
    Ok(Exit::Done)
}

/// What a name stands for, or the fault that names others.
pub(super) fn find(kind: NodeKind, name: &str, node: &str) -> Result<Named, ToolFault> {
    names::find(kind, name).map_err(|nearest| ToolFault::UnknownName {
        name: name.to_owned(),
        node: node.to_owned(),
        kind: kind.name(),
        nearest,
    })
}

/// The block at an address of the map.
pub(super) fn block_at(address: u16) -> &'static Block {
    let found = BLOCKS.iter().find(|block| block.address == address);
    assert!(found.is_some(), "the map has a block at {address:#06x}");
    found.unwrap_or(&BLOCKS[0])
}

async fn read(
    client: &mut Client,
    unit: u8,
    kind: NodeKind,
    named: Named,
) -> Result<Vec<Reading>, ToolFault> {
    match named {
        Named::Block(block) => {
            let words = whole(client, unit, kind, block).await?;
            Ok(names::readings(kind, block, &words))
        }
        Named::Register(block, register) => {
            let words = whole(client, unit, kind, block).await?;
            let all = names::readings(kind, block, &words);
            Ok(all.into_iter().filter(|reading| reading.name == register.name).collect())
        }
        Named::Setting(index, setting) => {
            let words = settings(client, unit, kind).await?;
            let word = words.get(index).copied().unwrap_or_default();
            Ok(vec![names::setting_reading(index, setting, word)])
        }
        Named::Input(point) | Named::Output(point) => {
            let input = matches!(named, Named::Input(_));
            let words = whole(client, unit, kind, block_at(STATUS)).await?;
            Ok(vec![names::point_reading(point, input, &words)])
        }
    }
}

/// The settings of a node.
pub(super) async fn settings(
    client: &mut Client,
    unit: u8,
    kind: NodeKind,
) -> Result<Vec<u16>, ToolFault> {
    whole(client, unit, kind, block_at(SETTINGS)).await
}

/// Reads a block as a whole, as nodes demand it, and checks its check word.
pub(super) async fn whole(
    client: &mut Client,
    unit: u8,
    kind: NodeKind,
    block: &'static Block,
) -> Result<Vec<u16>, ToolFault> {
    let node = client.target().call(unit);
    if let Some(why) = names::unreadable(names::access(block)) {
        let what = format!("read block {}", block.name);
        return Err(ToolFault::Refused { what, why: why.to_owned() });
    }
    let quantity = names::block_words(kind, block);
    match client.read(unit, block.address, quantity).await? {
        Reply::Words(words) => {
            let sealed = [EVENTS, STATUS, ARMED].contains(&block.address);
            // FC 03 carries no token: the node seals such blocks with 0.
            if sealed && !check::sealed(unit, 0, &words) {
                return Err(ToolFault::Nonsense { node, what: "check word" });
            }
            Ok(words)
        }
        Reply::Exception(code) => {
            Err(ToolFault::Exception { node, what: format!("read block {}", block.name), code })
        }
        Reply::Silent { .. } => Err(ToolFault::Silent { node, what: block.name }),
        Reply::Done(_) => Err(ToolFault::Nonsense { node, what: block.name }),
    }
}
