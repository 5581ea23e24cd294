//! Pictures of models: Keras' `plot_model`.

mod dot;
mod layout;
mod network;
mod svg;

use super::model::Model;
use crate::files::write_atomically;
use crate::{Error, Result};
use network::Network;
use std::io::Write;
use std::path::Path;

/// The way in which layers follow each other in a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RankDir {
    /// From top to bottom, the default: Keras' `"TB"`.
    #[default]
    TopToBottom,
    /// From left to right: Keras' `"LR"`.
    LeftToRight,
}

/// How a model is drawn: the arguments of Keras' `plot_model`. Layers' names are shown, and nothing else,
/// unless it is asked for.
///
/// ```
/// use cornu::prelude::*;
/// let x = Input::new([4]).name("x").symbol();
/// let model = Model::new(&x, Dense::new(2).name("y").on(&x))?;
/// let dot = model.to_dot(&PlotModel::new().show_shapes(true))?;
/// assert!(dot.starts_with("digraph G {") && dot.contains("Output shape: <b>(None, 2)</b>"));
/// let svg = model.to_svg(&PlotModel::new().rankdir(RankDir::LeftToRight))?;
/// assert!(svg.starts_with("<svg ") && svg.contains("(Dense)"));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PlotModel {
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    rankdir: RankDir,
    expand_nested: bool,
    dpi: usize,
    show_layer_activations: bool,
    show_trainable: bool,
}

impl Default for PlotModel {
    fn default() -> Self {
        Self {
            show_shapes: false,
            show_dtype: false,
            show_layer_names: true,
            rankdir: RankDir::default(),
            expand_nested: false,
            dpi: 200,
            show_layer_activations: false,
            show_trainable: false,
        }
    }
}

impl PlotModel {
    /// Names and classes of layers, from top to bottom.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether shapes of inputs and outputs are shown.
    pub fn show_shapes(mut self, show: bool) -> Self {
        self.show_shapes = show;
        self
    }

    /// Whether the types of outputs are shown.
    pub fn show_dtype(mut self, show: bool) -> Self {
        self.show_dtype = show;
        self
    }

    /// Whether layers' names are shown before their classes; `true` by default. (Keras' `plot_model` has
    /// `false`, its `model_to_dot` `true`.)
    pub fn show_layer_names(mut self, show: bool) -> Self {
        self.show_layer_names = show;
        self
    }

    /// Which way layers follow each other.
    pub fn rankdir(mut self, rankdir: RankDir) -> Self {
        self.rankdir = rankdir;
        self
    }

    /// Whether layers of models within the model are shown, in a frame.
    pub fn expand_nested(mut self, expand: bool) -> Self {
        self.expand_nested = expand;
        self
    }

    /// Dots per inch, for programs that make an image of Graphviz' text; 200 by default.
    pub fn dpi(mut self, dpi: usize) -> Self {
        self.dpi = dpi;
        self
    }

    /// Whether activations are shown, of layers that have one.
    pub fn show_layer_activations(mut self, show: bool) -> Self {
        self.show_layer_activations = show;
        self
    }

    /// Whether it is shown which layers are trained, of those with weights.
    pub fn show_trainable(mut self, show: bool) -> Self {
        self.show_trainable = show;
        self
    }
}

/// What a box says in one of its cells.
struct Cell {
    /// Before the value: `"Input shape:"`, or nothing.
    label: &'static str,
    value: String,
    /// Whether the layer is trained, in the cell that tells of that.
    trained: Option<bool>,
}

/// What a layer's box says.
struct Label<'a> {
    name: Option<&'a str>,
    class: &'a str,
    activation: Option<&'a str>,
    cells: Vec<Cell>,
}

impl PlotModel {
    fn label<'a>(&self, layer: &'a network::Layer) -> Label<'a> {
        let fact = |label, value| Cell {
            label,
            value,
            trained: None,
        };
        let mut cells = Vec::new();
        if self.show_shapes {
            if layer.class != "InputLayer" {
                cells.push(fact("Input shape:", layer.inputs.clone()));
            }
            cells.push(fact("Output shape:", layer.outputs.clone()));
        }
        if self.show_dtype {
            cells.push(fact("Output dtype:", layer.dtypes.clone()));
        }
        if let Some(trained) = layer.trainable.filter(|_| self.show_trainable) {
            let value = match trained {
                true => "Trainable",
                false => "Non-trainable",
            };
            cells.push(Cell {
                label: "",
                value: value.to_string(),
                trained: Some(trained),
            });
        }
        let activation = layer.activation.as_deref();
        Label {
            name: self.show_layer_names.then_some(&*layer.name),
            class: &layer.class,
            activation: activation.filter(|_| self.show_layer_activations),
            cells,
        }
    }
}

/// `&`, `<`, `>` and `"` as HTML and XML write them.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

impl Model {
    /// The model as Graphviz' text, as Keras' `model_to_dot` writes it; layers are numbered.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn to_dot(&self, options: &PlotModel) -> Result<String> {
        let network = Network::of(self, options.expand_nested)?;
        Ok(dot::text(&network, options))
    }

    /// The model as a picture, drawn without Graphviz.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn to_svg(&self, options: &PlotModel) -> Result<String> {
        let network = Network::of(self, options.expand_nested)?;
        Ok(svg::text(&network, options))
    }

    /// Draws the model into a file: Keras' `plot_model`. The name's ending says how: `.svg`, or `.dot` (or
    /// `.gv`) for Graphviz.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(10).input_shape([784]));
    /// model.build()?;
    /// let path = std::env::temp_dir().join(format!("cornu-doc-{}.svg", std::process::id()));
    /// model.plot_model(&path, &PlotModel::new().show_shapes(true))?;
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the model is not built, the ending is another, or the file cannot be written.
    pub fn plot_model(&self, path: impl AsRef<Path>, options: &PlotModel) -> Result<()> {
        let path = path.as_ref();
        let ending = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        let text = match ending.to_ascii_lowercase().as_str() {
            "svg" => self.to_svg(options)?,
            "dot" | "gv" => self.to_dot(options)?,
            _ => {
                return Err(Error::new(format!(
                    "A model is drawn into a file that ends in .svg, .dot or .gv. Received: {}.",
                    path.display()
                )));
            }
        };
        write_atomically(path, |out| {
            let failed = |e: std::io::Error| {
                Error::io(format!("{} cannot be written: {e}.", path.display()))
            };
            out.write_all(text.as_bytes()).map_err(failed)
        })
    }
}
