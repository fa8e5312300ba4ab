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

/// What a watch has told last.
#[derive(Clone, Copy)]
enum Told {
    Nothing,
    /// The view of this generation.
    View(u64),
    Failure,
}

impl Folder {
    pub(super) fn watched(&self, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>> {
        stream::unfold(Told::Nothing, move |told| {
            let request = request.clone();
            async move {
                Some(match self.other_than(told).await {
                    Ok(()) => {
                        let view = self.store.view();
                        (Ok(Watched::Listed(view.select(&request))), Told::View(view.state().0))
                    }
                    Err(error) => (Err(error), Told::Failure),
                })
            }
        })
        .boxed()
    }

    /// Waits until there is something else than what was told.
    async fn other_than(&self, told: Told) -> Result<(), ClusterError> {
        if matches!(told, Told::Nothing) {
            return Ok(());
        }
        loop {
            sleep(LOOKED_AT_EVERY).await;
            self.look_again().await?;
            if !matches!(told, Told::View(told) if told == self.store.view().state().0) {
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
