//! LSTM whose products are convolutions.

use super::cell::{forgetful, mask_of};
use super::options::{CellOptions, Config, Kind, Lstm, check_rates};
use super::walk::{Recurrent, Steps, Walk, Walked, Walker, recurrent, step_by_step, walk_options};
use crate::activations::Activation;
use crate::layers::base::Base;
use crate::layers::registry::{fields, penalized};
use crate::layers::spatial::{
    DataFormat, Padding, PerAxis, check_sizes, check_steps, data_format_option, extents,
    padding_option,
};
use crate::layers::{Build, Call, InputShape, Layer, LayerOptions};
use crate::{Error, Result, Shape, Tensor};
use cornu_core::ops::conv::ConvOptions;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// How the kernel moves over a step's image.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Space<const N: usize> {
    kernel_size: PerAxis<N>,
    #[serde(default = "one")]
    strides: PerAxis<N>,
    #[serde(default)]
    padding: Padding,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "one")]
    dilation_rate: PerAxis<N>,
}

fn one<const N: usize>() -> PerAxis<N> {
    PerAxis([1; N])
}

impl<const N: usize> Space<N> {
    /// How far the kernel reaches along an axis.
    fn reach(&self, i: usize) -> usize {
        self.kernel_size.0[i].saturating_sub(1) * self.dilation_rate.0[i] + 1
    }

    /// The cells around an image's axis of `n`.
    fn cells(&self, i: usize, n: usize) -> (usize, usize) {
        let (size, stride) = (self.kernel_size.0[i], self.strides.0[i]);
        self.padding.cells(n, size, stride, self.dilation_rate.0[i])
    }

    /// The extents of the state for an image of these; 0 where the kernel does not fit.
    fn places(&self, image: [usize; N]) -> [usize; N] {
        std::array::from_fn(|i| {
            let (before, after) = self.cells(i, image[i]);
            let free = (image[i] + before + after).checked_sub(self.reach(i));
            free.map_or(0, |free| free / self.strides.0[i].max(1) + 1)
        })
    }

    /// The convolution of the input, channels last.
    fn convolve(&self, x: &Tensor, kernel: &Tensor) -> Tensor {
        let options = ConvOptions {
            strides: self.strides.0.to_vec(),
            dilation: self.dilation_rate.0.to_vec(),
            padding: (0..N).map(|i| self.cells(i, x.shape()[i + 1])).collect(),
            groups: 1,
        };
        x.conv(kernel, options)
    }

    /// That of the state, which keeps its extents.
    fn recur(&self, h: &Tensor, kernel: &Tensor) -> Tensor {
        let cells = |i: usize| Padding::Same.cells(h.shape()[i + 1], self.kernel_size.0[i], 1, 1);
        let options = ConvOptions {
            padding: (0..N).map(cells).collect(),
            ..ConvOptions::new(N)
        };
        h.conv(kernel, options)
    }

    /// The image's extents and channels in a step's shape.
    fn image(&self, step: &InputShape) -> Option<([usize; N], usize)> {
        if step.rank() != N + 2 {
            return None;
        }
        let image: Option<Vec<usize>> = extents(step, self.data_format).collect();
        let channels = step.0[self.data_format.channels(N + 2)]?;
        Some((image?.try_into().ok()?, channels))
    }

    fn check(&self, class: &str, step: &InputShape) -> Result<usize> {
        let Some((image, channels)) = self.image(step) else {
            return Err(Error::shape(format!(
                "{class} expects steps of rank {}, batch, {N} spatial and a channel axis, all known but the batch. Received: steps of shape {step}.",
                N + 2
            )));
        };
        check_sizes("kernel_size", self.kernel_size.0)?;
        check_sizes("strides", self.strides.0)?;
        check_sizes("dilation_rate", self.dilation_rate.0)?;
        check_steps(self.strides.0, self.dilation_rate.0)?;
        if self.padding == Padding::Causal {
            return Err(Error::new(
                "padding must be \"valid\" or \"same\". Received: padding=\"causal\".",
            ));
        }
        if channels == 0 || self.places(image).contains(&0) {
            return Err(Error::shape(format!(
                "kernel_size {:?} with dilation_rate {:?} does not fit into steps of shape {step}: the output would be empty.",
                self.kernel_size, self.dilation_rate
            )));
        }
        Ok(channels)
    }
}

