//! Accounts that `trueup cluster add` creates in clusters: their plan, their tokens, and their end.
//!
//! In: an [`AccountSpec`] and a cluster. Out: what was created; nothing is changed that trueup did not create for the same Argo CD,
//! and nothing is deleted but through [`ownership`](crate::sync::ownership).

mod objects;

pub use objects::{AccountRights, AccountSpec, Registration, registration_name};

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use self::objects::{kinds_to_delete, name_of};
use super::ownership::{self, Claim, Removal, is_registered_by};
use crate::cluster::{
    Cluster, ClusterError, ListRequest, ObjectName, Propagation, Reason, Refusal, Validation, Writing, Written,
};
use crate::object::annotations::ACCOUNT;
use crate::object::{Gvk, Object};
use crate::secret::Secret;

/// How long the cluster may take to issue a token.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between two looks at it.
const INTERVAL: Duration = Duration::from_millis(250);

/// Why an account cannot be created, rotated or removed.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
pub enum AccountError {
    /// The cluster does not answer, or not so.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cluster(#[from] ClusterError),
    /// An object of this name is somebody else's.
    #[error(
        "{object} of {cluster} exists and was not created by `trueup cluster add` for this Argo CD; nothing was written"
    )]
    #[diagnostic(
        code(trueup::cluster::foreign_object),
        help("choose another name with --service-account, or delete it if nothing needs it")
    )]
    Foreign {
        /// The object.
        object: String,
        /// The cluster.
        cluster: String,
    },
    /// The server refuses a write.
    #[error("{cluster} refuses {object}")]
    #[diagnostic(
        code(trueup::cluster::refused),
        help("what was written before it stays; the same command continues when the reason is gone")
    )]
    Refused {
        /// The object.
        object: String,
        /// The cluster.
        cluster: String,
        /// The server's words.
        #[source]
        refusal: Refusal,
    },
    /// The account that runs this is not allowed to.
    #[error("{cluster} does not allow this account to write {object}")]
    #[diagnostic(
        code(trueup::cluster::forbidden),
        help("use a context of an administrator: an account is only given rights that its creator has")
    )]
    Forbidden {
        /// The object.
        object: String,
        /// The cluster.
        cluster: String,
        /// The server's words.
        #[source]
        refusal: Refusal,
    },
    /// An object that is not provably ours.
    #[error("{object} of {cluster} is not deleted: {why}")]
    #[diagnostic(code(trueup::cluster::foreign_object), help("look at it; delete it by hand if nothing needs it"))]
    Kept {
        /// The object.
        object: String,
        /// The cluster.
        cluster: String,
        /// Why it stays.
        why: String,
    },
    /// No token in time.
    #[error("{cluster}: no token for {secret} within {} s", PATIENCE.as_secs())]
    #[diagnostic(
        code(trueup::cluster::no_token),
        help("the token controller of kube-controller-manager puts it there; run the same command again")
    )]
    NoToken {
        /// The Secret that waits for it.
        secret: String,
        /// The cluster.
        cluster: String,
    },
}

/// One object of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedObject {
    /// As it should be.
    pub object: Object,
    /// Whether an earlier `cluster add` created it.
    pub exists: bool,
}

/// A token of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The Secret that holds it.
    pub secret: String,
    /// The token.
    pub token: Secret<String>,
}

/// Plans the objects of an account: each is asked for, and the server asked in a dry run whether it would take it.
pub async fn plan(cluster: &dyn Cluster, account: &AccountSpec) -> Result<Vec<PlannedObject>, AccountError> {
    let kinds = cluster.kinds().await?;
    let mut planned = Vec::new();
    for value in account.objects(&kinds) {
        let Ok(object) = Object::new(value) else { continue };
        let exists = exists_as_ours(cluster, &object, &account.registered_by).await?;
        planned.push(PlannedObject { object, exists });
    }
    for one in &planned {
        apply(cluster, &one.object, Writing::DryRun).await?;
    }
    Ok(planned)
}

/// Whether an object is there; one that is not ours is an error.
async fn exists_as_ours(cluster: &dyn Cluster, object: &Object, registered_by: &str) -> Result<bool, AccountError> {
    match cluster.get(&name_of(object)).await? {
        None => Ok(false),
        Some(live) if is_registered_by(&live, registered_by) => Ok(true),
        Some(_) => Err(AccountError::Foreign { object: words(object), cluster: cluster.name().to_owned() }),
    }
}

