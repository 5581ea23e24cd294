//! What callbacks print, and numbers as Python writes them, so that messages and files are Keras'.

/// Prints a message and a line's end to standard output. What cannot be written is dropped: a
/// closed pipe must not end a training.
#[cfg(not(test))]
pub(super) fn say(message: &str) {
    use std::io::Write;

    let mut out = std::io::stdout().lock();
    let _ = out.write_all(format!("{message}\n").as_bytes());
    let _ = out.flush();
}

/// Prints a warning to standard error.
#[cfg(not(test))]
pub(super) fn warn(message: &str) {
    use std::io::Write;

    let _ = std::io::stderr().write_all(format!("Warning: {message}\n").as_bytes());
}

#[cfg(test)]
pub(super) use tests::{say, warn};

/// A number as Python writes it: the shortest digits that name it, with a point or an exponent.
pub(super) fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_string();
    }
    if value == 0.0 || !value.is_finite() {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        -4..=15 => {
            let point = if value.fract() == 0.0 { ".0" } else { "" };
            format!("{value}{point}")
        }
        e => {
            let sign = if e < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", e.abs())
        }
    }
}

/// A number with so many decimals, as Python writes it.
#[cfg(feature = "saving")]
pub(super) fn python_fixed(value: f64, decimals: usize) -> String {
    match value.is_nan() {
        true => "nan".to_string(),
        false => format!("{value:.decimals$}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        pub static SAID: RefCell<String> = const { RefCell::new(String::new()) };
        pub static WARNED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    /// Keeps what would be printed.
    pub fn say(message: &str) {
        SAID.with_borrow_mut(|said| {
            said.push_str(message);
            said.push('\n');
        });
    }

    /// Keeps the warnings that would be printed.
    pub fn warn(message: &str) {
        WARNED.with_borrow_mut(|warned| warned.push(message.to_string()));
    }

    #[test]
    fn numbers_as_python_writes_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-0.1, "-0.1"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"),
            (1e-5, "1e-05"),
            (1.5e-10, "1.5e-10"),
            (123456.75, "123456.75"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (-2.5e300, "-2.5e+300"),
            (0.05000000074505806, "0.05000000074505806"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(python_float(value), text);
        }
    }
}
