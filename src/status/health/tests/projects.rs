//! The documented states of each project's kinds: a table a project.

use serde_json::{Value, json};

use super::*;

/// A status of conditions, each its type, its status and its reason.
fn conditions(list: &[(&str, &str, &str)]) -> Value {
    let list: Vec<Value> = list
        .iter()
        .map(|(kind, status, reason)| json!({"type": kind, "status": status, "reason": reason, "message": "because"}))
        .collect();
    json!({"observedGeneration": 2, "conditions": list})
}

/// A status with fields beside those of another.
fn with(mut status: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        status[name] = value.clone();
    }
    status
}

/// A case: its name, its status, and what is said of it.
type State = (&'static str, Value, &'static str);

fn states(api_version: &str, kind: &str, states: impl IntoIterator<Item = State>) {
    check(api_version, kind, states.into_iter().map(|(name, status, expected)| (name, json!({}), status, expected)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn argo_rollouts() {
    let phase = |phase: &str| json!({"observedGeneration": "2", "phase": phase, "message": "because"});
    states(
        "argoproj.io/v1alpha1",
        "Rollout",
        [
            ("new", json!(null), "Progressing: Waiting for the Rollout's first status"),
            ("healthy", phase("Healthy"), "Healthy: because"),
            ("under way", phase("Progressing"), "Progressing: because"),
            ("paused", phase("Paused"), "Suspended: because"),
            ("degraded", phase("Degraded"), "Degraded: because"),
            (
                "not looked at yet",
                with(phase("Healthy"), &json!({"observedGeneration": "1"})),
                "Progressing: the controller has seen generation 1 of 2",
            ),
            (
                "the hash that releases before 1.0 wrote",
                with(phase("Healthy"), &json!({"observedGeneration": "5c788f4484"})),
                "Healthy: because",
            ),
            (
                "invalid",
                with(conditions(&[("InvalidSpec", "True", "InvalidSpec")]), &json!({"phase": "Healthy"})),
                "Degraded: InvalidSpec is True (InvalidSpec): because",
            ),
            (
                "without a phase, aborted",
                with(conditions(&[("Available", "True", "")]), &json!({"abort": true})),
                "Degraded: Rollout is aborted",
            ),
            (
                "without a phase, too late",
                conditions(&[("Available", "True", ""), ("Progressing", "False", "ProgressDeadlineExceeded")]),
                "Degraded: Progressing is False (ProgressDeadlineExceeded): because",
            ),
            (
                "without a phase, paused",
                with(
                    conditions(&[("Available", "True", "")]),
                    &json!({"pauseConditions": [{"reason": "CanaryPauseStep"}]}),
                ),
                "Suspended: Rollout is paused",
            ),
            (
                "without a phase, some old",
                with(
                    conditions(&[("Available", "True", "")]),
                    &json!({"replicas": 3, "updatedReplicas": 1, "availableReplicas": 3}),
                ),
                "Progressing: 1 of 1 replicas are updated, 3 of 3 are available",
            ),
            (
                "without a phase, not switched",
                with(
                    conditions(&[("Available", "True", "")]),
                    &json!({"currentPodHash": "b", "blueGreen": {"activeSelector": "a"}}),
                ),
                "Progressing: The active service still selects the older replicas",
            ),
            (
                "without a phase, done",
                with(
                    conditions(&[("Available", "True", "")]),
                    &json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}),
                ),
                "Healthy: because",
            ),
        ],
    );
    let mut rollout = object("argoproj.io/v1alpha1", "Rollout", &json!({"paused": true}), &phase("Healthy"));
    assert_eq!(shown(health(&rollout)), "Suspended: Rollout is paused");
    rollout.value_mut()["metadata"]["annotations"] = json!({"rollout.argoproj.io/workload-generation": "7"});
    rollout.value_mut()["status"]["workloadObservedGeneration"] = json!("6");
    assert_eq!(shown(health(&rollout)), "Progressing: the controller has seen generation 6 of 7 of the workload");
    for kind in ["AnalysisRun", "Experiment"] {
        states(
            "argoproj.io/v1alpha1",
            kind,
            [
                ("new", json!(null), "Progressing"),
                ("pending", json!({"phase": "Pending"}), "Progressing"),
                ("running", json!({"phase": "Running"}), "Progressing"),
                ("successful", json!({"phase": "Successful"}), "Healthy"),
                ("failed", json!({"phase": "Failed", "message": "too slow"}), "Degraded: too slow"),
                ("an error", json!({"phase": "Error"}), "Degraded"),
                ("inconclusive", json!({"phase": "Inconclusive"}), "Unknown"),
            ],
        );
    }
    states("argoproj.io/v1alpha1", "AnalysisTemplate", [("a template", json!(null), "none")]);
}

#[test]
fn argo_workflows_and_argo_cd() {
    states(
        "argoproj.io/v1alpha1",
        "CronWorkflow",
        [
            ("new", json!(null), "Healthy: CronWorkflow has not been scheduled yet"),
            ("scheduled", json!({"lastScheduledTime": "2026-11-24T06:00:00Z"}), "Healthy"),
            ("invalid", conditions(&[("SpecError", "True", "")]), "Degraded: SpecError is True: because"),
            ("refused", conditions(&[("SubmissionError", "True", "")]), "Degraded: SubmissionError is True: because"),
        ],
    );
    states("argoproj.io/v1alpha1", "WorkflowTemplate", [("a template", json!(null), "none")]);
    states(
        "argoproj.io/v1alpha1",
        "ApplicationSet",
        [
            ("new", json!(null), "Progressing: Waiting for the ApplicationSet's first status"),
            ("up to date", conditions(&[("ResourcesUpToDate", "True", "")]), "Healthy: because"),
            (
                "rolling out",
                conditions(&[("ResourcesUpToDate", "True", ""), ("RolloutProgressing", "True", "")]),
                "Progressing: RolloutProgressing is True: because",
            ),
            (
                "failed",
                conditions(&[
                    ("ResourcesUpToDate", "True", ""),
                    ("ErrorOccurred", "True", "ApplicationGenerationFromParamsError"),
                ]),
                "Degraded: ErrorOccurred is True (ApplicationGenerationFromParamsError): because",
            ),
            (
                "without parameters",
                conditions(&[("ParametersGenerated", "False", "ErrorOccurred")]),
                "Degraded: ParametersGenerated is False (ErrorOccurred): because",
            ),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn cert_manager() {
    let api_version = "cert-manager.io/v1";
    states(
        api_version,
        "Certificate",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this Certificate"),
            ("issued", conditions(&[("Ready", "True", "Ready")]), "Healthy: because"),
            ("expired", conditions(&[("Ready", "False", "Expired")]), "Degraded: Ready is False (Expired): because"),
            (
                "being renewed",
                conditions(&[("Ready", "True", "Ready"), ("Issuing", "True", "Renewing")]),
                "Progressing: Issuing is True (Renewing): because",
            ),
            (
                "not there",
                conditions(&[("Ready", "False", "MissingData")]),
                "Progressing: Ready is False (MissingData): because",
            ),
        ],
    );
    states(
        api_version,
        "CertificateRequest",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this CertificateRequest"),
            ("issued", conditions(&[("Approved", "True", ""), ("Ready", "True", "Issued")]), "Healthy: because"),
            (
                "pending",
                conditions(&[("Approved", "True", ""), ("Ready", "False", "Pending")]),
                "Progressing: Ready is False (Pending): because",
            ),
            (
                "failed",
                conditions(&[("Approved", "True", ""), ("Ready", "False", "Failed")]),
                "Degraded: Ready is False (Failed): because",
            ),
            (
                "denied",
                conditions(&[("Denied", "True", "Denied"), ("Ready", "False", "Denied")]),
                "Degraded: Denied is True (Denied): because",
            ),
        ],
    );
    for kind in ["Issuer", "ClusterIssuer"] {
        states(
            api_version,
            kind,
            [
                ("registered", conditions(&[("Ready", "True", "ACMEAccountRegistered")]), "Healthy: because"),
                (
                    "not registered",
                    conditions(&[("Ready", "False", "ErrRegisterACMEAccount")]),
                    "Degraded: Ready is False (ErrRegisterACMEAccount): because",
                ),
            ],
        );
    }
    states(api_version, "Issuer", [("new", json!(null), "Progressing: Waiting for the status of this Issuer")]);
    for kind in ["Order", "Challenge"] {
        states(
            "acme.cert-manager.io/v1",
            kind,
            [
                ("new", json!(null), "Progressing"),
                ("pending", json!({"state": "pending", "reason": "waiting"}), "Progressing: waiting"),
                ("valid", json!({"state": "valid"}), "Healthy"),
                ("invalid", json!({"state": "invalid", "reason": "no such host"}), "Degraded: no such host"),
                ("expired", json!({"state": "expired"}), "Degraded"),
                ("errored", json!({"state": "errored"}), "Degraded"),
            ],
        );
    }
}

#[test]
fn flux() {
    let api_version = "source.toolkit.fluxcd.io/v1";
    states(
        api_version,
        "GitRepository",
        [
            ("new", json!({"observedGeneration": -1}), "Progressing: Waiting for the status of this GitRepository"),
            ("stored", conditions(&[("Ready", "True", "Succeeded")]), "Healthy: because"),
            (
                "fetching",
                conditions(&[("Reconciling", "True", "Progressing"), ("Ready", "Unknown", "Progressing")]),
                "Progressing: Ready is Unknown (Progressing): because",
            ),
            (
                "fetching the next",
                conditions(&[("Reconciling", "True", "NewRevision"), ("Ready", "True", "Succeeded")]),
                "Progressing: Reconciling is True (NewRevision): because",
            ),
            (
                "fails",
                conditions(&[("Ready", "False", "GitOperationFailed")]),
                "Degraded: Ready is False (GitOperationFailed): because",
            ),
            (
                "fails in a word of its own",
                conditions(&[("Reconciling", "True", "ProgressingWithRetry"), ("Ready", "False", "SourceUnavailable")]),
                "Degraded: Ready is False (SourceUnavailable): because",
            ),
            (
                "stalled",
                conditions(&[("Ready", "True", "Succeeded"), ("Stalled", "True", "URLInvalid")]),
                "Degraded: Stalled is True (URLInvalid): because",
            ),
            (
                "of an older generation",
                json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}),
                "Progressing: Ready is True; of an older generation",
            ),
        ],
    );
    states(
        "kustomize.toolkit.fluxcd.io/v1",
        "Kustomization",
        [(
            "waits for another",
            conditions(&[("Ready", "False", "DependencyNotReady")]),
            "Progressing: Ready is False (DependencyNotReady): because",
        )],
    );
    for kind in ["Alert", "Provider"] {
        states("notification.toolkit.fluxcd.io/v1beta3", kind, [("without a status", json!(null), "none")]);
    }
    check(api_version, "HelmRepository", [("a registry", json!({"type": "oci"}), json!(null), "none")]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn crossplane() {
    states(
        "pkg.crossplane.io/v1",
        "Provider",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this Provider"),
            ("installed", conditions(&[("Installed", "True", ""), ("Healthy", "True", "")]), "Healthy: because"),
            (
                "being unpacked",
                conditions(&[("Installed", "False", "UnpackingPackage")]),
                "Progressing: Installed is False (UnpackingPackage): because",
            ),
            (
                "not known to be healthy",
                conditions(&[("Installed", "True", ""), ("Healthy", "Unknown", "UnknownPackageRevisionHealth")]),
                "Progressing: Healthy is Unknown (UnknownPackageRevisionHealth): because",
            ),
            (
                "unhealthy",
                conditions(&[("Installed", "True", ""), ("Healthy", "False", "UnhealthyPackageRevision")]),
                "Degraded: Healthy is False (UnhealthyPackageRevision): because",
            ),
        ],
    );
    let definition = |spec: Value, status: Value, expected| ("a definition", spec, status, expected);
    check(
        "apiextensions.crossplane.io/v1",
        "CompositeResourceDefinition",
        [
            definition(json!({}), conditions(&[("Established", "True", "WatchingCompositeResource")]), "Healthy"),
            definition(
                json!({"claimNames": {"kind": "Database"}}),
                conditions(&[("Established", "True", "WatchingCompositeResource")]),
                "Progressing: Waiting for the status of this CompositeResourceDefinition",
            ),
            definition(
                json!({"claimNames": {"kind": "Database"}}),
                conditions(&[("Established", "True", ""), ("Offered", "True", "")]),
                "Healthy",
            ),
        ],
    );
    states("apiextensions.crossplane.io/v1", "Composition", [("a template", json!(null), "none")]);
    states(
        "rds.aws.upbound.io/v1beta1",
        "Instance",
        [
            (
                "there",
                conditions(&[("Ready", "True", "Available"), ("Synced", "True", "ReconcileSuccess")]),
                "Healthy: because",
            ),
            (
                "paused",
                conditions(&[("Ready", "True", "Available"), ("Synced", "False", "ReconcilePaused")]),
                "Suspended: Synced is False (ReconcilePaused): because",
            ),
            (
                "not changed",
                conditions(&[("Ready", "True", "Available"), ("Synced", "False", "ReconcileError")]),
                "Degraded: Synced is False (ReconcileError): because",
            ),
            (
                "not created",
                conditions(&[("Ready", "False", "Creating"), ("LastAsyncOperation", "False", "AsyncCreateFailure")]),
                "Degraded: LastAsyncOperation is False (AsyncCreateFailure): because",
            ),
            (
                "being created",
                conditions(&[("Ready", "False", "Creating"), ("Synced", "True", "ReconcileSuccess")]),
                "Progressing: Ready is False (Creating): because",
            ),
        ],
    );
    states("rds.aws.upbound.io/v1beta1", "ProviderConfig", [("users alone", json!({"users": 3}), "none")]);
}

#[test]
fn keda() {
    for kind in ["ScaledObject", "ScaledJob"] {
        states(
            "keda.sh/v1alpha1",
            kind,
            [
                (
                    "ready, and nothing to do",
                    conditions(&[("Ready", "True", ""), ("Active", "False", "")]),
                    "Healthy: because",
                ),
                (
                    "paused",
                    conditions(&[("Ready", "True", ""), ("Paused", "True", "ScaledObjectPaused")]),
                    "Suspended: Paused is True (ScaledObjectPaused): because",
                ),
                (
                    "without its target",
                    conditions(&[("Ready", "False", "ScaledObjectCheckFailed")]),
                    "Degraded: Ready is False (ScaledObjectCheckFailed): because",
                ),
                (
                    "some triggers do not work",
                    conditions(&[("Ready", "Unknown", "PartialTriggerError")]),
                    "Degraded: Ready is Unknown (PartialTriggerError): because",
                ),
                (
                    "falling back",
                    conditions(&[("Ready", "True", ""), ("Fallback", "True", "FallbackExists")]),
                    "Degraded: Fallback is True (FallbackExists): because",
                ),
                ("not known", conditions(&[("Ready", "Unknown", "")]), "Progressing: Ready is Unknown: because"),
            ],
        );
    }
    states("keda.sh/v1alpha1", "TriggerAuthentication", [("users alone", json!({"scaledobjects": "web"}), "none")]);
}

#[test]
fn strimzi() {
    let state = |kind: &str| conditions(&[(kind, "True", "")]);
    for kind in ["Kafka", "KafkaTopic", "KafkaUser", "KafkaConnect", "KafkaBridge", "KafkaMirrorMaker2"] {
        states(
            "kafka.strimzi.io/v1",
            kind,
            [
                ("ready", state("Ready"), "Healthy: because"),
                (
                    "ready, with a warning",
                    conditions(&[("Warning", "True", ""), ("Ready", "True", "")]),
                    "Healthy: because",
                ),
                ("not ready", state("NotReady"), "Degraded: NotReady is True: because"),
                ("paused", state("ReconciliationPaused"), "Suspended: ReconciliationPaused is True: because"),
                (
                    "of an older generation",
                    with(state("Ready"), &json!({"observedGeneration": 1})),
                    "Progressing: the controller has seen generation 1 of 2",
                ),
            ],
        );
    }
    states(
        "kafka.strimzi.io/v1",
        "KafkaRebalance",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this KafkaRebalance"),
            ("asking", state("PendingProposal"), "Progressing: PendingProposal is True: because"),
            ("moving", state("Rebalancing"), "Progressing: Rebalancing is True: because"),
            ("stopped", state("Stopped"), "Suspended: Stopped is True: because"),
            ("done", state("Ready"), "Healthy"),
            ("failed", state("NotReady"), "Degraded: NotReady is True: because"),
        ],
    );
    let pods = |ready: u32| json!({"observedGeneration": 2, "pods": 3, "readyPods": ready, "currentPods": 3});
    states(
        "core.strimzi.io/v1",
        "StrimziPodSet",
        [
            ("all", pods(3), "Healthy"),
            ("some", pods(2), "Progressing: 2 of 3 pods are ready, 3 are current"),
            ("new", json!(null), "Progressing: Waiting for the status of this StrimziPodSet"),
        ],
    );
    states("kafka.strimzi.io/v1", "KafkaNodePool", [("its nodes alone", json!({"nodeIds": [0, 1]}), "none")]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn cloud_native_pg() {
    let cluster = |phase: &str| with(conditions(&[("Ready", "True", "ClusterIsReady")]), &json!({"phase": phase}));
    states(
        "postgresql.cnpg.io/v1",
        "Cluster",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this Cluster"),
            ("well", cluster("Cluster in healthy state"), "Healthy: Cluster in healthy state"),
            ("switching over", cluster("Switchover in progress"), "Progressing: Switchover in progress"),
            ("failing over", cluster("Failing over"), "Progressing: Failing over"),
            ("waiting for somebody", cluster("Waiting for user action"), "Suspended: Waiting for user action"),
            ("full", cluster("Not enough disk space"), "Degraded: Not enough disk space"),
            (
                "lost",
                cluster("Cluster is unrecoverable and needs manual intervention"),
                "Degraded: Cluster is unrecoverable and needs manual intervention",
            ),
            ("in a phase of a later release", cluster("Doing something new"), "Progressing: Doing something new"),
            (
                "without its last backup",
                with(
                    conditions(&[("Ready", "True", ""), ("LastBackupSucceeded", "False", "LastBackupFailed")]),
                    &json!({"phase": "Cluster in healthy state"}),
                ),
                "Degraded: LastBackupSucceeded is False (LastBackupFailed): because",
            ),
        ],
    );
    for (name, value) in [("cnpg.io/hibernation", "on"), ("cnpg.io/reconciliationLoop", "disabled")] {
        let mut asleep = object("postgresql.cnpg.io/v1", "Cluster", &json!({}), &cluster("Cluster in healthy state"));
        asleep.value_mut()["metadata"]["annotations"] = json!({name: value});
        assert_eq!(shown(health(&asleep)), format!("Suspended: the annotation `{name}` is `{value}`"));
    }
    states(
        "postgresql.cnpg.io/v1",
        "Backup",
        [
            ("new", json!(null), "Progressing"),
            ("running", json!({"phase": "running"}), "Progressing: running"),
            ("done", json!({"phase": "completed"}), "Healthy"),
            ("failed", json!({"phase": "failed", "error": "no space"}), "Degraded: no space"),
            ("without its archive", json!({"phase": "walArchivingFailing"}), "Degraded: walArchivingFailing"),
        ],
    );
    states(
        "postgresql.cnpg.io/v1",
        "Database",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this Database"),
            ("applied", json!({"observedGeneration": 2, "applied": true}), "Healthy"),
            (
                "refused",
                json!({"observedGeneration": 2, "applied": false, "message": "no such role"}),
                "Degraded: no such role",
            ),
            (
                "applied before",
                json!({"observedGeneration": 1, "applied": true}),
                "Progressing: the controller has seen generation 1 of 2",
            ),
        ],
    );
}

