// SPDX-License-Identifier: Apache-2.0
//! Jinja as Python's jinja2 runs it in an ImmutableSandboxedEnvironment with trim_blocks, lstrip_blocks and loop
//! controls: the same grammar, the values of Python, its operators, methods and ways of writing a value.
//!
//! source -- lexer -- parser -- tree -- interpreter -- text. Values are immutable but for namespaces, so a template
//! changes nothing that it was given. What jinja2 has and this has not: includes and inheritance (a chat template has
//! no other files), automatic escaping, `urlize`, `random`, `lipsum`, `\N{...}` in a string, numbers beyond 128 bits;
//! `pprint` writes one line.

mod args;
mod attributes;
mod call;
mod evaluate;
mod filters;
mod format;
mod fuel;
mod globals;
mod interpreter;
mod json;
mod lexer;
mod methods;
mod number;
mod operators;
mod parser;
mod repr;
mod sequence;
mod tests;
mod tree;
mod value;

pub use interpreter::{render, Limits};
pub use parser::parse;
pub use tree::Template;
pub use value::Fault;
