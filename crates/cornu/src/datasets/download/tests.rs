//! Everything here speaks to a server of the test's own on the loopback interface.

use std::{
    io::{BufRead, BufReader},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use super::*;
use crate::datasets::{
    content::{sha256_hex, tests::gzip},
    source::{Source, tests::TempFolder},
};

/// Enough bytes for several pieces, and of a kind that shrinks little.
fn content() -> Vec<u8> {
    let mut state = 1_u32;
    (0..200_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

/// What the server does with a request, told by the first part of the path.
fn answer(way: &str, stream: &mut TcpStream) -> io::Result<()> {
    let zipped = gzip(&content());
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    let mut send = |status: &str, length: usize, body: &[u8]| {
        stream.write_all(head(status, length).as_bytes())?;
        stream.write_all(body)
    };
    match way {
        "good" => send("200 OK", zipped.len(), &zipped),
        "raw" => send("200 OK", 200_000, &content()),
        "absent" => send("404 Not Found", 4, b"gone"),
        "broken" => send("500 Internal Server Error", 0, b""),
        "cut" => send("200 OK", zipped.len(), &zipped[..zipped.len() / 2]),
        "short" => send("200 OK", zipped.len() / 2, &zipped[..zipped.len() / 2]),
        "other" => send("200 OK", 5, b"hello"),
        "page" => send("200 OK", 200_000, &[b'<'; 200_000]),
        "huge" => send("200 OK", 1 << 40, b"x"),
        "endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[0; 1 << 16])?;
            }
        }
        "silent" => wait_for_the_end(stream),
        "stalled" => {
            send("200 OK", zipped.len(), &zipped[..1000])?;
            wait_for_the_end(stream)
        }
        _ => send("400 Bad Request", 0, b""),
    }
}

/// Sends nothing until the other side gives up.
fn wait_for_the_end(stream: &mut TcpStream) -> io::Result<()> {
    stream.read(&mut [0; 64]).map(|_| ())
}

struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                // "GET /way/data.gz HTTP/1.1"; the end of the test sends nothing.
                let Some(Ok(request)) = lines.next() else {
                    return;
                };
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
                {}
                let path = request.split(' ').nth(1).unwrap().to_owned();
                let way = path.split('/').nth(1).unwrap().to_owned();
                log.lock().unwrap().push(path);
                // The client may well close first: some of these answers are made for it.
                let _ = answer(&way, &mut stream);
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        Server {
            address,
            asked,
            thread: Some(thread),
        }
    }

    fn url(&self, way: &str) -> String {
        format!("http://{}/{way}", self.address)
    }

    /// Takes the paths asked for so far.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(TcpStream::connect(&self.address));
        let outcome = self.thread.take().unwrap().join();
        if !thread::panicking() {
            outcome.unwrap();
        }
    }
}

fn load(source: &Source) -> Result<Vec<u8>, String> {
    let sum = sha256_hex(&content());
    let file = DataFile {
        name: "data",
        bytes: 200_000,
        sha256: &sum,
    };
    source.load(&file).map_err(|error| error.to_string())
}

fn source(cache: &TempFolder, urls: impl IntoIterator<Item = String>) -> Source {
    Source::new("toy")
        .cache(cache.path())
        .base_urls(urls)
        .timeout(Duration::from_millis(300))
}

/// All files under `folder`, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_download_is_kept_and_not_repeated() {
    for (way, kept) in [("good", "data.gz"), ("raw", "data")] {
        let (server, cache) = (Server::start(), TempFolder::new());
        let source = source(&cache, [server.url(way)]);
        assert_eq!(load(&source).unwrap(), content());
        assert_eq!(files(cache.path()), [cache.path().join("toy").join(kept)]);
        assert_eq!(server.asked(), [format!("/{way}/data.gz")]);
        assert_eq!(load(&source).unwrap(), content());
        assert_eq!(server.asked(), Vec::<String>::new());
    }
}

#[test]
fn when_a_mirror_fails_the_next_one_is_asked() {
    for way in [
        "absent", "broken", "cut", "short", "other", "page", "huge", "endless", "silent", "stalled",
    ] {
        let (server, cache) = (Server::start(), TempFolder::new());
        let source = source(&cache, [server.url(way), server.url("good")]);
        assert_eq!(load(&source).unwrap(), content(), "{way}");
        assert_eq!(
            server.asked(),
            [format!("/{way}/data.gz"), "/good/data.gz".to_owned()]
        );
        assert_eq!(
            files(cache.path()),
            [cache.path().join("toy/data.gz")],
            "{way}"
        );
    }
}

