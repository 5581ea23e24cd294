//! The command line.

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// What every command takes.
const GENERAL: &str = "General options";

/// Build, train, ask and convert neural networks.
#[derive(Debug, Parser)]
#[command(
    name = "cornu",
    version,
    after_help = "Examples:
  cornu datasets get iris -o iris.csv
  cornu train --data iris.csv --target target -o iris.keras --curves curves.png
  cornu evaluate iris.keras --data iris.csv --confusion matrix.png
  cornu predict iris.keras --input new.csv

Exit codes: 0 done; 1 `diff` found a difference; 2 the command line is wrong; 3 a file \
cannot be found, read, written or fetched; 4 a file's content is not what it should be, or data and model do \
not fit each other."
)]
pub struct Cli {
    /// How many threads compute (default: CORNU_NUM_THREADS, else all cores)
    #[arg(
        long,
        global = true,
        value_name = "N",
        help_heading = GENERAL,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..)
    )]
    pub threads: Option<usize>,
    /// Makes everything random repeatable
    #[arg(long, global = true, value_name = "N", help_heading = GENERAL)]
    pub seed: Option<u64>,
    /// Prints results only
    #[arg(short, long, global = true, help_heading = GENERAL)]
    pub quiet: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints a model's layers, shapes and parameters
    #[command(after_help = "Example:
  cornu summary model.keras")]
    Summary(ModelArgs),
    /// Draws a model's layers and what flows between them
    Plot(Plot),
    /// Compares two models, architecture and weights; exits with 1 if they differ
    Diff(Diff),
    /// Computes a model's outputs
    Predict(Predict),
    /// Measures a model's loss and metrics
    Evaluate(Evaluate),
    /// Trains a model on a table, a folder of images, or arrays
    Train(Train),
    /// Writes a model or weights in another format
    Convert(Convert),
    /// Measures a model's latency, throughput and memory
    Bench(Bench),
    /// Lists the ready-made data sets, or writes one to a file
    #[command(after_help = "Examples:
  cornu datasets list
  cornu datasets get iris -o iris.csv
  cornu datasets get mnist -o mnist.npz")]
    Datasets {
        #[command(subcommand)]
        command: Datasets,
    },
    /// Lists what models can run on
    #[command(after_help = "Examples:
  cornu devices
  cornu devices --threads 1                     what is used with one thread")]
    Devices,
    /// Prints a script that completes commands in a shell
    #[command(after_help = "Examples:
  cornu completions bash > /etc/bash_completion.d/cornu
  cornu completions fish > ~/.config/fish/completions/cornu.fish")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, in roff
    #[command(after_help = "Examples:
  cornu man | man -l -
  cornu man > ~/.local/share/man/man1/cornu.1")]
    Man,
}

/// A model's files.
#[derive(Args, Debug)]
pub struct ModelArgs {
    /// The model: .keras, a whole .h5 of Keras 2, .safetensors as written by this program, or .json as Keras'
    /// `to_json`
    pub model: PathBuf,
    /// Its weights (.weights.h5, .weights.json, .safetensors or .npz), if they are in a file of their own
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cornu plot model.keras -o model.svg --show-shapes
  cornu plot model.keras -o model.png --rankdir lr --expand-nested")]
pub struct Plot {
    #[command(flatten)]
    pub model: ModelArgs,
    /// The picture: .svg, .png, or .dot (.gv) for Graphviz
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Shows the shapes of inputs and outputs
    #[arg(long)]
    pub show_shapes: bool,
    /// Shows the types of outputs
    #[arg(long)]
    pub show_dtype: bool,
    /// Shows classes of layers without their names
    #[arg(long)]
    pub hide_layer_names: bool,
    /// Shows activations
    #[arg(long)]
    pub show_layer_activations: bool,
    /// Shows which layers are trained
    #[arg(long)]
    pub show_trainable: bool,
    /// Shows the layers of models within the model
    #[arg(long)]
    pub expand_nested: bool,
    /// From top to bottom, or from left to right
    #[arg(
        long,
        value_enum,
        default_value = "tb",
        ignore_case = true,
        value_name = "TB|LR"
    )]
    pub rankdir: Direction,
}

