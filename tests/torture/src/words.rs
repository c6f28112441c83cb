//! Figures as people read them.

/// A count, in groups of three digits.
pub(crate) fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// Seconds, in hours.
pub(crate) fn hours(seconds: i64) -> String {
    format!("{:.1} h", seconds as f64 / 3_600.0)
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
    }
}
