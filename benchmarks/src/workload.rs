//! The workloads: models, data, and how much arithmetic they are.

use cornu::prelude::*;
use cornu::{Error, Result};
use ndarray::{ArrayView3, s};

/// A model with its data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// The MNIST listing: 784-512-10, RMSprop, batch 128.
    Mlp,
    /// 8-32-32-1 on 20,000 rows, Adam, batch 32.
    Tabular,
    /// Two convolutions with pooling on 12,800 images of MNIST, Adam, batch 128.
    Convnet,
    /// Embedding 20,000 × 128, LSTM 64, Dense 1 on 1,600 sequences of 200, Adam, batch 32.
    Lstm,
    /// The same with GRU 64.
    Gru,
    /// Embedding 20,000 × 32 and one encoder block of two heads on the same sequences, Adam, batch 32.
    Transformer,
    /// ResNet-20 on 2,560 synthetic images of 32 × 32 × 3, SGD with momentum, batch 128.
    Resnet20,
}

/// Samples and targets for training and testing.
pub struct Sets {
    pub x: Array,
    pub y: Array,
    pub test_x: Array,
    pub test_y: Array,
}

impl Workload {
    pub const ALL: [Workload; 7] = [
        Workload::Mlp,
        Workload::Tabular,
        Workload::Convnet,
        Workload::Lstm,
        Workload::Gru,
        Workload::Transformer,
        Workload::Resnet20,
    ];

    pub fn named(name: &str) -> Result<Workload> {
        Workload::ALL
            .into_iter()
            .find(|w| w.name() == name)
            .ok_or_else(|| Error::unknown("workload", name, &Workload::ALL.map(Workload::name)))
    }

    pub fn name(self) -> &'static str {
        match self {
            Workload::Mlp => "mlp",
            Workload::Tabular => "tabular",
            Workload::Convnet => "convnet",
            Workload::Lstm => "lstm",
            Workload::Gru => "gru",
            Workload::Transformer => "transformer",
            Workload::Resnet20 => "resnet20",
        }
    }

    pub fn batch(self) -> usize {
        match self {
            Workload::Mlp | Workload::Convnet | Workload::Resnet20 => 128,
            _ => 32,
        }
    }

    /// Numbers that the model gives for a sample.
    pub fn outputs(self) -> usize {
        match self {
            Workload::Mlp | Workload::Convnet | Workload::Resnet20 => 10,
            Workload::Tabular | Workload::Lstm | Workload::Gru => 1,
            Workload::Transformer => 2,
        }
    }

    /// The metric beside the loss.
    pub fn metric(self) -> &'static str {
        match self {
            Workload::Tabular => "mae",
            _ => "accuracy",
        }
    }

    /// Multiplications of each layer for one sample, forward, the first layer first.
    fn products(self) -> &'static [usize] {
        match self {
            Workload::Mlp => &[784 * 512, 512 * 10],
            Workload::Tabular => &[8 * 32, 32 * 32, 32],
            Workload::Convnet => &[26 * 26 * 9 * 32, 11 * 11 * 288 * 64, 1600 * 10],
            Workload::Lstm => &[200 * 128, 200 * (128 + 64) * 256, 64],
            Workload::Gru => &[200 * 128, 200 * (128 + 64) * 192, 64],
            Workload::Transformer => &[
                200 * 32,
                200 * 32 * 64 * 4,
                2 * 200 * 200 * 32 * 2,
                200 * 32 * 32 * 2,
                32 * 20 + 20 * 2,
            ],
            Workload::Resnet20 => &[
                32 * 32 * 27 * 16,
                6 * 32 * 32 * 144 * 16,
                16 * 16 * (144 + 5 * 288 + 16) * 32,
                8 * 8 * (288 + 5 * 576 + 32) * 64,
                64 * 10,
            ],
        }
    }

    pub fn model(self) -> Result<Model> {
        match self {
            Workload::Transformer => transformer(),
            Workload::Resnet20 => resnet20(),
            _ => self.stack(),
        }
    }

    fn stack(self) -> Result<Model> {
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
            Workload::Convnet => {
                model.add(Input::new([28, 28, 1]));
                for filters in [32, 64] {
                    model.add(Conv2D::new(filters, 3).activation("relu"));
                    model.add(MaxPooling2D::new(2));
                }
                model.add(Flatten::new());
                model.add(Dropout::new(0.5));
                model.add(Dense::new(10).activation("softmax"));
                model.compile("adam", "categorical_crossentropy", ["accuracy"])?;
            }
            _ => {
                model.add(Embedding::new(WORDS, 128).input_shape([STEPS]));
                match self {
                    Workload::Lstm => model.add(LSTM::new(64)),
                    _ => model.add(GRU::new(64)),
                };
                model.add(Dense::new(1).activation("sigmoid"));
                model.compile("adam", "binary_crossentropy", ["accuracy"])?;
            }
        }
        Ok(model.into())
    }

    pub fn data(self) -> Result<Sets> {
        match self {
            Workload::Mlp => images(60_000, &[784]),
            Workload::Convnet => images(12_800, &[28, 28, 1]),
            Workload::Tabular => synthetic(),
            Workload::Lstm | Workload::Gru => sequences([1]),
            Workload::Transformer => sequences([]),
            Workload::Resnet20 => coloured_images(),
        }
    }

    /// Floating-point operations of one training sample: forward, and both gradients of every layer
    /// but the first, whose input needs none.
    pub fn flops_per_sample(self) -> f64 {
        let layers = self.products().iter().enumerate();
        layers
            .map(|(i, n)| (2 * n * if i == 0 { 2 } else { 3 }) as f64)
            .sum()
    }

    /// Bytes that one training sample moves at least: itself, and its share of a step's pass over
    /// weights and optimizer slots (read and written once).
    pub fn bytes_per_sample(self) -> f64 {
        let (own, weights, slots) = match self {
            Workload::Mlp => (794, 784 * 512 + 512 + 512 * 10 + 10, 1),
            Workload::Tabular => (9, 8 * 32 + 32 + 32 * 32 + 32 + 32 + 1, 2),
            Workload::Convnet => (794, 320 + 18_496 + 16_010, 2),
            Workload::Lstm => (201, WORDS * 128 + 192 * 256 + 256 + 65, 2),
            Workload::Gru => (201, WORDS * 128 + 192 * 192 + 2 * 192 + 65, 2),
            Workload::Transformer => (201, WORDS * 32 + 11_166, 2),
            Workload::Resnet20 => (32 * 32 * 3 + 10, 273_066, 1),
        };
        (4 * own) as f64 + (weights * 4 * 2 * (1 + slots)) as f64 / self.batch() as f64
    }
}

