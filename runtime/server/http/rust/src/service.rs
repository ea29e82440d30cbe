// SPDX-License-Identifier: Apache-2.0
//! From a request's head to its answer's end.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, SERVER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{sleep, timeout, Sleep};

use crate::abi;
use crate::config::Config;
use crate::connection::{Activity, Busy};
use crate::reply::{Broken, Head, Reply};
use crate::routes::{allowed, for_method};

/// A body that nobody wants is read up to here, so that its sender comes to read our answer.
const MOST_UNWANTED: u64 = 64 << 20;
const UNWANTED_TIME: Duration = Duration::from_secs(10);
const MOST_RESERVED: u64 = 64 << 10;
const LEFT: u16 = 499;

/// What all requests of a server share.
pub struct Shared {
    pub config: Config,
    pub draining: AtomicBool,
    pub body_bytes: AtomicU64,
    pub requests: AtomicU64,
    pub seed: u64,
}

/// A request as the other side gets it.
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub key_name: String,
    pub request_id: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub route: usize,
    pub connection: u64,
}

/// Follows an answer to its end, and writes it into the log: also when hyper drops it because the client left.
struct Watch {
    shared: Arc<Shared>,
    reply: Option<Arc<Reply>>,
    begun: Instant,
    method: String,
    path: String,
    key_name: String,
    request_id: String,
    status: u16,
    bytes: u64,
    complete: bool,
    _busy: Busy,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(reply) = &self.reply {
            reply.close();
        }
        let record = abi::Answered {
            method: &self.method,
            path: &self.path,
            key_name: &self.key_name,
            request_id: &self.request_id,
            status: if self.complete { self.status } else { LEFT },
            bytes: self.bytes,
            took: self.begun.elapsed(),
        };
        let user = self.reply.as_ref().map_or(std::ptr::null_mut(), |reply| reply.watcher_user());
        abi::record(&self.shared.config, user, &record);
    }
}

pub struct Answer {
    watch: Watch,
    source: Source,
}

enum Source {
    Whole(Bytes),
    Stream { ping: Pin<Box<Sleep>>, every: Duration },
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        let piece = match &mut this.source {
            Source::Whole(bytes) => (!bytes.is_empty()).then(|| std::mem::take(bytes)),
            Source::Stream { ping, every } => {
                let Some(reply) = &this.watch.reply else { return Poll::Ready(None) };
                match reply.poll_piece(context) {
                    Poll::Ready(Err(broken)) => return Poll::Ready(Some(Err(broken))),
                    Poll::Ready(Ok(piece)) => {
                        ping.as_mut().reset(tokio::time::Instant::now() + *every);
                        piece
                    }
                    Poll::Pending if ping.as_mut().poll(context).is_ready() => {
                        ping.as_mut().reset(tokio::time::Instant::now() + *every);
                        let _ = ping.as_mut().poll(context); // who wakes us next time
                        Some(Bytes::from_static(b": ping\n\n"))
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        };
        match piece {
            Some(piece) => {
                this.watch.bytes += piece.remaining() as u64;
                this.watch.complete |= matches!(this.source, Source::Whole(_));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None => {
                this.watch.complete = true;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.source, Source::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Source::Stream { .. } => SizeHint::default(),
        }
    }
}

/// The border's own answer: a status, and a header that goes with it.
struct Refusal(StatusCode, Option<(HeaderName, HeaderValue)>);

impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Refusal {
        Refusal(status, None)
    }
}

pub async fn answer(
    shared: Arc<Shared>,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let (parts, body) = request.into_parts();
    let preflight = parts.method == Method::OPTIONS;
    let request_id = request_id(&shared, &parts.headers);
    let mut watch = Watch {
        shared: shared.clone(),
        reply: None,
        begun: Instant::now(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_string(),
        key_name: String::new(),
        request_id: request_id.clone(),
        status: 0,
        bytes: 0,
        complete: false,
        _busy: Busy::new(&activity),
    };
    let mut cors = HeaderMap::new();
    shared.config.cors.add(&parts.headers, &mut cors, preflight);
    let version = parts.version;
    let head_only = parts.method == Method::HEAD;
    let result = handled(&shared, &activity, &parts, body, &mut watch).await;
    let (status, mut headers, source) = match result {
        Ok(Head::Whole { status, headers, body }) => (status, headers, Source::Whole(body)),
        Ok(Head::Stream { mut headers }) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
            let every = shared.config.times.ping;
            (StatusCode::OK, headers, Source::Stream { ping: Box::pin(sleep(every)), every })
        }
        Err(Refusal(status, extra)) => {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            headers.extend(extra);
            (status, headers, Source::Whole(shared.config.refusal(status)))
        }
    };
    for (name, value) in cors.iter() {
        headers.append(name, value.clone());
    }
    headers.insert(SERVER, HeaderValue::from_static("llcuda"));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", value);
    }
    let closes = status == StatusCode::PAYLOAD_TOO_LARGE || status == StatusCode::REQUEST_TIMEOUT;
    if version < Version::HTTP_2 && (closes || shared.draining.load(Ordering::SeqCst)) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    watch.status = status.as_u16();
    watch.complete = head_only || matches!(&source, Source::Whole(bytes) if bytes.is_empty());
    let mut response = Response::new(Answer { watch, source });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

async fn handled(
    shared: &Arc<Shared>,
    activity: &Arc<Activity>,
    parts: &http::request::Parts,
    body: Incoming,
    watch: &mut Watch,
) -> Result<Head, Refusal> {
    let config = &shared.config;
    let decoded = percent_encoding::percent_decode_str(parts.uri.path()).decode_utf8();
    let Ok(path) = decoded.map(|path| path.into_owned()) else { return Err(StatusCode::BAD_REQUEST.into()) };
    if shared.draining.load(Ordering::SeqCst) {
        return Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, Some((RETRY_AFTER, HeaderValue::from_static("2")))));
    }
    let routes = config.routes.at(&path);
    let allow = HeaderValue::from_str(&allowed(routes)).map(|value| (ALLOW, value)).ok();
    if parts.method == Method::OPTIONS && (path == "*" || !routes.is_empty()) {
        return Ok(Head::Whole { status: StatusCode::OK, headers: allow.into_iter().collect(), body: Bytes::new() });
    }
    // Without a key nobody learns which paths there are.
    if config.keys.wanted() {
        match config.keys.name_of(&parts.headers) {
            Some(name) => watch.key_name = name.to_string(),
            None if !routes.is_empty() && routes.iter().all(|route| !route.needs_key) => {}
            None => {
                let scheme = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                return Err(Refusal(StatusCode::UNAUTHORIZED, Some(scheme)));
            }
        }
    }
    if routes.is_empty() {
        return Err(StatusCode::NOT_FOUND.into());
    }
    let Some(route) = for_method(routes, parts.method.as_str()) else {
        return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, allow));
    };
    let read = read_body(shared, &parts.headers, body).await?;
    let (reply, head) = Reply::new(config.high_water, config.low_water);
    watch.reply = Some(reply.clone());
    let asked = Asked {
        method: route.method.clone(),
        path,
        query: parts.uri.query().unwrap_or_default().to_string(),
        key_name: watch.key_name.clone(),
        request_id: watch.request_id.clone(),
        headers: parts.headers.clone(),
        body: read.bytes,
        route: route.index,
        connection: activity.number,
    };
    let counted = read.counted;
    if route.immediate {
        abi::handle(config, &asked, reply);
        drop(counted);
    } else {
        let shared = shared.clone();
        tokio::task::spawn_blocking(move || {
            abi::handle(&shared.config, &asked, reply);
            drop(counted);
        });
    }
    head.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR.into())
}

