//! What must hold of convolutions and pooling whatever their geometry and weights are.

use cornu::prelude::*;
use cornu_core::random::Stream;

/// Geometries drawn by one generator, so that every run sees the same.
struct Draw(Stream);

impl Draw {
    fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.0.below((high - low + 1) as u32) as usize
    }

    fn pair(&mut self, low: usize, high: usize) -> [usize; 2] {
        [self.between(low, high), self.between(low, high)]
    }

    /// Sixty-fourths between -1 and 1.
    fn array(&mut self, shape: &[usize]) -> Array {
        let values = (0..shape.iter().product()).map(|_| f64::from(self.0.below(128)) / 64.0 - 1.0);
        let values = values.collect();
        Array::from_vec(Shape::from(shape), values)
            .unwrap()
            .cast(DType::F32)
    }

    /// Images whose axes are no shorter than a window's reach.
    fn images(&mut self, reach: [usize; 2], channels: usize) -> Array {
        let [height, width] = reach.map(|r| r + self.between(0, 4));
        self.array(&[2, height, width, channels])
    }
}

/// So many draws of a property.
fn drawn(property: impl Fn(&mut Draw) -> cornu::Result<()>) -> cornu::Result<()> {
    (0..12).try_for_each(|seed| property(&mut Draw(Stream::new(seed, 1))))
}

/// A layer's output; its weights are those given.
fn apply(layer: impl Into<Box<dyn Layer>>, weights: &[&Array], x: &Array) -> cornu::Result<Tensor> {
    let input = Input::new(x.shape()[1..].to_vec()).symbol();
    let mut model = Model::new(&input, layer.into().on(&input))?;
    let weights: Vec<Array> = weights.iter().map(|w| (*w).clone()).collect();
    model.set_weights(&weights)?;
    model.call(&Tensor::constant(x.clone()))
}

fn same(a: &Tensor, b: &Tensor) -> cornu::Result<()> {
    let (a, b) = (a.eval()?, b.eval()?);
    assert_eq!(a.shape(), b.shape());
    let pairs = a.to_vec::<f32>().into_iter().zip(b.to_vec::<f32>());
    pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-4, "{a} instead of {b}"));
    Ok(())
}

/// What "same" puts before and after an axis: TensorFlow's rule.
fn border(n: usize, reach: usize, stride: usize) -> (usize, usize) {
    let total = ((n.div_ceil(stride) - 1) * stride + reach).saturating_sub(n);
    (total / 2, total - total / 2)
}

fn borders(x: &Array, reach: [usize; 2], strides: [usize; 2]) -> [(usize, usize); 2] {
    [0, 1].map(|a| border(x.shape()[a + 1], reach[a], strides[a]))
}

/// Every so-manieth place of images, from the first.
fn every(x: &Tensor, strides: [usize; 2]) -> Tensor {
    (0..2).fold(x.clone(), |x, axis| {
        let places = (0..x.shape()[axis + 1]).step_by(strides[axis]);
        let places: Vec<i32> = places.map(|p| p as i32).collect();
        x.take(Tensor::constant(Array::from(places)), axis as isize + 1)
    })
}

fn conv(filters: usize, kernel: [usize; 2]) -> Conv2D {
    Conv2D::new(filters, kernel).use_bias(false)
}

#[test]
fn same_is_valid_with_a_border() -> cornu::Result<()> {
    drawn(|draw| {
        let (kernel, strides) = (draw.pair(1, 4), draw.pair(1, 3));
        let x = draw.images([1, 1], 3);
        let w = draw.array(&[kernel[0], kernel[1], 3, 2]);
        let padded = apply(ZeroPadding2D::new(borders(&x, kernel, strides)), &[], &x)?.eval()?;
        let valid = apply(conv(2, kernel).strides(strides), &[&w], &padded)?;
        let all = conv(2, kernel).strides(strides).padding("same");
        same(&apply(all, &[&w], &x)?, &valid)
    })
}

#[test]
fn causal_is_valid_after_a_border() -> cornu::Result<()> {
    drawn(|draw| {
        let (kernel, steps) = (draw.between(1, 4), draw.between(1, 8));
        let (stride, apart) = match draw.between(0, 1) {
            0 => (draw.between(1, 3), 1),
            _ => (1, draw.between(1, 3)),
        };
        let x = draw.array(&[2, steps, 3]);
        let w = draw.array(&[kernel, 3, 2]);
        let layer = Conv1D::new(2, kernel).use_bias(false);
        let layer = layer.strides(stride).dilation_rate(apart);
        let before = ZeroPadding1D::new(((kernel - 1) * apart, 0));
        let padded = apply(before, &[], &x)?.eval()?;
        let valid = apply(layer.clone(), &[&w], &padded)?;
        same(&apply(layer.padding("causal"), &[&w], &x)?, &valid)
    })
}