#[test]
fn secrets_from_elsewhere() {
    for kind in ["ExternalSecret", "SecretStore", "ClusterSecretStore", "PushSecret", "ClusterExternalSecret"] {
        states(
            "external-secrets.io/v1",
            kind,
            [
                ("ready", conditions(&[("Ready", "True", "")]), "Healthy: because"),
                ("not known", conditions(&[("Ready", "Unknown", "")]), "Progressing: Ready is Unknown: because"),
                (
                    "refused in a word of its own",
                    conditions(&[("Ready", "False", "Errored")]),
                    "Degraded: Ready is False (Errored): because",
                ),
            ],
        );
    }
    states(
        "external-secrets.io/v1",
        "ClusterExternalSecret",
        [(
            "not everywhere",
            with(
                conditions(&[("Ready", "True", "")]),
                &json!({"failedNamespaces": [{"namespace": "shop", "reason": "it is not ours"}]}),
            ),
            "Degraded: failed in namespace shop: it is not ours",
        )],
    );
    states(
        "bitnami.com/v1alpha1",
        "SealedSecret",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this SealedSecret"),
            ("unsealed", conditions(&[("Synced", "True", "")]), "Healthy: because"),
            ("not unsealed", conditions(&[("Synced", "False", "")]), "Degraded: Synced is False: because"),
            (
                "unsealed before",
                with(conditions(&[("Synced", "True", "")]), &json!({"observedGeneration": 1})),
                "Progressing: Waiting for the status of this SealedSecret",
            ),
        ],
    );
}

