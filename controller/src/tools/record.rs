//! `bus record`: every frame into a pcap file.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::args::Record;
use super::fault::ToolFault;
use super::source::{Said, Source};
use crate::bus::pcap::{Frame, Pcap, RTU_PORT};
use crate::exit::Exit;

/// Records until the time is over or Ctrl-C, and says what there is.
pub(super) async fn run(args: Record) -> Result<Exit, ToolFault> {
    let fault = |source| ToolFault::File { path: args.file.clone(), source };
    // The source first: a file is made only when there is something to record.
    let (mut source, scene) =
        Source::open(&args.place, args.daemon.as_deref(), args.units.as_ref(), args.raw).await?;
    let mut pcap = create(&args.file).map_err(fault)?;
    for trouble in &scene.troubles {
        eprintln!("warning: {trouble}");
    }
    let until = args.seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let end = async move {
        match until {
            Some(span) => tokio::time::sleep(span).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    let mut leave = super::watch::Leave::listen().map_err(ToolFault::System)?;
    let mut frames = 0_u64;
    loop {
        tokio::select! {
            () = &mut end => break,
            () = leave.asked() => break,
            said = source.next() => match said? {
                Said::Frame(tapped) => {
                    if let Some(frame) = Frame::of(&tapped) {
                        pcap.frame(&frame).map_err(fault)?;
                        frames += 1;
                    }
                }
                Said::Trouble(trouble) => eprintln!("warning: {trouble}"),
            },
        }
    }
    let written = pcap.finish().map_err(fault)?;
    written.into_inner().map_err(|error| fault(error.into_error()))?.sync_all().map_err(fault)?;
    let dropped = source.dropped();
    if args.place.json {
        println!(
            "{}",
            json!({
                "file": args.file.display().to_string(), "frames": frames, "dropped": dropped,
                "masked": scene.masked, "rtu_port": RTU_PORT,
            })
        );
    } else {
        let masked = if scene.masked { ", codes masked" } else { "" };
        println!("{}: {frames} frames, {dropped} dropped{masked}", args.file.display());
        println!(
            "read it: tshark -r {} -o mbrtu.tcp.port:{RTU_PORT} -o mbrtu.crc_verification:TRUE",
            args.file.display()
        );
    }
    Ok(Exit::Done)
}

/// Makes the file; one that is there already is never overwritten.
pub(super) fn create(path: &Path) -> std::io::Result<Pcap<BufWriter<File>>> {
    let file = File::options().write(true).create_new(true).open(path)?;
    Pcap::new(BufWriter::new(file))
}