#[test]
fn strides_leave_places_out() -> cornu::Result<()> {
    drawn(|draw| {
        let (kernel, strides) = (draw.pair(1, 3), draw.pair(1, 3));
        let x = draw.images(kernel, 2);
        let w = draw.array(&[kernel[0], kernel[1], 2, 3]);
        let all = apply(conv(3, kernel), &[&w], &x)?;
        let some = apply(conv(3, kernel).strides(strides), &[&w], &x)?;
        same(&some, &every(&all, strides))?;
        for (all, some) in [
            (
                Box::<dyn Layer>::from(MaxPooling2D::new(kernel).strides(1)),
                Box::<dyn Layer>::from(MaxPooling2D::new(kernel).strides(strides)),
            ),
            (
                AveragePooling2D::new(kernel).strides(1).into(),
                AveragePooling2D::new(kernel).strides(strides).into(),
            ),
        ] {
            let (all, some) = (apply(all, &[], &x)?, apply(some, &[], &x)?);
            same(&some, &every(&all, strides))?;
        }
        Ok(())
    })
}

#[test]
fn dilation_puts_zeros_into_the_kernel() -> cornu::Result<()> {
    drawn(|draw| {
        let (kernel, apart) = (draw.pair(1, 3), draw.pair(1, 3));
        let reach = [0, 1].map(|a| (kernel[a] - 1) * apart[a] + 1);
        let x = draw.images(reach, 2);
        let w = draw.array(&[kernel[0], kernel[1], 2, 3]);
        let mut wide = vec![0f32; reach[0] * reach[1] * 6];
        for (i, value) in w.to_vec::<f32>().into_iter().enumerate() {
            let (row, column) = (i / 6 / kernel[1], i / 6 % kernel[1]);
            wide[(row * apart[0] * reach[1] + column * apart[1]) * 6 + i % 6] = value;
        }
        let wide = Array::from_vec([reach[0], reach[1], 2, 3], wide)?;
        let dilated = apply(conv(3, kernel).dilation_rate(apart), &[&w], &x)?;
        same(&dilated, &apply(conv(3, reach), &[&wide], &x)?)
    })
}

#[test]
fn a_group_sees_its_own_channels() -> cornu::Result<()> {
    drawn(|draw| {
        let (kernel, groups) = (draw.pair(1, 3), draw.between(1, 3));
        let (channels, filters) = (2 * groups, 3 * groups);
        let x = draw.images(kernel, channels);
        let w = draw.array(&[kernel[0], kernel[1], 2, filters]);
        let together = apply(conv(filters, kernel).groups(groups), &[&w], &x)?;
        let (xs, ws) = (Tensor::constant(x), Tensor::constant(w));
        let apart = (0..groups).map(|g| {
            let (x, w) = (
                xs.narrow(3, 2 * g, 2).eval()?,
                ws.narrow(3, 3 * g, 3).eval()?,
            );
            apply(conv(3, kernel), &[&w], &x)
        });
        let apart = apart.collect::<cornu::Result<Vec<Tensor>>>()?;
        same(&together, &Tensor::concat(&apart, -1))
    })
}

#[test]
fn depthwise_is_a_group_for_each_channel() -> cornu::Result<()> {
    drawn(|draw| {
        let (kernel, several) = (draw.pair(1, 3), draw.between(1, 2));
        let x = draw.images(kernel, 3);
        let w = draw.array(&[kernel[0], kernel[1], 3, several]);
        let layer = DepthwiseConv2D::new(kernel).depth_multiplier(several);
        let depthwise = apply(layer.use_bias(false), &[&w], &x)?;
        let groups = Tensor::constant(w.clone()).reshape([kernel[0], kernel[1], 1, 3 * several]);
        let grouped = conv(3 * several, kernel).groups(3);
        same(&depthwise, &apply(grouped, &[&groups.eval()?], &x)?)?;

        let points = draw.array(&[1, 1, 3 * several, 2]);
        let layer = SeparableConv2D::new(2, kernel).depth_multiplier(several);
        let separable = apply(layer.use_bias(false), &[&w, &points], &x)?;
        same(
            &separable,
            &apply(conv(2, [1, 1]), &[&points], &depthwise.eval()?)?,
        )
    })
}

#[test]
fn a_kernel_of_one_place_is_dense() -> cornu::Result<()> {
    drawn(|draw| {
        let x = draw.images([1, 1], 3);
        let (w, b) = (draw.array(&[3, 4]), draw.array(&[4]));
        let dense = apply(Dense::new(4), &[&w, &b], &x)?;
        let w = Tensor::constant(w).reshape([1, 1, 3, 4]).eval()?;
        same(&apply(Conv2D::new(4, 1), &[&w, &b], &x)?, &dense)
    })
}

