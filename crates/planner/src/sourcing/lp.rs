//! A small linear program that grows: least cost of columns whose rows are equal to, at most or at least a number. Primal simplex with
//! a dense inverse of the basis (Dantzig 1953), which is quick for a few hundred rows. Every row may be missed at a price (`MISSED`
//! columns), so there is a feasible basis whatever rows are added. Invariant: nobody has to believe it: callers use its duals as
//! prices, whose bound they compute themselves.

/// A row's sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    Equal,
    Most,
    Least,
}

/// Who is in the basis; stays the same when rows and columns are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basic {
    /// A row's miss.
    Missed(usize),
    /// What a row leaves.
    Slack(usize),
    Column(usize),
}

/// Smallest number that is taken for more than an error of rounding.
const TINY: f64 = 1e-9;
/// Exchanges between two computations of the inverse.
const FRESH: usize = 120;
/// Most exchanges for each row in one solution.
const MOST: usize = 40;
/// What each row is widened by (each by another amount), so that few bases are degenerate: a cycle is unlikely then.
const WIDER: f64 = 1e-7;

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub cost: f64,
    pub entries: Vec<(usize, f64)>,
}

#[derive(Clone)]
pub(super) struct Lp {
    rows: Vec<(Sense, f64)>,
    columns: Vec<Column>,
    /// What missing a row by one costs.
    missed: f64,
    basis: Vec<Basic>,
    basic: Vec<bool>,
    /// Column by column.
    inverse: Vec<f64>,
    values: Vec<f64>,
    duals: Vec<f64>,
    since: usize,
}

impl Lp {
    /// A program with this basis, one for each row.
    pub(super) fn new(rows: Vec<(Sense, f64)>, columns: Vec<Column>, missed: f64, basis: Vec<Basic>) -> Self {
        let m = rows.len();
        let mut lp = Self {
            basic: vec![false; columns.len()],
            rows,
            columns,
            missed,
            basis,
            inverse: vec![0.0; m * m],
            values: vec![0.0; m],
            duals: vec![0.0; m],
            since: 0,
        };
        lp.refresh();
        lp
    }

    /// A column more.
    pub(super) fn add(&mut self, column: Column) {
        self.columns.push(column);
        self.basic.push(false);
    }

    /// Another cost of a column; [`Lp::settle`] has to follow.
    pub(super) fn charge(&mut self, column: usize, cost: f64) {
        self.columns[column].cost = cost;
    }

    /// A row more, which is missed as far as the values miss it; [`Lp::settle`] has to follow.
    pub(super) fn row(&mut self, sense: Sense, number: f64, amount: impl Fn(usize) -> f64) {
        let m = self.rows.len();
        self.rows.push((sense, number));
        let sign = self.sign(Basic::Missed(m));
        let mut of_basis = vec![0.0; m];
        for (at, basic) in self.basis.iter().enumerate() {
            if let Basic::Column(column) = basic {
                of_basis[at] = amount(*column);
            }
        }
        for (at, column) in self.columns.iter_mut().enumerate() {
            let amount = amount(at);
            if amount != 0.0 {
                column.entries.push((m, amount));
            }
        }
        let mut inverse = vec![0.0; (m + 1) * (m + 1)];
        for row in 0..m {
            let own = &self.inverse[row * m..(row + 1) * m];
            inverse[row * (m + 1)..row * (m + 1) + m].copy_from_slice(own);
            let sum: f64 = own.iter().zip(&of_basis).map(|(i, b)| i * b).sum();
            inverse[row * (m + 1) + m] = -sign * sum;
        }
        inverse[m * (m + 1) + m] = sign;
        self.inverse = inverse;
        self.basis.push(Basic::Missed(m));
        self.values.push(0.0);
        self.duals.push(0.0);
    }

