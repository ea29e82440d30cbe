// SPDX-License-Identifier: Apache-2.0
//! Runs work of unknown origin with limits on the memory it holds and on the time it takes.
//!
//! A library that builds strings has no way to answer "too large": its allocation succeeds, or the process ends. So the
//! work runs on a thread of its own, whose allocations are counted, and when they pass the limit the thread is stopped
//! where it stands, for ever, while the caller gets an error. So it is when its time is over and it allocates once
//! more. What the thread holds, at most the limit, is lost; the caller sees to it that the same work is not tried
//! again, or that only so many threads can be lost.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Enough for the deepest nesting that a template may have. Only what is used of it takes memory.
const STACK_BYTES: usize = 32 << 20;

#[derive(PartialEq, Clone, Copy)]
enum Phase {
    Running,
    Done,
    Stopped,
}

struct Meter {
    limit: isize,
    /// Nobody waits for the work any more.
    is_late: AtomicBool,
    phase: Mutex<Phase>,
    changed: Condvar,
}

impl Meter {
    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allocates nothing, since an allocation may be what brought us here.
    fn set(&self, phase: Phase) {
        *self.lock() = phase;
        self.changed.notify_all();
    }
}

thread_local! {
    static METER: Cell<*const Meter> = const { Cell::new(null()) };
    static HELD: Cell<isize> = const { Cell::new(0) };
}

struct MeteredAllocator;

#[global_allocator]
static ALLOCATOR: MeteredAllocator = MeteredAllocator;

fn charge(bytes: isize) {
    let meter = METER.get();
    if meter.is_null() {
        return;
    }
    HELD.set(HELD.get().saturating_add(bytes));
    // SAFETY: run() keeps the meter alive while METER points to it, and for ever when the thread is stopped.
    let meter = unsafe { &*meter };
    if bytes > 0 && (HELD.get() > meter.limit || meter.is_late.load(Relaxed)) {
        METER.set(null());
        meter.set(Phase::Stopped);
        loop {
            thread::park();
        }
    }
}

// SAFETY: every call is the system allocator's own; counting touches no memory of the caller.
unsafe impl GlobalAlloc for MeteredAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        charge(layout.size() as isize);
        System.alloc(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        charge(layout.size() as isize);
        System.alloc_zeroed(layout)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        charge(-(layout.size() as isize));
        System.dealloc(pointer, layout);
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        charge(size as isize - layout.size() as isize);
        System.realloc(pointer, layout, size)
    }
}

#[derive(Debug, PartialEq)]
pub enum Stop {
    /// The work held more than the limit.
    Memory,
    /// It took longer than the limit.
    Time,
    /// The work panicked, or its thread could not be made.
    Failed(String),
}

/// The value of `work`, which may hold up to `limit` bytes at a time.
pub fn run<T: Send + 'static>(limit: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
    start(limit, STACK_BYTES, None, work)
}

/// The same for work that is never the same: it also has a deadline, and so many threads can be lost before none more
/// are started.
pub fn run_within<T: Send + 'static>(
    limit: usize,
    stack: usize,
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stop> {
    let end = Instant::now() + deadline;
    let place = Place::take(end)?;
    start(limit, stack, Some(end), move || {
        let _place = place;
        work()
    })
}

/// One of the threads that run at a time; a thread that was stopped keeps it.
struct Place;

static PLACES: (Mutex<u32>, Condvar) = (Mutex::new(8), Condvar::new());

impl Place {
    fn take(end: Instant) -> Result<Self, Stop> {
        let mut free = PLACES.0.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Stop::Failed("too many others have not ended".to_owned()));
            }
            free = PLACES.1.wait_timeout(free, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Ok(Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *PLACES.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        PLACES.1.notify_one();
    }
}

fn start<T: Send + 'static>(
    limit: usize,
    stack: usize,
    end: Option<Instant>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stop> {
    let limit = isize::try_from(limit).unwrap_or(isize::MAX);
    let is_late = AtomicBool::new(false);
    let meter = Arc::new(Meter { limit, is_late, phase: Mutex::new(Phase::Running), changed: Condvar::new() });
    let metered = meter.clone();
    let worker = move || {
        METER.set(&*metered);
        let result = catch_unwind(AssertUnwindSafe(work));
        METER.set(null());
        metered.set(Phase::Done);
        result
    };
    let spawned = thread::Builder::new().stack_size(stack).spawn(worker);
    let thread = spawned.map_err(|e| Stop::Failed(format!("cannot start a thread: {e}")))?;
    let mut phase = meter.lock();
    while *phase == Phase::Running {
        let Some(end) = end else {
            phase = meter.changed.wait(phase).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            meter.is_late.store(true, Relaxed);
            return Err(Stop::Time);
        }
        phase = meter.changed.wait_timeout(phase, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    if *phase == Phase::Stopped {
        return Err(Stop::Memory);
    }
    drop(phase);
    match thread.join() {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(panic)) | Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            Err(Stop::Failed(text.unwrap_or("panic").to_owned()))
        }
    }
}
