//! What the documents show of the examples is really in them.

use std::{collections::BTreeSet, fs};

use super::program::root;

/// A code block whose first line names a file: ```` ```python examples/python/tokens.py ````.
struct Excerpt {
    document: &'static str,
    file: String,
    code: String,
}

fn excerpts(document: &'static str) -> Vec<Excerpt> {
    let text = fs::read_to_string(root(document)).unwrap();
    let mut lines = text.lines();
    let mut excerpts = Vec::new();
    while let Some(line) = lines.next() {
        let Some(opening) = line.strip_prefix("```") else { continue };
        let code: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        match opening.split_once(' ') {
            Some((_, file)) => excerpts.push(Excerpt { document, file: file.into(), code: code.join("\n") }),
            None => assert!(["sh", "text"].contains(&opening), "{document}: which file is this from?\n{code:#?}"),
        }
    }
    excerpts
}

#[test]
fn every_excerpt_is_part_of_its_file() {
    for Excerpt { document, file, code } in excerpts("docs/clients.md").into_iter().chain(excerpts("docs/iam.md")) {
        let whole = fs::read_to_string(root(&file)).unwrap_or_else(|error| panic!("{document} names {file}: {error}"));
        assert!(!code.is_empty() && whole.contains(&code), "{document}: this is not in {file}:\n{code}");
    }
}

#[test]
fn every_client_and_policy_is_shown() {
    let shown: BTreeSet<_> = excerpts("docs/clients.md").into_iter().map(|excerpt| excerpt.file).collect();
    for file in [
        "examples/curl/call.sh",
        "examples/python/call.py",
        "examples/python/marketplaces.py",
        "examples/python/tokens.py",
        "examples/rust/src/main.rs",
        "examples/rust/src/marketplaces.rs",
        "examples/rust/src/tokens.rs",
        "examples/typescript/src/call.ts",
        "examples/typescript/src/marketplaces.ts",
        "examples/typescript/src/tokens.ts",
    ] {
        assert!(shown.contains(file), "docs/clients.md does not show {file}");
    }
    let text = fs::read_to_string(root("docs/iam.md")).unwrap();
    for policy in fs::read_dir(root("docs/iam")).unwrap() {
        let policy = policy.unwrap().file_name().into_string().unwrap();
        assert!(text.contains(&format!("iam/{policy}")), "docs/iam.md does not name {policy}");
    }
}

#[test]
fn the_python_example_is_tested_with_the_versions_that_it_asks_for() {
    let installed = fs::read_to_string(root("tests/requirements.txt")).unwrap();
    let asked = fs::read_to_string(root("examples/python/requirements.txt")).unwrap();
    for pin in asked.lines().filter(|line| !line.is_empty()) {
        assert!(installed.lines().any(|line| line == pin), "tests/requirements.txt has another version than {pin}");
    }
}
