//! The sums on which the metrics stand; each states its accuracy in its tests.

pub(crate) mod lanes;
pub(crate) mod neumaier;
pub(crate) mod order;
pub(crate) mod wealth;
