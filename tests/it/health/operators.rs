//! What operators write into the status of their resources, state by state as their documentation has it.

use crate::harness::trueup;

const DUMPS: &str = include_str!("operators.yaml");

/// Somebody asks about a whole cluster at once: what works is healthy, and what does not is named with its reason.
#[test]
fn documented_states_of_operators_are_judged() {
    insta::assert_snapshot!(trueup(["health", "-f", "-"]).stdin(DUMPS).exits(3), @r#"
    20 degraded, 7 progressing, 3 suspended, 15 healthy
      Healthy      argoproj.io/Rollout shop/canary-is-done
      Suspended    argoproj.io/Rollout shop/canary-waits-for-somebody  CanaryPauseStep
      Degraded     argoproj.io/Rollout shop/canary-was-aborted  RolloutAborted: metric "success-rate" assessed Failed due to failed (2) > failureLimit (1)
      Progressing  argoproj.io/AnalysisRun shop/success-rate
      Degraded     argoproj.io/CronWorkflow shop/cannot-be-submitted  SubmissionError is True: Failed to submit Workflow: workflowtemplates.argoproj.io "nightly" not found
      Healthy      argoproj.io/ApplicationSet argocd/generates  ApplicationSet up to date
      Healthy      cert-manager.io/Certificate shop/issued  Certificate is up to date and has not expired
      Progressing  cert-manager.io/Certificate shop/being-issued  Issuing is True (DoesNotExist): Issuing certificate as Secret does not exist
      Degraded     cert-manager.io/Certificate shop/renewal-failed  Issuing is False (Failed): The certificate request has failed to complete and will be retried: Failed to wait for order resource "tls-1" to become ready: order is in "invalid" state
      Degraded     acme.cert-manager.io/Order shop/tls-1  Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited
      Healthy      kustomize.toolkit.fluxcd.io/Kustomization flux-system/applied  Applied revision: main@sha1:b2ba8f5
      Degraded     kustomize.toolkit.fluxcd.io/Kustomization flux-system/fails-and-is-tried-again  Ready is False (BuildFailed): kustomize build failed: accumulating resources
      Degraded     helm.toolkit.fluxcd.io/HelmRelease shop/was-rolled-back  Stalled is True (RetriesExceeded): Failed to upgrade after 1 attempt(s)
      Healthy      helm.toolkit.fluxcd.io/HelmRelease shop/upgraded-after-a-failure  Helm upgrade succeeded for release shop/podinfo.v8
      Suspended    source.toolkit.fluxcd.io/GitRepository flux-system/suspended  `spec.suspend` is set
      Healthy      pkg.crossplane.io/Provider is-installed
      Degraded     pkg.crossplane.io/Provider next-cannot-be-unpacked  Installed is False (UnpackingPackage): cannot unpack package: failed to fetch package digest from remote
      Degraded     s3.aws.upbound.io/Bucket exists-and-cannot-be-changed  Synced is False (ReconcileError): update failed: AccessDenied
      Progressing  database.example.crossplane.io/XDatabase is-created  Ready is False (Creating): Unready resources: instance
      Healthy      keda.sh/ScaledObject shop/scales-to-zero  ScaledObject is defined correctly and is ready for scaling
      Degraded     keda.sh/ScaledObject shop/has-lost-its-metrics  Fallback is True (FallbackExists): At least one trigger is falling back on this scaled object
      Healthy      kafka.strimzi.io/Kafka shop/is-up
      Progressing  kafka.strimzi.io/Kafka shop/is-created  NotReady is True (Creating): Kafka cluster is being deployed
      Degraded     kafka.strimzi.io/KafkaConnector shop/has-a-failed-task  NotReady is True (Throwable): The following tasks have failed: 0, see connectorStatus for more details.
      Suspended    kafka.strimzi.io/KafkaRebalance shop/waits-for-approval  ProposalReady is True
      Healthy      postgresql.cnpg.io/Cluster shop/is-up  Cluster in healthy state
      Degraded     postgresql.cnpg.io/Cluster shop/cannot-archive  ContinuousArchiving is False (ContinuousArchivingFailing): unexpected failure invoking barman-cloud-wal-archive: exit status 2
      Progressing  postgresql.cnpg.io/Cluster shop/gets-a-replica  Creating a new replica: Creating replica gets-a-replica-2; Ready is False (ClusterIsNotReady): Cluster Is Not Ready
      Degraded     postgresql.cnpg.io/Backup shop/failed  can't get cluster: not found
      Healthy      external-secrets.io/ExternalSecret shop/is-synced  secret synced
      Degraded     external-secrets.io/ExternalSecret shop/is-not-in-the-vault  Ready is False (SecretSyncedError): could not get secret data from provider
      Degraded     external-secrets.io/ClusterSecretStore vault  Ready is False (InvalidProviderConfig): unable to log in with Kubernetes auth
      Healthy      bitnami.com/SealedSecret shop/is-unsealed
      Degraded     bitnami.com/SealedSecret shop/is-of-another-cluster  Synced is False: no key could decrypt secret (password)
      Healthy      serving.knative.dev/Service shop/sleeps
      Healthy      serving.knative.dev/Revision shop/sleeps-00001
      Degraded     serving.knative.dev/Service shop/has-no-image  Ready is False (RevisionFailed): Revision "has-no-image-00001" failed with message: Unable to fetch image.
      Degraded     networking.istio.io/VirtualService shop/names-no-gateway  IST0101 ReferencedResourceNotFound
      Progressing  networking.istio.io/DestinationRule shop/is-on-its-way  Reconciled is False (stillPropagating): 61/122 complete
      Healthy      cluster.x-k8s.io/Cluster fleet/is-up
      Progressing  cluster.x-k8s.io/Machine fleet/has-no-node  phase Provisioned
      Degraded     cluster.x-k8s.io/Machine fleet/was-terminated  EC2 instance state "terminated" is unexpected
      Degraded     gateway.networking.k8s.io/BackendTLSPolicy shop/names-no-certificate  edge: ConfigMap shop/ca not found
      Healthy      kyverno.io/ClusterPolicy require-labels  Ready
      Degraded     policies.kyverno.io/ValidatingPolicy cannot-list-pods  RBACPermissionsGranted is False (Failed): Policy is not ready for reporting, missing permissions: /v1/pods
    [exit 3]
    "#);
}

/// A script for a kind decides alone, also where there is a rule for its project.
#[test]
fn a_team_s_script_comes_before_the_rule_of_a_project() {
    let folder = crate::harness::folder_with([(
        "argoproj.io/Rollout/health.lua",
        &"return {status = 'Healthy', message = 'as we like it'}\n",
    )]);
    let run = trueup(["health", "-f", "-", "--customizations", "."]).in_folder(folder.path()).stdin(DUMPS).exits(3);
    assert!(
        run.stdout.contains("Healthy      argoproj.io/Rollout shop/canary-was-aborted  as we like it"),
        "{}",
        run.transcript()
    );
}
