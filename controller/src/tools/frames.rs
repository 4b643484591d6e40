//! `bus frames`: the raw frames that the flight recorder kept, as words, JSON or pcap.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use units::Micros;

use super::args::Frames;
use super::fault::ToolFault;
use super::target::{self, Target};
use super::{describe, record};
use crate::bus::feed::FrameDto;
use crate::bus::pcap::{Frame, Pcap, RTU_PORT};
use crate::bus::tap::{Tapped, What};
use crate::config;
use crate::exit::Exit;
use crate::flight::{self, dump};
use crate::replay::{Recording, time};

/// Prints or converts what there is.
pub(super) fn run(args: &Frames) -> Result<Exit, ToolFault> {
    let unreadable = |why: String| ToolFault::Frames { path: args.path.clone(), why };
    let paths = if args.path.is_dir() {
        dump::list(&flight::directory(&args.path)).map_err(|fault| unreadable(fault.to_string()))?
    } else {
        vec![args.path.clone()]
    };
    let mut teller = Teller::new(args)?;
    let mut failed = None;
    for path in paths {
        let read = dump::each(&path, Micros::ZERO, Micros(u64::MAX), |tapped| {
            let wanted = args.from.is_none_or(|from| tapped.utc_us >= from)
                && args.to.is_none_or(|to| tapped.utc_us <= to);
            if wanted && failed.is_none() {
                failed = teller.take(&tapped).err();
            }
        });
        read.map_err(|fault| unreadable(fault.to_string()))?;
    }
    match failed.map_or_else(|| teller.end(), Err) {
        // The reader of a pipe may have had enough.
        Err(ToolFault::Terminal(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Exit::Done)
        }
        Err(fault) => Err(fault),
        Ok(()) => Ok(Exit::Done),
    }
}

struct Teller<'a> {
    args: &'a Frames,
    /// The buses of the line file that is kept beside the frames; none without one.
    targets: Vec<Target>,
    /// The last request to each unit of each bus.
    asked: BTreeMap<(u16, u8), Vec<u8>>,
    pcap: Option<(PathBuf, Pcap<BufWriter<File>>)>,
    out: BufWriter<io::Stdout>,
    frames: u64,
}

impl<'a> Teller<'a> {
    fn new(args: &'a Frames) -> Result<Self, ToolFault> {
        let pcap = match &args.pcap {
            Some(path) => {
                let made = record::create(path);
                let fault = |source| ToolFault::File { path: path.clone(), source };
                Some((path.clone(), made.map_err(fault)?))
            }
            None => None,
        };
        let (targets, out) = (targets(&args.path), BufWriter::new(io::stdout()));
        Ok(Self { args, targets, asked: BTreeMap::new(), pcap, out, frames: 0 })
    }

    fn take(&mut self, tapped: &Tapped) -> Result<(), ToolFault> {
        self.frames += 1;
        if let Some((path, pcap)) = &mut self.pcap {
            let fault = |source| ToolFault::File { path: path.clone(), source };
            return match Frame::of(tapped) {
                Some(frame) => pcap.frame(&frame).map_err(fault),
                None => Ok(()),
            };
        }
        self.tell(tapped).map_err(ToolFault::Terminal)
    }

    fn tell(&mut self, tapped: &Tapped) -> io::Result<()> {
        if self.args.json {
            serde_json::to_writer(&mut self.out, &FrameDto::of(tapped))?;
            return writeln!(self.out);
        }
        let target = self.targets.iter().find(|target| target.index == tapped.bus);
        let node = target.and_then(|target| target.node(tapped.unit));
        let bus = target.map_or_else(|| format!("bus {}", tapped.bus), |found| found.name.clone());
        let name = node.map_or_else(|| format!("unit {}", tapped.unit), |node| node.name.clone());
        let key = (tapped.bus, tapped.unit);
        let asked = self.asked.get(&key).map(Vec::as_slice);
        let kind = node.map(|node| node.kind);
        let words = describe::frame(kind, tapped, asked);
        if let (What::Request, Some(pdu)) = (tapped.what, tapped.pdu()) {
            self.asked.insert(key, pdu.to_vec());
        }
        let (when, what) = (time::utc(tapped.utc_us), tapped.what.name());
        writeln!(self.out, "{when}  {bus:<8} {name:<10} {what:<9} {words}")
    }

    fn end(mut self) -> Result<(), ToolFault> {
        if let Some((path, pcap)) = self.pcap {
            let fault = |source| ToolFault::File { path: path.clone(), source };
            let written = pcap.finish().map_err(fault)?;
            let file = written.into_inner().map_err(|error| fault(error.into_error()))?;
            file.sync_all().map_err(fault)?;
            let (file, frames) = (path.display().to_string(), self.frames);
            if self.args.json {
                let told = serde_json::json!({
                    "file": file, "frames": frames, "masked": true, "rtu_port": RTU_PORT,
                });
                writeln!(self.out, "{told}").map_err(ToolFault::Terminal)?;
            } else {
                writeln!(self.out, "{file}: {frames} frames, codes masked")
                    .map_err(ToolFault::Terminal)?;
            }
        } else if self.frames == 0 && !self.args.json {
            writeln!(self.out, "no frames: nothing was dumped of this time")
                .map_err(ToolFault::Terminal)?;
        }
        self.out.flush().map_err(ToolFault::Terminal)
    }
}

/// Names of buses and nodes, from the line file that an incident or a journal keeps.
fn targets(path: &Path) -> Vec<Target> {
    let kept = Recording::open(path).and_then(|recording| recording.kept("line"));
    let line = kept.ok().flatten().and_then(|kept| config::check(&kept.name, &kept.bytes).ok());
    line.map(|line| target::described(&line)).unwrap_or_default()
}
