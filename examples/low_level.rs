//! Tensors alone, without layers: a linear regression by gradient descent, then second derivatives
//! and a gradient rule of one's own.

use cornu::prelude::*;

const ROWS: usize = 1000;

fn main() -> cornu::Result<()> {
    // y = x · [2, -3, 0.5] + 1, and a little noise. Random numbers are a function of their state.
    let state = Tensor::constant([7i32, 0, 0]);
    let (true_w, true_b) = (Array::from([[2.0f32], [-3.0], [0.5]]), 1.0);
    let x = Tensor::random(&state, 0, [ROWS, 3], DType::F32);
    let noise = (Tensor::random(&state, 1, [ROWS, 1], DType::F32) - 0.5) * 0.02;
    let y = (x.matmul(Tensor::constant(true_w.clone())) + true_b + noise).eval()?;
    let x = x.eval()?;

    // One step: loss, gradients and new weights are one compiled program, which updates the
    // variables in place each time it is called.
    let w = Variable::new("w", Array::zeros(DType::F32, [3, 1]));
    let b = Variable::new("b", [0.0f32]);
    let variables = [w.clone(), b.clone()];
    let step = cornu::function(move |inputs| {
        let [w, b] = variables.each_ref().map(Variable::tensor);
        let loss = (inputs[0].matmul(&w) + &b - &inputs[1]).square().mean();
        let gradients = grad(&loss, &[&w, &b]);
        Traced::from(loss)
            .update(&variables[0], w - &gradients[0] * 0.5)
            .update(&variables[1], b - &gradients[1] * 0.5)
    });
    for i in 0..=500 {
        let loss = step.call(&[&x, &y])?[0].item::<f32>()?;
        if i % 100 == 0 {
            println!("step {i:3}  loss {loss:.6}");
        }
    }
    println!(
        "weights: {:.3?}  true: {:?}",
        w.value().to_vec::<f32>(),
        true_w.to_vec::<f32>()
    );
    println!("bias:    {:.3?}  true: {true_b}", b.scalar());

    // A gradient is an expression like any other, so it has a gradient itself.
    let at = Tensor::constant([2.0f32]);
    let cube = (&at * &at * &at).sum();
    let first = grad(&cube, &[&at]).remove(0);
    let second = grad(&first.sum(), &[&at]).remove(0);
    println!(
        "x³ at 2: first derivative {}, second {}",
        first.eval()?.item::<f32>()?,
        second.eval()?.item::<f32>()?
    );

    // log(1 + eˣ): the derived gradient is ∞/∞ at 100, the given one is not.
    let at = Tensor::constant([100.0f32]);
    let derived = (at.exp() + 1.0).log();
    let given = custom_gradient(
        &[&at],
        |x| (x[0].exp() + 1.0).log(),
        |x, _y, g| vec![Some(g * x[0].sigmoid())],
    );
    for (name, y) in [("derived", derived), ("given", given)] {
        let slope = grad(&y.sum(), &[&at]).remove(0).eval()?;
        println!(
            "slope of log(1 + eˣ) at 100, {name}: {}",
            slope.item::<f32>()?
        );
    }
    Ok(())
}
