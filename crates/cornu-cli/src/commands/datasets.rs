//! `cornu datasets`.

use crate::args::Datasets;
use crate::data::write_file;
use crate::exit::Failure;
use crate::format::ending;
use cornu::Array;
use cornu::datasets::{self, Table};
use cornu::saving::npz;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// A data set: its name, what it is, and how it is loaded.
struct Known {
    name: &'static str,
    about: &'static str,
    load: fn() -> cornu::Result<Loaded>,
}

/// What a data set holds.
enum Loaded {
    /// Arrays by name.
    Arrays(Vec<(&'static str, Array)>),
    /// Lines of CSV under a header.
    Csv(String),
    Text(String),
}

const KNOWN: [Known; 10] = [
    Known {
        name: "mnist",
        about: "70,000 grey images of handwritten digits, 28×28",
        load: mnist,
    },
    Known {
        name: "digits",
        about: "1,797 grey images of handwritten digits, 8×8, as a table",
        load: || classes(datasets::digits::load()?),
    },
    Known {
        name: "iris",
        about: "150 flowers of three species: lengths and widths",
        load: || classes(datasets::iris::load()?),
    },
    Known {
        name: "wine",
        about: "178 wines of three growers: chemistry",
        load: || classes(datasets::wine::load()?),
    },
    Known {
        name: "breast_cancer",
        about: "569 tumours, malignant or benign: cell nuclei",
        load: || classes(datasets::breast_cancer::load()?),
    },
    Known {
        name: "diabetes",
        about: "442 patients: how the disease went on in a year",
        load: diabetes,
    },
    Known {
        name: "linnerud",
        about: "20 men: exercises, and three measures of the body",
        load: linnerud,
    },
    Known {
        name: "sunspots",
        about: "309 years from 1700 on: spots on the sun, a series",
        load: sunspots,
    },
    Known {
        name: "movie_reviews",
        about: "sentences of reviews and whether they praise",
        load: movie_reviews,
    },
    Known {
        name: "alice",
        about: "Alice's Adventures in Wonderland, the text",
        load: || datasets::alice::load().map(Loaded::Text),
    },
];

pub fn run(command: Datasets, quiet: bool) -> Result<(), Failure> {
    match command {
        Datasets::List => {
            let mut out = std::io::stdout().lock();
            for known in &KNOWN {
                writeln!(out, "{:14} {}", known.name, known.about)?;
            }
            Ok(())
        }
        Datasets::Get { name, output } => {
            let names: Vec<&str> = KNOWN.iter().map(|k| k.name).collect();
            let Some(known) = KNOWN.iter().find(|k| k.name == name) else {
                return Err(cornu::Error::unknown("data set", &name, &names).into());
            };
            write(&name, (known.load)()?, &output)?;
            if !quiet {
                eprintln!("{name} is in {}.", output.display());
            }
            Ok(())
        }
    }
}

fn write(name: &str, loaded: Loaded, path: &Path) -> Result<(), Failure> {
    let (fits, content) = match &loaded {
        Loaded::Arrays(arrays) if ending(path) == "npz" => {
            return Ok(npz::save(path, arrays.iter().map(|(n, a)| (*n, a)))?);
        }
        Loaded::Arrays(_) => ("npz", ""),
        Loaded::Csv(text) => ("csv", text.as_str()),
        Loaded::Text(text) => ("txt", text.as_str()),
    };
    match ending(path) == fits && fits != "npz" {
        true => write_file(path, content.as_bytes()),
        false => Err(Failure::usage(format!(
            "{name} goes to a .{fits} file. Received: {}.",
            path.display()
        ))),
    }
}

fn mnist() -> cornu::Result<Loaded> {
    let ((x_train, y_train), (x_test, y_test)) = datasets::mnist::load_data()?;
    Ok(Loaded::Arrays(vec![
        ("x_train", Array::from(&x_train)),
        ("y_train", Array::from(&y_train)),
        ("x_test", Array::from(&x_test)),
        ("y_test", Array::from(&y_test)),
    ]))
}

/// A table as CSV, the targets last.
fn table<Y>(table: &Table<Y>, targets: &[&str], target: impl Fn(usize) -> Vec<String>) -> Loaded {
    let features = table.feature_names.iter().map(String::as_str);
    let header: Vec<&str> = features.chain(targets.iter().copied()).collect();
    let mut text = header.join(",") + "\n";
    for (i, row) in table.data.rows().into_iter().enumerate() {
        for value in row {
            let _ = write!(text, "{value},");
        }
        text += &(target(i).join(",") + "\n");
    }
    Loaded::Csv(text)
}

fn classes(t: Table<ndarray::Array1<u8>>) -> cornu::Result<Loaded> {
    let name = |i: usize| {
        let class = t.target[i];
        t.target_names
            .get(usize::from(class))
            .cloned()
            .unwrap_or_else(|| class.to_string())
    };
    Ok(table(&t, &["target"], |i| vec![name(i)]))
}

fn diabetes() -> cornu::Result<Loaded> {
    let t = datasets::diabetes::load()?;
    Ok(table(&t, &["target"], |i| vec![t.target[i].to_string()]))
}

fn linnerud() -> cornu::Result<Loaded> {
    let t = datasets::linnerud::load()?;
    let names: Vec<&str> = t.target_names.iter().map(String::as_str).collect();
    Ok(table(&t, &names, |i| {
        t.target.row(i).iter().map(f64::to_string).collect()
    }))
}

fn sunspots() -> cornu::Result<Loaded> {
    let mut csv = String::from("year,spots\n");
    for (year, spots) in (1700..).zip(datasets::sunspots::load_data()?) {
        let _ = writeln!(csv, "{year},{spots}");
    }
    Ok(Loaded::Csv(csv))
}

fn movie_reviews() -> cornu::Result<Loaded> {
    let (texts, labels) = datasets::movie_reviews::load()?;
    let mut csv = String::from("text,target\n");
    for (text, label) in texts.iter().zip(labels) {
        let _ = writeln!(csv, "\"{}\",{label}", text.replace('"', "\"\""));
    }
    Ok(Loaded::Csv(csv))
}
