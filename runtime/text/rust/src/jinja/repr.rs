// SPDX-License-Identifier: Apache-2.0
//! `str(value)` and `repr(value)`.

use super::fuel::{charge, charge_bytes};
use super::number::float_repr;
use super::value::{fail, Dict, Range, Res, Value, View};

/// A namespace may hold itself.
const MAX_DEPTH: usize = 250;

pub fn to_str(value: &Value) -> Res<String> {
    match value {
        Value::Str(text) => {
            charge_bytes(text.len())?;
            Ok(text.to_string())
        }
        Value::Undefined(_) => Ok(String::new()),
        other => to_repr(other),
    }
}

pub fn to_repr(value: &Value) -> Res<String> {
    let mut out = String::new();
    write(value, 0, &mut out)?;
    Ok(out)
}

fn write(value: &Value, depth: usize, out: &mut String) -> Res<()> {
    charge(1)?;
    if depth > MAX_DEPTH {
        return fail("values are nested too deeply");
    }
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::Absent | Value::None => out.push_str("None"),
        Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&float_repr(*value)),
        Value::Str(text) => write_quoted(text, out)?,
        Value::List(items) => write_items("[", &items.values, "]", depth, out)?,
        Value::Tuple(items) if items.values.len() == 1 => write_items("(", &items.values, ",)", depth, out)?,
        Value::Tuple(items) => write_items("(", &items.values, ")", depth, out)?,
        Value::View(kind, items) => {
            out.push_str(match kind {
                View::Keys => "dict_keys",
                View::Values => "dict_values",
                View::Items => "dict_items",
            });
            write_items("([", &items.values, "])", depth, out)?;
        }
        Value::Dict(dict) => write_dict(dict, depth, out)?,
        Value::Range(range) => write_range(range, out),
        Value::Namespace(namespace) => {
            out.push_str("<Namespace ");
            write_dict(&namespace.borrow(), depth, out)?;
            out.push('>');
        }
        Value::Macro(callee) => out.push_str(&format!("<Macro '{}'>", callee.def.name)),
        Value::Loop(state) => {
            out.push_str(&format!("<LoopContext {}/{}>", state.index0.get() + 1, state.items.len()));
        }
        other => out.push_str(&format!("<{} object>", other.type_name())),
    }
    Ok(())
}

fn write_items(open: &str, items: &[Value], close: &str, depth: usize, out: &mut String) -> Res<()> {
    out.push_str(open);
    for (i, item) in items.iter().enumerate() {
        if i != 0 {
            out.push_str(", ");
        }
        write(item, depth + 1, out)?;
    }
    out.push_str(close);
    Ok(())
}

fn write_dict(dict: &Dict, depth: usize, out: &mut String) -> Res<()> {
    out.push('{');
    for (i, (key, value)) in dict.entries.iter().enumerate() {
        if i != 0 {
            out.push_str(", ");
        }
        write(key, depth + 1, out)?;
        out.push_str(": ");
        write(value, depth + 1, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_range(range: &Range, out: &mut String) {
    let Range { start, stop, step } = range;
    out.push_str(&if *step == 1 {
        format!("range({start}, {stop})")
    } else {
        format!("range({start}, {stop}, {step})")
    });
}

/// In single quotes, unless only they occur inside.
fn write_quoted(text: &str, out: &mut String) -> Res<()> {
    charge_bytes(text.len())?;
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if printable(c) => out.push(c),
            c => out.push_str(&match c as u32 {
                code @ ..0x100 => format!("\\x{code:02x}"),
                code @ ..0x10000 => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            }),
        }
    }
    out.push(quote);
    Ok(())
}

/// Near enough to str.isprintable: neither control, nor white space but " ", nor invisible format characters.
pub fn printable(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
        | '\u{e0000}'..='\u{10ffff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || invisible)
}
