// SPDX-License-Identifier: Apache-2.0
//! The steps that a template may take. A render has a thread of its own, so its fuel is the thread's.

use std::cell::Cell;

use super::value::{fail, Res};

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

pub fn fill(steps: u64) {
    STEPS.set(steps);
}

/// Takes `steps`, or fails for the whole render.
pub fn charge(steps: usize) -> Res<()> {
    match STEPS.get().checked_sub(steps as u64) {
        Some(left) => STEPS.set(left),
        None => {
            STEPS.set(0);
            return fail("it takes more steps than a template may");
        }
    }
    Ok(())
}

/// The cost of looking through so many bytes.
pub fn charge_bytes(bytes: usize) -> Res<()> {
    charge(1 + bytes / 64)
}
