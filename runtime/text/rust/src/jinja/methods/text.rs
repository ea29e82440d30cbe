// SPDX-License-Identifier: Apache-2.0
//! The methods of str.

use std::sync::Arc;

use super::super::args::{given, int, int_or, text, text_or, truth_or, Args};
use super::super::format::str_format;
use super::super::fuel::charge_bytes;
use super::super::lexer::is_space;
use super::super::operators::repeat;
use super::super::repr::printable;
use super::super::sequence::iterate;
use super::super::value::{fail, Res, Value};
use super::words;

type Method = fn(&Arc<str>, Args) -> Res<Value>;

const METHODS: &[(&str, Method)] = &[
    ("capitalize", |text, args| mapped("capitalize", text, args, words::capitalize)),
    ("casefold", |text, args| mapped("casefold", text, args, |text| text.replace('ß', "ss").to_lowercase())),
    ("center", |text, args| padded(text, args, Side::Both)),
    ("count", |text, args| found("count", text, args)),
    ("endswith", |text, args| affixed("endswith", text, args)),
    ("expandtabs", expand_tabs),
    ("find", |text, args| found("find", text, args)),
    ("format", |text, args| str_format(text, &args).map(Value::str)),
    ("format_map", format_map),
    ("index", |text, args| found("index", text, args)),
    ("isalnum", |text, args| checked("isalnum", text, args, char::is_alphanumeric)),
    ("isalpha", |text, args| checked("isalpha", text, args, char::is_alphabetic)),
    ("isascii", |text, args| args.none("isascii").map(|()| Value::Bool(text.is_ascii()))),
    ("isdecimal", |text, args| checked("isdecimal", text, args, |c| c.is_ascii_digit())),
    ("isdigit", |text, args| checked("isdigit", text, args, is_digit)),
    ("isidentifier", is_identifier),
    ("islower", |text, args| args.none("islower").map(|()| Value::Bool(words::all_cased(text, false)))),
    ("isnumeric", |text, args| checked("isnumeric", text, args, char::is_numeric)),
    ("isprintable", |text, args| args.none("isprintable").map(|()| Value::Bool(text.chars().all(printable)))),
    ("isspace", |text, args| checked("isspace", text, args, is_space)),
    ("istitle", |text, args| args.none("istitle").map(|()| Value::Bool(words::is_title(text)))),
    ("isupper", |text, args| args.none("isupper").map(|()| Value::Bool(words::all_cased(text, true)))),
    ("join", join),
    ("ljust", |text, args| padded(text, args, Side::Right)),
    ("lower", |text, args| mapped("lower", text, args, str::to_lowercase)),
    ("lstrip", |text, args| stripped("lstrip", text, args)),
    ("partition", |text, args| partition(text, args, false)),
    ("removeprefix", |text, args| without(text, args, true)),
    ("removesuffix", |text, args| without(text, args, false)),
    ("replace", replace),
    ("rfind", |text, args| found("rfind", text, args)),
    ("rindex", |text, args| found("rindex", text, args)),
    ("rjust", |text, args| padded(text, args, Side::Left)),
    ("rpartition", |text, args| partition(text, args, true)),
    ("rsplit", |text, args| split(text, args, true)),
    ("rstrip", |text, args| stripped("rstrip", text, args)),
    ("split", |text, args| split(text, args, false)),
    ("splitlines", split_lines),
    ("startswith", |text, args| affixed("startswith", text, args)),
    ("strip", |text, args| stripped("strip", text, args)),
    ("swapcase", |text, args| mapped("swapcase", text, args, words::swap_case)),
    ("title", |text, args| mapped("title", text, args, words::title)),
    ("upper", |text, args| mapped("upper", text, args, str::to_uppercase)),
    ("zfill", zero_filled),
];

pub fn find(name: &str) -> Option<Method> {
    METHODS.iter().find(|(known, _)| *known == name).map(|&(_, method)| method)
}

fn mapped(name: &str, text: &str, args: Args, map: impl Fn(&str) -> String) -> Res<Value> {
    args.none(name)?;
    charge_bytes(text.len())?;
    Ok(Value::str(map(text)))
}

fn checked(name: &str, text: &str, args: Args, holds: impl Fn(char) -> bool) -> Res<Value> {
    args.none(name)?;
    charge_bytes(text.len())?;
    Ok(Value::Bool(!text.is_empty() && text.chars().all(holds)))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '²' | '³' | '¹' | '⁰'..='⁹' | '₀'..='₉' | '٠'..='٩' | '０'..='９')
}

