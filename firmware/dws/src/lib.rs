//! Weighing and measuring node logic.
#![no_std]
