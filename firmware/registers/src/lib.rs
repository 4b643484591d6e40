//! The wire contract: register maps, exchange blocks, ring events.
#![no_std]
