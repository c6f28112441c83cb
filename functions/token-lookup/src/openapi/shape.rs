//! Mends what `utoipa` says of our types, so that it is the truth and reads well in a generated client:
//!
//! - a tagged enum such as `Status` becomes the fields that it puts into an object, and when which is there;
//! - what is flattened into an object becomes its fields;
//! - a name or a time is described where it stands, not by a reference to a type of its own;
//! - what may not be logged is marked;
//! - a problem's codes are those of the answer that it stands in.

use serde_json::{Map, Value, json};

/// Where the schemas of types lie.
const SCHEMAS: &str = "#/components/schemas/";

/// Mends a whole document.
pub(super) fn mend(document: &mut Value) {
    let mut schemas = document["components"]["schemas"].take();
    let mut known = schemas.clone();
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        if let Some((fields, tags)) = spread_tagged(name, schema) {
            known[name] = fields;
            *schema = tags;
        }
    }
    for part in [&mut schemas, &mut document["paths"]] {
        walk(part, &|schema| merge_all_of(schema, &known));
        walk(part, &|schema| {
            inline_scalar(schema, &known);
            join_null(schema);
            mark_secret(schema);
            join_lines(schema);
        });
    }
    walk(&mut schemas, &renew_example);
    walk(&mut document["paths"], &name_codes);
    demand_a_way_to_confirm(&mut schemas["ConnectSessionRequest"]);
    schemas["ConnectionPatch"]["minProperties"] = json!(1);
    document["components"]["schemas"] = schemas;
}

/// Applies a change to every value, the innermost first.
fn walk(value: &mut Value, change: &impl Fn(&mut Value)) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| walk(field, change)),
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, change)),
        _ => return,
    }
    change(value);
}

/// The schema that a reference names.
fn named<'a>(schema: &Value, known: &'a Value) -> Option<&'a Value> {
    known.get(schema.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)?)
}

/// An enum with its tag inside: one object with all fields, and the enum of its tags. A field that only one variant has is
/// there with that tag, and only then.
fn spread_tagged(name: &str, schema: &Value) -> Option<(Value, Value)> {
    let variants = schema.get("oneOf")?.as_array()?;
    let tag = variants.iter().find_map(tag_of)?;
    let (mut properties, mut tags, mut conditions) = (Map::new(), Vec::new(), Vec::new());
    for variant in variants {
        let value = &variant["properties"][&tag]["enum"][0];
        tags.push(value.clone());
        let others = variant["properties"].as_object().into_iter().flatten().filter(|(name, _)| **name != tag);
        for (name, property) in others {
            properties.insert(name.clone(), property.clone());
            conditions.push(json!({
                "if": {"properties": {&tag: {"const": value}}},
                "then": open(json!({"properties": {name: {}}, "required": [name]})),
                "else": open(json!({"properties": {name: false}})),
            }));
        }
    }
    properties.insert(tag.clone(), json!({"$ref": format!("{SCHEMAS}{name}")}));
    let fields = json!({"type": "object", "properties": properties, "required": [tag], "allOf": conditions});
    Some((fields, json!({"type": "string", "enum": tags, "description": schema["description"]})))
}

/// The property of a variant that has one value only.
fn tag_of(variant: &Value) -> Option<String> {
    let mut properties = variant.get("properties")?.as_object()?.iter();
    let single = |schema: &Value| schema["enum"].as_array().is_some_and(|values| values.len() == 1);
    properties.find(|(_, schema)| single(schema)).map(|(name, _)| name.clone())
}

/// What is flattened into an object, as its fields. Conditions stay.
fn merge_all_of(schema: &mut Value, known: &Value) {
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { return };
    if parts.iter().all(|part| part.get("if").is_some()) {
        return;
    }
    let (mut properties, mut required, mut conditions) = (Map::new(), Vec::new(), Vec::new());
    for part in parts.clone() {
        if part.get("if").is_some() {
            conditions.push(part);
            continue;
        }
        let mut part = named(&part, known).cloned().unwrap_or(part);
        merge_all_of(&mut part, known);
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
        conditions.extend(part["allOf"].as_array().cloned().unwrap_or_default());
    }
    schema["type"] = json!("object");
    schema["properties"] = Value::Object(properties);
    schema["required"] = Value::Array(required);
    if conditions.is_empty() {
        schema.as_object_mut().map(|schema| schema.remove("allOf"));
    } else {
        schema["allOf"] = Value::Array(conditions);
    }
}

