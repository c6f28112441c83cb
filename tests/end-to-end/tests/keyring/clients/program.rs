//! The examples as child processes.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use end_to_end::stack::built;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
    time::timeout,
};

/// The workspace's root.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// An answer may take 20 seconds, and there are three attempts.
const PATIENCE: Duration = Duration::from_secs(90);

/// One of the examples that read the names of connections, a line at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Program {
    Python,
    TypeScript,
    Rust,
}

impl Program {
    fn command(self) -> Command {
        match self {
            Self::Python => {
                let mut python = Command::new(tool("python"));
                // Nothing is left beside the sources.
                python.env("PYTHONDONTWRITEBYTECODE", "1").arg(root("examples/python/call.py"));
                python
            }
            Self::TypeScript => {
                let mut node = Command::new(tool("node"));
                node.arg(compiled());
                node
            }
            Self::Rust => Command::new(built("example-client").unwrap()),
        }
    }

    /// Starts it with these variables and no others.
    pub(crate) fn start(self, environment: &[(&'static str, String)]) -> Running {
        let mut command = tokio::process::Command::from(self.command());
        only(command.as_std_mut(), environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{self:?} does not start: {error}"));
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, input, lines, said: Vec::new() }
    }
}

/// An example at work.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Running {
    /// Has these connections called at the same time; gives what it says of each.
    pub(crate) async fn call(&mut self, connections: &[&str]) -> Vec<String> {
        let line = format!("{}\n", connections.join(" "));
        self.input.as_mut().unwrap().write_all(line.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        for connection in connections {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect("it answers").unwrap();
            let Some(line) = line else { panic!("it ended: {}", self.errors().await) };
            let words = line.strip_prefix(connection).and_then(|rest| rest.strip_prefix(": "));
            said.push(words.unwrap_or_else(|| panic!("not about {connection}: {line}")).to_owned());
            self.said.push(line);
        }
        said
    }

    /// One connection.
    pub(crate) async fn call_one(&mut self, connection: &str) -> String {
        self.call(&[connection]).await.remove(0)
    }

    /// Has it end; gives whether all went well by its exit status, and all that it wrote.
    pub(crate) async fn end(mut self) -> (bool, String) {
        drop(self.input.take());
        let errors = self.errors().await;
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        (status.success(), format!("{}\n{errors}", self.said.join("\n")))
    }

    async fn errors(&mut self) -> String {
        let mut errors = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            timeout(PATIENCE, pipe.read_to_string(&mut errors)).await.expect("it ends").unwrap();
        }
        errors
    }
}

/// What a script beside this file says, which drives an example's `tokens` itself.
pub(crate) fn said_by(program: Program, script: &str) -> String {
    let mut command = match program {
        Program::Python => {
            let mut python = Command::new(tool("python"));
            python.env("PYTHONPATH", root("examples/python")).env("PYTHONDONTWRITEBYTECODE", "1");
            python
        }
        Program::TypeScript => {
            let mut node = Command::new(tool("node"));
            node.env("TOKENS", compiled().with_file_name("tokens.js"));
            node
        }
        Program::Rust => panic!("it is no library"),
    };
    let output = command.arg(root("tests/end-to-end/tests/keyring/clients").join(script)).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    text(output.stdout) + &text(output.stderr)
}

/// The shell script, which makes one call: whether it went well, and all that it wrote. `None`, and a line on the
/// terminal, where it cannot run.
pub(crate) async fn shell(environment: &[(&'static str, String)], connection: &str) -> Option<(bool, String)> {
    if let Some(missing) = missing_for_the_shell() {
        // Past the test harness's capture, for a skipped test counts as passed.
        let _ = writeln!(std::io::stderr(), "SKIPPED: examples/curl/call.sh: {missing}");
        return None;
    }
    let mut command = Command::new(root("examples/curl/call.sh"));
    only(&mut command, environment);
    command.arg(connection);
    let output = timeout(PATIENCE, tokio::process::Command::from(command).output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some((output.status.success(), text(output.stdout) + &text(output.stderr)))
}

fn missing_for_the_shell() -> Option<String> {
    let found = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if let Some(missing) = ["bash", "jq", "openssl"].into_iter().find(|program| !found(program)) {
        return Some(format!("{missing} is not installed"));
    }
    let Ok(curl) = Command::new("curl").arg("--version").output() else {
        return Some("curl is not installed".into());
    };
    let version = String::from_utf8_lossy(&curl.stdout).into_owned();
    let mut numbers = version.split_whitespace().nth(1)?.split('.').map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next()?, numbers.next()?);
    (version < (7, 86)).then(|| format!("curl is {}.{}, and 7.86 is needed", version.0, version.1))
}

/// No credentials of whoever runs the tests, no proxy.
fn only(command: &mut Command, environment: &[(&'static str, String)]) {
    let kept = ["PATH", "HOME", "LD_LIBRARY_PATH"].map(|name| (name, std::env::var_os(name)));
    command.env_clear().envs(kept.into_iter().filter_map(|(name, value)| Some((name, value?))));
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(environment.iter().cloned());
}

pub(crate) fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn tool(name: &str) -> PathBuf {
    let tool = root(".tools/test/bin").join(name);
    assert!(tool.is_file(), "{} is missing: run `make tools`", tool.display());
    tool
}

/// `call.js`, from sources that the compiler finds nothing wrong with.
fn compiled() -> &'static Path {
    static COMPILED: OnceLock<PathBuf> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let (example, place) = (root("examples/typescript"), root(".tools/typescript"));
        // Nothing of an earlier run is run.
        for left in ["src", "dist"].map(|folder| place.join(folder)).iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(left).unwrap();
        }
        fs::create_dir_all(place.join("src")).unwrap();
        fs::copy(example.join("tsconfig.json"), place.join("tsconfig.json")).unwrap();
        for source in fs::read_dir(example.join("src")).unwrap() {
            let source = source.unwrap();
            fs::copy(source.path(), place.join("src").join(source.file_name())).unwrap();
        }
        let tsc = place.join("node_modules/typescript/bin/tsc");
        assert!(tsc.is_file(), "{} is missing: run `make tools`", tsc.display());
        let run = Command::new(tool("node")).arg(tsc).current_dir(&place).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        place.join("dist/call.js")
    })
}
