//! Sans-io Modbus master of the line's nodes: bytes to meaning and back.
#![no_std]
