//! Reads the last lines that a container has written.
//!
//! In: a pod's container. Out: its text, within bounds, with credentials in addresses masked; or why there is none: the API
//! server asks the kubelet of the pod's node, which does not always answer.
//!
//! Rule: Kubernetes API, `read log of the specified Pod`.

use http::StatusCode;

use super::connection::{Ask, Connection, RequestPurpose};
use super::path::resource_path;
use super::status::ApiStatus;
use crate::cluster::{ClusterError, LogRequest};
use crate::object::{Gvk, KindFacts, Scope};
use crate::secret::mask_credentials_in_text;

/// No log is read further.
const LENGTH: usize = 256 << 10;

/// Reads one log.
pub(super) async fn logs(connection: &Connection, request: &LogRequest) -> Result<String, ClusterError> {
    let ask = ask(request);
    let answer = connection.beginning(&ask, LENGTH).await?;
    match answer.status {
        status if status.is_success() => Ok(mask_credentials_in_text(&String::from_utf8_lossy(&answer.body))),
        StatusCode::FORBIDDEN => {
            let status = ApiStatus::read(&answer.body).unwrap_or_default();
            let denial = status.denial("get", "pods/log", Some(&request.namespace));
            Err(ClusterError::Forbidden { cluster: connection.label().to_owned(), denial })
        }
        _ => Err(connection.refused(&ask, &answer)),
    }
}

fn ask(request: &LogRequest) -> Ask {
    let pods = KindFacts {
        gvk: Gvk::from_api_version("v1", "Pod"),
        plural: "pods".to_owned(),
        scope: Scope::Namespaced,
        verbs: Vec::new(),
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("container", &request.container).append_pair("tailLines", &request.lines.to_string());
    query.append_pair("limitBytes", &LENGTH.to_string());
    if request.previous {
        query.append_pair("previous", "true");
    }
    let pod = resource_path(&pods, Some(&request.namespace), Some(&request.pod));
    Ask { accept: "*/*", ..Ask::get(RequestPurpose::Get, format!("{pod}/log?{}", query.finish())) }
}
