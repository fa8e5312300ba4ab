//! Judges the health of every application.

use crate::app::SelectionError;
use crate::fleet::application::Purpose;
use crate::fleet::stages::select::select;
use crate::fleet::stages::{health, list, reasons, settings};
use crate::fleet::targets::targets;
use crate::fleet::{Request, Run, World};

/// Judges every application, and compares nothing. Nothing is written but the cache.
pub async fn health(request: Request, world: &World) -> Result<Run, Vec<SelectionError>> {
    let mut request = settings::read(request, world).await;
    let applications = select(&mut request, world).await?;
    let rendered = targets(applications, &mut request, &Purpose::Keep, world).await;
    let listed = rendered.through(async |rendered| list::list(rendered, &request, world).await).await;
    let judged = listed.through(async |listed| health::judge(listed, &request).await).await;
    let judged = judged.through(async |judged| reasons::find(judged, &request).await).await;
    let run = judged.end(std::mem::take(&mut request.findings), world);
    Ok(health::judge_unknown(run, &request))
}
