//! What `meta` tasks do to a host's way, or to everybody's.

use super::batch::Going;
use super::worker::Meta;

impl Going<'_> {
    /// Does what a `meta` task wants of a host.
    pub(super) fn obey(&mut self, at: usize, meta: Meta) {
        match meta {
            Meta::FlushHandlers => self.flush(at),
            Meta::EndHost => self.end_host(at),
            Meta::EndRole => self.end_role(at),
            Meta::EndBatch => self.end_all(),
            Meta::EndPlay => {
                self.play_ended = true;
                self.end_all();
            }
            Meta::ClearHostErrors => self.clear_errors(),
            Meta::Nothing => {}
        }
    }

    fn end_host(&mut self, at: usize) {
        if let Some(host) = self.hosts.get_mut(at) {
            host.cursor.stop();
            self.count_the_left();
        }
    }

    fn end_role(&mut self, at: usize) {
        if let Some(host) = self.hosts.get_mut(at) {
            host.cursor.end_role();
            self.moved(at);
        }
    }

    fn end_all(&mut self) {
        for host in &mut self.hosts {
            host.cursor.stop();
        }
    }

    /// Lost hosts go on where they were, failed ones take part in the plays to come.
    fn clear_errors(&mut self) {
        for host in self.batch.all.iter() {
            self.run.failed.remove(host);
            self.run.unreachable.remove(host);
        }
        for host in &mut self.hosts {
            host.unreachable = false;
        }
        self.count_the_left();
    }
}

/// Whether a host's place is moved by what `meta` does there.
pub(super) fn stays(meta: Option<Meta>) -> bool {
    matches!(meta, Some(Meta::FlushHandlers | Meta::EndRole))
}
