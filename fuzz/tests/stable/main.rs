//! The properties on stable Rust: over every seed, and over mutations of them that are the same in every run.
#![allow(clippy::unwrap_used, reason = "tests")]

mod mutator;

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use fuzz::{PROPERTIES, Property};
use mutator::Mutator;

/// Mutations of the seeds of each property.
const MUTATIONS: usize = 3_000;

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The names in a directory, without what comes after a dot.
fn names_in(name: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(directory(name)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn seeds_of(name: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(directory("seeds").join(name)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs a property; where it does not hold it has said why on standard error.
fn holds(name: &str, property: Property, input: &[u8]) -> bool {
    let held = catch_unwind(|| property(input)).is_ok();
    if !held {
        eprintln!("{name} does not hold for the input\n{}\n", input.escape_ascii());
    }
    held
}

#[test]
fn every_property_has_its_target_and_its_seeds() {
    let names: BTreeSet<_> = PROPERTIES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names_in("fuzz_targets"), names);
    assert_eq!(names_in("seeds"), names);
    let manifest = fs::read_to_string(directory("Cargo.toml")).unwrap();
    for name in names {
        let target = fs::read_to_string(directory("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(target.contains(&format!("fuzz::{name}(")), "{name} runs another property");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not built");
        assert!(seeds_of(&name).len() >= 2, "{name} has hardly a seed");
    }
}

#[test]
fn every_property_holds_for_its_seeds_and_for_what_becomes_of_them() {
    let broken = PROPERTIES.map(|(name, property)| {
        let seeds = seeds_of(name);
        let mut mutator = Mutator::new(&seeds);
        let mutations = (0..MUTATIONS).map(|_| mutator.next_input());
        // One input that breaks it is enough, but every property has its turn.
        let inputs = seeds.iter().cloned().chain([Vec::new()]).chain(mutations);
        (!inputs.into_iter().all(|input| holds(name, property, &input))).then_some(name)
    });
    let broken: Vec<_> = broken.into_iter().flatten().collect();
    assert!(broken.is_empty(), "{broken:?}");
}
