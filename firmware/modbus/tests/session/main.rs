//! The serial master: case by case, its echo, and on a simulated line.

mod bench;
mod cases;
mod echo;
mod line;
