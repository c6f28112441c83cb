//! Answers that come in another order than they were asked for. The example in Rust has this as a test of its own.

use super::program::{Program, said_by};

#[test]
fn a_late_answer_does_not_bring_an_older_version_back() {
    for (program, script) in [(Program::Python, "overtaken.py"), (Program::TypeScript, "overtaken.mjs")] {
        assert_eq!(said_by(program, script), "2 2 2\n", "{program:?}");
    }
}
