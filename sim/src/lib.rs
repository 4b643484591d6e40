//! The simulated line: plant, virtual nodes and the wire, in deterministic virtual time.
//!
//! Owns what is physically true (`plant`, [`Truth`]) and the stations in which the real node crates
//! run (`nodes`). Knows nothing of the controller but the line file's shapes: what the controller
//! believes never reaches the truth. Start reading at [`World`].

pub mod blueprint;
pub mod bridge;
pub mod items;
pub mod manifest;
pub mod nodes;
pub mod plant;
pub mod plant_file;
pub mod profile;
pub mod rng;
pub mod scenario;
pub mod truth;
pub mod world;

pub use blueprint::SetupError;
pub use bridge::{Bridge, Faults, FaultsError};
pub use items::{Item, ManifestError, read_manifest};
pub use plant::feed::Feed;
pub use plant_file::{PlantFile, PlantFileError};
pub use scenario::{Scenario, ScenarioError};
pub use truth::{
    BedFault, Contact, Happened, Packaging, Place, ReadTruth, Truth, TruthLine, TruthParcel, With,
};
pub use world::{Answer, Button, ForHost, PortChange, World, WorldSetup};
