//! What the examples read from the command line.

use std::fmt::Display;
use std::str::FromStr;

/// What follows a name such as `--epochs`; a default without it.
pub fn argument<T: FromStr<Err: Display>>(name: &str, default: T) -> cornu::Result<T> {
    let mut arguments = std::env::args().skip_while(|a| a != name);
    if arguments.next().is_none() {
        return Ok(default);
    }
    let text = arguments.next().unwrap_or_default();
    let error = |e| cornu::Error::new(format!("{name}: {e}. Received: \"{text}\"."));
    text.parse().map_err(error)
}
