// SPDX-License-Identifier: Apache-2.0
//! The methods of values. Those that would change a list or a dict exist for no template: the sandbox hides them.

pub mod text;
pub mod words;

use super::args::{given, int, Args};
use super::attributes::current;
use super::fuel::charge;
use super::interpreter::Interpreter;
use super::operators::equal;
use super::value::{fail, Dict, Res, Value, View};

const LIST: &[&str] = &["copy", "count", "index"];
const LIST_CHANGING: &[&str] = &["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];
const TUPLE: &[&str] = &["count", "index"];
const DICT: &[&str] = &["copy", "fromkeys", "get", "items", "keys", "values"];
const DICT_CHANGING: &[&str] = &["clear", "pop", "popitem", "setdefault", "update"];

pub fn has(of: &Value, name: &str) -> bool {
    match of {
        Value::Str(_) => text::find(name).is_some(),
        Value::List(_) => LIST.contains(&name),
        Value::Tuple(_) | Value::Range(_) => TUPLE.contains(&name),
        Value::Dict(_) => DICT.contains(&name),
        Value::Int(_) => matches!(name, "bit_length" | "is_integer"),
        Value::Float(_) => name == "is_integer",
        Value::Loop(_) => matches!(name, "cycle" | "changed"),
        Value::Cycler(_) => matches!(name, "next" | "reset"),
        Value::Function(super::globals::Function::Dict) => name == "fromkeys",
        _ => false,
    }
}

/// Whether Python has such a method, and the sandbox hides it.
pub fn changes(of: &Value, name: &str) -> bool {
    match of {
        Value::List(_) => LIST_CHANGING.contains(&name),
        Value::Dict(_) => DICT_CHANGING.contains(&name),
        _ => false,
    }
}

pub fn call(_: &Interpreter, of: &Value, name: &str, args: Args) -> Res<Value> {
    match of {
        Value::Str(text) => match text::find(name) {
            Some(method) => method(text, args),
            None => fail(format!("'str object' has no attribute '{name}'")),
        },
        Value::List(items) if name == "copy" => {
            args.none(name)?;
            Value::list(items.values.clone())
        }
        Value::List(items) | Value::Tuple(items) => of_sequence(&items.values, of.type_name(), name, args),
        Value::Range(range) => of_sequence(&range.items().collect::<Vec<_>>(), "range", name, args),
        Value::Dict(dict) => of_dict(dict, name, args),
        Value::Function(_) => from_keys(args),
        Value::Int(value) => {
            args.none(name)?;
            let bits = 128 - value.unsigned_abs().leading_zeros();
            Ok(if name == "bit_length" { Value::Int(i128::from(bits)) } else { Value::Bool(true) })
        }
        Value::Float(value) => {
            args.none(name)?;
            Ok(Value::Bool(value.fract() == 0.0))
        }
        Value::Loop(state) if name == "cycle" => {
            let index = state.index0.get().checked_rem(args.positional.len());
            index.map_or_else(|| fail("no items for cycling given"), |at| Ok(args.positional[at].clone()))
        }
        Value::Loop(state) => {
            let same = match &*state.changed.borrow() {
                Some(before) => equal(&Value::list(before.clone())?, &Value::list(args.positional.clone())?)?,
                None => false,
            };
            *state.changed.borrow_mut() = Some(args.positional);
            Ok(Value::Bool(!same))
        }
        Value::Cycler(cycler) => {
            args.none(name)?;
            if name == "reset" {
                cycler.at.set(0);
                return Ok(Value::None);
            }
            let value = current(cycler);
            cycler.at.set((cycler.at.get() + 1) % cycler.items.borrow().len().max(1));
            Ok(value)
        }
        other => fail(format!("'{}' has no method '{name}'", other.type_name())),
    }
}

fn of_sequence(items: &[Value], type_name: &str, name: &str, args: Args) -> Res<Value> {
    if name == "count" {
        let [wanted] = args.bind(name, ["value"], 1)?;
        let wanted = wanted.unwrap_or(Value::None);
        let mut count = 0;
        for item in items {
            count += i128::from(equal(item, &wanted)?);
        }
        return Ok(Value::Int(count));
    }
    let [wanted, start, stop] = args.bind(name, ["value", "start", "stop"], 1)?;
    let wanted = wanted.unwrap_or(Value::None);
    let bound = |value: Option<Value>, default: usize| -> Res<usize> {
        let Some(value) = value else { return Ok(default) };
        let value = int(&value)?;
        let value = if value < 0 { value.saturating_add(items.len() as i128) } else { value };
        Ok(value.clamp(0, items.len() as i128) as usize)
    };
    let (first, end) = (bound(start, 0)?, bound(stop, items.len())?);
    for (at, item) in items.iter().enumerate().take(end).skip(first) {
        if equal(item, &wanted)? {
            return Ok(Value::Int(at as i128));
        }
    }
    fail(format!("{type_name}.index(x): x not in {type_name}"))
}

fn of_dict(dict: &Dict, name: &str, args: Args) -> Res<Value> {
    match name {
        "get" => {
            let [key, default] = args.bind(name, ["key", "default"], 1)?;
            let found = dict.get(&key.unwrap_or(Value::None))?.cloned();
            return Ok(found.or(default).unwrap_or(Value::None));
        }
        "fromkeys" => return from_keys(args),
        _ => args.none(name)?,
    }
    charge(dict.entries.len() / 8)?;
    match name {
        "keys" => Value::view(View::Keys, dict.keys()),
        "values" => Value::view(View::Values, dict.entries.iter().map(|(_, value)| value.clone()).collect()),
        "items" => Value::view(View::Items, pairs(dict)?),
        _ => copied(dict).and_then(Value::dict),
    }
}

pub fn pairs(dict: &Dict) -> Res<Vec<Value>> {
    dict.entries.iter().map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()])).collect()
}

pub fn copied(dict: &Dict) -> Res<Dict> {
    let mut copy = Dict::default();
    for (key, value) in &dict.entries {
        copy.insert(key.clone(), value.clone())?;
    }
    Ok(copy)
}

fn from_keys(args: Args) -> Res<Value> {
    let [keys, value] = args.bind("fromkeys", ["iterable", "value"], 1)?;
    let value = given(value).unwrap_or(Value::None);
    let mut dict = Dict::default();
    for key in super::sequence::iterate(&keys.unwrap_or(Value::None))? {
        dict.insert(key, value.clone())?;
    }
    Value::dict(dict)
}
