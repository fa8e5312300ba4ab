//! Who runs this, as an Argo CD policy knows them.

use std::path::PathBuf;

use crate::app::ManifestText;
use crate::app::policy::{Policy, PolicySettings, ProjectRoles, Subject, project_roles};
use crate::cli::manifests;
use crate::finding::{Code, Finding};

/// Narrows a run to what somebody may do.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "Permissions")]
pub(crate) struct PolicyArguments {
    /// Permit only what this Argo CD policy permits: a `policy.csv`, or the manifest of `argocd-rbac-cm` [default: the
    /// `argocd-rbac-cm` among the manifests, and the roles of their `AppProject`s]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Permit only what this role may do: `role:NAME`, or `proj:PROJECT:NAME` of an `AppProject` among the manifests
    #[arg(long, value_name = "ROLE", conflicts_with_all = ["policy_user", "policy_group"])]
    pub(crate) role: Option<String>,
    /// Permit only what this user of the policy may do
    #[arg(long, value_name = "USER")]
    pub(crate) policy_user: Option<String>,
    /// Permit only what this group of the policy may do; repeatable
    #[arg(long, value_name = "GROUP")]
    pub(crate) policy_group: Vec<String>,
}

impl PolicyArguments {
    /// Who it is, if somebody is named.
    pub(crate) fn subject(&self) -> Option<Subject> {
        let user = self.role.clone().or_else(|| self.policy_user.clone());
        let is_named = user.is_some() || !self.policy_group.is_empty();
        is_named.then(|| Subject { user, groups: self.policy_group.clone() })
    }

    /// The policy, and who it is for; nothing where nobody is named.
    pub(crate) fn allowed(&self, texts: &[ManifestText]) -> Result<Option<(Policy, Subject)>, Vec<Finding>> {
        match (self.subject(), &self.policy) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(vec![nobody()]),
            (Some(subject), _) => Ok(Some((self.read(texts)?, subject))),
        }
    }

    /// The policy of the file, or of the manifests.
    pub(crate) fn read(&self, texts: &[ManifestText]) -> Result<Policy, Vec<Finding>> {
        let settings = match &self.policy {
            Some(file) => {
                let text = manifests::read_one(file).map_err(|error| vec![Finding::of(&error)])?;
                PolicySettings::read(&text.name, &text.bytes)
            }
            None => of_manifests(texts),
        };
        let projects: Vec<ProjectRoles> =
            texts.iter().flat_map(|text| project_roles(&text.name, &text.bytes)).collect();
        let policy = settings.and_then(|settings| Policy::new(&settings, &projects));
        policy.map_err(|faults| faults.iter().map(|fault| Finding::of(fault)).collect())
    }
}

fn of_manifests(texts: &[ManifestText]) -> Result<PolicySettings, Vec<crate::app::policy::PolicyFault>> {
    let is_named = |text: &&ManifestText| {
        let name = b"argocd-rbac-cm";
        text.bytes.windows(name.len()).any(|window| window == name)
    };
    let found = texts.iter().filter(is_named).find_map(|text| PolicySettings::find(&text.name, &text.bytes));
    found.unwrap_or_else(|| Ok(PolicySettings::default()))
}

/// A policy decides nothing about nobody.
pub(crate) fn nobody() -> Finding {
    Finding::error(Code::PolicySubject, "the policy is not asked about anybody")
        .with_help("name who runs this with `--policy-user`, `--policy-group` or `--role`")
}
