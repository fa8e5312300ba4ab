//! The generators that Argo CD knows, and their fields.

/// A kind of generator, and the fields that it has besides `template` and `values`.
#[derive(Debug)]
pub struct Generator {
    /// The field of an entry of `spec.generators`.
    pub name: &'static str,
    /// Its own fields.
    pub fields: &'static [&'static str],
}

/// Every kind that Argo CD knows.
pub static GENERATORS: [Generator; 9] = [
    Generator { name: "list", fields: &["elements", "elementsYaml"] },
    Generator { name: "clusters", fields: &["selector", "flatList"] },
    Generator {
        name: "git",
        fields: &["repoURL", "revision", "directories", "files", "pathParamPrefix", "requeueAfterSeconds"],
    },
    Generator { name: "matrix", fields: &["generators"] },
    Generator { name: "merge", fields: &["generators", "mergeKeys"] },
    Generator { name: "plugin", fields: &["configMapRef", "input", "requeueAfterSeconds"] },
    Generator {
        name: "clusterDecisionResource",
        fields: &["configMapRef", "name", "labelSelector", "requeueAfterSeconds"],
    },
    Generator {
        name: "pullRequest",
        fields: &[
            "github",
            "gitlab",
            "gitea",
            "bitbucketServer",
            "bitbucket",
            "azuredevops",
            "filters",
            "continueOnRepoNotFoundError",
            "requeueAfterSeconds",
        ],
    },
    Generator {
        name: "scmProvider",
        fields: &[
            "github",
            "gitlab",
            "bitbucket",
            "bitbucketServer",
            "gitea",
            "azureDevOps",
            "awsCodeCommit",
            "cloneProtocol",
            "filters",
            "requeueAfterSeconds",
        ],
    },
];

/// The fields of a generator that have fields of their own, by name.
pub(in crate::app::appset) fn nested_fields(generator: &str) -> &'static [(&'static str, &'static [&'static str])] {
    match generator {
        "plugin" => &[("configMapRef", &["name"]), ("input", &["parameters"])],
        "pullRequest" => &[
            ("github", &["owner", "repo", "api", "tokenRef", "appSecretName", "labels"]),
            ("gitlab", &["project", "api", "tokenRef", "labels", "pullRequestState", "insecure", "caRef"]),
            ("gitea", &["owner", "repo", "api", "tokenRef", "insecure", "labels"]),
            ("bitbucketServer", &["project", "repo", "api", "basicAuth", "bearerToken", "insecure", "caRef"]),
            ("azuredevops", &["organization", "project", "repo", "api", "tokenRef", "labels"]),
        ],
        "scmProvider" => &[
            ("github", &["organization", "api", "tokenRef", "appSecretName", "allBranches", "excludeArchivedRepos"]),
            (
                "gitlab",
                &[
                    "group",
                    "includeSubgroups",
                    "includeSharedProjects",
                    "includeArchivedRepos",
                    "api",
                    "tokenRef",
                    "allBranches",
                    "insecure",
                    "topic",
                    "caRef",
                ],
            ),
            ("gitea", &["owner", "api", "tokenRef", "allBranches", "insecure", "excludeArchivedRepos"]),
            ("bitbucketServer", &["project", "api", "basicAuth", "bearerToken", "allBranches", "insecure", "caRef"]),
            ("azureDevOps", &["organization", "api", "teamProject", "accessTokenRef", "allBranches"]),
        ],
        _ => &[],
    }
}
