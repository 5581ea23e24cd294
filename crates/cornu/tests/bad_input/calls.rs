//! Callbacks that fail, and expressions that cannot be.

use super::*;

pub const CASES: &[Case] = &[
    Case("a callback that fails", "no room after epoch 0", || {
        let fails = LambdaCallback::new().on_epoch_end(|_, epoch, _| {
            Err(cornu::Error::new(format!("no room after epoch {epoch}")))
        });
        fit(quiet().callback(fails))
    }),
    Case(
        "weights set by a callback",
        "The model has 4 weights. Received: 0 arrays.",
        || {
            let sets = LambdaCallback::new().on_epoch_end(|model, _, _| model.set_weights(&[]));
            fit(quiet().callback(sets))
        },
    ),
    Case(
        "matmul",
        "matmul: the inner extents 3 and 4 differ. Received: (2, 3) and (4, 5). (at this \
         file)",
        || {
            let t = |shape: [usize; 2]| Tensor::zeros(shape, DType::F32);
            t([2, 3]).matmul(t([4, 5])).eval().map(|_| ())
        },
    ),
];
