// SPDX-License-Identifier: Apache-2.0
//! Filters of texts.

use super::super::args::{given, int_or, text, text_or, truth_or, Args};
use super::super::format::percent;
use super::super::fuel::charge_bytes;
use super::super::interpreter::Interpreter;
use super::super::lexer::is_space;
use super::super::methods::text::{replaced, strip};
use super::super::methods::{pairs, words};
use super::super::operators::repeat;
use super::super::repr::{to_repr, to_str};
use super::super::sequence::{iterate, length as items};
use super::super::value::{fail, type_error, Dict, Res, Value};

fn mapped(name: &str, value: &Value, args: Args, map: impl Fn(&str) -> String) -> Res<Value> {
    args.none(name)?;
    Ok(Value::str(map(&to_str(value)?)))
}

pub fn capitalize(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    mapped("capitalize", &value, args, words::capitalize)
}

pub fn lower(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    mapped("lower", &value, args, str::to_lowercase)
}

pub fn upper(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    mapped("upper", &value, args, str::to_uppercase)
}

pub fn string(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    if let Value::Str(_) = value {
        args.none("string")?;
        return Ok(value);
    }
    mapped("string", &value, args, str::to_owned)
}

pub fn pprint(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("pprint")?;
    to_repr(&value).map(Value::str)
}

/// Words begin behind white space, hyphens and opening brackets; unlike str.title, not behind an apostrophe.
pub fn title(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    mapped("title", &value, args, |text| {
        let mut out = String::new();
        let mut inside = false;
        for c in text.chars() {
            if inside {
                out.extend(c.to_lowercase());
            } else {
                out.extend(c.to_uppercase());
            }
            inside = !(is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<'));
        }
        out
    })
}

pub fn escape(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    mapped("escape", &value, args, escaped)
}

pub fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('>', "&gt;").replace('<', "&lt;");
    text.replace('\'', "&#39;").replace('"', "&#34;")
}

pub fn trim(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [chars] = args.bind("trim", ["chars"], 0)?;
    let chars = given(chars).map(|chars| text(&chars)).transpose()?;
    Ok(Value::str(strip(&to_str(&value)?, chars.as_deref(), true, true)))
}

pub fn center(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [width] = args.bind("center", ["width"], 0)?;
    let method = super::super::methods::text::find("center");
    let width = Args { positional: vec![width.unwrap_or(Value::Int(80))], named: Vec::new() };
    method.map_or_else(|| fail("no center"), |method| method(&to_str(&value)?.into(), width))
}

pub fn replace(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [old, new, count] = args.bind("replace", ["old", "new", "count"], 2)?;
    let text = |value: Option<Value>| to_str(&value.unwrap_or(Value::None));
    let count = int_or(given(count), -1)?;
    replaced(&to_str(&value)?, &text(old)?, &text(new)?, count).map(Value::str)
}

pub fn format(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    if !args.positional.is_empty() && !args.named.is_empty() {
        return fail("can't handle positional and keyword arguments at the same time");
    }
    let mut named = Dict::default();
    let has_names = !args.named.is_empty();
    for (name, value) in args.named {
        named.insert(Value::Str(name), value)?;
    }
    let values = if has_names { Value::dict(named)? } else { Value::tuple(args.positional)? };
    percent(&to_str(&value)?, &values).map(Value::str)
}

/// `indent(width=4, first=false, blank=false)`; the width may be the indentation itself.
pub fn indent(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [width, first, blank] = args.bind("indent", ["width", "first", "blank"], 0)?;
    let Value::Str(source) = &value else {
        return type_error(&value, || format!("indent of a value of type '{}'", value.type_name()));
    };
    let indentation = match width {
        Some(Value::Str(text)) => text.to_string(),
        width => repeat(" ", int_or(width, 4)?.clamp(0, 1 << 30) as usize)?,
    };
    let blank = truth_or(blank, false);
    let mut out = String::new();
    for (i, line) in words::split_lines(&(source.to_string() + "\n"), false).iter().enumerate() {
        if i != 0 {
            out.push('\n');
        }
        if if i == 0 { truth_or(first.clone(), false) } else { blank || !line.is_empty() } {
            out.push_str(&indentation);
        }
        charge_bytes(indentation.len() + line.len())?;
        out.push_str(line);
    }
    Ok(Value::str(out))
}

/// `truncate(length=255, killwords=false, end="...", leeway=5)`.
pub fn truncate(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [length, killwords, end, leeway] = args.bind("truncate", ["length", "killwords", "end", "leeway"], 0)?;
    let (length, leeway) = (int_or(length, 255)?, int_or(given(leeway), 5)?);
    let end = text_or(end, "...")?;
    let end_length = end.chars().count() as i128;
    if length < end_length || leeway < 0 {
        return fail(format!("expected length >= {end_length}, got {length}"));
    }
    if items(&value)? as i128 <= length.saturating_add(leeway) {
        return Ok(value);
    }
    let source = text(&value)?;
    let kept: String = source.chars().take((length - end_length) as usize).collect();
    if truth_or(killwords, false) {
        return Ok(Value::str(kept + &end));
    }
    let words = kept.rsplit_once(' ').map_or(&*kept, |(words, _)| words);
    Ok(Value::str(format!("{words}{end}")))
}

