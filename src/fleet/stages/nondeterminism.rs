//! Renders once more what drifted and may be generated at each render, and warns of what was: no sync ends such drift.

use super::render::{WorkSettings, side_by_side};
use crate::finding::{Finding, Severity};
use crate::fleet::application::Compared;
use crate::fleet::applyset::mark_known;
use crate::fleet::condition::ConditionKind;
use crate::fleet::{Request, World};
use crate::progress::Progress;
use crate::render;
use crate::status::ResourceDrift;

/// The applications with a warning of each object that rendered differently.
pub(crate) async fn warn(mut compared: Vec<Compared>, request: &Request, world: &World) -> Vec<Compared> {
    let settings = WorkSettings::of(request, world).uncached();
    let work = compared
        .iter()
        .enumerate()
        .filter(|(_, compared)| compared.resources.iter().any(ResourceDrift::is_drift))
        .filter_map(|(index, compared)| Some((index, settings.of_rendered(compared)?)))
        .filter(|(index, work)| work.may_differ_each_time(&compared[*index].tools))
        .collect();
    let mut renders = side_by_side(work, request, &Progress::silent());
    while let Some((index, done)) = renders.recv().await {
        // What went wrong the second time is no part of the answer.
        let Some(Ok(second)) = done.map(|done| done.result) else { continue };
        let compared = &mut compared[index];
        // Marked as the first one is: no render has our label.
        let mut again = second.objects;
        mark_known(&mut again, compared.record.baseline.as_deref(), &compared.tracking(request).applyset_id);
        for finding in render::unsteady(&compared.target, &again) {
            let warning = Finding { severity: Severity::Warning, ..finding };
            compared.conditions.add(ConditionKind::UnsteadyRender, warning);
        }
    }
    compared
}
