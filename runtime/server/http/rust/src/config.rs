// SPDX-License-Identifier: Apache-2.0
//! What the server was started with.

use std::ffi::c_void;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use crate::abi::{Handle, Record};
use crate::cors::Cors;
use crate::keys::Keys;
use crate::routes::Routes;

pub struct Times {
    pub header: Duration,
    pub body: Duration,
    pub idle: Duration,
    pub stall: Duration,
    pub ping: Duration,
}

pub struct Config {
    pub routes: Routes,
    pub keys: Keys,
    pub cors: Cors,
    pub times: Times,
    pub body_bytes: u64,
    pub all_body_bytes: u64,
    pub high_water: usize,
    pub low_water: usize,
    pub refusals: Vec<(StatusCode, Bytes)>,
    pub handle: Handle,
    pub record: Record,
    pub user: User,
}

impl Config {
    /// The body of an answer of the border itself; empty where none was given for the status.
    pub fn refusal(&self, status: StatusCode) -> Bytes {
        self.refusals.iter().find(|(known, _)| *known == status).map(|(_, body)| body.clone()).unwrap_or_default()
    }
}

/// The other side's pointer, which goes back with each call.
#[derive(Clone, Copy)]
pub struct User(pub *mut c_void);

// The contract of http_abi.h: callbacks may come from any thread.
unsafe impl Send for User {}
unsafe impl Sync for User {}
