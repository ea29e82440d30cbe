// SPDX-License-Identifier: Apache-2.0
//! An answer on its way: what the other side has written, and what the connection has taken of it.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use tokio::sync::oneshot;

use crate::abi::{Destroy, Event, CLOSED, DRAINED};

/// What goes to a connection at once: what it has not taken stays with us, where it is counted.
const PIECE: usize = 16 * 1024;
/// A stream whose writer does not wait for slow readers ends here.
const MOST_PENDING: usize = 8 * 1024 * 1024;

/// How an answer begins.
pub enum Head {
    Whole { status: StatusCode, headers: HeaderMap, body: Bytes },
    Stream { headers: HeaderMap },
}

#[derive(PartialEq, Clone, Copy)]
enum Phase {
    Waiting,
    Streaming,
    Finished,
}

struct State {
    phase: Phase,
    head: Option<oneshot::Sender<Head>>,
    buffer: BytesMut,
    above_high: bool,
    broken: bool,
    waker: Option<Waker>,
}

/// Who is told of events, and what is given back when the reply is nobody's.
pub struct Watcher {
    pub event: Event,
    pub destroy: Destroy,
    pub user: *mut c_void,
}

// The contract of http_abi.h: callbacks may come from any thread.
unsafe impl Send for Watcher {}
unsafe impl Sync for Watcher {}

impl Drop for Watcher {
    fn drop(&mut self) {
        unsafe { (self.destroy)(self.user) }
    }
}

pub struct Reply {
    state: Mutex<State>,
    watcher: OnceLock<Watcher>,
    gone: AtomicBool,
    told: AtomicBool,
    high_water: usize,
    low_water: usize,
}

impl Reply {
    pub fn new(high_water: usize, low_water: usize) -> (Arc<Reply>, oneshot::Receiver<Head>) {
        let (head, receiver) = oneshot::channel();
        let state = State {
            phase: Phase::Waiting,
            head: Some(head),
            buffer: BytesMut::new(),
            above_high: false,
            broken: false,
            waker: None,
        };
        let reply = Reply {
            state: Mutex::new(state),
            watcher: OnceLock::new(),
            gone: AtomicBool::new(false),
            told: AtomicBool::new(false),
            high_water,
            low_water,
        };
        (Arc::new(reply), receiver)
    }

    /// Whoever panicked with the lock held left a state that is whole: every change is a single step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn watch(&self, watcher: Watcher) {
        if self.watcher.set(watcher).is_ok() && self.gone.load(Ordering::SeqCst) {
            self.tell_closed();
        }
    }

    pub fn watcher_user(&self) -> *mut c_void {
        self.watcher.get().map_or(std::ptr::null_mut(), |watcher| watcher.user)
    }

    fn tell(&self, event: i32) {
        if let Some(watcher) = self.watcher.get() {
            unsafe { (watcher.event)(watcher.user, event) }
        }
    }

    fn tell_closed(&self) {
        if self.watcher.get().is_some() && !self.told.swap(true, Ordering::SeqCst) {
            self.tell(CLOSED);
        }
    }

    pub fn send(&self, status: StatusCode, headers: HeaderMap, body: Bytes) {
        let mut state = self.lock();
        if state.phase != Phase::Waiting {
            return;
        }
        state.phase = Phase::Finished;
        if let Some(head) = state.head.take() {
            let _ = head.send(Head::Whole { status, headers, body }); // an error: the client is gone
        }
    }

    pub fn begin_stream(&self, headers: HeaderMap) {
        let mut state = self.lock();
        if state.phase != Phase::Waiting {
            return;
        }
        state.phase = Phase::Streaming;
        if let Some(head) = state.head.take() {
            let _ = head.send(Head::Stream { headers }); // an error: the client is gone
        }
    }

    /// False: nobody reads any more.
    pub fn write(&self, bytes: &[u8]) -> bool {
        let mut state = self.lock();
        if state.phase != Phase::Streaming || self.gone.load(Ordering::SeqCst) {
            return false;
        }
        if state.buffer.len() + bytes.len() > MOST_PENDING {
            state.broken = true;
        } else {
            state.buffer.extend_from_slice(bytes);
            state.above_high |= state.buffer.len() > self.high_water;
        }
        let broken = state.broken;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        !broken
    }

    pub fn end(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Streaming {
            state.phase = Phase::Finished;
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn pending(&self) -> usize {
        self.lock().buffer.len()
    }

    /// The writer has let it go.
    pub fn abandon(&self) {
        let mut state = self.lock();
        drop(state.head.take());
        state.broken |= state.phase == Phase::Streaming;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The client has left. Tells it unless the answer was complete on our side.
    pub fn close(&self) {
        let mut state = self.lock();
        self.gone.store(true, Ordering::SeqCst);
        let finished = state.phase == Phase::Finished;
        state.buffer = BytesMut::new();
        state.waker = None;
        drop(state);
        if !finished {
            self.tell_closed();
        }
    }

    /// The next piece of a stream, None at its end.
    pub fn poll_piece(&self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        let mut state = self.lock();
        if state.broken && (state.buffer.is_empty() || state.buffer.len() > self.high_water) {
            return Poll::Ready(Err(Broken));
        }
        if state.buffer.is_empty() {
            if state.phase == Phase::Finished {
                return Poll::Ready(Ok(None));
            }
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        let length = state.buffer.len().min(PIECE);
        let piece = state.buffer.split_to(length).freeze();
        let drained = state.above_high && state.buffer.len() <= self.low_water;
        state.above_high &= !drained;
        drop(state);
        if drained {
            self.tell(DRAINED);
        }
        Poll::Ready(Ok(Some(piece)))
    }
}

/// A stream that its writer left without an end.
#[derive(Debug)]
pub struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the stream was broken off")
    }
}

impl std::error::Error for Broken {}
