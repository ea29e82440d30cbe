// SPDX-License-Identifier: Apache-2.0
//! Accepts connections, and lets them end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::runtime::Runtime;
use tokio::sync::{watch, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::connection::{Activity, Limits, Stream, Timed};
use crate::listen::{listen, Listener};
use crate::service::{answer, Shared};

const HEAD_BYTES: usize = 64 * 1024;
const MOST_HEADERS: usize = 100;
const HTTP2_STREAMS: u32 = 64;

pub struct Server {
    runtime: Runtime,
    shared: Arc<Shared>,
    drain: watch::Sender<bool>,
    /// All permits are there when no connection is open.
    places: Arc<Semaphore>,
    connections: u32,
    port: u16,
}

/// What every connection gets.
struct Door {
    shared: Arc<Shared>,
    limits: Arc<Limits>,
    builder: Builder<TokioExecutor>,
    drain: watch::Receiver<bool>,
    numbers: AtomicU64,
}

pub struct Threads {
    pub io: usize,
    pub handlers: usize,
}

impl Server {
    pub fn start(
        config: Config,
        hosts: &[String],
        port: u16,
        threads: Threads,
        connections: u32,
    ) -> Result<Server, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.io.max(1))
            .max_blocking_threads(threads.handlers.max(1))
            .thread_name("llcuda-http")
            .enable_all()
            .build()
            .map_err(|error| format!("threads cannot be started: {error}"))?;
        let listeners = {
            let _inside = runtime.enter();
            listen(hosts, port)?
        };
        let port = listeners.first().map_or(0, Listener::port);
        let shared = Arc::new(Shared {
            config,
            draining: AtomicBool::new(false),
            body_bytes: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            seed: random_number(),
        });
        let places = Arc::new(Semaphore::new(connections as usize));
        let (drain, draining) = watch::channel(false);
        let door = Arc::new(Door::new(shared.clone(), draining));
        for listener in listeners {
            runtime.spawn(accept_all(listener, door.clone(), places.clone()));
        }
        Ok(Server { runtime, shared, drain, places, connections, port })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::SeqCst);
        self.drain.send_replace(true);
    }

    /// True when all connections have closed.
    pub fn wait(&self, time: Duration) -> bool {
        let all = self.places.clone().acquire_many_owned(self.connections);
        self.runtime.block_on(async { timeout(time, all).await.is_ok() })
    }

    pub fn stop(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(5));
    }
}

impl Door {
    fn new(shared: Arc<Shared>, drain: watch::Receiver<bool>) -> Door {
        let mut builder = Builder::new(TokioExecutor::new());
        // Heads have their time from connection.rs, where keep-alive is told from a head that does not end.
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_buf_size(HEAD_BYTES)
            .max_headers(MOST_HEADERS)
            .title_case_headers(true); // some clients look for names letter by letter
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(HTTP2_STREAMS)
            .max_header_list_size(HEAD_BYTES as u32)
            .max_send_buf_size(HEAD_BYTES)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        let times = &shared.config.times;
        let limits = Limits {
            header: times.header,
            idle: times.idle,
            stall: times.stall,
            timed_out: timed_out_answer(&shared.config),
        };
        Door { shared, limits: Arc::new(limits), builder, drain, numbers: AtomicU64::new(1) }
    }
}

fn timed_out_answer(config: &Config) -> Arc<[u8]> {
    let body = config.refusal(StatusCode::REQUEST_TIMEOUT);
    let mut answer = format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    answer.into()
}

async fn accept_all(listener: Listener, door: Arc<Door>, places: Arc<Semaphore>) {
    let mut drain = door.drain.clone();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        tokio::select! {
            () = draining(&mut drain) => return,
            accepted = listener.accept() => match accepted {
                Ok(stream) => {
                    tokio::spawn(serve(stream, door.clone(), place));
                }
                // No descriptors left, or a client that is gone already: neither ends the server.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
}

async fn serve(stream: Stream, door: Arc<Door>, _place: OwnedSemaphorePermit) {
    let activity = Activity::new(door.numbers.fetch_add(1, Ordering::Relaxed));
    let timed = TokioIo::new(Timed::new(stream, activity.clone(), door.limits.clone()));
    let service = service_fn(|request| answer(door.shared.clone(), activity.clone(), request));
    let connection = door.builder.serve_connection(timed, service);
    tokio::pin!(connection);
    let mut drain = door.drain.clone();
    // How a connection ends is its client's affair: requests that did not end know it by their answers' drop.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = draining(&mut drain) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Returns when the drain has begun, or the server is gone.
async fn draining(drain: &mut watch::Receiver<bool>) {
    let _ = drain.wait_for(|draining| *draining).await; // an error: gone
}

/// Differs from start to start; of the hash maps' own randomness.
fn random_number() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
