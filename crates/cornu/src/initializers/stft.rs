//! Kernels of the short-time Fourier transform.

use super::Rule;
use crate::{Array, DType, Error, Result, Shape};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Which part of the transform a kernel computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The real part.
    #[default]
    Real,
    /// The imaginary part.
    Imag,
}

/// What a window is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// `√Σ window²`.
    Density,
    /// `Σ |window|`.
    Spectrum,
}

/// The kernel of a convolution that computes the short-time Fourier transform, of shape
/// `(frame_length, 1, fft_length / 2 + 1)`: `window[t] · cos(−2π t f / fft_length)` (real) or `sin`
/// (imaginary). Defaults: real, Hann's window, density scaling, not periodic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct STFT {
    side: Side,
    window: Option<String>,
    periodic: bool,
    scaling: Option<Scaling>,
}

impl Default for STFT {
    fn default() -> Self {
        Self {
            side: Side::Real,
            window: Some("hann".to_string()),
            periodic: false,
            scaling: Some(Scaling::Density),
        }
    }
}

impl STFT {
    /// With the default arguments.
    pub fn new() -> Self {
        Self::default()
    }
    /// The real or the imaginary part.
    pub fn side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }
    /// `"hann"`, `"hamming"`, `"blackman"` or `"boxcar"`.
    pub fn window(mut self, window: impl Into<String>) -> Self {
        self.window = Some(window.into());
        self
    }
    /// No window and so no scaling.
    pub fn without_window(mut self) -> Self {
        self.window = None;
        self
    }
    /// Whether the window is one period of a periodic function rather than symmetric.
    pub fn periodic(mut self, periodic: bool) -> Self {
        self.periodic = periodic;
        self
    }
    /// What the window is divided by, if by anything.
    pub fn scaling(mut self, scaling: impl Into<Option<Scaling>>) -> Self {
        self.scaling = scaling.into();
        self
    }

    pub(super) fn rule(&self) -> Result<Rule> {
        self.scaled_window(1)?;
        Ok(Rule::Stft(self.clone()))
    }

    /// The window, divided as asked.
    fn scaled_window(&self, n: usize) -> Result<Vec<f64>> {
        let Some(name) = &self.window else {
            return Ok(vec![1.0; n]);
        };
        let cosines: &[f64] = match name.as_str() {
            "hann" => &[0.5, 0.5],
            "hamming" => &[0.54, 0.46],
            "blackman" => &[0.42, 0.5, 0.08],
            "boxcar" => &[1.0],
            _ => {
                let known = ["hann", "hamming", "blackman", "boxcar"];
                return Err(Error::unknown("window", name, &known));
            }
        };
        let period = if self.periodic || n < 2 { n } else { n - 1 } as f64;
        // Σ (−1)ᵏ aₖ cos(2π k t / period); a window of one element is 1.
        let value = |t: usize| {
            let angle = TAU * t as f64 / period;
            let term = |k: usize| (angle * k as f64).cos() * cosines[k];
            (0..cosines.len())
                .map(|k| if k % 2 == 0 { term(k) } else { -term(k) })
                .sum()
        };
        let window: Vec<f64> = if n == 1 {
            vec![1.0]
        } else {
            (0..n).map(value).collect()
        };
        let divisor = match self.scaling {
            None => 1.0,
            Some(Scaling::Density) => window.iter().map(|w| w * w).sum::<f64>().sqrt(),
            Some(Scaling::Spectrum) => window.iter().map(|w| w.abs()).sum(),
        };
        Ok(window.into_iter().map(|w| w / divisor).collect())
    }

    pub(super) fn sample(&self, shape: &Shape, dtype: DType) -> Result<Array> {
        let [frame, channels, bins] = **shape else {
            return Err(Error::shape(format!(
                "The initializer STFT makes kernels (frame_length, 1, bins). Received: shape {shape}."
            )));
        };
        let window = self.scaled_window(frame)?;
        let period = 2.0 * (bins.max(2) - 1) as f64;
        let mut values = Vec::with_capacity(shape.size());
        for (t, w) in window.iter().enumerate() {
            for _ in 0..channels {
                values.extend((0..bins).map(|f| {
                    let angle = -TAU * (t * f) as f64 / period;
                    w * if self.side == Side::Real {
                        angle.cos()
                    } else {
                        angle.sin()
                    }
                }));
            }
        }
        Ok(Array::from_vec(shape, values)?.cast(dtype))
    }
}
