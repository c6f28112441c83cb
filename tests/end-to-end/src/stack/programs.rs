//! Where the programs lie that a stack runs.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{Function, StartError};

/// Where cargo-lambda learns which functions exist.
pub(crate) const FUNCTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/functions");

/// The workspace's root.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The binary of a function.
///
/// # Errors
/// As [`built`].
pub(crate) fn binary(function: Function) -> Result<PathBuf, StartError> {
    built(function.binary())
}

/// A binary of the workspace, beside the running one.
///
/// # Errors
/// When it is missing, or older than its sources: a test shall not pass for yesterday's function.
pub fn built(name: &str) -> Result<PathBuf, StartError> {
    let running = env::current_exe().map_err(|why| StartError::Process { program: name.to_owned(), why })?;
    // Tests lie in target/debug/deps, programs in target/debug.
    let profile = running.ancestors().skip(1).find(|path| !path.ends_with("deps")).unwrap_or(Path::new("."));
    let binary = profile.join(name);
    if !binary.is_file() {
        return Err(StartError::NotBuilt(binary));
    }
    match newer_source(&binary) {
        Some(source_file) => Err(StartError::Stale { binary, source_file }),
        None => Ok(binary),
    }
}

/// A file that the binary was built from and that was changed since. Looked for once a run: who goes on editing while
/// tests run is not to be stopped.
fn newer_source(binary: &Path) -> Option<PathBuf> {
    static FOUND: Mutex<BTreeMap<PathBuf, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    found.entry(binary.to_owned()).or_insert_with(|| find_newer_source(binary)).clone()
}

/// Cargo has listed the sources beside the binary.
fn find_newer_source(binary: &Path) -> Option<PathBuf> {
    let built = fs::metadata(binary).ok()?.modified().ok()?;
    let list = fs::read_to_string(binary.with_extension("d")).ok()?;
    let (_, sources) = list.split_once(": ")?;
    let sources = sources.trim().split(' ').map(PathBuf::from);
    let changed = |source: &PathBuf| fs::metadata(source).and_then(|file| file.modified()).is_ok_and(|at| at > built);
    sources.filter(|source| source.is_file()).find(changed)
}

/// cargo-lambda: `$CARGO_LAMBDA`, or the project's own.
///
/// # Errors
/// When it is not there.
pub(crate) fn cargo_lambda() -> Result<PathBuf, StartError> {
    let own = || Path::new(WORKSPACE).join(".tools/test/bin/cargo-lambda");
    let program = env::var_os("CARGO_LAMBDA").map_or_else(own, PathBuf::from);
    if program.is_file() { Ok(program) } else { Err(StartError::NoCargoLambda(program)) }
}
