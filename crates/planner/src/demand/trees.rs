//! Histogram trees: the one way demand learns across items. Invariant: the same table, targets and seed give the same trees.
//!
//! A tree splits rows on one feature at a time where the squared gradient gains most (Friedman 2001; histograms after Ke et al. 2017).
//! One tree costs rows × features tried × depth. What a leaf says is the caller's affair: here are only the splits and who fell where.

/// SplitMix64 (Steele, Lea & Flood 2014): small, seeded, the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    /// A stream of its own for each seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Cuts per feature: more find no more in data this noisy.
const BINS: usize = 32;

/// Features as bins, one column each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    cuts: Vec<Vec<f64>>,
    columns: Vec<Vec<u8>>,
}

impl Table {
    /// Bins rows of equal length at their own quantiles (of a sample of at most 20,000 rows).
    pub(crate) fn new(rows: &[Vec<f64>]) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let step = rows.len().div_ceil(20_000).max(1);
        let mut table = Self::default();
        for feature in 0..width {
            let mut values: Vec<f64> = rows.iter().step_by(step).map(|r| r[feature]).collect();
            values.sort_by(f64::total_cmp);
            let mut cuts: Vec<f64> = (1..BINS).map(|b| values[b * values.len() / BINS]).collect();
            cuts.dedup();
            table.columns.push(rows.iter().map(|r| bin(&cuts, r[feature])).collect());
            table.cuts.push(cuts);
        }
        table
    }

    /// Rows in the table.
    pub(crate) fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// The cuts alone, for rows to come.
    pub(crate) fn without_rows(self) -> Self {
        Self { columns: Vec::new(), ..self }
    }

    /// A row that is not in the table, in its bins.
    pub(crate) fn bins(&self, row: &[f64]) -> Vec<u8> {
        self.cuts.iter().zip(row).map(|(cuts, value)| bin(cuts, *value)).collect()
    }
}

fn bin(cuts: &[f64], value: f64) -> u8 {
    cuts.partition_point(|cut| *cut < value) as u8
}

/// How far a tree may grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) depth: usize,
    /// Rows a leaf has at least.
    pub(crate) leaf: usize,
    /// Share of features tried at each split.
    pub(crate) tried: f64,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    feature: u16,
    cut: u8,
    /// Children; a leaf has its number in `left` and `right == 0`.
    left: u32,
    right: u32,
}

/// A tree: bins in, number of a leaf out.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Grows on `rows` (indices into the table) by gradient and weight; gives the rows of each leaf beside it.
    pub(crate) fn grow(
        table: &Table,
        rows: Vec<u32>,
        gradient: &[f64],
        weight: &[f64],
        shape: Shape,
        draw: &mut Draw,
    ) -> (Self, Vec<Vec<u32>>) {
        let mut tree = Self { nodes: vec![Node { feature: 0, cut: 0, left: 0, right: 0 }] };
        let mut leaves = Vec::new();
        let mut open = vec![(0usize, rows, 0usize)];
        while let Some((node, rows, depth)) = open.pop() {
            let split = (depth < shape.depth && rows.len() >= 2 * shape.leaf)
                .then(|| best_split(table, &rows, gradient, weight, shape, draw))
                .flatten();
            let Some((feature, cut)) = split else {
                tree.nodes[node].left = leaves.len() as u32;
                leaves.push(rows);
                continue;
            };
            let column = &table.columns[feature];
            let (low, high): (Vec<u32>, Vec<u32>) =
                rows.into_iter().partition(|r| column[*r as usize] <= cut);
            let left = tree.nodes.len();
            tree.nodes.extend([Node { feature: 0, cut: 0, left: 0, right: 0 }; 2]);
            tree.nodes[node] =
                Node { feature: feature as u16, cut, left: left as u32, right: left as u32 + 1 };
            open.push((left, low, depth + 1));
            open.push((left + 1, high, depth + 1));
        }
        (tree, leaves)
    }

    /// The leaf a row of the table falls into.
    pub(crate) fn leaf_of(&self, table: &Table, row: usize) -> usize {
        let mut node = self.nodes[0];
        while node.right != 0 {
            let low = table.columns[node.feature as usize][row] <= node.cut;
            node = self.nodes[if low { node.left } else { node.right } as usize];
        }
        node.left as usize
    }

    /// The leaf a row falls into.
    pub(crate) fn leaf(&self, bins: &[u8]) -> usize {
        let mut node = self.nodes[0];
        while node.right != 0 {
            let low = bins[node.feature as usize] <= node.cut;
            node = self.nodes[if low { node.left } else { node.right } as usize];
        }
        node.left as usize
    }
}

/// The feature and bin with the largest gain, if any gains.
fn best_split(
    table: &Table,
    rows: &[u32],
    gradient: &[f64],
    weight: &[f64],
    shape: Shape,
    draw: &mut Draw,
) -> Option<(usize, u8)> {
    let (all_g, all_w) =
        rows.iter().fold((0.0, 0.0), |(g, w), r| (g + gradient[*r as usize], w + weight[*r as usize]));
    let none = all_g * all_g / (all_w + 1e-9);
    let mut best = (none * (1.0 + 1e-9) + 1e-12, None);
    for (feature, column) in table.columns.iter().enumerate() {
        if draw.unit() >= shape.tried {
            continue;
        }
        let mut sums = [(0.0f64, 0.0f64, 0usize); BINS];
        for r in rows {
            let sum = &mut sums[column[*r as usize] as usize];
            sum.0 += gradient[*r as usize];
            sum.1 += weight[*r as usize];
            sum.2 += 1;
        }
        let (mut g, mut w, mut n) = (0.0, 0.0, 0);
        for (cut, sum) in sums.iter().enumerate().take(table.cuts[feature].len()) {
            (g, w, n) = (g + sum.0, w + sum.1, n + sum.2);
            if n < shape.leaf || rows.len() - n < shape.leaf {
                continue;
            }
            let gain = g * g / (w + 1e-9) + (all_g - g) * (all_g - g) / (all_w - w + 1e-9);
            if gain > best.0 {
                best = (gain, Some((feature, cut as u8)));
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_and_strangers_fall_on_the_right_side() {
        let rows: Vec<Vec<f64>> = (0..200).map(|i| vec![f64::from(i % 7), f64::from(i)]).collect();
        let table = Table::new(&rows);
        let gradient: Vec<f64> = (0..200).map(|i| if i < 100 { -1.0 } else { 1.0 }).collect();
        let shape = Shape { depth: 1, leaf: 5, tried: 1.0 };
        let (tree, leaves) =
            Tree::grow(&table, (0..200).collect(), &gradient, &[1.0; 200], shape, &mut Draw::new(1));
        assert_eq!(leaves.len(), 2);
        let low = tree.leaf(&table.bins(&[3.0, 20.0]));
        let high = tree.leaf(&table.bins(&[3.0, 1_000.0]));
        assert_ne!(low, high);
        assert!(leaves[low].iter().all(|r| *r < 104), "the cut is at a bin near 100");
    }

    #[test]
    fn a_seed_is_a_stream_and_units_stay_below_one() {
        let mut a = Draw::new(7);
        let mut b = Draw::new(7);
        for _ in 0..1_000 {
            let x = a.unit();
            assert!((0.0..1.0).contains(&x) && x.to_bits() == b.unit().to_bits());
        }
    }
}