    /// Values and prices of the basis as it is.
    pub(super) fn settle(&mut self) {
        let m = self.rows.len();
        self.values.fill(0.0);
        for row in 0..m {
            let (column, right) = (&self.inverse[row * m..(row + 1) * m], self.right(row));
            self.values.iter_mut().zip(column).for_each(|(v, c)| *v += c * right);
        }
        self.values.iter_mut().for_each(|v| *v = v.max(0.0));
        let costs: Vec<f64> = self.basis.iter().map(|b| self.cost(*b)).collect();
        for row in 0..m {
            let column = &self.inverse[row * m..(row + 1) * m];
            self.duals[row] = column.iter().zip(&costs).map(|(i, c)| i * c).sum();
        }
    }

    pub(super) fn basis(&self) -> &[Basic] {
        &self.basis
    }

    pub(super) fn duals(&self) -> &[f64] {
        &self.duals
    }

    /// Columns that are used, and how much.
    pub(super) fn used(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.basis.iter().zip(&self.values).filter_map(|(b, v)| match b {
            Basic::Column(c) if *v > 1e-6 => Some((*c, *v)),
            _ => None,
        })
    }

    fn sign(&self, basic: Basic) -> f64 {
        match basic {
            Basic::Missed(row) if self.rows[row].0 == Sense::Most => -1.0,
            Basic::Slack(row) if self.rows[row].0 == Sense::Least => -1.0,
            _ => 1.0,
        }
    }

    fn entries(&self, basic: Basic) -> Vec<(usize, f64)> {
        match basic {
            Basic::Missed(row) | Basic::Slack(row) => vec![(row, self.sign(basic))],
            Basic::Column(column) => self.columns[column].entries.clone(),
        }
    }

    fn cost(&self, basic: Basic) -> f64 {
        match basic {
            Basic::Missed(_) => self.missed,
            Basic::Slack(_) => 0.0,
            Basic::Column(column) => self.columns[column].cost,
        }
    }

    fn right(&self, row: usize) -> f64 {
        let wider = WIDER * (1.0 + ((row * 7_919) % 101) as f64 / 101.0);
        match self.rows[row].0 {
            Sense::Least => self.rows[row].1 - wider,
            _ => self.rows[row].1 + wider,
        }
    }

    /// The inverse from the basis (Gauss and Jordan with pivots by size); a column that depends on the others makes room for a miss.
    fn refresh(&mut self) {
        let m = self.rows.len();
        self.since = 0;
        self.basic.fill(false);
        // Both row by row here.
        let mut a = vec![0.0; m * m];
        let mut inverse = vec![0.0f64; m * m];
        for (at, basic) in self.basis.iter().enumerate() {
            self.entries(*basic).into_iter().for_each(|(row, v)| a[row * m + at] += v);
            inverse[at * m + at] = 1.0;
        }
        let mut free: Vec<usize> = (0..m).collect();
        let mut place = vec![0; m];
        for at in 0..m {
            let best =
                free.iter().copied().max_by(|x, y| a[x * m + at].abs().total_cmp(&a[y * m + at].abs()));
            let Some(mut row) = best else { break };
            if a[row * m + at].abs() < TINY {
                // Some row's miss is apart from what is there already: the one that is most so.
                let apart = |r: usize| free.iter().map(|f| inverse[f * m + r].abs()).fold(0.0f64, f64::max);
                let missed =
                    (0..m).filter(|r| self.is_apart(*r)).max_by(|x, y| apart(*x).total_cmp(&apart(*y)));
                let Some(missed) = missed else { break };
                self.basis[at] = Basic::Missed(missed);
                let sign = self.sign(Basic::Missed(missed));
                (0..m).for_each(|r| a[r * m + at] = inverse[r * m + missed] * sign);
                let size = |r: &usize| a[r * m + at].abs();
                row = free.iter().copied().max_by(|x, y| size(x).total_cmp(&size(y))).unwrap_or(row);
            }
            free.retain(|r| *r != row);
            place[at] = row;
            let pivot = a[row * m + at];
            let (own, own_inverse): (Vec<f64>, Vec<f64>) = (
                a[row * m..(row + 1) * m].iter().map(|v| v / pivot).collect(),
                inverse[row * m..(row + 1) * m].iter().map(|v| v / pivot).collect(),
            );
            for r in 0..m {
                let factor = a[r * m + at];
                if r != row && factor != 0.0 {
                    a[r * m..(r + 1) * m].iter_mut().zip(&own).for_each(|(v, o)| *v -= factor * o);
                    let inverse = &mut inverse[r * m..(r + 1) * m];
                    inverse.iter_mut().zip(&own_inverse).for_each(|(v, o)| *v -= factor * o);
                }
            }
            a[row * m..(row + 1) * m].copy_from_slice(&own);
            inverse[row * m..(row + 1) * m].copy_from_slice(&own_inverse);
        }
        for (at, row) in place.into_iter().enumerate() {
            for r in 0..m {
                self.inverse[r * m + at] = inverse[row * m + r];
            }
        }
        for basic in &self.basis {
            if let Basic::Column(column) = basic {
                self.basic[*column] = true;
            }
        }
        self.settle();
    }

