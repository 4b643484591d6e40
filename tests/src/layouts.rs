//! Generated lines: the example line with any number of beds and chutes.

use crate::inputs::Inputs;
use std::path::Path;
use toml::{Table, Value};

const CARRIERS: [&str; 7] = ["ZTO", "YTO", "SF", "STO", "YUNDA", "JT", "POST"];
/// Diverters on one serial segment.
const SEGMENT: usize = 8;
fn read(path: &Path) -> Table {
    std::fs::read_to_string(path).expect("an example").parse().expect("TOML")
}

fn list<'a>(table: &'a mut Table, key: &str) -> &'a mut Vec<Value> {
    table.get_mut(key).and_then(Value::as_array_mut).expect("a list of tables")
}

fn put(table: &mut Value, key: &str, value: impl Into<Value>) {
    table.as_table_mut().expect("a table").insert(key.to_owned(), value.into());
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).expect("small")
}

/// The example line with this many chutes, two at a bed, beds this far apart.
fn line(example: &Path, chutes: usize, pitch: i64) -> Table {
    let mut line = read(example);
    let beds = chutes.div_ceil(2);
    let bus = list(&mut line, "bus")[0].clone();
    for segment in 0..beds.div_ceil(SEGMENT) {
        let mut bus = bus.clone();
        put(&mut bus, "name", format!("beds{segment}"));
        put(&mut bus, "port", format!("/dev/ttyUSB{}", segment + 1));
        list(&mut line, "bus").push(bus);
    }
    let nodes = list(&mut line, "node");
    let is_bed = |node: &Value| node["kind"].as_str() == Some("diverter");
    let node = nodes.iter().find(|node| is_bed(node)).expect("a bed's node").clone();
    nodes.retain(|node| !is_bed(node));
    let bed = list(&mut line, "diverter")[0].clone();
    list(&mut line, "diverter").clear();
    list(&mut line, "chute").clear();
    for number in 0..beds {
        let (name, back) = (format!("D{}", number + 1), pitch * whole(number));
        let mut node = node.clone();
        put(&mut node, "name", name.clone());
        put(&mut node, "bus", format!("beds{}", number / SEGMENT));
        put(&mut node, "unit", 11 + whole(number % SEGMENT));
        list(&mut line, "node").push(node);
        let mut bed = bed.clone();
        put(&mut bed, "name", name.clone());
        put(&mut bed, "node", name);
        put(&mut bed, "eye_at_mm", 4_450 + back);
        put(&mut bed, "bed_from_mm", 4_900 + back);
        for (side, chute) in [("left", 2 * number + 1), ("right", 2 * number + 2)] {
            if chute > chutes {
                bed.as_table_mut().expect("a table").remove(side);
                continue;
            }
            put(&mut bed, side, whole(chute));
            let role = match chutes - chute {
                1 if chutes >= 12 => "general_exceptions",
                0 if chutes >= 12 => "quarantine",
                _ => "sort",
            };
            let mut row = Value::Table(Table::new());
            put(&mut row, "number", whole(chute));
            put(&mut row, "role", role);
            list(&mut line, "chute").push(row);
        }
        list(&mut line, "diverter").push(bed);
    }
    let end = 4_900 + pitch * whole(beds - 1) + 1_400;
    put(&mut line["end"], "eye_at_mm", end);
    put(&mut line["end"], "drop_at_mm", end + 300);
    put(&mut list(&mut line, "zone")[2], "to_mm", end + 300);
    // What slips by a share of its way needs gaps that grow with the way.
    put(&mut line["gap"], "sigma_mm", 60 + 2 * (end - 14_300).max(0) / 1_000);
    put(&mut line["tracking"], "in_flight_max", (20 + end / 900).min(200));
    line
}

fn plant(example: &Path, beds: usize) -> Table {
    let mut plant = read(example);
    let kinds = list(&mut plant, "bed").clone();
    list(&mut plant, "bed").clear();
    for number in 0..beds {
        let mut bed = kinds[number % kinds.len()].clone();
        put(&mut bed, "diverter", format!("D{}", number + 1));
        list(&mut plant, "bed").push(bed);
    }
    plant
}

/// Every carrier's parcels in turn to its chutes.
fn plan(sorting: usize) -> String {
    let mut text = "[plan]\nname = \"generated\"\nversion = 1\n".to_owned();
    for chute in 1..=sorting {
        text += &format!("[[chute]]\nlogical = \"L{chute}\"\nphysical = {chute}\n");
    }
    for (number, carrier) in CARRIERS.iter().enumerate().take(sorting) {
        let own = (1..=sorting).filter(|chute| (chute - 1) % CARRIERS.len() == number);
        let own: Vec<String> = own.map(|chute| format!("\"L{chute}\"")).collect();
        text += &format!(
            "[[rule]]\ncarrier = \"{carrier}\"\nprefix = \"\"\nchutes = [{}]\n\
             allocation = \"round_robin\"\n",
            own.join(", ")
        );
    }
    text
}

/// Writes a line of this many chutes, beds `pitch_mm` apart, with its plant and plan into `dir`.
///
/// # Panics
/// When the example files are not what they are, or the directory cannot be written.
pub fn generated(dir: &Path, chutes: usize, pitch_mm: i64, parcels: u64) -> Inputs {
    let example = Inputs::demo(parcels, 7);
    let dir = dir.join(format!("layout-{chutes}-{pitch_mm}"));
    std::fs::create_dir_all(&dir).expect("a directory");
    let write = |name: &str, text: String| {
        let path = dir.join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let sorting = if chutes >= 12 { chutes - 2 } else { chutes };
    Inputs {
        line: write("line.toml", line(&example.line, chutes, pitch_mm).to_string()),
        plant: write("plant.toml", plant(&example.plant, chutes.div_ceil(2)).to_string()),
        plan: write("plan.toml", plan(sorting)),
        ..example
    }
}
