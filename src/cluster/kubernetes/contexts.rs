//! Which context of the kubeconfig a destination means.
//!
//! In: the kubeconfig, the flags, a pod's service account. Out: an [`Access`]: one cluster and one user. Nothing is
//! connected to.
//!
//! Rules: Argo CD for `in-cluster` and `https://kubernetes.default.svc`, which here mean the flags' context, else the
//! current one, else the pod's own cluster. client-go tools/clientcmd for what a context is. A server that no context
//! has is an error: guessing would compare with the wrong cluster.

use std::collections::BTreeMap;

use kube::config::{AuthInfo, Cluster as ClusterEntry, Context, Kubeconfig};

use super::kubeconfig;
use super::server_url::ServerUrl;
use crate::app::Destination;
use crate::app::settings::LOCAL_CLUSTER;
use crate::cluster::{ClusterError, ClusterLabel, ClusterSettings};

/// Argo CD's name for the cluster that it runs in.
const IN_CLUSTER: &str = "in-cluster";

/// Identifies one way into a cluster: the cluster, its address, and the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContextIdentity {
    pub(super) cluster: String,
    pub(super) server: String,
    pub(super) user: String,
}

impl ContextIdentity {
    /// The server's address.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }
}

/// One way into one cluster. Has no `Debug`: a user's entry may hold anything.
#[derive(Clone)]
pub(crate) struct Access {
    /// The key that makes two of them equal.
    pub(crate) identity: ContextIdentity,
    /// Its name, for errors.
    pub(crate) label: ClusterLabel,
    /// The server's address.
    pub(super) server: ServerUrl,
    /// The cluster's entry.
    pub(super) cluster: ClusterEntry,
    /// The user's entry, impersonation by flags included.
    pub(super) user: AuthInfo,
}

#[cfg(test)]
impl Access {
    /// A way into a cluster that nobody goes.
    pub(super) fn to_nowhere() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            identity: ContextIdentity { cluster: text("test"), server: text("http://localhost"), user: text("test") },
            label: "test".into(),
            server: ServerUrl::parse("http://localhost", false).expect("it is an address"),
            cluster: ClusterEntry::default(),
            user: AuthInfo::default(),
        }
    }
}

/// Every context that there is.
pub(crate) struct Contexts {
    kubeconfig: Kubeconfig,
    flags: ContextFlags,
    pod: Option<Access>,
    where_looked: String,
}

struct ContextFlags {
    context: Option<String>,
    cluster: Option<String>,
    server: Option<String>,
    user: Option<String>,
    impersonate: Option<String>,
    impersonate_groups: Vec<String>,
    context_map: BTreeMap<String, String>,
}

impl Contexts {
    /// Reads the kubeconfig and looks whether this is a pod.
    pub(crate) fn read(settings: &ClusterSettings) -> Result<Self, ClusterError> {
        let kubeconfig = kubeconfig::read(settings)?;
        let flags = ContextFlags {
            context: settings.context.clone(),
            cluster: settings.cluster.clone(),
            server: settings.server.clone(),
            user: settings.user.clone(),
            impersonate: settings.impersonate.clone(),
            impersonate_groups: settings.impersonate_groups.clone(),
            context_map: settings.context_map.clone(),
        };
        let where_looked = match &kubeconfig {
            Some(_) => "the kubeconfig has no current context",
            None => "no kubeconfig was found, and this is not a pod with a service account",
        };
        let pod = pod_access(settings).map(|access| impersonating(access, &flags));
        let kubeconfig = kubeconfig.unwrap_or_default();
        Ok(Self { kubeconfig, flags, pod, where_looked: where_looked.to_owned() })
    }

    /// The way into the cluster that a destination means.
    pub(crate) fn find(&self, destination: &Destination) -> Result<Access, ClusterError> {
        if let Some(access) = self.find_mapped(destination) {
            return access;
        }
        if is_in_cluster(destination) {
            return self.default_access(destination);
        }
        if destination.name.is_empty() { self.by_server(&destination.server) } else { self.by_name(&destination.name) }
    }

    /// The way that `--context-map` names; nothing where it does not name the destination.
    pub(crate) fn find_mapped(&self, destination: &Destination) -> Option<Result<Access, ClusterError>> {
        self.mapped(destination).map(|context| self.of_context(context, "--context-map"))
    }

