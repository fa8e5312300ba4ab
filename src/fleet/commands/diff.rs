//! Compares every application with its cluster.

use crate::app::SelectionError;
use crate::fleet::application::Purpose;
use crate::fleet::observe::observe;
use crate::fleet::stages::select::select;
use crate::fleet::stages::{health, nondeterminism, orphans, reasons, settings};
use crate::fleet::targets::targets;
use crate::fleet::{Request, Run, World};

/// Compares every application with its cluster. Nothing is written but the cache.
pub async fn diff(request: Request, world: &World) -> Result<Run, Vec<SelectionError>> {
    let mut request = settings::read(request, world).await;
    let applications = select(&mut request, world).await?;
    let rendered = targets(applications, &mut request, &Purpose::Keep, world).await;
    let compared = observe(rendered, &request, world).await;
    let compared = compared.through(async |compared| nondeterminism::warn(compared, &request, world).await).await;
    let compared = compared.through(async |compared| orphans::find(compared, &request).await).await;
    let judged = compared.through(async |compared| health::judge(compared, &request).await).await;
    let judged = judged.through(async |judged| reasons::find(judged, &request).await).await;
    let run = judged.end(std::mem::take(&mut request.findings), world);
    Ok(health::judge_unknown(run, &request))
}
