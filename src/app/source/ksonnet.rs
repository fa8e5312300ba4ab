//! `source.ksonnet`, as Argo CD had it until 2.4.

use super::super::fields::Fields;

/// `source.ksonnet`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ksonnet {
    /// `environment`: the environment of the ksonnet application.
    pub environment: String,
    /// `parameters`.
    pub parameters: Vec<KsonnetParameter>,
}

/// One of `ksonnet.parameters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KsonnetParameter {
    /// The component; empty for a parameter of the whole environment.
    pub component: String,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

pub(super) fn decode(mut fields: Fields<'_>) -> Ksonnet {
    let ksonnet = Ksonnet {
        environment: fields.text("environment"),
        parameters: fields.list("parameters").into_iter().map(decode_parameter).collect(),
    };
    fields.finish();
    ksonnet
}

fn decode_parameter(mut fields: Fields<'_>) -> KsonnetParameter {
    let parameter = KsonnetParameter {
        component: fields.text("component"),
        name: fields.required_text("name"),
        value: fields.required_text("value"),
    };
    fields.finish();
    parameter
}