    /// Whether a row's miss is not in the basis.
    fn is_apart(&self, row: usize) -> bool {
        !self.basis.contains(&Basic::Missed(row))
    }

    /// To the least cost; `false` if it gave up before, or was told to stop.
    pub(super) fn solve(&mut self, stop: &dyn Fn() -> bool) -> bool {
        for _ in 0..MOST * self.rows.len() {
            if stop() {
                return false;
            }
            let Some((enters, reduced)) = self.enters() else { return true };
            if !self.exchange(enters, reduced) {
                return false;
            }
            if self.since >= FRESH {
                self.refresh();
            }
        }
        false
    }

    /// Who saves most for a unit of it.
    fn enters(&self) -> Option<(Basic, f64)> {
        let mut best = (None, -1e-4);
        for (at, column) in self.columns.iter().enumerate() {
            if self.basic[at] {
                continue;
            }
            let reduced = column.entries.iter().fold(column.cost, |r, (row, v)| r - self.duals[*row] * v);
            if reduced < best.1 {
                best = (Some(Basic::Column(at)), reduced);
            }
        }
        for row in 0..self.rows.len() {
            let reduced = match self.rows[row].0 {
                Sense::Equal => continue,
                Sense::Most => -self.duals[row],
                Sense::Least => self.duals[row],
            };
            if reduced < best.1 && !self.basis.contains(&Basic::Slack(row)) {
                best = (Some(Basic::Slack(row)), reduced);
            }
        }
        best.0.map(|b| (b, best.1))
    }

    /// Brings one in; whether one could leave for it.
    fn exchange(&mut self, enters: Basic, reduced: f64) -> bool {
        let m = self.rows.len();
        let mut way = vec![0.0; m];
        for (row, v) in self.entries(enters) {
            let column = &self.inverse[row * m..(row + 1) * m];
            way.iter_mut().zip(column).for_each(|(w, c)| *w += c * v);
        }
        let mut leaves: Option<(f64, usize)> = None;
        for (at, w) in way.iter().enumerate().filter(|(_, w)| **w > 1e-7) {
            let ratio = self.values[at] / w;
            let better = leaves
                .is_none_or(|(least, by)| ratio < least - TINY || (ratio < least + TINY && *w > way[by]));
            if better {
                leaves = Some((ratio, at));
            }
        }
        let Some((step, at)) = leaves else { return false };
        self.values.iter_mut().zip(&way).for_each(|(v, w)| *v = (*v - step * w).max(0.0));
        self.values[at] = step;
        let pivot = way[at];
        for row in 0..m {
            let column = &mut self.inverse[row * m..(row + 1) * m];
            let part = column[at] / pivot;
            if part != 0.0 {
                column.iter_mut().zip(&way).for_each(|(c, w)| *c -= part * w);
                column[at] = part;
                self.duals[row] += reduced * part;
            }
        }
        for (who, is) in [(self.basis[at], false), (enters, true)] {
            if let Basic::Column(column) = who {
                self.basic[column] = is;
            }
        }
        self.basis[at] = enters;
        self.since += 1;
        true
    }
}
