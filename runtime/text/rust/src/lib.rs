// SPDX-License-Identifier: Apache-2.0
//! Tokenizers, grammars and chat templates behind the C ABI of `text_abi.h`.
//!
//! Errors are values: a status and a sentence. A panic of a library is caught at the border and becomes an internal
//! error; nothing here prints.

mod abi;
mod budget;
mod chat_template;
mod failure;
mod grammar;
mod jinja;
mod nesting;
mod pieces;
mod schema_pointer;
mod scored_bpe;
mod tokenizer;
