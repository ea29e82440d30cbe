// SPDX-License-Identifier: Apache-2.0
//! Filters of numbers.

use super::super::args::{int_or, truth_or, Args};
use super::super::interpreter::Interpreter;
use super::super::number::{float_text, parse_float, parse_int, round_float, round_int};
use super::super::operators::Number;
use super::super::value::{fail, type_error, Res, Value};

fn number(value: &Value, of: &str) -> Res<Number> {
    match Number::of(value) {
        Some(number) => Ok(number),
        None => type_error(value, || format!("bad operand type for {of}: '{}'", value.type_name())),
    }
}

pub fn abs(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("abs")?;
    Ok(match number(&value, "abs()")? {
        Number::Int(value) => Value::Int(value.saturating_abs()),
        Number::Float(value) => Value::Float(value.abs()),
    })
}

fn truncated(value: f64) -> Option<Value> {
    value.is_finite().then_some(Value::Int(value as i128))
}

/// `int(default=0, base=10)`: a text that is no number may still be a float.
pub fn integer(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [default, base] = args.bind("int", ["default", "base"], 0)?;
    let default = default.unwrap_or(Value::Int(0));
    let base = u32::try_from(int_or(base, 10)?).unwrap_or(1);
    match &value {
        Value::Undefined(why) => fail(why.message()),
        Value::Str(text) => Ok(match parse_int(text, base) {
            Some(value) => Value::Int(value),
            None => parse_float(text).and_then(truncated).unwrap_or(default),
        }),
        other => match Number::of(other) {
            Some(Number::Int(value)) => Ok(Value::Int(value)),
            Some(Number::Float(value)) if value.is_infinite() => fail("cannot convert float infinity to integer"),
            Some(Number::Float(value)) => Ok(truncated(value).unwrap_or(default)),
            None => Ok(default),
        },
    }
}

pub fn float(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [default] = args.bind("float", ["default"], 0)?;
    let found = match &value {
        Value::Undefined(why) => return fail(why.message()),
        Value::Str(text) => parse_float(text),
        other => Number::of(other).map(Number::float),
    };
    Ok(found.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
}

/// `round(precision=0, method="common")`.
pub fn round(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [precision, method] = args.bind("round", ["precision", "method"], 0)?;
    let precision = int_or(precision, 0)?;
    let method = method.unwrap_or_else(|| Value::str("common"));
    let number = number(&value, "round()")?;
    let up = match method.as_str() {
        Some("common") => {
            return Ok(match number {
                Number::Int(value) => Value::Int(round_int(value, precision)),
                Number::Float(value) => Value::Float(round_float(value, precision)),
            })
        }
        Some("ceil") => true,
        Some("floor") => false,
        _ => return fail("method must be common, ceil or floor"),
    };
    let unit = 10f64.powi(precision.clamp(-400, 400) as i32);
    let scaled = number.float() * unit;
    if !scaled.is_finite() {
        return fail("cannot convert float infinity to integer");
    }
    Ok(Value::Float(if up { scaled.ceil() } else { scaled.floor() } / unit))
}

pub fn file_size(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [binary] = args.bind("filesizeformat", ["binary"], 0)?;
    let binary = truth_or(binary, false);
    let size = match &value {
        Value::Str(text) => parse_float(text),
        other => Number::of(other).map(Number::float),
    };
    let Some(size) = size else { return fail("filesizeformat of what is no number") };
    let base = if binary { 1024.0 } else { 1000.0 };
    if size == 1.0 {
        return Ok(Value::str("1 Byte"));
    }
    if size < base {
        return Ok(Value::str(format!("{} Bytes", size as i128)));
    }
    let mut unit = base;
    let prefixes = if binary {
        ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]
    } else {
        ["k", "M", "G", "T", "P", "E", "Z", "Y"]
    };
    for (i, prefix) in prefixes.iter().enumerate() {
        unit *= base;
        if size < unit || i + 1 == prefixes.len() {
            return Ok(Value::str(format!("{} {prefix}B", float_text(base * size / unit, 1, 'f', false))));
        }
    }
    fail("filesizeformat of what is no number")
}
