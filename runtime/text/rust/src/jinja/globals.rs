// SPDX-License-Identifier: Apache-2.0
//! What every template can call: the globals of jinja2, and those that transformers adds.

use std::cell::Cell;
use std::ffi::CString;
use std::rc::Rc;

use super::args::{int, text, Args};
use super::fuel::charge;
use super::interpreter::Interpreter;
use super::methods::copied;
use super::repr::to_str;
use super::sequence::iterate;
use super::value::{fail, Dict, Joiner, Range, Res, Value};

/// As many as jinja2's sandbox lets a range have.
const MAX_RANGE: usize = 100_000;

#[derive(Clone, Copy, PartialEq)]
pub enum Function {
    Range,
    Dict,
    Namespace,
    Cycler,
    Joiner,
    RaiseException,
    StrftimeNow,
}

pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "range" => Function::Range,
        "dict" => Function::Dict,
        "namespace" => Function::Namespace,
        "cycler" => Function::Cycler,
        "joiner" => Function::Joiner,
        "raise_exception" => Function::RaiseException,
        "strftime_now" => Function::StrftimeNow,
        _ => return None,
    })
}

pub fn call(interpreter: &Interpreter, function: Function, args: Args) -> Res<Value> {
    match function {
        Function::Range => range(args),
        Function::Dict => Value::dict(dict_of(args)?),
        Function::Namespace => {
            let dict = dict_of(args)?;
            if dict.entries.iter().any(|(key, _)| key.as_str().is_some_and(|key| key.starts_with('_'))) {
                return fail("a namespace keeps no attribute that starts with an underscore");
            }
            Ok(interpreter.new_namespace(dict))
        }
        Function::Cycler if args.positional.is_empty() => fail("at least one item has to be provided"),
        Function::Cycler => Ok(interpreter.new_cycler(args.positional)),
        Function::Joiner => {
            let [separator] = args.bind("joiner", ["sep"], 0)?;
            let separator = separator.map_or_else(|| Ok(", ".to_owned()), |text| to_str(&text))?.into();
            Ok(Value::Joiner(Rc::new(Joiner { separator, used: Cell::new(false) })))
        }
        Function::RaiseException => {
            let [message] = args.bind("raise_exception", ["message"], 1)?;
            fail(to_str(&message.unwrap_or(Value::None))?)
        }
        Function::StrftimeNow => {
            let [format] = args.bind("strftime_now", ["format"], 1)?;
            strftime(&text(&format.unwrap_or(Value::None))?, interpreter.now).map(Value::str)
        }
    }
}

fn range(args: Args) -> Res<Value> {
    let [first, second, step] = args.bind("range", ["start", "stop", "step"], 1)?;
    let first = int(&first.unwrap_or(Value::None))?;
    let (start, stop) = match second {
        Some(second) => (first, int(&second)?),
        None => (0, first),
    };
    let step = step.map_or(Ok(1), |step| int(&step))?;
    if step == 0 {
        return fail("range() arg 3 must not be zero");
    }
    let small = |value: i128| value.abs() < 1 << 64;
    let range = Range { start, stop, step };
    if !small(start) || !small(stop) || !small(step) || range.len() > MAX_RANGE {
        return fail(format!("a range of more than {MAX_RANGE} numbers"));
    }
    Ok(Value::Range(range))
}

/// `dict(mapping or pairs, **named)`.
fn dict_of(args: Args) -> Res<Dict> {
    let mut dict = match &args.positional[..] {
        [] => Dict::default(),
        [Value::Dict(from)] => copied(from)?,
        [pairs] => of_pairs(pairs)?,
        more => return fail(format!("dict expected at most 1 argument, got {}", more.len())),
    };
    for (name, value) in args.named {
        dict.insert(Value::Str(name), value)?;
    }
    Ok(dict)
}

fn of_pairs(pairs: &Value) -> Res<Dict> {
    let mut dict = Dict::default();
    for (i, pair) in iterate(pairs)?.iter().enumerate() {
        charge(1)?;
        match &iterate(pair)?[..] {
            [key, value] => dict.insert(key.clone(), value.clone())?,
            other => {
                let length = other.len();
                return fail(format!("dictionary update sequence element #{i} has length {length}; 2 is required"));
            }
        }
    }
    Ok(dict)
}

fn strftime(format: &str, now: i64) -> Res<String> {
    if format.is_empty() {
        return Ok(String::new());
    }
    let Ok(format) = CString::new(format) else { return fail("strftime_now: the format has a zero byte") };
    let mut buffer = [0u8; 512];
    let seconds = now as libc::time_t;
    // SAFETY: localtime_r and strftime write only into what they are given.
    let written = unsafe {
        let mut parts: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&seconds, &mut parts).is_null() {
            return fail("strftime_now: no such time");
        }
        libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), &parts)
    };
    if written == 0 {
        return fail("strftime_now: the date is longer than 511 bytes");
    }
    String::from_utf8(buffer[..written].to_vec()).or_else(|_| fail("strftime_now: the date is not UTF-8"))
}
