//! What is not known exactly: a day of a month, or a number reckoned from one. What is said of it is so wherever it lies.

use std::cmp::Ordering;

use docket_kernel::calendar::days_between;
use jiff::civil::Date;

use crate::value::Value;

/// From the least that it can be to the most, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Within<T> {
    pub(crate) least: T,
    pub(crate) most: T,
}

impl<T: Copy + Ord> Within<T> {
    pub(crate) fn exactly(one: T) -> Self {
        Self { least: one, most: one }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.least == self.most
    }

    /// What a step makes of it that never makes more of less.
    pub(crate) fn map<U: Copy + Ord>(self, step: impl Fn(T) -> U) -> Within<U> {
        let least = step(self.least);
        Within { least, most: if self.is_exact() { least } else { step(self.most) } }
    }

    /// What is made of two, the more the later the second one is and the earlier the first.
    pub(crate) fn between<U: Copy + Ord>(self, second: Self, made: impl Fn(T, T) -> U) -> Within<U> {
        let least = made(self.most, second.least);
        let exact = self.is_exact() && second.is_exact();
        Within { least, most: if exact { least } else { made(self.least, second.most) } }
    }

    /// The greater of two, or the less.
    pub(crate) fn extreme(self, other: Self, greatest: bool) -> Self {
        let of = |a: T, b: T| if greatest { a.max(b) } else { a.min(b) };
        Self { least: of(self.least, other.least), most: of(self.most, other.most) }
    }

    /// Whether both are one; nothing where that hangs on what is not known.
    pub(crate) fn same(self, other: Self) -> Option<bool> {
        if self.most < other.least || other.most < self.least {
            return Some(false);
        }
        (self.is_exact() && other.is_exact()).then_some(true)
    }

    /// Whether they stand in an order of which one side or the other of it is meant; nothing where that hangs on what is not
    /// known.
    pub(crate) fn ordered(self, other: Self, holds: fn(Ordering) -> bool) -> Option<bool> {
        let (first, last) = (self.least.cmp(&other.most), self.most.cmp(&other.least));
        (holds(first) == holds(last)).then(|| holds(first))
    }
}

impl Within<i64> {
    /// What a step of arithmetic makes of two numbers; nothing where it has no room in 64 bits.
    pub(crate) fn reckon(self, other: Self, step: fn(i64, i64) -> Option<i64>) -> Option<Self> {
        let [a, b, c, d] = [
            step(self.least, other.least)?,
            step(self.least, other.most)?,
            step(self.most, other.least)?,
            step(self.most, other.most)?,
        ];
        Some(Self { least: a.min(b).min(c).min(d), most: a.max(b).max(c).max(d) })
    }

    pub(crate) fn value(self) -> Value<'static> {
        if self.is_exact() { Value::Number(self.least) } else { Value::Numbers(self) }
    }
}

impl Within<Date> {
    /// The days to another.
    pub(crate) fn days_to(self, other: Self) -> Within<i64> {
        self.between(other, days_between)
    }

    pub(crate) fn value(self) -> Value<'static> {
        if self.is_exact() { Value::Date(self.least) } else { Value::Days(self) }
    }
}

impl Value<'_> {
    /// The day that it is, or those of which it is one; nothing where it is none.
    pub(crate) fn days(&self) -> Option<Within<Date>> {
        match self {
            Self::Date(day) => Some(Within::exactly(*day)),
            Self::Partial(known) => Some(Within { least: known.first(), most: known.last() }),
            Self::Days(days) => Some(*days),
            Self::Bool(_)
            | Self::Number(_)
            | Self::Numbers(_)
            | Self::Text(_)
            | Self::Multi(_)
            | Self::Items(_)
            | Self::Address(_)
            | Self::Duration(_) => None,
        }
    }

    /// The number that it is, or those of which it is one; nothing where it is none.
    pub(crate) fn numbers(&self) -> Option<Within<i64>> {
        match self {
            Self::Number(number) => Some(Within::exactly(*number)),
            Self::Numbers(numbers) => Some(*numbers),
            Self::Bool(_)
            | Self::Date(_)
            | Self::Partial(_)
            | Self::Days(_)
            | Self::Text(_)
            | Self::Multi(_)
            | Self::Items(_)
            | Self::Address(_)
            | Self::Duration(_) => None,
        }
    }
}
