//! Counter-based random numbers: Philox on vectors of blocks.

use super::other::{OtherKernel, part, pieces};
use crate::simd::{Isa, Simd, SimdOp, dispatch};
use cornu_core::ops::random::Random;
use cornu_core::{DType, TensorType, bf16, f16};
use std::array::from_fn;
use std::ops::Range;

/// Blocks made together.
const BLOCKS: usize = 16;
/// Words made together; a block has four.
const WORDS: usize = 4 * BLOCKS;

/// Draws numbers from a state.
#[derive(Debug)]
pub struct RandomKernel {
    stream: u32,
    dtype: DType,
    n: usize,
    isa: Isa,
}

impl RandomKernel {
    /// For a result of this type.
    pub fn compile(op: &Random, _: &[TensorType], output: &TensorType) -> RandomKernel {
        RandomKernel {
            stream: op.stream,
            dtype: output.dtype,
            n: output.shape.size(),
            isa: Isa::get(),
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        self.n as f64 * 0.5
    }

    fn units(&self) -> usize {
        self.n.div_ceil(WORDS)
    }
}

impl OtherKernel for RandomKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.units(), threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let units = part(self.units(), piece, pieces);
        let n = self.n;
        // SAFETY: a state is three words, and units are inside the result, as promised by the caller.
        unsafe {
            let state = inputs[0].cast::<[u32; 3]>().read();
            match self.dtype {
                DType::F32 => self.draw(state, units, output.cast::<f32>()),
                DType::F64 | DType::BF16 | DType::F16 => {
                    for unit in units {
                        let mut drawn = [0f32; WORDS];
                        let from = unit * WORDS;
                        let count = WORDS.min(n - from);
                        self.draw(state, unit..unit + 1, drawn.as_mut_ptr().wrapping_sub(from));
                        for (i, x) in (from..).zip(&drawn[..count]) {
                            match self.dtype {
                                DType::F64 => *output.cast::<f64>().add(i) = f64::from(*x),
                                DType::F16 => *output.cast::<f16>().add(i) = f16::from_f32(*x),
                                _ => *output.cast::<bf16>().add(i) = bf16::from_f32(*x),
                            }
                        }
                    }
                }
                _ => self.draw(state, units, output.cast::<i32>()),
            }
        }
    }
}

impl RandomKernel {
    /// Draws some units of a result that begins at `output`.
    ///
    /// # Safety
    /// The result has room for the units.
    unsafe fn draw<T: Drawn>(&self, state: [u32; 3], units: Range<usize>, output: *mut T) {
        let kernel = self;
        let job = Draw {
            kernel,
            state,
            output,
            units,
        };
        // SAFETY: as promised by the caller.
        unsafe { dispatch(self.isa, job) }
    }
}

/// What is made of a random word.
trait Drawn: Copy {
    fn of(word: u32) -> Self;
}

impl Drawn for i32 {
    #[inline(always)]
    fn of(word: u32) -> i32 {
        word as i32
    }
}
impl Drawn for f32 {
    #[inline(always)]
    fn of(word: u32) -> f32 {
        // 24 bits fit a signed word, whose conversion every instruction set has.
        (word >> 8) as i32 as f32 * (1.0 / (1 << 24) as f32)
    }
}
/// Some units of a draw.
struct Draw<'a, T> {
    kernel: &'a RandomKernel,
    state: [u32; 3],
    output: *mut T,
    units: Range<usize>,
}

impl<T: Drawn> SimdOp for Draw<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let n = self.kernel.n;
        for unit in self.units {
            let words = philox(self.state, self.kernel.stream, (unit * BLOCKS) as u64);
            let from = unit * WORDS;
            let count = WORDS.min(n - from);
            // SAFETY: elements from `from` on are inside the result, `count` of them.
            unsafe {
                let to = self.output.wrapping_add(from);
                if count == WORDS {
                    let to = to.cast::<[T; WORDS]>();
                    *to = from_fn(|i| T::of(words[i]));
                } else {
                    for (i, word) in words[..count].iter().enumerate() {
                        *to.add(i) = T::of(*word);
                    }
                }
            }
        }
    }
}

/// [`cornu_core::random::philox`] of `BLOCKS` blocks from `first` on, block after block.
///
/// Words are kept in the lower halves of 64-bit lanes, the upper halves being anything: so that a
/// product needs no shuffling before or after.
#[inline(always)]
fn philox(state: [u32; 3], stream: u32, first: u64) -> [u32; WORDS] {
    let mut c: [[u64; BLOCKS]; 4] = [
        from_fn(|b| first + b as u64),
        from_fn(|b| (first + b as u64) >> 32),
        [u64::from(state[2]); BLOCKS],
        [u64::from(stream); BLOCKS],
    ];
    let low = |x: u64| x & 0xFFFF_FFFF;
    let mut key = [state[0], state[1]];
    for _ in 0..10 {
        let x: [u64; BLOCKS] = from_fn(|b| low(c[0][b]) * 0xD251_1F53);
        let y: [u64; BLOCKS] = from_fn(|b| low(c[2][b]) * 0xCD9E_8D57);
        c = [
            from_fn(|b| (y[b] >> 32) ^ c[1][b] ^ u64::from(key[0])),
            y,
            from_fn(|b| (x[b] >> 32) ^ c[3][b] ^ u64::from(key[1])),
            x,
        ];
        key[0] = key[0].wrapping_add(0x9E37_79B9);
        key[1] = key[1].wrapping_add(0xBB67_AE85);
    }
    // Two words a lane, as they lie in memory.
    let pair = |a: u64, b: u64| match cfg!(target_endian = "big") {
        true => low(b) | a << 32,
        false => low(a) | b << 32,
    };
    let pairs: [u64; WORDS / 2] = from_fn(|i| {
        let (w, b) = (i % 2 * 2, i / 2);
        pair(c[w][b], c[w + 1][b])
    });
    // SAFETY: both are plain words of the same size.
    unsafe { std::mem::transmute::<[u64; WORDS / 2], [u32; WORDS]>(pairs) }
}
