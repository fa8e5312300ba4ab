//! Everything that a ksonnet application can say when it cannot be rendered.

use miette::Diagnostic;
use thiserror::Error;

/// Why a ksonnet application gave no objects.
#[derive(Debug, Error, Diagnostic)]
pub enum KsonnetError {
    /// A file of the application that cannot be understood.
    #[error("`{file}` cannot be read: {fault}")]
    #[diagnostic(code(trueup::render::ksonnet_file), help("`ks` would refuse this file, too"))]
    Manifest {
        /// The file, relative to the checkout.
        file: String,
        /// The fault.
        fault: String,
    },
    /// No such environment.
    #[error("{}", missing(file, name))]
    #[diagnostic(
        code(trueup::render::ksonnet_environment),
        help("set `source.ksonnet.environment` to one of: {}", known.join(", "))
    )]
    Environment {
        /// The `app.yaml`, relative to the checkout.
        file: String,
        /// The version that the source requires.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// Two files of one name.
    #[error("component `{component}` is defined twice: {} and {}", files[0], files[1])]
    #[diagnostic(code(trueup::render::ksonnet_component), help("rename one of them"))]
    Twice {
        /// The component.
        component: String,
        /// Its files.
        files: [String; 2],
    },
    /// An environment whose value is no map.
    #[error("`{file}` returns no map of components")]
    #[diagnostic(
        code(trueup::render::ksonnet_main),
        help("an environment's `main.jsonnet` adds to `import \"base.libsonnet\"`")
    )]
    Main {
        /// The file, relative to the checkout.
        file: String,
    },
}

fn missing(file: &str, name: &str) -> String {
    if name.is_empty() {
        format!("the source names no environment of `{file}`")
    } else {
        format!("`{file}` has no environment `{name}`")
    }
}
