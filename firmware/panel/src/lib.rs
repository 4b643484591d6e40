//! Operator panel node logic.
#![no_std]
