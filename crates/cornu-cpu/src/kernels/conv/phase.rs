//! Which cells of the kernel meet which places of the source.

use super::patches::{Axis, Patches};
use cornu_core::ops::conv::{Conv, ConvExtents, ConvFn};

/// The products of one remainder of positions (of all, where places are not apart).
pub(super) struct Phase {
    pub patches: Patches,
    /// The kernel's cells, in the order in which patches have them.
    pub cells: Vec<usize>,
    /// Where the rows lie in the result, if not one after another.
    pub spread: Option<Spread>,
    pub rows: usize,
    pub k: usize,
}

/// Rows that are apart: where they begin along each axis, how far apart, and the result's extents.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub first: [usize; 3],
    pub apart: [usize; 3],
    pub extents: [usize; 3],
    counts: [usize; 3],
}

impl Spread {
    /// The row of the result.
    pub fn place(&self, row: usize) -> usize {
        let [na, nb, nc] = self.counts;
        let (image, at) = (row / (na * nb * nc), row % (na * nb * nc));
        let at = [at / (nb * nc), at / nc % nb, at % nc];
        (0..3).fold(image, |place, i| {
            place * self.extents[i] + self.first[i] + at[i] * self.apart[i]
        })
    }
}

/// The phases of a convolution whose patches are of so many channels, `channels` for all groups.
pub(super) fn phases(op: &Conv, e: &ConvExtents, channels: usize) -> Vec<Phase> {
    let o = &op.options;
    let walk = Walk {
        batch: e.batch,
        channels,
        depth: channels / o.groups,
        spatial: three(&op.spatial, 1),
        size: three(&op.size, 1),
        places: three(&e.places, 1),
        strides: three(&o.strides, 1),
        dilation: three(&o.dilation, 1),
        low: three(&o.padding, (0, 0)).map(|p| p.0),
    };
    match op.f {
        ConvFn::Output | ConvFn::Kernel => vec![walk.forward()],
        ConvFn::Input => {
            let [a, b, c] = [0, 1, 2].map(|i| walk.strides[i].min(walk.spatial[i]));
            let firsts = (0..a * b * c).map(|n| [n / (b * c), n / c % b, n % c]);
            firsts.map(|first| walk.backward(first)).collect()
        }
    }
}

/// As many values as there are axes, after those of missing ones.
fn three<A: Copy>(values: &[A], missing: A) -> [A; 3] {
    let mut all = [missing; 3];
    all[3 - values.len()..].copy_from_slice(values);
    all
}

/// How a kernel goes over its input, along three axes.
struct Walk {
    batch: usize,
    /// Channels of the patches' source, and those of a group.
    channels: usize,
    depth: usize,
    spatial: [usize; 3],
    size: [usize; 3],
    places: [usize; 3],
    strides: [usize; 3],
    dilation: [usize; 3],
    low: [usize; 3],
}

impl Walk {
    /// What the kernel meets at each place.
    fn forward(&self) -> Phase {
        let axis = |i: usize| Axis {
            count: self.places[i],
            step: self.strides[i],
            source: self.spatial[i],
            offsets: (0..self.size[i])
                .map(|k| (k * self.dilation[i]) as isize - self.low[i] as isize)
                .collect(),
        };
        let cells = (0..self.size.iter().product()).collect();
        self.phase([0, 1, 2].map(axis), cells, None)
    }

    /// What flows to the input's positions `first`, `first + stride`, … along each axis: the kernel's
    /// cells that meet them, last first, so that the places they meet ascend.
    fn backward(&self, first: [usize; 3]) -> Phase {
        let met = |i: usize| -> Vec<(usize, isize)> {
            let at = (first[i] + self.low[i]) as isize;
            let cells = (0..self.size[i])
                .rev()
                .map(|k| (k, at - (k * self.dilation[i]) as isize));
            let apart = self.strides[i] as isize;
            let met = cells.filter(|(_, from)| from % apart == 0);
            met.map(|(k, from)| (k, from / apart)).collect()
        };
        let met = [0, 1, 2].map(met);
        let counts = [0, 1, 2].map(|i| (self.spatial[i] - first[i]).div_ceil(self.strides[i]));
        let axes = [0, 1, 2].map(|i| Axis {
            count: counts[i],
            step: 1,
            source: self.places[i],
            offsets: met[i].iter().map(|(_, offset)| *offset).collect(),
        });
        let mut cells = Vec::new();
        for (a, _) in &met[0] {
            for (b, _) in &met[1] {
                let line = (a * self.size[1] + b) * self.size[2];
                cells.extend(met[2].iter().map(|(c, _)| line + c));
            }
        }
        let spread = (self.strides != [1; 3]).then_some(Spread {
            first,
            apart: self.strides,
            extents: self.spatial,
            counts,
        });
        self.phase(axes, cells, spread)
    }

    fn phase(&self, axes: [Axis; 3], cells: Vec<usize>, spread: Option<Spread>) -> Phase {
        Phase {
            rows: self.batch * axes.iter().map(|a| a.count).product::<usize>(),
            k: cells.len() * self.depth,
            patches: Patches {
                axes,
                channels: self.channels,
                depth: self.depth,
            },
            cells,
            spread,
        }
    }
}
