//! Compares every application with its cluster.

use crate::app::SelectionError;
use crate::fleet::application::Purpose;
use crate::fleet::observe::observe;
use crate::fleet::stages::select::select;
use crate::fleet::stages::{health, nondeterminism, orphans, reasons, settings};
use crate::fleet::targets::targets;
use crate::fleet::{Request, Run, World, removals};

/// Compares every application with its cluster. Nothing is written but the cache.
pub async fn diff(request: Request, world: &World) -> Result<Run, Vec<SelectionError>> {
    let mut request = settings::read(request, world).await;
    let applications = select(&mut request, world).await?;
    let rendered = targets(applications, &mut request, &Purpose::Keep, world).await;
    let namespaces = removals::namespaces(&rendered);
    let compared = observe(rendered, &request, world).await;
    let may_be_removals = removals::may_be(&compared, &request);
    let compared = compared.through(async |compared| nondeterminism::warn(compared, &request, world).await).await;
    let compared = compared.through(async |compared| orphans::find(compared, &request).await).await;
    let judged = compared.through(async |compared| health::judge(compared, &request).await).await;
    let judged = judged.through(async |judged| reasons::find(judged, &request).await).await;
    let (removals, unknown) =
        if may_be_removals { removals::find(&request, &namespaces, world).await } else { Default::default() };
    request.findings.extend(unknown);
    let run = judged.end(std::mem::take(&mut request.findings), world);
    let removals = removals.iter().map(|removal| removal.report(false)).collect();
    let run = run.with_removals(removals);
    Ok(health::judge_unknown(run, &request))
}
