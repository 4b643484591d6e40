//! The integrator's tools: `sortline bus …`.
//!
//! They ask nodes by the daemon's own buses ([`crate::bus`]) or listen to a running daemon; every name
//! comes from [`registers`] and from the line file. Nothing here takes part in an exchange with an
//! owner word: what is read is read by FC 03, FC 17 and FC 43/14, so that no tool can acknowledge an
//! event or command a node. Start reading at [`args`], then `target` (which buses), `client` (one
//! question at a time), and the file of a command.

mod address;
pub mod args;
mod attach;
mod client;
mod describe;
mod fault;
mod frames;
mod identity;
mod meter;
mod names;
mod points;
mod poll;
mod progress;
mod read;
mod record;
mod scan;
mod source;
mod sweep;
mod target;
mod view;
mod watch;
mod write;

use crate::exit::Exit;
use args::Bus;
use fault::ToolFault;

/// Does what a command says and tells what went wrong.
pub fn run(command: Bus) -> Exit {
    let json = command.json();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: failed to start the event loop: {error}");
            return Exit::Internal;
        }
    };
    match runtime.block_on(dispatch(command)) {
        Ok(exit) => exit,
        Err(fault) => {
            fault.print(json);
            fault.exit()
        }
    }
}

async fn dispatch(command: Bus) -> Result<Exit, ToolFault> {
    match command {
        Bus::Scan(args) => scan::run(args).await,
        Bus::Read(args) => read::run(args).await,
        Bus::Write(args) => write::run(args).await,
        Bus::SetAddress(args) => address::run(args).await,
        Bus::Watch(args) => watch::run(args).await,
        Bus::Record(args) => record::run(args).await,
        Bus::Frames(args) => frames::run(&args),
    }
}
