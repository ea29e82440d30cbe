// SPDX-License-Identifier: Apache-2.0
//! `value.name`, `value[key]` and `value[a:b:c]`, in the order in which the sandbox of jinja2 looks: the attributes of
//! an object before its elements with a dot, after them with brackets.

use std::rc::Rc;
use std::sync::Arc;

use super::args::int;
use super::fuel::{charge, charge_bytes};
use super::methods;
use super::repr::to_repr;
use super::value::{fail, Cycler, Loop, Method, Res, Undefined, Value};

pub fn attribute(of: &Value, name: &Arc<str>) -> Res<Value> {
    if let Value::Undefined(why) = of {
        return fail(why.message());
    }
    if let Some(value) = own_attribute(of, name)? {
        return Ok(value);
    }
    if let Value::Dict(dict) = of {
        if let Some(value) = dict.get_str(name) {
            return Ok(value.clone());
        }
    }
    Ok(Value::lacks_attribute(of, name.clone()))
}

pub fn item(of: &Value, key: &Value) -> Res<Value> {
    if let Value::Undefined(why) = of {
        return fail(why.message());
    }
    if let Some(value) = element(of, key)? {
        return Ok(value);
    }
    let Value::Str(name) = key else {
        let (of, key) = (of.object_name(), to_repr(key)?);
        return Ok(Value::Undefined(Rc::new(Undefined::Element { of, key })));
    };
    Ok(own_attribute(of, name)?.unwrap_or_else(|| Value::lacks_attribute(of, name.clone())))
}

/// The attribute of the object itself, such as a method; None when it has no such attribute.
fn own_attribute(of: &Value, name: &Arc<str>) -> Res<Option<Value>> {
    match of {
        Value::Namespace(namespace) => return Ok(namespace.borrow().get_str(name).cloned()),
        Value::Loop(state) => {
            if let Some(value) = loop_attribute(state, name) {
                return Ok(Some(value));
            }
        }
        Value::Cycler(cycler) if &**name == "current" => return Ok(Some(current(cycler))),
        Value::Macro(callee) if &**name == "name" => return Ok(Some(Value::Str(callee.def.name.clone()))),
        Value::Tuple(group) if group.values.len() == 2 => {
            // What groupby gives.
            match &**name {
                "grouper" => return Ok(Some(group.values[0].clone())),
                "list" => return Ok(Some(group.values[1].clone())),
                _ => {}
            }
        }
        Value::Range(range) => match &**name {
            "start" => return Ok(Some(Value::Int(range.start))),
            "stop" => return Ok(Some(Value::Int(range.stop))),
            "step" => return Ok(Some(Value::Int(range.step))),
            _ => {}
        },
        _ => {}
    }
    let unsafe_name = name.starts_with("__") && name.ends_with("__") || methods::changes(of, name);
    if unsafe_name {
        let message = format!("access to attribute '{name}' of '{}' object is unsafe.", of.type_name());
        return Ok(Some(Value::undefined(message)));
    }
    if methods::has(of, name) {
        return Ok(Some(Value::Method(Rc::new(Method { of: of.clone(), name: name.clone() }))));
    }
    Ok(None)
}

pub fn current(cycler: &Cycler) -> Value {
    cycler.items.borrow().get(cycler.at.get()).cloned().unwrap_or(Value::None)
}

fn loop_attribute(state: &Loop, name: &str) -> Option<Value> {
    let index0 = state.index0.get();
    let length = state.items.len();
    let count = |value: usize| Some(Value::Int(value as i128));
    match name {
        "index" => count(index0 + 1),
        "index0" => count(index0),
        "revindex" => count(length - index0),
        "revindex0" => count(length - index0 - 1),
        "first" => Some(Value::Bool(index0 == 0)),
        "last" => Some(Value::Bool(index0 + 1 == length)),
        "length" => count(length),
        "depth" => count(state.depth0 + 1),
        "depth0" => count(state.depth0),
        "previtem" => Some(match index0.checked_sub(1) {
            Some(before) => state.items[before].clone(),
            None => Value::undefined("there is no previous item"),
        }),
        "nextitem" => {
            let after = state.items.get(index0 + 1).cloned();
            Some(after.unwrap_or_else(|| Value::undefined("there is no next item")))
        }
        _ => None,
    }
}

/// `of[key]`; None where Python raises a TypeError or a LookupError.
fn element(of: &Value, key: &Value) -> Res<Option<Value>> {
    if let Value::Dict(dict) = of {
        return Ok(dict.get(key).ok().flatten().cloned());
    }
    let index = match key {
        Value::Int(index) => *index,
        Value::Bool(index) => i128::from(*index),
        _ => return Ok(None),
    };
    Ok(match of {
        Value::List(items) | Value::Tuple(items) => {
            position(index, items.values.len()).map(|at| items.values[at].clone())
        }
        Value::Range(range) => position(index, range.len()).map(|at| range.at(at)),
        Value::Str(text) if text.is_ascii() => {
            position(index, text.len()).map(|at| Value::str(text[at..].chars().next().unwrap_or(' ').to_string()))
        }
        Value::Str(text) => {
            charge_bytes(text.len())?;
            let at = position(index, text.chars().count());
            at.and_then(|at| text.chars().nth(at)).map(|c| Value::str(c.to_string()))
        }
        _ => None,
    })
}

fn position(index: i128, length: usize) -> Option<usize> {
    let index = if index < 0 { index + length as i128 } else { index };
    usize::try_from(index).ok().filter(|&at| at < length)
}

pub fn slice(of: &Value, bounds: &[Value; 3]) -> Res<Value> {
    match of {
        Value::List(items) => Value::list(picked(&items.values, bounds)?),
        Value::Tuple(items) => Value::tuple(picked(&items.values, bounds)?),
        Value::Range(range) => Value::list(picked(&range.items().collect::<Vec<_>>(), bounds)?),
        Value::Str(text) => {
            charge_bytes(text.len())?;
            let chars: Vec<char> = text.chars().collect();
            Ok(Value::str(picked(&chars, bounds)?.into_iter().collect::<String>()))
        }
        Value::Undefined(why) => fail(why.message()),
        other => {
            let key = format!("slice({}, {}, {})", to_repr(&bounds[0])?, to_repr(&bounds[1])?, to_repr(&bounds[2])?);
            Ok(Value::Undefined(Rc::new(Undefined::Element { of: other.object_name(), key })))
        }
    }
}

fn picked<T: Clone>(values: &[T], bounds: &[Value; 3]) -> Res<Vec<T>> {
    charge(values.len() / 16)?;
    let bound = |value: &Value| if value.is_none() { Ok(None) } else { int(value).map(Some) };
    let length = values.len() as i128;
    let step = bound(&bounds[2])?.unwrap_or(1);
    if step == 0 {
        return fail("slice step cannot be zero");
    }
    let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamped = |value: i128| (if value < 0 { value.saturating_add(length) } else { value }).clamp(lowest, highest);
    let start = bound(&bounds[0])?.map_or(if step > 0 { lowest } else { highest }, clamped);
    let stop = bound(&bounds[1])?.map_or(if step > 0 { highest } else { lowest }, clamped);
    let mut out = Vec::new();
    let mut at = start;
    while if step > 0 { at < stop } else { at > stop } {
        out.push(values[at as usize].clone());
        at = at.saturating_add(step);
    }
    Ok(out)
}
