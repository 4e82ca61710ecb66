//! Returns, checked once.

use std::borrow::Cow;

use crate::Moments;

/// Simple returns per period as fractions (0.01 = 1 %), checked once and then trusted by every calculator.
///
/// Every value is finite and, unless built by [`Returns::allowing_beyond_total_loss`], at least -1. A negative
/// zero is kept as zero. The slice is borrowed where it can be; only a negative zero makes a copy. The series
/// may be empty: each calculator says how many observations it needs.
///
/// ```
/// use bellwether_perf::Returns;
/// let daily = vec![0.01, -0.02, 0.015];
/// assert_eq!(Returns::new(&daily)?.len(), 3);
///
/// let wrong = Returns::new(&[0.01, f64::NAN]).unwrap_err();
/// assert_eq!(wrong.to_string(), "return 1 is NaN: expected a finite fraction, at least -1");
/// # Ok::<(), bellwether_perf::InvalidReturn>(())
/// ```
#[derive(Debug, Clone)]
pub struct Returns<'a> {
    values: Cow<'a, [f64]>,
    beyond_total_loss: Option<usize>,
    /// The values are rounded by at least this size, whatever their own: 0, or 1 where they are ratios of prices less
    /// 1. A ratio over 2 is no larger than twice the return, so the size of the return covers it.
    rounding_size: f64,
}

impl PartialEq for Returns<'_> {
    /// By the values.
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

/// A value that is no return.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("return {index} is {value}: expected a finite fraction, at least -1")]
pub struct InvalidReturn {
    /// Where it stands.
    pub index: usize,
    /// What it is.
    pub value: f64,
}

/// A value that is no price or no equity from which returns can be made.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("price {index} is {value}: expected a finite number over 0")]
pub struct InvalidPrice {
    /// Where it stands.
    pub index: usize,
    /// What it is.
    pub value: f64,
}

impl<'a> Returns<'a> {
    /// Checks the values: each finite and at least -1. O(n).
    pub fn new(values: impl Into<Cow<'a, [f64]>>) -> Result<Self, InvalidReturn> {
        let checked = Self::allowing_beyond_total_loss(values)?;
        match checked.beyond_total_loss {
            None => Ok(checked),
            Some(index) => Err(InvalidReturn { index, value: checked.values[index] }),
        }
    }

    /// Checks the values: each finite; under -1 is allowed, as a leveraged account can lose more than it has.
    ///
    /// Metrics of compounded wealth (growth, drawdown) are then undefined; those of single returns are not.
    pub fn allowing_beyond_total_loss(values: impl Into<Cow<'a, [f64]>>) -> Result<Self, InvalidReturn> {
        let mut values = values.into();
        let mut beyond_total_loss = None;
        let mut negative_zero = false;
        for (index, &value) in values.iter().enumerate() {
            if !value.is_finite() {
                return Err(InvalidReturn { index, value });
            }
            if value < -1.0 && beyond_total_loss.is_none() {
                beyond_total_loss = Some(index);
            }
            negative_zero |= value == 0.0 && value.is_sign_negative();
        }
        if negative_zero {
            for value in values.to_mut() {
                *value += 0.0;
            }
        }
        Ok(Self { values, beyond_total_loss, rounding_size: 0.0 })
    }

