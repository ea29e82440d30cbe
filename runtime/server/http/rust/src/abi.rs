// SPDX-License-Identifier: Apache-2.0
//! The functions of `http_abi.h`, and its callbacks.

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::config::{Config, Times, User};
use crate::cors::Cors;
use crate::keys::Keys;
use crate::reply::{Reply, Watcher};
use crate::routes::{Route, Routes};
use crate::server::{Server, Threads};
use crate::service::Asked;

pub const CLOSED: i32 = 1;
pub const DRAINED: i32 = 2;

pub type Handle = unsafe extern "C" fn(*mut c_void, *const RequestC, *const Reply);
pub type Record = unsafe extern "C" fn(*mut c_void, *mut c_void, *const RecordC);
pub type Event = unsafe extern "C" fn(*mut c_void, i32);
pub type Destroy = unsafe extern "C" fn(*mut c_void);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    data: *const u8,
    size: usize,
}

impl Text {
    fn of(bytes: &[u8]) -> Text {
        Text { data: bytes.as_ptr(), size: bytes.len() }
    }

    /// # Safety
    /// The memory is the caller's and stays during the call.
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        list(self.data, self.size)
    }

    unsafe fn string(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// # Safety
/// As for `Text::bytes`.
unsafe fn list<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if size == 0 {
        return &[];
    }
    slice::from_raw_parts(data, size)
}

#[repr(C)]
pub struct HeaderC {
    name: Text,
    value: Text,
}

#[repr(C)]
pub struct RouteC {
    method: Text,
    path: Text,
    needs_key: i32,
    immediate: i32,
}

#[repr(C)]
pub struct RefusalC {
    status: i32,
    body: Text,
}

#[repr(C)]
pub struct RequestC {
    method: Text,
    path: Text,
    query: Text,
    body: Text,
    key_name: Text,
    request_id: Text,
    headers: *const HeaderC,
    header_count: usize,
    route: usize,
    connection: u64,
}

#[repr(C)]
pub struct RecordC {
    method: Text,
    path: Text,
    key_name: Text,
    request_id: Text,
    status: i32,
    bytes: u64,
    nanoseconds: u64,
}

#[repr(C)]
pub struct OptionsC {
    hosts: *const Text,
    host_count: usize,
    port: u16,
    io_threads: u32,
    handler_threads: u32,
    routes: *const RouteC,
    route_count: usize,
    keys: *const HeaderC,
    key_count: usize,
    refusals: *const RefusalC,
    refusal_count: usize,
    cors_origins: *const Text,
    cors_origin_count: usize,
    cors_methods: Text,
    cors_headers: Text,
    cors_credentials: i32,
    body_bytes: u64,
    all_body_bytes: u64,
    header_seconds: u32,
    body_seconds: u32,
    idle_seconds: u32,
    stall_seconds: u32,
    ping_seconds: u32,
    connections: u32,
    high_water: usize,
    low_water: usize,
    handle: Handle,
    record: Record,
    user: *mut c_void,
}

/// An answer that is over.
pub struct Answered<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub key_name: &'a str,
    pub request_id: &'a str,
    pub status: u16,
    pub bytes: u64,
    pub took: Duration,
}

pub fn record(config: &Config, reply_user: *mut c_void, answered: &Answered) {
    let record = RecordC {
        method: Text::of(answered.method.as_bytes()),
        path: Text::of(answered.path.as_bytes()),
        key_name: Text::of(answered.key_name.as_bytes()),
        request_id: Text::of(answered.request_id.as_bytes()),
        status: i32::from(answered.status),
        bytes: answered.bytes,
        nanoseconds: answered.took.as_nanos() as u64,
    };
    unsafe { (config.record)(config.user.0, reply_user, &record) }
}

/// Hands a request over, with a share of its reply.
pub fn handle(config: &Config, asked: &Asked, reply: Arc<Reply>) {
    let headers: Vec<HeaderC> = asked
        .headers
        .iter()
        .map(|(name, value)| HeaderC { name: Text::of(name.as_str().as_bytes()), value: Text::of(value.as_bytes()) })
        .collect();
    let request = RequestC {
        method: Text::of(asked.method.as_bytes()),
        path: Text::of(asked.path.as_bytes()),
        query: Text::of(asked.query.as_bytes()),
        body: Text::of(&asked.body),
        key_name: Text::of(asked.key_name.as_bytes()),
        request_id: Text::of(asked.request_id.as_bytes()),
        headers: headers.as_ptr(),
        header_count: headers.len(),
        route: asked.route,
        connection: asked.connection,
    };
    unsafe { (config.handle)(config.user.0, &request, Arc::into_raw(reply)) }
}

