//! Sums over slices in several chains at once: each waits only for its own last term, and the processor does two or
//! four of them in one instruction.

const LANES: usize = 4;

/// The sum of something of each number.
#[inline]
pub(crate) fn sum(numbers: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, &number) in sums.iter_mut().zip(chunk) {
            *sum += of(number);
        }
    }
    let [a, b, c, d] = sums;
    (a + b) + (c + d) + rest.iter().map(|&number| of(number)).sum::<f64>()
}

/// The sum of something of each pair of numbers, as many as the shorter slice has.
#[inline]
pub(crate) fn sum_of_pairs(left: &[f64], right: &[f64], of: impl Fn(f64, f64) -> f64) -> f64 {
    let most = left.len().min(right.len());
    let (left, right) = (left.get(..most).unwrap_or_default(), right.get(..most).unwrap_or_default());
    let ((lefts, rest_left), (rights, rest_right)) = (left.as_chunks::<LANES>(), right.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (left, right) in lefts.iter().zip(rights) {
        for ((sum, &left), &right) in sums.iter_mut().zip(left).zip(right) {
            *sum += of(left, right);
        }
    }
    let [a, b, c, d] = sums;
    let rest = rest_left.iter().zip(rest_right).map(|(&left, &right)| of(left, right)).sum::<f64>();
    (a + b) + (c + d) + rest
}

/// The sum of the products of the steps that two slices of one length make, from each number to the next.
#[inline]
pub(crate) fn sum_of_steps(left: &[f64], right: &[f64]) -> f64 {
    let most = left.len().min(right.len());
    let before = most.saturating_sub(1);
    let (left_before, right_before) =
        (left.get(..before).unwrap_or_default(), right.get(..before).unwrap_or_default());
    let (left_now, right_now) =
        (left.get(1..most).unwrap_or_default(), right.get(1..most).unwrap_or_default());
    let (a, rest_a) = left_before.as_chunks::<LANES>();
    let (b, rest_b) = left_now.as_chunks::<LANES>();
    let (c, rest_c) = right_before.as_chunks::<LANES>();
    let (d, rest_d) = right_now.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
        for ((((sum, &a), &b), &c), &d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum += (b - a) * (d - c);
        }
    }
    let mut all = sums.iter().sum::<f64>();
    for (((&a, &b), &c), &d) in rest_a.iter().zip(rest_b).zip(rest_c).zip(rest_d) {
        all += (b - a) * (d - c);
    }
    all
}

/// What remains when two numbers at a time become one, in any order; the first number when there is but one.
#[inline]
pub(crate) fn fold(numbers: &[f64], of: impl Fn(f64, f64) -> f64) -> f64 {
    let Some(&first) = numbers.first() else { return 0.0 };
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    let mut all = [first; LANES];
    for chunk in chunks {
        for (all, &number) in all.iter_mut().zip(chunk) {
            *all = of(*all, number);
        }
    }
    let [a, b, c, d] = all;
    rest.iter().fold(of(of(a, b), of(c, d)), |all, &number| of(all, number))
}
