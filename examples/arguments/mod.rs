//! What the examples read from the command line.

/// The number after a name such as `--epochs`; a default without it.
pub fn argument(name: &str, default: usize) -> cornu::Result<usize> {
    let mut arguments = std::env::args().skip_while(|a| a != name).skip(1);
    let Some(text) = arguments.next() else {
        return Ok(default);
    };
    text.parse()
        .map_err(|_| cornu::Error::new(format!("{name} must be a number. Received: {text}.")))
}
