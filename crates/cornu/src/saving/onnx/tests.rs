//! What exported files look like; that they compute what they should, `tests/interop/check_onnx.py` checks.

use super::proto::{Extent, GraphProto, ModelProto, ValueInfoProto};
use super::to_bytes;
use crate::prelude::*;
use crate::{Error, Result};
use prost::Message;
use std::collections::HashSet;

fn exported(layers: Vec<Box<dyn Layer>>) -> Result<GraphProto> {
    let mut model = Sequential::from_layers(layers);
    model.build()?;
    let file = ModelProto::decode(&to_bytes(&model)?[..]).map_err(|e| Error::new(e.to_string()))?;
    assert_eq!((file.ir_version, file.opset_import[0].version), (8, 18));
    let graph = file.graph.unwrap();
    let names = graph.input.iter().map(|i| i.name.clone());
    let names = names.chain(graph.initializer.iter().map(|i| i.name.clone()));
    well_formed(&graph, &names.collect());
    Ok(graph)
}

/// Every tensor has one name, and is there before it is used.
fn well_formed(graph: &GraphProto, known: &HashSet<String>) {
    let mut known = known.clone();
    for node in &graph.node {
        for input in &node.input {
            assert!(known.contains(input), "{input} of {}", node.name);
        }
        for attribute in &node.attribute {
            if let Some(body) = &attribute.g {
                let given = body.input.iter().map(|i| i.name.clone());
                well_formed(body, &known.iter().cloned().chain(given).collect());
            }
        }
        for output in &node.output {
            assert!(known.insert(output.clone()), "{output} twice");
        }
    }
    assert!(graph.output.iter().all(|o| known.contains(&o.name)));
}

fn kinds(graph: &GraphProto) -> Vec<&str> {
    graph.node.iter().map(|n| n.op_type.as_str()).collect()
}

#[test]
fn a_dense_network_is_three_nodes_a_layer_and_any_batch() {
    let layers = vec![
        Input::new([3]).name("x").into(),
        Dense::new(4).activation("relu").name("hidden").into(),
        Dense::new(2).name("y").into(),
    ];
    let graph = exported(layers).unwrap();
    let expected = ["MatMul", "Add", "Relu", "MatMul", "Add", "Identity"];
    assert_eq!(kinds(&graph), expected);
    let names: Vec<&str> = graph.initializer.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(
        names,
        ["hidden/kernel", "hidden/bias", "y/kernel", "y/bias"]
    );
    let kernel = &graph.initializer[0];
    assert_eq!((&kernel.dims[..], kernel.raw_data.len()), (&[3, 4][..], 48));
    for (end, columns) in [(&graph.input[0], 3), (&graph.output[0], 2)] {
        let tensor = end.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
        let extents: Vec<Extent> = tensor
            .shape
            .as_ref()
            .unwrap()
            .dim
            .iter()
            .map(|d| d.value.clone().unwrap())
            .collect();
        assert_eq!(
            extents,
            [Extent::Param("batch".into()), Extent::Value(columns)]
        );
    }
    assert_eq!((&*graph.input[0].name, &*graph.output[0].name), ("x", "y"));
}

#[test]
fn recurrences_are_scans() {
    let layers = vec![
        Input::new([5, 3]).into(),
        Masking::new().into(),
        LSTM::new(2)
            .return_sequences(true)
            .go_backwards(true)
            .into(),
        GRU::new(2).into(),
    ];
    let graph = exported(layers).unwrap();
    let scans: Vec<_> = graph.node.iter().filter(|n| n.op_type == "Scan").collect();
    let shape = |i: usize| (scans[i].input.len(), scans[i].output.len());
    // h, c, the projected input and the mask; h, c and the h of every step.
    assert_eq!((scans.len(), shape(0), shape(1)), (2, (4, 3), (3, 2)));
    let backwards = scans[0]
        .attribute
        .iter()
        .find(|a| a.name == "scan_input_directions")
        .unwrap();
    assert_eq!(backwards.ints, [1, 1]);
}

