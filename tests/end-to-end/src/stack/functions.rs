//! The functions as processes that poll the runtime API.

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Function, StartError, output::Output, process::Process, programs, warden::Warden};

/// The variables of each function.
pub type Environments = BTreeMap<Function, BTreeMap<String, String>>;

/// All processes of all functions.
#[derive(Debug)]
pub struct Functions {
    runtime_url: String,
    environments: Environments,
    output: Output,
    warden: Arc<Warden>,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    processes: Vec<(Function, Process)>,
    started: usize,
}

impl Functions {
    /// None is running yet.
    pub fn new(runtime_url: String, environments: Environments, output: Output, warden: Arc<Warden>) -> Self {
        Self { runtime_url, environments, output, warden, running: Mutex::default() }
    }

    /// Starts one more process of a function: a container in its cold start. Gives its process id.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(&self, function: Function) -> Result<u32, StartError> {
        let mut running = self.running();
        running.started += 1;
        let name = format!("{function}/{}", running.started);
        let process = Process::start(name, self.command(function)?, &self.output, &self.warden)?;
        let id = process.id();
        running.processes.push((function, process));
        Ok(id)
    }

    /// Kills every process of a function, in the middle of whatever it does.
    pub(crate) fn kill(&self, function: Function) {
        let mut running = self.running();
        let (killed, left) = running.processes.drain(..).partition(|(of, _)| *of == function);
        running.processes = left;
        drop(running);
        drop::<Vec<_>>(killed);
    }

    /// Kills every process of every function.
    pub fn kill_all(&self) {
        let killed = std::mem::take(&mut self.running().processes);
        drop(killed);
    }

    /// The processes of a function that are alive.
    pub fn alive(&self, function: Function) -> Vec<u32> {
        let mut running = self.running();
        let of_function = running.processes.iter_mut().filter(|(of, _)| *of == function);
        of_function.filter_map(|(_, process)| process.exit_status().is_none().then(|| process.id())).collect()
    }

    /// Only these variables: what lies in the developer's environment, proxies and profiles, is not for the functions.
    fn command(&self, function: Function) -> Result<Command, StartError> {
        let mut command = Command::new(programs::binary(function)?);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", format!("{}/.rt/{function}", self.runtime_url))
            .env("AWS_LAMBDA_FUNCTION_NAME", function.name())
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .envs(self.environments.get(&function).into_iter().flatten());
        Ok(command)
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
