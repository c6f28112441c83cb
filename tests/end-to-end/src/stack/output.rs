//! What the processes of a stack have written.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    io::{BufRead, BufReader, Read},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

/// A sandbox may run for days.
const LINES: usize = 50_000;

/// The lines of all processes, in the order in which they came. Clones see the same ones.
#[derive(Debug, Clone, Default)]
pub struct Output(Arc<Mutex<VecDeque<Line>>>);

#[derive(Debug)]
struct Line {
    process: Arc<str>,
    text: String,
}

impl Output {
    pub(crate) fn note(&self, process: &Arc<str>, text: impl Into<String>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(Line { process: Arc::clone(process), text: text.into() });
    }

    /// Takes down what comes from `pipe`, to its end.
    pub(crate) fn read(&self, process: Arc<str>, pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let output = self.clone();
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                output.note(&process, String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        })
    }

    /// Everything, a line a line, with the name of its process.
    pub(crate) fn text(&self) -> String {
        self.text_of("")
    }

    /// The lines of the processes whose names begin so.
    pub fn text_of(&self, process: &str) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for line in lines.iter().filter(|line| line.process.starts_with(process)) {
            let _ = writeln!(text, "{:<18} {}", line.process, line.text);
        }
        text
    }
}