    /// The returns from each price, or level of equity, to the next: one fewer than the prices.
    ///
    /// A difference of two prices is rounded by the size of the prices: where such returns vary by no more than
    /// that, as those of an account that grows at one rate do, they do not vary.
    pub fn from_prices(prices: &[f64]) -> Result<Returns<'static>, InvalidPrice> {
        for (index, &value) in prices.iter().enumerate() {
            if !(value.is_finite() && value > 0.0) {
                return Err(InvalidPrice { index, value });
            }
        }
        let mut values = Vec::with_capacity(prices.len().saturating_sub(1));
        for (index, pair) in prices.windows(2).enumerate() {
            let value = (pair[1] - pair[0]) / pair[0];
            if !value.is_finite() {
                return Err(InvalidPrice { index: index + 1, value: pair[1] });
            }
            values.push(value + 0.0);
        }
        Ok(Returns { values: Cow::Owned(values), beyond_total_loss: None, rounding_size: 1.0 })
    }

    /// No return at all.
    pub fn empty() -> Returns<'static> {
        Returns { values: Cow::Borrowed(&[]), beyond_total_loss: None, rounding_size: 0.0 }
    }

    /// How many returns there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values.
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }

    /// Where the first return under -1 stands, if there is one.
    pub fn beyond_total_loss(&self) -> Option<usize> {
        self.beyond_total_loss
    }

    /// The last `count` returns, or all if there are fewer; borrowed.
    pub fn last(&self, count: usize) -> Returns<'_> {
        let from = self.len().saturating_sub(count);
        let values = &self.values[from..];
        let beyond_total_loss = match self.beyond_total_loss {
            None => None,
            Some(index) if index >= from => Some(index - from),
            Some(_) => values.iter().position(|&value| value < -1.0),
        };
        Returns { values: Cow::Borrowed(values), beyond_total_loss, rounding_size: self.rounding_size }
    }

    /// Of values that are finite by their making: parts of other returns, ratios of decimals.
    pub(crate) fn of_finite(values: Vec<f64>) -> Returns<'static> {
        let beyond_total_loss = values.iter().position(|&value| value < -1.0);
        Returns { values: Cow::Owned(values), beyond_total_loss, rounding_size: 0.0 }
    }

    pub(crate) fn into_values(self) -> Cow<'a, [f64]> {
        self.values
    }

    /// The same returns, owned.
    pub fn into_owned(self) -> Returns<'static> {
        let Self { values, beyond_total_loss, rounding_size } = self;
        Returns { values: Cow::Owned(values.into_owned()), beyond_total_loss, rounding_size }
    }

    /// The largest size by which a value is rounded: its own, or that of the prices behind it.
    pub(crate) fn magnitude(&self) -> f64 {
        self.values.iter().fold(self.rounding_size, |most, r| most.max(r.abs()))
    }

    /// The size by which values are rounded at least.
    pub(crate) fn rounding_size(&self) -> f64 {
        self.rounding_size
    }

    /// Their moments, which know by what they are rounded.
    pub(crate) fn moments(&self) -> Moments {
        Moments::of(&self.values).rounded_by(self.rounding_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_that_is_not_finite_is_found_with_its_index() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for index in 0..5 {
                let mut values = vec![0.01; 5];
                values[index] = bad;
                let wrong = Returns::new(&values).unwrap_err();
                assert_eq!(wrong.index, index);
                assert_eq!(wrong.value.to_bits(), bad.to_bits());
            }
        }
    }

    #[test]
    fn a_loss_of_all_is_valid_and_more_only_where_it_is_allowed() {
        assert!(Returns::new(&[0.1, -1.0]).is_ok());
        assert_eq!(Returns::new(&[0.1, -1.5]), Err(InvalidReturn { index: 1, value: -1.5 }));
        let leveraged = Returns::allowing_beyond_total_loss(&[0.1, -1.5, 0.2, -2.0]).unwrap();
        assert_eq!(leveraged.beyond_total_loss(), Some(1));
        assert_eq!(leveraged.last(2).beyond_total_loss(), Some(1));
        assert_eq!(leveraged.last(1).beyond_total_loss(), Some(0));
        assert_eq!(leveraged.last(9).len(), 4);
    }

    #[test]
    fn a_negative_zero_becomes_zero_and_nothing_else_is_copied() {
        let values = [0.1, -0.0, 0.2];
        let returns = Returns::new(&values).unwrap();
        assert_eq!(returns.as_slice()[1].to_bits(), 0.0_f64.to_bits());
        let values = [0.1, 0.0, 0.2];
        assert_eq!(Returns::new(&values).unwrap().as_slice().as_ptr(), values.as_ptr());
    }

    #[test]
    fn prices_give_one_return_fewer_and_a_zero_price_is_refused() {
        assert_eq!(Returns::from_prices(&[100.0, 110.0, 99.0]).unwrap().as_slice(), &[0.1, -0.1]);
        assert!(Returns::from_prices(&[]).unwrap().is_empty());
        assert!(Returns::from_prices(&[5.0]).unwrap().is_empty());
        let wrong = Returns::from_prices(&[100.0, 0.0]).unwrap_err();
        assert_eq!(wrong, InvalidPrice { index: 1, value: 0.0 });
        assert_eq!(wrong.to_string(), "price 1 is 0: expected a finite number over 0");
        assert_eq!(Returns::from_prices(&[1e-300, 1e300]).unwrap_err().index, 1);
    }
}
