// SPDX-License-Identifier: Apache-2.0
//! Filters that take and give items.

use super::super::args::{given, int, text, truth_or, Args};
use super::super::attributes::attribute;
use super::super::fuel::charge;
use super::super::interpreter::Interpreter;
use super::super::methods::{changes, has, pairs};
use super::super::repr::to_repr;
use super::super::sequence::{iterate, length};
use super::super::value::{fail, type_error, Res, Value};
use super::keys::Path;

pub fn default(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [default, boolean] = args.bind("default", ["default_value", "boolean"], 0)?;
    let missing = value.is_undefined() || truth_or(boolean, false) && !value.truth();
    Ok(if missing { default.unwrap_or_else(|| Value::str("")) } else { value })
}

pub fn length_of(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("length")?;
    Ok(Value::Int(length(&value)? as i128))
}

pub fn list(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("list")?;
    Value::list(iterate(&value)?)
}

pub fn items(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("items")?;
    match &value {
        Value::Dict(dict) => Value::iterator(pairs(dict)?),
        Value::Undefined(_) | Value::Absent => Value::iterator(Vec::new()),
        _ => fail("Can only get item pairs from a mapping."),
    }
}

/// Takes one item from an iterator; the others stay.
pub fn first(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("first")?;
    let first = match &value {
        Value::Iterator(items, _) => items.borrow_mut().next(),
        other => iterate(other)?.into_iter().next(),
    };
    Ok(first.unwrap_or_else(|| Value::undefined("No first item, sequence was empty.")))
}

pub fn last(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("last")?;
    if let Value::Iterator(..) = value {
        return fail("'generator' object is not reversible");
    }
    let last = iterate(&value)?.pop();
    Ok(last.unwrap_or_else(|| Value::undefined("No last item, sequence was empty.")))
}

pub fn reverse(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("reverse")?;
    if let Value::Str(text) = &value {
        charge(text.len())?;
        return Ok(Value::str(text.chars().rev().collect::<String>()));
    }
    let mut items = iterate(&value).or_else(|_| type_error(&value, || "argument must be iterable".to_owned()))?;
    items.reverse();
    match value {
        Value::Iterator(..) | Value::Undefined(_) => Value::list(items),
        _ => Value::iterator(items),
    }
}

pub fn attr(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [name] = args.bind("attr", ["name"], 1)?;
    let name = text(&name.unwrap_or(Value::None))?;
    let own = match &value {
        Value::Dict(_) => has(&value, &name) || changes(&value, &name),
        _ => true,
    };
    if own {
        attribute(&value, &name)
    } else {
        Ok(Value::lacks_attribute(&value, name))
    }
}

pub fn batch(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [count, fill] = args.bind("batch", ["linecount", "fill_with"], 1)?;
    let count = usize::try_from(int(&count.unwrap_or(Value::None))?).unwrap_or(0).max(1);
    let mut rows: Vec<Vec<Value>> = iterate(&value)?.chunks(count).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(row)) = (given(fill), rows.last_mut()) {
        charge(count)?;
        row.resize(count, fill);
    }
    Value::iterator(rows.into_iter().map(Value::list).collect::<Res<_>>()?)
}

pub fn slice(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [count, fill] = args.bind("slice", ["slices", "fill_with"], 1)?;
    let count = int(&count.unwrap_or(Value::None))?;
    if count == 0 {
        return fail("integer division or modulo by zero");
    }
    let count = usize::try_from(count).unwrap_or(0);
    charge(count)?;
    let items = iterate(&value)?;
    let fill = given(fill);
    let mut out = Vec::new();
    let mut start = 0;
    for i in 0..count {
        let longer = i < items.len() % count;
        let end = start + items.len() / count + usize::from(longer);
        let mut part = items[start..end].to_vec();
        if !longer {
            part.extend(fill.clone());
        }
        out.push(Value::list(part)?);
        start = end;
    }
    Value::iterator(out)
}

/// `map(attribute=path, default=value)`, or `map(filter, ...)`.
pub fn map(interpreter: &Interpreter, value: Value, mut args: Args) -> Res<Value> {
    let items = if value.truth() { iterate(&value)? } else { Vec::new() };
    if args.positional.is_empty() {
        let Some(path) = args.take_named("attribute") else { return fail("map requires a filter argument") };
        let default = given(args.take_named("default"));
        args.none("map")?;
        let path = Path::of(Some(path))?;
        let found = items.iter().map(|item| path.get_or(item, default.as_ref()));
        return Value::iterator(found.collect::<Res<_>>()?);
    }
    let name = text(&args.positional.remove(0))?;
    let mut out = Vec::new();
    for item in items {
        charge(1)?;
        out.push(interpreter.filter_by_name(&name, item, copied(&args))?);
    }
    Value::iterator(out)
}

fn copied(args: &Args) -> Args {
    Args { positional: args.positional.clone(), named: args.named.clone() }
}

/// `select(test, ...)`, and with `by_attribute` `selectattr(path, test, ...)`; those that fail where not `wanted`.
pub fn select(interpreter: &Interpreter, value: Value, mut args: Args, wanted: bool, by_attribute: bool) -> Res<Value> {
    let items = if value.truth() { iterate(&value)? } else { Vec::new() };
    let mut path = None;
    if by_attribute {
        if args.positional.is_empty() {
            return fail("Missing parameter for attribute name");
        }
        path = Some(Path::of(Some(args.positional.remove(0)))?);
    }
    let test = if args.positional.is_empty() { None } else { Some(args.positional.remove(0)) };
    let mut out = Vec::new();
    for item in items {
        charge(1)?;
        let subject = path.as_ref().map_or_else(|| Ok(item.clone()), |path| path.get(&item))?;
        let holds = match &test {
            None => subject.truth(),
            Some(Value::Str(name)) => interpreter.test_by_name(name, &subject, copied(&args))?,
            Some(other) => return fail(format!("No test named {}.", to_repr(other)?)),
        };
        if holds == wanted {
            out.push(item);
        }
    }
    Value::iterator(out)
}
