//! Convolution over channels-last operands, one to three spatial axes.
//!
//! Three operations of the same shape: the convolution itself, and what it gives to its input and to
//! its kernel. Each is linear in both of its operands, and the gradients of each are the other two, so
//! that they can be differentiated to any order. The second is also the transposed convolution.

use super::Operation;
use super::elementwise::map;
use crate::array::Array;
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::fmt;
use std::panic::Location;

/// How a kernel moves over the spatial axes: an entry for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvOptions {
    /// How far apart the kernel's places are.
    pub strides: Vec<usize>,
    /// How far apart the kernel's cells are.
    pub dilation: Vec<usize>,
    /// Zeros before and after each axis.
    pub padding: Vec<(usize, usize)>,
    /// Channels fall into this many groups, which do not see each other.
    pub groups: usize,
}

impl ConvOptions {
    /// Every place, cells next to each other, no padding, one group.
    pub fn new(axes: usize) -> Self {
        Self {
            strides: vec![1; axes],
            dilation: vec![1; axes],
            padding: vec![(0, 0); axes],
            groups: 1,
        }
    }
}

impl fmt::Display for ConvOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "strides {:?}, dilation {:?}, padding {:?}, {} groups",
            self.strides, self.dilation, self.padding, self.groups
        )
    }
}

/// What is computed of the other two of input, kernel and output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConvFn {
    /// The output, of input and kernel.
    Output,
    /// What flows to the input, of the output's gradient and the kernel.
    Input,
    /// What flows to the kernel, of the input and the output's gradient.
    Kernel,
}

/// A convolution, or what flows back through one: input `(batch, spatial…, channels)`, kernel
/// `(size…, channels / groups, filters)`, output `(batch, places…, filters)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conv {
    /// What is computed.
    pub f: ConvFn,
    /// How the kernel moves.
    pub options: ConvOptions,
    /// The input's spatial extents.
    pub spatial: Vec<usize>,
    /// The kernel's.
    pub size: Vec<usize>,
}

/// The extents of a convolution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvExtents {
    /// Samples.
    pub batch: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Places of the kernel along each axis: the output's spatial extents.
    pub places: Vec<usize>,
}

impl Conv {
    /// The places of the kernel along each axis.
    ///
    /// # Errors
    /// If kernel, strides, dilation or padding do not fit.
    pub fn places(&self) -> Result<Vec<usize>> {
        let (o, n) = (&self.options, self.spatial.len());
        let lengths = [
            self.size.len(),
            o.strides.len(),
            o.dilation.len(),
            o.padding.len(),
        ];
        if !(1..=3).contains(&n) || lengths != [n; 4] {
            return Err(self.misfit("expected one to three spatial axes, with a stride, a dilation and padding for each"));
        }
        let axis = |i: usize| {
            let (low, high) = o.padding[i];
            let room = self.spatial[i].checked_add(low)?.checked_add(high)?;
            let reach = self.size[i]
                .checked_sub(1)?
                .checked_mul(o.dilation[i])?
                .checked_add(1)?;
            if o.strides[i] == 0 || o.dilation[i] == 0 {
                return None;
            }
            Some(room.checked_sub(reach)? / o.strides[i] + 1)
        };
        (0..n).map(axis).collect::<Option<_>>().ok_or_else(|| {
            self.misfit(
                "expected a kernel that fits into the padded input, positive strides and dilation",
            )
        })
    }

    fn misfit(&self, why: &str) -> Error {
        Error::shape(format!(
            "conv: {why}. Received: spatial extents {}, kernel {}, {}.",
            Shape::from(&self.spatial[..]),
            Shape::from(&self.size[..]),
            self.options
        ))
    }

    /// The extents, given the types of the operands.
    ///
    /// # Errors
    /// If they do not fit together.
    pub fn extents(&self, inputs: &[TensorType]) -> Result<ConvExtents> {
        let places = self.places()?;
        let (axes, groups) = (self.spatial.len(), self.options.groups);
        let (a, b) = (&inputs[0].shape, &inputs[1].shape);
        let fail = |why: String| {
            Err(Error::shape(format!(
                "conv: {why}. Received: {a} and {b}, {groups} groups."
            )))
        };
        if a.rank() != axes + 2 || b.rank() != axes + 2 {
            return fail(format!("expected operands of rank {}", axes + 2));
        }
        let last = axes + 1;
        let (batch, channels, filters, fits) = match self.f {
            ConvFn::Output => {
                let fits = a[1..last] == self.spatial[..] && b[..axes] == self.size[..];
                (a[0], a[last], b[last], fits && b[axes] * groups == a[last])
            }
            ConvFn::Input => {
                let fits = a[1..last] == places[..] && b[..axes] == self.size[..];
                (a[0], b[axes] * groups, b[last], fits && b[last] == a[last])
            }
            ConvFn::Kernel => {
                let fits = a[1..last] == self.spatial[..] && b[1..last] == places[..];
                (a[0], a[last], b[last], fits && a[0] == b[0])
            }
        };
        if groups == 0 || channels % groups != 0 || filters % groups != 0 {
            return fail(format!(
                "{channels} channels and {filters} filters do not fall into groups of equal size"
            ));
        }
        if !fits {
            return fail(match self.f {
                ConvFn::Output => format!(
                    "the input's {} channels are not those of the kernel, {} for each group",
                    a[last], b[axes]
                ),
                _ => "the operands do not fit together".to_string(),
            });
        }
        Ok(ConvExtents {
            batch,
            channels,
            filters,
            places,
        })
    }