/// The way in which layers follow each other in a picture.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Direction {
    /// From top to bottom
    Tb,
    /// From left to right
    Lr,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cornu diff before.keras after.keras
  cornu diff model.keras model.safetensors --tolerance 1e-6 && echo the same")]
pub struct Diff {
    /// One model
    pub a: PathBuf,
    /// The other
    pub b: PathBuf,
    /// The largest difference of weights that counts as none
    #[arg(long, default_value_t = 0.0, value_name = "X")]
    pub tolerance: f64,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cornu predict iris.keras --input new.csv                     the class of each row
  cornu predict iris.keras --input new.csv --json              and the probabilities of all
  cornu predict model.keras --input x.npy --output y.npy
  cornu predict model.keras --input pictures/ --classes
  cornu predict model.keras --input text=a.npy --input image=b.npy -o y.npz
  cat new.csv | cornu predict iris.keras --input - | sort | uniq -c")]
pub struct Predict {
    #[command(flatten)]
    pub model: ModelArgs,
    /// .csv, .parquet, .npy, .npz, a folder of images, or - for standard input; NAME=FILE for one of several
    /// inputs, which an .npz may hold under their names
    #[arg(short, long, required = true, value_name = "[NAME=]FILE")]
    pub input: Vec<String>,
    /// .npy, .npz, .csv, or - for standard output
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    pub output: String,
    /// Samples computed at a time
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// Writes the outputs themselves where a model of `cornu train` would tell the class
    #[arg(long, conflicts_with = "classes")]
    pub proba: bool,
    /// Writes the class: the largest output, or whether the only one is above 0.5
    #[arg(long)]
    pub classes: bool,
    /// Writes a line of JSON for each sample
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cornu evaluate iris.keras --data iris.csv --confusion matrix.png
  cornu evaluate model.keras --x x.npy --y y.npy --json
  cornu evaluate model.json --weights model.weights.h5 --x x.npy --y y.npy --loss mse --metric mae")]
pub struct Evaluate {
    #[command(flatten)]
    pub model: ModelArgs,
    /// The samples: .npy, .npz, .csv, .parquet, or - for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "data")]
    pub x: Option<String>,
    /// The targets: .npy, .csv, .parquet, or an .npz of those of several outputs by name
    #[arg(long, value_name = "FILE", required_unless_present = "data")]
    pub y: Option<String>,
    /// A table with its target, a folder of images, or an .npz, as for `cornu train`; of an .npz with x_test and
    /// y_test these are taken
    #[arg(long, value_name = "FILE", conflicts_with_all = ["x", "y"])]
    pub data: Option<String>,
    /// The loss, if the model's file does not say
    #[arg(long, value_name = "NAME")]
    pub loss: Option<String>,
    /// A metric, if the model's file does not say; may be given again
    #[arg(long = "metric", value_name = "NAME")]
    pub metrics: Vec<String>,
    /// Samples measured at a time
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub batch_size: usize,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
    /// Draws the confusion matrix, as .svg or .png
    #[arg(long, value_name = "FILE")]
    pub confusion: Option<PathBuf>,
}

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Task {
    /// A class
    Classification,
    /// A number
    Regression,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cornu train --data iris.csv --target target -o iris.keras --curves curves.png
  cornu train --data homes.parquet --target price --drop id --model mlp:128,64 --epochs 100 --patience 10 -o homes.keras
  cornu train --data pictures/ --image-size 64x64x3 --model net.json -o pictures.keras --resume kept
  cornu train --data iris.csv --target target --model iris.keras --epochs 5 -o again.keras
  cornu train --data diabetes.csv --target target --model linear -o ols.keras")]
pub struct Train {
    /// mlp:64,64 (sizes of hidden layers); linear, ridge, lasso or logistic, with their own exact solvers
    /// (ridge:ALPHA, lasso:ALPHA, logistic:C for a penalty); a .json or .keras that takes the data's features;
    /// or an earlier output, to go on with
    #[arg(long, default_value = "mlp:64,64", value_name = "MODEL")]
    pub model: String,
    /// A table with a header (.csv, .parquet, or - for standard input), a folder with a folder of images for each
    /// class, or an .npz with x and y (or x_train and y_train), or with arrays of the names of the model's inputs
    /// and outputs
    #[arg(long, value_name = "FILE")]
    pub data: String,
    /// The column to predict (of a table)
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// A column to leave out; may be given again
    #[arg(long, value_name = "COLUMN")]
    pub drop: Vec<String>,
    /// A column whose numbers are categories; may be given again
    #[arg(long, value_name = "COLUMN")]
    pub category: Vec<String>,
    /// What is predicted (default: a class if the target is text or a few whole numbers)
    #[arg(long)]
    pub task: Option<Task>,
    /// Height, width and channels to which images are brought
    #[arg(long, default_value = "32x32x3", value_name = "HxWxC")]
    pub image_size: String,
    /// How often all samples are seen (default: for a thousand steps, but at least 20 and at most 100 times)
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Samples per step (default: 32)
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// Keras' name of the loss (default: a compiled model's own, else by what is predicted)
    #[arg(long, value_name = "NAME")]
    pub loss: Option<String>,
    /// Keras' name of the optimizer (default: an earlier model's own with its state, else adam)
    #[arg(long, value_name = "NAME")]
    pub optimizer: Option<String>,
    /// The learning rate (default: the optimizer's own)
    #[arg(long, value_name = "X")]
    pub learning_rate: Option<f64>,
    /// The share of samples, drawn at random, that is kept for measuring (default: 0.2 for networks, 0 for
    /// linear models)
    #[arg(long, value_name = "X")]
    pub validation_split: Option<f64>,
    /// Ends after this many epochs without a better one
    #[arg(long, value_name = "N")]
    pub patience: Option<usize>,
    /// Where the model with the weights of the best epoch goes: .keras, or .safetensors without the optimizer's
    /// state
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Keeps the whole training in this folder after each epoch; started again, also with more --epochs, it goes
    /// on from there
    #[arg(long, value_name = "FOLDER")]
    pub resume: Option<PathBuf>,
    /// Draws the learning curves, as .svg or .png
    #[arg(long, value_name = "FILE")]
    pub curves: Option<PathBuf>,
    /// Writes the figures of every epoch
    #[arg(long, value_name = "FILE.csv")]
    pub log: Option<PathBuf>,
}

impl Train {
    /// How many of so many samples, the last ones, are kept for measuring.
    pub fn held(&self, samples: usize, default: f64) -> usize {
        let share = self.validation_split.unwrap_or(default);
        samples - (samples as f64 * (1.0 - share)).floor() as usize
    }
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cornu convert keras2.h5 model.keras
  cornu convert model.keras model.onnx
  cornu convert model.keras model.weights.h5
  cornu convert model.json model.keras --weights weights.safetensors")]
pub struct Convert {
    /// The model or weights: .keras, .h5 of Keras 2, .safetensors, .npz or .json
    pub from: PathBuf,
    /// Where to: .keras (all), .safetensors (all but the optimizer's state), .onnx (for other programs to run),
    /// .json (the architecture), .weights.h5, .weights.json (several files) or .npz (the weights)
    pub to: PathBuf,
    /// Weights for a .json (.weights.h5, .weights.json, .safetensors or .npz)
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// GB of weights in each of the files that a .weights.json lists
    #[arg(long, default_value_t = 1.0, value_name = "X")]
    pub shard_size: f64,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cornu bench model.keras
  cornu bench model.keras --batch-size 1024 --threads 1 --json")]
pub struct Bench {
    #[command(flatten)]
    pub model: ModelArgs,
    /// Samples in the large batch
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub batch_size: usize,
    /// What extents that the model leaves open are, as the number of steps
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub length: usize,
    /// Seconds for each measurement
    #[arg(long, default_value_t = 1.0, value_name = "X")]
    pub seconds: f64,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Datasets {
    /// Lists the data sets
    List,
    /// Loads a data set, from this machine or a mirror, and writes it to a file
    Get {
        /// Its name
        name: String,
        /// .csv for a table, .npz for arrays, .txt for a text
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}
