// SPDX-License-Identifier: Apache-2.0
//! Iteration and sorting.

use super::fuel::{charge, charge_bytes};
use super::operators::less;
use super::value::{type_error, Res, Value};

/// The items of a value, all at once. An iterator has none left afterwards.
pub fn iterate(value: &Value) -> Res<Vec<Value>> {
    let items = match value {
        Value::Undefined(_) | Value::Absent => Vec::new(),
        Value::List(items) | Value::Tuple(items) | Value::View(_, items) => items.values.clone(),
        Value::Dict(dict) => dict.keys(),
        Value::Range(range) => range.items().collect(),
        Value::Iterator(items, _) => items.borrow_mut().by_ref().collect(),
        Value::Loop(state) => state.items[(state.index0.get() + 1).min(state.items.len())..].to_vec(),
        Value::Str(text) => {
            charge_bytes(text.len())?;
            text.chars().map(|c| Value::str(c.to_string())).collect()
        }
        other => return type_error(other, || format!("'{}' object is not iterable", other.type_name())),
    };
    charge(items.len() / 8)?;
    Ok(items)
}

/// `len(value)`.
pub fn length(value: &Value) -> Res<usize> {
    Ok(match value {
        Value::Undefined(_) | Value::Absent => 0,
        Value::List(items) | Value::Tuple(items) | Value::View(_, items) => items.values.len(),
        Value::Dict(dict) => dict.entries.len(),
        Value::Range(range) => range.len(),
        Value::Loop(state) => state.items.len(),
        Value::Str(text) => {
            charge_bytes(text.len())?;
            text.chars().count()
        }
        other => return type_error(other, || format!("object of type '{}' has no len()", other.type_name())),
    })
}

/// Sorts pairs by their first: stable, in either direction, also where an order is not total (NaN). A merge sort.
pub fn sort_pairs<T>(mut pairs: Vec<(Value, T)>, reverse: bool) -> Res<Vec<(Value, T)>> {
    if pairs.len() < 2 {
        return Ok(pairs);
    }
    let right = pairs.split_off(pairs.len() / 2);
    let mut left = sort_pairs(pairs, reverse)?.into_iter().peekable();
    let mut right = sort_pairs(right, reverse)?.into_iter().peekable();
    let mut out = Vec::new();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let right_first = if reverse { less(&a.0, &b.0)? } else { less(&b.0, &a.0)? };
        out.extend(if right_first { right.next() } else { left.next() });
    }
    out.extend(left);
    out.extend(right);
    Ok(out)
}
