//! File names with figures in them, as Python's `str.format` makes them.

use super::text::python_float;
use crate::{Error, Logs, Result};

/// A number for a field: whole ones are written without a point.
#[derive(Clone, Copy, Debug)]
enum Value {
    Whole(usize),
    Real(f64),
}

/// The template with `{epoch:02d}`, `{batch}` and `{val_loss:.2f}` filled in: `counts` are whole numbers by
/// name, `logs` the figures. `{{` and `}}` stand for braces.
///
/// # Errors
/// A name that is neither; a format that Python has not, or not for such a number; a brace alone.
pub(super) fn fill(template: &str, counts: &[(&str, usize)], logs: &Logs) -> Result<String> {
    let failed = |reason: String| {
        Error::new(format!(
            "Failed to format this callback filepath: \"{template}\". Reason: {reason}"
        ))
    };
    let value = |name: &str| {
        let count = counts.iter().find(|(known, _)| *known == name);
        match count {
            Some((_, n)) => Some(Value::Whole(*n)),
            None => logs.get(name).map(Value::Real),
        }
    };
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out += &rest[..at];
        let doubled = rest[at..].starts_with("{{") || rest[at..].starts_with("}}");
        if doubled {
            out += &rest[at..=at];
            rest = &rest[at + 2..];
            continue;
        }
        let end = rest[at..].find('}').filter(|length| *length > 0);
        let Some(length) = end else {
            return Err(failed("a brace has no partner.".to_string()));
        };
        let field = &rest[at + 1..at + length];
        rest = &rest[at + length + 1..];
        let (name, format) = field.split_once(':').unwrap_or((field, ""));
        let Some(value) = value(name) else {
            let known = counts.iter().map(|(name, _)| *name).chain(logs.names());
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(failed(format!("there is no '{name}'; there are: {known}.")));
        };
        out += &formatted(value, format)
            .ok_or_else(|| failed(format!("'{format}' is no format of '{name}'.")))?;
    }
    Ok(out + rest)
}

/// What a format says: `[[fill]align][sign][0][width][.precision][type]`.
struct Format {
    fill: char,
    align: Option<char>,
    sign: char,
    width: usize,
    precision: Option<usize>,
    kind: Option<char>,
}

/// More would be no file's name.
const WIDEST: usize = 255;

impl Format {
    fn parse(text: &str) -> Option<Format> {
        let mut chars: Vec<char> = text.chars().collect();
        let is_align = |c: Option<&char>| c.is_some_and(|c| matches!(c, '<' | '>' | '^' | '='));
        let (mut fill, mut align) = (' ', None);
        if is_align(chars.get(1)) {
            (fill, align) = (chars[0], Some(chars[1]));
            chars.drain(..2);
        } else if is_align(chars.first()) {
            align = Some(chars.remove(0));
        }
        let mut sign = '-';
        if let Some(c @ ('+' | '-' | ' ')) = chars.first() {
            sign = *c;
            chars.remove(0);
        }
        if chars.first() == Some(&'0') {
            chars.remove(0);
            if align.is_none() {
                (fill, align) = ('0', Some('='));
            }
        }
        let digits = |chars: &mut Vec<char>| {
            let n = chars.iter().take_while(|c| c.is_ascii_digit()).count();
            let digits: String = chars.drain(..n).collect();
            digits
        };
        let width = digits(&mut chars);
        let width = match width.as_str() {
            "" => 0,
            text => text.parse().ok().filter(|n| *n <= WIDEST)?,
        };
        let mut precision = None;
        if chars.first() == Some(&'.') {
            chars.remove(0);
            precision = Some(digits(&mut chars).parse().ok().filter(|n| *n <= WIDEST)?);
        }
        let kind = match chars[..] {
            [] => None,
            [c] => Some(c),
            _ => return None,
        };
        Some(Format {
            fill,
            align,
            sign,
            width,
            precision,
            kind,
        })
    }

    /// Sign and padding around the digits of a number.
    fn pad(&self, negative: bool, digits: &str) -> String {
        let sign = match (negative, self.sign) {
            (true, _) => "-",
            (false, '+') => "+",
            (false, ' ') => " ",
            (false, _) => "",
        };
        let missing = self.width.saturating_sub(sign.len() + digits.len());
        let fill = |n: usize| self.fill.to_string().repeat(n);
        match self.align {
            Some('<') => format!("{sign}{digits}{}", fill(missing)),
            Some('=') => format!("{sign}{}{digits}", fill(missing)),
            Some('^') => {
                let left = missing / 2;
                format!("{}{sign}{digits}{}", fill(left), fill(missing - left))
            }
            _ => format!("{}{sign}{digits}", fill(missing)),
        }
    }
}