/// A classifier of sequences: one block of a Transformer's encoder, with what it needs before and after.
fn transformer() -> Result<Model> {
    let words = Input::new([STEPS]).symbol();
    let x = Embedding::new(WORDS, 32).on(&words);
    let attended = MultiHeadAttention::new(2, 32).on([&x, &x]);
    let attended = Dropout::new(0.1).on(&attended);
    let x = LayerNormalization::new().epsilon(1e-6).on(&x + &attended);
    let fed = Dense::new(32).activation("relu").on(&x);
    let fed = Dropout::new(0.1).on(Dense::new(32).on(&fed));
    let x = LayerNormalization::new().epsilon(1e-6).on(&x + &fed);
    let x = Dropout::new(0.1).on(GlobalAveragePooling1D::new().on(&x));
    let x = Dense::new(20).activation("relu").on(&x);
    let x = Dropout::new(0.1).on(&x);
    let classes = Dense::new(2).activation("softmax").on(&x);
    let mut model = Model::new(&words, &classes)?;
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])?;
    Ok(model)
}

/// He et al.'s residual network of 20 layers for small images (2016, section 4.2), with projections
/// where the shape changes.
fn resnet20() -> Result<Model> {
    let convolution = |filters: usize, size: usize, stride: usize, x: &Symbol| {
        let options = Conv2D::new(filters, size).strides(stride).padding("same");
        BatchNormalization::new().on(options.use_bias(false).on(x))
    };
    let relu = |x: &Symbol| Activation::new("relu").on(x);
    let images = Input::new([32, 32, 3]).symbol();
    let mut x = relu(&convolution(16, 3, 1, &images));
    for (stage, filters) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..3 {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let y = relu(&convolution(filters, 3, stride, &x));
            let y = convolution(filters, 3, 1, &y);
            let short = match stride {
                1 => x,
                _ => convolution(filters, 1, stride, &x),
            };
            x = relu(&(short + y));
        }
    }
    let x = GlobalAveragePooling2D::new().on(&x);
    let classes = Dense::new(10).activation("softmax").on(&x);
    let mut model = Model::new(&images, &classes)?;
    let optimizer = SGD::new().learning_rate(0.1).momentum(0.9);
    model.compile(optimizer, "categorical_crossentropy", ["accuracy"])?;
    Ok(model)
}

