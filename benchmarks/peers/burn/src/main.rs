//! The workloads in Burn's CPU backend: its custom training loop with the metrics that the others keep too.

#[path = "../../rust/common.rs"]
mod common;

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, RmsPropConfig};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{Part, Peer, Result, Workload};
use std::time::Instant;

#[derive(Module, Debug)]
struct Dense {
    layers: Vec<Linear>,
}

impl Dense {
    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if i < last {
                x = relu(x);
            }
        }
        x
    }
}

#[derive(Clone)]
enum Target {
    Class(Tensor<1, Int>),
    Value(Tensor<2>),
}

impl Target {
    fn select(&self, rows: Tensor<1, Int>) -> Self {
        match self {
            Self::Class(y) => Self::Class(y.clone().select(0, rows)),
            Self::Value(y) => Self::Value(y.clone().select(0, rows)),
        }
    }

    fn loss(&self, out: Tensor<2>) -> Tensor<1> {
        match self {
            Self::Class(y) => CrossEntropyLossConfig::new()
                .init(&out.device())
                .forward(out, y.clone()),
            Self::Value(y) => MseLoss::new().forward(out, y.clone(), Reduction::Mean),
        }
    }

    /// Sum of the metric over the batch.
    fn metric(&self, out: Tensor<2>) -> f32 {
        match self {
            Self::Class(y) => {
                let right = out.argmax(1).squeeze_dim::<1>(1).equal(y.clone());
                right.int().sum().into_scalar::<i64>() as f32
            }
            Self::Value(y) => (out - y.clone()).abs().sum().into_scalar::<f32>(),
        }
    }
}

struct Burn {
    workload: Workload,
    plain: Device,
    model: Dense,
    trained: Dense,
    optimizer: ModuleOptimizer,
    data: Option<(Tensor<2>, Target)>,
}

impl Burn {
    fn tensors(&self, part: &Part) -> (Tensor<2>, Target) {
        let (n, features) = (part.y.len(), self.workload.features());
        let x = Tensor::from_data(TensorData::new(part.x.clone(), [n, features]), &self.plain);
        let y = match self.workload {
            Workload::Mlp => {
                let classes: Vec<i64> = part.y.iter().map(|y| *y as i64).collect();
                Target::Class(Tensor::from_data(
                    TensorData::new(classes, [n]),
                    &self.plain,
                ))
            }
            Workload::Tabular => Target::Value(Tensor::from_data(
                TensorData::new(part.y.clone(), [n, 1]),
                &self.plain,
            )),
        };
        (x, y)
    }
}

impl Peer for Burn {
    const NAME: (&'static str, &'static str) = ("burn", "0.22.1");

    fn new(workload: Workload) -> Result<Self> {
        let plain = Device::flex();
        let device = plain.clone().autodiff();
        let sizes: &[usize] = match workload {
            Workload::Mlp => &[784, 512, 10],
            Workload::Tabular => &[8, 32, 32, 1],
        };
        let layers = sizes
            .windows(2)
            .map(|s| LinearConfig::new(s[0], s[1]).init(&device));
        let model = Dense {
            layers: layers.collect(),
        };
        let optimizer = match workload {
            Workload::Mlp => RmsPropConfig::new()
                .with_alpha(0.9)
                .with_momentum(0.0)
                .with_epsilon(1e-7)
                .init(),
            Workload::Tabular => AdamConfig::new().with_epsilon(1e-7).init(),
        };
        let trained = model.valid();
        Ok(Self {
            workload,
            plain,
            model,
            trained,
            optimizer,
            data: None,
        })
    }

    fn give(&mut self, train: &Part) -> Result<()> {
        self.data = Some(self.tensors(train));
        Ok(())
    }

    fn epoch(&mut self, order: &[u32], first_step: &mut dyn FnMut()) -> Result<()> {
        let (x, y) = self.data.clone().ok_or("no data given")?;
        let (mut loss_sum, mut metric_sum) = (0.0, 0.0);
        let mut model = self.model.clone();
        for rows in order.chunks(self.workload.batch()) {
            let index: Vec<i64> = rows.iter().map(|row| i64::from(*row)).collect();
            let index = Tensor::from_data(TensorData::new(index, [rows.len()]), &self.plain);
            let (x, y) = (x.clone().select(0, index.clone()), y.select(index));
            let out = model.forward(x);
            let loss = y.loss(out.clone());
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            model = self.optimizer.step(1e-3, model, grads);
            loss_sum += loss.into_scalar::<f32>() * rows.len() as f32;
            metric_sum += y.metric(out.inner());
            first_step();
        }
        std::hint::black_box((loss_sum, metric_sum));
        self.trained = model.valid();
        self.model = model;
        Ok(())
    }

    fn evaluate(&self, test: &Part) -> Result<(f32, f32)> {
        let (x, y) = self.tensors(test);
        let out = self.trained.forward(x);
        let loss = y.loss(out.clone()).into_scalar::<f32>();
        Ok((loss, y.metric(out) / test.y.len() as f32))
    }

    fn predict(&self, x: &[f32], batch: usize) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for rows in x.chunks(batch * self.workload.features()) {
            let shape = [
                rows.len() / self.workload.features(),
                self.workload.features(),
            ];
            let rows = Tensor::from_data(TensorData::new(rows.to_vec(), shape), &self.plain);
            let out = self.trained.forward(rows);
            let out = match self.workload {
                Workload::Mlp => softmax(out, 1),
                Workload::Tabular => out,
            };
            all.extend(out.into_data().try_to_vec::<f32>()?);
        }
        Ok(all)
    }

    fn lean_call(&self, row: &[f32], time: &mut dyn FnMut(&mut dyn FnMut())) -> Result<()> {
        let x = Tensor::from_data(TensorData::new(row.to_vec(), [1, row.len()]), &self.plain);
        time(&mut || {
            std::hint::black_box(self.trained.forward(x.clone()));
        });
        Ok(())
    }
}

fn main() -> Result<()> {
    let process_start = Instant::now();
    let options = common::options()?;
    common::bound_threads(&options)?;
    common::run::<Burn>(process_start, &options)
}
