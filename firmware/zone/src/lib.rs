//! Conveyor zone node logic.
#![no_std]