/// Whether `cluster add` created an object for the Argo CD of this uid.
pub fn is_ours(object: &Object, registered_by: &str) -> bool {
    is_registered_by(object, registered_by)
}

/// Creates what was planned, or changes it.
pub async fn create(cluster: &dyn Cluster, planned: &[PlannedObject]) -> Result<(), AccountError> {
    for one in planned {
        apply(cluster, &one.object, Writing::Really).await?;
    }
    Ok(())
}

/// Applies one object; one that somebody else created since it was looked for is left alone.
async fn apply(cluster: &dyn Cluster, object: &Object, writing: Writing) -> Result<(), AccountError> {
    let live = cluster.get(&name_of(object)).await?;
    let written = match live {
        None => cluster.create(object, Validation::Strict, writing).await?,
        Some(_) => cluster.apply(object, Validation::Strict, writing).await?,
    };
    match written {
        Written::Done(_) => Ok(()),
        // In a dry run nothing before it was written either.
        Written::Refused(refusal) if writing == Writing::DryRun && refusal.reason == Reason::NotFound => Ok(()),
        Written::Refused(refusal) => Err(refused(cluster, object, refusal)),
    }
}

/// Has the cluster issue one more token.
pub async fn issue_token(cluster: &dyn Cluster, account: &AccountSpec) -> Result<IssuedToken, AccountError> {
    let Ok(object) = Object::new(account.token_secret()) else {
        return Err(AccountError::NoToken { secret: account.name.clone(), cluster: cluster.name().to_owned() });
    };
    let created = match cluster.create(&object, Validation::Strict, Writing::Really).await? {
        Written::Done(created) => created,
        Written::Refused(refusal) => return Err(refused(cluster, &object, refusal)),
    };
    let name = name_of(&created);
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(live) = cluster.get(&name).await?
            && let Some(token) = token_in(&live)
        {
            return Ok(IssuedToken { secret: live.name().to_owned(), token });
        }
        if Instant::now() >= deadline {
            return Err(AccountError::NoToken { secret: name.to_string(), cluster: cluster.name().to_owned() });
        }
        sleep(INTERVAL).await;
    }
}

fn token_in(secret: &Object) -> Option<Secret<String>> {
    let token = secret.value().get("data")?.get("token")?.as_str()?;
    let token = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    Some(Secret::new(token)).filter(|token| !token.expose().is_empty())
}

/// The token Secrets of an account, but for the one that stays.
pub async fn other_tokens(
    cluster: &dyn Cluster,
    account: &AccountSpec,
    stays: &str,
) -> Result<Vec<Object>, AccountError> {
    let mut secrets = own_objects(cluster, account, &Gvk::from_api_version("v1", "Secret"), &account.namespace).await?;
    secrets.retain(|secret| secret.name() != stays);
    Ok(secrets)
}

/// Everything that `cluster add` created for an account, in the order in which it is deleted.
pub async fn all_objects(cluster: &dyn Cluster, account: &AccountSpec) -> Result<Vec<Object>, AccountError> {
    let kinds = cluster.kinds().await?;
    let mut found = Vec::new();
    for gvk in kinds_to_delete() {
        let is_cluster_scoped = kinds.scope(&gvk.group_kind()) == Some(crate::object::Scope::Cluster);
        let is_role = gvk.kind.starts_with("Role");
        let namespaces: Vec<&str> = if is_cluster_scoped {
            vec![""]
        } else if is_role {
            account.namespaces.iter().map(String::as_str).collect()
        } else {
            vec![account.namespace.as_str()]
        };
        for namespace in namespaces {
            found.extend(own_objects(cluster, account, &gvk, namespace).await?);
        }
    }
    Ok(found)
}

async fn own_objects(
    cluster: &dyn Cluster,
    account: &AccountSpec,
    gvk: &Gvk,
    namespace: &str,
) -> Result<Vec<Object>, AccountError> {
    let namespace = Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty());
    let mut objects = cluster.list(&ListRequest { gvk: gvk.clone(), namespace, metadata_only: true }).await?;
    objects.retain(|object| {
        object.label(ACCOUNT) == Some(&account.name) && is_registered_by(object, &account.registered_by)
    });
    Ok(objects)
}

