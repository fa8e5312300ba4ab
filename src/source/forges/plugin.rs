//! A plugin of `plugin` generators: one POST, with the token of its Secret.
//!
//! Rule: Argo CD applicationset/services/plugin, docs "Plugin Generator".

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::Value;

use super::super::access::{self, is_this_machine};
use super::api::{Result, ServiceOpening, read_json, refused, sensitive, unanswered};
use crate::app::appset::question::{PluginQuestion, ServiceCredential, ServiceFault};

pub(super) fn parameters(question: &PluginQuestion, opening: &ServiceOpening) -> Result<Vec<Value>> {
    let failed = |text: String| ServiceFault::Failed(text);
    let written = format!("{}/api/v1/getparams.execute", question.base_url.trim_end_matches('/'));
    let url = Url::parse(&written).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| failed("`baseUrl` of the plugin's ConfigMap is not a URL".to_owned()))?;
    let token = match &opening.credential {
        Ok(ServiceCredential::Token(token)) => token,
        Ok(_) => return Err(failed("the plugin's ConfigMap names no token".to_owned())),
        Err(why) => return Err(failed(format!("{why}; give it with `--clusters FILE`"))),
    };
    if opening.is_untrusted() && !url.host_str().is_some_and(is_this_machine) {
        return Err(failed(format!("a Secret's token is not sent to {} with `--untrusted`", access::shown(&url))));
    }
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", token.expose().trim()))?);
    let web = opening.web(&url, false, None)?;
    let answer = web.post_json(&url, &headers, &question.body).map_err(|error| unanswered(&error, &opening.limits))?;
    if !answer.status().is_success() {
        return Err(match refused(answer, &access::shown(&url), std::slice::from_ref(token)).fault {
            ServiceFault::NotFound(text) | ServiceFault::Failed(text) => failed(text),
        });
    }
    let said = read_json(answer, &url, &opening.limits)?;
    match said.pointer("/output/parameters") {
        Some(Value::Array(sets)) => Ok(sets.clone()),
        Some(Value::Null) | None => Ok(Vec::new()),
        Some(_) => Err(failed(format!("`output.parameters` of {} is not a list", access::shown(&url)))),
    }
}
