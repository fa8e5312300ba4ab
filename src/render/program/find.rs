//! Finds the programs: by the path or the name that the settings give, or by their usual names.

use std::path::{Path, PathBuf};

use super::{Program, ProgramError, ProgramSettings};

/// The message when Helm is missing.
const HELM_VERSIONS: &str = "Helm 3.14 or newer, or Helm 4";
/// The message when Kustomize is missing.
const KUSTOMIZE_VERSIONS: &str = "Kustomize 5, or kubectl 1.27 or newer";

pub(super) fn helm(settings: &ProgramSettings) -> Result<Program, ProgramError> {
    let (flag, variable) = ("--helm", "TRUEUP_HELM");
    match &settings.helm {
        Some(named) => locate(named, settings)
            .map(|path| Program { path, name: "helm" })
            .ok_or_else(|| not_there(named, HELM_VERSIONS, flag, variable)),
        None => locate(Path::new("helm"), settings).map(|path| Program { path, name: "helm" }).ok_or(
            ProgramError::Missing {
                program: "helm",
                versions: HELM_VERSIONS,
                address: "https://helm.sh/docs/intro/install",
                flag,
                variable,
            },
        ),
    }
}

pub(super) fn kustomize(settings: &ProgramSettings) -> Result<Program, ProgramError> {
    let (flag, variable) = ("--kustomize", "TRUEUP_KUSTOMIZE");
    match &settings.kustomize {
        Some(named) => locate(named, settings)
            .map(kustomize_at)
            .ok_or_else(|| not_there(named, KUSTOMIZE_VERSIONS, flag, variable)),
        None => ["kustomize", "kubectl"]
            .into_iter()
            .find_map(|name| locate(Path::new(name), settings))
            .map(kustomize_at)
            .ok_or(ProgramError::Missing {
                program: "kustomize",
                versions: KUSTOMIZE_VERSIONS,
                address: "https://kubectl.docs.kubernetes.io/installation/kustomize",
                flag,
                variable,
            }),
    }
}

/// kubectl has Kustomize in it, as a command of its own.
fn kustomize_at(path: PathBuf) -> Program {
    let is_kubectl = path.file_stem().is_some_and(|name| name.to_string_lossy().starts_with("kubectl"));
    Program { path, name: if is_kubectl { "kubectl kustomize" } else { "kustomize" } }
}

fn not_there(named: &Path, versions: &'static str, flag: &'static str, variable: &'static str) -> ProgramError {
    ProgramError::NotThere { named: named.display().to_string(), versions, flag, variable }
}

/// A path is taken as it is, a name is looked for as a shell would.
fn locate(named: &Path, settings: &ProgramSettings) -> Option<PathBuf> {
    if named.components().count() > 1 {
        // The program runs in another folder than we do.
        return is_program(named).then(|| std::path::absolute(named).ok()).flatten();
    }
    let file = format!("{}{}", named.display(), std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&settings.search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&file))
        .find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(programs: &[&str]) -> (tempfile::TempDir, ProgramSettings) {
        let folder = tempfile::tempdir().unwrap();
        for name in programs {
            let path = folder.path().join(name);
            std::fs::File::create(&path).unwrap();
            #[cfg(unix)]
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let settings = ProgramSettings { search_path: folder.path().into(), ..ProgramSettings::default() };
        (folder, settings)
    }

    #[test]
    fn kubectl_stands_in_for_kustomize() {
        let (_both, settings) = folder(&["kustomize", "kubectl"]);
        assert_eq!(kustomize(&settings).unwrap().name, "kustomize");
        let (_one, settings) = folder(&["kubectl"]);
        assert_eq!(kustomize(&settings).unwrap().name, "kubectl kustomize");
        let (place, _) = folder(&["kubectl-1.36"]);
        let named =
            ProgramSettings { kustomize: Some(place.path().join("kubectl-1.36")), ..ProgramSettings::default() };
        assert_eq!(kustomize(&named).unwrap().name, "kubectl kustomize");
    }

    #[test]
    fn a_program_that_is_missing_is_named_with_its_versions() {
        let (_empty, settings) = folder(&[]);
        let error = helm(&settings).unwrap_err();
        assert_eq!(error.to_string(), "`helm` is not installed, and the source needs it");
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        assert!(help.contains("Helm 3.14 or newer") && help.contains("TRUEUP_HELM"), "{help}");
        let named = ProgramSettings { helm: Some("no/such/helm".into()), ..settings };
        assert_eq!(helm(&named).unwrap_err().to_string(), "`no/such/helm` is not a program that can be run");
    }
}
