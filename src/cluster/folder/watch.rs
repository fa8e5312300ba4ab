//! Watches a folder by looking at it again and again.
//!
//! In: what is wanted. Out: all of it at once, and again whenever a file has changed, came or went, or was written here.

use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::{Instant, sleep};

use super::Folder;
use crate::cluster::{ClusterError, ListRequest, Watched};

/// How often a folder that is watched is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// The last item that a watch has sent.
#[derive(Clone, Copy)]
enum LastSent {
    Nothing,
    /// The view of this generation.
    View(u64),
    Failure,
}

impl Folder {
    pub(super) fn watched(&self, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>> {
        stream::unfold(LastSent::Nothing, move |last| {
            let request = request.clone();
            async move {
                Some(match self.other_than(last).await {
                    Ok(()) => {
                        let view = self.store.view();
                        (Ok(Watched::Listed(view.select(&request))), LastSent::View(view.state().0))
                    }
                    Err(error) => (Err(error), LastSent::Failure),
                })
            }
        })
        .boxed()
    }

    /// Waits until the folder differs from what was sent last.
    async fn other_than(&self, last: LastSent) -> Result<(), ClusterError> {
        if matches!(last, LastSent::Nothing) {
            return Ok(());
        }
        loop {
            sleep(LOOKED_AT_EVERY).await;
            self.look_again().await?;
            if !matches!(last, LastSent::View(generation) if generation == self.store.view().state().0) {
                return Ok(());
            }
        }
    }

    /// Reads what has changed, unless somebody has just looked.
    async fn look_again(&self) -> Result<(), ClusterError> {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|looked| looked.elapsed() < LOOKED_AT_EVERY / 2) {
            return Ok(());
        }
        self.aside(super::Store::look_again).await?;
        *looked = Some(Instant::now());
        Ok(())
    }
}
