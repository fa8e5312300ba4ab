//! What a cluster in front of another one passes on: all that it does not change.
//!
//! A layer is a struct whose field `inner` is the cluster behind it. A method of [`Cluster`](super::Cluster) that has a default has to be
//! passed on, too, or the layer hides what the cluster behind it knows: so they stand here once.

/// The methods that say what the cluster is, and who it takes us for.
macro_rules! forward_facts {
    () => {
        fn name(&self) -> &str {
            self.inner.name()
        }

        fn is_alive(&self) -> bool {
            self.inner.is_alive()
        }

        fn schema<'a>(
            &'a self,
            kind: &'a $crate::object::Gvk,
        ) -> $crate::cluster::ClusterFuture<'a, Option<std::sync::Arc<serde_json::Value>>> {
            self.inner.schema(kind)
        }

        fn version(&self) -> $crate::cluster::ClusterFuture<'_, String> {
            self.inner.version()
        }

        fn user(&self) -> futures::future::BoxFuture<'_, Option<$crate::cluster::ClusterUser>> {
            self.inner.user()
        }

        fn permits<'a>(
            &'a self,
            needs: &'a [$crate::cluster::AccessNeed],
            namespace: Option<&'a str>,
        ) -> $crate::cluster::ClusterFuture<'a, Vec<Option<bool>>> {
            self.inner.permits(needs, namespace)
        }

        fn requests(&self) -> $crate::cluster::Requests {
            self.inner.requests()
        }

        fn remarks(&self) -> std::collections::BTreeMap<String, String> {
            self.inner.remarks()
        }
    };
}

/// The methods that read and that ask in a dry run of the server's own.
macro_rules! forward_reads {
    () => {
        fn limits(&self) -> Option<&$crate::cluster::NamespaceLimits> {
            self.inner.limits()
        }

        fn kinds(&self) -> $crate::cluster::ClusterFuture<'_, std::sync::Arc<$crate::object::Kinds>> {
            self.inner.kinds()
        }

        fn rediscover_kinds(&self) -> $crate::cluster::ClusterFuture<'_, std::sync::Arc<$crate::object::Kinds>> {
            self.inner.rediscover_kinds()
        }

        fn list<'a>(
            &'a self,
            request: &'a $crate::cluster::ListRequest,
        ) -> $crate::cluster::ClusterFuture<'a, Vec<$crate::object::Object>> {
            self.inner.list(request)
        }

        fn watch(
            &self,
            request: $crate::cluster::ListRequest,
        ) -> futures::stream::BoxStream<'_, Result<$crate::cluster::Watched, $crate::cluster::ClusterError>> {
            self.inner.watch(request)
        }

        fn get<'a>(
            &'a self,
            object: &'a $crate::cluster::ObjectName,
        ) -> $crate::cluster::ClusterFuture<'a, Option<$crate::object::Object>> {
            self.inner.get(object)
        }

        fn logs<'a>(&'a self, request: &'a $crate::cluster::LogRequest) -> $crate::cluster::ClusterFuture<'a, String> {
            self.inner.logs(request)
        }

        fn predict<'a>(
            &'a self,
            object: &'a $crate::object::Object,
        ) -> $crate::cluster::ClusterFuture<'a, $crate::cluster::Predicted> {
            self.inner.predict(object)
        }

        fn predict_without<'a>(
            &'a self,
            live: &'a $crate::object::Object,
            places: &'a [$crate::object::Pointer],
        ) -> $crate::cluster::ClusterFuture<'a, $crate::cluster::Predicted> {
            self.inner.predict_without(live, places)
        }
    };
}

pub(crate) use {forward_facts, forward_reads};
