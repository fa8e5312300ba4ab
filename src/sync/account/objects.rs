//! The objects of an account that `trueup cluster add` creates in a cluster, and the Secret by which Argo CD opens it.
//!
//! In: an [`AccountSpec`] and the kinds of the cluster. Out: manifests. Pure.
//!
//! Rules: Argo CD util/clusterauth/clusterauth.go (`argocd-manager`, whose objects are never touched), util/db/secrets.go
//! `URIToSecretName` (the name of the Secret).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::app::settings::ClusterLogin;
use crate::cluster::ObjectName;
use crate::object::annotations::{ACCOUNT, MANAGED_BY, REGISTERED_BY, SECRET_TYPE, TOKEN_OF};
use crate::object::{Gvk, Kinds, Object, Scope};

/// The group of roles and bindings.
const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// What an account is allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRights {
    /// Everything, as Argo CD's own account.
    Manage,
    /// To get, list and watch: it can compare, and write nothing.
    Read,
}

/// An account in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSpec {
    /// Its name: `trueup-manager`.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// What it is allowed to do.
    pub rights: AccountRights,
    /// The only namespaces that it is allowed that in; empty for the whole cluster.
    pub namespaces: BTreeSet<String>,
    /// Whether it also has cluster-scoped resources although namespaces are named.
    pub cluster_resources: bool,
    /// Who creates it: the uid of the namespace that Argo CD is in, or a word where it is not known.
    pub registered_by: String,
}

impl AccountSpec {
    /// The account and what it is allowed to do, in the order in which they are created.
    pub fn objects(&self, kinds: &Kinds) -> Vec<Value> {
        let mut objects = vec![self.object("v1", "ServiceAccount", &self.name, Some(&self.namespace), json!({}))];
        let rules = self.rules(kinds);
        let role = format!("{}-role", self.name);
        if self.namespaces.is_empty() || self.cluster_resources {
            let rules = if self.namespaces.is_empty() { rules.clone() } else { self.cluster_scoped_rules(kinds) };
            objects.push(self.object(RBAC, "ClusterRole", &role, None, json!({ "rules": rules })));
            objects.push(self.object(RBAC, "ClusterRoleBinding", &self.binding(), None, self.bound("ClusterRole")));
        }
        for namespace in &self.namespaces {
            objects.push(self.object(RBAC, "Role", &role, Some(namespace), json!({ "rules": rules })));
            objects.push(self.object(RBAC, "RoleBinding", &self.binding(), Some(namespace), self.bound("Role")));
        }
        objects
    }

    /// A Secret in which the cluster puts a token of the account.
    pub fn token_secret(&self) -> Value {
        let mut secret = self.object(
            "v1",
            "Secret",
            "",
            Some(&self.namespace),
            json!({
                "type": "kubernetes.io/service-account-token",
            }),
        );
        secret["metadata"]["generateName"] = json!(format!("{}-token-", self.name));
        secret["metadata"]["annotations"] = json!({ "kubernetes.io/service-account.name": self.name });
        secret
    }

    fn binding(&self) -> String {
        format!("{}-role-binding", self.name)
    }

    fn object(&self, api_version: &str, kind: &str, name: &str, namespace: Option<&str>, rest: Value) -> Value {
        let mut metadata =
            json!({ "labels": { MANAGED_BY: "trueup", ACCOUNT: self.name, REGISTERED_BY: self.registered_by } });
        if !name.is_empty() {
            metadata["name"] = json!(name);
        }
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata });
        if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
            object.extend(rest);
        }
        object
    }

    fn bound(&self, kind: &str) -> Value {
        json!({
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": format!("{}-role", self.name) },
            "subjects": [{ "kind": "ServiceAccount", "name": self.name, "namespace": self.namespace }],
        })
    }

    fn rules(&self, kinds: &Kinds) -> Value {
        match self.rights {
            AccountRights::Manage if self.namespaces.is_empty() => json!([
                { "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] },
                { "nonResourceURLs": ["*"], "verbs": ["*"] },
            ]),
            AccountRights::Manage => json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]),
            AccountRights::Read if self.namespaces.is_empty() => reading(kinds, &[Scope::Cluster, Scope::Namespaced]),
            AccountRights::Read => reading(kinds, &[Scope::Namespaced]),
        }
    }

    fn cluster_scoped_rules(&self, kinds: &Kinds) -> Value {
        match self.rights {
            AccountRights::Read => reading(kinds, &[Scope::Cluster]),
            AccountRights::Manage => rules_of(&listable(kinds, &[Scope::Cluster]), &["*"]),
        }
    }
}

