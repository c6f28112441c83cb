//! Figures as people read them.

use super::histogram::Load;

/// A count, in groups of three digits.
pub(super) fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// Seconds, in hours.
pub(super) fn hours(seconds: i64) -> String {
    format!("{:.1} h", seconds as f64 / 3_600.0)
}

/// A peak beside its mean, and the day on which it is.
pub(super) fn load(load: Load) -> String {
    let mean = if load.mean < 100.0 { format!("{:.1}", load.mean) } else { count(load.mean) };
    let day = load.at as f64 / (24.0 * 60.0);
    format!("at most {} = {:.2} × the mean {mean} (day {day:.1})", count(load.peak as f64), load.ratio())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped() {
        assert_eq!(
            (count(999.6).as_str(), count(1_234_567.0).as_str(), count(12.0).as_str()),
            ("1,000", "1,234,567", "12")
        );
        assert_eq!(hours(5_400), "1.5 h");
        assert_eq!(load(Load { peak: 3, mean: 1.5, at: 720 }), "at most 3 = 2.00 × the mean 1.5 (day 0.5)");
    }
}
