//! Medians and ranges.

/// What a few runs say together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}

impl Summary {
    /// `None` if there were no runs.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { median, lowest, highest })
    }

    /// Such as `52 (50 to 61)`; small numbers with a decimal.
    pub(crate) fn show(self) -> String {
        let Self { median, lowest, highest } = self;
        let (median, lowest, highest) = (show(median), show(lowest), show(highest));
        if lowest == highest { median } else { format!("{median} ({lowest} to {highest})") }
    }
}

fn show(value: f64) -> String {
    if value >= 10.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        let summary = |values: &[f64]| Summary::of(values.iter().copied());
        assert_eq!(summary(&[]), None);
        let same = |value| Some(Summary { median: value, lowest: value, highest: value });
        assert_eq!(summary(&[3.0]), same(3.0));
        assert_eq!(
            summary(&[9.0, 1.0, 2.0]),
            Some(Summary { median: 2.0, lowest: 1.0, highest: 9.0 })
        );
        assert_eq!(
            summary(&[4.0, 1.0, 2.0, 9.0]),
            Some(Summary { median: 3.0, lowest: 1.0, highest: 9.0 })
        );
    }

    #[test]
    fn ranges_are_shown_where_there_is_one() {
        let summary = |values: &[f64]| Summary::of(values.iter().copied()).unwrap().show();
        assert_eq!(summary(&[812.4]), "812");
        assert_eq!(summary(&[3.26, 3.0, 12.0]), "3.3 (3 to 12)");
        assert_eq!(summary(&[0.0, 0.0]), "0");
    }
}