unsafe fn config_of(options: &OptionsC) -> Result<Config, String> {
    let mut routes = Routes::default();
    for (index, route) in list(options.routes, options.route_count).iter().enumerate() {
        let (needs_key, immediate) = (route.needs_key != 0, route.immediate != 0);
        routes.add(&route.path.string(), Route { method: route.method.string(), needs_key, immediate, index });
    }
    let keys = list(options.keys, options.key_count).iter();
    let header = |text: Text, what| {
        HeaderValue::from_bytes(text.bytes()).map_err(|_| format!("{what} has letters that no header may have"))
    };
    let mut refusals = Vec::new();
    for refusal in list(options.refusals, options.refusal_count) {
        let status = StatusCode::from_u16(refusal.status as u16).map_err(|error| error.to_string())?;
        refusals.push((status, Bytes::copy_from_slice(refusal.body.bytes())));
    }
    let seconds = |number: u32| Duration::from_secs(u64::from(number));
    Ok(Config {
        routes,
        keys: Keys::new(keys.map(|key| (key.name.string(), key.value.bytes().to_vec()))),
        cors: Cors {
            origins: list(options.cors_origins, options.cors_origin_count).iter().map(|text| text.string()).collect(),
            methods: header(options.cors_methods, "the list of methods for other origins")?,
            headers: header(options.cors_headers, "the list of headers for other origins")?,
            credentials: options.cors_credentials != 0,
        },
        times: Times {
            header: seconds(options.header_seconds),
            body: seconds(options.body_seconds),
            idle: seconds(options.idle_seconds),
            stall: seconds(options.stall_seconds),
            ping: seconds(options.ping_seconds),
        },
        body_bytes: options.body_bytes,
        all_body_bytes: options.all_body_bytes,
        high_water: options.high_water,
        low_water: options.low_water,
        refusals,
        handle: options.handle,
        record: options.record,
        user: User(options.user),
    })
}

unsafe fn start(options: &OptionsC) -> Result<Server, String> {
    let hosts: Vec<String> = list(options.hosts, options.host_count).iter().map(|host| host.string()).collect();
    let threads = Threads { io: options.io_threads as usize, handlers: options.handler_threads as usize };
    Server::start(config_of(options)?, &hosts, options.port, threads, options.connections)
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_start(
    options: *const OptionsC,
    out: *mut *mut Server,
    error: *mut u8,
    capacity: usize,
) -> i32 {
    let result = catch_unwind(AssertUnwindSafe(|| start(&*options)));
    match result.unwrap_or_else(|_| Err("the server cannot be started".to_string())) {
        Ok(server) => {
            *out = Box::into_raw(Box::new(server));
            0
        }
        Err(sentence) => {
            if capacity != 0 {
                let bytes = &sentence.as_bytes()[..sentence.len().min(capacity - 1)];
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), error, bytes.len());
                *error.add(bytes.len()) = 0;
            }
            1
        }
    }
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_port(server: *const Server) -> u16 {
    (*server).port()
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_drain(server: *const Server) {
    (*server).drain();
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_wait(server: *const Server, milliseconds: u64) -> i32 {
    let waited = catch_unwind(AssertUnwindSafe(|| (*server).wait(Duration::from_millis(milliseconds))));
    i32::from(!waited.unwrap_or(false))
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_stop(server: *mut Server) {
    let _ = catch_unwind(AssertUnwindSafe(|| Box::from_raw(server).stop())); // stopped as far as it goes
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_reply_watch(reply: *const Reply, event: Event, destroy: Destroy, user: *mut c_void) {
    (*reply).watch(Watcher { event, destroy, user });
}

/// Headers that HTTP does not allow are left out: no answer breaks off for them.
unsafe fn headers_of(headers: *const HeaderC, count: usize) -> HeaderMap {
    let mut map = HeaderMap::new();
    for header in list(headers, count) {
        let name = HeaderName::from_bytes(header.name.bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(header.value.bytes())) {
            map.append(name, value);
        }
    }
    map
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_reply_send(
    reply: *const Reply,
    status: i32,
    kind: Text,
    body: Text,
    headers: *const HeaderC,
    count: usize,
) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let mut headers = headers_of(headers, count);
        if let Ok(value) = HeaderValue::from_bytes(kind.bytes()) {
            headers.insert(CONTENT_TYPE, value);
        }
        let status = StatusCode::from_u16(status as u16).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (*reply).send(status, headers, Bytes::copy_from_slice(body.bytes()));
    })); // without an answer the reply's end makes one
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_reply_begin_stream(reply: *const Reply, headers: *const HeaderC, count: usize) {
    let _ = catch_unwind(AssertUnwindSafe(|| (*reply).begin_stream(headers_of(headers, count))));
    // as above
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_reply_write(reply: *const Reply, bytes: Text) -> i32 {
    i32::from(catch_unwind(AssertUnwindSafe(|| (*reply).write(bytes.bytes()))).unwrap_or(false))
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_reply_end(reply: *const Reply) {
    let _ = catch_unwind(AssertUnwindSafe(|| (*reply).end())); // as above
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_reply_pending(reply: *const Reply) -> usize {
    (*reply).pending()
}

#[no_mangle]
unsafe extern "C" fn llcuda_http_reply_free(reply: *const Reply) {
    let reply = Arc::from_raw(reply);
    let _ = catch_unwind(AssertUnwindSafe(|| reply.abandon())); // as above
}