    /// Every cell of the kernel at every place that meets the input: kernel cell, place and input
    /// cell, each counted over the spatial axes.
    fn meetings(&self, places: &[usize]) -> Vec<(usize, usize, usize)> {
        let unravel = |mut i: usize, extents: &[usize]| {
            let mut at = vec![0; extents.len()];
            for (p, n) in at.iter_mut().zip(extents).rev() {
                *p = i % n;
                i /= n;
            }
            at
        };
        let o = &self.options;
        let mut all = Vec::new();
        for place in 0..places.iter().product() {
            let at = unravel(place, places);
            for cell in 0..self.size.iter().product() {
                let offset = unravel(cell, &self.size);
                let input = (0..places.len()).try_fold(0, |sum, i| {
                    let x = at[i] * o.strides[i] + offset[i] * o.dilation[i];
                    let x = x.checked_sub(o.padding[i].0)?;
                    (x < self.spatial[i]).then_some(sum * self.spatial[i] + x)
                });
                all.extend(input.map(|input| (cell, place, input)));
            }
        }
        all
    }
}

impl Operation for Conv {
    fn name(&self) -> &'static str {
        match self.f {
            ConvFn::Output => "conv",
            ConvFn::Input => "conv_input",
            ConvFn::Kernel => "conv_kernel",
        }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (a, b) = (&inputs[0], &inputs[1]);
        if a.dtype != b.dtype || !a.dtype.is_float() {
            return Err(Error::dtype(format!(
                "conv needs two operands of one float type. Received: {} and {}.",
                a.dtype, b.dtype
            )));
        }
        let e = self.extents(inputs)?;
        let spatial =
            |batch: usize, extents: &[usize], last: usize| [&[batch], extents, &[last]].concat();
        let shape = match self.f {
            ConvFn::Output => spatial(e.batch, &e.places, e.filters),
            ConvFn::Input => spatial(e.batch, &self.spatial, e.channels),
            ConvFn::Kernel => [
                &self.size[..],
                &[e.channels / self.options.groups, e.filters],
            ]
            .concat(),
        };
        Ok(TensorType {
            shape: shape.into(),
            dtype: a.dtype,
        })
    }

    fn grad(
        &self,
        inputs: &[Tensor],
        _: &Tensor,
        g: &Tensor,
        wanted: &[bool],
    ) -> Vec<Option<Tensor>> {
        let apply = |f: ConvFn, a: &Tensor, b: &Tensor| {
            let op = Conv { f, ..self.clone() };
            Tensor::new(op.into(), vec![a.clone(), b.clone()], Location::caller())
        };
        let (a, b) = (&inputs[0], &inputs[1]);
        let first = || match self.f {
            ConvFn::Output | ConvFn::Kernel => {
                let (output, kernel) = if self.f == ConvFn::Output {
                    (g, b)
                } else {
                    (b, g)
                };
                apply(ConvFn::Input, output, kernel)
            }
            ConvFn::Input => apply(ConvFn::Output, g, b),
        };
        let second = || match self.f {
            ConvFn::Output => apply(ConvFn::Kernel, a, g),
            ConvFn::Input => apply(ConvFn::Kernel, g, a),
            ConvFn::Kernel => apply(ConvFn::Output, a, g),
        };
        vec![wanted[0].then(first), wanted[1].then(second)]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let types: Vec<TensorType> = inputs
            .iter()
            .map(|a| TensorType {
                shape: a.shape().clone(),
                dtype: a.dtype(),
            })
            .collect();
        // Inferred before: it fits.
        let Ok(e) = self.extents(&types) else {
            return Array::zeros(ty.dtype, ty.shape.clone());
        };
        let (a, b) = (inputs[0].to_vec::<f64>(), inputs[1].to_vec::<f64>());
        let mut out = vec![0.0; ty.shape.size()];
        let (cells, places): (usize, usize) =
            (self.spatial.iter().product(), e.places.iter().product());
        let (depth, width) = (
            e.channels / self.options.groups,
            e.filters / self.options.groups,
        );
        for (cell, place, input) in self.meetings(&e.places) {
            for (n, f) in (0..e.batch).flat_map(|n| (0..e.filters).map(move |f| (n, f))) {
                for c in 0..depth {
                    let x = (n * cells + input) * e.channels + f / width * depth + c;
                    let w = (cell * depth + c) * e.filters + f;
                    let y = (n * places + place) * e.filters + f;
                    match self.f {
                        ConvFn::Output => out[y] += a[x] * b[w],
                        ConvFn::Input => out[x] += a[y] * b[w],
                        ConvFn::Kernel => out[w] += a[x] * b[y],
                    }
                }
            }
        }
        map(ty, out.into_iter())
    }
}

