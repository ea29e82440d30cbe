// SPDX-License-Identifier: Apache-2.0
//! The arguments of a call, and their binding to the parameters of a function of Python.

use std::sync::Arc;

use super::repr::to_repr;
use super::value::{fail, type_error, Res, Value};

#[derive(Default)]
pub struct Args {
    pub positional: Vec<Value>,
    pub named: Vec<(Arc<str>, Value)>,
}

impl Args {
    pub fn add_named(&mut self, name: Arc<str>, value: Value) -> Res<()> {
        if self.named.iter().any(|(known, _)| *known == name) {
            return fail(format!("got multiple values for keyword argument '{name}'"));
        }
        self.named.push((name, value));
        Ok(())
    }

    pub fn add_all_named(&mut self, mapping: &Value) -> Res<()> {
        let Value::Dict(dict) = mapping else {
            return type_error(mapping, || format!("argument after ** must be a mapping, not {}", mapping.type_name()));
        };
        for (key, value) in &dict.entries {
            let Value::Str(name) = key else { return fail("keywords must be strings") };
            self.add_named(name.clone(), value.clone())?;
        }
        Ok(())
    }

    pub fn take_named(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|(known, _)| &**known == name)?;
        Some(self.named.remove(at).1)
    }

    /// One value for each of `parameters`, by position or by name; the first `required` of them must be there.
    pub fn bind<const N: usize>(self, of: &str, parameters: [&str; N], required: usize) -> Res<[Option<Value>; N]> {
        let mut bound = [const { None }; N];
        if self.positional.len() > N {
            return fail(format!("{of}() takes at most {N} arguments, {} are given", self.positional.len()));
        }
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let Some(at) = parameters.iter().position(|parameter| *parameter == &*name) else {
                return fail(format!("{of}() got an unexpected keyword argument '{name}'"));
            };
            if bound[at].is_some() {
                return fail(format!("{of}() got multiple values for argument '{name}'"));
            }
            bound[at] = Some(value);
        }
        if let Some(at) = bound[..required].iter().position(Option::is_none) {
            return fail(format!("{of}() missing 1 required positional argument: '{}'", parameters[at]));
        }
        Ok(bound)
    }

    pub fn none(self, of: &str) -> Res<()> {
        self.bind(of, [], 0).map(|[]| ())
    }
}

/// An argument as the type that a function wants, or its default where it was not given.
pub fn truth_or(value: Option<Value>, default: bool) -> bool {
    value.map_or(default, |value| value.truth())
}

pub fn int(value: &Value) -> Res<i128> {
    match value {
        Value::Int(value) => Ok(*value),
        Value::Bool(value) => Ok(i128::from(*value)),
        _ => type_error(value, || format!("'{}' object cannot be interpreted as an integer", value.type_name())),
    }
}

pub fn int_or(value: Option<Value>, default: i128) -> Res<i128> {
    value.map_or(Ok(default), |value| int(&value))
}

pub fn text(value: &Value) -> Res<Arc<str>> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        _ => type_error(value, || format!("expected a string, not {}", to_repr(value).unwrap_or_default())),
    }
}

pub fn text_or(value: Option<Value>, default: &str) -> Res<Arc<str>> {
    value.map_or(Ok(default.into()), |value| text(&value))
}

/// None counts as not given.
pub fn given(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_none())
}
