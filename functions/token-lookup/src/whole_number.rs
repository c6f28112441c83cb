//! Whole numbers in bodies, also written as `60.0`: to JSON Schema, and to many a client, that is the same number.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Number;

/// A double is exact up to here.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// For `#[serde(deserialize_with)]`.
///
/// # Errors
/// If it is no whole number, or not in the range of `T`.
pub(crate) fn whole<'de, T: TryFrom<i128>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    from(&Number::deserialize(deserializer)?)
}

/// The same where there may be none.
///
/// # Errors
/// If it is no whole number, or not in the range of `T`.
pub(crate) fn whole_or_none<'de, T: TryFrom<i128>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::<Number>::deserialize(deserializer)?.as_ref().map(from).transpose()
}

fn from<T: TryFrom<i128>, E: Error>(number: &Number) -> Result<T, E> {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and in the range in which a double is exact")]
    let of_double = |double: f64| (double.fract() == 0.0 && double.abs() <= EXACT).then_some(double as i128);
    let whole = number.as_i128().or_else(|| number.as_f64().and_then(of_double));
    let whole = whole.ok_or_else(|| E::custom("not a whole number"))?;
    T::try_from(whole).map_err(|_| E::custom("out of range"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (written, number) in
            [("60", 60), ("60.0", 60), ("6e1", 60), ("-1.0", -1), ("9007199254740993", 1 + (1 << 53))]
        {
            let value: serde_json::Value = serde_json::from_str(written).unwrap();
            assert_eq!(whole::<i64, _>(&value).unwrap(), number, "{written}");
        }
        assert_eq!(whole::<u64, _>(&json!(u64::MAX)).unwrap(), u64::MAX);
        for refused in [json!(60.5), json!(1e300), json!("60"), json!(true), json!(null), json!(-1)] {
            assert!(whole::<u64, _>(&refused).is_err(), "{refused}");
        }
        assert_eq!(whole_or_none::<i64, _>(&json!(null)).unwrap(), None);
    }
}
