//! The workloads in Candle: `backward` and an optimizer step per batch, as in its examples.

#[path = "../../rust/common.rs"]
mod common;

use candle_core::backprop::GradStore;
use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use common::{Part, Peer, Result, Workload};
use std::time::Instant;

/// RMSprop with Keras' defaults, in Candle's tensor operations, for Candle has none of its own.
struct RmsProp(Vec<(Var, Var)>);

impl RmsProp {
    fn step(&mut self, grads: &GradStore) -> candle_core::Result<()> {
        for (var, square) in &self.0 {
            if let Some(g) = grads.get(var) {
                let next = ((square.as_tensor() * 0.9)? + (g.sqr()? * 0.1)?)?;
                let delta = (g * 1e-3)?.div(&(next.sqrt()? + 1e-7)?)?;
                var.set(&(var.as_tensor() - delta)?)?;
                square.set(&next)?;
            }
        }
        Ok(())
    }
}

enum Update {
    RmsProp(RmsProp),
    Adam(AdamW),
}

struct Candle {
    workload: Workload,
    layers: Vec<Linear>,
    update: Update,
    data: Option<(Tensor, Tensor)>,
}

impl Candle {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (last, hidden) = self.layers.split_last().expect("there are layers");
        let mut x = x.clone();
        for layer in hidden {
            x = layer.forward(&x)?.relu()?;
        }
        last.forward(&x)
    }

    fn loss(&self, out: &Tensor, y: &Tensor) -> candle_core::Result<Tensor> {
        match self.workload {
            Workload::Mlp => candle_nn::loss::cross_entropy(out, y),
            Workload::Tabular => candle_nn::loss::mse(out, y),
        }
    }

    /// Sum of the metric over the batch.
    fn metric(&self, out: &Tensor, y: &Tensor) -> candle_core::Result<f32> {
        match self.workload {
            Workload::Mlp => out
                .argmax(D::Minus1)?
                .eq(y)?
                .to_dtype(DType::F32)?
                .sum_all(),
            Workload::Tabular => (out - y)?.abs()?.sum_all(),
        }?
        .to_scalar()
    }

    fn tensors(&self, part: &Part) -> candle_core::Result<(Tensor, Tensor)> {
        let n = part.y.len();
        let x = Tensor::from_slice(&part.x, (n, self.workload.features()), &Device::Cpu)?;
        let y = Tensor::from_slice(&part.y, n, &Device::Cpu)?;
        let y = match self.workload {
            Workload::Mlp => y.to_dtype(DType::U32)?,
            Workload::Tabular => y.unsqueeze(1)?,
        };
        Ok((x, y))
    }
}

impl Peer for Candle {
    const NAME: (&'static str, &'static str) = ("candle", "0.11.1");

    fn new(workload: Workload) -> Result<Self> {
        let sizes: &[usize] = match workload {
            Workload::Mlp => &[784, 512, 10],
            Workload::Tabular => &[8, 32, 32, 1],
        };
        let variables = VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        let layers = sizes.windows(2).enumerate();
        let layers = layers
            .map(|(i, s)| candle_nn::linear(s[0], s[1], builder.pp(format!("dense_{i}"))))
            .collect::<candle_core::Result<_>>()?;
        let update = match workload {
            Workload::Mlp => Update::RmsProp(RmsProp(
                variables
                    .all_vars()
                    .into_iter()
                    .map(|var| Ok((var.clone(), Var::from_tensor(&var.zeros_like()?)?)))
                    .collect::<candle_core::Result<_>>()?,
            )),
            Workload::Tabular => Update::Adam(AdamW::new(
                variables.all_vars(),
                ParamsAdamW {
                    lr: 1e-3,
                    eps: 1e-7,
                    weight_decay: 0.0,
                    ..Default::default()
                },
            )?),
        };
        Ok(Self {
            workload,
            layers,
            update,
            data: None,
        })
    }

    fn give(&mut self, train: &Part) -> Result<()> {
        self.data = Some(self.tensors(train)?);
        Ok(())
    }

    fn epoch(&mut self, order: &[u32], first_step: &mut dyn FnMut()) -> Result<()> {
        let (x, y) = self.data.clone().ok_or("no data given")?;
        let (mut loss_sum, mut metric_sum) = (0.0, 0.0);
        for rows in order.chunks(self.workload.batch()) {
            let index = Tensor::from_slice(rows, rows.len(), &Device::Cpu)?;
            let (x, y) = (x.index_select(&index, 0)?, y.index_select(&index, 0)?);
            let out = self.forward(&x)?;
            let loss = self.loss(&out, &y)?;
            let grads = loss.backward()?;
            match &mut self.update {
                Update::RmsProp(rmsprop) => rmsprop.step(&grads)?,
                Update::Adam(adam) => adam.step(&grads)?,
            }
            loss_sum += loss.to_scalar::<f32>()? * rows.len() as f32;
            metric_sum += self.metric(&out.detach(), &y)?;
            first_step();
        }
        std::hint::black_box((loss_sum, metric_sum));
        Ok(())
    }

    fn evaluate(&self, test: &Part) -> Result<(f32, f32)> {
        let (x, y) = self.tensors(test)?;
        let out = self.forward(&x)?.detach();
        Ok((
            self.loss(&out, &y)?.to_scalar()?,
            self.metric(&out, &y)? / test.y.len() as f32,
        ))
    }

    fn predict(&self, x: &[f32], batch: usize) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for rows in x.chunks(batch * self.workload.features()) {
            let shape = (
                rows.len() / self.workload.features(),
                self.workload.features(),
            );
            let out = self.forward(&Tensor::from_slice(rows, shape, &Device::Cpu)?)?;
            let out = match self.workload {
                Workload::Mlp => candle_nn::ops::softmax(&out, D::Minus1)?,
                Workload::Tabular => out,
            };
            all.extend(out.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(all)
    }

    fn lean_call(&self, row: &[f32], time: &mut dyn FnMut(&mut dyn FnMut())) -> Result<()> {
        let x = Tensor::from_slice(row, (1, row.len()), &Device::Cpu)?;
        time(&mut || {
            std::hint::black_box(self.forward(&x).expect("runs"));
        });
        Ok(())
    }
}

fn main() -> Result<()> {
    let process_start = Instant::now();
    let options = common::options()?;
    common::bound_threads(&options)?;
    common::run::<Candle>(process_start, &options)
}
