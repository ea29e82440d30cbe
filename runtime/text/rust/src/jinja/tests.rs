// SPDX-License-Identifier: Apache-2.0
//! What may stand after `is`: the tests of jinja2.

use super::args::{int, Args};
use super::filters;
use super::methods::words::all_cased;
use super::operators::{binary, compare, equal, Number};
use super::repr::to_str;
use super::tree::{Binary, Comparison};
use super::value::{Res, Value};

type Test = fn(&Value, Args) -> Res<bool>;

const TESTS: &[(&str, Test)] = &[
    ("defined", |value, args| plain(args, !value.is_undefined())),
    ("undefined", |value, args| plain(args, value.is_undefined())),
    ("none", |value, args| plain(args, value.is_none())),
    ("boolean", |value, args| plain(args, matches!(value, Value::Bool(_)))),
    ("false", |value, args| plain(args, matches!(value, Value::Bool(false)))),
    ("true", |value, args| plain(args, matches!(value, Value::Bool(true)))),
    ("integer", |value, args| plain(args, matches!(value, Value::Int(_)))),
    ("float", |value, args| plain(args, matches!(value, Value::Float(_)))),
    ("number", |value, args| plain(args, Number::of(value).is_some())),
    ("string", |value, args| plain(args, value.as_str().is_some())),
    ("mapping", |value, args| plain(args, matches!(value, Value::Dict(_)))),
    ("sequence", |value, args| plain(args, is_sequence(value))),
    ("iterable", |value, args| plain(args, is_iterable(value))),
    ("callable", |value, args| plain(args, is_callable(value))),
    ("escaped", |_, args| plain(args, false)),
    ("odd", |value, args| remainder(value, args, 2, 1)),
    ("even", |value, args| remainder(value, args, 2, 0)),
    ("divisibleby", divisible_by),
    ("lower", |value, args| plain(args, all_cased(&to_str(value)?, false))),
    ("upper", |value, args| plain(args, all_cased(&to_str(value)?, true))),
    ("filter", |value, args| named(value, args, |name| filters::find(name).is_some())),
    ("test", |value, args| named(value, args, |name| find(name).is_some())),
    ("sameas", same_as),
    ("in", |value, args| other(args).and_then(|other| compare(Comparison::In, value, &other))),
    ("==", |value, args| compared(Comparison::Equal, value, args)),
    ("eq", |value, args| compared(Comparison::Equal, value, args)),
    ("equalto", |value, args| compared(Comparison::Equal, value, args)),
    ("!=", |value, args| compared(Comparison::NotEqual, value, args)),
    ("ne", |value, args| compared(Comparison::NotEqual, value, args)),
    (">", |value, args| compared(Comparison::Greater, value, args)),
    ("gt", |value, args| compared(Comparison::Greater, value, args)),
    ("greaterthan", |value, args| compared(Comparison::Greater, value, args)),
    (">=", |value, args| compared(Comparison::GreaterEqual, value, args)),
    ("ge", |value, args| compared(Comparison::GreaterEqual, value, args)),
    ("<", |value, args| compared(Comparison::Less, value, args)),
    ("lt", |value, args| compared(Comparison::Less, value, args)),
    ("lessthan", |value, args| compared(Comparison::Less, value, args)),
    ("<=", |value, args| compared(Comparison::LessEqual, value, args)),
    ("le", |value, args| compared(Comparison::LessEqual, value, args)),
];

pub fn find(name: &str) -> Option<Test> {
    TESTS.iter().find(|(known, _)| *known == name).map(|&(_, test)| test)
}

fn plain(args: Args, holds: bool) -> Res<bool> {
    args.none("test")?;
    Ok(holds)
}

fn named(value: &Value, args: Args, is_known: impl Fn(&str) -> bool) -> Res<bool> {
    value.key()?;
    plain(args, value.as_str().is_some_and(is_known))
}

fn other(args: Args) -> Res<Value> {
    let [other] = args.bind("test", ["other"], 1)?;
    Ok(other.unwrap_or(Value::None))
}

fn compared(comparison: Comparison, value: &Value, args: Args) -> Res<bool> {
    compare(comparison, value, &other(args)?)
}

fn remainder(value: &Value, args: Args, of: i128, wanted: i128) -> Res<bool> {
    args.none("test")?;
    equal(&binary(Binary::Remainder, value, &Value::Int(of))?, &Value::Int(wanted))
}

fn divisible_by(value: &Value, args: Args) -> Res<bool> {
    let [number] = args.bind("divisibleby", ["num"], 1)?;
    remainder(value, Args::default(), int(&number.unwrap_or(Value::None))?, 0)
}

fn same_as(value: &Value, args: Args) -> Res<bool> {
    let other = other(args)?;
    Ok(match (value, &other) {
        (Value::None | Value::Absent, Value::None | Value::Absent) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        // Python keeps one object for each small integer, and for most short strings.
        (Value::Int(a), Value::Int(b)) => a == b && (-5..=256).contains(a),
        (Value::Str(a), Value::Str(b)) => a == b,
        _ => value.identity().is_some() && value.identity() == other.identity(),
    })
}

fn is_iterable(value: &Value) -> bool {
    let is_container = matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::View(..));
    let gives_items = matches!(value, Value::Range(_) | Value::Iterator(..) | Value::Loop(_) | Value::Undefined(_));
    is_container || gives_items || value.as_str().is_some()
}

fn is_sequence(value: &Value) -> bool {
    let has_items = matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Range(_));
    has_items || matches!(value, Value::Str(_) | Value::Undefined(_))
}

fn is_callable(value: &Value) -> bool {
    let is_object = matches!(value, Value::Loop(_) | Value::Joiner(_) | Value::Undefined(_));
    is_object || matches!(value, Value::Macro(_) | Value::Method(_) | Value::Function(_))
}
