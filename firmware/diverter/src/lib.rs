//! Wheel diverter node logic.
#![no_std]
