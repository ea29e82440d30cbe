// SPDX-License-Identifier: Apache-2.0
//! Splitting texts, and the cases of letters, as Python does them.

use super::super::lexer::is_space;

/// `text.split(separator, limit)`; without a separator at runs of white space.
pub fn split(text: &str, separator: Option<&str>, limit: usize) -> Vec<String> {
    if let Some(separator) = separator {
        return text.splitn(limit.saturating_add(1), separator).map(str::to_owned).collect();
    }
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        if out.len() == limit {
            out.push(rest.to_owned());
            break;
        }
        let end = rest.find(is_space).unwrap_or(rest.len());
        out.push(rest[..end].to_owned());
        rest = rest[end..].trim_start_matches(is_space);
    }
    out
}

/// The same from the right.
pub fn rsplit(text: &str, separator: Option<&str>, limit: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    if let Some(separator) = separator {
        out = text.rsplitn(limit.saturating_add(1), separator).map(str::to_owned).collect();
    } else {
        let mut rest = text.trim_end_matches(is_space);
        while !rest.is_empty() {
            if out.len() == limit {
                out.push(rest.to_owned());
                break;
            }
            let start = rest.char_indices().rfind(|&(_, c)| is_space(c)).map_or(0, |(at, c)| at + c.len_utf8());
            out.push(rest[start..].to_owned());
            rest = rest[..start].trim_end_matches(is_space);
        }
    }
    out.reverse();
    out
}

/// `text.splitlines(keep_ends)`.
pub fn split_lines(text: &str, keep_ends: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}') {
            continue;
        }
        let mut end = at + c.len_utf8();
        if c == '\r' && chars.peek().is_some_and(|&(_, next)| next == '\n') {
            chars.next();
            end += 1;
        }
        out.push(text[start..if keep_ends { end } else { at }].to_owned());
        start = end;
    }
    if start < text.len() {
        out.push(text[start..].to_owned());
    }
    out
}

/// A letter as a word begins with it: of several that it becomes, the first alone is upper.
fn title_case(c: char) -> String {
    let mut upper = c.to_uppercase();
    upper.next().into_iter().chain(upper.flat_map(char::to_lowercase)).collect()
}

/// `text.capitalize()`.
pub fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| title_case(first) + &chars.as_str().to_lowercase())
}

fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase()
}

/// `text.title()`.
pub fn title(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.push_str(&title_case(c));
        }
        inside = is_cased(c);
    }
    out
}

/// `text.istitle()`.
pub fn is_title(text: &str) -> bool {
    let (mut inside, mut any) = (false, false);
    for c in text.chars() {
        if c.is_uppercase() && inside || c.is_lowercase() && !inside {
            return false;
        }
        inside = is_cased(c);
        any |= inside;
    }
    any
}

pub fn swap_case(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_uppercase() {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
    }
    out
}

/// Whether there is a letter with case, and all of them have this one.
pub fn all_cased(text: &str, upper: bool) -> bool {
    let mut cased = text.chars().filter(|&c| is_cased(c)).peekable();
    cased.peek().is_some() && cased.all(|c| c.is_uppercase() == upper)
}
