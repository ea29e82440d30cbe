// SPDX-License-Identifier: Apache-2.0
//! Which pages of other origins may read answers. Without origins no answer says anything about it.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue};

pub struct Cors {
    /// "*", "localhost" (any port of this machine) or whole origins.
    pub origins: Vec<String>,
    pub methods: HeaderValue,
    pub headers: HeaderValue,
    pub credentials: bool,
}

impl Cors {
    pub fn add(&self, request: &HeaderMap, answer: &mut HeaderMap, preflight: bool) {
        if self.origins.is_empty() {
            return;
        }
        answer.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(ORIGIN) else { return };
        if !self.allows(origin.as_bytes()) {
            return;
        }
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials {
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if preflight {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
        }
    }

    fn allows(&self, origin: &[u8]) -> bool {
        self.origins.iter().any(|known| match known.as_str() {
            "*" => true,
            "localhost" => is_local(origin),
            whole => whole.as_bytes() == origin,
        })
    }
}

/// `http[s]://localhost`, `127.0.0.1` or `[::1]`, with or without a port.
fn is_local(origin: &[u8]) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else { return false };
    let Some(authority) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) else {
        return false;
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
        authority.strip_prefix(host).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}
