// SPDX-License-Identifier: Apache-2.0
//! Where in a JSON schema an error of the grammar library is, as a JSON pointer. The library says a reference, or what
//! it does not know; the place is found in the schema.

use serde_json::Value;

/// None where the message does not tell.
pub fn of_error(schema: &Value, message: &str) -> Option<String> {
    if let Some(reference) = after(message, "while processing ") {
        let fragment = reference.split_once('#').map_or("", |(_, fragment)| fragment);
        return Some(if fragment.is_empty() { "the root".to_owned() } else { fragment.to_owned() });
    }
    if let Some(keys) = after(message, "Unimplemented keys: ") {
        let key = keys.trim_start_matches('[').split('"').nth(1)?;
        return find(schema, &|value| value.get(key).is_some()).map(|at| format!("{at}/{}", escape(key)));
    }
    if let Some(format) = after(message, "Unknown format: ") {
        return find(schema, &|value| value.get("format").and_then(Value::as_str) == Some(format))
            .map(|at| format!("{at}/format"));
    }
    if message.contains("oneOf constraints are not supported") {
        return find(schema, &|value| value.get("oneOf").is_some()).map(|at| format!("{at}/oneOf"));
    }
    None
}

/// What stands behind `mark`, up to the end of the line.
fn after<'a>(message: &'a str, mark: &str) -> Option<&'a str> {
    message.split_once(mark).and_then(|(_, rest)| rest.lines().next()).map(str::trim)
}

/// The first object, from outside in, for which `wanted` holds.
fn find(schema: &Value, wanted: &dyn Fn(&Value) -> bool) -> Option<String> {
    let mut level = vec![(String::new(), schema)];
    while !level.is_empty() {
        if let Some((at, _)) = level.iter().find(|(_, value)| value.is_object() && wanted(value)) {
            return Some(at.clone());
        }
        level = level.iter().flat_map(|(at, value)| children(at, value)).collect();
    }
    None
}

fn children<'a>(at: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, v)| (format!("{at}/{}", escape(key)), v)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, v)| (format!("{at}/{i}"), v)).collect(),
        _ => Vec::new(),
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