/// A text without values to choose from is described where it stands; what is said there goes first.
fn inline_scalar(schema: &mut Value, known: &Value) {
    let Some(scalar) = named(schema, known) else { return };
    if scalar["type"] == "string" && scalar.get("enum").is_none() {
        let (mut whole, here) = (scalar.clone(), schema.clone());
        for (name, value) in here.as_object().into_iter().flatten().filter(|(name, _)| *name != "$ref") {
            whole[name] = value.clone();
        }
        *schema = whole;
    }
}

/// A scalar or null, as one schema with two types.
fn join_null(schema: &mut Value) {
    let Some(parts) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let (null, others): (Vec<_>, Vec<_>) = parts.iter().partition(|part| **part == json!({"type": "null"}));
    let ([_], [other]) = (null.as_slice(), others.as_slice()) else { return };
    let mut joined = (*other).clone();
    if joined["type"].is_string() && joined.get("enum").is_none() {
        joined["type"] = json!([joined["type"], "null"]);
    } else if let Some(description) = joined.as_object_mut().and_then(|other| other.remove("description")) {
        joined = json!({"oneOf": [joined, {"type": "null"}], "description": description});
    } else {
        return;
    }
    *schema = joined;
}

/// What may not be logged. `format: password` hides it in forms; generators and gateways know the mark.
fn mark_secret(schema: &mut Value) {
    if schema.get("format").is_some_and(|format| format == "password") {
        schema["x-sensitive"] = json!(true);
    }
}

/// Descriptions are wrapped for who reads the code.
fn join_lines(schema: &mut Value) {
    if let Some(description) = schema.get("description").and_then(Value::as_str) {
        let paragraphs: Vec<_> = description.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        schema["description"] = json!(paragraphs.join("\n\n"));
    }
}

/// `example` is of the past in a schema.
fn renew_example(schema: &mut Value) {
    if schema.get("type").is_some()
        && let Some(example) = schema.as_object_mut().and_then(|schema| schema.remove("example"))
    {
        schema["examples"] = json!([example]);
    }
}

/// A problem's codes are those of the answer that it stands in.
fn name_codes(content: &mut Value) {
    if let Some(examples) = content.get("examples").and_then(Value::as_object)
        && content["schema"]["$ref"] == format!("{SCHEMAS}Problem")
    {
        let codes: Vec<_> = examples.keys().cloned().collect();
        content["schema"]["properties"] = json!({"code": {"enum": codes}});
    }
}

/// The seller either carries a result back or agrees to the label: one of the two has to be possible.
fn demand_a_way_to_confirm(request: &mut Value) {
    request["if"] = json!({"properties": {"confirm": {"const": false}}, "required": ["confirm"]});
    let given = |field: &str, kind: &str| json!({"properties": {field: {"type": kind}}, "required": [field]});
    request["then"] = open(given("account_label", "string"));
    request["else"] = open(given("return_url", "string"));
    // `apps` and `reconnect` exclude each other; null counts as absent.
    request["not"] = json!({ "allOf": [given("apps", "array"), given("reconnect", "string")] });
}

/// A condition that says nothing of the other fields. Without the mark some linters take it for a closed object.
fn open(mut condition: Value) -> Value {
    condition["unevaluatedProperties"] = json!(true);
    condition
}

/// Drops types that nothing refers to.
pub(super) fn drop_unused(document: &mut Value) {
    loop {
        let text = document.to_string();
        let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
        let before = schemas.len();
        schemas.retain(|name, _| text.contains(&format!("\"{SCHEMAS}{name}\"")));
        if schemas.len() == before {
            return;
        }
    }
}
