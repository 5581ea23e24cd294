//! A layer, a loss and a metric of one's own, trained like the built-in ones.

use cornu::prelude::*;

/// Distances to centres that are learnt: `exp(−scale · |x − centre|²)` for each of `units` centres.
#[derive(Debug)]
struct RadialBasis {
    units: usize,
}

impl Layer for RadialBasis {
    fn class_name(&self) -> &str {
        "RadialBasis"
    }

    fn build(&self, cx: &mut Build, input: &InputShape) -> cornu::Result<()> {
        let features = input.features()?;
        cx.weight("centres", [self.units, features])
            .initializer(initializers::RandomUniform::new().minval(-2.0).maxval(2.0))
            .add()?;
        cx.weight("scale", [self.units]).initializer("ones").add()
    }

    fn call(&self, cx: &mut Call, x: &Tensor) -> Tensor {
        // (batch, 1, features) − (units, features) is (batch, units, features).
        let apart = x.expand_dims(1) - cx.weight("centres");
        let squares = apart.square().sum_axes(&[-1], false);
        (-(squares * cx.weight("scale"))).exp()
    }
}

fn main() -> cornu::Result<()> {
    set_random_seed(1);
    // A hill at (1, 0) and a hollow at (−1, 0), on a grid.
    let points: Vec<[f32; 2]> = (0..41 * 41)
        .map(|i| [(i / 41) as f32 / 10.0 - 2.0, (i % 41) as f32 / 10.0 - 2.0])
        .collect();
    let height =
        |[x, y]: [f32; 2]| (-(x - 1.0).powi(2) - y * y).exp() - (-(x + 1.0).powi(2) - y * y).exp();
    let heights: Vec<f32> = points.iter().map(|p| height(*p)).collect();
    let x = Array::from_vec([points.len(), 2], points.concat())?;
    let y = Array::from_vec([points.len(), 1], heights)?;

    let mut model = Sequential::new();
    model.add(Input::new([2]));
    model.add(RadialBasis { units: 8 });
    model.add(Dense::new(1));
    // The loss is a closure from targets and predictions to one value per sample …
    let log_cosh = |y: &Tensor, p: &Tensor| (p - y).cosh().log().mean_axes(&[-1], false);
    // … and so is the metric: the share of predictions within 0.05.
    let close = Metric::custom("within_0.05", |y, p| {
        (p - y)
            .abs()
            .lt(0.05)
            .cast(DType::F32)
            .mean_axes(&[-1], false)
    });
    model.compile(Adam::new().learning_rate(0.01), log_cosh, [close])?;
    println!("{}", model.summary());

    model.fit(&x, &y, Fit::new().epochs(20).verbose(2))?;
    let scores = model.evaluate_with(&x, &y, Evaluate::new().verbose(0))?;
    println!("{scores}");
    Ok(())
}
