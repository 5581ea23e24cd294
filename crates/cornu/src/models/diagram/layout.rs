//! Places for boxes between which something flows: in ranks, with few crossings, lines kept straight
//! (Sugiyama, Tagawa and Toda, 1981). Ranks follow each other downwards.

/// What is to be placed: the extents of boxes, and from which to which lines lead. Lines are in order of
/// the boxes where they begin; none leads in a circle.
pub(super) struct Boxes {
    pub sizes: Vec<(f64, f64)>,
    pub lines: Vec<Line>,
    /// Boxes at the top and at the bottom, whatever leads to them.
    pub first: Vec<usize>,
    pub last: Vec<usize>,
}

/// A line from a box to another; where it leaves and arrives is told from the middle of each.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub from: usize,
    pub leaves: f64,
    pub to: usize,
    pub arrives: f64,
}

/// Where everything is; the origin is the top left corner.
pub(super) struct Places {
    /// The middle of each box.
    pub middles: Vec<(f64, f64)>,
    /// For each line the points that it passes: in pairs, straight down beside the boxes of a rank, and
    /// from there to the next pair.
    pub ways: Vec<Vec<(f64, f64)>>,
    pub size: (f64, f64),
}

/// Between neighbours of a rank, and between ranks.
const BESIDE: f64 = 28.0;
const BELOW: f64 = 44.0;
/// The room of a line that passes a rank.
const PASSING: f64 = 10.0;

/// A box of a rank, or where a line passes it.
struct Spot {
    width: f64,
    /// Neighbours in the ranks above and below, where a line leaves here and where it arrives there, and
    /// how much it wants to be straight.
    above: Vec<Link>,
    below: Vec<Link>,
    x: f64,
}

struct Link {
    spot: usize,
    here: f64,
    there: f64,
    weight: f64,
}

impl Boxes {
    pub fn place(&self) -> Places {
        let ranks_of = self.ranks();
        let count = ranks_of.iter().max().map_or(0, |r| r + 1);
        let mut ranks: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut spots: Vec<Spot> = Vec::new();
        let spot = |width| Spot {
            width,
            above: Vec::new(),
            below: Vec::new(),
            x: 0.0,
        };
        for (i, rank) in ranks_of.iter().enumerate() {
            ranks[*rank].push(i);
            spots.push(spot(self.sizes[i].0));
        }
        // A line of several ranks has a spot in each that it passes.
        let mut passes: Vec<Vec<usize>> = Vec::new();
        for line in &self.lines {
            let mut way = vec![line.from];
            for rank in &mut ranks[ranks_of[line.from] + 1..ranks_of[line.to].max(1)] {
                way.push(spots.len());
                rank.push(spots.len());
                spots.push(spot(PASSING));
            }
            way.push(line.to);
            for (i, pair) in way.windows(2).enumerate() {
                let leaves = if i == 0 { line.leaves } else { 0.0 };
                let arrives = if i + 2 == way.len() {
                    line.arrives
                } else {
                    0.0
                };
                let passing = pair.iter().filter(|s| **s >= self.sizes.len()).count();
                let weight = [1.0, 2.0, 8.0][passing];
                let link = |spot, here, there| Link {
                    spot,
                    here,
                    there,
                    weight,
                };
                spots[pair[0]].below.push(link(pair[1], leaves, arrives));
                spots[pair[1]].above.push(link(pair[0], arrives, leaves));
            }
            passes.push(way[1..way.len() - 1].to_vec());
        }
        order(&mut ranks, &spots);
        spread(&ranks, &mut spots);
        self.read(&ranks_of, &ranks, &spots, &passes)
    }

