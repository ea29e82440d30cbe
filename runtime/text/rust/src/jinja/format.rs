// SPDX-License-Identifier: Apache-2.0
//! `text % values` and `text.format(...)`.

use std::sync::Arc;

use super::args::{int, Args};
use super::attributes::{attribute, item};
use super::fuel::charge_bytes;
use super::number::{float_repr, float_text};
use super::operators::{repeat, Number};
use super::repr::{to_repr, to_str};
use super::value::{fail, type_error, Res, Value};

/// How a value is written: `[[fill]align][sign][#][0][width][,][.precision][type]`.
#[derive(Default, Clone)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn padded(&self, sign: &str, body: &str, default_align: char) -> Res<String> {
        let length = sign.chars().count() + body.chars().count();
        let room = self.width.saturating_sub(length);
        let fill = self.fill.unwrap_or(if self.zero { '0' } else { ' ' }).to_string();
        let align = self.align.unwrap_or(if self.zero { '=' } else { default_align });
        let (left, right) = match align {
            '<' => (0, room),
            '^' => (room / 2, room - room / 2),
            _ => (room, 0),
        };
        if align == '=' {
            return Ok(format!("{sign}{}{body}", repeat(&fill, room)?));
        }
        Ok(format!("{}{sign}{body}{}", repeat(&fill, left)?, repeat(&fill, right)?))
    }

    fn sign_of(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (_, Some('+')) => "+",
            (_, Some(' ')) => " ",
            _ => "",
        }
    }

    fn grouped(&self, digits: &str) -> String {
        let Some(separator) = self.grouping else { return digits.to_owned() };
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let mut out = String::new();
        for (i, c) in digits[..end].chars().enumerate() {
            if i != 0 && (end - i) % 3 == 0 {
                out.push(separator);
            }
            out.push(c);
        }
        out + &digits[end..]
    }

    fn integer(&self, value: i128, kind: char) -> Res<String> {
        let magnitude = value.unsigned_abs();
        let (digits, prefix) = match kind {
            'x' => (format!("{magnitude:x}"), "0x"),
            'X' => (format!("{magnitude:X}"), "0X"),
            'o' => (format!("{magnitude:o}"), "0o"),
            'b' => (format!("{magnitude:b}"), "0b"),
            _ => (self.grouped(&magnitude.to_string()), ""),
        };
        let sign = format!("{}{}", self.sign_of(value < 0), if self.alternate { prefix } else { "" });
        self.padded(&sign, &digits, '>')
    }

    fn float(&self, value: f64, kind: char) -> Res<String> {
        let negative = value.is_sign_negative() && !value.is_nan();
        let text = float_text(value.abs(), self.precision.unwrap_or(6).min(1000), kind, self.alternate);
        self.padded(self.sign_of(negative), &self.grouped(&text), '>')
    }
}

/// The fill, alignment and the rest, as str.format writes them.
fn parse_spec(text: &str) -> Res<Spec> {
    let mut spec = Spec::default();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let is_align = |c: Option<&char>| c.is_some_and(|c| matches!(c, '<' | '>' | '^' | '='));
    if is_align(chars.get(1)) {
        spec.fill = Some(chars[0]);
        at = 1;
    }
    let mut take = |wanted: &str| {
        let found = chars.get(at).copied().filter(|&c| wanted.contains(c));
        at += usize::from(found.is_some());
        found
    };
    spec.align = take("<>^=");
    spec.sign = take("+- ");
    spec.alternate = take("#").is_some();
    spec.zero = take("0").is_some();
    let mut number = || {
        let mut value = None;
        while let Some(digit) = take("0123456789") {
            let digit = digit.to_digit(10).unwrap_or(0) as usize;
            value = Some((value.unwrap_or(0usize) * 10 + digit).min(1 << 30));
        }
        value
    };
    spec.width = number().unwrap_or(0);
    let grouping_at = at;
    if let Some(&c) = chars.get(grouping_at).filter(|c| matches!(c, ',' | '_')) {
        spec.grouping = Some(c);
        at += 1;
    }
    if chars.get(at) == Some(&'.') {
        let digits: String = chars[at + 1..].iter().take_while(|c| c.is_ascii_digit()).collect();
        at += 1 + digits.len();
        spec.precision = Some(digits.parse().or_else(|_| fail("Format specifier missing precision"))?);
    }
    spec.kind = chars.get(at).copied();
    if at + 1 < chars.len() {
        return fail(format!("Invalid format specifier '{text}'"));
    }
    Ok(spec)
}

