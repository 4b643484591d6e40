//! Barcode scanner node logic.
#![no_std]