#[test]
fn transposed_convolution_is_the_adjoint() -> cornu::Result<()> {
    drawn(|draw| {
        let (kernel, strides) = (draw.pair(1, 4), draw.pair(1, 3));
        for padding in ["valid", "same"] {
            // Extents of which nothing is left over, so that the way back gives them again.
            let places = draw.pair(1, 4);
            let extent = [0, 1].map(|a| match padding {
                "same" => places[a] * strides[a],
                _ => (places[a] - 1) * strides[a] + kernel[a].max(strides[a]),
            });
            let x = draw.array(&[2, extent[0], extent[1], 3]);
            let w = draw.array(&[kernel[0], kernel[1], 3, 2]);
            let ahead = apply(conv(2, kernel).strides(strides).padding(padding), &[&w], &x)?;
            let y = draw.array(ahead.shape().dims());
            let back = Conv2DTranspose::new(3, kernel)
                .use_bias(false)
                .strides(strides);
            let back = apply(back.padding(padding), &[&w], &y)?;
            let one = (&ahead * Tensor::constant(y)).sum().eval()?.item::<f32>()?;
            let other = (&back * Tensor::constant(x)).sum().eval()?.item::<f32>()?;
            assert!((one - other).abs() < 1e-3, "{one} and {other}");
        }
        Ok(())
    })
}

#[test]
fn channels_first_is_channels_last_turned() -> cornu::Result<()> {
    drawn(|draw| {
        let (kernel, strides) = (draw.pair(1, 3), draw.pair(1, 2));
        let x = draw.images(kernel, 3);
        let w = draw.array(&[kernel[0], kernel[1], 3, 2]);
        let turned = Tensor::constant(x.clone())
            .transpose(&[0, 3, 1, 2])
            .eval()?;
        let first = || DataFormat::ChannelsFirst;
        let pool = || MaxPooling2D::new(kernel).strides(strides).padding("same");
        let back = |y: Tensor| y.transpose(&[0, 2, 3, 1]);
        let layer = conv(2, kernel).strides(strides);
        let last = apply(layer.clone(), &[&w], &x)?;
        same(
            &back(apply(layer.data_format(first()), &[&w], &turned)?),
            &last,
        )?;
        let last = apply(pool(), &[], &x)?;
        same(
            &back(apply(pool().data_format(first()), &[], &turned)?),
            &last,
        )
    })
}

#[test]
fn pooling_to_the_border_leaves_out_what_is_beyond() -> cornu::Result<()> {
    drawn(|draw| {
        let (window, strides) = (draw.pair(1, 4), draw.pair(1, 3));
        let x = draw.images([1, 1], 2);
        let pad = |x: &Array| apply(ZeroPadding2D::new(borders(x, window, strides)), &[], x);
        // Added to what is inside, ten makes it larger than the border's zeros.
        let raised = (Tensor::constant(x.clone()) + 10.0).eval()?;
        let max = || MaxPooling2D::new(window).strides(strides);
        let valid = apply(max(), &[], &pad(&raised)?.eval()?)? - 10.0;
        same(&apply(max().padding("same"), &[], &x)?, &valid)?;
        // A mean over what is inside: of the values and of ones, where the border counts 0.
        let mean = || AveragePooling2D::new(window).strides(strides);
        let ones = Tensor::constant(x.clone()).ones_like().eval()?;
        let share = apply(mean(), &[], &pad(&ones)?.eval()?)?;
        let valid = apply(mean(), &[], &pad(&x)?.eval()?)? / share;
        same(&apply(mean().padding("same"), &[], &x)?, &valid)
    })
}

#[test]
fn windows_that_cover_all_are_global_and_adaptive() -> cornu::Result<()> {
    drawn(|draw| {
        let (window, places) = (draw.pair(1, 3), draw.pair(1, 3));
        let x = draw.array(&[2, window[0] * places[0], window[1] * places[1], 3]);
        let max = apply(MaxPooling2D::new(window), &[], &x)?;
        same(&apply(AdaptiveMaxPooling2D::new(places), &[], &x)?, &max)?;
        let mean = apply(AveragePooling2D::new(window), &[], &x)?;
        same(
            &apply(AdaptiveAveragePooling2D::new(places), &[], &x)?,
            &mean,
        )?;
        let all = [x.shape()[1], x.shape()[2]];
        let max = apply(MaxPooling2D::new(all), &[], &x)?;
        same(
            &apply(GlobalMaxPooling2D::new().keepdims(true), &[], &x)?,
            &max,
        )?;
        let mean = apply(AveragePooling2D::new(all), &[], &x)?;
        same(
            &apply(GlobalAveragePooling2D::new().keepdims(true), &[], &x)?,
            &mean,
        )
    })
}

#[test]
fn what_is_added_can_be_taken_away() -> cornu::Result<()> {
    drawn(|draw| {
        let x = draw.images([1, 1], 2);
        let margins = [draw.pair(0, 2), draw.pair(0, 2)].map(|[a, b]| (a, b));
        let padded = apply(ZeroPadding2D::new(margins), &[], &x)?.eval()?;
        let again = apply(Cropping2D::new(margins), &[], &padded)?;
        same(&again, &Tensor::constant(x.clone()))?;
        let size = draw.pair(1, 3);
        let larger = apply(UpSampling2D::new(size), &[], &x)?.eval()?;
        same(
            &apply(AveragePooling2D::new(size), &[], &larger)?,
            &Tensor::constant(x),
        )
    })
}
