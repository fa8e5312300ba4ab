//! A cluster that is a Kubernetes API server.
use super::{Cluster, ClusterError, ClusterSettings, ListRequest, Predicted, Requests};
use crate::app::Destination;
use crate::object::{Kinds, Object};
use crate::progress::Progress;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
/// x
pub(crate) struct Contexts;
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity;
pub(crate) struct Access {
    pub(crate) identity: Identity,
}
impl Contexts {
    pub(crate) fn read(_settings: &ClusterSettings) -> Result<Self, ClusterError> {
        todo!()
    }
    pub(crate) fn find(&self, _destination: &Destination) -> Result<Access, ClusterError> {
        todo!()
    }
}
/// x
pub struct Kubernetes;
impl Kubernetes {
    pub(crate) fn new(_a: Access, _s: &ClusterSettings, _r: Arc<Semaphore>, _p: Progress) -> Self {
        todo!()
    }
}
impl Cluster for Kubernetes {
    fn name(&self) -> &str {
        todo!()
    }
    fn kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        todo!()
    }
    fn list<'a>(&'a self, _request: &'a ListRequest) -> BoxFuture<'a, Result<Vec<Object>, ClusterError>> {
        todo!()
    }
    fn predict<'a>(&'a self, _object: &'a Object) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        todo!()
    }
    fn requests(&self) -> Requests {
        todo!()
    }
    fn remarks(&self) -> BTreeMap<String, String> {
        todo!()
    }
}
