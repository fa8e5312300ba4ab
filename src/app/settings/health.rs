//! What a team has set about health: its Lua scripts, each with the kinds it is for, and two switches.
//!
//! In: [`Settings`] (`argocd-cm`), and the scripts of a folder (`--customizations`), read by the command line. Out:
//! [`HealthSettings`], which finds the script of a kind.
//!
//! Rule: Argo CD util/settings `GetResourceOverrides` and util/lua `GetHealthScript`: in `argocd-cm` the exact kind, then
//! wildcards; then the folder, in the same order. Where several wildcards match, Argo CD takes any; here it is the longest.

use std::fmt;
use std::sync::Arc;

use globset::{Glob, GlobMatcher};
use serde_json::Value;

use super::{Settings, SettingsError};
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{GroupKind, type_name};

/// A key for each kind: `resource.customizations.health.<group>_<kind>`.
const HEALTH: &str = "resource.customizations.health.";
/// All kinds in one text.
const CUSTOMIZATIONS: &str = "resource.customizations";
/// Whether an Ingress need not have an address. Ours: Argo CD has no such setting.
const INGRESS: &str = "trueup.health.ingressWithoutAddress";
/// Whether a Service of type `LoadBalancer` need not have an address. Ours, too.
const LOAD_BALANCER: &str = "trueup.health.loadBalancerWithoutAddress";

/// One Lua script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Where it is written, for errors.
    pub name: String,
    /// Its text.
    pub source: Arc<str>,
}

/// A script of a folder, and the kinds it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customization {
    /// The group as the folder is named; `_` stands for any text, and the core group is empty.
    pub group: String,
    /// The kind as the folder is named; `_` stands for any.
    pub kind: String,
    /// The script.
    pub script: Script,
}

/// A team's settings about health.
#[derive(Debug, Clone, Default)]
pub struct HealthSettings {
    /// An Ingress without an address is healthy: its controller never writes one.
    pub ingress_without_address_is_healthy: bool,
    /// A Service of type `LoadBalancer` without an address is healthy: nothing hands one out.
    pub load_balancer_without_address_is_healthy: bool,
    /// From what comes first to what comes last.
    customizations: Customizations,
}

/// Scripts, each with its kinds.
type Customizations = Vec<(ScriptKinds, Arc<Script>)>;

/// The kinds that a script is for.
#[derive(Clone)]
enum ScriptKinds {
    Exact(String),
    Matching(GlobMatcher),
}

impl fmt::Debug for ScriptKinds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Exact(kind) => kind,
            Self::Matching(matcher) => matcher.glob().glob(),
        })
    }
}