/// The client's own, if it can stand in a log; else one of ours.
fn request_id(shared: &Shared, headers: &HeaderMap) -> String {
    if let Some(given) = headers.get("x-request-id").and_then(|value| value.to_str().ok()) {
        if (1..=128).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_graphic()) {
            return given.to_string();
        }
    }
    let number = shared.requests.fetch_add(1, Ordering::Relaxed);
    format!("{:016x}{:016x}", shared.seed, number)
}

struct Read {
    bytes: Vec<u8>,
    counted: Counted,
}

/// Bytes of bodies that are held, of all requests together.
struct Counted {
    shared: Arc<Shared>,
    bytes: u64,
}

impl Counted {
    /// False: there would be too many.
    fn add(&mut self, bytes: u64) -> bool {
        self.bytes += bytes;
        let all = self.shared.body_bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        all <= self.shared.config.all_body_bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.body_bytes.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

async fn read_body(shared: &Arc<Shared>, headers: &HeaderMap, mut body: Incoming) -> Result<Read, Refusal> {
    let limit = shared.config.body_bytes;
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok()).unwrap_or(0);
    if announced > limit {
        tokio::spawn(read_unwanted(body));
        return Err(StatusCode::PAYLOAD_TOO_LARGE.into());
    }
    let mut read = Read {
        bytes: Vec::with_capacity(announced.min(MOST_RESERVED) as usize),
        counted: Counted { shared: shared.clone(), bytes: 0 },
    };
    let outcome = timeout(shared.config.times.body, async {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Err(StatusCode::BAD_REQUEST.into()) };
            let Some(data) = frame.data_ref() else { continue };
            if (read.bytes.len() + data.len()) as u64 > limit {
                return Err(StatusCode::PAYLOAD_TOO_LARGE.into());
            }
            if !read.counted.add(data.len() as u64) {
                let later = (RETRY_AFTER, HeaderValue::from_static("1"));
                return Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, Some(later)));
            }
            read.bytes.extend_from_slice(data);
        }
        Ok(())
    })
    .await;
    match outcome {
        Ok(Ok(())) => Ok(read),
        Ok(Err(refusal)) => {
            if !body.is_end_stream() {
                tokio::spawn(read_unwanted(body));
            }
            Err(refusal)
        }
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into()),
    }
}

async fn read_unwanted(mut body: Incoming) {
    let mut bytes = 0;
    let _ = timeout(UNWANTED_TIME, async {
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            if bytes > MOST_UNWANTED {
                break;
            }
        }
    })
    .await; // whichever end comes first
}