#[test]
fn knative() {
    for (api_version, kind) in [
        ("serving.knative.dev/v1", "Service"),
        ("eventing.knative.dev/v1", "Broker"),
        ("messaging.knative.dev/v1", "Subscription"),
        ("sources.knative.dev/v1", "PingSource"),
    ] {
        states(
            api_version,
            kind,
            [
                ("new", json!(null), "none"),
                ("ready", conditions(&[("Ready", "True", "")]), "Healthy: because"),
                ("under way", conditions(&[("Ready", "Unknown", "")]), "Progressing: Ready is Unknown: because"),
                (
                    "failed in a word of its own",
                    conditions(&[("Ready", "False", "RevisionMissing")]),
                    "Degraded: Ready is False (RevisionMissing): because",
                ),
                (
                    "ready before",
                    with(conditions(&[("Ready", "True", "")]), &json!({"observedGeneration": 1})),
                    "Progressing: the controller has not seen this generation",
                ),
            ],
        );
    }
    states(
        "operator.knative.dev/v1beta1",
        "KnativeServing",
        [(
            "being installed",
            conditions(&[("Ready", "False", "NotReady"), ("DeploymentsAvailable", "False", "NotReady")]),
            "Progressing: Ready is False (NotReady): because",
        )],
    );
}

#[test]
fn istio() {
    states(
        "networking.istio.io/v1",
        "VirtualService",
        [
            ("without a status", json!(null), "none"),
            ("everywhere", conditions(&[("Reconciled", "True", "")]), "Healthy: because"),
            (
                "with a warning",
                with(conditions(&[("Reconciled", "True", "")]), &json!({"validationMessages": [{"level": "WARNING"}]})),
                "Healthy: because",
            ),
            (
                "with an error, as releases before 1.9 write it",
                json!({"validationMessages": [{"code": "IST0101", "level": "Error", "message": "Referenced gateway not found"}]}),
                "Degraded: IST0101 Referenced gateway not found",
            ),
            (
                "of an older generation",
                with(conditions(&[("Reconciled", "True", "")]), &json!({"observedGeneration": "1"})),
                "Progressing: the controller has seen generation 1 of 2",
            ),
        ],
    );
    states(
        "install.istio.io/v1alpha1",
        "IstioOperator",
        [
            ("new", json!(null), "Progressing"),
            ("well", json!({"status": "HEALTHY"}), "Healthy"),
            ("under way", json!({"status": "RECONCILING"}), "Progressing"),
            ("an error", json!({"status": "ERROR", "message": "no"}), "Degraded: no"),
            ("waiting for somebody", json!({"status": "ACTION_REQUIRED"}), "Degraded"),
        ],
    );
}