#[test]
fn when_all_fail_each_is_listed_with_its_reason_and_nothing_is_kept() {
    let (server, cache) = (Server::start(), TempFolder::new());
    let ways = [
        ("absent", "404"),
        ("broken", "500"),
        ("cut", "failed: "),
        ("short", "is cut off or damaged"),
        (
            "other",
            "received 5 bytes with SHA-256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ),
        ("page", "is not the expected file: expected 200000 bytes"),
        ("huge", "it announces 1099511627776 bytes"),
        ("endless", "it sends more than"),
        ("silent", "timeout"),
        ("stalled", "timeout"),
    ];
    let message = load(&source(&cache, ways.map(|(way, _)| server.url(way)))).unwrap_err();
    for (way, reason) in ways {
        let start = format!("  - {}/data.gz ", server.url(way));
        let line = message.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{start} in {message}"));
        assert!(line.contains(reason), "{reason:?} in {line}");
    }
    assert_eq!(files(cache.path()), Vec::<PathBuf>::new());
}

#[test]
fn nobody_listening_is_told_too() {
    let cache = TempFolder::new();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}");
    let message = load(&source(&cache, [url.clone()])).unwrap_err();
    assert!(
        message.contains(&format!("{url}/data.gz failed: ")),
        "{message}"
    );
}

#[test]
fn a_bad_file_in_the_cache_is_replaced() {
    let zipped = gzip(&content());
    for (name, bad) in [
        ("data.gz", &zipped[..1000]),
        ("data", b"no"),
        ("data.gz", b""),
    ] {
        let (server, cache) = (Server::start(), TempFolder::new());
        cache.write(name, bad);
        let failing = source(&cache, [server.url("absent")]);
        let message = load(&failing).unwrap_err();
        assert!(message.contains(&cache.path().join("toy").join(name).display().to_string()));
        assert_eq!(
            load(&source(&cache, [server.url("good")])).unwrap(),
            content()
        );
        assert_eq!(files(cache.path()), [cache.path().join("toy/data.gz")]);
        assert_eq!(fs::read(cache.path().join("toy/data.gz")).unwrap(), zipped);
    }
}

#[test]
fn a_cache_that_cannot_be_written_does_not_lose_the_download() {
    let (server, folder) = (Server::start(), TempFolder::new());
    let in_the_way = folder.write("file", b"not a folder");
    let source = Source::new("toy")
        .cache(&in_the_way)
        .base_urls([server.url("good")]);
    assert_eq!(load(&source).unwrap(), content());
    assert_eq!(files(folder.path()), [in_the_way]);
}

#[test]
fn a_failed_rename_leaves_no_partial_file() {
    let folder = TempFolder::new();
    let in_the_way = folder.path().join("toy/data.gz/full");
    fs::create_dir_all(in_the_way.parent().unwrap()).unwrap();
    fs::write(&in_the_way, b"x").unwrap();
    save(&gzip(b"x"), &folder.path().join("toy"), "data").unwrap_err();
    assert_eq!(files(folder.path()), [in_the_way]);
}

#[test]
fn many_threads_that_download_at_once_keep_one_whole_file() {
    let (server, cache) = (Server::start(), TempFolder::new());
    let source = source(&cache, [server.url("good")]).timeout(Duration::from_secs(20));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(load(&source).unwrap(), content()));
        }
    });
    assert_eq!(files(cache.path()), [cache.path().join("toy/data.gz")]);
}

#[test]
fn the_progress_line_shows_share_and_size() {
    assert_eq!(
        line("data", 2_500_000, Some(10_000_000)),
        "data [=======.......................] 2.5/10.0 MB"
    );
    assert_eq!(
        line("data", 10, Some(5)),
        format!("data [{}] 0.0/0.0 MB", "=".repeat(30))
    );
    assert_eq!(line("data", 1_000_000, None), "data 1.0 MB");
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_mirror_that_needs_https_is_told_of_and_passed_over() {
    let (server, cache) = (Server::start(), TempFolder::new());
    let secure = server.url("good").replace("http:", "https:");
    let message = load(&source(&cache, [secure.clone()])).unwrap_err();
    let told = format!("{secure}/data.gz needs HTTPS, which is not part of this build");
    assert!(message.contains(&told), "{told:?} in {message}");
    assert!(message.contains("`cargo add cornu --features tls`"));
    let source = source(&cache, [secure, server.url("good")]);
    assert_eq!(load(&source).unwrap(), content());
}
