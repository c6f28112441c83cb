//! One child process: its output is taken down, and it ends with its owner.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread::JoinHandle,
};

use super::{StartError, output::Output, warden::Warden};

#[derive(Debug)]
pub(crate) struct Process {
    name: Arc<str>,
    child: Child,
    output: Output,
    reader: Option<JoinHandle<()>>,
    warden: Arc<Warden>,
    ended: bool,
}

impl Process {
    pub(crate) fn start(
        name: String,
        mut command: Command,
        output: &Output,
        warden: &Arc<Warden>,
    ) -> Result<Self, StartError> {
        let failed = |why| StartError::Process { program: name.clone(), why };
        let (reading, writing) = io::pipe().map_err(failed)?;
        command.stdin(Stdio::null());
        command.stdout(writing.try_clone().map_err(failed)?).stderr(writing);
        // Ctrl-C in the terminal is for the stack's owner, who ends all in order.
        command.process_group(0);
        let child = command.spawn().map_err(failed)?;
        // It holds the writing end, too: the pipe shall end with the child.
        drop(command);
        warden.watch(child.id());
        let name: Arc<str> = name.into();
        let reader = Some(output.read(Arc::clone(&name), reading));
        Ok(Self { name, child, output: output.clone(), reader, warden: Arc::clone(warden), ended: false })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.ended {
            return None;
        }
        let status = self.child.try_wait().ok()??;
        self.warden.forget(self.child.id());
        self.settle(&format!("has ended: {status}"));
        Some(status)
    }

    /// Kills it; what it had written is all there afterwards.
    pub(crate) fn kill(&mut self) {
        if self.ended || self.exit_status().is_some() {
            return;
        }
        // It may have ended this moment, and then there is nothing to kill.
        let _ = self.child.kill();
        // Before its number is free for another process.
        self.warden.forget(self.child.id());
        let _ = self.child.wait();
        self.settle("was killed by its stack");
    }

    fn settle(&mut self, how: &str) {
        self.ended = true;
        if let Some(reader) = self.reader.take() {
            // A panic there has lost some lines, no more.
            let _ = reader.join();
        }
        self.output.note(&self.name, format!("*** {how}"));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