#[test]
fn cluster_api() {
    let phase = |phase: &str| with(conditions(&[("Ready", "True", "")]), &json!({"phase": phase}));
    let api_version = "cluster.x-k8s.io/v1beta1";
    states(
        api_version,
        "Cluster",
        [
            ("up", phase("Provisioned"), "Healthy"),
            ("being provisioned, though ready", phase("Provisioning"), "Progressing: phase Provisioning"),
            ("failed", phase("Failed"), "Degraded: phase Failed"),
            (
                "up, and not ready",
                with(conditions(&[("Ready", "False", "X")]), &json!({"phase": "Provisioned"})),
                "Progressing: Ready is False (X): because",
            ),
            (
                "up, with a failure",
                with(phase("Provisioned"), &json!({"failureMessage": "no quota"})),
                "Degraded: no quota",
            ),
            (
                "rolling out",
                with(
                    conditions(&[("Available", "True", ""), ("RollingOut", "True", "RollingOut")]),
                    &json!({"phase": "Provisioned"}),
                ),
                "Progressing: RollingOut is True (RollingOut): because",
            ),
        ],
    );
    states(
        api_version,
        "Machine",
        [
            ("without a node", phase("Provisioned"), "Progressing: phase Provisioned"),
            ("up", phase("Running"), "Healthy"),
        ],
    );
    states(
        api_version,
        "MachineDeployment",
        [("up", phase("Running"), "Healthy"), ("growing", phase("ScalingUp"), "Progressing: phase ScalingUp")],
    );
    let mut paused = object(api_version, "Machine", &json!({}), &phase("Running"));
    paused.value_mut()["metadata"]["annotations"] = json!({"cluster.x-k8s.io/paused": ""});
    assert_eq!(shown(health(&paused)), "Suspended: the annotation `cluster.x-k8s.io/paused` is set");
    states(
        "addons.cluster.x-k8s.io/v1beta1",
        "ClusterResourceSet",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this ClusterResourceSet"),
            ("applied", conditions(&[("ResourcesApplied", "True", "")]), "Healthy: because"),
        ],
    );
    states(
        "infrastructure.cluster.x-k8s.io/v1beta1",
        "AWSCluster",
        [("ready", with(conditions(&[("Ready", "True", "")]), &json!({"ready": true})), "Healthy: because")],
    );
}

