//! A run's record (under construction).
use std::path::{Path, PathBuf};
use super::Setup;
use crate::base::id::RunId;
use crate::event::{Consumer, Recorded};

/// Record.
pub struct Records { folder: PathBuf }
impl Records {
    /// Begins.
    pub fn begin(setup: &Setup, run: RunId) -> Self {
        let folder = setup.data_dir().join("journal").join(run.to_string());
        let _ = std::fs::create_dir_all(&folder);
        Self { folder }
    }
    /// Consumer.
    pub fn consumer(&mut self) -> Option<Box<dyn Consumer>> { None }
    /// Folder.
    pub fn folder(&self) -> &Path { &self.folder }
    /// Ends.
    pub async fn finish(self) -> Recorded { let _ = std::fs::remove_dir_all(&self.folder); Recorded::Lost }
}