/// `format(value, spec)`.
fn formatted(value: &Value, text: &str) -> Res<String> {
    if text.is_empty() {
        return to_str(value);
    }
    let spec = parse_spec(text)?;
    let unknown = |kind: char| fail(format!("Unknown format code '{kind}' for object of type '{}'", value.type_name()));
    match (value, spec.kind) {
        (Value::Str(text), None | Some('s')) => {
            let cut: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
            spec.padded("", &cut, '<')
        }
        (Value::Int(value), None | Some('d' | 'n' | 'x' | 'X' | 'o' | 'b')) => {
            spec.integer(*value, spec.kind.unwrap_or('d'))
        }
        (Value::Int(value), Some('c')) => {
            let c = u32::try_from(*value).ok().and_then(char::from_u32);
            c.map_or_else(|| fail("%c arg not in range(0x110000)"), |c| spec.padded("", &c.to_string(), '<'))
        }
        (Value::Float(value), None) if spec.precision.is_none() => {
            let body = float_repr(value.abs());
            spec.padded(spec.sign_of(value.is_sign_negative()), &spec.grouped(&body), '>')
        }
        (Value::Int(_) | Value::Float(_) | Value::Bool(_), Some(kind)) if "eEfFgGn%".contains(kind) => {
            spec.float(Number::of(value).map_or(0.0, Number::float), kind)
        }
        (Value::Float(value), None) => spec.float(*value, 'g'),
        (Value::Bool(value), None) => spec.padded("", if *value { "True" } else { "False" }, '>'),
        (Value::Bool(value), Some('d')) => spec.integer(i128::from(*value), 'd'),
        (_, Some(kind)) => unknown(kind),
        _ => fail(format!("unsupported format string passed to {}.__format__", value.type_name())),
    }
}

/// `format.format(*args)`.
pub fn str_format(format: &str, args: &Args) -> Res<String> {
    let mut auto = 0;
    fields(format, args, &mut auto, 2)
}

fn fields(format: &str, args: &Args, auto: &mut usize, depth: usize) -> Res<String> {
    charge_bytes(format.len())?;
    if depth == 0 {
        return fail("Max string recursion exceeded");
    }
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..at + 1];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return fail("Single '}' encountered in format string");
        }
        let end = closing(rest)?;
        out.push_str(&field(&rest[..end], args, auto, depth)?);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn closing(text: &str) -> Res<usize> {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok(at);
        }
    }
    fail("Single '{' encountered in format string")
}

fn field(text: &str, args: &Args, auto: &mut usize, depth: usize) -> Res<String> {
    let (head, spec) = text.split_once(':').unwrap_or((text, ""));
    let (path, conversion) = match head.split_once('!') {
        Some((path, conversion)) => (path, Some(conversion)),
        None => (head, None),
    };
    let mut value = lookup(path, args, auto)?;
    match conversion {
        None => {}
        Some("s") => value = Value::str(to_str(&value)?),
        Some("r" | "a") => value = Value::str(to_repr(&value)?),
        Some(other) => return fail(format!("Unknown conversion specifier '{other}'")),
    }
    let spec = if spec.contains('{') { fields(spec, args, auto, depth - 1)? } else { spec.to_owned() };
    formatted(&value, &spec)
}

fn lookup(path: &str, args: &Args, auto: &mut usize) -> Res<Value> {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (first, mut rest) = path.split_at(end);
    let index = if first.is_empty() {
        *auto += 1;
        Some(*auto - 1)
    } else {
        first.parse().ok()
    };
    let found = match index {
        Some(index) => args.positional.get(index),
        None => args.named.iter().find(|(name, _)| &**name == first).map(|(_, value)| value),
    };
    let Some(found) = found else {
        return fail(match index {
            Some(index) => format!("Replacement index {index} out of range for positional args tuple"),
            None => format!("'{first}'"),
        });
    };
    let mut value = found.clone();
    while !rest.is_empty() {
        let dotted = rest.starts_with('.');
        rest = &rest[1..];
        let end =
            if dotted { rest.find(['.', '[']).unwrap_or(rest.len()) } else { rest.find(']').unwrap_or(rest.len()) };
        let name: Arc<str> = rest[..end].into();
        rest = rest[end..].strip_prefix(']').unwrap_or(&rest[end..]);
        value = match name.parse::<i128>() {
            _ if dotted => attribute(&value, &name)?,
            Ok(index) => item(&value, &Value::Int(index))?,
            Err(_) => item(&value, &Value::Str(name))?,
        };
    }
    Ok(value)
}

