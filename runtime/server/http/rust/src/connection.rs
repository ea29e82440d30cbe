// SPDX-License-Identifier: Apache-2.0
//! A connection with a sense of time: heads that do not come, readers that do not read, clients that say nothing.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, Instant, Sleep};

pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What the requests of a connection and its stream know of each other.
#[derive(Default)]
pub struct Activity {
    pub number: u64,
    begun: AtomicU64,
    running: AtomicUsize,
}

impl Activity {
    pub fn new(number: u64) -> Arc<Activity> {
        Arc::new(Activity { number, ..Activity::default() })
    }
}

/// While it lives a request of the connection is being answered.
pub struct Busy(Arc<Activity>);

impl Busy {
    pub fn new(activity: &Arc<Activity>) -> Busy {
        activity.running.fetch_add(1, Ordering::SeqCst);
        activity.begun.fetch_add(1, Ordering::SeqCst);
        Busy(activity.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

pub struct Limits {
    pub header: Duration,
    pub idle: Duration,
    pub stall: Duration,
    pub timed_out: Arc<[u8]>, // the answer to a head that does not end
}

pub struct Timed {
    stream: Stream,
    activity: Arc<Activity>,
    limits: Arc<Limits>,
    first_bytes: bool,
    http2: bool,
    /// Bytes of a head have come, and no request of it.
    in_head: bool,
    begun: u64,
    silence: Pin<Box<Sleep>>,
    stall: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    pub fn new(stream: Stream, activity: Arc<Activity>, limits: Arc<Limits>) -> Timed {
        let silence = Box::pin(sleep(limits.header));
        Timed {
            stream,
            activity,
            limits,
            first_bytes: true,
            http2: false,
            in_head: false,
            begun: 0,
            silence,
            stall: None,
        }
    }

    /// Requests have begun since the last look: what was read was theirs.
    fn follow_requests(&mut self) {
        let begun = self.activity.begun.load(Ordering::SeqCst);
        if begun != self.begun || self.activity.running.load(Ordering::SeqCst) != 0 {
            self.begun = begun;
            self.in_head = false;
            self.silence.as_mut().reset(Instant::now() + self.limits.idle);
        }
    }

    fn note_bytes(&mut self, bytes: &[u8]) {
        if std::mem::take(&mut self.first_bytes) {
            self.http2 = bytes.starts_with(b"PRI");
        }
        self.follow_requests();
        if self.activity.running.load(Ordering::SeqCst) == 0 && !self.in_head {
            self.in_head = true;
            self.silence.as_mut().reset(Instant::now() + self.limits.header);
        }
    }

    /// Ready when the client has been waited for long enough. HTTP/2 has pings of its own from its first request on.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        self.follow_requests();
        if (self.http2 && self.begun != 0) || self.activity.running.load(Ordering::SeqCst) != 0 {
            return Poll::Pending;
        }
        if self.silence.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        if self.in_head && !self.http2 {
            let answer = &self.limits.timed_out;
            let _ = match &self.stream {
                Stream::Tcp(stream) => stream.try_write(answer),
                Stream::Unix(stream) => stream.try_write(answer),
            }; // who does not read it gets the end of the connection
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    fn watch_progress<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stall = None;
            return result;
        }
        let limit = self.limits.stall;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(limit)));
        match stall.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        match read {
            Poll::Pending => this.poll_silence(context).map(Err),
            Poll::Ready(result) => {
                if buffer.filled().len() > before {
                    this.note_bytes(&buffer.filled()[before..]);
                }
                Poll::Ready(result)
            }
        }
    }
}

impl AsyncWrite for Timed {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        this.watch_progress(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = match &mut this.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        };
        this.watch_progress(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