    /// Every context by its name; a broken one says why it cannot be used.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&str, Result<Access, ClusterError>)> {
        let contexts = self.kubeconfig.contexts.iter();
        contexts.map(|named| (named.name.as_str(), self.of_context(&named.name, "the kubeconfig")))
    }

    /// The cluster of the pod that this process runs in.
    pub(crate) fn pod(&self) -> Option<&Access> {
        self.pod.as_ref()
    }

    /// The context of this name.
    pub(crate) fn named(&self, name: &str) -> Result<Access, ClusterError> {
        self.of_context(name, "the command line")
    }

    /// The context of a server; nothing where no context, or more than one, has it.
    pub(crate) fn find_server(&self, server: &str) -> Option<Access> {
        self.by_server(server).ok()
    }

    /// The same way in, with the impersonation of the flags.
    pub(crate) fn impersonated(&self, access: Access) -> Access {
        impersonating(access, &self.flags)
    }

    /// Every context that is whole, by name, with its server as the kubeconfig writes it.
    pub(crate) fn servers(&self) -> Vec<(String, String)> {
        let server = |access: Access| (access.label.to_string(), access.cluster.server.unwrap_or_default());
        self.usable().map(server).collect()
    }

    fn mapped(&self, destination: &Destination) -> Option<&str> {
        let named = |name: &str| self.flags.context_map.get(name).filter(|_| !name.is_empty());
        let server = ServerUrl::parse(&destination.server, true);
        let by_server = || {
            let server = server.as_ref()?;
            let mut mappings = self.flags.context_map.iter();
            mappings.find(|(name, _)| ServerUrl::parse(name, true).as_ref() == Some(server)).map(|(_, context)| context)
        };
        named(&destination.name).or_else(|| named(&destination.server)).or_else(by_server).map(String::as_str)
    }

    /// The context of `--context`, else the current one.
    fn default_context(&self) -> Option<&str> {
        self.flags.context.as_deref().or(self.kubeconfig.current_context.as_deref())
    }

    fn default_access(&self, destination: &Destination) -> Result<Access, ClusterError> {
        if let Some(context) = self.default_context() {
            let asker = if self.flags.context.is_some() { "--context" } else { "`current-context`" };
            return self.of_context(context, asker);
        }
        if self.flags.cluster.is_some() || self.flags.server.is_some() {
            let label = self.flags.cluster.clone().or_else(|| self.flags.server.clone()).unwrap_or_default();
            return self.access(&label, &Context::default(), true);
        }
        self.pod
            .clone()
            .ok_or_else(|| ClusterError::NoCluster { destination: shown(destination), why: self.where_looked.clone() })
    }

    fn by_server(&self, server: &str) -> Result<Access, ClusterError> {
        let none = || ClusterError::NoContextFor { destination: server.to_owned(), contexts: self.names() };
        let wanted = ServerUrl::parse(server, true).ok_or_else(none)?;
        let mut found: Vec<Access> = self.usable().filter(|access| access.server == wanted).collect();
        if found.is_empty() {
            found.extend(self.pod.iter().filter(|pod| pod.server == wanted).cloned());
        }
        self.the_one(found, server)
    }

    fn by_name(&self, name: &str) -> Result<Access, ClusterError> {
        if self.names().iter().any(|context| context == name) {
            return self.of_context(name, "the destination");
        }
        let found = self.usable().filter(|access| access.identity.cluster == name).collect();
        self.the_one(found, name)
    }

    /// Of several the default context, or any when all are the same way into the same cluster.
    fn the_one(&self, mut found: Vec<Access>, destination: &str) -> Result<Access, ClusterError> {
        if let Some(index) =
            found.iter().position(|access| Some(access.label.to_string().as_str()) == self.default_context())
        {
            return Ok(found.swap_remove(index));
        }
        let contexts = |found: &[Access]| found.iter().map(|access| access.label.to_string()).collect();
        match found.first().cloned() {
            None => Err(ClusterError::NoContextFor { destination: destination.to_owned(), contexts: self.names() }),
            Some(first) if found.iter().all(|access| access.identity == first.identity) => Ok(first),
            Some(_) => {
                Err(ClusterError::AmbiguousContext { destination: destination.to_owned(), contexts: contexts(&found) })
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.kubeconfig.contexts.iter().map(|context| context.name.clone()).collect()
    }

    /// Every context that is whole; a broken one matters only when it is asked for by name.
    fn usable(&self) -> impl Iterator<Item = Access> {
        self.kubeconfig.contexts.iter().filter_map(|named| self.of_context(&named.name, "").ok())
    }

    fn of_context(&self, name: &str, asker: &str) -> Result<Access, ClusterError> {
        let named = self.kubeconfig.contexts.iter().find(|context| context.name == name);
        let context = named.and_then(|named| named.context.as_ref()).ok_or_else(|| ClusterError::NoSuchEntry {
            what: "context",
            name: name.to_owned(),
            known: self.names(),
            asker: asker.to_owned(),
        })?;
        self.access(name, context, Some(name) == self.default_context())
    }

    /// Puts a context's cluster and user together; `--cluster` and `--server` are for the default context alone.
    fn access(&self, label: &str, context: &Context, is_default: bool) -> Result<Access, ClusterError> {
        let cluster_flag = self.flags.cluster.as_ref().filter(|_| is_default);
        let server_flag = self.flags.server.as_ref().filter(|_| is_default);
        let cluster_name = cluster_flag.unwrap_or(&context.cluster);
        let clusters = &self.kubeconfig.clusters;
        let mut cluster = match clusters.iter().find(|named| named.name == *cluster_name) {
            Some(named) => named.cluster.clone().unwrap_or_default(),
            None if server_flag.is_some() && cluster_flag.is_none() => ClusterEntry::default(),
            None => {
                return Err(ClusterError::NoSuchEntry {
                    what: "cluster",
                    name: cluster_name.clone(),
                    known: clusters.iter().map(|named| named.name.clone()).collect(),
                    asker: cluster_flag.map_or_else(|| format!("context `{label}`"), |_| "--cluster".to_owned()),
                });
            }
        };
        if let Some(server) = server_flag {
            cluster.server = Some(server.clone());
        }
        let user_name = self.flags.user.as_ref().or(context.user.as_ref()).cloned().unwrap_or_default();
        let user = self.user(&user_name)?;
        let server = server_of(&cluster, label)?;
        let identity = ContextIdentity { cluster: cluster_name.clone(), server: server.to_string(), user: user_name };
        Ok(impersonating(Access { identity, label: label.into(), server, cluster, user }, &self.flags))
    }

    /// A user that a context names and nobody knows is anonymous, as in client-go; one that `--user` names must be there.
    fn user(&self, name: &str) -> Result<AuthInfo, ClusterError> {
        let users = &self.kubeconfig.auth_infos;
        match users.iter().find(|named| named.name == name) {
            Some(named) => Ok(named.auth_info.clone().unwrap_or_default()),
            None if self.flags.user.is_none() => Ok(AuthInfo::default()),
            None => Err(ClusterError::NoSuchEntry {
                what: "user",
                name: name.to_owned(),
                known: users.iter().map(|named| named.name.clone()).collect(),
                asker: "--user".to_owned(),
            }),
        }
    }
}

fn server_of(cluster: &ClusterEntry, label: &str) -> Result<ServerUrl, ClusterError> {
    let wrong = |problem: &str| ClusterError::Credentials { cluster: label.into(), problem: problem.to_owned() };
    let secure = cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some()
        || cluster.insecure_skip_tls_verify == Some(true);
    let server = cluster.server.as_deref().filter(|server| !server.is_empty());
    let server = server.ok_or_else(|| wrong("its cluster entry has no `server`"))?;
    ServerUrl::parse(server, secure)
        .ok_or_else(|| wrong("the `server` of its cluster entry is not an http or https URL"))
}

fn impersonating(mut access: Access, flags: &ContextFlags) -> Access {
    if let Some(user) = &flags.impersonate {
        access.user.impersonate = Some(user.clone());
        // A flag replaces the whole of what the kubeconfig says: groups of another user are not this user's.
        access.user.impersonate_groups = None;
        access.user.impersonate_uid = None;
        access.user.impersonate_user_extra = None;
    }
    if !flags.impersonate_groups.is_empty() {
        access.user.impersonate_groups = Some(flags.impersonate_groups.clone());
    }
    access
}

pub(crate) fn is_in_cluster(destination: &Destination) -> bool {
    if destination.name.is_empty() {
        ServerUrl::parse(&destination.server, true) == ServerUrl::parse(LOCAL_CLUSTER, true)
    } else {
        destination.name == IN_CLUSTER
    }
}

fn shown(destination: &Destination) -> String {
    if destination.name.is_empty() { destination.server.clone() } else { destination.name.clone() }
}

/// The cluster that this process runs in, when it is a pod with a service account.
fn pod_access(settings: &ClusterSettings) -> Option<Access> {
    let environment = &settings.environment;
    let (host, port) = environment.service.as_ref()?;
    let file = |name: &str| {
        let file = environment.service_account.join(name);
        file.is_file().then(|| file.to_string_lossy().into_owned())
    };
    let token_file = file("token")?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let server = ServerUrl::parse(&format!("https://{host}:{port}"), true)?;
    let cluster = ClusterEntry {
        server: Some(server.to_string()),
        certificate_authority: file("ca.crt"),
        ..ClusterEntry::default()
    };
    let user = AuthInfo { token_file: Some(token_file), ..AuthInfo::default() };
    let identity = ContextIdentity {
        cluster: IN_CLUSTER.to_owned(),
        server: server.to_string(),
        user: "the pod's service account".to_owned(),
    };
    Some(Access { identity, label: IN_CLUSTER.into(), server, cluster, user })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::ClusterEnvironment;

    /// Two clusters; of `prod` an administrator's and a reader's context.
    fn contexts(settings: ClusterSettings) -> Contexts {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        let kubeconfig = json!({
            "current-context": "dev",
            "clusters": [
                { "name": "dev-cluster", "cluster": { "server": "https://dev.example.com:6443" } },
                { "name": "prod-cluster", "cluster": { "server": "https://prod.example.com" } },
                { "name": "broken", "cluster": {} },
            ],
            "users": [{ "name": "admin", "user": {} }, { "name": "reader", "user": {} }],
            "contexts": [
                { "name": "dev", "context": { "cluster": "dev-cluster", "user": "admin" } },
                { "name": "prod", "context": { "cluster": "prod-cluster", "user": "admin" } },
                { "name": "prod-reader", "context": { "cluster": "prod-cluster", "user": "reader" } },
                { "name": "broken", "context": { "cluster": "broken", "user": "admin" } },
                { "name": "dangling", "context": { "cluster": "gone", "user": "admin" } },
                { "name": "anonymous", "context": { "cluster": "dev-cluster", "user": "gone" } },
            ],
        });
        #[expect(clippy::disallowed_methods, reason = "a test writes its own kubeconfig")]
        std::fs::write(&file, kubeconfig.to_string()).unwrap();
        Contexts::read(&ClusterSettings { kubeconfig: Some(file), ..settings }).unwrap()
    }

    fn destination(text: &str) -> Destination {
        let (server, name) = if text.contains("://") { (text, "") } else { ("", text) };
        Destination { server: server.to_owned(), name: name.to_owned(), ..Destination::default() }
    }

    /// `context server user`, or the error's first words.
    fn found(contexts: &Contexts, to: &str) -> String {
        match contexts.find(&destination(to)) {
            Ok(access) => format!("{} {} {}", access.label, access.server, access.identity.user),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_destination_means_one_context() {
        let contexts = contexts(ClusterSettings::default());
        for (to, expected) in [
            ("in-cluster", "dev https://dev.example.com:6443 admin"),
            ("https://kubernetes.default.svc", "dev https://dev.example.com:6443 admin"),
            ("https://kubernetes.default.svc/", "dev https://dev.example.com:6443 admin"),
            ("https://DEV.example.com:6443/", "dev https://dev.example.com:6443 admin"),
            ("dev-cluster", "dev https://dev.example.com:6443 admin"),
            ("prod-reader", "prod-reader https://prod.example.com reader"),
            ("anonymous", "anonymous https://dev.example.com:6443 gone"),
            (
                "https://prod.example.com:443",
                "destination https://prod.example.com:443: several kubeconfig contexts match: `prod`, `prod-reader`",
            ),
            ("prod-cluster", "destination prod-cluster: several kubeconfig contexts match: `prod`, `prod-reader`"),
            ("broken", "cluster broken: its cluster entry has no `server`"),
            (
                "dangling",
                "the kubeconfig has no cluster `gone`, which context `dangling` names; there are `dev-cluster`, `prod-cluster`, `broken`",
            ),
        ] {
            assert_eq!(found(&contexts, to), expected, "{to}");
        }
        for to in [
            "https://other.example.com",
            "http://dev.example.com:6443",
            "https://dev.example.com",
            "other",
            "not a url://",
        ] {
            assert!(found(&contexts, to).contains("no kubeconfig context matches"), "{to}: {}", found(&contexts, to));
        }
    }

    /// Somebody who says `--context prod-reader` must not be shown another cluster's drift as prod's.
    #[test]
    fn a_context_by_flag_is_no_reason_to_guess() {
        let contexts =
            contexts(ClusterSettings { context: Some("prod-reader".to_owned()), ..ClusterSettings::default() });
        assert_eq!(found(&contexts, "in-cluster"), "prod-reader https://prod.example.com reader");
        assert_eq!(found(&contexts, "https://prod.example.com"), "prod-reader https://prod.example.com reader");
        assert_eq!(found(&contexts, "prod-cluster"), "prod-reader https://prod.example.com reader");
        assert!(found(&contexts, "https://other.example.com").contains("no kubeconfig context matches"));
    }

    #[test]
    fn flags_replace_parts_of_the_default_context_alone() {
        let flags = |context: Option<&str>| ClusterSettings {
            context: context.map(str::to_owned),
            cluster: Some("prod-cluster".to_owned()),
            user: Some("reader".to_owned()),
            ..ClusterSettings::default()
        };
        let contexts = contexts(flags(None));
        assert_eq!(found(&contexts, "in-cluster"), "dev https://prod.example.com reader");
        assert_eq!(found(&contexts, "prod"), "prod https://prod.example.com reader");
        let contexts =
            self::contexts(ClusterSettings { server: Some("localhost:8080".to_owned()), ..flags(Some("dev")) });
        assert_eq!(found(&contexts, "in-cluster"), "dev http://localhost:8080 reader");
        assert_eq!(found(&contexts, "anonymous"), "anonymous https://dev.example.com:6443 reader");
    }

    #[test]
    fn what_a_flag_names_has_to_be_there() {
        let named = |settings: ClusterSettings| found(&contexts(settings), "in-cluster");
        let flag = |name: &str| Some(name.to_owned());
        for (settings, expected) in [
            (
                ClusterSettings { context: flag("x"), ..ClusterSettings::default() },
                "the kubeconfig has no context `x`, which --context names",
            ),
            (
                ClusterSettings { cluster: flag("x"), ..ClusterSettings::default() },
                "the kubeconfig has no cluster `x`, which --cluster names",
            ),
            (
                ClusterSettings { user: flag("x"), ..ClusterSettings::default() },
                "the kubeconfig has no user `x`, which --user names",
            ),
        ] {
            let said = named(settings);
            assert!(said.starts_with(expected), "{said}");
        }
    }

    #[test]
    fn a_mapping_comes_before_everything_else() {
        let map = [
            ("in-cluster", "prod"),
            ("staging", "dev"),
            ("https://eks.example.com/", "prod-reader"),
            ("qa", "nowhere"),
        ];
        let contexts = contexts(ClusterSettings {
            context_map: map.map(|(name, context)| (name.to_owned(), context.to_owned())).into(),
            ..ClusterSettings::default()
        });
        assert_eq!(found(&contexts, "in-cluster"), "prod https://prod.example.com admin");
        assert_eq!(found(&contexts, "staging"), "dev https://dev.example.com:6443 admin");
        assert_eq!(found(&contexts, "https://eks.example.com:443"), "prod-reader https://prod.example.com reader");
        assert!(
            found(&contexts, "qa").starts_with("the kubeconfig has no context `nowhere`, which --context-map names")
        );
    }

    #[test]
    fn impersonation_by_flag_replaces_the_kubeconfigs() {
        let settings = ClusterSettings { impersonate: Some("ci".to_owned()), ..ClusterSettings::default() };
        let access = contexts(settings).find(&destination("dev")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((access.user.impersonate.as_deref(), access.user.impersonate_groups), (Some("ci"), None));
    }

    #[test]
    fn without_a_kubeconfig_only_a_pod_is_a_cluster() {
        let folder = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test writes its own token")]
        std::fs::write(folder.path().join("token"), "x").unwrap();
        let environment = ClusterEnvironment {
            service: Some(("fd00::1".to_owned(), "443".to_owned())),
            service_account: folder.path().to_owned(),
            ..ClusterEnvironment::default()
        };
        let pod = Contexts::read(&ClusterSettings { environment, ..ClusterSettings::default() }).unwrap();
        assert_eq!(found(&pod, "in-cluster"), "in-cluster https://[fd00::1] the pod's service account");
        let laptop = Contexts::read(&ClusterSettings::default()).unwrap();
        assert!(found(&laptop, "in-cluster").contains("no kubeconfig was found"));
    }
}
