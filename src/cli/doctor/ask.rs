//! Logs in to the hosts and asks the questions of `doctor`: one small job for each kind of shell, over
//! the engine and the pool that every run has.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::case::Case;
use super::login;
use crate::base::clock;
use crate::base::id::RunId;
use crate::base::prompt::Prompt;
use crate::cli::identities::Identities;
use crate::cli::{CliError, Setup};
use crate::doctor::{Shell, probe};
use crate::engine::{self, Control, Halt, Job, Limits, Targets};
use crate::event::capture::CaptureLimits;
use crate::event::{
    Consumer, Emitter, Event, HostError, HostIx, HostResult, RunHeader, Stamped, Stopped,
};
use crate::shell::{Plan, Stdin};
use crate::target::Target;
use crate::transport::Pool;

/// What asking may take on a host; the slowest is PowerShell on a busy old one.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Answers are small; more is not kept, in bytes.
const ANSWER_MAX: usize = 256 << 10;

/// Logs in to every host that can be asked, and asks. Says what stopped it early.
pub async fn ask(
    setup: &Setup,
    cases: &mut [Case],
    prompt: Arc<dyn Prompt>,
    forks: usize,
    files: usize,
    control: Control,
) -> Result<Option<Stopped>, CliError> {
    cases.iter_mut().for_each(login::is_possible);
    let identities = Identities::new(setup, prompt);
    let pool = Arc::new(Pool::new(identities.transports(), files, false));
    let mut by_shell: BTreeMap<Shell, Vec<usize>> = BTreeMap::new();
    for (at, case) in cases.iter().enumerate() {
        if let Some((shell, _)) = case.can_be_asked() {
            by_shell.entry(shell).or_default().push(at);
        }
    }
    let mut stopped = None;
    for (shell, hosts) in by_shell {
        let targets: Vec<Arc<Target>> = hosts
            .iter()
            .filter_map(|at| cases.get(*at)?.target.clone())
            .collect();
        let (results, end) = round(setup, shell, targets, &pool, forks, control.clone()).await?;
        for (at, result) in hosts.into_iter().zip(results) {
            if let (Some(case), Some(result)) = (cases.get_mut(at), result) {
                login::read(case, &result.0, &result.1);
            }
        }
        stopped = stopped.or(end);
        if stopped.is_some() {
            break;
        }
    }
    for notice in identities.settle() {
        setup.warn(&notice);
    }
    Ok(stopped)
}

/// A result, and what the host printed.
type Answer = (Arc<HostResult>, Vec<u8>);

/// One kind of shell's hosts.
async fn round(
    setup: &Setup,
    shell: Shell,
    targets: Vec<Arc<Target>>,
    pool: &Arc<Pool>,
    forks: usize,
    control: Control,
) -> Result<(Vec<Option<Answer>>, Option<Stopped>), CliError> {
    let header = Arc::new(header(&targets));
    let answers = Answers(Arc::new(Mutex::new(vec![None; targets.len()])));
    let folder = setup.data_dir().join(format!("doctor-{}", header.run));
    setup.make_data_dir()?;
    std::fs::create_dir(&folder)?;
    let capture = CaptureLimits {
        inline: ANSWER_MAX,
        max: ANSWER_MAX as u64,
        folder: folder.clone(),
    };
    let consumer = Box::new(answers.clone());
    let (emitter, thread) = Emitter::start(setup.redactor.clone(), capture, vec![consumer])?;
    let job = Job {
        header,
        targets: Arc::new(Ready(targets)),
        work: engine::Work::Command(Arc::new(plan(shell))),
        limits: Limits {
            forks,
            timeout: Some(TIMEOUT),
            idle_timeout: None,
            deadline: None,
            serial: Vec::new(),
            max_fail: None,
            retries: 0,
        },
    };
    let end = engine::run(job, pool.clone(), emitter, control).await;
    let joined = thread.join();
    std::fs::remove_dir_all(&folder)?;
    if joined.is_err() {
        return Err(CliError::new(
            "internal error while reading the answers; -vv has more",
        ));
    }
    let mut answers = answers.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((std::mem::take(&mut *answers), end.stopped))
}

fn plan(shell: Shell) -> Plan {
    Plan {
        command: probe(shell),
        env: Vec::new(),
        chdir: None,
        tty: false,
        stdin: Stdin::Empty,
        detach: false,
    }
}

fn header(targets: &[Arc<Target>]) -> RunHeader {
    let local = crate::target::ssh_config::Local::of_process();
    RunHeader {
        run: RunId::new(),
        verb: "doctor".to_owned(),
        command: None,
        pattern: String::new(),
        user: local.user,
        account: None,
        from: local.hostname,
        options: json!({}),
        started: clock::now(),
        no_log: true,
        hosts: targets.iter().map(|target| target.host.clone()).collect(),
    }
}

/// Targets that are resolved already.
struct Ready(Vec<Arc<Target>>);

impl Targets for Ready {
    fn resolve(&self, host: HostIx) -> Result<Arc<Target>, HostError> {
        self.0
            .get(host.index())
            .cloned()
            .ok_or_else(|| HostError::new(crate::event::ErrorKind::Arguments, "no such host"))
    }
}

/// Takes the results while the files of their outputs are there.
#[derive(Clone)]
struct Answers(Arc<Mutex<Vec<Option<Answer>>>>);

impl Consumer for Answers {
    fn consume(&mut self, event: &Stamped) -> io::Result<()> {
        if let Event::HostFinished(host, result) = &event.event {
            let output = result.stdout.read()?.to_vec();
            let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = answers.get_mut(host.index()) {
                *place = Some((result.clone(), output));
            }
        }
        Ok(())
    }
}

/// Waits until somebody wants an end.
pub async fn stopped(control: &mut Control) -> Stopped {
    loop {
        let now = *control.borrow_and_update();
        if let Halt::Stop(why) | Halt::Quit(why) = now {
            return why;
        }
        if control.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The exit status of an early end.
pub fn status_of(stopped: Stopped) -> u8 {
    if stopped == Stopped::Terminated {
        143
    } else {
        130
    }
}
