// SPDX-License-Identifier: Apache-2.0
//! Numbers as Python reads, writes and rounds them.

use super::lexer::is_space;

/// `repr(value)`: the fewest digits that give the value again, as a power of ten where it is large or small.
pub fn float_repr(value: f64) -> String {
    if !value.is_finite() {
        return special(value).to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && !(-4..16).contains(&exponent) {
        return with_exponent(digits, exponent);
    }
    let plain = format!("{value}");
    if plain.contains('.') {
        plain
    } else {
        plain + ".0"
    }
}

fn special(value: f64) -> &'static str {
    match (value.is_nan(), value > 0.0) {
        (true, _) => "nan",
        (_, true) => "inf",
        _ => "-inf",
    }
}

fn with_exponent(digits: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// As the conversions e, f, g and % of a format, without a sign for positive values.
pub fn float_text(value: f64, precision: usize, conversion: char, alternate: bool) -> String {
    let upper = conversion.is_ascii_uppercase();
    let text = match conversion.to_ascii_lowercase() {
        _ if !value.is_finite() => special(value).to_owned(),
        'f' => format!("{value:.precision$}"),
        'e' => exponential(value, precision),
        '%' => format!("{:.precision$}%", value * 100.0),
        _ => general(value, precision.max(1), alternate),
    };
    if upper {
        text.to_uppercase()
    } else {
        text
    }
}

fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    with_exponent(digits, exponent.parse().unwrap_or(0))
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{value:.*e}", precision - 1);
    let exponent: i32 = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') && !alternate {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i32 {
        let digits = text.split_once('e').map_or(&*text, |(digits, _)| digits);
        return with_exponent(&trimmed(digits), exponent);
    }
    trimmed(&format!("{value:.*}", (precision as i32 - 1 - exponent) as usize))
}

/// `round(value, digits)`: the nearer one, and of two that are equally near the even one.
pub fn round_float(value: f64, digits: i128) -> f64 {
    if !value.is_finite() || digits > 400 {
        return value;
    }
    if digits >= 0 {
        return format!("{value:.*}", digits as usize).parse().unwrap_or(value);
    }
    if digits < -310 {
        return 0f64.copysign(value);
    }
    let unit = 10f64.powi(-digits as i32);
    (value / unit).round_ties_even() * unit
}

pub fn round_int(value: i128, digits: i128) -> i128 {
    if digits >= 0 {
        return value;
    }
    let Some(unit) = u32::try_from(-digits).ok().and_then(|power| 10i128.checked_pow(power)) else { return 0 };
    let (whole, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
    let up = rest * 2 > unit || rest * 2 == unit && whole % 2 != 0;
    (whole + i128::from(up)) * unit
}

/// `int(text, base)`; None where Python raises ValueError.
pub fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim_matches(is_space);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = [("0b", 2), ("0o", 8), ("0x", 16)].into_iter().find(|(prefix, _)| lower.starts_with(prefix));
    let (digits, base) = match prefixed {
        Some((_, of)) if base == of || base == 0 => (lower[2..].strip_prefix('_').unwrap_or(&lower[2..]), of),
        _ if base == 0 => (&*lower, 10),
        _ => (&*lower, base),
    };
    let underscores = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    if !(2..=36).contains(&base) || underscores || digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(&digits.replace('_', ""), base).ok()?;
    Some(if negative { -value } else { value })
}

/// `float(text)`; None where Python raises ValueError.
pub fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse().ok()
}
