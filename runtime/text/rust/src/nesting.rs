// SPDX-License-Identifier: Apache-2.0
//! How deep a grammar nests. Libraries recurse over what is nested, and a stack that is too small ends the process, so
//! the depth is looked at first.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// Of a compiler of schemas, which takes up to 5 kB for each level.
pub const STACK_BYTES: usize = 256 << 20;
const MAX_SCHEMA_LEVELS: usize = 40_000;
const MAX_SCHEMA_NODES: usize = 500_000;
/// Brackets of texts.
const MAX_DEPTH: usize = 200;

/// Brackets of a regex or of Lark. Those in strings and classes count too: text that opens so many more than it closes
/// is no grammar of this world.
pub fn check_brackets(text: &str) -> Result<(), String> {
    let mut depth = 0usize;
    let mut escaped = false;
    for (i, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match byte {
            b'\\' => escaped = true,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let line = 1 + text.as_bytes()[..i].iter().filter(|byte| **byte == b'\n').count();
            return Err(format!("brackets nest deeper than {MAX_DEPTH} (line {line})"));
        }
    }
    Ok(())
}

/// How far the compiler of schemas recurses at most: a reference is followed once, to the bottom of what it names.
/// Also refuses schemas of too many values.
pub fn check_references(schema: &Value) -> Result<(), String> {
    let mut nodes = 0;
    let mut references = HashSet::new();
    let mut heights = HashMap::new();
    let whole = measure(schema, &mut nodes, &mut references, &mut heights);
    if nodes > MAX_SCHEMA_NODES {
        return Err(format!("{nodes} values, at most {MAX_SCHEMA_NODES}"));
    }
    let mut levels = whole;
    for reference in &references {
        // What is no plain pointer may name anything.
        let target = reference.strip_prefix('#').and_then(|pointer| schema.pointer(pointer));
        levels += target.and_then(|value| heights.get(&std::ptr::from_ref(value))).copied().unwrap_or(whole);
    }
    if levels > MAX_SCHEMA_LEVELS {
        return Err(format!("{} references lead {levels} levels deep, at most {MAX_SCHEMA_LEVELS}", references.len()));
    }
    Ok(())
}

/// Levels of a value, which the parser has limited; those of each value below it go to `heights`.
fn measure<'a>(
    value: &'a Value,
    nodes: &mut usize,
    references: &mut HashSet<&'a str>,
    heights: &mut HashMap<*const Value, usize>,
) -> usize {
    *nodes += 1;
    let below = match value {
        Value::Array(items) => items.iter().map(|v| measure(v, nodes, references, heights)).max(),
        Value::Object(fields) => {
            for key in ["$ref", "$dynamicRef"] {
                references.extend(fields.get(key).and_then(Value::as_str));
            }
            fields.values().map(|v| measure(v, nodes, references, heights)).max()
        }
        _ => return 0,
    };
    let height = 1 + below.unwrap_or(0);
    heights.insert(std::ptr::from_ref(value), height);
    height
}
