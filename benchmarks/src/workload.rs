//! The workloads: models, data, and how much arithmetic they are.

use cornu::prelude::*;
use cornu::{Error, Result};
use ndarray::{Array2, Array3};

/// A model with its data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// The MNIST listing: 784-512-10, RMSprop, batch 128.
    Mlp,
    /// 8-32-32-1 on 20,000 rows, Adam, batch 32.
    Tabular,
}

/// Samples and targets for training and testing.
pub struct Sets {
    pub x: Array2<f32>,
    pub y: Array2<f32>,
    pub test_x: Array2<f32>,
    pub test_y: Array2<f32>,
}

impl Workload {
    pub const ALL: [Workload; 2] = [Workload::Mlp, Workload::Tabular];

    pub fn named(name: &str) -> Result<Workload> {
        Workload::ALL
            .into_iter()
            .find(|w| w.name() == name)
            .ok_or_else(|| Error::unknown("workload", name, &["mlp", "tabular"]))
    }

    pub fn name(self) -> &'static str {
        match self {
            Workload::Mlp => "mlp",
            Workload::Tabular => "tabular",
        }
    }

    pub fn batch(self) -> usize {
        match self {
            Workload::Mlp => 128,
            Workload::Tabular => 32,
        }
    }

    /// The metric beside the loss.
    pub fn metric(self) -> &'static str {
        match self {
            Workload::Mlp => "accuracy",
            Workload::Tabular => "mae",
        }
    }

    /// Extents of the dense layers, the input first.
    fn extents(self) -> &'static [usize] {
        match self {
            Workload::Mlp => &[784, 512, 10],
            Workload::Tabular => &[8, 32, 32, 1],
        }
    }

    pub fn model(self) -> Result<Sequential> {
        let mut model = Sequential::new();
        match self {
            Workload::Mlp => {
                model.add(Dense::new(512).activation("relu").input_shape([784]));
                model.add(Dense::new(10).activation("softmax"));
                model.compile("rmsprop", "categorical_crossentropy", ["accuracy"])?;
            }
            Workload::Tabular => {
                model.add(Dense::new(32).activation("relu").input_shape([8]));
                model.add(Dense::new(32).activation("relu"));
                model.add(Dense::new(1));
                model.compile("adam", "mse", ["mae"])?;
            }
        }
        Ok(model)
    }

    pub fn data(self) -> Result<Sets> {
        match self {
            Workload::Mlp => {
                let ((x, y), (test_x, test_y)) = datasets::mnist::load_data()?;
                Ok(Sets {
                    x: pixels(x)?,
                    y: to_categorical(&y, 10)?,
                    test_x: pixels(test_x)?,
                    test_y: to_categorical(&test_y, 10)?,
                })
            }
            Workload::Tabular => synthetic(),
        }
    }

    /// Floating-point operations of one training sample: forward, and both gradients of every layer
    /// but the first, whose input needs none.
    pub fn flops_per_sample(self) -> f64 {
        let layers = self.extents().windows(2);
        layers
            .enumerate()
            .map(|(i, w)| (2 * w[0] * w[1] * if i == 0 { 2 } else { 3 }) as f64)
            .sum()
    }

    /// Bytes that one training sample moves at least: itself, and its share of a step's pass over
    /// weights and optimizer slots (read and written once).
    pub fn bytes_per_sample(self) -> f64 {
        let weights: usize = self.extents().windows(2).map(|w| (w[0] + 1) * w[1]).sum();
        let slots = if self == Workload::Mlp { 1 } else { 2 };
        let own = self.extents()[0] + self.extents()[self.extents().len() - 1];
        (4 * own) as f64 + (weights * 4 * 2 * (1 + slots)) as f64 / self.batch() as f64
    }
}

fn pixels(images: Array3<u8>) -> Result<Array2<f32>> {
    let n = images.dim().0;
    Ok(images
        .into_shape_with_order((n, 784))?
        .mapv(|p| f32::from(p) / 255.0))
}

/// The generator SplitMix64.
struct SplitMix(u64);

impl SplitMix {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
    }
}

/// Rows made by arithmetic, the same in every peer's language (see `peers/README.md`).
fn synthetic() -> Result<Sets> {
    let mut random = SplitMix(20_261);
    let mut part = |rows: usize| {
        let (mut xs, mut ys) = (Vec::with_capacity(rows * 8), Vec::with_capacity(rows));
        for _ in 0..rows {
            let x: [f64; 8] = std::array::from_fn(|_| random.normal());
            let smooth = x[0].sin() + 0.5 * x[1] * x[2] + 0.25 * x[3] * x[3] - x[4].tanh();
            ys.push((smooth + 0.3 * x[5] + 0.1 * random.normal()) as f32);
            xs.extend(x.map(|v| v as f32));
        }
        Ok::<_, Error>((
            Array2::from_shape_vec((rows, 8), xs)?,
            Array2::from_shape_vec((rows, 1), ys)?,
        ))
    };
    let ((x, y), (test_x, test_y)) = (part(20_000)?, part(10_000)?);
    Ok(Sets {
        x,
        y,
        test_x,
        test_y,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values that the peers' README gives.
    #[test]
    fn synthetic_rows_are_the_peers() {
        let sets = synthetic().unwrap();
        assert_eq!(sets.x[[0, 0]], -0.479_467_72);
        assert_eq!(sets.x[[0, 1]], 0.954_409_36);
        assert_eq!(sets.y[[0, 0]], 0.631_335_56);
        assert!((sets.test_y[[0, 0]] - 1.305_459).abs() < 1e-6);
    }
}