/// The cell inside: as [`LSTMCell`](super::LSTMCell), with images for vectors.
#[derive(Clone, Debug)]
struct ConvCell<const N: usize> {
    base: Base,
    config: Config,
    space: Space<N>,
}

impl<const N: usize> ConvCell<N> {
    /// A tensor of the layer's format with channels last.
    fn last(&self, x: &Tensor) -> Tensor {
        self.space.data_format.to_last(x)
    }

    /// The walk: what depends on the input alone is one convolution of all steps.
    fn over(&self, cx: &mut Call<'_>, x: &Tensor, walk: Steps) -> Walked {
        let (c, f) = (&self.config, self.config.units);
        let (batch, steps) = (x.shape()[0], x.shape()[1]);
        let (kernel, recurrent) = (cx.weight("kernel"), cx.weight("recurrent_kernel"));
        let gate = |kernel: &Tensor, i: usize| kernel.narrow(-1, i * f, f);
        let training = cx.training();
        let mut drawn = 0;
        let mut masks = |cx: &mut Call<'_>, rate: f64, shape: &[usize]| -> Vec<Tensor> {
            if !training || rate <= 0.0 || rate >= 1.0 {
                return Vec::new();
            }
            let one = |_| {
                drawn += 1;
                mask_of(
                    cx,
                    rate,
                    c.seed.map(|seed| seed.wrapping_add(drawn - 1)),
                    shape,
                )
            };
            (0..4).map(one).collect()
        };
        let step = [&[batch], &x.shape()[2..]].concat();
        let dropped = masks(cx, c.dropout, &step);
        let together =
            |x: &Tensor| self.last(&x.reshape([&[batch * steps], &x.shape()[2..]].concat()));
        let z = match dropped.is_empty() {
            true => self.space.convolve(&together(x), &kernel),
            false => {
                let each = dropped.iter().enumerate();
                let each = each.map(|(i, mask)| {
                    let x = together(&(x * mask.expand_dims(1)));
                    self.space.convolve(&x, &gate(&kernel, i))
                });
                Tensor::concat(&each.collect::<Vec<_>>(), -1)
            }
        };
        let z = match c.use_bias {
            true => z + cx.weight("bias"),
            false => z,
        };
        if let Err(e) = z.check() {
            let failed = Tensor::error(e);
            return Walked {
                outputs: failed.clone(),
                last: failed.clone(),
                states: vec![failed; 2],
            };
        }
        let state = [&[batch], &z.shape()[1..N + 1], &[f]].concat();
        let z = z.reshape([&[batch, steps], &z.shape()[1..]].concat());
        let initial: Vec<Tensor> = match &cx.inputs()[1..] {
            [] => vec![Tensor::zeros(state.clone(), z.dtype()); 2],
            given => given.iter().map(|s| self.last(s)).collect(),
        };
        let kept = masks(cx, c.recurrent_dropout, &state);
        let mask = cx.mask(0).cloned();
        let sigma = |x: Tensor| match &c.recurrent_activation {
            Some(activation) => activation.apply(&x),
            None => x,
        };
        let walked = step_by_step(&z, initial, mask.as_ref(), walk.backwards, |z, states| {
            let [h, before] = states else {
                return (z.clone(), Vec::new());
            };
            let q = match kept.is_empty() {
                true => self.space.recur(h, &recurrent),
                false => {
                    let each = kept.iter().enumerate();
                    let each = each.map(|(i, m)| self.space.recur(&(h * m), &gate(&recurrent, i)));
                    Tensor::concat(&each.collect::<Vec<_>>(), -1)
                }
            };
            let both = z + q;
            let part = |i: usize| both.narrow(-1, i * f, f);
            let candidate = c.activation.apply(&part(2));
            let memory = sigma(part(1)) * before + sigma(part(0)) * candidate;
            let h = sigma(part(3)) * c.activation.apply(&memory);
            (h.clone(), vec![h, memory])
        });
        let format = self.space.data_format;
        let y = &walked.outputs;
        let each = format.restore(&y.reshape([&[batch * steps], &y.shape()[2..]].concat()));
        Walked {
            outputs: each.reshape([&[batch, steps], &each.shape()[1..]].concat()),
            last: format.restore(&walked.last),
            states: walked.states.iter().map(|s| format.restore(s)).collect(),
        }
    }
}

impl<const N: usize> Layer for ConvCell<N> {
    fn class_name(&self) -> &str {
        "ConvLSTMCell"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        3..=3
    }