fn formatted(value: Value, format: &str) -> Option<String> {
    let format = Format::parse(format)?;
    let real = match value {
        Value::Whole(n) if matches!(format.kind, None | Some('d')) => {
            // Python refuses a precision here too.
            return match format.precision {
                None => Some(format.pad(false, &n.to_string())),
                Some(_) => None,
            };
        }
        Value::Whole(n) => n as f64,
        Value::Real(x) => x,
    };
    let size = real.abs();
    let precision = format.precision.unwrap_or(6);
    let digits = match format.kind {
        _ if real.is_nan() => "nan".to_string(),
        _ if real.is_infinite() => "inf".to_string(),
        Some('f' | 'F') => format!("{size:.precision$}"),
        Some('%') => format!("{:.precision$}%", size * 100.0),
        Some('e') => exponent(&format!("{size:.precision$e}")),
        Some('g') => general(size, precision),
        None => match format.precision {
            None => python_float(size),
            Some(precision) => general(size, precision),
        },
        Some(_) => return None,
    };
    Some(format.pad(real.is_sign_negative() && !real.is_nan(), &digits))
}

/// `1e-5` as Python writes it: `1e-05`.
fn exponent(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else {
        return text.to_string();
    };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// So many digits that count, with a point or an exponent, without zeros at the end.
fn general(size: f64, precision: usize) -> String {
    let precision = precision.max(1);
    let text = format!("{size:.*e}", precision - 1);
    let power: i32 = text
        .split_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    if power < -4 || power >= precision as i32 {
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return exponent(&format!("{}e{power}", trim(digits)));
    }
    let decimals = (precision as i32 - 1 - power).max(0) as usize;
    trim(&format!("{size:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs() -> Logs {
        let mut logs = Logs::default();
        logs.set("val_loss", 0.5123456);
        logs.set("tiny", -0.000012345);
        logs.set("nan", f64::NAN);
        logs
    }

    #[test]
    fn fields_are_pythons() {
        // Each line as `format.format(epoch=7, val_loss=0.5123456, tiny=-0.000012345, nan=nan)` gives it.
        for (template, expected) in [
            ("{epoch:02d}-{val_loss:.2f}.keras", "07-0.51.keras"),
            ("model_{epoch}.keras", "model_7.keras"),
            ("{{{epoch}}}", "{7}"),
            ("{epoch:>4}|{epoch:<4}|{epoch:^4}|", "   7|7   | 7  |"),
            ("{epoch:x^5}{epoch:+d}{epoch: d}", "xx7xx+7 7"),
            ("{epoch:.1f}", "7.0"),
            ("{val_loss}", "0.5123456"),
            ("{val_loss:f}", "0.512346"),
            ("{val_loss:08.3f}", "0000.512"),
            ("{val_loss:.1%}", "51.2%"),
            ("{val_loss:.3e}", "5.123e-01"),
            ("{val_loss:.3g} {val_loss:.3}", "0.512 0.512"),
            ("{tiny}", "-1.2345e-05"),
            ("{tiny:g}", "-1.2345e-05"),
            ("{tiny:010.6f}", "-00.000012"),
            ("{nan:.2f}", "nan"),
            ("no field", "no field"),
        ] {
            let filled = fill(template, &[("epoch", 7)], &logs()).unwrap();
            assert_eq!(filled, expected, "{template}");
        }
    }

    #[test]
    fn what_cannot_be_filled_is_named() {
        for (template, reason) in [
            (
                "{val_acc:.2f}",
                "there is no 'val_acc'; there are: epoch, val_loss, tiny, nan.",
            ),
            ("{val_loss:d}", "'d' is no format of 'val_loss'."),
            ("{epoch:.2d}", "'.2d' is no format of 'epoch'."),
            (
                "{epoch:999999999d}",
                "'999999999d' is no format of 'epoch'.",
            ),
            ("{epoch", "a brace has no partner."),
            ("epoch}", "a brace has no partner."),
        ] {
            let e = fill(template, &[("epoch", 7)], &logs()).unwrap_err();
            let expected = format!(
                "Failed to format this callback filepath: \"{template}\". Reason: {reason}"
            );
            assert_eq!(e.to_string(), expected);
        }
    }
}
