//! The bare problem of a wave, laid out for the search: orders and aisles as flat lists of (item, quantity), items nobody orders left
//! out. Invariant: an item is in an order, in an aisle and in each list at most once.

/// What an order takes of a wave, in the order of [`Problem::caps`].
pub(super) const MEASURES: usize = 5;
/// Index of the units among the measures.
pub(super) const UNITS: usize = 0;
/// What an order that must go is worth on top of its units: more than any wave has units.
pub(super) const MUST: i64 = 1 << 40;

/// Lists of unequal length, one after the other.
pub(super) struct Lists {
    begin: Vec<u32>,
    pairs: Vec<(u32, i32)>,
}

impl Lists {
    pub(super) fn new(lists: &[Vec<(u32, i32)>]) -> Self {
        let mut begin = vec![0];
        let mut pairs = Vec::new();
        for list in lists {
            pairs.extend_from_slice(list);
            begin.push(pairs.len() as u32);
        }
        Self { begin, pairs }
    }

    pub(super) fn of(&self, index: u32) -> &[(u32, i32)] {
        &self.pairs[self.range(index)]
    }

    /// Where a list begins and ends among all pairs.
    pub(super) fn range(&self, index: u32) -> std::ops::Range<usize> {
        self.begin[index as usize] as usize..self.begin[index as usize + 1] as usize
    }

    pub(super) fn len(&self) -> usize {
        self.begin.len() - 1
    }
}

/// Orders that could be in the wave, aisles, and what the wave may hold.
pub(super) struct Problem {
    /// Order → (item, quantity).
    pub orders: Lists,
    /// Aisle → (item, units in stock that somebody may want).
    pub aisles: Lists,
    /// Item → (order, quantity).
    pub wanted: Lists,
    /// Item → the most an order wants of it.
    pub most_wanted: Vec<i64>,
    /// Item → (aisle, units).
    pub held: Lists,
    /// What each order takes: units, orders, lines, weight, totes.
    pub takes: Vec<[i64; MEASURES]>,
    /// Units, and [`MUST`] for an order that must go.
    pub worth: Vec<i64>,
    /// Most of each measure.
    pub caps: [i64; MEASURES],
    /// Fewest units of a wave.
    pub least: i64,
    /// Orders that must go.
    pub musts: i64,
}

impl Problem {
    /// `lines` of each order and `stock` of each aisle have an item at most once, and only positive quantities.
    pub(super) fn new(
        items: usize,
        lines: Vec<Vec<(u32, i32)>>,
        stock: &[Vec<(u32, i32)>],
        takes: Vec<[i64; MEASURES]>,
        must: &[bool],
        caps: [i64; MEASURES],
        least: i64,
    ) -> Self {
        let mut wanted = vec![Vec::new(); items];
        let mut demand = vec![0i64; items];
        for (order, lines) in lines.iter().enumerate() {
            for (item, quantity) in lines {
                wanted[*item as usize].push((order as u32, *quantity));
                demand[*item as usize] += i64::from(*quantity);
            }
        }
        let most = |orders: &Vec<(u32, i32)>| orders.iter().map(|(_, q)| i64::from(*q)).max().unwrap_or(0);
        let most_wanted = wanted.iter().map(most).collect();
        let mut held = vec![Vec::new(); items];
        let mut useful = Vec::with_capacity(stock.len());
        for (aisle, stock) in stock.iter().enumerate() {
            let mut kept = Vec::new();
            for (item, units) in stock {
                let units = i64::from(*units).min(demand[*item as usize]) as i32;
                if units > 0 {
                    kept.push((*item, units));
                    held[*item as usize].push((aisle as u32, units));
                }
            }
            useful.push(kept);
        }
        let worth = takes.iter().zip(must).map(|(t, must)| t[UNITS] + if *must { MUST } else { 0 }).collect();
        Self {
            orders: Lists::new(&lines),
            aisles: Lists::new(&useful),
            wanted: Lists::new(&wanted),
            most_wanted,
            held: Lists::new(&held),
            takes,
            worth,
            caps,
            least,
            musts: must.iter().filter(|m| **m).count() as i64,
        }
    }
}