    fn state_shapes(&self, step: &InputShape) -> Vec<Shape> {
        let Some((image, _)) = self.space.image(step) else {
            return vec![[0; N].into(); 2];
        };
        let (places, filters) = (self.space.places(image), [self.config.units]);
        let shape = match self.space.data_format {
            DataFormat::ChannelsLast => [&places[..], &filters].concat(),
            DataFormat::ChannelsFirst => [&filters[..], &places].concat(),
        };
        vec![shape.into(); 2]
    }

    fn build(&self, cx: &mut Build<'_>, step: &InputShape) -> Result<()> {
        let (c, size) = (&self.config, &self.space.kernel_size.0[..]);
        let channels = self.space.check("ConvLSTM", step)?;
        cx.weight("kernel", [size, &[channels, 4 * c.units]].concat())
            .initializer(c.kernel_initializer.clone())
            .regularizer(c.kernel_regularizer.clone())
            .constraint(c.kernel_constraint.clone())
            .add()?;
        cx.weight("recurrent_kernel", [size, &[c.units, 4 * c.units]].concat())
            .initializer(c.recurrent_initializer.clone())
            .regularizer(c.recurrent_regularizer.clone())
            .constraint(c.recurrent_constraint.clone())
            .add()?;
        if !c.use_bias {
            return Ok(());
        }
        let initializer = match c.unit_forget_bias {
            Some(true) => forgetful(c.bias_initializer.clone(), c.units),
            _ => c.bias_initializer.clone(),
        };
        cx.weight("bias", [4 * c.units])
            .initializer(initializer)
            .regularizer(c.bias_regularizer.clone())
            .constraint(c.bias_constraint.clone())
            .add()
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let walk = Steps {
            backwards: false,
            unroll: true,
        };
        let walked = self.over(cx, &x.expand_dims(1), walk);
        walked.states.into_iter().for_each(|s| cx.output(s));
        walked.last
    }

    fn walk(&self, cx: &mut Call<'_>, walk: Steps) -> Option<Walked> {
        let x = cx.inputs().first()?.clone();
        Some(self.over(cx, &x, walk))
    }
}

/// An LSTM over images whose products are convolutions: i, f, o = σ(W∗x + R∗h + b), c̃ = tanh(…);
/// c ← f·c + i·c̃, h ← o·tanh c (Shi et al. 2015, without peepholes). See [`ConvLSTM1D`],
/// [`ConvLSTM2D`], [`ConvLSTM3D`].
///
/// * Input: `(batch, steps, spatial…, channels)`; further inputs, if given: the initial h and c. Output: the
///   last h, `(batch, places…, filters)`, or with `return_sequences` each; with `return_state` also the
///   last h and c. With channels first, channels come before the spatial axes.
/// * Weights: `kernel` `(size…, channels, 4 · filters)`, `recurrent_kernel` `(size…, filters, 4 · filters)`,
///   `bias` `(4 · filters,)`; gates in the order i, f, c̃, o. The state's convolution keeps its extents.
/// * Defaults: strides 1, no padding (`"valid"`), dilation 1; the others as [`LSTM`](super::LSTM).
#[derive(Clone, Debug)]
pub struct ConvLSTM<const N: usize> {
    base: Base,
    cell: ConvCell<N>,
    walk: Walk,
}

/// A convolutional LSTM over rows of cells, `(batch, steps, rows, channels)`.
pub type ConvLSTM1D = ConvLSTM<1>;

/// A convolutional LSTM over films, `(batch, steps, height, width, channels)`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(ConvLSTM2D::new(8, 3).padding("same").input_shape([4, 16, 16, 1]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 16, 16, 8)");
/// assert_eq!(model.count_params()?, 3 * 3 * 1 * 32 + 3 * 3 * 8 * 32 + 32);
/// # Ok::<(), cornu::Error>(())
/// ```
pub type ConvLSTM2D = ConvLSTM<2>;

/// A convolutional LSTM over volumes, `(batch, steps, depth, height, width, channels)`.
pub type ConvLSTM3D = ConvLSTM<3>;

impl<const N: usize> ConvLSTM<N> {
    /// A layer of so many filters; the kernel's extent may be one number for all axes.
    pub fn new(filters: usize, kernel_size: impl Into<PerAxis<N>>) -> Self {
        let space = Space {
            kernel_size: kernel_size.into(),
            strides: one(),
            padding: Padding::Valid,
            data_format: DataFormat::ChannelsLast,
            dilation_rate: one(),
        };
        Self::of(Config::new::<Lstm>(filters), space, Walk::default())
    }

