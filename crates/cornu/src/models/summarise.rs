//! The rows of a model's summary.

use super::graph::{Graph, Source, given_names};
use super::model::Model;
use super::nested::Nested;
use super::sequential::{built_stack, declares_weights, stack_input};
use super::symbol::Unit;
use crate::layers::InputShape;
use crate::summary::{Count, Row, Summary};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Model {
    /// Keras' table of layers, output shapes and parameters. A stack that knows its input's shape gets its weights
    /// if it has none.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(10).input_shape([784]));
    /// assert!(model.summary().to_string().contains("(None, 10)"));
    /// ```
    ///
    /// A model with branches shows where each layer's inputs come from, `name[call][output]`. Keras'
    /// options are fields and methods of what is returned: [`Summary::show_trainable`],
    /// [`Summary::expand_nested`], [`Summary::with_layer_range`], [`Summary::with_line_length`].
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::new(self.name());
        let drawn = match (&self.graph, &self.stack) {
            (None, Some(stack)) if !stack.is_empty() => {
                let shape = self.input.clone().or_else(|| stack_input(stack));
                // What does not fit together is told by whatever needs the weights.
                shape.and_then(|shape| built_stack(self.name(), stack, &[shape]).ok())
            }
            _ => None,
        };
        let graph = self.graph.as_ref().or(drawn.as_ref());
        add_rows((self.stack.as_ref(), graph), 0, &mut summary.rows);
        let branched = graph.filter(|_| self.stack.is_none());
        summary.show_connections = branched.is_some_and(|g| !g.linear);
        for w in graph.map_or_else(Vec::new, |g| g.weights(self.base.trainable)) {
            let total = if w.trainable {
                &mut summary.trainable
            } else {
                &mut summary.non_trainable
            };
            total.add(w.variable.shape().size(), w.variable.dtype().size());
        }
        if let Some(optimizer) = self
            .trainer
            .as_ref()
            .map(|t| &t.optimizer)
            .filter(|o| o.is_built())
        {
            let total = summary.optimizer.insert(Count::default());
            for v in optimizer.variables() {
                total.add(v.shape().size(), v.dtype().size());
            }
        }
        summary
    }
}

/// Adds a row for each layer, and below it those of the layers inside it.
fn add_rows(
    (stack, graph): (Option<&Vec<Arc<Unit>>>, Option<&Graph>),
    level: usize,
    rows: &mut Vec<Row>,
) {
    let units = match (stack, graph) {
        (Some(stack), _) => stack.as_slice(),
        (None, Some(graph)) => &graph.units,
        (None, None) => &[],
    };
    let names = given_names(units);
    for (i, unit) in units.iter().enumerate() {
        // As in Keras, a stack does not show where data enter.
        if stack.is_some() && unit.is_input() {
            continue;
        }
        let connected = graph.filter(|g| level == 0 && stack.is_none() && !g.linear);
        rows.push(Row {
            name: names[i].clone(),
            level,
            connected: match connected.map(|g| &g.sources[i][..]) {
                None | Some([]) => "-".to_string(),
                Some(sources) => {
                    let shown = |s: &Source| format!("{}[{}][{}]", names[s.unit], s.call, s.output);
                    sources.iter().map(shown).collect::<Vec<_>>().join(", ")
                }
            },
            ..row(unit)
        });
        if let Some(inner) = Nested::of(&*unit.layer) {
            add_rows(
                (inner.stack.as_ref(), inner.graph.as_ref()),
                level + 1,
                rows,
            );
        }
    }
}

/// What is said of a layer wherever it stands.
pub(super) fn row(unit: &Unit) -> Row {
    let built = unit.built.get();
    let params = match built.map(|b| b.all_weights()) {
        Some(weights) => Some(weights.iter().map(|w| w.variable.shape().size()).sum()),
        None => (!declares_weights(&*unit.layer)).then_some(0),
    };
    Row {
        class: unit.layer.class_name().to_string(),
        shape: built.map_or("?".to_string(), |b| shown_shapes(&b.outputs)),
        params,
        trainable: params.filter(|n| *n > 0).map(|_| {
            built.is_none_or(|b| b.trainable.load(Ordering::Relaxed))
                && unit.layer.base().is_none_or(|b| b.trainable)
        }),
        ..Row::default()
    }
}

pub(super) fn shown_shapes(shapes: &[InputShape]) -> String {
    match shapes {
        [one] => one.to_string(),
        several => {
            let all: Vec<String> = several.iter().map(InputShape::to_string).collect();
            format!("[{}]", all.join(", "))
        }
    }
}
