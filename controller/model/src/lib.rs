//! The line: tracking, routing, diverting, PackML, without wire or clock.
#![no_std]
