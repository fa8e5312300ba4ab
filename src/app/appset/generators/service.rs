//! What generators that ask a service have in common: the fixture comes first, then what was answered, then the question.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::question::{Forge, ForgeKind, Question, SecretKey, ServiceAnswer, ServiceFault, ServiceLogin};
use super::super::{Need, World};
use super::answer::{Answer, Result, failed};
use crate::app::appset::fault::Fault;

pub(super) use super::super::generator_fixture::ServiceKind;

/// The answer for a generator, or the need for one.
pub(super) fn ask(
    kind: ServiceKind,
    options: &Json,
    place: &str,
    world: &World<'_>,
    question: impl FnOnce() -> Result<Question>,
) -> Result<ServiceAnswer> {
    match answer(kind, options, place, world, question)? {
        Ok(answer) => Ok(answer),
        Err(fault) => failed(place, fault.to_string()),
    }
}

/// The same, with the service's own fault apart.
pub(super) fn answer(
    kind: ServiceKind,
    options: &Json,
    place: &str,
    world: &World<'_>,
    question: impl FnOnce() -> Result<Question>,
) -> Result<std::result::Result<ServiceAnswer, ServiceFault>> {
    if let Some(fixture) = &world.facts.fixture {
        return match fixture.answer(&world.set.name, kind, options) {
            Some(answer) => Ok(answer),
            None => failed(place, format!("the generator fixture has no entry for this `{}` generator", kind.field())),
        };
    }
    let question = question()?;
    match world.facts.answers.get(&question) {
        Some(answer) => Ok(answer.clone()),
        None => Err(vec![Need::Answer(question)].into()),
    }
}

/// The data of a ConfigMap in Argo CD's namespace.
pub(super) fn config_map<'w>(name: &str, place: &str, world: &World<'w>) -> Result<&'w BTreeMap<String, String>> {
    match &world.facts.objects {
        None => Err(Answer::Failed(Fault::NoObjects { place: place.to_owned(), name: name.to_owned() })),
        Some(objects) => match objects.config_map(world.argocd_namespace(), name) {
            Some(map) => Ok(map),
            None => failed(place, format!("ConfigMap `{name}` not found")),
        },
    }
}

/// The forge that a generator names, with its options.
pub(super) fn forge<'o>(options: &'o Json, place: &str, world: &World<'_>) -> Result<(Forge, &'o Json)> {
    const KNOWN: [(&str, ForgeKind); 6] = [
        ("github", ForgeKind::Github),
        ("gitlab", ForgeKind::Gitlab),
        ("gitea", ForgeKind::Gitea),
        ("bitbucketServer", ForgeKind::BitbucketServer),
        // `pullRequest` spells it otherwise than `scmProvider`.
        ("azuredevops", ForgeKind::AzureDevops),
        ("azureDevOps", ForgeKind::AzureDevops),
    ];
    const OTHERS: [&str; 2] = ["bitbucket", "awsCodeCommit"];
    let is_given = |field: &str| options.get(field).filter(|options| !options.is_null());
    for (field, kind) in KNOWN {
        let Some(own) = is_given(field) else { continue };
        let text = |field: &str| own.get(field).and_then(Json::as_str).unwrap_or_default().to_owned();
        let api = text("api");
        if api.is_empty() && matches!(kind, ForgeKind::Gitea | ForgeKind::BitbucketServer) {
            return failed(place, format!("`{field}.api` is missing"));
        }
        let forge = Forge {
            kind,
            api,
            login: login(own, world),
            insecure: own.get("insecure").and_then(Json::as_bool).unwrap_or_default(),
            authorities: authorities(own, place, world)?,
        };
        return Ok((forge, own));
    }
    match OTHERS.into_iter().find(|field| is_given(field).is_some()) {
        Some(field) => Err(Answer::Failed(Fault::Unsupported { place: format!("{place}.{field}") })),
        None => failed(place, "it names no forge that Argo CD knows"),
    }
}

fn login(own: &Json, world: &World<'_>) -> ServiceLogin {
    let namespace = &world.set.namespace;
    let key = |reference: Option<&Json>| {
        let text = |field: &str| reference?.get(field)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Some(SecretKey { namespace: namespace.clone(), secret: text("secretName")?, key: text("key")? })
    };
    let app = own.get("appSecretName").and_then(Json::as_str).filter(|name| !name.is_empty());
    if let Some(secret) = app {
        return ServiceLogin::GithubApp { namespace: world.argocd_namespace().to_owned(), secret: secret.to_owned() };
    }
    let references = [own.get("tokenRef"), own.get("accessTokenRef"), own.pointer("/bearerToken/tokenRef")];
    if let Some(token) = references.into_iter().find_map(key) {
        return ServiceLogin::Token(token);
    }
    match key(own.pointer("/basicAuth/passwordRef")) {
        Some(password) => {
            let user = own.pointer("/basicAuth/username").and_then(Json::as_str).unwrap_or_default().to_owned();
            ServiceLogin::Basic { user, password }
        }
        None => ServiceLogin::Anonymous,
    }
}

/// `caRef`: a key of a ConfigMap in the ApplicationSet's namespace.
fn authorities(own: &Json, place: &str, world: &World<'_>) -> Result<Option<String>> {
    let Some(reference) = own.get("caRef").filter(|reference| !reference.is_null()) else { return Ok(None) };
    let text = |field: &str| reference.get(field).and_then(Json::as_str).unwrap_or_default();
    let (name, key) = (text("configMapName"), text("key"));
    let objects = world.facts.objects.as_ref();
    match objects.and_then(|objects| objects.config_map(&world.set.namespace, name)).and_then(|map| map.get(key)) {
        Some(pem) => Ok(Some(pem.clone())),
        None => failed(place, format!("`caRef`: ConfigMap `{name}` with key `{key}` not found")),
    }
}

/// A text that the forge cannot do without.
pub(super) fn required(own: &Json, field: &str, place: &str) -> Result<String> {
    match own.get(field).and_then(Json::as_str).unwrap_or_default() {
        "" => failed(place, format!("`{field}` is missing")),
        text => Ok(text.to_owned()),
    }
}

/// A list of texts.
pub(super) fn texts(options: &Json, field: &str) -> Vec<String> {
    let items = options.get(field).and_then(Json::as_array).into_iter().flatten();
    items.filter_map(Json::as_str).map(str::to_owned).collect()
}

/// The first characters of a commit.
pub(super) fn short(sha: &str, length: usize) -> String {
    sha.chars().take(length).collect()
}
