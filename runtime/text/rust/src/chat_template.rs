// SPDX-License-Identifier: Apache-2.0
//! Chat templates, rendered as transformers renders them: Jinja with trim_blocks and lstrip_blocks, loop controls, the
//! string and list methods of Python, `raise_exception`, `strftime_now`, `tojson`.
//!
//! A template comes with a model file and may be hostile: it has no access to anything but the context it is given, and
//! ends with an error when it takes too many steps, holds too much memory or writes too much.

use std::ffi::CString;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;

use minijinja::{Environment, Error, ErrorKind, Value};

use crate::budget::{self, Stop};
use crate::failure::{Code, Failure};
use crate::value_json::tojson;

const MAX_SOURCE_BYTES: usize = 1 << 20;
const RECURSION_LIMIT: usize = 100;
const NAME: &str = "chat_template";

/// What a template may use: a base, and more for every byte of its context.
const STEPS: (usize, usize) = (1_000_000, 16);
const OUTPUT_BYTES: (usize, usize) = (8 << 20, 4);
const MEMORY_BYTES: (usize, usize) = (64 << 20, 32);

fn allowance((base, per_byte): (usize, usize), context: usize) -> usize {
    base.saturating_add(per_byte.saturating_mul(context))
}

pub struct ChatTemplate {
    environment: Arc<Environment<'static>>,
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
        let environment = limited(source.len(), move || compile(&source))?;
        Ok(Self { environment: Arc::new(environment), greedy: AtomicBool::new(false) })
    }

    /// `context` is a JSON object: `messages`, `add_generation_prompt`, `bos_token`, ... `now` are the seconds since
    /// 1970 that `strftime_now` shows, in local time.
    pub fn render(&self, context: &[u8], now: i64) -> Result<String, Failure> {
        if self.greedy.load(Relaxed) {
            return Err(too_much_memory());
        }
        let environment = self.environment.clone();
        let context = context.to_vec();
        let result = limited(context.len(), move || render(&environment, &context, now));
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
        Err(Stop::Failed(why)) => Err(Failure::new(Code::Internal, format!("chat template: {why}"))),
    }
}

fn compile(source: &str) -> Result<Environment<'static>, Failure> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_recursion_limit(RECURSION_LIMIT);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", tojson);
    environment.add_function("raise_exception", raise_exception);
    let source = without_generation_tags(source);
    environment.add_template_owned(NAME, source).map_err(|e| failure(&e))?;
    Ok(environment)
}

fn render(environment: &Environment<'static>, context: &[u8], now: i64) -> Result<String, Failure> {
    let variables: serde_json::Value = serde_json::from_slice(context)
        .map_err(|e| Failure::new(Code::Usage, format!("chat template context: {e}")))?;
    let mut environment = environment.clone();
    environment.set_fuel(Some(allowance(STEPS, context.len()) as u64));
    environment.add_function("strftime_now", move |format: String| strftime(&format, now));
    let template = environment.get_template(NAME).map_err(|e| failure(&e))?;
    let mut out = Bounded { bytes: Vec::new(), limit: allowance(OUTPUT_BYTES, context.len()) };
    template.render_captured_to(Value::from_serialize(&variables), &mut out).map_err(|e| failure(&e))?;
    String::from_utf8(out.bytes).map_err(|_| Failure::bad_input("chat template: the output is not UTF-8"))
}

struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.len() > self.limit - self.bytes.len() {
            return Err(io::Error::other(format!("more than {} bytes of output", self.limit)));
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// `{% generation %}` marks the assistant's words for training; in a prompt it is a block that always holds.
fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let Some(end) = rest[at..].find("%}") else { break };
        let tag = &rest[at..at + end + 2];
        let word = tag[2..tag.len() - 2].trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+');
        out.push_str(&rest[..at]);
        match word {
            "generation" => out.push_str(&tag.replacen("generation", "if true", 1)),
            "endgeneration" => out.push_str(&tag.replacen("endgeneration", "endif", 1)),
            _ => {
                // Only the opening is taken, so that a tag inside a string of this one is seen too.
                out.push_str("{%");
                rest = &rest[at + 2..];
                continue;
            }
        }
        rest = &rest[at + end + 2..];
    }
    out.push_str(rest);
    out
}

fn strftime(format: &str, now: i64) -> Result<String, Error> {
    let invalid = |what: &str| Error::new(ErrorKind::InvalidOperation, format!("strftime_now: {what}"));
    if format.is_empty() {
        return Ok(String::new());
    }
    let format = CString::new(format).map_err(|_| invalid("the format has a zero byte"))?;
    let mut buffer = [0u8; 512];
    let seconds = now as libc::time_t;
    // SAFETY: localtime_r and strftime write only into what they are given.
    let written = unsafe {
        let mut parts: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&seconds, &mut parts).is_null() {
            return Err(invalid("no such time"));
        }
        libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), &parts)
    };
    if written == 0 {
        return Err(invalid("the date is longer than 511 bytes"));
    }
    String::from_utf8(buffer[..written].to_vec()).map_err(|_| invalid("the date is not UTF-8"))
}

/// One sentence with the place and, where there is one, the cause.
fn failure(error: &Error) -> Failure {
    let mut message = format!("chat template: {}", error.kind());
    if let Some(detail) = error.detail() {
        message = format!("chat template: {detail}");
    }
    if let Some(line) = error.line() {
        message.push_str(&format!(" (line {line})"));
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Failure::bad_input(message)
}
