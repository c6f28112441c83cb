//! Makes inputs of seeds, the same ones in every run. It sees no coverage, so it knows the two things that random bytes
//! do not find by themselves: which words the seeds are made of, and how to change JSON into other JSON.

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::{Value, json};

/// Pieces that parsers stumble over.
const PIECES: [&str; 32] = [
    "/", "%2f", "..", "%2e%2e/", "\\", "%", "%00", "\0", "\n", "\r\n", "\t", " ", "\u{7f}", "\u{200b}", "\u{202e}",
    "é", "\"", "'", "\\u0000", "\\n", "{", "}", "[", "]", ",", ":", "=", "&", "#", "@", "null", "-1",
];

/// Values that nobody sends.
fn values() -> [Value; 22] {
    [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(7),
        json!(429),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!("0"),
        json!("a/b"),
        json!(".."),
        json!("line\nline"),
        json!("\u{0}"),
        json!("x".repeat(300)),
        json!([]),
        json!({}),
    ]
}

pub(crate) struct Mutator<'a> {
    seeds: &'a [Vec<u8>],
    words: Vec<Vec<u8>>,
    values: Vec<Value>,
    random: SmallRng,
}

impl<'a> Mutator<'a> {
    pub(crate) fn new(seeds: &'a [Vec<u8>]) -> Self {
        let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte) || !byte.is_ascii();
        let words = seeds.iter().flat_map(|seed| seed.split(|byte| !is_of_word(byte)).map(<[u8]>::to_vec));
        let words =
            words.filter(|word| !word.is_empty()).chain(PIECES.map(|piece| piece.as_bytes().to_vec())).collect();
        let mut values = values().to_vec();
        for seed in seeds {
            if let Some((_, json)) = as_json(seed) {
                collect(&json, &mut values);
            }
        }
        Self { seeds, words, values, random: SmallRng::seed_from_u64(0x5eed) }
    }

    pub(crate) fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.seeds.choose(&mut self.random).cloned().unwrap_or_default();
        for _ in 0..self.random.random_range(1..=4) {
            match as_json(&input) {
                Some((head, mut json)) if self.random.random_bool(0.7) => {
                    self.change_json(&mut json);
                    input = [head, json.to_string().as_bytes()].concat();
                }
                _ => self.change_bytes(&mut input),
            }
        }
        input
    }

    fn change_bytes(&mut self, input: &mut Vec<u8>) {
        let start = self.random.random_range(0..=input.len());
        let end = self.random.random_range(start..=input.len().min(start + 12));
        let new = match self.random.random_range(0..5) {
            0 => Vec::new(),
            1 => vec![self.random.random()],
            2 => input[start..end].repeat(2),
            _ => self.words.choose(&mut self.random).cloned().unwrap_or_default(),
        };
        // Half of the time what is there stays.
        let end = if self.random.random() { end } else { start };
        input.splice(start..end, new);
    }

    fn change_json(&mut self, json: &mut Value) {
        let deeper = self.random.random_bool(0.8);
        match json {
            Value::Object(fields) if deeper && !fields.is_empty() => {
                let names: Vec<_> = fields.keys().cloned().collect();
                let Some(name) = names.choose(&mut self.random) else { return };
                match self.random.random_range(0..10) {
                    0 => drop(fields.remove(name)),
                    1 => {
                        let word = self.words.choose(&mut self.random).cloned().unwrap_or_default();
                        let value = fields.remove(name).unwrap_or_default();
                        fields.insert(format!("{name}{}", String::from_utf8_lossy(&word)), value);
                    }
                    _ => fields.get_mut(name).into_iter().for_each(|value| self.change_json(value)),
                }
            }
            Value::Array(values) if deeper && !values.is_empty() => {
                let at = self.random.random_range(0..values.len());
                match self.random.random_range(0..4) {
                    0 => drop(values.remove(at)),
                    1 => values.push(values[at].clone()),
                    _ => self.change_json(&mut values[at]),
                }
            }
            Value::String(text) if self.random.random_bool(0.5) => {
                let mut bytes = std::mem::take(text).into_bytes();
                self.change_bytes(&mut bytes);
                *text = String::from_utf8_lossy(&bytes).into_owned();
            }
            value => *value = self.values.choose(&mut self.random).cloned().unwrap_or_default(),
        }
    }
}

/// What of an input is JSON, and what stands before it.
fn as_json(input: &[u8]) -> Option<(&[u8], Value)> {
    let start = input.iter().position(|byte| *byte == b'{')?;
    let (head, json) = input.split_at(start);
    Some((head, serde_json::from_slice(json).ok()?))
}

/// Every value inside of a value.
fn collect(json: &Value, values: &mut Vec<Value>) {
    values.push(json.clone());
    match json {
        Value::Object(fields) => fields.values().for_each(|value| collect(value, values)),
        Value::Array(all) => all.iter().for_each(|value| collect(value, values)),
        _ => {}
    }
}
