//! Sends the figures of every epoch to a server.

use super::text::{python_float, warn};
use super::{Callback, Trained};
use crate::{Logs, Result};
use std::time::Duration;
use ureq::Agent;

/// Sends the figures of every epoch to a server, by HTTP POST: as a form with one field that holds JSON, or
/// as JSON alone.
///
/// A server that cannot be reached, or does not answer within 10 seconds, is warned of and does not end the
/// training; what it answers is not looked at.
///
/// ```
/// use cornu::callbacks::RemoteMonitor;
///
/// let monitor = RemoteMonitor::new("http://localhost:9000").header("Authorization", "Basic abc");
/// // network.fit(&x, &y, Fit::new().callback(monitor))?;
/// # let _ = monitor;
/// ```
#[derive(Clone, Debug)]
pub struct RemoteMonitor {
    root: String,
    path: String,
    field: String,
    headers: Vec<(String, String)>,
    send_as_json: bool,
    agent: Agent,
}

impl Default for RemoteMonitor {
    /// Sends to `http://localhost:9000`.
    fn default() -> Self {
        Self::new("http://localhost:9000")
    }
}

impl RemoteMonitor {
    /// Sends to the server of this URL. `https://` needs the feature `tls`.
    pub fn new(root: impl Into<String>) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .build();
        Self {
            root: root.into(),
            path: "/publish/epoch/end/".to_string(),
            field: "data".to_string(),
            headers: Vec::new(),
            send_as_json: false,
            agent: config.into(),
        }
    }

    /// The path on the server. Defaults to `/publish/epoch/end/`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The name of the form's field. Defaults to `data`.
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    /// Sends a header with each request; may be called again for more.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Whether the JSON is sent as it is (`application/json`) and not in a form. Defaults to `false`.
    pub fn send_as_json(mut self, json: bool) -> Self {
        self.send_as_json = json;
        self
    }

    fn send(&self, text: &str) -> std::result::Result<(), ureq::Error> {
        let url = format!("{}{}", self.root, self.path);
        let mut request = self.agent.post(url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = match self.send_as_json {
            true => request.content_type("application/json").send(text),
            false => request.send_form([(&*self.field, text)]),
        };
        answer.map(|_| ())
    }
}

/// The figures as Python's `json.dumps` writes them.
fn json(epoch: usize, logs: &Logs) -> String {
    let mut text = format!("{{\"epoch\": {epoch}");
    for (name, value) in logs.iter() {
        let number = match value {
            v if v.is_nan() => "NaN".to_string(),
            f64::INFINITY => "Infinity".to_string(),
            f64::NEG_INFINITY => "-Infinity".to_string(),
            v => python_float(v),
        };
        let name = serde_json::Value::from(name);
        text += &format!(", {name}: {number}");
    }
    text + "}"
}

impl Callback for RemoteMonitor {
    fn wants_batches(&self) -> bool {
        false
    }

    fn on_epoch_end(&mut self, _: &mut dyn Trained, epoch: usize, logs: &mut Logs) -> Result<()> {
        // As Keras' client does, figures that JSON has not are sent in forms only.
        let sendable = !self.send_as_json || logs.iter().all(|(_, v)| v.is_finite());
        if !sendable || self.send(&json(epoch, logs)).is_err() {
            let root = &self.root;
            warn(&format!(
                "Could not reach RemoteMonitor root server at {root}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Fake;
    use super::super::text::tests::WARNED;
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    /// What a server is sent that answers once.
    fn received(monitor: impl FnOnce(String) -> RemoteMonitor) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut text = String::new();
            let mut buffer = [0; 4096];
            let complete = |text: &str| {
                let (head, body) = text.split_once("\r\n\r\n")?;
                let head = head.to_lowercase();
                let length = head.split("content-length: ").nth(1)?.lines().next()?;
                Some(body.len() >= length.parse().ok()?)
            };
            while complete(&text) != Some(true) {
                let n = stream.read(&mut buffer).unwrap();
                assert!(n > 0, "cut off: {text}");
                text += std::str::from_utf8(&buffer[..n]).unwrap();
            }
            // That the server is not pleased is no failure.
            stream
                .write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            text
        });
        let mut logs = Logs::default();
        logs.set("loss", 0.25);
        logs.set("a b", 1e-5);
        WARNED.take();
        let mut monitor = monitor(root);
        monitor
            .on_epoch_end(&mut Fake::new(0.1), 3, &mut logs)
            .unwrap();
        assert!(WARNED.take().is_empty());
        server.join().unwrap()
    }

    #[test]
    fn figures_are_sent_as_a_form_or_as_json() {
        let form = received(|root| RemoteMonitor::new(root).header("X-Who", "me").field("d"));
        assert!(form.starts_with("POST /publish/epoch/end/ HTTP/1.1\r\n"));
        assert!(form.to_lowercase().contains("x-who: me\r\n"), "{form}");
        assert!(form.contains("application/x-www-form-urlencoded"), "{form}");
        let body = form.split("\r\n\r\n").nth(1).unwrap();
        let spaces = body.replace("%20", "+");
        let expected = "d=%7B%22epoch%22%3A+3%2C+%22loss%22%3A+0.25%2C+%22a+b%22%3A+1e-05%7D";
        assert_eq!(spaces, expected);

        let json = received(|root| RemoteMonitor::new(root).path("/p").send_as_json(true));
        assert!(json.starts_with("POST /p HTTP/1.1\r\n"), "{json}");
        assert!(json.contains("application/json"), "{json}");
        assert!(json.ends_with("{\"epoch\": 3, \"loss\": 0.25, \"a b\": 1e-05}"));
    }

    #[test]
    fn a_server_that_is_not_there_is_warned_of() {
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let root = format!("http://127.0.0.1:{port}");
        WARNED.take();
        RemoteMonitor::new(&root)
            .on_epoch_end(&mut Fake::new(0.1), 0, &mut Logs::default())
            .unwrap();
        let expected = format!("Could not reach RemoteMonitor root server at {root}");
        assert_eq!(WARNED.take(), [expected]);
    }
}
