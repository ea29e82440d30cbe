// SPDX-License-Identifier: Apache-2.0
//! Runs work of unknown origin with a limit on the memory it holds.
//!
//! A library that builds strings has no way to answer "too large": its allocation succeeds, or the process ends. So the
//! work runs on a thread of its own, whose allocations are counted, and when they pass the limit the thread is stopped
//! where it stands, for ever, while the caller gets an error. What the thread holds, at most the limit, is lost; the
//! caller sees to it that the same work is not tried again.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

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
    if bytes > 0 && HELD.get() > meter.limit {
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
    /// The work panicked, or its thread could not be made.
    Failed(String),
}

/// The value of `work`, which may hold up to `limit` bytes at a time.
pub fn run<T: Send + 'static>(limit: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
    let limit = isize::try_from(limit).unwrap_or(isize::MAX);
    let meter = Arc::new(Meter { limit, phase: Mutex::new(Phase::Running), changed: Condvar::new() });
    let metered = meter.clone();
    let worker = move || {
        METER.set(&*metered);
        let result = catch_unwind(AssertUnwindSafe(work));
        METER.set(null());
        metered.set(Phase::Done);
        result
    };
    let spawned = thread::Builder::new().stack_size(STACK_BYTES).spawn(worker);
    let thread = spawned.map_err(|e| Stop::Failed(format!("cannot start a thread: {e}")))?;
    let mut phase = meter.lock();
    while *phase == Phase::Running {
        phase = meter.changed.wait(phase).unwrap_or_else(PoisonError::into_inner);
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