/// The roles and bindings that an earlier `cluster add` gave the account and this one does not, in the namespaces of both.
pub async fn superfluous(
    cluster: &dyn Cluster,
    account: &AccountSpec,
    earlier: &BTreeSet<String>,
    planned: &[PlannedObject],
) -> Result<Vec<Object>, AccountError> {
    let both = account.namespaces.union(earlier).cloned().collect();
    let mut objects = all_objects(cluster, &AccountSpec { namespaces: both, ..account.clone() }).await?;
    let is_planned = |object: &Object| planned.iter().any(|one| name_of(&one.object) == name_of(object));
    objects.retain(|object| object.api_version() != "v1" && !is_planned(object));
    Ok(objects)
}

/// Deletes objects that were listed, each if it is still provably the one that `cluster add` created.
pub async fn remove(cluster: &dyn Cluster, objects: &[Object], registered_by: &str) -> Result<(), AccountError> {
    for object in objects {
        let claim = Claim::Registered { by: registered_by, uid: object.uid() };
        match ownership::delete(cluster, &name_of(object), &claim, Propagation::Background).await? {
            Removal::Gone | Removal::Going | Removal::Absent => {}
            Removal::Stays(why) => {
                let why = why.to_string();
                return Err(AccountError::Kept { object: words(object), cluster: cluster.name().to_owned(), why });
            }
            Removal::Refused(refusal) => return Err(refused(cluster, object, refusal)),
        }
    }
    Ok(())
}

/// Stores a registration: a new one, or all of one that `cluster add` created before.
pub async fn store(cluster: &dyn Cluster, secret: &Object, registered_by: &str) -> Result<(), AccountError> {
    let Some(live) = cluster.get(&name_of(secret)).await? else {
        return match cluster.create(secret, Validation::Strict, Writing::Really).await? {
            Written::Done(_) => Ok(()),
            Written::Refused(refusal) => Err(refused(cluster, secret, refusal)),
        };
    };
    if !is_registered_by(&live, registered_by) {
        return Err(AccountError::Foreign { object: words(secret), cluster: cluster.name().to_owned() });
    }
    let mut value = secret.to_value();
    value["metadata"]["resourceVersion"] = Value::String(live.resource_version().to_owned());
    match Object::new(value) {
        Ok(object) => replace(cluster, &object).await,
        Err(_) => Ok(()),
    }
}

/// Puts a registration in the place of the one that was read; nobody else's change is lost.
pub async fn replace(cluster: &dyn Cluster, object: &Object) -> Result<(), AccountError> {
    match cluster.replace(object, Validation::Strict, Writing::Really).await? {
        Written::Done(_) => Ok(()),
        Written::Refused(refusal) => Err(refused(cluster, object, refusal)),
    }
}

/// The uid of a namespace, by which an Argo CD is known however it is reached.
pub async fn namespace_uid(cluster: &dyn Cluster, namespace: &str) -> Result<Option<String>, ClusterError> {
    let gvk = Gvk::from_api_version("v1", "Namespace");
    let live = cluster.get(&ObjectName { gvk, namespace: None, name: namespace.to_owned() }).await?;
    Ok(live.map(|live| live.uid().to_owned()))
}

fn refused(cluster: &dyn Cluster, object: &Object, refusal: Refusal) -> AccountError {
    let (object, cluster) = (words(object), cluster.name().to_owned());
    match refusal.reason {
        Reason::Forbidden => AccountError::Forbidden { object, cluster, refusal },
        _ => AccountError::Refused { object, cluster, refusal },
    }
}

/// `ServiceAccount kube-system/trueup-manager`.
pub fn words(object: &Object) -> String {
    let name = match object.value().get("metadata").and_then(|metadata| metadata.get("generateName")) {
        Some(Value::String(prefix)) if object.name().is_empty() => format!("{prefix}…"),
        _ => object.name().to_owned(),
    };
    match object.namespace() {
        "" => format!("{} {name}", object.kind()),
        namespace => format!("{} {namespace}/{name}", object.kind()),
    }
}
