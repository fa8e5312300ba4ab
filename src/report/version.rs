//! Which trueup this is: its version and platform.
//!
//! Out: text as `--version` prints it, JSON, YAML.

use serde::Serialize;

use super::{Format, json, yaml};

/// The version for scripts. Keys are only ever added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionReport {
    api_version: &'static str,
    kind: &'static str,
    version: &'static str,
    platform: String,
}

/// The version in one format, with a final line break.
pub fn write(format: Format) -> String {
    let report = VersionReport {
        api_version: "trueup/v1",
        kind: "Version",
        version: env!("CARGO_PKG_VERSION"),
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
    };
    match format {
        Format::Json => json::pretty(&report),
        Format::Yaml => yaml::of(&report),
        Format::Text
        | Format::Markdown
        | Format::Diff
        | Format::Github
        | Format::Wide
        | Format::Name
        | Format::Audit => {
            format!("trueup {}\n", report.version)
        }
    }
}
