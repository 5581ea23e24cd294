//! Embeddings, recurrent layers and attention.

use super::*;

/// A model that begins with a table of three rows.
fn table() -> cornu::Result<Sequential> {
    let mut model = Sequential::new();
    model.add(Embedding::new(3, 2).input_shape([2]).name("words"));
    model.add(Flatten::new());
    model.add(Dense::new(1));
    model.compile("sgd", "mse", ())?;
    Ok(model)
}

/// Attention of sequences of these shapes.
fn attention(layer: impl Into<Box<dyn Layer>>, shapes: &[&[usize]]) -> Outcome {
    let inputs: Vec<Symbol> = shapes
        .iter()
        .map(|s| Input::new(s.to_vec()).symbol())
        .collect();
    Model::new(&inputs, layer.on(&inputs)).map(|_| ())
}

/// Masks of a layer over sequences of (2, 4, 3).
fn masked(layer: impl Into<Box<dyn Layer>>, mask: &[usize], dtype: DType) -> Outcome {
    let mut model = Sequential::from_layers(vec![Input::new([4, 3]).into(), layer.into()]);
    model.build()?;
    let x = Tensor::zeros([2, 4, 3], DType::F32);
    let mask = Tensor::zeros(mask.to_vec(), dtype);
    model.call_masked(&[x], &[Some(mask)], None).map(|_| ())
}