#[test]
fn gateway_api() {
    let ancestors = |generations: &[u32]| {
        let ancestor = |generation: &u32| json!({"ancestorRef": {"name": "edge"}, "conditions": [{"type": "Accepted", "status": "True", "observedGeneration": generation}]});
        json!({"ancestors": generations.iter().map(ancestor).collect::<Vec<_>>()})
    };
    states(
        "gateway.networking.k8s.io/v1",
        "BackendTLSPolicy",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this BackendTLSPolicy"),
            ("accepted by all", ancestors(&[2, 2]), "Healthy"),
            (
                "accepted by one, as it was",
                ancestors(&[2, 1]),
                "Progressing: Waiting for the status of this BackendTLSPolicy",
            ),
        ],
    );
    let listener = |status: &str| {
        json!({"conditions": [{"type": "Accepted", "status": "True"}],
               "listeners": [{"name": "https", "conditions": [{"type": "ResolvedRefs", "status": status, "message": "no such Secret"}]}]})
    };
    states(
        "gateway.networking.k8s.io/v1",
        "ListenerSet",
        [
            ("accepted", listener("True"), "Healthy"),
            ("without its certificate", listener("False"), "Degraded: https: no such Secret"),
        ],
    );
    states("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", [("without a status", json!(null), "none")]);
}

