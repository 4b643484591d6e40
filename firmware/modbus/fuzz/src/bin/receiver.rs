//! Fuzzes the body of the same name; see `bodies`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| modbus_fuzz::receiver(data));