pub fn word_count(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("wordcount")?;
    let text = to_str(&value)?;
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    Ok(Value::Int(words.count() as i128))
}

/// `wordwrap(width=79, break_long_words=true, wrapstring="\n", break_on_hyphens=true)`.
pub fn word_wrap(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"];
    let [width, break_words, separator, hyphens] = args.bind("wordwrap", names, 0)?;
    let width = int_or(width, 79)?;
    if width <= 0 {
        return fail(format!("invalid width {width} (must be > 0)"));
    }
    let separator = text_or(given(separator), "\n")?;
    let source = text(&value)?;
    let mut lines = Vec::new();
    for line in words::split_lines(&source, false) {
        charge_bytes(line.len())?;
        let chunks = chunks(&line, truth_or(hyphens.clone(), true));
        lines.push(wrapped(chunks, width as usize, truth_or(break_words.clone(), true))?.join(&*separator));
    }
    Ok(Value::str(lines.join(&*separator)))
}

/// White space and words, one after the other; a word may end behind a hyphen between letters.
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    let mut out = Vec::new();
    let mut start = 0;
    for at in 1..=chars.len() {
        let letter = |at: usize| chars.get(at).is_some_and(|c| c.is_alphabetic());
        let behind_hyphen = hyphens
            && at >= 3
            && chars[at - 1] == '-'
            && letter(at - 2)
            && letter(at - 3)
            && letter(at)
            && letter(at + 1);
        if at == chars.len() || is_space(chars[at]) != is_space(chars[at - 1]) || behind_hyphen {
            out.push(chars[start..at].iter().collect());
            start = at;
        }
    }
    out
}

fn wrapped(chunks: Vec<String>, width: usize, break_words: bool) -> Res<Vec<String>> {
    let is_blank = |chunk: &str| chunk.chars().all(is_space);
    let mut lines: Vec<String> = Vec::new();
    let mut chunks = chunks.into_iter().rev().collect::<Vec<_>>();
    while !chunks.is_empty() {
        if !lines.is_empty() && chunks.last().is_some_and(|chunk| is_blank(chunk)) {
            chunks.pop();
        }
        let mut line: Vec<String> = Vec::new();
        let mut length = 0;
        while let Some(chunk) = chunks.last() {
            let size = chunk.chars().count();
            if length + size > width {
                break;
            }
            length += size;
            line.extend(chunks.pop());
        }
        if let Some(long) = chunks.last().filter(|chunk| chunk.chars().count() > width).cloned() {
            charge_bytes(long.len())?;
            if break_words {
                let room = width - length;
                line.push(long.chars().take(room).collect());
                chunks.pop();
                chunks.push(long.chars().skip(room).collect());
            } else if line.is_empty() {
                line.extend(chunks.pop());
            }
        }
        if line.last().is_some_and(|chunk| is_blank(chunk)) {
            line.pop();
        }
        if !line.is_empty() {
            lines.push(line.concat());
        }
    }
    Ok(lines)
}

pub fn strip_tags(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    mapped("striptags", &value, args, |text| {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            let close = if rest[start..].starts_with("<!--") { "-->" } else { ">" };
            let Some(end) = rest[start..].find(close) else { break };
            out.push_str(&rest[..start]);
            rest = &rest[start + end + close.len()..];
        }
        let joined = words::split(&(out + rest), None, usize::MAX).join(" ");
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#34;", "\""), ("&amp;", "&")]
            .iter()
            .fold(joined, |text, (from, to)| text.replace(from, to))
    })
}

fn quoted(text: &str, in_query: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(byte as char),
            b'/' if !in_query => out.push('/'),
            b' ' if in_query => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

pub fn url_encode(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    args.none("urlencode")?;
    let items = match &value {
        Value::Dict(dict) => pairs(dict)?,
        Value::List(_) | Value::Tuple(_) | Value::Iterator(..) | Value::View(..) | Value::Range(_) => iterate(&value)?,
        other => return Ok(Value::str(quoted(&to_str(other)?, false))),
    };
    let mut parts = Vec::new();
    for pair in items {
        match &iterate(&pair)?[..] {
            [key, value] => parts.push(format!("{}={}", quoted(&to_str(key)?, true), quoted(&to_str(value)?, true))),
            _ => return fail("urlencode wants pairs"),
        }
    }
    Ok(Value::str(parts.join("&")))
}

pub fn xml_attributes(_: &Interpreter, value: Value, args: Args) -> Res<Value> {
    let [space] = args.bind("xmlattr", ["autospace"], 0)?;
    let Value::Dict(dict) = &value else {
        return type_error(&value, || format!("'{}' has no attribute 'items'", value.object_name()));
    };
    let mut parts = Vec::new();
    for (key, value) in dict.entries.iter().filter(|(_, value)| !value.is_none() && !value.is_undefined()) {
        let key = text(key)?;
        if key.contains(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=')) {
            return fail(format!("Invalid character in attribute name: '{key}'"));
        }
        parts.push(format!("{}=\"{}\"", escaped(&key), escaped(&to_str(value)?)));
    }
    let lead = if truth_or(space, true) && !parts.is_empty() { " " } else { "" };
    Ok(Value::str(format!("{lead}{}", parts.join(" "))))
}