impl Tensor {
    /// The convolution (as everywhere in this field, a cross-correlation) of `(batch, spatial…,
    /// channels)` with a kernel `(size…, channels / groups, filters)`.
    ///
    /// ```
    /// use cornu_core::ops::conv::ConvOptions;
    /// use cornu_core::{Device, Reference, Tensor};
    /// let x = Tensor::constant([1.0f32, 2.0, 4.0, 8.0]).reshape([1, 4, 1]);
    /// let kernel = Tensor::constant([1.0f32, -1.0]).reshape([2, 1, 1]);
    /// let y = Device::new(Reference).eval(&[x.conv(kernel, ConvOptions::new(1))]).unwrap();
    /// assert_eq!(y[0].to_vec::<f32>(), [-1.0, -2.0, -4.0]);
    /// ```
    #[track_caller]
    pub fn conv(&self, kernel: impl Into<Tensor>, options: ConvOptions) -> Tensor {
        let spatial = self
            .shape()
            .get(1..self.rank().saturating_sub(1))
            .unwrap_or_default();
        let spatial = spatial.to_vec();
        self.convolve(ConvFn::Output, kernel.into(), options, spatial)
    }

    /// The transposed convolution: what flows back through a convolution of an input of these spatial
    /// extents, when this is what flows to its output. The kernel is that convolution's: `(size…,
    /// channels of the result / groups, channels of this)`.
    ///
    /// ```
    /// use cornu_core::ops::conv::ConvOptions;
    /// use cornu_core::{Device, Reference, Tensor};
    /// let y = Tensor::constant([1.0f32, 2.0]).reshape([1, 2, 1]);
    /// let kernel = Tensor::constant([1.0f32, 10.0]).reshape([2, 1, 1]);
    /// let options = ConvOptions { strides: vec![2], ..ConvOptions::new(1) };
    /// let x = Device::new(Reference).eval(&[y.conv_transpose(kernel, options, &[4])]).unwrap();
    /// assert_eq!(x[0].to_vec::<f32>(), [1.0, 10.0, 2.0, 20.0]);
    /// ```
    #[track_caller]
    pub fn conv_transpose(
        &self,
        kernel: impl Into<Tensor>,
        options: ConvOptions,
        spatial: &[usize],
    ) -> Tensor {
        self.convolve(ConvFn::Input, kernel.into(), options, spatial.to_vec())
    }

    #[track_caller]
    fn convolve(
        &self,
        f: ConvFn,
        kernel: Tensor,
        options: ConvOptions,
        spatial: Vec<usize>,
    ) -> Tensor {
        let size = kernel
            .shape()
            .get(..kernel.rank().saturating_sub(2))
            .unwrap_or_default();
        let op = Conv {
            f,
            options,
            spatial,
            size: size.to_vec(),
        };
        Tensor::new(op.into(), vec![self.clone(), kernel], Location::caller())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    #[test]
    fn what_does_not_fit_is_refused() {
        let x = Tensor::zeros([1, 5, 5, 4], DType::F32);
        let conv = |kernel: [usize; 4], change: &dyn Fn(&mut ConvOptions)| {
            let mut options = ConvOptions::new(2);
            change(&mut options);
            let y = x.conv(Tensor::zeros(kernel, DType::F32), options);
            y.check()
                .map(|()| y.shape().to_vec())
                .map_err(|e| e.to_string())
        };
        let same = |_: &mut ConvOptions| {};
        assert_eq!(conv([3, 3, 4, 7], &same), Ok(vec![1, 3, 3, 7]));
        for (kernel, change, expected) in [
            (
                [6, 3, 4, 7],
                &same as &dyn Fn(&mut ConvOptions),
                "spatial extents (5, 5), kernel (6, 3)",
            ),
            (
                [3, 3, 3, 7],
                &same,
                "the input's 4 channels are not those of the kernel, 3",
            ),
            ([3, 3, 4, 7], &|o| o.groups = 2, "do not fall into groups"),
            ([3, 3, 4, 7], &|o| o.strides[1] = 0, "positive strides"),
            ([3, 3, 4, 7], &|o| o.dilation[0] = 3, "a kernel that fits"),
            ([0, 3, 4, 7], &same, "a kernel that fits"),
        ] {
            let e = conv(kernel, change).unwrap_err();
            assert!(e.contains(expected) && e.contains("Received"), "{e}");
        }
    }
}