#[test]
fn kyverno() {
    for kind in ["ClusterPolicy", "Policy"] {
        states(
            "kyverno.io/v1",
            kind,
            [
                ("ready", conditions(&[("Ready", "True", "Succeeded")]), "Healthy: because"),
                (
                    "not ready",
                    conditions(&[("Ready", "False", "WebhookMissing")]),
                    "Degraded: Ready is False (WebhookMissing): because",
                ),
                ("ready, as releases before 1.10 write it", json!({"ready": true}), "Healthy"),
            ],
        );
    }
    let status = |ready: bool, truth: &str| json!({"conditionStatus": {"ready": ready, "conditions": [{"type": "PolicyCached", "status": truth, "reason": "Failed", "message": "because"}]}});
    for kind in ["ValidatingPolicy", "MutatingPolicy", "GeneratingPolicy", "ImageValidatingPolicy", "DeletingPolicy"] {
        states(
            "policies.kyverno.io/v1",
            kind,
            [
                ("ready", status(true, "True"), "Healthy"),
                ("not cached", status(false, "False"), "Degraded: PolicyCached is False (Failed): because"),
            ],
        );
    }
    states(
        "kyverno.io/v2",
        "UpdateRequest",
        [
            ("new", json!(null), "Progressing"),
            ("done", json!({"state": "Completed"}), "Healthy"),
            ("failed", json!({"state": "Failed", "message": "no right"}), "Degraded: no right"),
        ],
    );
    states("wgpolicyk8s.io/v1alpha2", "PolicyReport", [("a report", json!(null), "none")]);
}