impl HealthSettings {
    /// Reads what `argocd-cm` says about health.
    pub fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let mut scripts = Vec::new();
        for (key, source) in &settings.data {
            if let Some(kind) = key.strip_prefix(HEALTH) {
                scripts.push((kind.replacen('_', "/", 1), script(settings, key, source)));
            }
        }
        let by_key = scripts.len();
        for (kind, source) in in_one_text(settings)? {
            // A key of its own wins over the text of all kinds.
            if !scripts[..by_key].iter().any(|(known, _)| *known == kind) {
                let script = script(settings, &format!("{CUSTOMIZATIONS} {kind}"), &source);
                scripts.push((kind, script));
            }
        }
        let customizations =
            ordered(scripts).map_err(|(kind, why)| settings.wrong(CUSTOMIZATIONS, format!("`{kind}` {why}"), GLOB))?;
        Ok(Self {
            ingress_without_address_is_healthy: settings.switch(INGRESS)?,
            load_balancer_without_address_is_healthy: settings.switch(LOAD_BALANCER)?,
            customizations,
        })
    }

    /// Adds what `argocd-cm` says, where it is read last: its scripts come first all the same.
    pub fn add_settings(&mut self, settings: &Settings) -> Result<(), SettingsError> {
        let read = Self::of(settings)?;
        self.ingress_without_address_is_healthy |= read.ingress_without_address_is_healthy;
        self.load_balancer_without_address_is_healthy |= read.load_balancer_without_address_is_healthy;
        self.customizations.splice(0..0, read.customizations);
        Ok(())
    }

    /// Adds the scripts of a folder: they come after those of `argocd-cm`.
    pub fn add_folder(&mut self, customizations: Vec<Customization>) -> Result<(), SettingsError> {
        let scripts = customizations.into_iter().map(|Customization { group, kind, script }| {
            let (group, kind) = (group.replace('_', "*"), kind.replace('_', "*"));
            (if group.is_empty() { kind } else { format!("{group}/{kind}") }, script)
        });
        let ordered = ordered(scripts.collect()).map_err(|(kind, why)| SettingsError::Value {
            file: "--customizations".to_owned(),
            key: kind,
            why: why.to_owned(),
            help: GLOB.to_owned(),
        })?;
        self.customizations.extend(ordered);
        Ok(())
    }

    /// The script of a kind, if there is one.
    pub fn script(&self, kind: &GroupKind) -> Option<&Arc<Script>> {
        if self.customizations.is_empty() {
            return None;
        }
        let shown = kind.to_string();
        let found = self.customizations.iter().find(|(kinds, _)| match kinds {
            ScriptKinds::Exact(kind) => *kind == shown,
            ScriptKinds::Matching(matcher) => matcher.is_match(&shown),
        });
        found.map(|(_, script)| script)
    }
}

const GLOB: &str = "write the group and the kind as `<group>/<Kind>`, with `*` for any text";

fn script(settings: &Settings, key: &str, source: &str) -> Script {
    Script { name: format!("{} {key}", settings.file), source: source.into() }
}

/// `health.lua` of each kind in `resource.customizations`.
fn in_one_text(settings: &Settings) -> Result<Vec<(String, String)>, SettingsError> {
    let wrong =
        |why| settings.wrong(CUSTOMIZATIONS, why, "it holds YAML: `<group>/<Kind>:`, and below it `health.lua: |`");
    let Some(text) = settings.data.get(CUSTOMIZATIONS) else { return Ok(Vec::new()) };
    let Some(document) = yaml::read(text, &Limits::default(), WithPositions::No).into_iter().next() else {
        return Ok(Vec::new());
    };
    let document = document.map_err(|error| wrong(format!("line {}: {}", error.line, error.message)))?;
    let Value::Object(kinds) = document.value else {
        return Err(wrong(format!("it is {}, not a map", type_name(&document.value))));
    };
    let mut scripts = Vec::new();
    for (kind, customization) in kinds {
        match customization.get("health.lua") {
            None | Some(Value::Null) => {}
            Some(Value::String(source)) if source.is_empty() => {}
            Some(Value::String(source)) => scripts.push((kind, source.clone())),
            Some(other) => return Err(wrong(format!("`health.lua` of `{kind}` is {}, not text", type_name(other)))),
        }
    }
    Ok(scripts)
}

