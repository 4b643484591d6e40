//! `sortline journal …`: what people do with a journal from the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{JournalFault, backup, reader, verify};
use crate::clock::utc_us;
use crate::exit::{Exit, TABLE};

/// Looks after the journal.
#[derive(Debug, Subcommand)]
pub enum Journal {
    /// Recomputes the chain over every record of every file, offline.
    #[command(after_help = TABLE)]
    Verify(Verify),
    /// Exports the chain's head, to be kept elsewhere and given to verify later.
    #[command(after_help = TABLE)]
    Head(Reading),
    /// Prints every file's counts: what came in and what went out.
    #[command(after_help = TABLE)]
    Days(Reading),
    /// Copies the journal into an empty directory, also while the daemon writes.
    #[command(after_help = TABLE)]
    Backup(Backup),
    /// Verifies a backup and brings it into an empty data directory.
    #[command(after_help = TABLE)]
    Restore(Restore),
}

/// Where a journal is read.
#[derive(Debug, Args)]
pub struct Reading {
    /// Directory of the journal.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// What is verified against what.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    reading: Reading,
    /// Head that was exported, in hexadecimal digits.
    #[arg(long, value_name = "HEX", requires = "record")]
    head: Option<String>,
    /// Record that it was exported behind.
    #[arg(long, value_name = "N", requires = "head")]
    record: Option<u64>,
}

/// Where a backup goes.
#[derive(Debug, Args)]
pub struct Backup {
    /// Empty or new directory.
    #[arg(value_name = "TO")]
    to: PathBuf,
    #[command(flatten)]
    reading: Reading,
}

/// Where a backup comes from.
#[derive(Debug, Args)]
pub struct Restore {
    /// Directory of the backup.
    #[arg(value_name = "FROM")]
    from: PathBuf,
    #[command(flatten)]
    reading: Reading,
}

/// Does what the command says.
pub fn run(command: &Journal) -> Exit {
    let done = match command {
        Journal::Verify(args) => verified(args),
        Journal::Head(args) => head(args),
        Journal::Days(args) => days(args),
        Journal::Backup(Backup { to, reading }) => backup::backup(&reading.data, to, utc_us())
            .map(|list| copied("copied", &list, reading.json)),
        Journal::Restore(Restore { from, reading }) => {
            backup::restore(from, &reading.data).map(|list| copied("restored", &list, reading.json))
        }
    };
    match done {
        Ok(()) => Exit::Done,
        Err(fault) => {
            let json = matches!(command, Journal::Verify(Verify { reading, .. }) if reading.json);
            if json {
                println!("{}", json!({ "fault": fault.to_string(), "record": fault.record() }));
            }
            eprintln!("error: failed to {fault}");
            fault.exit()
        }
    }
}

fn verified(args: &Verify) -> Result<(), JournalFault> {
    let exported = args.record.zip(args.head.as_deref());
    let verified = verify::verify_with(&args.reading.data, exported)?;
    if args.reading.json {
        println!("{}", json!(verified));
        return Ok(());
    }
    println!(
        "{} records in {} files, {} heads and {} closed files compared, chain holds",
        verified.records, verified.files, verified.heads, verified.seals
    );
    println!("head {}", verified.head);
    if let Some((number, _)) = exported {
        println!("the exported head stands behind record {number}");
    }
    Ok(())
}

fn head(args: &Reading) -> Result<(), JournalFault> {
    let head = verify::head(&args.data, utc_us())?;
    if args.json {
        println!("{}", json!(head));
    } else {
        println!("record {} in {}\nhead {}", head.number, head.file, head.head);
    }
    Ok(())
}

fn days(args: &Reading) -> Result<(), JournalFault> {
    for day in reader::days(&args.data)? {
        if args.json {
            println!("{}", json!(day));
            continue;
        }
        let ties = if day.ties() { "ties" } else { "DOES NOT TIE" };
        let outcomes = day.outcomes.iter().map(|(outcome, count)| format!(" {outcome} {count}"));
        println!(
            "{}: in {} + {} = out{} + {} carried on, {ties}",
            day.file,
            day.carried_in,
            day.inducted,
            outcomes.collect::<String>(),
            day.carried_out
        );
    }
    Ok(())
}

fn copied(word: &str, list: &backup::BackupList, as_json: bool) {
    if as_json {
        println!("{}", json!(list));
    } else {
        println!("{word} {} files up to record {}", list.files.len(), list.number);
        println!("head {}", list.head);
    }
}
