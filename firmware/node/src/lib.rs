//! What every node shares: server, exchange, event ring, armed queue, lease, debounce.
#![no_std]
