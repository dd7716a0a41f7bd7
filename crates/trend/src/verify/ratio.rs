//! The interval of a ratio from the intervals of its two sides.
//!
//! "Method of variance estimates recovery" (Donner and Zou 2012, "Closed-form confidence intervals for
//! functions of the normal mean and standard deviation"): it takes intervals that need not be symmetric, and
//! a numerator that may be 0 or negative, which a fixed leak's slope is. It needs a denominator that is surely
//! positive.

use super::Reduction;
use crate::verdict::Interval;

/// 1 − after / before. Unknown where `before` may be zero.
pub(super) fn reduction(before: Interval, after: Interval) -> Reduction {
    let (Some(lower), Some(upper)) = (before.low, before.high) else {
        return Reduction::default();
    };
    if lower <= 0.0 || before.estimate <= 0.0 {
        return Reduction::default();
    }
    let product = after.estimate * before.estimate;
    // The bound of after / before that belongs to one bound of each side.
    let bound = |of_after: f64, of_before: f64, sign: f64| -> f64 {
        let (da, db) = (2.0 * after.estimate - of_after, 2.0 * before.estimate - of_before);
        let square = product * product - of_after * of_before * da * db;
        let denominator = of_before * db;
        if square < 0.0 || denominator <= 0.0 {
            // The old rate is known to no better than a factor of two: the corner is on the safe side.
            let worst = if (of_after > 0.0) == (sign > 0.0) { lower } else { upper };
            return of_after / worst;
        }
        (product + sign * square.sqrt()) / denominator
    };
    Reduction {
        estimate: Some(1.0 - after.estimate / before.estimate),
        low: after.high.map(|high| 1.0 - bound(high, lower, 1.0)),
        high: after.low.map(|low| 1.0 - bound(low, upper, -1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(estimate: f64, low: f64, high: f64) -> Interval {
        Interval { estimate, low: Some(low), high: Some(high) }
    }

    /// Reference: Fieller's interval for independent normal means 2 ± 0.2 (standard error 0.1020) and
    /// 10 ± 1 (0.5102), z = 1.96: the roots of (100 − 1) r² − 2·20 r + (4 − 0.04) are 0.17533 and 0.22871.
    /// For symmetric intervals the method is Fieller's.
    #[test]
    fn symmetric_intervals_give_fiellers() {
        let r = reduction(of(10.0, 9.0, 11.0), of(2.0, 1.8, 2.2));
        assert!((r.estimate.unwrap() - 0.8).abs() < 1e-12);
        let (low, high) = (1.0 - r.high.unwrap(), 1.0 - r.low.unwrap());
        let f = |x: f64| 99.0 * x * x - 40.0 * x + 3.96;
        assert!(f(low).abs() < 1e-9 && f(high).abs() < 1e-9, "{low} {high}");
        assert!(low < 0.2 && high > 0.2);
    }

    #[test]
    fn an_exact_denominator_only_scales() {
        let r = reduction(of(10.0, 10.0, 10.0), of(0.0, -1.0, 2.0));
        let close = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-9;
        assert!(close(r.estimate, 1.0) && close(r.low, 0.8) && close(r.high, 1.1), "{r:?}");
    }

    #[test]
    fn what_may_be_zero_is_not_divided_by() {
        assert_eq!(reduction(of(1.0, -0.1, 2.0), of(0.0, -1.0, 1.0)), Reduction::default());
        let unknown = Interval { estimate: 1.0, low: None, high: None };
        assert_eq!(reduction(unknown, of(0.0, -1.0, 1.0)), Reduction::default());
        let open = reduction(of(10.0, 9.0, 11.0), unknown);
        assert_eq!((open.low, open.high), (None, None));
    }

    #[test]
    fn a_wide_denominator_stays_on_the_safe_side() {
        let r = reduction(of(10.0, 1.0, 40.0), of(2.0, 1.0, 3.0));
        assert!(r.low.unwrap() <= 1.0 - 3.0 / 10.0, "{r:?}");
        assert!(r.high.unwrap() >= 1.0 - 1.0 / 10.0 && r.high.unwrap() <= 1.0, "{r:?}");
    }
}
