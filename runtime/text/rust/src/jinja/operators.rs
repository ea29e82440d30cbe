// SPDX-License-Identifier: Apache-2.0
//! The operators of Python on the values of a template.

use std::cmp::Ordering;

use super::format::percent;
use super::fuel::{charge, charge_bytes};
use super::sequence::iterate;
use super::tree::{Binary, Comparison};
use super::value::{fail, Dict, Res, Value};

/// A number, where a bool counts as one.
#[derive(Clone, Copy)]
pub enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub fn of(value: &Value) -> Option<Number> {
        match value {
            Value::Bool(value) => Some(Number::Int(i128::from(*value))),
            Value::Int(value) => Some(Number::Int(*value)),
            Value::Float(value) => Some(Number::Float(*value)),
            _ => None,
        }
    }

    pub fn float(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

fn symbol(operator: Binary) -> &'static str {
    match operator {
        Binary::Add => "+",
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        Binary::FloorDivide => "//",
        Binary::Remainder => "%",
        Binary::Power => "** or pow()",
    }
}

pub fn binary(operator: Binary, left: &Value, right: &Value) -> Res<Value> {
    if let (Value::Str(format), Binary::Remainder) = (left, operator) {
        return percent(format, right).map(Value::str);
    }
    for side in [left, right] {
        if let Value::Undefined(why) = side {
            return fail(why.message());
        }
    }
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return arithmetic(operator, left, right);
    }
    match (operator, left, right) {
        (Binary::Add, Value::Str(a), Value::Str(b)) => {
            charge_bytes(a.len() + b.len())?;
            Ok(Value::str(format!("{a}{b}")))
        }
        (Binary::Add, Value::List(a), Value::List(b)) => {
            charge(a.values.len() + b.values.len())?;
            Value::list(a.values.iter().chain(&b.values).cloned().collect())
        }
        (Binary::Add, Value::Tuple(a), Value::Tuple(b)) => {
            charge(a.values.len() + b.values.len())?;
            Value::tuple(a.values.iter().chain(&b.values).cloned().collect())
        }
        (Binary::Multiply, sequence, Value::Int(_) | Value::Bool(_)) if is_sequence(sequence) => {
            repeated(sequence, right)
        }
        (Binary::Multiply, Value::Int(_) | Value::Bool(_), sequence) if is_sequence(sequence) => {
            repeated(sequence, left)
        }
        (Binary::Add, Value::Str(_), other) => {
            fail(format!("can only concatenate str (not \"{}\") to str", other.type_name()))
        }
        _ => {
            let (left, right) = (left.type_name(), right.type_name());
            fail(format!("unsupported operand type(s) for {}: '{left}' and '{right}'", symbol(operator)))
        }
    }
}

fn is_sequence(value: &Value) -> bool {
    matches!(value, Value::Str(_) | Value::List(_) | Value::Tuple(_))
}

fn repeated(sequence: &Value, count: &Value) -> Res<Value> {
    let count = super::args::int(count)?.clamp(0, usize::MAX as i128) as usize;
    let values = match sequence {
        Value::Str(text) => return repeat(text, count).map(Value::str),
        Value::List(items) | Value::Tuple(items) => &items.values,
        _ => return fail("no sequence"),
    };
    if values.len().checked_mul(count).is_none_or(|size| size > 1 << 27) {
        return fail("a list of so many items takes more memory than a template may");
    }
    charge(values.len() * count)?;
    let many = std::iter::repeat_n(values, count).flatten().cloned().collect();
    if matches!(sequence, Value::List(_)) {
        Value::list(many)
    } else {
        Value::tuple(many)
    }
}

/// A text `count` times, where that is a size that memory may have.
pub fn repeat(text: &str, count: usize) -> Res<String> {
    if text.len().checked_mul(count).is_none_or(|size| size > 1 << 40) {
        return fail("a text of that size takes more memory than a template may");
    }
    charge_bytes(text.len() * count)?;
    Ok(text.repeat(count))
}

fn arithmetic(operator: Binary, left: Number, right: Number) -> Res<Value> {
    if let (Number::Int(a), Number::Int(b)) = (left, right) {
        return integer_arithmetic(operator, a, b);
    }
    let (a, b) = (left.float(), right.float());
    if b == 0.0 && matches!(operator, Binary::Divide | Binary::FloorDivide | Binary::Remainder) {
        return fail("float division by zero");
    }
    Ok(Value::Float(match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::FloorDivide => ((a - floor_remainder(a, b)) / b).round(),
        Binary::Remainder => floor_remainder(a, b),
        Binary::Power => return float_power(a, b),
    }))
}

fn floor_remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
        return rest + b;
    }
    if rest == 0.0 {
        0f64.copysign(b)
    } else {
        rest
    }
}

fn float_power(a: f64, b: f64) -> Res<Value> {
    if a == 0.0 && b < 0.0 {
        return fail("0.0 cannot be raised to a negative power");
    }
    if a < 0.0 && b.fract() != 0.0 {
        return fail("complex numbers are not known here");
    }
    Ok(Value::Float(a.powf(b)))
}

