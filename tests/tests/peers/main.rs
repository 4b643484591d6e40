//! Modbus peers that we did not write, against our server and our master: real processes, loopback
//! sockets and pseudo-terminals. `cargo xtask setup` installs them.

mod cable;
mod libmodbus;
mod master;
mod mbpoll;
mod ours;
mod places;
mod python;
mod real_run;
mod recorded;
mod server_faults;
mod tshark;
mod unit_test_client;
