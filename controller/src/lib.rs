//! The daemon: buses, journal, screens.