pub const CASES: &[Case] = &[
    Case(
        "a table without rows",
        "Layer \"embedding\": input_dim must be a positive integer. Received: \
         input_dim=0.",
        || one(Embedding::new(0, 3).input_shape([4])),
    ),
    Case(
        "a table without columns",
        "Layer \"embedding\": output_dim must be a positive integer. Received: \
         output_dim=0.",
        || one(Embedding::new(3, 0).input_shape([4])),
    ),
    Case(
        "predict: a row beyond the last",
        "x must hold whole numbers from 0 to 2, for the 3 rows of the layer \"words\". \
         Received: 3 at position 2.",
        || {
            table()?
                .predict(Array::from([[1i32, 2], [3, 0]]))
                .map(|_| ())
        },
    ),
    Case(
        "predict: a row before the first",
        "x must hold whole numbers from 0 to 2, for the 3 rows of the layer \"words\". \
         Received: -1 at position 1.",
        || table()?.predict(Array::from([[1i64, -1]])).map(|_| ()),
    ),
    Case(
        "predict: a row that is not a number",
        "x must hold whole numbers from 0 to 2, for the 3 rows of the layer \"words\". \
         Received: NaN at position 1.",
        || {
            table()?
                .predict(Array::from([[1.0f32, f32::NAN]]))
                .map(|_| ())
        },
    ),
    Case(
        "fit: a row beyond the last",
        "x must hold whole numbers from 0 to 2, for the 3 rows of the layer \"words\". \
         Received: 7 at position 3.",
        || {
            let x = Array::from([[1i32, 2], [0, 7]]);
            table()?
                .fit(x, Array::from([0.0f32, 1.0]), quiet())
                .map(|_| ())
        },
    ),
    Case(
        "validation: a row beyond the last",
        "validation x must hold whole numbers from 0 to 2, for the 3 rows of the layer \
         \"words\". Received: 9 at position 0.",
        || {
            let (x, y) = (Array::from([[1i32, 2]]), Array::from([0.0f32]));
            let other = Array::from([[9i32, 2]]);
            table()?
                .fit(&x, &y, quiet().validation_data(other, &y))
                .map(|_| ())
        },
    ),
    Case(
        "evaluate: a row beyond the last",
        "x must hold whole numbers from 0 to 2, for the 3 rows of the layer \"words\". \
         Received: 200 at position 1.",
        || {
            table()?
                .evaluate(Array::from([[1u8, 200]]), Array::from([0.0f32]))
                .map(|_| ())
        },
    ),
    Case(
        "train_on_batch: a row beyond the last",
        "x must hold whole numbers from 0 to 2, for the 3 rows of the layer \"words\". \
         Received: 3 at position 0.",
        || {
            table()?
                .train_on_batch(Array::from([[3i32, 0]]), Array::from([0.0f32]))
                .map(|_| ())
        },
    ),
    Case(
        "a dataset: a row beyond the last",
        "x must hold whole numbers from 0 to 2, for the 3 rows of the layer \"words\". \
         Received: 5 at position 1.",
        || {
            let data = from_tensor_slices(Array::from([[1i32, 5]]), Array::from([0.0f32]));
            table()?.fit_dataset(&data.batch(1), quiet()).map(|_| ())
        },
    ),
    Case(
        "a model inside: a row beyond the last",
        "x must hold whole numbers from 0 to 2, for the 3 rows of the layer \"words\". \
         Received: 3 at position 1.",
        || {
            let ids = Input::new([2]).dtype("int32").name("ids").symbol();
            let model = Model::new(&ids, table()?.on(&ids))?;
            model.predict(Array::from([[1i32, 3]])).map(|_| ())
        },
    ),
    Case(
        "no steps",
        "Layer \"gru\": GRU expects at least one step. Received: input shape (2, 0, 3).",
        || one(GRU::new(2).input_shape([0, 3])),
    ),
    Case(
        "no sequence",
        "Layer \"lstm\": LSTM expects (batch, steps, features). Received: input shape \
         (None, 3).",
        || one(LSTM::new(2).input_shape([3])),
    ),
    Case(
        "no units",
        "Layer \"simple_rnn_cell\": units must be a positive integer. Received: units=0.",
        || one(SimpleRNN::new(0).input_shape([4, 3])),
    ),
    Case(
        "a share above 1",
        "Layer \"lstm_cell\": dropout must be between 0 and 1. Received: dropout=1.5.",
        || one(LSTM::new(2).dropout(1.5).input_shape([4, 2])),
    ),
    Case(
        "a recurrent share below 0",
        "Layer \"gru_cell\": recurrent_dropout must be between 0 and 1. Received: \
         recurrent_dropout=-0.5.",
        || one(GRU::new(2).recurrent_dropout(-0.5).input_shape([4, 2])),
    ),
    Case(
        "a state too few",
        "Layer \"lstm\": LSTM expects 2 initial state(s) of shape (None, 2), (None, 2). \
         Received: (None, 2).",
        || attention(LSTM::new(2), &[&[4, 3], &[2]]),
    ),
    Case(
        "states of another size",
        "Layer \"lstm\": LSTM expects 2 initial state(s) of shape (None, 2), (None, 2). \
         Received: (None, 5), (None, 5).",
        || attention(LSTM::new(2), &[&[4, 3], &[5], &[5]]),
    ),
    Case(
        "states kept of batches of any size",
        "Layer \"lstm\": A stateful LSTM needs a known batch size. Received: input shape \
         (None, 4, 3).",
        || one(LSTM::new(2).stateful(true).input_shape([4, 3])),
    ),
    Case(
        "a walk that is none",
        "Layer \"bidirectional\": Bidirectional expects a recurrent layer. Received: \
         Dense.",
        || one(Bidirectional::new(Dense::new(2)).input_shape([4, 3])),
    ),
    Case(
        "a cell that is none",
        "Layer \"rnn\": RNN expects a cell, a layer that says its state_shapes. Received: \
         Dense.",
        || one(RNN::new(Dense::new(2)).input_shape([4, 3])),
    ),
    Case(
        "merge_mode",
        "Layer \"bidirectional\": Unknown merge_mode \"avg\". Did you mean \"ave\"?",
        || {
            one(Bidirectional::new(LSTM::new(2))
                .merge_mode("avg")
                .input_shape([4, 2]))
        },
    ),
    Case(
        "steps of numbers",
        "Layer \"time_distributed\": TimeDistributed expects (batch, steps, …) of at \
         least three axes. Received: input shape (None, 4).",
        || one(TimeDistributed::new(Dense::new(2)).input_shape([4])),
    ),
    Case(
        "a mask of other steps",
        "Layer \"lstm\": The mask of an input of shape (2, 4, 3) must be bool, with an \
         extent for each of its first axes. Received: bool of shape (2, 5).",
        || masked(LSTM::new(2), &[2, 5], DType::Bool),
    ),
    Case(
        "a mask of another batch",
        "Layer \"dense\": The mask of an input of shape (2, 4, 3) must be bool, with an \
         extent for each of its first axes. Received: bool of shape (3, 4).",
        || masked(Dense::new(2), &[3, 4], DType::Bool),
    ),
    Case(
        "a mask of every number",
        "Layer \"gru\": The mask of GRU must be bool of shape (batch, steps), here (2, \
         4). Received: bool of shape (2, 4, 3).",
        || masked(GRU::new(2), &[2, 4, 3], DType::Bool),
    ),
    Case(
        "a mask of more axes",
        "Layer \"dense\": The mask of an input of shape (2, 4, 3) must be bool, with an \
         extent for each of its first axes. Received: bool of shape (2, 4, 3, 1).",
        || masked(Dense::new(2), &[2, 4, 3, 1], DType::Bool),
    ),
    Case(
        "a mask of numbers",
        "Layer \"lstm\": The mask of an input of shape (2, 4, 3) must be bool, with an \
         extent for each of its first axes. Received: float32 of shape (2, 4).",
        || masked(LSTM::new(2), &[2, 4], DType::F32),
    ),
    Case(
        "no heads",
        "Layer \"multi_head_attention\": num_heads must be a positive integer. Received: \
         num_heads=0.",
        || attention(MultiHeadAttention::new(0, 3), &[&[4, 3], &[4, 3]]),
    ),
    Case(
        "heads of no size",
        "Layer \"multi_head_attention\": key_dim must be a positive integer. Received: \
         key_dim=0.",
        || attention(MultiHeadAttention::new(2, 0), &[&[4, 3], &[4, 3]]),
    ),
    Case(
        "query heads that do not divide",
        "Layer \"grouped_query_attention\": num_query_heads must be a multiple of \
         num_key_value_heads. Received: num_query_heads=4, num_key_value_heads=3.",
        || attention(GroupedQueryAttention::new(2, 4, 3), &[&[4, 3], &[4, 3]]),
    ),
    Case(
        "attention of vectors",
        "Layer \"multi_head_attention\": MultiHeadAttention expects a query (batch, \
         steps, features), and a value and a key of as many axes, whose features are \
         known. Received: query (None, 3).",
        || attention(MultiHeadAttention::new(2, 2), &[&[3], &[3]]),
    ),
    Case(
        "keys and values of other lengths",
        "Layer \"multi_head_attention\": Key and value must have the same steps. \
         Received: (None, 6, 3) and (None, 5, 3).",
        || attention(MultiHeadAttention::new(2, 2), &[&[4, 3], &[5, 3], &[6, 3]]),
    ),
    Case(
        "an attention mask of another shape",
        "Layer \"multi_head_attention\": The attention mask says for each of 4 steps \
         where among 4 it may look: (batch, 4, 4). Received: shape (2, 4, 5).",
        || {
            attention(
                MultiHeadAttention::new(2, 2),
                &[&[4, 3], &[4, 3], &[4, 3], &[4, 5]],
            )
        },
    ),
    Case(
        "queries and values of other widths",
        "Layer \"attention\": Attention expects a query (batch, steps, features), a value \
         (batch, others, size) and a key (batch, others, features), which is the value if \
         it is not given. Received: (None, 4, 3), (None, 4, 5).",
        || attention(Attention::new(), &[&[4, 3], &[4, 5]]),
    ),
    Case(
        "noise that drops everything",
        "Layer \"gaussian_dropout\": rate must be at least 0 and less than 1. Received: \
         rate=1.",
        || one(GaussianDropout::new(1.0).input_shape([3])),
    ),
    Case(
        "SELU's noise that drops everything",
        "Layer \"alpha_dropout\": rate must be at least 0 and less than 1. Received: \
         rate=1.",
        || one(AlphaDropout::new(1.0).input_shape([3])),
    ),
];
