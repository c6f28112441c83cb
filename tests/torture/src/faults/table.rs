//! The table of `docs/reliability.md`: written from what was seen, and read as what is expected.

use std::{collections::HashMap, fmt::Write as _, fs, io, path::PathBuf};

use super::{
    cell::{APART, Cell, Strike},
    job::Job,
    outcome::{Outcome, Word},
    trouble::Trouble,
};

const BEGIN: &str =
    "<!-- The tables from here on are written by `make torture ARGS=\"--only faults --write-table\"`. -->\n";
const END: &str = "<!-- End of what is written. -->\n";
const CLOCKS: &str = "The table's clock five minutes off";
const BETWEEN: &str = " / ";

/// What is expected, or was seen, of each cell: by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table(HashMap<String, Outcome>);

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    /// The document cannot be read or written.
    #[error("docs/reliability.md: {0}")]
    Document(#[from] io::Error),
    /// It is not as it should be.
    #[error("docs/reliability.md: {0}")]
    Form(String),
}

impl Table {
    /// Notes what was seen.
    pub(crate) fn note(&mut self, cell: Cell, outcome: Outcome) {
        self.0.insert(cell.to_string(), outcome);
    }

    /// What is expected.
    pub(crate) fn get(&self, cell: Cell) -> Option<Outcome> {
        self.0.get(&cell.to_string()).copied()
    }

    /// As Markdown; empty where nothing was seen.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let columns: Vec<&str> = Trouble::ALL.map(Trouble::as_str).into();
        for job in Job::ALL {
            heading(&mut text, job.as_str(), "step", &columns);
            for (step, named) in job.steps().iter().enumerate() {
                let cells = Trouble::ALL.map(|trouble| self.in_words(job, step, trouble));
                row(&mut text, named.name, &cells);
            }
        }
        heading(&mut text, CLOCKS, "job", &["ahead", "behind"]);
        for job in Job::ALL {
            let said = |seconds| self.word(Cell { job, strike: Strike::Clock(seconds) });
            row(&mut text, job.as_str(), &[said(APART), said(-APART)]);
        }
        text
    }

    fn in_words(&self, job: Job, step: usize, trouble: Trouble) -> String {
        let word = |lasting| self.word(Cell { job, strike: Strike::Call { step, trouble, lasting } });
        let (once, lasting) = (word(false), word(true));
        if !trouble.may_last() || once == lasting { once } else { format!("{once}{BETWEEN}{lasting}") }
    }

    fn word(&self, cell: Cell) -> String {
        self.get(cell).map_or_else(String::new, |outcome| outcome.to_string())
    }

    /// The document's table.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) fn of_document() -> Result<Self, TableError> {
        let document = fs::read_to_string(path())?;
        Self::read(between(&document)?.1).map_err(TableError::Form)
    }

    /// Puts this table and its words into the document.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) fn write(&self) -> Result<(), TableError> {
        let document = fs::read_to_string(path())?;
        let (before, _, after) = between(&document)?;
        fs::write(path(), format!("{before}{BEGIN}{}{}{END}{after}", words(), self.markdown()))?;
        Ok(())
    }

    fn read(text: &str) -> Result<Self, String> {
        let mut table = Self::default();
        let mut job = None;
        let rows = text.lines().filter(|line| line.starts_with(['#', '|']) && !line.starts_with("|-"));
        for line in rows {
            if let Some(title) = line.strip_prefix("#### ") {
                job = Job::ALL.into_iter().find(|job| job.as_str() == title);
                continue;
            }
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let Some((name, said)) = cells.split_first() else { continue };
            let strikes: Vec<Cell> = if let Some(job) = job {
                let Some(step) = job.steps().iter().position(|step| step.name == *name) else { continue };
                let columns = Trouble::ALL.into_iter();
                columns.map(|trouble| Cell { job, strike: Strike::Call { step, trouble, lasting: false } }).collect()
            } else {
                let Some(job) = Job::ALL.into_iter().find(|job| job.as_str() == *name) else { continue };
                [APART, -APART].map(|seconds| Cell { job, strike: Strike::Clock(seconds) }).into()
            };
            for (cell, said) in strikes.into_iter().zip(said) {
                table.read_cell(cell, said)?;
            }
        }
        Ok(table)
    }

    fn read_cell(&mut self, cell: Cell, said: &str) -> Result<(), String> {
        let (once, lasting) = said.split_once(BETWEEN).unwrap_or((said, said));
        let read = |text| Outcome::read(text).ok_or_else(|| format!("{cell}: unknown words: {said}"));
        self.note(cell, read(once)?);
        if let Strike::Call { step, trouble, .. } = cell.strike
            && trouble.may_last()
        {
            self.note(Cell { strike: Strike::Call { step, trouble, lasting: true }, ..cell }, read(lasting)?);
        }
        Ok(())
    }
}

/// The vocabulary.
fn words() -> String {
    let mut text = String::from("\n| word | what it says |\n|---|---|\n");
    for word in Word::ALL {
        row(&mut text, word.as_str(), &[word.meaning().to_owned()]);
    }
    text
}

fn heading(text: &mut String, title: &str, first: &str, columns: &[&str]) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "\n#### {title}\n\n| {first} | {} |\n|---{}|",
        columns.join(" | "),
        "|---".repeat(columns.len())
    );
}

fn row(text: &mut String, name: &str, cells: &[String]) {
    let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
}

fn between(document: &str) -> Result<(&str, &str, &str), TableError> {
    let parts = document.split_once(BEGIN).and_then(|(before, rest)| {
        let (table, after) = rest.split_once(END)?;
        Some((before, table, after))
    });
    parts.ok_or_else(|| TableError::Form("the comments that enclose the tables are missing".into()))
}

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "reliability.md"].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_back_as_it_was_written() {
        let mut table = Table::default();
        for (n, cell) in Cell::all().into_iter().enumerate() {
            table.note(cell, Outcome { word: Word::ALL[n % Word::ALL.len()], alarm: n % 3 == 0 });
        }
        assert_eq!(Table::read(&table.markdown()).unwrap(), table);
    }

    #[test]
    fn the_document_has_a_word_for_every_cell_and_no_others() {
        let expected = Table::of_document().unwrap();
        let cells = Cell::all();
        let missing: Vec<String> =
            cells.iter().filter(|cell| expected.get(**cell).is_none()).map(ToString::to_string).collect();
        assert!(missing.is_empty(), "{missing:#?}");
        assert_eq!(expected.0.len(), cells.len());
        let document = fs::read_to_string(path()).unwrap();
        let (_, written, _) = between(&document).unwrap();
        assert_eq!(written, format!("{}{}", words(), expected.markdown()), "what is written follows from the code");
    }
}
