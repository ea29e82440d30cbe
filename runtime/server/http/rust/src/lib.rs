// SPDX-License-Identifier: Apache-2.0
//! HTTP/1.1 and HTTP/2 behind the C ABI of `http_abi.h`: connections, limits, times, keys, CORS. What is asked and
//! answered is the other side's business.
//!
//! Errors are values; a panic is caught at the border; nothing here prints.

mod abi;
mod config;
mod connection;
mod cors;
mod keys;
mod listen;
mod reply;
mod routes;
mod server;
mod service;
