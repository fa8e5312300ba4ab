//! Reads the answer to a WATCH: one event a line, for as long as it lasts.
//!
//! In: an answer's body. Out: an [`WatchEvent`] at a time. What cannot be read says so: something was missed then.
//!
//! Rules: Kubernetes API concepts, "Efficient detection of changes" and "Watch bookmarks"; apimachinery meta/v1 `WatchEvent`.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http_body_util::{BodyDataStream, BodyExt};
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;

use super::page;
use crate::object::{Gvk, Object};

/// Far more than any object takes.
const LONGEST_LINE: usize = 64 << 20;
/// The status of a version that the server has forgotten.
const GONE: u64 = 410;

/// An event of a watch, as the server sends it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum WatchEvent {
    /// An object is new or changed.
    Changed(Box<Object>),
    /// An object is gone.
    Deleted(Box<Object>),
    /// Nothing has happened up to this version.
    Bookmark(String),
    /// The changes since the requested version are no longer known, or could not be read.
    Missed,
    /// The server ends the watch, for now.
    Ended,
}

/// The events of one answer.
pub(super) struct WatchEvents {
    body: BodyDataStream<Body>,
    buffer: BytesMut,
    /// How far the buffer was looked through.
    looked: usize,
    gvk: Gvk,
    metadata_only: bool,
}

impl WatchEvents {
    /// Of objects of this kind.
    pub(super) fn of(body: Body, gvk: Gvk, metadata_only: bool) -> Self {
        Self { body: body.into_data_stream(), buffer: BytesMut::new(), looked: 0, gvk, metadata_only }
    }

    /// The next one; [`WatchEvent::Ended`] when the answer ends or breaks.
    pub(super) async fn next(&mut self) -> WatchEvent {
        loop {
            if let Some(line) = self.line() {
                return read(&line, &self.gvk, self.metadata_only);
            } else if self.buffer.len() > LONGEST_LINE {
                return WatchEvent::Missed;
            }
            match self.body.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(_)) | None => return WatchEvent::Ended,
            }
        }
    }

    /// A whole line, without its end.
    fn line(&mut self) -> Option<Bytes> {
        let Some(end) = self.buffer[self.looked..].iter().position(|byte| *byte == b'\n') else {
            self.looked = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.looked + end + 1);
        line.truncate(line.len() - 1);
        self.looked = 0;
        Some(line.freeze())
    }
}

#[derive(Deserialize)]
struct EventLine {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

/// Reads one line.
fn read(line: &[u8], gvk: &Gvk, metadata_only: bool) -> WatchEvent {
    let Some(EventLine { kind, object }) =
        crate::object::json::read(line).ok().and_then(|line| serde_json::from_value(line).ok())
    else {
        return WatchEvent::Missed;
    };
    let taken = |object| page::object(object, gvk, metadata_only).map(Box::new);
    match kind.as_str() {
        "ADDED" | "MODIFIED" => taken(object).map_or(WatchEvent::Missed, WatchEvent::Changed),
        "DELETED" => taken(object).map_or(WatchEvent::Missed, WatchEvent::Deleted),
        "BOOKMARK" => match object.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
            Some(version) => WatchEvent::Bookmark(version.to_owned()),
            None => WatchEvent::Missed,
        },
        "ERROR" if object.get("code").and_then(Value::as_u64) == Some(GONE) => WatchEvent::Missed,
        "ERROR" => WatchEvent::Ended,
        _ => WatchEvent::Missed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(line: &str) -> WatchEvent {
        read(line.as_bytes(), &Gvk::from_api_version("v1", "ConfigMap"), true)
    }

    #[test]
    fn a_line_is_an_event() {
        let object = r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","resourceVersion":"7"}}"#;
        for kind in ["ADDED", "MODIFIED"] {
            let WatchEvent::Changed(object) = event(&format!(r#"{{"type":"{kind}","object":{object}}}"#)) else {
                panic!("{kind}")
            };
            assert_eq!((object.kind(), object.name()), ("ConfigMap", "a"));
        }
        assert!(matches!(event(&format!(r#"{{"type":"DELETED","object":{object}}}"#)), WatchEvent::Deleted(_)));
        assert_eq!(event(&format!(r#"{{"type":"BOOKMARK","object":{object}}}"#)), WatchEvent::Bookmark("7".to_owned()));
    }

    /// The first is a real one of kube-apiserver 1.36.3.
    #[test]
    fn what_was_missed_is_not_taken_for_nothing() {
        for line in [
            r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (348)","reason":"Expired","code":410}}"#,
            r#"{"type":"ADDED","object":{"metadata":{}}}"#,
            r#"{"type":"ADDED","object":7}"#,
            r#"{"type":"ADDED"}"#,
            r#"{"type":"BOOKMARK","object":{"metadata":{}}}"#,
            r#"{"type":"RENAMED","object":{"metadata":{"name":"a"}}}"#,
            r#"{"kind":"ConfigMapList","items":[]}"#,
            "<html>",
            "",
        ] {
            assert_eq!(event(line), WatchEvent::Missed, "{line}");
        }
        let overloaded = r#"{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is gone"}}"#;
        assert_eq!(event(overloaded), WatchEvent::Ended);
    }

    /// The network cuts where it likes.
    #[tokio::test]
    async fn lines_are_put_together_from_what_comes() {
        let text = "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"1\"}}}\n{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"2\"}}}\n{\"type\":\"BOOK";
        for size in [1, 7, 60, 500] {
            let chunks: Vec<Bytes> = text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
            let mut events = WatchEvents::of(Body::from(Vec::new()), Gvk::from_api_version("v1", "ConfigMap"), false);
            let mut read = Vec::new();
            for chunk in chunks {
                events.buffer.extend_from_slice(&chunk);
                while let Some(line) = events.line() {
                    read.push(super::read(&line, &events.gvk, false));
                }
            }
            assert_eq!(read, [WatchEvent::Bookmark("1".to_owned()), WatchEvent::Bookmark("2".to_owned())], "{size}");
            // What is cut off is no event.
            assert_eq!(events.next().await, WatchEvent::Ended);
        }
    }
}
