// SPDX-License-Identifier: Apache-2.0
//! A template's source to tokens: line ends become "\n" and the last one goes; tags take the white space around them
//! that trim_blocks, lstrip_blocks and their own "-" and "+" say.

use std::sync::Arc;

use super::value::{Fault, Res};

#[derive(Clone, PartialEq, Debug)]
pub enum Token {
    Data(String),
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name(Arc<str>),
    Str(String),
    Int(i128),
    Float(f64),
    Op(&'static str),
    End,
}

/// The longest first.
const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";",
];

/// What Python calls white space.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

pub fn tokenize(source: &str) -> Res<Vec<(Token, u32)>> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let source = source.strip_suffix('\n').unwrap_or(&source);
    let mut lexer = Lexer { rest: source, line: 1, line_start: true, tokens: Vec::new() };
    while !lexer.rest.is_empty() {
        lexer.root()?;
    }
    let line = lexer.line;
    lexer.tokens.push((Token::End, line));
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    line: u32,
    /// The text that comes next stands at the start of a line.
    line_start: bool,
    tokens: Vec<(Token, u32)>,
}

impl<'a> Lexer<'a> {
    fn fail<T>(&self, message: impl Into<String>) -> Res<T> {
        Err(Box::new(Fault { message: message.into(), line: Some(self.line) }))
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.line += taken.matches('\n').count() as u32;
        if let Some(last) = taken.chars().last() {
            self.line_start = last == '\n';
        }
        taken
    }

    fn skip_space(&mut self) {
        self.take(self.rest.len() - self.rest.trim_start_matches(is_space).len());
    }

    /// Takes text up to `at`, where a tag begins, without the white space that the tag takes.
    fn text_before(&mut self, at: usize, sign: Option<char>, is_variable: bool) {
        let line = self.line;
        let at_line_start = self.line_start;
        let mut text = self.take(at);
        if sign == Some('-') {
            text = text.trim_end_matches(is_space);
        } else if sign != Some('+') && !is_variable {
            let start = text.rfind('\n').map_or(0, |newline| newline + 1);
            if (start > 0 || at_line_start) && text[start..].chars().all(is_space) {
                text = &text[..start];
            }
        }
        if !text.is_empty() {
            self.tokens.push((Token::Data(text.to_owned()), line));
        }
    }

    fn root(&mut self) -> Res<()> {
        let tag_at = (0..self.rest.len().saturating_sub(1)).find(|&at| {
            let bytes = &self.rest.as_bytes()[at..];
            bytes[0] == b'{' && matches!(bytes[1], b'%' | b'{' | b'#')
        });
        let Some(at) = tag_at else {
            let line = self.line;
            let text = self.take(self.rest.len()).to_owned();
            self.tokens.push((Token::Data(text), line));
            return Ok(());
        };
        let kind = self.rest.as_bytes()[at + 1];
        let sign = self.rest[at + 2..].chars().next().filter(|c| matches!(c, '-' | '+'));
        self.text_before(at, sign, kind == b'{');
        if kind == b'%' {
            if let Some(opening) = raw_opening(self.rest) {
                self.take(opening);
                return self.raw();
            }
        }
        let line = self.line;
        self.take(2 + usize::from(sign.is_some()));
        match kind {
            b'#' => self.comment(),
            b'{' => {
                self.tokens.push((Token::VariableBegin, line));
                self.code(true)
            }
            _ => {
                self.tokens.push((Token::BlockBegin, line));
                self.code(false)
            }
        }
    }

    /// Takes the end of a tag that is written `close`, with its sign and the white space that it takes.
    fn tag_end(&mut self, close: &str, trims: bool) -> bool {
        if let Some(rest) = self.rest.strip_prefix('-') {
            if rest.starts_with(close) {
                self.take(1 + close.len());
                self.skip_space();
                return true;
            }
        }
        let plus = usize::from(trims && self.rest.starts_with('+'));
        if !self.rest[plus..].starts_with(close) {
            return false;
        }
        self.take(plus + close.len());
        if trims && plus == 0 && self.rest.starts_with('\n') {
            self.take(1);
        }
        true
    }

    fn comment(&mut self) -> Res<()> {
        loop {
            let Some(end) = self.rest.find("#}") else { return self.fail("Missing end of comment tag") };
            let signed = end > 0 && matches!(self.rest.as_bytes()[end - 1], b'-' | b'+');
            self.take(if signed { end - 1 } else { end });
            if self.tag_end("#}", true) {
                return Ok(());
            }
        }
    }

    fn raw(&mut self) -> Res<()> {
        let mut from = 0;
        loop {
            let Some(found) = self.rest[from..].find("{%") else { return self.fail("Missing end of raw directive") };
            let at = from + found;
            let after = &self.rest[at + 2..];
            let sign = after.chars().next().filter(|c| matches!(c, '-' | '+'));
            let word = after[usize::from(sign.is_some())..].trim_start_matches(is_space);
            let end = word.strip_prefix("endraw").map(|rest| rest.trim_start_matches(is_space));
            if let Some(end) = end.filter(|end| end.trim_start_matches(['-', '+']).starts_with("%}")) {
                let tag = self.rest.len() - end.len();
                self.text_before(at, sign, false);
                self.take(tag - at);
                self.tag_end("%}", true);
                return Ok(());
            }
            from = at + 2;
        }
    }

    fn code(&mut self, is_variable: bool) -> Res<()> {
        let mut open = Vec::new();
        loop {
            self.skip_space();
            let line = self.line;
            if open.is_empty() && self.tag_end(if is_variable { "}}" } else { "%}" }, !is_variable) {
                self.tokens.push((if is_variable { Token::VariableEnd } else { Token::BlockEnd }, line));
                return Ok(());
            }
            if self.rest.is_empty() {
                return Ok(()); // the parser says what is missing
            }
            let token = self.token()?;
            if let Token::Op(op) = token {
                self.balance(op, &mut open)?;
            }
            self.tokens.push((token, line));
        }
    }

