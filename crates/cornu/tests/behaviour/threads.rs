//! A model that several threads ask at once.

use cornu::prelude::*;

#[test]
fn threads_predict_at_once_what_one_predicts() -> cornu::Result<()> {
    let mut model = Sequential::new();
    model.add(Dense::new(64).activation("tanh").input_shape([16]));
    model.add(Dense::new(3).activation("softmax"));
    model.build()?;
    let batch = |rows: usize| {
        let value = |i| ((i * 37 % 101) as f32 - 50.0) / 25.0;
        let values: Vec<f32> = (0..rows * 16).map(value).collect();
        Array::from(values).reshape([rows, 16])
    };
    // More shapes than are kept compiled, each met by all threads, some before it is compiled.
    let batches: Vec<Array> = (1..=20).map(batch).collect::<cornu::Result<_>>()?;
    let alone: Vec<Array> = batches
        .iter()
        .map(|x| model.predict(x))
        .collect::<cornu::Result<_>>()?;
    std::thread::scope(|scope| {
        let ask = |first: usize| {
            let (model, batches, alone) = (&model, &batches, &alone);
            move || -> cornu::Result<()> {
                for i in (0..200).map(|i| (i * 7 + first) % batches.len()) {
                    assert_eq!(model.predict(&batches[i])?, alone[i]);
                }
                Ok(())
            }
        };
        let threads: Vec<_> = (0..4).map(|t| scope.spawn(ask(t * 5))).collect();
        threads
            .into_iter()
            .try_for_each(|t| t.join().expect("no thread panics"))
    })
}