/// Exact kinds first, then wildcards, the longest first.
fn ordered(scripts: Vec<(String, Script)>) -> Result<Customizations, (String, &'static str)> {
    let is_pattern = |kind: &str| kind.contains(['*', '?', '[', '{']);
    let (mut patterns, exact): (Vec<_>, Vec<_>) = scripts.into_iter().partition(|(kind, _)| is_pattern(kind));
    patterns.sort_by(|(left, _), (right, _)| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
    let exact = exact.into_iter().map(|(kind, script)| Ok((ScriptKinds::Exact(kind), Arc::new(script))));
    let patterns = patterns.into_iter().map(|(kind, script)| match Glob::new(&kind) {
        Ok(glob) => Ok((ScriptKinds::Matching(glob.compile_matcher()), Arc::new(script))),
        Err(_cause) => Err((kind, "is not a pattern of kinds")),
    });
    exact.chain(patterns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(data: &[(&str, &str)]) -> Settings {
        let data = data.iter().map(|&(key, text)| (key.to_owned(), text.to_owned())).collect();
        Settings { file: "argocd-cm.yaml".to_owned(), data }
    }

    fn source(settings: &HealthSettings, group: &str, kind: &str) -> Option<String> {
        let kind = GroupKind { group: group.to_owned(), kind: kind.to_owned() };
        settings.script(&kind).map(|script| script.source.to_string())
    }

    /// Keys as teams have them in their ConfigMaps, and the kinds that each is for.
    #[test]
    fn each_kind_finds_its_script() {
        let map = "
            cert-manager.io/Certificate: {health.lua: from the map, useOpenLibs: true}
            apps/Deployment: {ignoreDifferences: 'jsonPointers: [/spec/replicas]'}
            Pod: {health.lua: of Pods}
            '*.crossplane.io/*': {health.lua: any of Crossplane}
            '*.aws.crossplane.io/*': {health.lua: any of AWS}
            shop.example.com/Till: {health.lua: from the map}";
        let read = settings(&[
            ("resource.customizations", map),
            ("resource.customizations.health.shop.example.com_Till", "from its key"),
            ("resource.customizations.health.ConfigMap", "of ConfigMaps"),
            ("resource.customizations.useOpenLibs.shop.example.com_Till", "true"),
        ]);
        let mut health = HealthSettings::of(&read).unwrap();
        let script = |name: &str| Script { name: name.to_owned(), source: format!("{name} of the folder").into() };
        let customization = |group: &str, kind: &str, name: &str| Customization {
            group: group.to_owned(),
            kind: kind.to_owned(),
            script: script(name),
        };
        health
            .add_folder(vec![
                customization("_.example.com", "_", "any"),
                customization("bank.example.com", "Safe", "Safe"),
                customization("shop.example.com", "Till", "Till"),
            ])
            .unwrap();
        for (group, kind, expected) in [
            ("cert-manager.io", "Certificate", Some("from the map")),
            ("apps", "Deployment", None),
            ("", "Pod", Some("of Pods")),
            ("", "ConfigMap", Some("of ConfigMaps")),
            ("s3.aws.crossplane.io", "Bucket", Some("any of AWS")),
            ("sql.crossplane.io", "Grant", Some("any of Crossplane")),
            ("shop.example.com", "Till", Some("from its key")),
            ("bank.example.com", "Safe", Some("Safe of the folder")),
            ("bank.example.com", "Vault", Some("any of the folder")),
            ("example.com", "Vault", None),
        ] {
            assert_eq!(source(&health, group, kind).as_deref(), expected, "{group}/{kind}");
        }
    }

    #[test]
    fn an_invalid_setting_is_reported() {
        for (key, text, expected) in [
            (CUSTOMIZATIONS, "- a", "argocd-cm.yaml: `resource.customizations`: it is a list, not a map"),
            (
                CUSTOMIZATIONS,
                "apps/Deployment: {health.lua: {}}",
                "argocd-cm.yaml: `resource.customizations`: `health.lua` of `apps/Deployment` is a map, not text",
            ),
            (
                CUSTOMIZATIONS,
                "'[/Deployment': {health.lua: x}",
                "argocd-cm.yaml: `resource.customizations`: `[/Deployment` is not a pattern of kinds",
            ),
            (
                INGRESS,
                "yes",
                "argocd-cm.yaml: `trueup.health.ingressWithoutAddress`: `yes` is neither `true` nor `false`",
            ),
        ] {
            let error = HealthSettings::of(&settings(&[(key, text)])).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let read = settings(&[(INGRESS, "true"), (LOAD_BALANCER, "false")]);
        let health = HealthSettings::of(&read).unwrap();
        assert!(health.ingress_without_address_is_healthy && !health.load_balancer_without_address_is_healthy);
    }
}
