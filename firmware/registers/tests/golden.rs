//! Words of released map versions; a version's file is never edited after its release.

#[path = "versions/v01.rs"]
mod v01;
#[path = "versions/v02.rs"]
mod v02;
#[path = "versions/v03.rs"]
mod v03;
