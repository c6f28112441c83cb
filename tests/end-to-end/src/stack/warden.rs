//! Ends the processes of a stack when the stack cannot do so itself: after a SIGKILL, or an abort.
//!
//! A shell that holds the reading end of a pipe. It is told which processes there are; the pipe's end tells it that
//! whoever had the other end is gone, and then it kills those that are left.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use super::StartError;

const SCRIPT: &str = r#"
pids=' '
while read -r verb pid; do
    case $verb in
        watch) pids="$pids$pid " ;;
        forget) pids="${pids%% $pid *} ${pids#* $pid }" ;;
    esac
done
for pid in $pids; do kill -9 "$pid"; done
"#;

/// The shell, and the line to it.
#[derive(Debug)]
pub struct Warden {
    shell: Mutex<Shell>,
}

#[derive(Debug)]
struct Shell {
    process: Child,
    orders: Option<ChildStdin>,
}

impl Warden {
    /// Starts the shell.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start() -> Result<Self, StartError> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of a Ctrl-C in the terminal.
            .process_group(0)
            .spawn();
        let mut process = shell.map_err(|why| StartError::Process { program: "/bin/sh".into(), why })?;
        let orders = process.stdin.take();
        Ok(Self { shell: Mutex::new(Shell { process, orders }) })
    }

    pub(crate) fn watch(&self, pid: u32) {
        self.order("watch", pid);
    }

    /// To be called once for every watched process.
    pub(crate) fn forget(&self, pid: u32) {
        self.order("forget", pid);
    }

    fn order(&self, verb: &str, pid: u32) {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        let written = shell.orders.as_mut().map(|orders| writeln!(orders, "{verb} {pid}"));
        // It only fails when somebody has killed the shell; then the stack still ends its processes itself.
        drop(written.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into())));
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        let shell = self.shell.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(shell.orders.take());
        // Only to leave no zombie.
        let _ = shell.process.wait();
    }
}
