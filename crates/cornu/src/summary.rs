//! The table that `summary` prints, character by character Keras' own.

use std::fmt;

use crate::{Error, Result};

/// Parameters of a model or a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Number of scalars.
    pub params: usize,
    /// Memory that they take, in bytes.
    pub bytes: usize,
}

impl Count {
    /// Adds weights of `params` scalars with `size` bytes each.
    pub fn add(&mut self, params: usize, size: usize) {
        self.params += params;
        self.bytes += params * size;
    }
}

impl fmt::Display for Count {
    /// As `1,333,770 (5.09 MB)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", thousands(self.params), memory(self.bytes))
    }
}

/// A layer in a [`Summary`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The layer's name.
    pub name: String,
    /// Its class.
    pub class: String,
    /// Its output's shape as it is shown: `(None, 512)`, or `?` where it is not known yet.
    pub shape: String,
    /// The number of its parameters; `None` if it is not built.
    pub params: Option<usize>,
    /// Whether they are trained; `None` if it has none.
    pub trainable: Option<bool>,
    /// How deep it lies in models within the model; 0 for the model's own layers.
    pub level: usize,
    /// Where its inputs come from: `name[call][output]`, or `-`.
    pub connected: String,
}

/// A model's summary: a table of its layers and the numbers of its parameters.
///
/// ```
/// use cornu::summary::{Count, Row, Summary};
///
/// let row = Row {
///     name: "dense".into(),
///     class: "Dense".into(),
///     shape: "(None, 4)".into(),
///     params: Some(36),
///     trainable: Some(true),
///     ..Row::default()
/// };
/// let trainable = Count { params: 36, bytes: 144 };
/// let summary = Summary { rows: vec![row], trainable, ..Summary::new("sequential") };
/// let summary = summary.with_line_length(76)?;
/// assert!(summary.to_string().ends_with(
/// "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
/// │ dense (Dense)                   │ (None, 4)              │            36 │
/// └─────────────────────────────────┴────────────────────────┴───────────────┘
///  Total params: 36 (144.00 B)
///  Trainable params: 36 (144.00 B)
///  Non-trainable params: 0 (0.00 B)"));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The model's name.
    pub name: String,
    /// Its layers, in order.
    pub rows: Vec<Row>,
    /// Weights that are trained.
    pub trainable: Count,
    /// Weights that are not.
    pub non_trainable: Count,
    /// The optimizer's variables, once there are any.
    pub optimizer: Option<Count>,
    /// Width of the table in characters; `None` for as many as fit the terminal, at most 88 (108
    /// with connections, 12 more with the column of `show_trainable`).
    pub line_length: Option<usize>,
    /// Whether there is a column that says which layers are trained.
    pub show_trainable: bool,
    /// Whether there is a column that says where layers' inputs come from: so it is for a model with
    /// branches.
    pub show_connections: bool,
    /// Whether the layers of models within the model are shown.
    pub expand_nested: bool,
}

/// Columns of a terminal whose width is not known.
const COLUMNS: usize = 80;

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
    Center,
}

struct Column {
    title: &'static str,
    align: Align,
    /// Characters between the borders' blanks.
    width: usize,
}

impl Summary {
    /// A summary of a model of this name, without layers.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Sets the width of the table.
    ///
    /// # Errors
    /// If it is too narrow: a column's share of it is less than four characters.
    pub fn with_line_length(mut self, line_length: usize) -> Result<Self> {
        if self.shares(line_length).iter().any(|width| *width < 4) {
            return Err(Error::new(format!(
                "Insufficient console width to print summary. Received: line_length={line_length}"
            )));
        }
        self.line_length = Some(line_length);
        Ok(self)
    }

    /// Keeps the layers from one name to another, both included.
    ///
    /// # Errors
    /// If there is no layer of such a name.
    pub fn with_layer_range(mut self, first: &str, last: &str) -> Result<Self> {
        let own: Vec<&str> = self
            .rows
            .iter()
            .filter(|r| r.level == 0)
            .map(|r| &*r.name)
            .collect();
        let at = |name: &str| {
            let mut rows = self.rows.iter();
            rows.position(|r| r.level == 0 && r.name == name)
                .ok_or_else(|| Error::unknown("layer", name, &own))
        };
        let (first, last) = (at(first)?, at(last)?);
        let (first, last) = (first.min(last), first.max(last));
        let inside = self.rows[last + 1..].iter().take_while(|r| r.level > 0);
        let end = last + 1 + inside.count();
        self.rows = self.rows.drain(first..end).collect();
        Ok(self)
    }