/// What `%` takes its values from.
struct Values<'a> {
    all: Vec<Value>,
    at: usize,
    mapping: Option<&'a Value>,
}

impl Values<'_> {
    fn next(&mut self) -> Res<Value> {
        self.at += 1;
        self.all.get(self.at - 1).cloned().map_or_else(|| fail("not enough arguments for format string"), Ok)
    }
}

/// `format % values`.
pub fn percent(format: &str, values: &Value) -> Res<String> {
    charge_bytes(format.len())?;
    let mapping = matches!(values, Value::Dict(_)).then_some(values);
    let all = match values {
        Value::Tuple(items) => items.values.clone(),
        other => vec![other.clone()],
    };
    let mut values = Values { all, at: 0, mapping };
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (text, after) = conversion(rest, &mut values)?;
        out.push_str(&text);
        rest = after;
    }
    out.push_str(rest);
    if values.mapping.is_none() && values.at < values.all.len() {
        return fail("not all arguments converted during string formatting");
    }
    Ok(out)
}

fn conversion<'a>(mut rest: &'a str, values: &mut Values) -> Res<(String, &'a str)> {
    let mut named = None;
    if let Some(inside) = rest.strip_prefix('(') {
        let Some((key, after)) = inside.split_once(')') else { return fail("incomplete format key") };
        let Some(mapping) = values.mapping else { return fail("format requires a mapping") };
        let Value::Dict(dict) = mapping else { return fail("format requires a mapping") };
        named = Some(dict.get_str(key).cloned().map_or_else(|| fail(format!("'{key}'")), Ok)?);
        rest = after;
    }
    let mut spec = Spec { align: Some('>'), ..Spec::default() };
    while let Some(flag) = rest.chars().next().filter(|c| "-+ 0#".contains(*c)) {
        match flag {
            '-' => spec.align = Some('<'),
            '0' => spec.zero = true,
            '#' => spec.alternate = true,
            sign => spec.sign = Some(if spec.sign == Some('+') { '+' } else { sign }),
        }
        rest = &rest[1..];
    }
    let width = size(&mut rest, values)?;
    if width.is_some_and(|width| width < 0) {
        spec.align = Some('<');
    }
    spec.width = width.unwrap_or(0).unsigned_abs().min(1 << 30) as usize;
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        spec.precision = Some(size(&mut rest, values)?.unwrap_or(0).clamp(0, 1 << 30) as usize);
    }
    rest = rest.trim_start_matches(['h', 'l', 'L']);
    let Some(kind) = rest.chars().next() else { return fail("incomplete format") };
    rest = &rest[kind.len_utf8()..];
    if kind == '%' {
        return Ok(("%".to_owned(), rest));
    }
    let value = match named {
        Some(value) => value,
        None => values.next()?,
    };
    Ok((converted(&value, kind, spec)?, rest))
}

fn size(rest: &mut &str, values: &mut Values) -> Res<Option<i128>> {
    if let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        return Ok(Some(int(&values.next()?)?));
    }
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    Ok(digits.parse().ok())
}

fn converted(value: &Value, kind: char, mut spec: Spec) -> Res<String> {
    if spec.zero && spec.align == Some('>') && "diuxXoeEfFgG".contains(kind) {
        spec.align = Some('=');
    }
    let number = || match Number::of(value) {
        Some(number) => Ok(number),
        None => type_error(value, || format!("%{kind} format: a real number is required, not {}", value.type_name())),
    };
    match kind {
        's' | 'r' | 'a' => {
            spec.zero = false;
            let text = if kind == 's' { to_str(value)? } else { to_repr(value)? };
            let cut: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
            spec.padded("", &cut, '>')
        }
        'd' | 'i' | 'u' => spec.integer(
            number().map(|number| match number {
                Number::Int(value) => value,
                Number::Float(value) => value as i128,
            })?,
            'd',
        ),
        'x' | 'X' | 'o' => spec.integer(int(value)?, kind),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => spec.float(number()?.float(), kind),
        'c' => match value {
            Value::Str(text) if text.chars().count() == 1 => spec.padded("", text, '>'),
            _ => {
                let c = u32::try_from(int(value)?).ok().and_then(char::from_u32);
                c.map_or_else(|| fail("%c arg not in range(0x110000)"), |c| spec.padded("", &c.to_string(), '>'))
            }
        },
        other => fail(format!("unsupported format character '{other}'")),
    }
}
