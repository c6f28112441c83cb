//! The attributes that a call reads, writes or makes a condition of, by their top-level names.

use serde_json::Value;

const EXPRESSIONS: [&str; 5] =
    ["ConditionExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression", "UpdateExpression"];

/// Where names stand as such: the last two are what there was before expressions.
const BY_NAME: [&str; 4] = ["Key", "Item", "AttributeUpdates", "Expected"];

/// They are reserved: no attribute is called so in an expression.
const WORDS: [&str; 9] = ["ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"];

/// Sorted, each once.
pub(super) fn names(input: &Value) -> Vec<String> {
    let by_name = BY_NAME.iter().filter_map(|place| input[place].as_object()).flat_map(|object| object.keys().cloned());
    let in_expressions = EXPRESSIONS.iter().filter_map(|place| input[place].as_str()).flat_map(in_expression);
    let in_expressions = in_expressions.map(|name| match input["ExpressionAttributeNames"][name].as_str() {
        Some(meant) => meant.to_owned(),
        None => name.to_owned(),
    });
    let mut names: Vec<String> = by_name.chain(in_expressions).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The first step of every path, `#n` as it stands there.
fn in_expression(expression: &str) -> impl Iterator<Item = &str> {
    let mut rest = expression;
    std::iter::from_fn(move || {
        loop {
            let (word, after) = next_word(rest)?;
            rest = after;
            let name = word.split('.').next().unwrap_or_default();
            let is_function = after.trim_start().starts_with('(');
            let is_word = WORDS.iter().any(|reserved| reserved.eq_ignore_ascii_case(name));
            if !is_function && !is_word && name.starts_with(|c: char| c == '#' || c == '_' || c.is_alphabetic()) {
                return Some(name);
            }
        }
    })
}

/// What goes on after an index, as in `a[0].b`, begins with a dot.
fn next_word(text: &str) -> Option<(&str, &str)> {
    let in_word = |c: char| c.is_alphanumeric() || "_#:.".contains(c);
    let text = &text[text.find(in_word)?..];
    Some(text.split_at(text.find(|c| !in_word(c)).unwrap_or(text.len())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(input: &Value) -> String {
        names(input).join(" ")
    }

    #[test]
    fn of_an_update() {
        let update = json!({
            "Key": { "id": { "S": "a" } },
            "UpdateExpression": "SET #a = :a, plain=:b,list[0].deep = if_not_exists(other, :c) + #b.inner REMOVE gone",
            "ConditionExpression": "attribute_not_exists(#c) OR (NOT size (d) > :d AND e between :x and :y)",
            "ExpressionAttributeNames": { "#a": "first", "#b": "second", "#c": "third", "#unused": "z" },
        });
        assert_eq!(of(&update), "d e first gone id list other plain second third");
    }

    #[test]
    fn of_other_calls() {
        assert_eq!(of(&json!({ "Item": { "id": { "S": "a" }, "x": { "N": "1" } } })), "id x");
        assert_eq!(of(&json!({ "Key": { "id": {} }, "ProjectionExpression": "a, #b[1].c" })), "#b a id");
        assert_eq!(of(&json!({ "AttributeUpdates": { "x": {} }, "Expected": { "y": {} } })), "x y");
        assert_eq!(of(&json!({ "KeyConditionExpression": "k = :k", "FilterExpression": "f IN (:a, g)" })), "f g k");
        assert_eq!(of(&json!({})), "");
    }
}