    fn balance(&self, op: &'static str, open: &mut Vec<&'static str>) -> Res<()> {
        match op {
            "{" => open.push("}"),
            "(" => open.push(")"),
            "[" => open.push("]"),
            "}" | ")" | "]" => match open.pop() {
                None => return self.fail(format!("unexpected '{op}'")),
                Some(wanted) if wanted != op => {
                    return self.fail(format!("unexpected '{op}', expected '{wanted}'"));
                }
                Some(_) => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn token(&mut self) -> Res<Token> {
        let first = self.rest.chars().next().unwrap_or(' ');
        if first.is_ascii_digit() {
            return self.number();
        }
        if first.is_alphanumeric() || first == '_' {
            let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
            return Ok(Token::Name(self.take(end).into()));
        }
        if first == '"' || first == '\'' {
            return self.string(first);
        }
        match OPERATORS.into_iter().find(|op| self.rest.starts_with(op)) {
            Some(op) => {
                self.take(op.len());
                Ok(Token::Op(op))
            }
            None => self.fail(format!("unexpected char '{first}'")),
        }
    }

    fn string(&mut self, quote: char) -> Res<Token> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => {
                    let text = unescaped(&self.rest[1..at]);
                    return match text {
                        Ok(text) => {
                            self.take(at + 1);
                            Ok(Token::Str(text))
                        }
                        Err(why) => self.fail(why),
                    };
                }
                _ => {}
            }
        }
        self.fail(format!("unexpected char '{quote}'"))
    }

    fn number(&mut self) -> Res<Token> {
        let after_dot = matches!(self.tokens.last(), Some((Token::Op("."), _)));
        let digits = |text: &str| digits_len(text, 10);
        let whole = digits(self.rest);
        let mut end = whole;
        let fraction = self.rest[end..].strip_prefix('.').map_or(0, digits);
        if !after_dot && fraction > 0 {
            end += 1 + fraction;
        }
        if !after_dot && self.rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(self.rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(&self.rest[end + 1 + sign..]);
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        if end > whole {
            let text = self.take(end).replace('_', "");
            return text.parse().map(Token::Float).or_else(|_| self.fail(format!("{text} is no number")));
        }
        let base = match self.rest.get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("0b") => 2,
            Some("0o") => 8,
            Some("0x") => 16,
            _ => 10,
        };
        let prefix = if base == 10 { 0 } else { 2 };
        let len = prefix + digits_len(&self.rest[prefix..], base);
        let text = self.take(len)[prefix..].replace('_', "");
        i128::from_str_radix(&text, base)
            .map(Token::Int)
            .or_else(|_| self.fail(format!("{text} is no number of 128 bits")))
    }
}

/// Digits at the start of `text`, single underscores between them.
fn digits_len(text: &str, base: u32) -> usize {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if c.is_digit(base) {
            end = at + 1;
        } else if c != '_' || end != at || at == 0 && base == 10 {
            break;
        }
    }
    end
}

/// The bytes of `{% raw %}` at the start of `text`, if that is there.
fn raw_opening(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("{%")?;
    let inside = inside.strip_prefix(['-', '+']).unwrap_or(inside).trim_start_matches(is_space);
    let end = inside.strip_prefix("raw")?.trim_start_matches(is_space);
    if let Some(rest) = end.strip_prefix("-%}") {
        return Some(text.len() - rest.trim_start_matches(is_space).len());
    }
    end.strip_prefix("%}").map(|rest| text.len() - rest.len())
}

/// A string literal's text, by Python's rules of escapes. `\N{name}` is not known here.
fn unescaped(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new(); // halves of surrogate pairs
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        flush(&mut units, &mut out, !rest[..at].is_empty());
        out.push_str(&rest[..at]);
        let c = rest[at + 1..].chars().next().ok_or("\\ at end of string")?;
        rest = &rest[at + 1 + c.len_utf8()..];
        let width = match c {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if width > 0 {
            let digits = rest.get(..width).filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
            let digits = digits.ok_or_else(|| format!("truncated \\{c} escape"))?;
            rest = &rest[width..];
            let code = u32::from_str_radix(digits, 16).unwrap_or(u32::MAX);
            if (0xd800..0xe000).contains(&code) {
                units.push(code as u16);
                continue;
            }
            flush(&mut units, &mut out, true);
            out.push(char::from_u32(code).ok_or("illegal Unicode character")?);
            continue;
        }
        flush(&mut units, &mut out, true);
        if c.is_digit(8) {
            let more = rest.chars().take(2).take_while(|c| c.is_digit(8)).count();
            let octal = format!("{c}{}", &rest[..more]);
            rest = &rest[more..];
            out.push(char::from_u32(u32::from_str_radix(&octal, 8).unwrap_or(0)).unwrap_or('\u{fffd}'));
            continue;
        }
        push_simple(c, &mut out)?;
    }
    flush(&mut units, &mut out, true);
    out.push_str(rest);
    Ok(out)
}

fn flush(units: &mut Vec<u16>, out: &mut String, ends: bool) {
    if ends && !units.is_empty() {
        out.push_str(&String::from_utf16_lossy(units));
        units.clear();
    }
}

fn push_simple(c: char, out: &mut String) -> Result<(), String> {
    let simple = match c {
        '\n' => return Ok(()),
        '\\' | '\'' | '"' => c,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'N' => return Err("\\N escapes are not known".to_owned()),
        other => {
            out.push('\\');
            other
        }
    };
    out.push(simple);
    Ok(())
}