    /// The rank of each box: below all that leads to it, and as near as can be to what it leads to.
    fn ranks(&self) -> Vec<usize> {
        let n = self.sizes.len();
        let mut ranks = vec![0; n];
        // Boxes may be in any order: as many rounds as the longest way has steps.
        loop {
            let mut moved = false;
            for line in &self.lines {
                let needed = ranks[line.from] + 1;
                if ranks[line.to] < needed && needed < n {
                    ranks[line.to] = needed;
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
        let bottom = ranks.iter().copied().max().unwrap_or(0);
        self.last.iter().for_each(|i| ranks[*i] = bottom);
        for i in (0..n).filter(|i| !self.first.contains(i) && !self.last.contains(i)) {
            let begins = self.lines.iter().all(|l| l.to != i);
            let nearest = self.lines.iter().filter(|l| l.from == i);
            let nearest = nearest.map(|l| ranks[l.to]).min();
            if let Some(nearest) = nearest.filter(|_| begins) {
                ranks[i] = nearest.saturating_sub(1);
            }
        }
        ranks
    }

    /// Coordinates of everything, moved so that nothing is left of or above the origin.
    fn read(
        &self,
        ranks_of: &[usize],
        ranks: &[Vec<usize>],
        spots: &[Spot],
        passes: &[Vec<usize>],
    ) -> Places {
        let edge = |i: usize, side: f64| spots[i].x + side * spots[i].width / 2.0;
        let all = 0..spots.len();
        let left = all.clone().map(|i| edge(i, -1.0)).fold(f64::MAX, f64::min);
        let right = all.map(|i| edge(i, 1.0)).fold(f64::MIN, f64::max);
        let x = |i: usize| spots[i].x - left;
        let mut tops = Vec::new();
        let mut y = 0.0;
        for rank in ranks {
            let boxes = rank.iter().filter_map(|i| self.sizes.get(*i));
            let height = boxes.map(|s| s.1).fold(0.0, f64::max);
            tops.push((y, height));
            y += height + BELOW;
        }
        let middle = |i: usize| {
            let (top, height) = tops[ranks_of[i]];
            (x(i), top + height / 2.0)
        };
        let ways = self.lines.iter().zip(passes).map(|(line, passes)| {
            let (from, to) = (middle(line.from), middle(line.to));
            let (leaves, arrives) = (from.0 + line.leaves, to.0 + line.arrives);
            let below = from.1 + self.sizes[line.from].1 / 2.0;
            let above = to.1 - self.sizes[line.to].1 / 2.0;
            let (top, height) = tops[ranks_of[line.from]];
            let mut way = vec![(leaves, below), (leaves, top + height)];
            for (spot, (top, height)) in passes.iter().zip(&tops[ranks_of[line.from] + 1..]) {
                way.extend([(x(*spot), *top), (x(*spot), top + height)]);
            }
            way.extend([(arrives, tops[ranks_of[line.to]].0), (arrives, above)]);
            way
        });
        Places {
            ways: ways.collect(),
            middles: (0..self.sizes.len()).map(middle).collect(),
            size: ((right - left).max(0.0), (y - BELOW).max(0.0)),
        }
    }
}

/// Orders each rank by where its neighbours are, from above and from below in turn, and keeps the order
/// with the fewest crossings.
fn order(ranks: &mut Vec<Vec<usize>>, spots: &[Spot]) {
    let (mut best, mut fewest) = (ranks.clone(), crossings(ranks, spots));
    for round in 0..12 {
        let down = round % 2 == 0;
        let mut rows: Vec<usize> = (0..ranks.len()).collect();
        if !down {
            rows.reverse();
        }
        for row in rows.into_iter().skip(1) {
            let other = &ranks[if down { row - 1 } else { row + 1 }];
            let mut at = vec![0.0; spots.len()];
            for (i, spot) in other.iter().enumerate() {
                at[*spot] = i as f64;
            }
            let own: Vec<(usize, f64)> = ranks[row]
                .iter()
                .enumerate()
                .map(|(i, s)| {
                    let links = if down {
                        &spots[*s].above
                    } else {
                        &spots[*s].below
                    };
                    let sum: f64 = links.iter().map(|l| at[l.spot]).sum();
                    match links.len() {
                        0 => (*s, i as f64),
                        n => (*s, sum / n as f64),
                    }
                })
                .collect();
            let mut own = own;
            own.sort_by(|a, b| a.1.total_cmp(&b.1));
            ranks[row] = own.into_iter().map(|(s, _)| s).collect();
        }
        let now = crossings(ranks, spots);
        if now < fewest {
            (best, fewest) = (ranks.clone(), now);
        }
    }
    *ranks = best;
}

fn crossings(ranks: &[Vec<usize>], spots: &[Spot]) -> usize {
    let mut at = vec![0; spots.len()];
    for rank in ranks {
        rank.iter().enumerate().for_each(|(i, s)| at[*s] = i);
    }
    let mut count = 0;
    for rank in ranks {
        let lines: Vec<(usize, usize)> = rank
            .iter()
            .flat_map(|s| spots[*s].below.iter().map(|l| (at[*s], at[l.spot])))
            .collect();
        for (i, a) in lines.iter().enumerate() {
            let crosses =
                |b: &&(usize, usize)| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1);
            count += lines[i + 1..].iter().filter(crosses).count();
        }
    }
    count
}

/// Moves the spots of each rank to where their lines are straightest, in rounds over all ranks.
fn spread(ranks: &[Vec<usize>], spots: &mut [Spot]) {
    for round in 0..200 {
        let mut rows: Vec<usize> = (0..ranks.len()).collect();
        if round % 2 == 1 {
            rows.reverse();
        }
        for row in rows {
            let wishes: Vec<(f64, f64)> = ranks[row]
                .iter()
                .map(|s| {
                    let spot = &spots[*s];
                    let links = spot.above.iter().chain(&spot.below);
                    let (mut sum, mut weight) = (0.0, 0.0);
                    for link in links {
                        sum += link.weight * (spots[link.spot].x + link.there - link.here);
                        weight += link.weight;
                    }
                    match weight > 0.0 {
                        true => (sum / weight, weight),
                        false => (spot.x, 1.0),
                    }
                })
                .collect();
            let widths: Vec<f64> = ranks[row].iter().map(|s| spots[*s].width).collect();
            for (s, x) in ranks[row].iter().zip(apart(&wishes, &widths)) {
                spots[*s].x = x;
            }
        }
    }
}

/// The places nearest to those wished for (in the sum of weighted squares) at which neighbours keep their
/// distance: pooling adjacent violators.
fn apart(wishes: &[(f64, f64)], widths: &[f64]) -> Vec<f64> {
    let mut offsets = vec![0.0];
    for pair in widths.windows(2) {
        let last = offsets[offsets.len() - 1];
        offsets.push(last + (pair[0] + pair[1]) / 2.0 + BESIDE);
    }
    // Blocks of neighbours that touch: sum of weighted wishes, weight, number.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((wish, weight), offset) in wishes.iter().zip(&offsets) {
        let mut block = ((wish - offset) * weight, *weight, 1);
        while let Some(before) = blocks.pop() {
            if before.0 / before.1 <= block.0 / block.1 {
                blocks.push(before);
                break;
            }
            block = (before.0 + block.0, before.1 + block.1, before.2 + block.2);
        }
        blocks.push(block);
    }
    let places = blocks
        .into_iter()
        .flat_map(|(sum, weight, n)| std::iter::repeat_n(sum / weight, n));
    places.zip(&offsets).map(|(x, offset)| x + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(sizes: &[(f64, f64)], lines: &[(usize, usize)]) -> Boxes {
        let line = |(from, to): &(usize, usize)| Line {
            from: *from,
            leaves: 0.0,
            to: *to,
            arrives: 0.0,
        };
        Boxes {
            sizes: sizes.to_vec(),
            lines: lines.iter().map(line).collect(),
            first: Vec::new(),
            last: Vec::new(),
        }
    }

    #[test]
    fn boxes_never_overlap() {
        // Random graphs, whose lines lead from lower to higher numbers.
        for seed in 0..20 {
            let mut draw = cornu_core::random::Stream::new(seed, 1);
            let n = 2 + draw.below(14) as usize;
            let mut size = || {
                (
                    20.0 + f64::from(draw.below(200)),
                    20.0 + f64::from(draw.below(60)),
                )
            };
            let sizes: Vec<(f64, f64)> = (0..n).map(|_| size()).collect();
            let mut lines = Vec::new();
            for to in 1..n {
                lines.push((draw.below(to as u32) as usize, to));
                lines.push((draw.below(to as u32) as usize, to));
            }
            let places = boxes(&sizes, &lines).place();
            for (i, (a, (w, h))) in places.middles.iter().zip(&sizes).enumerate() {
                let (width, height) = places.size;
                assert!(a.0 - w / 2.0 >= -1e-6 && a.0 + w / 2.0 <= width + 1e-6);
                assert!(a.1 - h / 2.0 >= -1e-6 && a.1 + h / 2.0 <= height + 1e-6);
                for (b, (v, g)) in places.middles.iter().zip(&sizes).skip(i + 1) {
                    let beside = (a.0 - b.0).abs() >= (w + v) / 2.0;
                    let below = (a.1 - b.1).abs() >= (h + g) / 2.0;
                    assert!(beside || below, "{a:?} and {b:?}");
                }
            }
            for ((from, to), way) in lines.iter().zip(&places.ways) {
                assert!(places.middles[*from].1 < places.middles[*to].1);
                assert!(way.windows(2).all(|w| w[0].1 <= w[1].1), "{way:?}");
            }
        }
    }

    #[test]
    fn a_chain_is_a_line_and_a_way_around_leads_past() {
        let places = boxes(&[(80.0, 20.0); 4], &[(0, 1), (1, 2), (2, 3), (0, 3)]).place();
        let xs: Vec<f64> = places.middles.iter().map(|m| m.0).collect();
        assert!((xs[1] - xs[2]).abs() < 1e-6, "{xs:?}");
        // The line from the first to the last passes beside the boxes between.
        assert!(
            places.ways[3][2..6]
                .iter()
                .all(|p| (p.0 - xs[1]).abs() >= 40.0)
        );
    }
}
