//! Maximal empty spaces (Lai & Chan 1997): every cuboid of free room that cannot be made larger. Invariant: together they cover all
//! that is free, none is inside another, and none meets a block.

use super::{Size, volume};

/// A cuboid of free room.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Space {
    pub min: Size,
    pub max: Size,
    /// Manhattan distance from its nearest corner to the room's corner there.
    pub far: i32,
    /// Per axis: whether that corner is at the far end.
    pub high: [bool; 3],
    /// No block was found for it since the last change.
    pub stale: bool,
}

impl Space {
    /// With `bottom`, only corners on its floor count.
    pub fn new(min: Size, max: Size, room: Size, bottom: bool) -> Self {
        let mut far = 0;
        let mut high = [false; 3];
        for axis in 0..3 {
            let (low, top) = (min[axis], room[axis] - max[axis]);
            high[axis] = top < low && !(bottom && axis == 2);
            far += if high[axis] { top } else { low };
        }
        Self { min, max, far, high, stale: false }
    }

    pub fn size(&self) -> Size {
        [self.max[0] - self.min[0], self.max[1] - self.min[1], self.max[2] - self.min[2]]
    }

    /// Nearest to a corner of the room first, the larger of two.
    pub fn before(&self, other: &Self) -> bool {
        self.far < other.far || (self.far == other.far && volume(self.size()) > volume(other.size()))
    }

    /// Where a block of that size goes: into the corner nearest to the room's.
    pub fn corner(&self, size: Size) -> Size {
        std::array::from_fn(|a| if self.high[a] { self.max[a] - size[a] } else { self.min[a] })
    }

    fn meets(&self, min: Size, max: Size) -> bool {
        (0..3).all(|a| self.min[a] < max[a] && min[a] < self.max[a])
    }

    fn inside(&self, other: &Self) -> bool {
        (0..3).all(|a| self.min[a] >= other.min[a] && self.max[a] <= other.max[a])
    }
}

/// How spaces are cut.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    pub room: Size,
    /// Corners on the floor only.
    pub bottom: bool,
    /// A space above a block is no wider than the block, so that its floor carries everywhere.
    pub carried: bool,
    /// Spaces thinner than this along an axis hold nothing that is left.
    pub least: Size,
}

/// Takes the cuboid `min..max` out of the spaces.
pub fn cut(spaces: &mut Vec<Space>, min: Size, max: Size, how: Cut) {
    let mut fresh: Vec<Space> = Vec::new();
    spaces.retain(|space| {
        if !space.meets(min, max) {
            return true;
        }
        for axis in 0..3 {
            if min[axis] - space.min[axis] >= how.least[axis] {
                let mut to = space.max;
                to[axis] = min[axis];
                fresh.push(Space::new(space.min, to, how.room, how.bottom));
            }
            if space.max[axis] - max[axis] >= how.least[axis] {
                let (mut from, mut to) = (space.min, space.max);
                from[axis] = max[axis];
                if axis == 2 && how.carried {
                    for a in 0..2 {
                        from[a] = from[a].max(min[a]);
                        to[a] = to[a].min(max[a]);
                    }
                    if (0..2).any(|a| to[a] - from[a] < how.least[a]) {
                        continue;
                    }
                }
                fresh.push(Space::new(from, to, how.room, how.bottom));
            }
        }
        false
    });
    add(spaces, fresh);
}

/// Adds spaces that are in no other.
pub fn add(spaces: &mut Vec<Space>, mut fresh: Vec<Space>) {
    // Larger first: a space can only be inside one that comes before it.
    fresh.sort_by_key(|s| std::cmp::Reverse(volume(s.size())));
    for space in fresh {
        if !spaces.iter().any(|s| space.inside(s)) {
            spaces.push(space);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how() -> Cut {
        Cut { room: [10, 10, 10], bottom: false, carried: false, least: [1, 1, 1] }
    }

    #[test]
    fn a_block_in_a_corner_leaves_three_spaces_and_in_the_middle_six() {
        let whole = Space::new([0; 3], [10; 3], [10; 3], false);
        let mut spaces = vec![whole];
        cut(&mut spaces, [0, 0, 0], [4, 5, 6], how());
        assert_eq!(spaces.len(), 3);
        let mut spaces = vec![whole];
        cut(&mut spaces, [4, 4, 4], [6, 6, 6], how());
        assert_eq!(spaces.len(), 6);
        // Thin spaces are not kept.
        let mut spaces = vec![whole];
        cut(&mut spaces, [0, 0, 0], [4, 5, 6], Cut { least: [7, 1, 1], ..how() });
        assert_eq!(spaces.len(), 2);
    }

    #[test]
    fn carried_spaces_stand_on_the_block() {
        let mut spaces = vec![Space::new([0; 3], [10; 3], [10; 3], true)];
        cut(&mut spaces, [0, 0, 0], [4, 5, 6], Cut { carried: true, bottom: true, ..how() });
        assert!(spaces.iter().any(|s| s.min == [0, 0, 6] && s.max == [4, 5, 10]));
    }

    #[test]
    fn the_corner_is_the_one_nearest_to_the_rooms() {
        let space = Space::new([6, 0, 7], [10, 3, 10], [10; 3], false);
        assert_eq!(space.corner([1, 1, 1]), [9, 0, 9]);
        assert_eq!(space.far, 0);
        let space = Space::new([6, 0, 7], [10, 3, 10], [10; 3], true);
        assert_eq!(space.corner([1, 1, 1]), [9, 0, 7]);
    }
}