/// Rules to read every kind by its name, and logs. `*` would cover subresources, too: on many clusters, to `get` `pods/exec` or
/// `nodes/proxy` is to run programs.
fn reading(kinds: &Kinds, scopes: &[Scope]) -> Value {
    let mut rules = rules_of(&listable(kinds, scopes), &["get", "list", "watch"]);
    if scopes.contains(&Scope::Namespaced)
        && let Some(rules) = rules.as_array_mut()
    {
        rules.push(json!({ "apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"] }));
    }
    rules
}

fn listable<'a>(kinds: &'a Kinds, scopes: &[Scope]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for facts in kinds.iter_all().filter(|facts| facts.is_listable() && scopes.contains(&facts.scope)) {
        groups.entry(&facts.gvk.group).or_default().insert(&facts.plural);
    }
    groups
}

fn rules_of(groups: &BTreeMap<&str, BTreeSet<&str>>, verbs: &[&str]) -> Value {
    let rule = |(group, plurals): (&&str, &BTreeSet<&str>)| json!({ "apiGroups": [group], "resources": plurals, "verbs": verbs });
    Value::Array(groups.iter().map(rule).collect())
}

/// The Secret by which Argo CD, and `--clusters`, open the cluster.
#[derive(Debug, Clone)]
pub struct Registration<'a> {
    /// The account that opens it.
    pub account: &'a AccountSpec,
    /// The cluster's name.
    pub name: &'a str,
    /// The server's address.
    pub server: &'a str,
    /// How it is reached.
    pub login: &'a ClusterLogin,
    /// The project that it belongs to; empty for none.
    pub project: &'a str,
    /// More labels.
    pub labels: &'a BTreeMap<String, String>,
    /// The namespace of Argo CD.
    pub namespace: &'a str,
}

impl Registration<'_> {
    /// The manifest. It holds the token.
    pub fn secret(&self, token_secret: &str, token: &str) -> Value {
        let tls = json!({
            "insecure": self.login.insecure,
            "serverName": self.login.server_name,
            "caData": self.login.authority.as_ref().map(|pem| STANDARD.encode(pem)).unwrap_or_default(),
        });
        let mut config = json!({ "bearerToken": token, "tlsClientConfig": tls });
        if let Some(proxy) = &self.login.proxy {
            config["proxyUrl"] = json!(proxy.expose());
        }
        if self.login.disable_compression {
            config["disableCompression"] = json!(true);
        }
        let mut labels = self.labels.clone();
        labels.insert(SECRET_TYPE.to_owned(), "cluster".to_owned());
        labels.insert(MANAGED_BY.to_owned(), "trueup".to_owned());
        labels.insert(REGISTERED_BY.to_owned(), self.account.registered_by.clone());
        labels.insert(ACCOUNT.to_owned(), self.account.name.clone());
        let mut data = BTreeMap::from([
            ("name", self.name.to_owned()),
            ("server", self.server.to_owned()),
            ("config", config.to_string()),
        ]);
        if !self.account.namespaces.is_empty() {
            let namespaces: Vec<&str> = self.account.namespaces.iter().map(String::as_str).collect();
            data.insert("namespaces", namespaces.join(","));
            data.insert("clusterResources", self.account.cluster_resources.to_string());
        }
        if !self.project.is_empty() {
            data.insert("project", self.project.to_owned());
        }
        let data: BTreeMap<&str, String> = data.into_iter().map(|(key, text)| (key, STANDARD.encode(text))).collect();
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {
                "name": registration_name(self.server), "namespace": self.namespace, "labels": labels,
                "annotations": {
                    ACCOUNT: format!("{}/{}", self.account.namespace, self.account.name),
                    TOKEN_OF: format!("{}/{token_secret}", self.account.namespace),
                },
            },
            "data": data,
        })
    }
}

/// `cluster-<host>-<FNV-1a of the URL>`.
pub fn registration_name(server: &str) -> String {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|address| address.split(']').next()) {
        Some(address) => address.replace(':', "-"),
        None => authority.split(':').next().unwrap_or_default().to_lowercase(),
    };
    let hash = server.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("cluster-{host}-{hash}")
}