#[test]
fn elastic_cloud_on_kubernetes() {
    let status = |health: &str, phase: &str, nodes: u32| json!({"observedGeneration": 2, "health": health, "phase": phase, "availableNodes": nodes});
    let nodes = || json!({"nodeSets": [{"name": "a", "count": 2}, {"name": "b", "count": 1}]});
    check(
        "elasticsearch.k8s.elastic.co/v1",
        "Elasticsearch",
        [
            ("new", nodes(), json!(null), "Progressing: Waiting for the status of this Elasticsearch"),
            ("green", nodes(), status("green", "Ready", 3), "Healthy"),
            (
                "green, and one node is not there",
                nodes(),
                status("green", "Ready", 2),
                "Progressing: 2 of 3 nodes are available",
            ),
            (
                "yellow",
                nodes(),
                status("yellow", "Ready", 3),
                "Progressing: `status.health` is yellow, `status.phase` is Ready",
            ),
            (
                "moving data",
                nodes(),
                status("green", "MigratingData", 3),
                "Progressing: `status.health` is green, `status.phase` is MigratingData",
            ),
            ("red", nodes(), status("red", "Ready", 3), "Degraded: `status.health` is red"),
            ("invalid", nodes(), status("unknown", "Invalid", 0), "Degraded: `status.phase` is Invalid"),
        ],
    );
    states(
        "kibana.k8s.elastic.co/v1",
        "Kibana",
        [("green", json!({"observedGeneration": 2, "health": "green", "availableNodes": 1}), "Healthy")],
    );
}

