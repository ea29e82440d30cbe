// SPDX-License-Identifier: Apache-2.0
//! JSON to values, and `tojson` as transformers defines it: json.dumps with ensure_ascii off.

use super::args::{given, int, text, truth_or, Args};
use super::fuel::{charge, charge_bytes};
use super::interpreter::Interpreter;
use super::number::float_repr;
use super::repr::to_repr;
use super::sequence::{iterate, sort_pairs};
use super::value::{fail, type_error, Dict, Res, Value};

pub fn from_json(json: &serde_json::Value) -> Res<Value> {
    Ok(match json {
        serde_json::Value::Null => Value::None,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::String(text) => Value::str(text.as_str()),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Value::Int(i128::from(value)),
            (_, Some(value)) => Value::Int(i128::from(value)),
            _ => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::Array(items) => Value::list(items.iter().map(from_json).collect::<Res<_>>()?)?,
        serde_json::Value::Object(entries) => {
            let mut dict = Dict::default();
            for (key, value) in entries {
                dict.insert(Value::str(key.as_str()), from_json(value)?)?;
            }
            Value::dict(dict)?
        }
    })
}

struct Style {
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    sort_keys: bool,
    ascii: bool,
}

/// `value | tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false)`.
pub fn tojson(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [ascii, indent, separators, sort_keys] =
        args.bind("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"], 0)?;
    let indent = match given(indent) {
        Some(Value::Str(text)) => Some(text.to_string()),
        Some(width) => Some(" ".repeat(int(&width)?.clamp(0, 64) as usize)),
        None => None,
    };
    let (item_separator, key_separator) = match given(separators) {
        None => (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()),
        Some(pair) => match &iterate(&pair)?[..] {
            [item, key] => (text(item)?.to_string(), text(key)?.to_string()),
            _ => return fail("separators needs two strings"),
        },
    };
    let style = Style {
        indent,
        item_separator,
        key_separator,
        sort_keys: truth_or(sort_keys, false),
        ascii: truth_or(ascii, false),
    };
    let mut out = String::new();
    write_value(&value, &style, 0, &mut out)?;
    Ok(Value::str(out))
}

fn write_value(value: &Value, style: &Style, depth: usize, out: &mut String) -> Res<()> {
    charge(1)?;
    match value {
        Value::Absent | Value::None => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&float_json(*value)),
        Value::Str(text) => write_string(text, style, out)?,
        Value::List(items) | Value::Tuple(items) => write_items(&items.values, style, depth, out)?,
        Value::Dict(dict) => write_dict(dict, style, depth, out)?,
        other => {
            return type_error(other, || format!("Object of type {} is not JSON serializable", other.type_name()))
                .or_else(|_| fail(format!("Object of type {} is not JSON serializable", other.type_name())));
        }
    }
    Ok(())
}

fn float_json(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value => float_repr(value),
    }
}

fn new_line(style: &Style, depth: usize, out: &mut String) {
    if let Some(indent) = &style.indent {
        out.push('\n');
        for _ in 0..depth {
            out.push_str(indent);
        }
    }
}

fn write_items(items: &[Value], style: &Style, depth: usize, out: &mut String) -> Res<()> {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i != 0 {
            out.push_str(&style.item_separator);
        }
        new_line(style, depth + 1, out);
        write_value(item, style, depth + 1, out)?;
    }
    if !items.is_empty() {
        new_line(style, depth, out);
    }
    out.push(']');
    Ok(())
}

fn key_text(key: &Value) -> Res<String> {
    Ok(match key {
        Value::Str(text) => text.to_string(),
        Value::None | Value::Absent => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Float(value) => float_json(*value),
        Value::Int(_) => to_repr(key)?,
        other => return fail(format!("keys must be str, int, float, bool or None, not {}", other.type_name())),
    })
}

fn write_dict(dict: &Dict, style: &Style, depth: usize, out: &mut String) -> Res<()> {
    let mut entries: Vec<(Value, &Value)> = dict.entries.iter().map(|(key, value)| (key.clone(), value)).collect();
    if style.sort_keys {
        entries = sort_pairs(entries, false)?;
    }
    out.push('{');
    for (i, (key, value)) in entries.iter().enumerate() {
        if i != 0 {
            out.push_str(&style.item_separator);
        }
        new_line(style, depth + 1, out);
        write_string(&key_text(key)?, style, out)?;
        out.push_str(&style.key_separator);
        write_value(value, style, depth + 1, out)?;
    }
    if !entries.is_empty() {
        new_line(style, depth, out);
    }
    out.push('}');
    Ok(())
}

fn write_string(text: &str, style: &Style, out: &mut String) -> Res<()> {
    charge_bytes(text.len())?;
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
    Ok(())
}
