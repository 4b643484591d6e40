//! Modbus codec, server core and sans-io RTU master.
#![no_std]