#[test]
fn numaflow_and_gitops_promoter() {
    let running =
        || with(conditions(&[("Deployed", "True", ""), ("PodsHealthy", "True", "")]), &json!({"phase": "Running"}));
    let mut pipeline = object("numaflow.numaproj.io/v1alpha1", "Pipeline", &json!({}), &running());
    assert_eq!(shown(health(&pipeline)), "Healthy: because");
    pipeline.value_mut()["metadata"]["labels"] = json!({"numaplane.numaproj.io/progressive-result-state": "failed"});
    assert_eq!(
        shown(health(&pipeline)),
        "Degraded: the label `numaplane.numaproj.io/progressive-result-state` is `failed`"
    );
    let environment = |active: &str, proposed: &str, check: &str| {
        json!({"branch": "prod", "active": {"dry": {"sha": active}, "commitStatuses": [{"key": "health", "phase": check}]},
               "proposed": {"dry": {"sha": proposed}}})
    };
    let strategy =
        |environments: Value| with(conditions(&[("Ready", "True", "")]), &json!({"environments": environments}));
    states(
        "promoter.argoproj.io/v1alpha1",
        "PromotionStrategy",
        [
            ("new", json!(null), "Progressing: Waiting for the status of this PromotionStrategy"),
            ("promoted", strategy(json!([environment("a", "a", "success")])), "Healthy: because"),
            (
                "not promoted",
                strategy(json!([environment("a", "a", "success"), environment("a", "b", "success")])),
                "Progressing: the proposed commit is not promoted yet prod",
            ),
            (
                "promoted, and not well",
                strategy(json!([environment("a", "a", "failure")])),
                "Degraded: the check health of the active commit is failure prod",
            ),
            ("not able", conditions(&[("Ready", "False", "X")]), "Degraded: Ready is False (X): because"),
        ],
    );
    states(
        "promoter.argoproj.io/v1alpha1",
        "CommitStatus",
        [(
            "of a commit that failed",
            with(conditions(&[("Ready", "True", "")]), &json!({"phase": "failure"})),
            "Healthy: because",
        )],
    );
}
