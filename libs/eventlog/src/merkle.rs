//! The Merkle tree over a log's positions, in the shape of RFC 6962 §2.1.
//!
//! Leaf = SHA-256(0x00 ‖ position (u64, big-endian) ‖ link); node = SHA-256(0x01 ‖ left ‖ right).

use crate::chain::sha256;

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The leaf of the event at `position`.
pub fn leaf(position: u64, link: &Hash) -> Hash {
    let mut input = [0_u8; 41];
    input[1..9].copy_from_slice(&position.to_be_bytes());
    input[9..].copy_from_slice(link);
    sha256(&input)
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut input = [1_u8; 65];
    input[1..33].copy_from_slice(left);
    input[33..].copy_from_slice(right);
    sha256(&input)
}

/// The peaks of the tree over the first `size` leaves: enough to go on and to give the root.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the perfect subtrees, the largest (leftmost) first: one for each bit of `size`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_watched(leaf, |_, _, _| {});
    }

    /// Adds the next leaf; `joins` hears of each two peaks that become one: the place of the left one, and both.
    fn push_watched(&mut self, leaf: Hash, mut joins: impl FnMut(usize, &Hash, &Hash)) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("one peak for each bit of the size");
            joins(self.peaks.len(), &left, &hash);
            hash = node(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root; of an empty tree the hash of nothing.
    pub fn root(&self) -> Hash {
        joined(&self.peaks).unwrap_or_else(|| sha256(&[]))
    }

    /// The peaks, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Reads what [`Frontier::to_bytes`] gave for a tree of `size` leaves; none when it cannot be that.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && peaks.len() == size.count_ones() as usize;
        fits.then(|| Self { size, peaks: peaks.to_vec() })
    }
}

/// The root of the tree that these peaks, the largest first, are part of; none of nothing.
fn joined(peaks: &[Hash]) -> Option<Hash> {
    let mut peaks = peaks.iter().rev();
    let last = *peaks.next()?;
    Some(peaks.fold(last, |right, left| node(left, &right)))
}

/// Makes the proof of one leaf while the leaves of a log go by: what is held are some hashes, however many leaves there are.
#[derive(Debug, Clone)]
pub struct Prover {
    /// From 0.
    index: u64,
    frontier: Frontier,
    /// Which of the peaks stands over the leaf, once it went by.
    over: Option<usize>,
    proof: Vec<Hash>,
}

impl Prover {
    /// Of the leaf `index` (from 0).
    pub fn of(index: u64) -> Self {
        Self { index, frontier: Frontier::default(), over: None, proof: Vec::new() }
    }

    /// The tree over the leaves that went by.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let Self { index, frontier, over, proof } = self;
        let mut is_over = frontier.size == *index;
        frontier.push_watched(leaf, |place, left, right| {
            if is_over {
                proof.push(*left);
            } else if *over == Some(place) {
                proof.push(*right);
                is_over = true;
            }
        });
        if is_over {
            *over = Some(frontier.peaks.len() - 1);
        }
    }

    /// The proof in the tree over all that went by, as [`inclusion_proof`] gives it; none when the leaf is not in it.
    pub fn proof(mut self) -> Option<Vec<Hash>> {
        let over = self.over?;
        let (left, right) = self.frontier.peaks.split_at(over);
        self.proof.extend(joined(&right[1..]));
        self.proof.extend(left.iter().rev());
        Some(self.proof)
    }
}

/// The hashes which prove leaf `index` (from 0) in the tree over `leaves` (RFC 6962 §2.1.1).
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(largest_power_below(leaves.len()));
    let (mut proof, other) = if index < left.len() {
        (inclusion_proof(left, index), right)
    } else {
        (inclusion_proof(right, index - left.len()), left)
    };
    proof.push(root(other));
    proof
}

/// Whether `proof` shows that leaf `index` (from 0) is in the tree of `size` leaves with that `root`.
pub fn proves(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    // RFC 9162 §2.1.3.2.
    let (mut index, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            hash = node(sibling, &hash);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// The root of the tree over `leaves`.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}

fn largest_power_below(n: usize) -> usize {
    1 << (n - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(n: u64) -> Vec<Hash> {
        (1..=n).map(|position| leaf(position, &[7; 32])).collect()
    }

    /// The definition of RFC 6962 §2.1, word for word.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(largest_power_below(many.len()));
                node(&by_definition(left), &by_definition(right))
            }
        }
    }

    proptest! {
        #[test]
        fn the_frontier_gives_the_root_of_the_definition(n in 0_u64..300) {
            prop_assert_eq!(root(&leaves(n)), by_definition(&leaves(n)));
        }

        #[test]
        fn a_frontier_goes_on_after_it_was_stored(n in 0_usize..100, more in 0_usize..100) {
            let all = leaves((n + more) as u64);
            let mut frontier = Frontier::default();
            all[..n].iter().for_each(|leaf| frontier.push(*leaf));
            prop_assert_eq!(frontier.size(), n as u64);
            let bytes = frontier.to_bytes();
            for other in (0..130).filter(|other: &u64| other.count_ones() != (n as u64).count_ones()) {
                prop_assert!(Frontier::from_bytes(other, &bytes).is_none(), "{other} leaves have other peaks");
            }
            prop_assert!(Frontier::from_bytes(n as u64, &[&bytes[..], &[0]].concat()).is_none(), "a byte more");
            let mut read = Frontier::from_bytes(n as u64, &bytes).unwrap();
            all[n..].iter().for_each(|leaf| read.push(*leaf));
            prop_assert_eq!(read.root(), by_definition(&all));
        }

        #[test]
        fn every_leaf_can_be_proven_and_no_other(n in 1_usize..70, index in 0_usize..70, wrong in 0_u64..70) {
            let index = index % n;
            let all = leaves(n as u64);
            let proof = inclusion_proof(&all, index);
            let root = by_definition(&all);
            prop_assert!(proves(&all[index], index as u64, n as u64, &proof, &root));
            prop_assert!(!proves(&leaf(999, &[7; 32]), index as u64, n as u64, &proof, &root));
            let mut prover = Prover::of(index as u64);
            for (before, leaf) in all.iter().enumerate() {
                prop_assert_eq!(prover.clone().proof().is_some(), before > index, "not before it went by");
                prover.push(*leaf);
            }
            prop_assert_eq!(prover.frontier().root(), root);
            prop_assert_eq!(prover.proof(), Some(proof.clone()));
            if wrong != index as u64 {
                prop_assert!(!proves(&all[index], wrong, n as u64, &proof, &root));
            }
        }
    }
}
