//! Takes applications into the run.
//!
//! Takes Applications. Returns each with what its manifest says of it: which application it is, and warnings.

use std::sync::Arc;

use crate::app::Application;
use crate::finding::{Code, Finding};
use crate::fleet::Request;
use crate::fleet::application::{Loaded, Purpose};
use crate::fleet::batch::Batch;
use crate::fleet::condition::Conditions;
use crate::fleet::reporting::of_manifest;
use crate::object::annotations::SKIP_RECONCILE;
use crate::sync::state::Identity;

/// Loads every application, those left out that nobody is to process: that is one of the request's findings.
pub(crate) fn load(mut applications: Batch<Application>, request: &mut Request, purpose: &Purpose) -> Batch<Loaded> {
    applications.retain(|application| {
        if application.skips_reconcile() {
            let message = format!("{}: not compared, because of the annotation `{SKIP_RECONCILE}`", application.name);
            let help = "remove the annotation to compare it";
            request.findings.push(Finding::warning(Code::FleetSkipped, message).with_help(help));
        }
        !application.skips_reconcile()
    });
    load_all(applications, purpose)
}

/// Loads every application.
pub(crate) fn load_all(applications: Batch<Application>, purpose: &Purpose) -> Batch<Loaded> {
    applications.map(|application| loaded(application, purpose.clone()))
}

fn loaded(application: Application, purpose: Purpose) -> Loaded {
    let mut conditions = Conditions::of(&application.name);
    for finding in &application.findings {
        conditions.push(of_manifest(finding.clone()));
    }
    let identity = Identity::of(&application);
    Loaded { application: Arc::new(application), identity, purpose, violations: Vec::new(), conditions }
}
