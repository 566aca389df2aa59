//! How hosts of a batch are lost: what that means for them, for the others and for the run.

use super::{Going, Host};
use crate::event::PlayEvent;
use crate::playbook::Keyword;
use crate::playbook::run::cursor::End;
use crate::playbook::run::error::RunError;
use crate::playbook::run::gate;
use crate::playbook::run::worker::Scene;

impl Going<'_> {
    /// A host can't be reached any more.
    pub(super) fn lose(&mut self, at: usize) {
        if let Some(host) = self.hosts.get_mut(at) {
            host.unreachable = true;
            host.cursor.advance();
            self.run.unreachable.insert(host.name.clone());
            self.count_the_left();
        }
    }

    /// A host's way may have ended in a failure: at once, or after an `always`.
    pub(in crate::playbook::run) fn moved(&mut self, at: usize) {
        if let Some(host) = self.hosts.get(at)
            && host.cursor.end() == Some(End::Failed)
            && self.run.failed.insert(host.name.clone())
        {
            self.run.gate_closed |= host.stopped;
            self.count_the_left();
        }
    }

    /// A host has failed where it stands.
    pub(in crate::playbook::run) fn fail(&mut self, at: usize) {
        if let Some(host) = self.hosts.get_mut(at) {
            host.cursor.fail();
            self.moved(at);
        }
    }

    /// The run ends with this play where one of these has failed for good: no later play is begun,
    /// also where nobody was left who could be stopped.
    pub(in crate::playbook::run) fn end_with_failures(&mut self, bad: &[usize]) {
        let lost = |at: &usize| self.hosts.get(*at).is_some_and(|host| !host.takes_part());
        self.run.failures_end_it |= bad.iter().any(lost);
    }

    /// All that take part fail but these, since these have failed. Where it is a gate that closes,
    /// whoever isn't rescued is stopped by it.
    pub(in crate::playbook::run) fn fail_the_rest(&mut self, spared: &[usize], gate: bool) {
        for at in 0..self.hosts.len() {
            if let Some(host) = self.hosts.get_mut(at)
                && host.takes_part()
                && !spared.contains(&at)
            {
                host.stopped = gate;
                self.fail(at);
            }
        }
    }

    /// `max_fail_percentage`: ends the batch where more have failed.
    pub(in crate::playbook::run) async fn check_the_share(&mut self) -> Result<(), RunError> {
        let scene = Scene {
            batch: &self.batch,
            host: None,
            task: None,
            scope: None,
        };
        let keywords = &self.batch.play.keywords;
        let value = self
            .run
            .keyword(Keyword::MaxFailPercentage, keywords, &scene)?;
        let failed = self
            .hosts
            .iter()
            .filter(|host| self.run.failed.contains(&host.name));
        let most = value.as_ref().and_then(gate::percentage);
        if gate::too_many(failed.count(), self.hosts.len(), most) {
            let left: Vec<usize> = (0..self.hosts.len())
                .filter(|at| self.hosts.get(*at).is_some_and(Host::takes_part))
                .collect();
            let mut cut = false;
            for at in left {
                if let Some(host) = self.hosts.get_mut(at) {
                    cut = true;
                    host.cursor.abandon();
                    self.run.failed.insert(host.name.clone());
                }
            }
            self.count_the_left();
            self.run.gate_closed |= cut;
            self.run.over_the_share = true;
            self.say(PlayEvent::NoHostsRemaining(self.batch.number))
                .await;
        }
        Ok(())
    }
}