    /// The columns' widths before borders: Keras' positions at 45, 80 and 100 % of the line, or, with
    /// connections, at 30, 56, 74 and 100 %; nine tenths of them where a column is shown for trainable.
    fn shares(&self, length: usize) -> Vec<usize> {
        let mut positions = match self.show_connections {
            true => vec![0.3, 0.56, 0.74, 1.0],
            false => vec![0.45, 0.8, 1.0],
        };
        if self.show_trainable {
            positions.iter_mut().for_each(|p| *p *= 0.9);
            positions.push(1.0);
        }
        let mut from = 0;
        let width = |position: f64| {
            let to = (position * length as f64) as usize;
            let width = to - from;
            from = to;
            width
        };
        positions.into_iter().map(width).collect()
    }

    fn columns(&self, terminal: usize) -> Vec<Column> {
        let widest = if self.show_connections { 108 } else { 88 };
        let widest = widest + if self.show_trainable { 12 } else { 0 };
        let length = self
            .line_length
            .unwrap_or(widest.min(terminal.saturating_sub(4)).max(40));
        let widths = fitted(&self.shares(length), length);
        let heads = [
            (true, "Layer (type)", Align::Left),
            (true, "Output Shape", Align::Left),
            (true, "Param #", Align::Right),
            (self.show_connections, "Connected to", Align::Left),
            (self.show_trainable, "Trainable", Align::Center),
        ];
        let shown = heads.into_iter().filter(|(shown, ..)| *shown);
        let heads = shown.map(|(_, title, align)| (title, align)).zip(widths);
        heads
            .map(|((title, align), width)| Column {
                title,
                align,
                width,
            })
            .collect()
    }

    /// The text for a terminal of so many columns.
    fn render(&self, terminal: usize) -> String {
        let columns = self.columns(terminal);
        let mut text = wrap(&format!("Model: \"{}\"", self.name), terminal, true).join("\n") + "\n";
        text += &border(&columns, ['┏', '━', '┳', '┓']);
        let titles: Vec<String> = columns.iter().map(|c| c.title.to_string()).collect();
        text += &row(&columns, &titles, '┃', true);
        text += &border(&columns, ['┡', '━', '╇', '┩']);
        let shown = self
            .rows
            .iter()
            .filter(|r| self.expand_nested || r.level == 0);
        for (i, layer) in shown.enumerate() {
            if i > 0 {
                text += &border(&columns, ['├', '─', '┼', '┤']);
            }
            text += &row(&columns, &layer.cells(self), '│', false);
        }
        text += &border(&columns, ['└', '─', '┴', '┘']);
        let mut total = Count::default();
        for part in [
            self.trainable,
            self.non_trainable,
            self.optimizer.unwrap_or_default(),
        ] {
            total.params += part.params;
            total.bytes += part.bytes;
        }
        text += &format!(
            " Total params: {total}\n Trainable params: {}\n",
            self.trainable
        );
        text += &format!(" Non-trainable params: {}", self.non_trainable);
        if let Some(optimizer) = self.optimizer {
            text += &format!("\n Optimizer params: {optimizer}");
        }
        text
    }
}

/// Columns of the terminal, from the environment variable `COLUMNS`; 80 without it.
fn terminal_columns() -> usize {
    let given = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    given.filter(|columns| *columns > 0).unwrap_or(COLUMNS)
}

/// The widths that remain when the columns (two blanks wider each) and their borders must fit the
/// line: the excess is taken off in equal parts, rounded as in the table library that Keras uses.
fn fitted(shares: &[usize], length: usize) -> Vec<usize> {
    let padded: usize = shares.iter().map(|width| width + 2).sum();
    let mut excess = padded.saturating_sub(length.saturating_sub(shares.len() + 1));
    let mut left = shares.len();
    let cut = |width: &usize| {
        let part = (excess as f64 / left as f64).round_ties_even() as usize;
        let part = part.min(width + 1);
        excess -= part;
        left -= 1;
        width + 2 - part
    };
    let padded: Vec<usize> = shares.iter().map(cut).collect();
    padded
        .into_iter()
        .map(|width| width.saturating_sub(2).max(1))
        .collect()
}