fn integer_arithmetic(operator: Binary, a: i128, b: i128) -> Res<Value> {
    if b == 0 && matches!(operator, Binary::Divide | Binary::FloorDivide | Binary::Remainder) {
        return fail("division by zero");
    }
    let result = match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide => return Ok(Value::Float(a as f64 / b as f64)),
        Binary::FloorDivide => {
            let rest = a.checked_rem(b).unwrap_or(0);
            a.checked_div(b).map(|whole| if rest != 0 && (rest < 0) != (b < 0) { whole - 1 } else { whole })
        }
        Binary::Remainder => {
            let rest = a.checked_rem(b).unwrap_or(0);
            Some(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
        }
        Binary::Power if b < 0 => return float_power(a as f64, b as f64),
        Binary::Power => match a {
            0 | 1 => Some(if b == 0 { 1 } else { a }),
            _ => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        },
    };
    result.map_or_else(|| fail("a number of more than 128 bits"), |value| Ok(Value::Int(value)))
}

pub fn negative(value: &Value) -> Res<Value> {
    match Number::of(value) {
        Some(Number::Int(value)) => Ok(Value::Int(value.checked_neg().unwrap_or(value))),
        Some(Number::Float(value)) => Ok(Value::Float(-value)),
        None => bad_unary("-", value),
    }
}

pub fn positive(value: &Value) -> Res<Value> {
    match Number::of(value) {
        Some(Number::Int(value)) => Ok(Value::Int(value)),
        Some(Number::Float(value)) => Ok(Value::Float(value)),
        None => bad_unary("+", value),
    }
}

fn bad_unary(operator: &str, value: &Value) -> Res<Value> {
    super::value::type_error(value, || format!("bad operand type for unary {operator}: '{}'", value.type_name()))
}

pub fn compare(comparison: Comparison, left: &Value, right: &Value) -> Res<bool> {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => Ok(!equal(left, right)?),
        Comparison::In => contains(right, left),
        Comparison::NotIn => Ok(!contains(right, left)?),
        Comparison::Less => ordered(left, right, "<", |order| order == Ordering::Less),
        Comparison::LessEqual => ordered(left, right, "<=", |order| order != Ordering::Greater),
        Comparison::Greater => ordered(left, right, ">", |order| order == Ordering::Greater),
        Comparison::GreaterEqual => ordered(left, right, ">=", |order| order != Ordering::Less),
    }
}

pub fn equal(left: &Value, right: &Value) -> Res<bool> {
    charge(1)?;
    if let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) {
        return Ok(match (a, b) {
            (Number::Int(a), Number::Int(b)) => a == b,
            _ => a.float() == b.float(),
        });
    }
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => {
            charge_bytes(a.len().min(b.len()))?;
            Ok(a == b)
        }
        (Value::None | Value::Absent, Value::None | Value::Absent) => Ok(true),
        (Value::Undefined(_), Value::Undefined(_)) => Ok(true),
        (Value::List(a), Value::List(b))
        | (Value::Tuple(a), Value::Tuple(b))
        | (Value::View(_, a), Value::View(_, b)) => all_equal(&a.values, &b.values),
        (Value::Dict(a), Value::Dict(b)) => dicts_equal(a, b),
        (Value::Range(a), Value::Range(b)) => all_equal(&a.items().collect::<Vec<_>>(), &b.items().collect::<Vec<_>>()),
        _ => Ok(left.identity().is_some() && left.identity() == right.identity()),
    }
}

fn all_equal(left: &[Value], right: &[Value]) -> Res<bool> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (a, b) in left.iter().zip(right) {
        if !equal(a, b)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn dicts_equal(left: &Dict, right: &Dict) -> Res<bool> {
    if left.entries.len() != right.entries.len() {
        return Ok(false);
    }
    for (key, value) in &left.entries {
        match right.get(key)? {
            Some(other) if equal(value, other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// False also for NaN, whatever is asked.
fn ordered(left: &Value, right: &Value, operator: &str, holds: impl Fn(Ordering) -> bool) -> Res<bool> {
    Ok(order(left, right, operator)?.is_some_and(holds))
}

pub fn less(left: &Value, right: &Value) -> Res<bool> {
    ordered(left, right, "<", |order| order == Ordering::Less)
}

fn order(left: &Value, right: &Value, operator: &str) -> Res<Option<Ordering>> {
    charge(1)?;
    if let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) {
        return Ok(match (a, b) {
            (Number::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
            _ => a.float().partial_cmp(&b.float()),
        });
    }
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => Ok(Some(a.cmp(b))),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.values.iter().zip(&b.values) {
                if !equal(a, b)? {
                    return order(a, b, operator);
                }
            }
            Ok(Some(a.values.len().cmp(&b.values.len())))
        }
        (Value::Undefined(why), _) | (_, Value::Undefined(why)) => fail(why.message()),
        _ => {
            let (left, right) = (left.type_name(), right.type_name());
            fail(format!("'{operator}' not supported between instances of '{left}' and '{right}'"))
        }
    }
}

/// `value in container`.
fn contains(container: &Value, value: &Value) -> Res<bool> {
    match (container, value) {
        (Value::Str(text), Value::Str(part)) => {
            charge_bytes(text.len())?;
            Ok(text.contains(&**part))
        }
        (Value::Str(_), other) => {
            fail(format!("'in <string>' requires string as left operand, not {}", other.type_name()))
        }
        (Value::Dict(dict), key) => Ok(dict.get(key)?.is_some()),
        (Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_), _) => {
            fail(format!("argument of type '{}' is not iterable", container.type_name()))
        }
        _ => {
            for item in iterate(container)? {
                if equal(&item, value)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}