fn is_identifier(text: &Arc<str>, args: Args) -> Res<Value> {
    args.none("isidentifier")?;
    let starts = text.starts_with(|c: char| c == '_' || c.is_alphabetic());
    Ok(Value::Bool(starts && text.chars().all(|c| c == '_' || c.is_alphanumeric())))
}

fn format_map(format: &Arc<str>, args: Args) -> Res<Value> {
    let [mapping] = args.bind("format_map", ["mapping"], 1)?;
    let mut named = Args::default();
    named.add_all_named(&mapping.unwrap_or(Value::None))?;
    str_format(format, &named).map(Value::str)
}

enum Side {
    Left,
    Right,
    Both,
}

fn padded(value: &str, args: Args, side: Side) -> Res<Value> {
    let [width, fill] = args.bind("justify", ["width", "fillchar"], 1)?;
    let fill = text_or(fill, " ")?;
    if fill.chars().count() != 1 {
        return fail("The fill character must be exactly one character long");
    }
    let length = value.chars().count() as i128;
    let width = int_or(width, 0)?;
    let room = (width - length).clamp(0, 1 << 40) as usize;
    let left = match side {
        Side::Left => room,
        Side::Right => 0,
        // Python puts the odd one on the left where the width is odd.
        Side::Both => room / 2 + (room & width as usize & 1),
    };
    Ok(Value::str(repeat(&fill, left)? + value + &repeat(&fill, room - left)?))
}

/// The part that `start` and `end` name, and where it begins; None where `start` lies behind the end.
fn part(value: &str, start: Option<Value>, end: Option<Value>) -> Res<Option<(&str, usize)>> {
    let length = value.chars().count();
    let bound = |bound: Option<Value>, default: usize| -> Res<usize> {
        let Some(bound) = given(bound) else { return Ok(default) };
        let bound = int(&bound)?;
        Ok((if bound < 0 { bound.saturating_add(length as i128).max(0) } else { bound }).min(1 << 60) as usize)
    };
    let (start, end) = (bound(start, 0)?, bound(end, length)?.min(length));
    if start > end {
        return Ok(None);
    }
    let at = |index: usize| value.char_indices().nth(index).map_or(value.len(), |(at, _)| at);
    Ok(Some((&value[at(start)..at(end)], start)))
}

fn found(name: &str, value: &str, args: Args) -> Res<Value> {
    charge_bytes(value.len())?;
    let [wanted, start, end] = args.bind(name, ["sub", "start", "end"], 1)?;
    let wanted = text(&wanted.unwrap_or(Value::None))?;
    let place = part(value, start, end)?;
    if name == "count" {
        let count = place.map_or(0, |(part, _)| match wanted.is_empty() {
            true => part.chars().count() + 1,
            false => part.matches(&*wanted).count(),
        });
        return Ok(Value::Int(count as i128));
    }
    let at = place.and_then(|(part, start)| {
        let at = if name.starts_with('r') { part.rfind(&*wanted) } else { part.find(&*wanted) };
        at.map(|at| start + part[..at].chars().count())
    });
    match at {
        Some(at) => Ok(Value::Int(at as i128)),
        None if name.ends_with("index") => fail("substring not found"),
        None => Ok(Value::Int(-1)),
    }
}

