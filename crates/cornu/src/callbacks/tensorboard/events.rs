//! Event files: records of protocol buffers, each with checksums (TensorFlow's `event.proto`,
//! `summary.proto` and its record format).

use prost::Message;
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "5")]
    histo: Option<Histogram>,
    #[prost(message, optional, tag = "8")]
    tensor: Option<TextTensor>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<Metadata>,
}

/// A tensor (`tensor.proto`) that is one text.
#[derive(Clone, PartialEq, Message)]
struct TextTensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    /// That of a scalar is there and empty.
    #[prost(message, optional, tag = "2")]
    shape: Option<ScalarShape>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    values: Vec<Vec<u8>>,
}

/// `DT_STRING`.
const STRING: i32 = 7;

#[derive(Clone, PartialEq, Message)]
struct ScalarShape {}

/// Which of TensorBoard's plugins a value is for.
#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin: Option<Plugin>,
}

#[derive(Clone, PartialEq, Message)]
struct Plugin {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    content: Vec<u8>,
}

/// How many values lie between which limits.
#[derive(Clone, PartialEq, Message)]
pub struct Histogram {
    #[prost(double, tag = "1")]
    min: f64,
    #[prost(double, tag = "2")]
    max: f64,
    #[prost(double, tag = "3")]
    num: f64,
    #[prost(double, tag = "4")]
    sum: f64,
    #[prost(double, tag = "5")]
    sum_squares: f64,
    #[prost(double, repeated, tag = "6")]
    bucket_limit: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    bucket: Vec<f64>,
}

/// Buckets of a histogram, as in TensorFlow's summaries.
const BUCKETS: usize = 30;

impl Histogram {
    /// The histogram of the finite values in buckets of one width.
    pub fn of(values: &[f64]) -> Histogram {
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let min = finite().fold(f64::INFINITY, f64::min);
        let max = finite().fold(f64::NEG_INFINITY, f64::max);
        if min > max {
            return Histogram::default();
        }
        let width = if max > min {
            (max - min) / BUCKETS as f64
        } else {
            1.0
        };
        let mut bucket = vec![0.0; BUCKETS];
        for v in finite() {
            // The largest value belongs to the last bucket.
            bucket[(((v - min) / width) as usize).min(BUCKETS - 1)] += 1.0;
        }
        Histogram {
            min,
            max,
            num: finite().count() as f64,
            sum: finite().sum(),
            sum_squares: finite().map(|v| v * v).sum(),
            bucket_limit: (1..=BUCKETS).map(|i| min + width * i as f64).collect(),
            bucket,
        }
    }
}

/// A file of events in the making.
#[derive(Debug)]
pub struct EventFile(BufWriter<File>);

impl EventFile {
    /// A new file in a folder, which is made if it is not there.
    pub fn create(folder: &Path) -> Result<EventFile> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        std::fs::create_dir_all(folder)?;
        let host = std::env::var("HOSTNAME")
            .ok()
            .filter(|h| !h.contains(['/', '\\']));
        let name = format!(
            "events.out.tfevents.{}.{}.{}.{}.v2",
            now() as u64,
            host.unwrap_or_else(|| "localhost".to_string()),
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let mut file = EventFile(BufWriter::new(File::create_new(folder.join(name))?));
        let first = Event {
            wall_time: now(),
            file_version: Some("brain.Event:2".to_string()),
            ..Event::default()
        };
        file.record(&first.encode_to_vec())?;
        Ok(file)
    }

    /// Adds a number.
    pub fn scalar(&mut self, tag: &str, step: i64, value: f64) -> Result<()> {
        self.value(
            step,
            Value {
                tag: tag.to_string(),
                simple_value: Some(value as f32),
                ..Value::default()
            },
        )
    }

    /// Adds a model's architecture, given as Keras' JSON, for the plugin that draws it.
    pub fn model(&mut self, tag: &str, json: &str) -> Result<()> {
        let plugin = Plugin {
            name: "graph_keras_model".to_string(),
            content: b"1".to_vec(),
        };
        self.value(
            0,
            Value {
                tag: tag.to_string(),
                tensor: Some(TextTensor {
                    dtype: STRING,
                    shape: Some(ScalarShape {}),
                    values: vec![json.as_bytes().to_vec()],
                }),
                metadata: Some(Metadata {
                    plugin: Some(plugin),
                }),
                ..Value::default()
            },
        )
    }

    /// Adds a histogram.
    pub fn histogram(&mut self, tag: &str, step: i64, histogram: Histogram) -> Result<()> {
        self.value(
            step,
            Value {
                tag: tag.to_string(),
                histo: Some(histogram),
                ..Value::default()
            },
        )
    }

    fn value(&mut self, step: i64, value: Value) -> Result<()> {
        let event = Event {
            wall_time: now(),
            step,
            file_version: None,
            summary: Some(Summary { value: vec![value] }),
        };
        self.record(&event.encode_to_vec())
    }

    /// Hands everything to the operating system.
    pub fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }

    /// Length, its checksum, content, its checksum.
    fn record(&mut self, content: &[u8]) -> Result<()> {
        let length = (content.len() as u64).to_le_bytes();
        self.0.write_all(&length)?;
        self.0.write_all(&masked_crc32c(&length).to_le_bytes())?;
        self.0.write_all(content)?;
        self.0.write_all(&masked_crc32c(content).to_le_bytes())
    }
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |t| t.as_secs_f64())
}

/// Castagnoli's checksum (reflected polynomial 0x82F63B78), rotated and shifted as records have it.
fn masked_crc32c(bytes: &[u8]) -> u32 {
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            (c >> 1) ^ (0x82F6_3B78 & (c & 1).wrapping_neg())
        })
    });
    crc.rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        let unmasked = masked_crc32c(b"123456789")
            .wrapping_sub(0xA282_EAD8)
            .rotate_left(15);
        assert_eq!(unmasked, 0xE306_9283);
    }

    #[test]
    fn a_histogram_counts_every_value_once() {
        let h = Histogram::of(&[0.0, 0.5, 1.0, 1.0, f64::NAN]);
        assert_eq!((h.num, h.min, h.max, h.sum), (4.0, 0.0, 1.0, 2.5));
        assert_eq!(h.bucket.iter().sum::<f64>(), 4.0);
        assert_eq!((h.bucket[0], h.bucket[29]), (1.0, 2.0));
        assert_eq!(Histogram::of(&[3.0; 7]).bucket[0], 7.0);
        assert_eq!(Histogram::of(&[]), Histogram::default());
    }
}
