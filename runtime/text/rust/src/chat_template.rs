// SPDX-License-Identifier: Apache-2.0
//! Chat templates, rendered as transformers renders them (`jinja`).
//!
//! A template comes with a model file and may be hostile: it has no access to anything but the context it is given, and
//! ends with an error when it takes too many steps, holds too much memory or writes too much.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;

use crate::budget::{self, Stop};
use crate::failure::{Code, Failure};
use crate::jinja::{self, Fault, Limits, Template};

const MAX_SOURCE_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 3000;

/// What a template may use: a base, and more for every byte of its context.
const STEPS: (usize, usize) = (1_000_000, 16);
const OUTPUT_BYTES: (usize, usize) = (8 << 20, 4);
const MEMORY_BYTES: (usize, usize) = (64 << 20, 32);

fn allowance((base, per_byte): (usize, usize), context: usize) -> usize {
    base.saturating_add(per_byte.saturating_mul(context))
}

pub struct ChatTemplate {
    template: Arc<Template>,
    /// It once took more memory than it may, and is not tried again.
    greedy: AtomicBool,
}

impl ChatTemplate {
    pub fn open(source: &str) -> Result<Self, Failure> {
        if source.len() > MAX_SOURCE_BYTES {
            let size = source.len();
            return Err(Failure::bad_input(format!("chat template: {size} bytes, at most {MAX_SOURCE_BYTES}")));
        }
        let source = source.to_owned();
        let template = limited(source.len(), move || jinja::parse(&source).map_err(|fault| failure(&fault)))?;
        Ok(Self { template: Arc::new(template), greedy: AtomicBool::new(false) })
    }

    /// `context` is a JSON object: `messages`, `add_generation_prompt`, `bos_token`, ... `now` are the seconds since
    /// 1970 that `strftime_now` shows, in local time.
    pub fn render(&self, context: &[u8], now: i64) -> Result<String, Failure> {
        if self.greedy.load(Relaxed) {
            return Err(too_much_memory());
        }
        let template = self.template.clone();
        let context = context.to_vec();
        let result = limited(context.len(), move || render(&template, &context, now));
        if result.as_ref().is_err_and(|failure| failure.message == too_much_memory().message) {
            self.greedy.store(true, Relaxed);
        }
        result
    }
}

fn too_much_memory() -> Failure {
    Failure::bad_input("chat template: it takes more memory than a template may")
}

fn limited<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match budget::run(allowance(MEMORY_BYTES, size), work) {
        Ok(result) => result,
        Err(Stop::Memory) => Err(too_much_memory()),
        Err(Stop::Time) => unreachable!("templates have no deadline"),
        Err(Stop::Failed(why)) => Err(Failure::new(Code::Internal, format!("chat template: {why}"))),
    }
}

fn render(template: &Template, context: &[u8], now: i64) -> Result<String, Failure> {
    let usage = |why: String| Failure::new(Code::Usage, format!("chat template context: {why}"));
    let json: serde_json::Value = serde_json::from_slice(context).map_err(|e| usage(e.to_string()))?;
    let serde_json::Value::Object(entries) = json else { return Err(usage("it is no object".to_owned())) };
    let limits = Limits {
        steps: allowance(STEPS, context.len()) as u64,
        output_bytes: allowance(OUTPUT_BYTES, context.len()),
        depth: MAX_DEPTH,
    };
    jinja::render(template, &entries, now, limits).map_err(|fault| failure(&fault))
}

/// One sentence with the line.
fn failure(fault: &Fault) -> Failure {
    let line = fault.line.map_or(String::new(), |line| format!(" (line {line})"));
    Failure::bad_input(format!("chat template: {}{line}", fault.message))
}