fn affixed(name: &str, value: &str, args: Args) -> Res<Value> {
    let [affix, start, end] = args.bind(name, ["prefix", "start", "end"], 1)?;
    let affix = affix.unwrap_or(Value::None);
    let affixes = if let Value::Tuple(several) = &affix { several.values.clone() } else { vec![affix] };
    let place = part(value, start, end)?;
    for affix in affixes {
        let affix = text(&affix)?;
        let fits = |(part, _): (&str, usize)| match name {
            "startswith" => part.starts_with(&*affix),
            _ => part.ends_with(&*affix),
        };
        if place.is_some_and(fits) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn expand_tabs(value: &Arc<str>, args: Args) -> Res<Value> {
    let [size] = args.bind("expandtabs", ["tabsize"], 0)?;
    let size = int_or(size, 8)?.clamp(0, 1 << 20) as usize;
    let (mut out, mut column) = (String::new(), 0);
    for c in value.chars() {
        match c {
            '\t' if size > 0 => {
                let spaces = size - column % size;
                out += &repeat(" ", spaces)?;
                column += spaces;
            }
            '\t' => {}
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
    }
    Ok(Value::str(out))
}

fn join(separator: &Arc<str>, args: Args) -> Res<Value> {
    let [items] = args.bind("join", ["iterable"], 1)?;
    let mut out = String::new();
    for (i, item) in iterate(&items.unwrap_or(Value::None))?.iter().enumerate() {
        let Value::Str(item) = item else {
            return fail(format!("sequence item {i}: expected str instance, {} found", item.type_name()));
        };
        charge_bytes(item.len())?;
        if i != 0 {
            out.push_str(separator);
        }
        out.push_str(item);
    }
    Ok(Value::str(out))
}

fn partition(value: &str, args: Args, from_right: bool) -> Res<Value> {
    let [separator] = args.bind("partition", ["sep"], 1)?;
    let separator = text(&separator.unwrap_or(Value::None))?;
    if separator.is_empty() {
        return fail("empty separator");
    }
    charge_bytes(value.len())?;
    let parts = match if from_right { value.rfind(&*separator) } else { value.find(&*separator) } {
        Some(at) => [&value[..at], &separator, &value[at + separator.len()..]],
        None if from_right => ["", "", value],
        None => [value, "", ""],
    };
    Value::tuple(parts.into_iter().map(Value::str).collect())
}

fn without(value: &str, args: Args, prefix: bool) -> Res<Value> {
    let [affix] = args.bind("removeprefix", ["prefix"], 1)?;
    let affix = text(&affix.unwrap_or(Value::None))?;
    let rest = if prefix { value.strip_prefix(&*affix) } else { value.strip_suffix(&*affix) };
    Ok(Value::str(rest.unwrap_or(value)))
}

fn replace(value: &Arc<str>, args: Args) -> Res<Value> {
    let [old, new, count] = args.bind("replace", ["old", "new", "count"], 2)?;
    let (old, new) = (text(&old.unwrap_or(Value::None))?, text(&new.unwrap_or(Value::None))?);
    replaced(value, &old, &new, int_or(count, -1)?).map(Value::str)
}

/// `value.replace(old, new, count)`; all where `count` is negative.
pub fn replaced(value: &str, old: &str, new: &str, count: i128) -> Res<String> {
    charge_bytes(value.len())?;
    let out = match usize::try_from(count) {
        Ok(count) => value.replacen(old, new, count),
        Err(_) => value.replace(old, new),
    };
    charge_bytes(out.len())?;
    Ok(out)
}

fn split(value: &str, args: Args, from_right: bool) -> Res<Value> {
    let [separator, limit] = args.bind("split", ["sep", "maxsplit"], 0)?;
    let separator = given(separator).map(|separator| text(&separator)).transpose()?;
    if separator.as_deref() == Some("") {
        return fail("empty separator");
    }
    charge_bytes(value.len())?;
    let limit = usize::try_from(int_or(limit, -1)?).unwrap_or(usize::MAX);
    let parts = match from_right {
        true => words::rsplit(value, separator.as_deref(), limit),
        false => words::split(value, separator.as_deref(), limit),
    };
    Value::list(parts.into_iter().map(Value::str).collect())
}

fn split_lines(value: &Arc<str>, args: Args) -> Res<Value> {
    let [keep_ends] = args.bind("splitlines", ["keepends"], 0)?;
    charge_bytes(value.len())?;
    let lines = words::split_lines(value, truth_or(keep_ends, false));
    Value::list(lines.into_iter().map(Value::str).collect())
}

fn stripped(name: &str, value: &str, args: Args) -> Res<Value> {
    let [chars] = args.bind(name, ["chars"], 0)?;
    let chars = given(chars).map(|chars| text(&chars)).transpose()?;
    charge_bytes(value.len())?;
    Ok(Value::str(strip(value, chars.as_deref(), name != "rstrip", name != "lstrip")))
}

/// `value` without `chars` (white space where None) at its ends.
pub fn strip<'a>(value: &'a str, chars: Option<&str>, left: bool, right: bool) -> &'a str {
    let goes = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let value = if left { value.trim_start_matches(goes) } else { value };
    if right {
        value.trim_end_matches(goes)
    } else {
        value
    }
}

fn zero_filled(value: &Arc<str>, args: Args) -> Res<Value> {
    let [width] = args.bind("zfill", ["width"], 1)?;
    let room = (int_or(width, 0)? - value.chars().count() as i128).clamp(0, 1 << 40) as usize;
    let sign = usize::from(value.starts_with(['+', '-']));
    Ok(Value::str(format!("{}{}{}", &value[..sign], repeat("0", room)?, &value[sign..])))
}
