// SPDX-License-Identifier: Apache-2.0
//! `tojson` as Python's json.dumps(ensure_ascii=False) writes it: ", " and ": " between items, or indented lines.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};

struct Style {
    indent: Option<usize>,
    item_separator: String,
    key_separator: String,
    sort_keys: bool,
    ascii: bool,
}

/// The filter: `value | tojson(indent=2, separators=[",", ":"], sort_keys=true, ensure_ascii=false)`.
pub fn tojson(value: &Value, indent: Option<usize>, options: Kwargs) -> Result<Value, Error> {
    let indent = options.get::<Option<usize>>("indent")?.or(indent);
    let separators = options.get::<Option<Vec<String>>>("separators")?;
    let sort_keys = options.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    let ascii = options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false);
    options.assert_all_used()?;
    let default_item = if indent.is_some() { "," } else { ", " };
    let (item_separator, key_separator) = match separators.as_deref() {
        Some([item, key]) => (item.clone(), key.clone()),
        Some(_) => return Err(Error::new(ErrorKind::InvalidOperation, "separators needs two strings")),
        None => (default_item.to_owned(), ": ".to_owned()),
    };
    let style = Style { indent: indent.map(|n| n.min(64)), item_separator, key_separator, sort_keys, ascii };
    let mut out = String::new();
    write_value(value, &style, 0, &mut out)?;
    Ok(Value::from_safe_string(out))
}

fn new_line(style: &Style, depth: usize, out: &mut String) {
    if let Some(width) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth));
    }
}

fn write_value(value: &Value, style: &Style, depth: usize, out: &mut String) -> Result<(), Error> {
    if depth > 100 {
        return Err(Error::new(ErrorKind::BadSerialization, "tojson: nested too deeply"));
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&value.to_string()),
        ValueKind::String => write_string(value.as_str().unwrap_or_default(), style, out),
        ValueKind::Seq | ValueKind::Iterable => write_sequence(value, style, depth, out)?,
        ValueKind::Map | ValueKind::Plain => write_map(value, style, depth, out)?,
        ValueKind::Undefined => return Err(Error::new(ErrorKind::UndefinedError, "tojson of an undefined value")),
        kind => return Err(Error::new(ErrorKind::BadSerialization, format!("tojson of {kind}"))),
    }
    Ok(())
}

fn write_sequence(value: &Value, style: &Style, depth: usize, out: &mut String) -> Result<(), Error> {
    out.push('[');
    let mut empty = true;
    for item in value.try_iter()? {
        if !empty {
            out.push_str(&style.item_separator);
        }
        empty = false;
        new_line(style, depth + 1, out);
        write_value(&item, style, depth + 1, out)?;
    }
    if !empty {
        new_line(style, depth, out);
    }
    out.push(']');
    Ok(())
}

fn write_map(value: &Value, style: &Style, depth: usize, out: &mut String) -> Result<(), Error> {
    let mut keys: Vec<Value> = value.try_iter()?.collect();
    if style.sort_keys {
        keys.sort();
    }
    out.push('{');
    for (i, key) in keys.iter().enumerate() {
        if i != 0 {
            out.push_str(&style.item_separator);
        }
        new_line(style, depth + 1, out);
        match key.as_str() {
            Some(text) => write_string(text, style, out),
            None => write_string(&key.to_string(), style, out),
        }
        out.push_str(&style.key_separator);
        write_value(&value.get_item(key)?, style, depth + 1, out)?;
    }
    if !keys.is_empty() {
        new_line(style, depth, out);
    }
    out.push('}');
    Ok(())
}

fn write_string(text: &str, style: &Style, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if style.ascii && !(' '..='~').contains(&c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
