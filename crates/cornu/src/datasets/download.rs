//! Downloading a data file: one address, one answer, checked before anything is kept.

use std::{
    fs,
    io::{self, IsTerminal, Read, Write},
    path::Path,
    time::{Duration, Instant},
};

use ureq::{Agent, Proxy, http::Uri};

use super::content::{DataFile, read_verified};
use crate::Result;
use crate::files::write_atomically;

/// Gzip makes no file longer than this beyond the raw one (a header, and 5 bytes for each block
/// of data that will not shrink); an answer that goes further is not what was asked for.
const SLACK: usize = 1 << 20;

const NO_TLS: &str =
    "needs HTTPS, which is not part of this build; to have it: `cargo add cornu --features tls`";

/// Downloads `file` from `url`; returns what the server sent and the verified content in it.
///
/// `timeout` bounds each of: look-up, connecting, the wait for an answer and for each further
/// piece; a whole answer may take twenty times as long. The error is a phrase to follow the URL.
pub(super) fn fetch(
    url: &str,
    file: &DataFile,
    timeout: Duration,
) -> std::result::Result<(Vec<u8>, Vec<u8>), String> {
    let failed = |error: &dyn std::fmt::Display| format!("failed: {error}");
    if cfg!(not(feature = "tls")) && url.starts_with("https:") {
        return Err(NO_TLS.to_owned());
    }
    let refused = |error: ureq::Error| match error {
        // A server sends one on to HTTPS.
        ureq::Error::TlsRequired => NO_TLS.to_owned(),
        error => failed(&error),
    };
    let agent = agent(url, timeout);
    let response = agent.get(url).call().map_err(refused)?;
    let mut body = response.into_body();
    let length = body.content_length();
    let limit = file.bytes + SLACK;
    if let Some(length) = length.filter(|&length| length > limit as u64) {
        return Err(format!(
            "failed: it announces {length} bytes, more than {limit}"
        ));
    }
    let served = receive(body.as_reader(), file.name, length, limit).map_err(|e| failed(&e))?;
    let content = read_verified(&served[..], file)?;
    Ok((served, content))
}

fn agent(url: &str, timeout: Duration) -> Agent {
    let host = url
        .parse::<Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned));
    let loopback = matches!(host.as_deref(), Some("localhost" | "127.0.0.1" | "[::1]"));
    Agent::config_builder()
        // A proxy cannot reach this machine's own servers.
        .proxy(if loopback {
            None
        } else {
            Proxy::try_from_env()
        })
        .user_agent(concat!("cornu/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(timeout))
        .timeout_connect(Some(timeout))
        .timeout_recv_response(Some(timeout))
        .timeout_per_read(Some(timeout))
        .timeout_recv_body(Some(timeout * 20))
        .build()
        .new_agent()
}

/// Reads `body` to its end, at most `limit` bytes, and shows the progress on a terminal.
fn receive(
    mut body: impl Read,
    name: &str,
    length: Option<u64>,
    limit: usize,
) -> io::Result<Vec<u8>> {
    let mut progress = Progress::new(name, length);
    let mut received = Vec::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        let count = match body.read(&mut piece) {
            Ok(0) => return Ok(received),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if received.len() + count > limit {
            return Err(io::Error::other(format!(
                "it sends more than {limit} bytes"
            )));
        }
        received.extend_from_slice(&piece[..count]);
        progress.show(received.len());
    }
}

/// One line on standard error, when that is a terminal, which is cleared at the end.
struct Progress<'a> {
    name: &'a str,
    length: Option<u64>,
    shown: Option<Instant>,
    on: bool,
}

impl<'a> Progress<'a> {
    fn new(name: &'a str, length: Option<u64>) -> Progress<'a> {
        Progress {
            name,
            length,
            shown: None,
            on: io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, received: usize) {
        if !self.on
            || self
                .shown
                .is_some_and(|at| at.elapsed() < Duration::from_millis(100))
        {
            return;
        }
        self.shown = Some(Instant::now());
        // A terminal that went away is no reason to stop the download.
        let _ = write!(
            io::stderr(),
            "\r{}\x1b[K",
            line(self.name, received, self.length)
        );
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(name: &str, received: usize, length: Option<u64>) -> String {
    const WIDTH: usize = 30;
    let megabytes = received as f64 / 1e6;
    match length {
        Some(length) if length > 0 => {
            let share = (received as f64 / length as f64).min(1.0);
            let full = (share * WIDTH as f64) as usize;
            let bar = "=".repeat(full) + &".".repeat(WIDTH - full);
            format!(
                "{name} [{bar}] {megabytes:.1}/{:.1} MB",
                length as f64 / 1e6
            )
        }
        _ => format!("{name} {megabytes:.1} MB"),
    }
}

/// Keeps what a server sent as `folder/name.gz` or, if it is not gzip, `folder/name`. Any other form of the
/// same file is removed, for it was found bad.
pub(super) fn save(served: &[u8], folder: &Path, name: &str) -> Result<()> {
    let gzipped = format!("{name}.gz");
    let (kept, other) = match served.starts_with(&[0x1f, 0x8b]) {
        true => (&*gzipped, name),
        false => (name, &*gzipped),
    };
    fs::create_dir_all(folder)?;
    write_atomically(&folder.join(kept), |file| Ok(file.write_all(served)?))?;
    let _ = fs::remove_file(folder.join(other));
    Ok(())
}

#[cfg(test)]
mod tests;