    fn of(config: Config, space: Space<N>, walk: Walk) -> Self {
        Self {
            base: Base::default(),
            cell: ConvCell {
                base: Base::default(),
                config,
                space,
            },
            walk,
        }
    }

    fn class(&self) -> &'static str {
        ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"][N - 1]
    }

    /// How far apart the kernel's places in a step are; 1 by default.
    pub fn strides(mut self, strides: impl Into<PerAxis<N>>) -> Self {
        self.cell.space.strides = strides.into();
        self
    }

    padding_option!(
        "`\"valid\"` (the default) or `\"same\"`.",
        cell.space.padding
    );

    data_format_option!(cell.space.data_format);

    /// How far apart the kernel's cells are; 1 by default.
    pub fn dilation_rate(mut self, rate: impl Into<PerAxis<N>>) -> Self {
        self.cell.space.dilation_rate = rate.into();
        self
    }

    /// Whether the forget gate's bias starts at 1; it does by default.
    pub fn unit_forget_bias(mut self, ones: bool) -> Self {
        self.cell.config.unit_forget_bias = Some(ones);
        self
    }

    /// The activation of the gates; `"sigmoid"` by default.
    pub fn recurrent_activation(mut self, activation: impl Into<Activation>) -> Self {
        self.cell.config.recurrent_activation = Some(activation.into());
        self
    }

    fn with<T>(&self, f: impl FnOnce(Walker<'_>) -> T) -> T {
        let mut cell = self.cell.clone();
        cell.base.dtype = self.base.dtype;
        f(Walker {
            class: self.class(),
            cell: &cell,
            cell_name: "conv_lstm_cell",
            walk: self.walk,
        })
    }
}

walk_options!([const N: usize] ConvLSTM<N>);
recurrent!([const N: usize] ConvLSTM<N>);

impl<const N: usize> CellOptions for ConvLSTM<N> {
    fn config_mut(&mut self) -> &mut Config {
        &mut self.cell.config
    }
}

impl<const N: usize> LayerOptions for ConvLSTM<N> {
    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }
}

impl<const N: usize> Serialize for ConvLSTM<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = fields(&self.cell.config);
        all.remove("units");
        all.insert("filters".into(), self.cell.config.units.into());
        all.extend(fields(&self.cell.space));
        all.extend(fields(&self.walk));
        all.serialize(serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for ConvLSTM<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Map::deserialize(deserializer)?;
        let walk = Walk::take(&mut all).map_err(D::Error::custom)?;
        if let Some(field) = ["units", "reset_after"]
            .iter()
            .find(|f| all.contains_key(**f))
        {
            return Err(D::Error::custom(format!("ConvLSTM has no field `{field}`")));
        }
        let mut space = Map::new();
        for name in [
            "kernel_size",
            "strides",
            "padding",
            "data_format",
            "dilation_rate",
        ] {
            space.extend(all.remove(name).map(|value| (name.to_string(), value)));
        }
        let space = serde_json::from_value(Value::Object(space)).map_err(D::Error::custom)?;
        let filters = all.remove("filters");
        let filters = filters.ok_or_else(|| D::Error::missing_field("filters"))?;
        all.insert("units".into(), filters);
        let mut config: Config =
            serde_json::from_value(Value::Object(all)).map_err(D::Error::custom)?;
        Lstm::defaults(&mut config);
        Ok(Self::of(config, space, walk))
    }
}

impl<const N: usize> Layer for ConvLSTM<N> {
    fn class_name(&self) -> &str {
        self.class()
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        penalized(self)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=3
    }

    fn recurrent(&self) -> Option<&dyn Recurrent> {
        Some(self)
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if input.rank() != N + 3 {
            return Err(Error::shape(format!(
                "{} expects (batch, steps, …) of rank {}: {N} spatial and a channel axis. Received: input shape {input}.",
                self.class(),
                N + 3
            )));
        }
        check_rates("filters", &self.cell.config)?;
        let step = InputShape([&input.0[..1], &input.0[2..]].concat());
        self.cell.space.check(self.class(), &step)?;
        self.with(|walker| walker.build(cx, input))
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        self.with(|walker| walker.call(cx, x))
    }
}
