//! Ends a running command on its host, children included: a second command on the same connection,
//! else on a new one; else says what may have survived.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::drive::{mark, request};
use crate::event::{HostError, Stream};
use crate::shell::Conversation;
use crate::target::Target;
use crate::transport::{Connection, Connections, OutputEvent};

/// How long one try at ending may take: the script itself gives the command two seconds.
const LIMIT: Duration = Duration::from_secs(10);

/// Ends what `running` has started. `None`: it is gone, or was never started.
pub(super) async fn end(
    connections: &Arc<dyn Connections>,
    connection: &Arc<dyn Connection>,
    target: &Arc<Target>,
    running: &dyn Conversation,
) -> Option<String> {
    let group = running.group()?;
    if !connection.is_closed() && ended_over(connection, running).await {
        return None;
    }
    if let Ok(Ok(fresh)) = timeout(LIMIT, connections.fresh(target)).await
        && ended_over(&fresh, running).await
    {
        return None;
    }
    Some(format!("it may still be running, pgid {group}"))
}

/// Removes what a command that is gone has left on its host, as well as can be.
pub(super) async fn tidy(connection: &Arc<dyn Connection>, running: &dyn Conversation) {
    if running.group().is_some() && !ended_over(connection, running).await {
        tracing::debug!("what the command has left was not removed");
    }
}

async fn ended_over(connection: &Arc<dyn Connection>, running: &dyn Conversation) -> bool {
    matches!(timeout(LIMIT, say(connection, running)).await, Ok(Ok(true)))
}

async fn say(
    connection: &Arc<dyn Connection>,
    running: &dyn Conversation,
) -> Result<bool, HostError> {
    let Some(mut conversation) = running.ending(&mark()) else {
        return Ok(true);
    };
    let mut process = connection.exec(request(conversation.begin())).await?;
    let opening = conversation.opening();
    if !opening.is_empty() {
        process.input.write(opening).await?;
    }
    let mut said = Vec::new();
    loop {
        let step = match process.output.next().await {
            OutputEvent::Data(Stream::Stdout, bytes) => conversation.stdout(bytes),
            OutputEvent::Data(Stream::Stderr, bytes) => conversation.stderr(bytes),
            OutputEvent::Exit(_) => continue,
            OutputEvent::Closed | OutputEvent::Refused | OutputEvent::Lost(_) => break,
        };
        said.extend_from_slice(&step.stdout);
        if !step.write.is_empty() {
            process.input.write(step.write.into()).await?;
        }
        if step.failed.is_some() || conversation.says_gone(&said) {
            break;
        }
    }
    process.output.close().await;
    Ok(conversation.says_gone(&said))
}
