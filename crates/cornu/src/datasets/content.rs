//! A data file's content: read with a limit, decompressed where need be, checked.

use std::io::{BufRead, Read};

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

/// What is known beforehand of one file of a data set.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataFile<'a> {
    /// Its name without `.gz`.
    pub name: &'a str,
    /// Length of the decompressed content in bytes.
    pub bytes: usize,
    /// SHA-256 of the decompressed content, 64 lower-case hexadecimal digits.
    pub sha256: &'a str,
}

/// Reads `reader` to its end and returns the decompressed content, which has the length and the
/// checksum that `file` tells. Gzip is known by its first bytes, not by a file's name, since
/// browsers and proxies decompress on the way. Never holds more than one byte beyond the expected
/// length. The error is a sentence without the file's place.
pub(super) fn read_verified(
    mut reader: impl BufRead,
    file: &DataFile,
) -> std::result::Result<Vec<u8>, String> {
    let gzipped = match reader.fill_buf() {
        Ok(start) => start.starts_with(&[0x1f, 0x8b]),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let limit = file.bytes + 1;
    let mut content = Vec::with_capacity(limit);
    let outcome = if gzipped {
        GzDecoder::new(reader)
            .take(limit as u64)
            .read_to_end(&mut content)
    } else {
        reader.take(limit as u64).read_to_end(&mut content)
    };
    let fault = match outcome {
        Err(error) => format!("is cut off or damaged ({error})"),
        Ok(_) if content.len() > file.bytes => {
            return Err(format!(
                "is too long: expected {} bytes with SHA-256 {}, received more than {} bytes",
                file.bytes, file.sha256, file.bytes
            ));
        }
        Ok(_) if content.len() < file.bytes => "is cut off".to_owned(),
        Ok(_) => "is not the expected file".to_owned(),
    };
    let sum = sha256_hex(&content);
    if sum == file.sha256 {
        return Ok(content);
    }
    Err(format!(
        "{fault}: expected {} bytes with SHA-256 {}, received {} bytes with SHA-256 {sum}",
        file.bytes,
        file.sha256,
        content.len()
    ))
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub(super) fn sha256_hex(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// The content of `gzip`ping `content`.
    pub fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn sha256_of_abc_is_the_published_one() {
        // FIPS 180-4's example.
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn raw_and_gzipped_content_is_accepted() {
        let content: Vec<u8> = (0..10_000_u32).map(|i| (i * i % 251) as u8).collect();
        let sum = sha256_hex(&content);
        let file = DataFile {
            name: "f",
            bytes: content.len(),
            sha256: &sum,
        };
        assert_eq!(read_verified(&content[..], &file).unwrap(), content);
        assert_eq!(read_verified(&gzip(&content)[..], &file).unwrap(), content);
    }

    #[test]
    fn faults_are_named_with_both_checksums() {
        let content: Vec<u8> = (0..10_000_u32).map(|i| (i * i % 251) as u8).collect();
        let sum = sha256_hex(&content);
        let file = DataFile {
            name: "f",
            bytes: content.len(),
            sha256: &sum,
        };
        let zipped = gzip(&content);
        let mut altered = content.clone();
        altered[5000] ^= 1;
        let mut altered_zip = zipped.clone();
        let middle = altered_zip.len() / 2;
        altered_zip[middle] ^= 1;

        for (bytes, what) in [
            (&content[..9_999], "is cut off: "),
            (&content[..0], "is cut off: "),
            (&zipped[..zipped.len() / 2], "is cut off or damaged ("),
            (&altered[..], "is not the expected file: "),
            (&gzip(&altered)[..], "is not the expected file: "),
            (&altered_zip[..], "is "),
        ] {
            let message = read_verified(bytes, &file).unwrap_err();
            assert!(message.starts_with(what), "{message}");
            assert!(message.contains(&format!("expected 10000 bytes with SHA-256 {sum}")));
            assert_eq!(message.matches("SHA-256 ").count(), 2, "{message}");
        }
    }

    #[test]
    fn a_gzip_bomb_is_read_to_the_limit_only() {
        let bomb = gzip(&vec![0; 50_000_000]);
        let file = DataFile {
            name: "f",
            bytes: 1000,
            sha256: "",
        };
        let mut rest = &bomb[..];
        let message = read_verified(&mut rest, &file).unwrap_err();
        assert!(
            rest.len() > bomb.len() / 2,
            "{} of {}",
            rest.len(),
            bomb.len()
        );
        assert!(
            message.contains("received more than 1000 bytes"),
            "{message}"
        );
    }
}