#[test]
fn recurrences_without_masks_are_nodes_of_their_own() {
    let layers = vec![
        Input::new([5, 3]).into(),
        LSTM::new(2).return_sequences(true).into(),
        GRU::new(4).return_sequences(true).go_backwards(true).into(),
        SimpleRNN::new(3).activation("relu").into(),
    ];
    let graph = exported(layers).unwrap();
    let nodes = |kind: &str| -> Vec<_> {
        let nodes = graph.node.iter();
        nodes.filter(|n| n.op_type == kind).collect()
    };
    // What nodes compute themselves is not in the graph beside them.
    let products = [nodes("Scan"), nodes("MatMul"), nodes("Add")].concat();
    assert!(products.is_empty(), "{:?}", kinds(&graph));
    let dims = |name: &str| {
        let found = graph.initializer.iter().find(|i| i.name == name);
        let names: Vec<_> = graph.initializer.iter().map(|i| &i.name).collect();
        found
            .unwrap_or_else(|| panic!("no {name} in {names:?}"))
            .dims
            .clone()
    };
    assert_eq!(
        (nodes("LSTM").len(), dims("lstm_cell/W")),
        (1, vec![1, 8, 3])
    );
    assert_eq!(
        (dims("lstm_cell/R"), dims("lstm_cell/B")),
        (vec![1, 8, 2], vec![1, 16])
    );
    assert_eq!(
        (nodes("RNN").len(), dims("simple_rnn_cell/W")),
        (1, vec![1, 3, 4])
    );
    let gru = nodes("GRU")[0];
    let attribute = |name: &str| gru.attribute.iter().find(|a| a.name == name).unwrap();
    assert_eq!(attribute("linear_before_reset").i, 1);
    let activations = &attribute("activations").strings;
    assert_eq!(activations, &[b"Sigmoid".to_vec(), b"Tanh".to_vec()]);
    let kernel = graph.initializer.iter().any(|i| i.name.ends_with("kernel"));
    assert!(!kernel);
}

#[test]
fn attention_is_two_products_and_a_softmax() {
    let attends = |layer: MultiHeadAttention| {
        let layers: Vec<Box<dyn Layer>> = vec![Input::new([5, 4]).into(), layer.into()];
        let graph = exported(layers).unwrap();
        let count = |kind: &str| graph.node.iter().filter(|n| n.op_type == kind).count();
        // Four projections and two products.
        (count("MatMul"), count("Softmax"), count("Where"))
    };
    let plain = MultiHeadAttention::new(2, 3);
    assert_eq!(attends(plain.clone()), (6, 1, 0));
    assert_eq!(attends(plain.clone().use_causal_mask(true)), (6, 1, 1));
    assert_eq!(attends(plain.use_causal_mask(true).dropout(0.5)), (6, 1, 2));
}

#[test]
fn what_inputs_leave_open_is_open() {
    let extents = |end: &ValueInfoProto| -> Vec<Option<Extent>> {
        let tensor = end.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
        let shape = tensor.shape.as_ref().unwrap();
        shape.dim.iter().map(|d| d.value.clone()).collect()
    };
    let open = |name: &str| Some(Extent::Param(name.into()));
    let fixed = |n| Some(Extent::Value(n));
    let graph = exported(vec![
        Input::of_shape([None, Some(3)]).into(),
        GRU::new(2).return_sequences(true).into(),
        Conv1D::new(4, 3).into(),
    ]);
    let graph = graph.unwrap();
    assert_eq!(
        extents(&graph.input[0]),
        [open("batch"), open("length"), fixed(3)]
    );
    assert_eq!(extents(&graph.output[0]), [open("batch"), None, fixed(4)]);

    let (a, b) = (
        Input::of_shape([None, Some(3)]).name("a").symbol(),
        Input::of_shape([None, Some(3)]).name("b").symbol(),
    );
    let own = Model::new([&a, &b], Attention::new().on([&a, &b])).unwrap();
    let one = Model::new([&a, &b], Add::new().on([&a, &b])).unwrap();
    for (model, of_b) in [(own, "length_1"), (one, "length")] {
        let file = ModelProto::decode(&to_bytes(&model).unwrap()[..]).unwrap();
        let graph = file.graph.unwrap();
        let expected = [open("batch"), open("length"), fixed(3)];
        assert_eq!(extents(&graph.input[0]), expected);
        assert_eq!(extents(&graph.output[0]), expected);
        assert_eq!(extents(&graph.input[1])[1], open(of_b));
    }
}

#[test]
fn what_onnx_cannot_say_is_refused() {
    let refused = |layers| exported(layers).unwrap_err().to_string();
    let open = refused(vec![
        Input::of_shape([None, Some(3)]).into(),
        Conv1D::new(2, 3).strides(2).name("conv").into(),
    ]);
    assert!(
        open.contains("Layer \"conv\": ONNX needs extents"),
        "{open}"
    );
    let states = refused(vec![
        Input::new([4, 3]).batch_size(2).into(),
        GRU::new(2).stateful(true).into(),
    ]);
    assert!(states.contains("keeps states between calls"), "{states}");
    let inverse = Lambda::new(|x| x.erfinv()).name("inverse");
    let unknown = refused(vec![Input::new([2]).into(), inverse.into()]);
    assert_eq!(
        unknown,
        "Layer \"inverse\": The operation erfinv has no form in ONNX."
    );
    let model = Sequential::new();
    let e = model.export("model.keras").unwrap_err().to_string();
    assert!(e.contains("must end in \".onnx\""), "{e}");
}
