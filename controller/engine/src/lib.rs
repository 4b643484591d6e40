//! Joins links and line; forms journal records.
#![no_std]
