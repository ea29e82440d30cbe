// SPDX-License-Identifier: Apache-2.0
//! API keys: hashes of both sides are compared, all keys each time, so that times say nothing about them.

use http::header::AUTHORIZATION;
use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

pub struct Keys {
    known: Vec<([u8; 32], String)>,
}

impl Keys {
    /// Of (name, secret).
    pub fn new(keys: impl Iterator<Item = (String, Vec<u8>)>) -> Keys {
        Keys { known: keys.map(|(name, secret)| (Sha256::digest(&secret).into(), name)).collect() }
    }

    pub fn wanted(&self) -> bool {
        !self.known.is_empty()
    }

    /// The name of the key in `Authorization: Bearer` or `X-Api-Key`.
    pub fn name_of(&self, headers: &HeaderMap) -> Option<&str> {
        let shown: [u8; 32] = Sha256::digest(shown_key(headers)?).into();
        let mut found = u64::MAX;
        for (index, (hash, _)) in self.known.iter().enumerate() {
            found.conditional_assign(&(index as u64), hash.ct_eq(&shown));
        }
        self.known.get(usize::try_from(found).ok()?).map(|(_, name)| name.as_str())
    }
}

fn shown_key(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let value = value.as_bytes();
        if value.len() > 7 && value[..7].eq_ignore_ascii_case(b"bearer ") {
            return Some(value[7..].trim_ascii());
        }
    }
    headers.get("x-api-key").map(|value| value.as_bytes())
}
