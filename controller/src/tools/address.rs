//! `bus set-address`: the node with one serial number takes another address.

use registers::address::NewAddress;
use registers::map::ADDRESS;
use serde_json::json;

use super::args::SetAddress;
use super::client::{Client, Reply};
use super::fault::ToolFault;
use super::identity::{self, Identity};
use super::target::{self, Wire};
use super::write;
use crate::bus::tap::Tap;
use crate::exit::Exit;

/// Everyone on a serial line at once.
const BROADCAST: u8 = 0;
/// Tries to find the node at its new address: it may take a moment.
const LOOKS: usize = 5;

/// Refuses a taken address, sends, and reads the identity at the new address.
pub(super) async fn run(args: SetAddress) -> Result<Exit, ToolFault> {
    let target = target::one(&args.place)?;
    let serial = matches!(target.wire, Wire::Serial { .. });
    let via = match (args.from, serial) {
        (Some(from), _) => from,
        (None, true) => BROADCAST,
        (None, false) => {
            return Err(refused(
                &args,
                "over TCP nothing can be broadcast; give the present address with --from"
                    .to_owned(),
            ));
        }
    };
    let mut client = Client::open(&target, &Tap::default()).await?;
    if let Some(done) = occupied(&mut client, &args).await? {
        return Ok(done);
    }
    if via != BROADCAST {
        let (identity, _) = identity::require(&mut client, via).await?;
        if identity.serial_number != args.serial_number {
            let got = identity.serial_number;
            return Err(refused(&args, format!("unit {via} has serial number {got}")));
        }
        write::owned_by_nobody(&mut client, via, false).await?;
    }
    let block = NewAddress { serial_number: args.serial_number, unit: args.to };
    match client.write(via, ADDRESS, &block.encode(via)).await? {
        Reply::Done(_) => {}
        Reply::Exception(code) => {
            let node = target.call(via);
            return Err(ToolFault::Exception { node, what: "set the address".to_owned(), code });
        }
        // The answer may be lost; the new address tells whether it was taken.
        Reply::Silent { .. } | Reply::Words(_) => {}
    }
    verify(&mut client, &args).await
}

fn refused(args: &SetAddress, why: String) -> ToolFault {
    let what = format!("give serial number {} address {}", args.serial_number, args.to);
    ToolFault::Refused { what, why }
}

/// Whether somebody answers at the new address; done already when it is the node itself.
async fn occupied(client: &mut Client, args: &SetAddress) -> Result<Option<Exit>, ToolFault> {
    // Two looks: one answer may be lost, and two nodes on one address garble each other.
    for _ in 0..2 {
        let why = match client.identity(args.to).await? {
            Reply::Silent { garbled: false } => continue,
            Reply::Silent { garbled: true } => {
                "something answers there that no CRC fits: two nodes perhaps".to_owned()
            }
            Reply::Words(words) => match Identity::parse(&words) {
                Some(identity) if identity.serial_number == args.serial_number => {
                    tell(args, &identity, "has that address already");
                    return Ok(Some(Exit::Done));
                }
                Some(identity) => format!(
                    "the address is taken by the {} with serial number {}",
                    identity.kind_name(),
                    identity.serial_number
                ),
                None => "the address is taken by a device that is not a node of ours".to_owned(),
            },
            Reply::Exception(_) | Reply::Done(_) => {
                "the address is taken by a device that is not a node of ours".to_owned()
            }
        };
        return Err(refused(args, why));
    }
    Ok(None)
}

async fn verify(client: &mut Client, args: &SetAddress) -> Result<Exit, ToolFault> {
    for _ in 0..LOOKS {
        if let Reply::Words(words) = client.identity(args.to).await?
            && let Some(identity) = Identity::parse(&words)
        {
            if identity.serial_number == args.serial_number {
                tell(args, &identity, "answers at its new address");
                return Ok(Exit::Done);
            }
            let got = format!("serial number {} at address {}", identity.serial_number, args.to);
            return Err(ToolFault::NotTaken { what: "the address".to_owned(), got });
        }
    }
    let why = format!(
        "nobody answers at address {} after it; no node with that serial number, or it is off (`bus scan` shows who is there)",
        args.to
    );
    Err(refused(args, why))
}

fn tell(args: &SetAddress, identity: &Identity, what: &str) {
    if args.place.json {
        println!("{}", json!({ "unit": args.to, "identity": identity.json(), "result": what }));
    } else {
        println!(
            "serial number {} ({}) {what}: unit {}",
            identity.serial_number,
            identity.kind_name(),
            args.to
        );
    }
}
