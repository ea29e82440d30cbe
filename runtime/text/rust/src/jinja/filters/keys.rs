// SPDX-License-Identifier: Apache-2.0
//! Filters that look at an attribute of each item, or order items by it.

use super::super::args::{given, truth_or, Args};
use super::super::attributes::item;
use super::super::fuel::charge_bytes;
use super::super::interpreter::Interpreter;
use super::super::operators::{binary, equal, less};
use super::super::repr::to_str;
use super::super::sequence::{iterate, sort_pairs};
use super::super::tree::Binary;
use super::super::value::{fail, type_error, Dict, Res, Value};

/// An attribute such as "function.name" or "0.name", or no attribute: the item itself.
pub struct Path(Vec<Value>);

impl Path {
    pub fn of(attribute: Option<Value>) -> Res<Path> {
        Ok(Path(match given(attribute) {
            None => Vec::new(),
            Some(Value::Str(path)) => path.split('.').map(step).collect(),
            Some(other) => vec![other],
        }))
    }

    pub fn get(&self, of: &Value) -> Res<Value> {
        self.get_or(of, None)
    }

    pub fn get_or(&self, of: &Value, default: Option<&Value>) -> Res<Value> {
        let mut value = of.clone();
        for step in &self.0 {
            value = item(&value, step)?;
            if let (true, Some(default)) = (value.is_undefined(), default) {
                value = default.clone();
            }
        }
        Ok(value)
    }
}

fn step(text: &str) -> Value {
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).map_or_else(|| Value::str(text), Value::Int)
}

/// The key by which filters order and compare: texts without their case, unless it counts.
fn folded(value: Value, case_sensitive: bool) -> Value {
    match &value {
        Value::Str(text) if !case_sensitive => Value::str(text.to_lowercase()),
        _ => value,
    }
}

pub fn sort(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [reverse, case_sensitive, attribute] = args.bind("sort", ["reverse", "case_sensitive", "attribute"], 0)?;
    let case_sensitive = truth_or(case_sensitive, false);
    let paths = match given(attribute) {
        Some(Value::Str(several)) => {
            several.split(',').map(|path| Path::of(Some(Value::str(path)))).collect::<Res<Vec<_>>>()?
        }
        attribute => vec![Path::of(attribute)?],
    };
    let mut keyed = Vec::new();
    for item in iterate(&value)? {
        let keys = paths.iter().map(|path| Ok(folded(path.get(&item)?, case_sensitive)));
        keyed.push((Value::list(keys.collect::<Res<_>>()?)?, item));
    }
    let sorted = sort_pairs(keyed, truth_or(reverse, false))?;
    Value::list(sorted.into_iter().map(|(_, item)| item).collect())
}

pub fn dictsort(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [case_sensitive, by, reverse] = args.bind("dictsort", ["case_sensitive", "by", "reverse"], 0)?;
    let Value::Dict(dict) = &value else {
        return type_error(&value, || format!("'{}' has no attribute 'items'", value.object_name()));
    };
    let by_value = match by.as_ref().map_or(Some("key"), Value::as_str) {
        Some("key") => false,
        Some("value") => true,
        _ => return fail("You can only sort by either \"key\" or \"value\""),
    };
    let case_sensitive = truth_or(case_sensitive, false);
    let mut keyed = Vec::new();
    for (key, value) in &dict.entries {
        let by = if by_value { value } else { key };
        keyed.push((folded(by.clone(), case_sensitive), Value::tuple(vec![key.clone(), value.clone()])?));
    }
    let sorted = sort_pairs(keyed, truth_or(reverse, false))?;
    Value::list(sorted.into_iter().map(|(_, pair)| pair).collect())
}

pub fn groupby(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [attribute, default, case_sensitive] = args.bind("groupby", ["attribute", "default", "case_sensitive"], 1)?;
    let (path, default) = (Path::of(attribute)?, given(default));
    let case_sensitive = truth_or(case_sensitive, false);
    let mut keyed = Vec::new();
    for item in iterate(&value)? {
        let key = path.get_or(&item, default.as_ref())?;
        keyed.push((folded(key.clone(), case_sensitive), (key, item)));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (key, (shown, item)) in sort_pairs(keyed, false)? {
        match groups.last_mut() {
            Some((last, _, items)) if equal(last, &key)? => items.push(item),
            _ => groups.push((key, shown, vec![item])),
        }
    }
    let tuples = groups.into_iter().map(|(_, shown, items)| Value::tuple(vec![shown, Value::list(items)?]));
    Value::list(tuples.collect::<Res<_>>()?)
}

pub fn unique(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [case_sensitive, attribute] = args.bind("unique", ["case_sensitive", "attribute"], 0)?;
    let path = Path::of(attribute)?;
    let case_sensitive = truth_or(case_sensitive, false);
    let mut seen = Dict::default();
    let mut out = Vec::new();
    for item in iterate(&value)? {
        let key = folded(path.get(&item)?, case_sensitive);
        if seen.get(&key)?.is_none() {
            seen.insert(key, Value::None)?;
            out.push(item);
        }
    }
    Value::iterator(out)
}

/// `min`, and with `greatest` `max`: the first of equal ones.
pub fn extreme(_: &Interpreter, value: Value, args: Args, greatest: bool) -> Res<Value> {
    let [case_sensitive, attribute] = args.bind("min", ["case_sensitive", "attribute"], 0)?;
    let path = Path::of(attribute)?;
    let case_sensitive = truth_or(case_sensitive, false);
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(&value)? {
        let key = folded(path.get(&item)?, case_sensitive);
        let better = match &best {
            None => true,
            Some((known, _)) if greatest => less(known, &key)?,
            Some((known, _)) => less(&key, known)?,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| Value::undefined("No aggregated item, sequence was empty."), |(_, item)| item))
}

pub fn sum(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [attribute, start] = args.bind("sum", ["attribute", "start"], 0)?;
    let path = Path::of(attribute)?;
    let mut total = start.unwrap_or(Value::Int(0));
    if let Value::Str(_) = total {
        return fail("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for item in iterate(&value)? {
        total = binary(Binary::Add, &total, &path.get(&item)?)?;
    }
    Ok(total)
}

pub fn join(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [separator, attribute] = args.bind("join", ["d", "attribute"], 0)?;
    let path = Path::of(attribute)?;
    let separator = to_str(&separator.unwrap_or_else(|| Value::str("")))?;
    let mut out = String::new();
    for (i, item) in iterate(&value)?.iter().enumerate() {
        if i != 0 {
            out.push_str(&separator);
        }
        charge_bytes(separator.len())?;
        out.push_str(&to_str(&path.get(item)?)?);
    }
    Ok(Value::str(out))
}
