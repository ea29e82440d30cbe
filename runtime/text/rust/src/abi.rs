// SPDX-License-Identifier: Apache-2.0
//! The functions of `text_abi.h`. Every pointer is valid for the call, as the header asks of the caller.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;
use std::time::Duration;

use crate::chat_template::ChatTemplate;
use crate::failure::{Code, Failure};
use crate::grammar::{Grammar, Grammars, Kind, Matcher};
use crate::tokenizer::Tokenizer;

#[repr(C)]
pub struct Bytes {
    data: *mut u8,
    size: usize,
    capacity: usize,
}

#[repr(C)]
pub struct Ids {
    data: *mut u32,
    size: usize,
    capacity: usize,
}

impl From<Vec<u8>> for Bytes {
    fn from(value: Vec<u8>) -> Self {
        let mut value = std::mem::ManuallyDrop::new(value);
        Self { data: value.as_mut_ptr(), size: value.len(), capacity: value.capacity() }
    }
}

impl From<Vec<u32>> for Ids {
    fn from(value: Vec<u32>) -> Self {
        let mut value = std::mem::ManuallyDrop::new(value);
        Self { data: value.as_mut_ptr(), size: value.len(), capacity: value.capacity() }
    }
}

/// Runs `body`, stores its value, or the sentence of its failure, and answers the status.
unsafe fn guarded<T, O: From<T>>(out: *mut O, error: *mut Bytes, body: impl FnOnce() -> Result<T, Failure>) -> i32 {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(Failure::new(Code::Internal, format!("text library: {}", text.unwrap_or("panic"))))
    });
    match result {
        Ok(value) => {
            out.write(value.into());
            0
        }
        Err(failure) => {
            error.write(failure.message.into_bytes().into());
            failure.code as i32
        }
    }
}

unsafe fn slice<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(data, size)
    }
}

unsafe fn free<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // A destructor that panics leaks what is left; the caller cannot help it.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(Box::from_raw(pointer))));
    }
}

#[repr(transparent)]
pub struct Handle<T>(#[allow(dead_code)] *mut T); // read by the caller of the C function

impl<T> From<T> for Handle<T> {
    fn from(value: T) -> Self {
        Self(Box::into_raw(Box::new(value)))
    }
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_bytes_free(bytes: Bytes) {
    if !bytes.data.is_null() {
        drop(Vec::from_raw_parts(bytes.data, bytes.size, bytes.capacity));
    }
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_ids_free(ids: Ids) {
    if !ids.data.is_null() {
        drop(Vec::from_raw_parts(ids.data, ids.size, ids.capacity));
    }
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_tokenizer_open(
    json: *const u8,
    size: usize,
    out: *mut Handle<Tokenizer>,
    error: *mut Bytes,
) -> i32 {
    guarded(out, error, || Tokenizer::open(slice(json, size)))
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_tokenizer_close(tokenizer: *mut Tokenizer) {
    free(tokenizer);
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_tokenizer_size(tokenizer: *const Tokenizer) -> usize {
    (*tokenizer).pieces().len()
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_tokenizer_encode(
    tokenizer: *const Tokenizer,
    text: *const u8,
    size: usize,
    parse_special: i32,
    out: *mut Ids,
    error: *mut Bytes,
) -> i32 {
    guarded(out, error, || {
        let text = String::from_utf8_lossy(slice(text, size));
        (*tokenizer).encode(&text, parse_special != 0)
    })
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_tokenizer_piece(
    tokenizer: *const Tokenizer,
    id: u32,
    data: *mut *const u8,
    size: *mut usize,
) -> i32 {
    let Some((bytes, flags)) = (*tokenizer).pieces().get(id) else { return 0 };
    data.write(bytes.as_ptr());
    size.write(bytes.len());
    i32::from(flags)
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_tokenizer_find(tokenizer: *const Tokenizer, text: *const u8, size: usize) -> i64 {
    let text = std::str::from_utf8(slice(text, size)).ok();
    let found = catch_unwind(AssertUnwindSafe(|| text.and_then(|text| (*tokenizer).find(text))));
    found.ok().flatten().map_or(-1, i64::from)
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_template_open(
    source: *const u8,
    size: usize,
    out: *mut Handle<ChatTemplate>,
    error: *mut Bytes,
) -> i32 {
    guarded(out, error, || match std::str::from_utf8(slice(source, size)) {
        Ok(source) => ChatTemplate::open(source),
        Err(_) => Err(Failure::bad_input("chat template: not UTF-8")),
    })
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_template_close(template: *mut ChatTemplate) {
    free(template);
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_template_render(
    template: *const ChatTemplate,
    context: *const u8,
    size: usize,
    now: i64,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    guarded(out, error, || (*template).render(slice(context, size), now).map(String::into_bytes))
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_grammars_open(
    tokenizer: *const Tokenizer,
    vocabulary: u32,
    stops: *const i32,
    stop_count: usize,
    out: *mut Handle<Grammars>,
    error: *mut Bytes,
) -> i32 {
    guarded(out, error, || {
        let stops = if stop_count == 0 { &[] } else { std::slice::from_raw_parts(stops, stop_count) };
        Grammars::open((*tokenizer).pieces(), vocabulary, stops)
    })
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_grammars_close(grammars: *mut Grammars) {
    free(grammars);
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_grammar_create(
    grammars: *const Grammars,
    kind: i32,
    text: *const u8,
    size: usize,
    milliseconds: u32,
    out: *mut Handle<Grammar>,
    error: *mut Bytes,
) -> i32 {
    guarded(out, error, || match Kind::from_number(kind) {
        Some(kind) => (*grammars).create(kind, slice(text, size), Duration::from_millis(milliseconds.into())),
        None => Err(Failure::new(Code::Usage, format!("grammar kind {kind}"))),
    })
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_grammar_free(grammar: *mut Grammar) {
    free(grammar);
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_matcher_create(
    grammar: *const Grammar,
    out: *mut Handle<Matcher>,
    error: *mut Bytes,
) -> i32 {
    guarded(out, error, || (*grammar).matcher())
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_matcher_clone(
    matcher: *const Matcher,
    out: *mut Handle<Matcher>,
    error: *mut Bytes,
) -> i32 {
    guarded(out, error, || Ok((*matcher).copy()))
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_matcher_free(matcher: *mut Matcher) {
    free(matcher);
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_matcher_mask(
    matcher: *mut Matcher,
    words: *mut u32,
    count: usize,
    error: *mut Bytes,
) -> i32 {
    guarded(&mut (), error, || (*matcher).mask(std::slice::from_raw_parts_mut(words, count)))
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_matcher_consume(matcher: *mut Matcher, token: u32, error: *mut Bytes) -> i32 {
    guarded(&mut (), error, || (*matcher).consume(token))
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_matcher_consume_text(
    matcher: *mut Matcher,
    text: *const u8,
    size: usize,
    error: *mut Bytes,
) -> i32 {
    guarded(&mut (), error, || (*matcher).consume_text(slice(text, size)))
}

#[no_mangle]
pub unsafe extern "C" fn llcuda_text_matcher_is_stopped(matcher: *const Matcher) -> i32 {
    i32::from((*matcher).is_stopped())
}