/// The lines of a text broken between words. A word that is too long is cut in pieces (`fold`), or
/// left in one for [`cell`] to shorten.
fn wrap(text: &str, width: usize, fold: bool) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(text) {
        let taken = lines.last().map_or(0, |line| line.chars().count());
        let length = word.trim_end().chars().count();
        if taken + length > width && taken > 0 {
            lines.push(String::new());
        }
        let mut word = word.chars().peekable();
        while word.peek().is_some() {
            let piece: String = if fold && length > width {
                word.by_ref().take(width).collect()
            } else {
                word.by_ref().collect()
            };
            if let Some(line) = lines.last_mut() {
                line.push_str(&piece);
            }
            if word.peek().is_some() {
                lines.push(String::new());
            }
        }
    }
    lines
}

/// Words with the blanks after them; blanks at the beginning belong to the first.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut in_word = false;
    let mut after_blank = false;
    for (i, c) in text.char_indices() {
        if c.is_whitespace() {
            after_blank = in_word;
        } else {
            if after_blank {
                words.push(&text[start..i]);
                start = i;
                after_blank = false;
            }
            in_word = true;
        }
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

/// One line of a cell, shortened by `…` or filled with blanks to its width.
fn cell(line: &str, column: &Column) -> String {
    let line = match column.align {
        Align::Left => line,
        Align::Right | Align::Center => line.trim_end(),
    };
    let width = column.width;
    if line.trim_end().chars().count() > width {
        let kept: String = line.chars().take(width - 1).collect();
        return format!("{kept}…");
    }
    let line: String = line.chars().take(width).collect();
    match column.align {
        Align::Left => format!("{line:width$}"),
        Align::Right => format!("{line:>width$}"),
        Align::Center => format!("{line:^width$}"),
    }
}

/// A border: its left end, its line, its crossings, its right end.
fn border(columns: &[Column], ends: [char; 4]) -> String {
    let [left, line, cross, right] = ends;
    let parts: Vec<String> = columns
        .iter()
        .map(|column| line.to_string().repeat(column.width + 2))
        .collect();
    format!("{left}{}{right}\n", parts.join(&cross.to_string()))
}

/// A row of cells between vertical lines; cells of fewer lines stand at the top or at the bottom.
fn row(columns: &[Column], texts: &[String], line: char, at_bottom: bool) -> String {
    let cells: Vec<Vec<String>> = columns
        .iter()
        .zip(texts)
        .map(|(column, text)| {
            wrap(text, column.width, false)
                .iter()
                .map(|line| cell(line, column))
                .collect()
        })
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(1);
    let mut out = String::new();
    for i in 0..height {
        for (column, lines) in columns.iter().zip(&cells) {
            let above = if at_bottom { height - lines.len() } else { 0 };
            let blank = " ".repeat(column.width);
            let text = i
                .checked_sub(above)
                .and_then(|i| lines.get(i))
                .unwrap_or(&blank);
            out.push_str(&format!("{line} {text} "));
        }
        out.push_str(&format!("{line}\n"));
    }
    out
}

impl Row {
    fn cells(&self, table: &Summary) -> Vec<String> {
        let prefix = match self.level {
            0 => String::new(),
            level => "   ".repeat(level) + "└ ",
        };
        let params = self.params.map_or("0 (unbuilt)".to_string(), thousands);
        let mut cells = vec![
            format!("{prefix}{} ({})", self.name, self.class),
            self.shape.clone(),
            params,
        ];
        if table.show_connections {
            cells.push(self.connected.clone());
        }
        if table.show_trainable {
            let sign = match self.trainable {
                Some(true) => "Y",
                Some(false) => "N",
                None => "-",
            };
            cells.push(sign.to_string());
        }
        cells
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(terminal_columns()))
    }
}

/// A number with commas: `1,333,770`.
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes as `204.00 B` or `5.09 MB`, in steps of 1024.
fn memory(bytes: usize) -> String {
    let mut size = bytes as f64;
    let mut units = ["B", "KB", "MB", "GB", "TB"].into_iter();
    while size >= 1024.0
        && let Some(_) = units.next()
    {
        size /= 1024.0;
    }
    format!("{size:.2} {}", units.next().unwrap_or("PB"))
}

#[cfg(test)]
mod tests;
