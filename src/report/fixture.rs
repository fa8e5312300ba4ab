//! The run that every format is tested with.

use crate::app::Destination;
use crate::fleet::ApplicationRun;
use crate::object::Gvk;
use crate::status::{Proof, ResourceDrift, ResourceState};

/// An application with nothing in it.
pub(super) fn application(name: &str) -> ApplicationRun {
    ApplicationRun {
        name: name.to_owned(),
        namespace: "argocd".to_owned(),
        project: "default".to_owned(),
        destination: Destination {
            server: "https://10.0.0.1:6443".to_owned(),
            name: String::new(),
            namespace: "shop".to_owned(),
        },
        cluster: "https://10.0.0.1:6443".to_owned(),
        sources: Vec::new(),
        conditions: Vec::new(),
        resources: Vec::new(),
    }
}

/// A Deployment with nothing in it.
pub(super) fn resource(name: &str, state: ResourceState) -> ResourceDrift {
    ResourceDrift {
        gvk: Gvk::from_api_version("apps/v1", "Deployment"),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        state,
        proof: Proof::None,
        origin: None,
        fields: Vec::new(),
        live: None,
        target: None,
        note: None,
    }
}