/// Words of the sequences' vocabulary, and words of each.
const WORDS: usize = 20_000;
const STEPS: usize = 200;

/// The first rows of an array.
pub fn head(a: &Array, rows: usize) -> Result<Array> {
    let mut shape = a.shape().to_vec();
    let row: usize = shape.iter().skip(1).product();
    shape[0] = rows;
    let rows = Array::from_vec(shape, a.to_vec::<f32>()[..rows * row].to_vec())?;
    Ok(rows.cast(a.dtype()))
}

/// MNIST's first samples for training, all for testing; each sample of this shape.
fn images(samples: usize, shape: &[usize]) -> Result<Sets> {
    let ((x, y), (test_x, test_y)) = datasets::mnist::load_data()?;
    let pixels = |images: ArrayView3<'_, u8>| {
        let n = images.dim().0;
        let values: Vec<f32> = images.iter().map(|p| f32::from(*p) / 255.0).collect();
        Array::from_vec([&[n], shape].concat(), values)
    };
    Ok(Sets {
        x: pixels(x.slice(s![..samples, .., ..]))?,
        y: Array::from(&to_categorical(&y.slice(s![..samples]), 10)?),
        test_x: pixels(test_x.view())?,
        test_y: Array::from(&to_categorical(&test_y, 10)?),
    })
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
            Array::from_vec([rows, 8], xs)?,
            Array::from_vec([rows, 1], ys)?,
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

/// Sequences of numbers made by arithmetic; each is called by whether more than half of them are in
/// the upper half of the vocabulary, in an array of this shape for each.
fn sequences<const N: usize>(label_shape: [usize; N]) -> Result<Sets> {
    let mut random = SplitMix(20_262);
    let mut part = |rows: usize| {
        let ids: Vec<i32> = (0..rows * STEPS)
            .map(|_| (random.uniform() * WORDS as f64) as i32)
            .collect();
        let upper = |row: &[i32]| row.iter().filter(|i| **i >= WORDS as i32 / 2).count();
        let label = |row: &[i32]| f32::from(u8::from(upper(row) > STEPS / 2));
        let labels = ids.chunks(STEPS).map(label).collect();
        Ok::<_, Error>((
            Array::from_vec([rows, STEPS], ids)?,
            Array::from_vec([&[rows], &label_shape[..]].concat(), labels)?,
        ))
    };
    let ((x, y), (test_x, test_y)) = (part(1_600)?, part(400)?);
    Ok(Sets {
        x,
        y,
        test_x,
        test_y,
    })
}

/// Images of noise, of ten classes in turn; a class is how bright they are.
fn coloured_images() -> Result<Sets> {
    let mut random = SplitMix(20_263);
    let mut part = |rows: usize| {
        let (mut xs, mut ys) = (
            Vec::with_capacity(rows * 32 * 32 * 3),
            vec![0.0f32; rows * 10],
        );
        for row in 0..rows {
            let class = row % 10;
            xs.extend(
                (0..32 * 32 * 3).map(|_| ((random.uniform() + class as f64 / 10.0) / 2.0) as f32),
            );
            ys[row * 10 + class] = 1.0;
        }
        Ok::<_, Error>((
            Array::from_vec([rows, 32, 32, 3], xs)?,
            Array::from_vec([rows, 10], ys)?,
        ))
    };
    let ((x, y), (test_x, test_y)) = (part(2_560)?, part(640)?);
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
        assert_eq!(sets.x.to_vec::<f32>()[..2], [-0.479_467_72, 0.954_409_36]);
        assert_eq!(sets.y.to_vec::<f32>()[0], 0.631_335_56);
        assert!((sets.test_y.to_vec::<f32>()[0] - 1.305_459).abs() < 1e-6);
    }
}
