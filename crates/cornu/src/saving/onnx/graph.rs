//! A graph of nodes under construction.

use super::extents::Extent;
use super::proto::{
    self, AttributeProto, DimensionProto, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::saving::elements;
use crate::{Array, DType};
use cornu_core::ops::creation::Scalar;
use std::collections::{HashMap, HashSet};

/// ONNX's number of an element type.
pub(super) fn data_type(dtype: DType) -> i32 {
    match dtype {
        DType::F32 => 1,
        DType::U8 => 2,
        DType::I32 => 6,
        DType::I64 => 7,
        DType::Bool => 9,
        DType::F16 => 10,
        DType::F64 => 11,
        DType::BF16 => 16,
    }
}

/// An argument of a node beside its inputs.
pub(super) enum Attribute {
    Int(i64),
    Float(f32),
    Ints(Vec<i64>),
    Texts(Vec<&'static str>),
    Graph(GraphProto),
}

impl Attribute {
    fn named(self, name: &str) -> AttributeProto {
        let mut made = AttributeProto {
            name: name.to_string(),
            ..Default::default()
        };
        // ONNX's numbers of the kinds of arguments.
        match self {
            Attribute::Float(f) => (made.f, made.r#type) = (f, 1),
            Attribute::Int(i) => (made.i, made.r#type) = (i, 2),
            Attribute::Graph(g) => (made.g, made.r#type) = (Some(Box::new(g)), 5),
            Attribute::Ints(ints) => (made.ints, made.r#type) = (ints, 7),
            Attribute::Texts(texts) => {
                let bytes = texts.into_iter().map(|t| t.as_bytes().to_vec());
                (made.strings, made.r#type) = (bytes.collect(), 8);
            }
        }
        made
    }
}

/// An extent that inputs leave open: the one along an axis of an input.
pub(super) struct Open {
    /// What files call it.
    pub name: String,
    pub tensor: String,
    pub axis: usize,
    /// The list of this one number, where it has been asked for.
    found: Option<String>,
}

impl Open {
    pub fn new(name: &str, tensor: &str, axis: usize) -> Open {
        Open {
            name: name.to_string(),
            tensor: tensor.to_string(),
            axis,
            found: None,
        }
    }
}

/// Nodes and constants; every tensor has a name of its own.
#[derive(Default)]
pub(super) struct Builder {
    pub nodes: Vec<NodeProto>,
    pub initializers: Vec<TensorProto>,
    taken: HashSet<String>,
    /// Constants of whole numbers and sizes computed so far, by their content.
    lists: HashMap<Vec<i64>, String>,
    sizes: HashMap<Vec<Extent>, String>,
    scalars: HashMap<(DType, Scalar), String>,
    /// The extents that inputs leave open.
    pub open: Vec<Open>,
    /// The part of the model that nodes are of.
    pub scope: String,
}

impl Builder {
    /// A tensor's name and type, as graphs tell of their inputs and outputs.
    pub fn value_info(&self, name: &str, dtype: DType, extents: &[Extent]) -> ValueInfoProto {
        let dim = |e: &Extent| {
            let open = e.is_open().and_then(|i| self.open.get(i));
            let value = match (e.known(), open) {
                (Some(n), _) => Some(proto::Extent::Value(n)),
                (None, Some(open)) => Some(proto::Extent::Param(open.name.clone())),
                (None, None) => None,
            };
            DimensionProto { value }
        };
        let tensor = TensorTypeProto {
            elem_type: data_type(dtype),
            shape: Some(TensorShapeProto {
                dim: extents.iter().map(dim).collect(),
            }),
        };
        ValueInfoProto {
            name: name.to_string(),
            r#type: Some(TypeProto {
                tensor_type: Some(tensor),
            }),
        }
    }

    /// Another name, one of its own already, for a tensor.
    pub fn alias(&mut self, tensor: &str, name: &str) {
        self.nodes.push(NodeProto {
            input: vec![tensor.to_string()],
            output: vec![name.to_string()],
            name: name.to_string(),
            op_type: "Identity".into(),
            attribute: Vec::new(),
        });
    }

    /// This name, or one like it that is still free.
    pub fn free(&mut self, stem: &str) -> String {
        let numbered = (1..).map(|n| format!("{stem}_{n}"));
        let mut candidates = std::iter::once(stem.to_string()).chain(numbered);
        let name = candidates
            .find(|name| !self.taken.contains(name))
            .unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }

    /// A node with one output, whose name is returned.
    pub fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<(&str, Attribute)>,
    ) -> String {
        self.nodes_of(op, inputs, attributes, 1).remove(0)
    }

    /// A node with several outputs.
    pub fn nodes_of(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<(&str, Attribute)>,
        outputs: usize,
    ) -> Vec<String> {
        let stem = match self.scope.is_empty() {
            true => op.to_string(),
            false => format!("{}/{op}", self.scope),
        };
        let outputs: Vec<String> = (0..outputs).map(|_| self.free(&stem)).collect();
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|i| (*i).to_string()).collect(),
            output: outputs.clone(),
            name: outputs[0].clone(),
            op_type: op.to_string(),
            attribute: attributes.into_iter().map(|(n, a)| a.named(n)).collect(),
        });
        outputs
    }

    /// Leaves out what none of the outputs needs.
    pub fn prune(&mut self, outputs: &[String]) {
        let mut needed: HashSet<String> = outputs.iter().cloned().collect();
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.reverse();
        nodes.retain(|node| {
            let is_needed = node.output.iter().any(|name| needed.contains(name));
            if is_needed {
                read(node, &mut needed);
            }
            is_needed
        });
        nodes.reverse();
        self.nodes = nodes;
        self.initializers.retain(|i| needed.contains(&i.name));
    }

    /// An array that the file holds.
    pub fn constant(&mut self, stem: &str, array: &Array) -> String {
        let name = self.free(stem);
        let mut raw_data = Vec::new();
        elements::append(array, &mut raw_data);
        self.initializers.push(TensorProto {
            dims: array.shape().iter().map(|d| *d as i64).collect(),
            data_type: data_type(array.dtype()),
            name: name.clone(),
            raw_data,
        });
        name
    }

    /// One number.
    pub fn scalar(&mut self, value: Scalar, dtype: DType) -> String {
        let key = (dtype, value);
        if let Some(known) = self.scalars.get(&key) {
            return known.clone();
        }
        let array = match key.1 {
            Scalar::Float(v) => Array::full(dtype, [], v),
            Scalar::Int(v) => Array::scalar(v).cast(dtype),
        };
        let name = self.constant("number", &array);
        self.scalars.insert(key, name.clone());
        name
    }

    /// A list of whole numbers.
    pub fn list(&mut self, values: &[i64]) -> String {
        if let Some(known) = self.lists.get(values) {
            return known.clone();
        }
        let array = Array::from(values.to_vec());
        let name = self.constant("numbers", &array);
        self.lists.insert(values.to_vec(), name.clone());
        name
    }

    /// A list of extents, computed from those that inputs leave open where they depend on them.
    pub fn size(&mut self, extents: &[Extent]) -> String {
        let known: Option<Vec<i64>> = extents.iter().map(|e| e.known()).collect();
        if let Some(known) = known {
            return self.list(&known);
        }
        if let Some(done) = self.sizes.get(extents) {
            return done.clone();
        }
        let scope = std::mem::take(&mut self.scope);
        let parts: Vec<String> = extents.iter().map(|e| self.extent(*e)).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let name = match parts[..] {
            [one] => one.to_string(),
            _ => self.node("Concat", &parts, vec![("axis", Attribute::Int(0))]),
        };
        self.scope = scope;
        self.sizes.insert(extents.to_vec(), name.clone());
        name
    }

    /// One extent as a list of one number.
    fn extent(&mut self, extent: Extent) -> String {
        let mut sum: Option<String> = None;
        for (n, of) in extent.products() {
            let mut product: Option<String> = match n {
                1 if !of.is_empty() => None,
                n => Some(self.list(&[n])),
            };
            for open in of {
                let size = self.open_size(open);
                product = Some(match product {
                    Some(product) => self.node("Mul", &[&product, &size], vec![]),
                    None => size,
                });
            }
            sum = match (sum, product) {
                (Some(a), Some(b)) => Some(self.node("Add", &[&a, &b], vec![])),
                (a, b) => a.or(b),
            };
        }
        sum.unwrap_or_else(|| self.list(&[0]))
    }

    /// An open extent as a list of one number.
    fn open_size(&mut self, i: usize) -> String {
        if let Some(found) = &self.open[i].found {
            return found.clone();
        }
        let (tensor, axis) = (self.open[i].tensor.clone(), self.open[i].axis as i64);
        let only = vec![
            ("start", Attribute::Int(axis)),
            ("end", Attribute::Int(axis + 1)),
        ];
        let found = self.node("Shape", &[&tensor], only);
        self.open[i].found.insert(found).clone()
    }
}

/// The names of all tensors that a node reads, also in graphs of its own.
fn read(node: &NodeProto, names: &mut HashSet<String>) {
    names.extend(node.input.iter().cloned());
    for graph in node.attribute.iter().filter_map(|a| a.g.as_ref()) {
        graph.node.iter().for_each(|node| read(node, names));
        names.extend(graph.output.iter().map(|o| o.name.clone()));
    }
}