/// The name of an object.
pub(super) fn name_of(object: &Object) -> ObjectName {
    let namespace = Some(object.namespace().to_owned()).filter(|namespace| !namespace.is_empty());
    ObjectName { gvk: object.gvk(), namespace, name: object.name().to_owned() }
}

/// The kinds of an account's objects, in the order in which they are deleted: what gives rights goes first.
pub(super) fn kinds_to_delete() -> [Gvk; 6] {
    let rbac = |kind| Gvk::from_api_version(RBAC, kind);
    let core = |kind| Gvk::from_api_version("v1", kind);
    [
        rbac("ClusterRoleBinding"),
        rbac("RoleBinding"),
        rbac("ClusterRole"),
        rbac("Role"),
        core("Secret"),
        core("ServiceAccount"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::kinds::NEWEST_KUBERNETES;

    fn account(rights: AccountRights, namespaces: &[&str], cluster_resources: bool) -> AccountSpec {
        AccountSpec {
            name: "trueup-manager".to_owned(),
            namespace: "kube-system".to_owned(),
            rights,
            namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
            cluster_resources,
            registered_by: "uid".to_owned(),
        }
    }

    fn names(account: &AccountSpec) -> Vec<String> {
        let kinds = Kinds::builtin(NEWEST_KUBERNETES);
        let objects = account.objects(&kinds).into_iter().map(|value| Object::new(value).unwrap());
        objects.map(|object| format!("{} {}/{}", object.kind(), object.namespace(), object.name())).collect()
    }

    #[test]
    fn an_account_has_the_objects_that_its_rights_need() {
        let manager = account(AccountRights::Manage, &[], false);
        assert_eq!(
            names(&manager),
            [
                "ServiceAccount kube-system/trueup-manager",
                "ClusterRole /trueup-manager-role",
                "ClusterRoleBinding /trueup-manager-role-binding",
            ]
        );
        let limited = account(AccountRights::Manage, &["a", "b"], false);
        assert_eq!(
            names(&limited)[1..],
            [
                "Role a/trueup-manager-role",
                "RoleBinding a/trueup-manager-role-binding",
                "Role b/trueup-manager-role",
                "RoleBinding b/trueup-manager-role-binding",
            ]
        );
        assert_eq!(names(&account(AccountRights::Manage, &["a"], true)).len(), 5);
    }

    /// To `get` a subresource such as `pods/exec` is more than to read, so no rule covers them with `*`.
    #[test]
    fn a_reader_reads_kinds_and_logs_and_nothing_else() {
        let kinds = Kinds::builtin(NEWEST_KUBERNETES);
        let objects = account(AccountRights::Read, &[], false).objects(&kinds);
        let rules = objects[1]["rules"].as_array().unwrap();
        let texts = |rule: &Value, field: &str| -> Vec<String> {
            rule[field].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        for rule in rules {
            let resources = texts(rule, "resources");
            assert!(!resources.iter().any(|resource| resource.contains('*')), "{rule}");
            let subresources: Vec<_> = resources.iter().filter(|resource| resource.contains('/')).collect();
            assert!(subresources.is_empty() || subresources == ["pods/log"], "{rule}");
            assert!(
                texts(rule, "verbs").iter().all(|verb| ["get", "list", "watch"].contains(&verb.as_str())),
                "{rule}"
            );
        }
        assert!(rules.iter().any(|rule| texts(rule, "resources").contains(&"deployments".to_owned())));
    }

    /// The names are those of `argocd cluster add`, so that Argo CD finds its own Secret for the server.
    #[test]
    fn a_registration_has_argo_cds_name() {
        for (server, name) in [
            ("https://kubernetes.default.svc", "cluster-kubernetes.default.svc-3396314289"),
            ("http://foo", "cluster-foo-752281925"),
            ("http://[fe80::1ff:fe23:4567:890a]", "cluster-fe80--1ff-fe23-4567-890a-3877258831"),
            (
                "http://thelongestdomainnameintheworld.argocd-project.com:3000",
                "cluster-thelongestdomainnameintheworld.argocd-project.com-2721640553",
            ),
        ] {
            assert_eq!(registration_name(server), name);
        }
    }
}
