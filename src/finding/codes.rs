//! The codes of errors and warnings: their meaning, the advice, and the exit class.
//!
//! Rules: docs/errors.md, which has a row for each; README.md, "Exit codes".

use std::fmt;

/// The exit class of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ExitClass {
    /// No complete answer.
    #[default]
    Error,
    /// Something is unhealthy, or a wait timed out.
    Unhealthy,
    /// The account lacks a permission, or a policy forbids it.
    Forbidden,
    /// Another run holds the lock.
    Locked,
}

/// Declares the codes: variant, text, exit class, meaning, advice.
macro_rules! codes {
    ($($variant:ident = $text:literal, $exit:ident, $meaning:literal, $advice:literal;)+) => {
        /// The code of an error or a warning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl Code {
            /// Every code, in the order of docs/errors.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as reports have it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The exit class of an error with this code.
            pub fn exit_class(self) -> ExitClass {
                match self { $(Self::$variant => ExitClass::$exit),+ }
            }

            /// Its meaning, as docs/errors.md has it.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }

            /// The advice of docs/errors.md; a message may have one that knows more.
            pub fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice),+ }
            }
        }
    };
}

codes! {
    AppAbsolutePath = "trueup::app::absolute_path", Error, "a source's `path` begins with `/`", "write it relative to the repository's root";
    AppChartWithOtherTool = "trueup::app::chart_with_other_tool", Error, "a source asks for a Helm chart and for another tool to render it", "remove the tool, or give a `path` in place of `chart`";
    AppDestination = "trueup::app::destination", Error, "the destination has both `name` and `server`, or neither", "keep one; `https://kubernetes.default.svc` is the cluster that Argo CD runs in";
    AppDuration = "trueup::app::duration", Error, "a value that is not a duration", "write it as `5s`, `3m` or `1h30m`; a bare number means seconds";
    AppEncoding = "trueup::app::encoding", Error, "a file that is not text", "save it as UTF-8";
    AppGeneratedName = "trueup::app::generated_name", Error, "an ApplicationSet generates a name that Kubernetes does not take", "use `normalize`, or another parameter";
    AppGeneratedTemplate = "trueup::app::generated_template", Error, "the template of an ApplicationSet cannot be rendered with a set of parameters", "correct the field at the line and column that are named; no Application of the ApplicationSet is generated";
    AppGenerator = "trueup::app::generator", Error, "a generator of an ApplicationSet has no parameters", "the message says why; no Application of the ApplicationSet is generated";
    AppGlob = "trueup::app::glob", Error, "a value of `--app` that is not a glob", "write `*` for any text, `?` for one letter, `{a,b}` for a choice";
    AppHelmVersion = "trueup::app::helm_version", Error, "`helm.version` is not a version that Argo CD knows", "remove it: the same Helm runs whatever it says";
    AppHydratedRoot = "trueup::app::hydrated_root", Error, "`sourceHydrator` would write to the repository's root", "name a folder below it";
    AppIgnoreFile = "trueup::app::ignore_file", Error, "a fault in a `trueup.yaml`, so none of its rules is used (warning)", "correct it; until then the fields are compared";
    AppIgnoredSource = "trueup::app::ignored_source", Error, "a source that is ignored because of another one beside it (warning)", "remove one of the two";
    AppIgnoresNothing = "trueup::app::ignores_nothing", Error, "an entry of `ignoreDifferences` that names no field (warning)", "add `jsonPointers`, `jqPathExpressions` or `managedFieldsManagers`";
    AppLonelyReference = "trueup::app::lonely_reference", Error, "`ref` in a single source (warning)", "move the source into `spec.sources`";
    AppMissingField = "trueup::app::missing_field", Error, "a required field is missing", "add it";
    AppMisspeltKind = "trueup::app::misspelt_kind", Error, "looks like an Application, but is not one (warning)", "correct `apiVersion` and `kind`; it is skipped";
    AppName = "trueup::app::name", Error, "an invalid name", "use lower case letters, digits, `-` and `.`, with a letter or digit at both ends";
    AppNamespace = "trueup::app::namespace", Error, "an invalid namespace", "use lower case letters, digits and `-`, with a letter or digit at both ends";
    AppNoApplication = "trueup::app::no_application", Error, "no Application was found", "give a manifest of `kind: Application` and `apiVersion: argoproj.io/v1alpha1`, or a folder that has some";
    AppNoChartVersion = "trueup::app::no_chart_version", Error, "a Helm chart, or a source in a registry, without `targetRevision`", "add the version or tag, or a range such as `1.*`";
    AppNoClusters = "trueup::app::no_clusters", Error, "a `clusters` generator, but the clusters are not known", "give Argo CD's cluster Secrets with `--clusters`";
    AppNoConfigMaps = "trueup::app::no_config_maps", Error, "a generator reads a ConfigMap of Argo CD, and those are not known", "give its manifest with `--clusters PATH`";
    AppNoPath = "trueup::app::no_path", Error, "a source has none of `path`, `chart` and `ref`", "for the root of a repository, write `path: .`";
    AppNoProject = "trueup::app::no_project", Error, "`spec.project` is not given (warning)", "add it; as it stands, the project is `default`";
    AppNoRepoUrl = "trueup::app::no_repo_url", Error, "a source has no `repoURL`", "add the URL of the repository";
    AppNoSource = "trueup::app::no_source", Error, "`spec` has no source", "add `source`, `sources` or `sourceHydrator`";
    AppNothingSelected = "trueup::app::nothing_selected", Error, "`--app`, `--selector` or `--project` match nothing", "correct the flag that is named, or remove it";
    AppOverride = "trueup::app::override", Error, "a file `.argocd-source*.yaml` cannot be used", "write a map of a source's fields, such as `helm:`";
    AppOverrideFixed = "trueup::app::override_fixed", Error, "a field that `.argocd-source*.yaml` cannot override (warning)", "remove it from the file";
    AppPatched = "trueup::app::patched", Error, "Applications that Kustomize patches in a walked folder (warning)", "build them, as with `kubectl kustomize`, and give the output";
    AppPartial = "trueup::app::partial", Error, "Applications in a walked folder that are complete only as Kustomize builds them (warning)", "build them, as with `kubectl kustomize`, and give the output";
    AppPathBesideChart = "trueup::app::path_beside_chart", Error, "`path` beside `chart`, so `path` is ignored (warning)", "remove one of the two";
    AppPointer = "trueup::app::pointer", Error, "a JSON pointer that does not begin with `/` (warning)", "correct it; as it stands, the field is compared";
    AppProjectUnchecked = "trueup::app::project_unchecked", Error, "an Application of another project than `default`, and no AppProject was given (warning)", "add the AppProjects to PATH";
    AppRange = "trueup::app::range", Error, "a number that is out of range", "the message says the range";
    AppReference = "trueup::app::reference", Error, "a `ref` with characters other than letters, digits, `-` and `_`", "choose another name, here and in each `$name/…`";
    AppRepeatedApplication = "trueup::app::repeated_application", Error, "several Applications of one name", "rename or remove all but one; build them if Kustomize renames them";
    AppRepeatedField = "trueup::app::repeated_field", Error, "a field that is given twice (warning)", "remove the one that does not count: the last one counts";
    AppRepeatedGeneratedName = "trueup::app::repeated_generated_name", Error, "an ApplicationSet generates several Applications of one name", "use parameters in `metadata.name` that differ between them";
    AppRepeatedReference = "trueup::app::repeated_reference", Error, "two sources of one `ref`", "give each a `ref` of its own";
    AppSelector = "trueup::app::selector", Error, "an invalid label selector", "write it as for `kubectl get -l`";
    AppSeveralTools = "trueup::app::several_tools", Error, "a source asks for several tools", "keep one of `helm`, `kustomize`, `directory` and `plugin`";
    AppSyncOption = "trueup::app::sync_option", Error, "an unknown sync option (warning)", "correct it; as it stands, it has no effect";
    AppTemplate = "trueup::app::template", Error, "a template, not a manifest; in a walked folder, a chart whose templates make Applications (warning)", "render it, as with `helm template`, and give the output";
    AppTemplateOptions = "trueup::app::template_options", Error, "`goTemplateOptions` holds an option that Go does not have", "write `missingkey=error`, `default` or `zero`";
    AppUnknownAnnotation = "trueup::app::unknown_annotation", Error, "an annotation that Argo CD does not read (warning)", "correct its name; as it stands, it has no effect";
    AppUnknownField = "trueup::app::unknown_field", Error, "a field that an Application does not have (warning)", "correct its name; the message has the nearest";
    AppUnknownFinalizer = "trueup::app::unknown_finalizer", Error, "a finalizer that Argo CD never removes (warning)", "remove it, else the Application can never be deleted";
    AppUnknownValue = "trueup::app::unknown_value", Error, "a value that a field cannot have", "the message says which values there are";
    AppUnreadText = "trueup::app::unread_text", Error, "text after the end of a document (warning)", "begin a new document with `---`, or remove it";
    AppUnsupportedGenerator = "trueup::app::unsupported_generator", Error, "a generator of an ApplicationSet that asks a forge that is not supported", "give the answer with `--generator-fixture FILE`";
    AppValuesBesideObject = "trueup::app::values_beside_object", Error, "`values` beside `valuesObject`, so `values` is ignored (warning)", "remove one of the two";
    AppVersion = "trueup::app::version", Error, "an Application of a version that Argo CD does not know", "write `apiVersion: argoproj.io/v1alpha1`";
    AppWrongType = "trueup::app::wrong_type", Error, "a field of a wrong type", "the message says which type it is";
    AppYaml = "trueup::app::yaml", Error, "a file that is not valid YAML", "correct the line that is named";
    ProjectDescriptor = "trueup::project::descriptor", Error, "the schedule of a sync window is a descriptor, which Argo CD refuses (warning)", "write the five fields, as in `0 0 * * *` for `@daily`";
    ProjectForeign = "trueup::project::foreign", Error, "an object that git no longer has is left alone, because the project does not permit it (warning)", "delete it yourself, or let the project permit its kind and namespace";
    ProjectIntegrity = "trueup::project::integrity", Error, "an unknown mode of a policy of `sourceIntegrity`", "write `none`, `head` or `strict`";
    ProjectMissing = "trueup::project::missing", Error, "an Application's project has no AppProject, and other projects have one", "add its AppProject to PATH";
    ProjectNotChecked = "trueup::project::not_checked", Error, "a field of a project that this version does not check (warning)", "check it yourself; applications are synced as if it were not there";
    ProjectPattern = "trueup::project::pattern", Error, "an invalid pattern in a project", "write `*` for any text, `?` for one letter, `[a-z]` for one of several, `{a,b}` for a choice";
    ProjectRepeated = "trueup::project::repeated", Error, "several AppProjects of one name", "keep one of them";
    ProjectRepeatedEntry = "trueup::project::repeated_entry", Error, "an entry that a list of a project has twice (warning)", "remove one of them";
    ProjectSchedule = "trueup::project::schedule", Error, "an invalid schedule of a sync window", "write five fields: minute, hour, day of month, month, day of week";
    ProjectTimeZone = "trueup::project::time_zone", Error, "an unknown time zone of a sync window", "write a name of the IANA database, such as `Europe/Berlin`";
    ProjectUnusable = "trueup::project::unusable", Error, "the AppProject of an Application is invalid, or defined several times", "correct the manifest that is named";
    ProjectViolation = "trueup::project::violation", Forbidden, "the project does not permit a source, the destination or an object (a warning unless something is synced)", "the message has the rule and its line; change the project or the Application";
    ProjectWindow = "trueup::project::window", Error, "a sync window that says neither `allow` nor `deny`, or names no application, namespace or cluster", "correct the line that is named";
    YamlSyntax = "trueup::yaml::syntax", Error, "a document that kubectl would also refuse", "correct the line that is named";
    SourceAccess = "trueup::source::access", Error, "the server refuses access", "give credentials that can read the repository; the message lists the kinds that are accepted";
    SourceArchive = "trueup::source::archive", Error, "a chart's archive is not at the URL of its index, cannot be unpacked, or contains what a chart must not contain", "nothing of it is used; ask its publisher";
    SourceArtifact = "trueup::source::artifact", Error, "an artifact of a registry that is not a kind that can be rendered", "push charts with `helm push`, manifests as one tar layer";
    SourceCache = "trueup::source::cache", Error, "the cache cannot be written", "make room, or name another folder with `--cache-dir`";
    SourceCacheRepaired = "trueup::source::cache_repaired", Error, "the cache was damaged and was fetched again (warning)", "nothing; if it happens again, check the disk";
    SourceCancelled = "trueup::source::cancelled", Error, "the run was stopped while fetching", "run the command again";
    SourceChart = "trueup::source::chart", Error, "chart not found in a Helm repository", "correct `chart`; the message has the nearest names";
    SourceChartVersion = "trueup::source::chart_version", Error, "chart version not found", "correct `targetRevision`; the message has the available versions";
    SourceClash = "trueup::source::clash", Error, "a branch and a tag with the same name (warning)", "write `refs/heads/…` or `refs/tags/…`";
    SourceClearText = "trueup::source::clear_text", Error, "credentials travel in clear text (warning)", "use https";
    SourceConstraint = "trueup::source::constraint", Error, "no tag satisfies the range", "the message has the highest tags; `--revision` tries another";
    SourceDamaged = "trueup::source::damaged", Error, "a repository has damaged objects, also after a fresh fetch", "run `git fsck` on the server";
    SourceDigest = "trueup::source::digest", Error, "the downloaded content does not match its digest", "nothing of it is used; it was changed after it was published, or in transit";
    SourceFetch = "trueup::source::fetch", Error, "a repository could not be fetched", "the message has the server's answer, and a workaround";
    SourceGithubApp = "trueup::source::github_app", Error, "a GitHub App gets no token", "the message has the Secret, GitHub's answer, and what to do";
    SourceIndex = "trueup::source::index", Error, "the index of a Helm repository cannot be read", "it has an `index.yaml`, as `helm repo index` writes it";
    SourceLinkLeaves = "trueup::source::link_leaves", Error, "a link that points outside its repository, below a path that is read", "make it relative and keep it inside; Argo CD refuses the whole repository for one such link";
    SourceLocal = "trueup::source::local", Error, "a local repository cannot be read", "check that it is a git repository and that you can read it";
    SourceNetwork = "trueup::source::network", Error, "a server cannot be reached", "check the host's name and the network; `--repo URL=PATH` uses a checkout, or a folder with the chart, instead";
    SourceNoCommit = "trueup::source::no_commit", Error, "a hash of something that has no files", "ask for a branch, a tag or a commit";
    SourceNotAFile = "trueup::source::not_a_file", Error, "a folder where a file belongs", "name a file in it";
    SourceNotAFolder = "trueup::source::not_a_folder", Error, "a file where a folder belongs", "name the folder that it is in";
    SourcePath = "trueup::source::path", Error, "path not found at this revision", "correct the source's `path`; the message has the nearest path, or the folders that exist";
    SourceOutside = "trueup::source::outside", Error, "a manifest names a local folder that it is not allowed to read", "allow it with `--allow-local DIR`, or omit `--untrusted` if the manifests are your own";
    SourcePathLeaves = "trueup::source::path_leaves", Error, "a path that points outside its repository", "a source's path is relative to the root of its repository";
    SourcePathUnreadable = "trueup::source::path_unreadable", Error, "a path cannot be read", "check the permissions of the checkout";
    SourcePlainFolder = "trueup::source::plain_folder", Error, "a folder outside of git is used as it is (warning)", "nothing, if that is intended; a checkout has a revision";
    SourceRepository = "trueup::source::repository", Error, "repository not found, or not visible", "check `repoURL`; a server can also hide a private repository from users without access";
    SourceRevision = "trueup::source::revision", Error, "branch, tag or commit not found", "correct `targetRevision`; the message has the nearest, or the available branches and tags";
    SourceServer = "trueup::source::server", Error, "a server answers with an error, several times", "try again later";
    SourceShortHash = "trueup::source::short_hash", Error, "a short hash that several commits begin with", "write more of it";
    SourceSubmodule = "trueup::source::submodule", Error, "a submodule could not be fetched", "correct what the message names, or skip submodules with `--no-submodules`";
    SourceSubmoduleRefused = "trueup::source::submodule_refused", Error, "a submodule that is not allowed to be fetched", "correct `.gitmodules`, or skip submodules with `--no-submodules`";
    SourceTagPrefix = "trueup::source::tag_prefix", Error, "`tagPrefix` beside a revision that is not a version", "remove `tagPrefix`, or ask for a range such as `1.x`";
    SourceTimeout = "trueup::source::timeout", Error, "a repository was not fetched in time", "give it more with `--fetch-timeout`";
    SourceTooLarge = "trueup::source::too_large", Error, "a server sends more than the limit", "check what the server sends";
    SourceUnsafeName = "trueup::source::unsafe_name", Error, "a file name that is not safe", "rename it: such names can overwrite a repository's own files";
    SourceUrl = "trueup::source::url", Error, "an invalid URL", "correct `repoURL`";
    SourceWorkingTree = "trueup::source::working_tree", Error, "a checkout that was named cannot be used", "name the root of a checkout";
    RenderExcluded = "trueup::render::excluded", Error, "an object of a kind that is never compared (warning)", "remove it from git: controllers write objects of this kind";
    RenderFault = "trueup::render::fault", Error, "rendering failed unexpectedly", "this is a fault in trueup: report it";
    RenderGlob = "trueup::render::glob", Error, "an invalid pattern, or one that matches too many files", "`*` matches any text, `?` one character, `{a,b}` either; start the pattern with a folder";
    RenderIncomplete = "trueup::render::incomplete", Error, "the manifests are incomplete: a manifest with a typo or without a name, a file that is broken, encrypted, a Git LFS pointer or a link to nothing, a cluster API that does not answer", "correct the file, or leave it out with `directory.exclude`; until then nothing that it may contain is pruned";
    RenderJsonnet = "trueup::render::jsonnet", Error, "a Jsonnet program fails", "run it alone with `jsonnet`";
    RenderJsonnetChild = "trueup::render::jsonnet_child", Error, "the process that evaluates Jsonnet failed", "run the command again";
    RenderJsonnetMemory = "trueup::render::jsonnet_memory", Error, "a Jsonnet program uses too much memory", "look for a list or a string that grows without end";
    RenderJsonnetOutput = "trueup::render::jsonnet_output", Error, "a Jsonnet program's output is too large", "look for a list or a string that grows without end";
    RenderJsonnetTime = "trueup::render::jsonnet_time", Error, "a Jsonnet program takes too long", "look for a loop, or give it more time with `--render-timeout`";
    RenderJsonnetValue = "trueup::render::jsonnet_value", Error, "a Jsonnet program does not return objects", "return an object, or a list of objects";
    RenderKsonnetComponent = "trueup::render::ksonnet_component", Error, "two ksonnet components have the same name", "rename one of them";
    RenderKsonnetEnvironment = "trueup::render::ksonnet_environment", Error, "ksonnet environment not found", "set `source.ksonnet.environment` to an existing one";
    RenderKsonnetFile = "trueup::render::ksonnet_file", Error, "a file of a ksonnet application is invalid", "correct it: `ks` would refuse it, too";
    RenderKsonnetLibrary = "trueup::render::ksonnet_library", Error, "a ksonnet application imports the library that `ks` generates, and git does not have it", "run `ks show` once and commit the folder that the message names";
    RenderKsonnetDocuments = "trueup::render::ksonnet_documents", Error, "a ksonnet component with more than the one document that is read (warning)", "give each a file of its own";
    RenderKsonnetMain = "trueup::render::ksonnet_main", Error, "a ksonnet environment that does not return a map", "its `main.jsonnet` adds to `import \"base.libsonnet\"`";
    RenderKubeVersion = "trueup::render::kube_version", Error, "`kubeVersion` is not a version", "write `1.34.2`, or remove it to use the cluster's version";
    RenderKustomization = "trueup::render::kustomization", Error, "a kustomization is missing, ambiguous or invalid", "Kustomize requires exactly one, and would refuse the file, too";
    RenderKustomizeFields = "trueup::render::kustomize_fields", Error, "fields of `kustomize` that contradict each other or name what does not exist", "the message says which";
    RenderKustomizeVersion = "trueup::render::kustomize_version", Error, "the source requires another version of Kustomize than the installed one", "select one with `--kustomize` or `TRUEUP_KUSTOMIZE`";
    RenderLeavesCheckout = "trueup::render::leaves_checkout", Error, "a file or an entry points outside its repository", "put it inside: nothing outside of the sources' repositories is read";
    RenderLibrary = "trueup::render::library", Error, "a Jsonnet library folder points outside the checkout", "name it from the repository's root, as in `libs: [vendor]`";
    RenderNoPlace = "trueup::render::no_place", Error, "the temporary folder is not writable or full", "free space, or choose another folder with `TMPDIR`";
    RenderNotAnObject = "trueup::render::not_an_object", Error, "a document that is not a Kubernetes object", "if the file is not a manifest, exclude it with `directory.exclude`";
    RenderOverride = "trueup::render::override", Error, "a file `.argocd-source*.yaml` cannot be used", "the message says why";
    RenderNothingRead = "trueup::render::nothing_read", Error, "a folder has files, but none of them is read (warning)", "set `directory.recurse`, or check `directory.include`";
    RenderParameter = "trueup::render::parameter", Error, "Helm cannot read the name or the value of a parameter", "write it as an argument of `helm --set`: `a.b`, `list[0].name`";
    RenderPlugin = "trueup::render::plugin", Error, "no plugin was given for a source that needs one", "`--plugin FILE` names its `ConfigManagementPlugin`";
    RenderPluginCopy = "trueup::render::plugin_copy", Error, "the repository could not be copied for a plugin", "free space in the folder for temporary files";
    RenderPluginDiscover = "trueup::render::plugin_discover", Error, "the plugin does not match the folder", "check `spec.discover` of the plugin";
    RenderPluginFailed = "trueup::render::plugin_failed", Error, "a program of the plugin failed", "run it by hand in a copy of the source's folder";
    RenderPluginFile = "trueup::render::plugin_file", Error, "a file of `--plugin` is not a `ConfigManagementPlugin`", "name the file of one";
    RenderPluginGlob = "trueup::render::plugin_glob", Error, "`spec.discover` of a plugin has an invalid pattern", "`*` matches within one folder, `**` across folders";
    RenderPluginRun = "trueup::render::plugin_run", Error, "a program of the plugin did not finish", "its programs are looked up in `PATH`; `--render-timeout` gives them more time";
    RenderProgram = "trueup::render::program", Error, "Helm or Kustomize did not finish", "`--render-timeout` gives it more time; the other limits are 100 MiB of output and 2 GiB of memory";
    RenderProgramFailed = "trueup::render::program_failed", Error, "Helm or Kustomize failed", "the message has its error, and the command that reproduces it";
    RenderProgramMissing = "trueup::render::program_missing", Error, "Helm or Kustomize is not installed", "install it, or name it with `--helm`, `--kustomize`";
    RenderProgramOutput = "trueup::render::program_output", Error, "Helm or Kustomize wrote something that is not an object", "look at what the template writes there";
    RenderReference = "trueup::render::reference", Error, "an invalid reference to another source (`$ref/…`)", "write `$ref/path/to/values.yaml`, with the `ref` of a git source";
    RenderRepeated = "trueup::render::repeated", Error, "the same object is in git twice (warning)", "remove one of them";
    RenderSeveralInJson = "trueup::render::several_in_json", Error, "a `.json` file with several values", "write several objects as the `items` of a `v1` `List`";
    RenderStream = "trueup::render::stream", Error, "a program did not write a stream of objects", "it writes one object a document, in YAML or JSON";
    RenderSyntax = "trueup::render::syntax", Error, "a file that is not valid YAML", "correct the line that is named; kubectl would refuse it, too";
    RenderTooLarge = "trueup::render::too_large", Error, "the manifests of a source are too large together", "raise the limit with `--max-manifests-size`, or narrow `directory.include`";
    RenderProxies = "trueup::render::proxies", Error, "the Secrets of a chart's dependencies have different proxies, but Helm supports only one (warning)", "give them the same `proxy` and `noProxy`";
    RenderUnreadable = "trueup::render::unreadable", Error, "a file or a folder cannot be read", "check that it exists and is readable";
    RenderUnsteady = "trueup::render::unsteady", Error, "a value that differs in each render: the render is not deterministic", "set the value explicitly, or ignore the field: every sync would change it";
    RenderValuesFetch = "trueup::render::values_fetch", Error, "a values file with a URL cannot be fetched", "correct the URL; the user and the password for it are those in the URL";
    RenderValuesMissing = "trueup::render::values_missing", Error, "values file not found", "correct its path; if that is intended, set `helm.ignoreMissingValueFiles`";
    RenderValuesScheme = "trueup::render::values_scheme", Error, "a values file with a URL scheme that is not fetched", "use `https` or `http`";
    RenderValuesSecret = "trueup::render::values_secret", Error, "a values file's URL of another scheme than http holds credentials", "remove them: a plugin of Helm can have its own login";
    DoctorTooOld = "trueup::doctor::too_old", Error, "`doctor` found a program that is older than the oldest supported version", "install a newer one, or select one with its flag";
    ProcessCancelled = "trueup::process::cancelled", Error, "a program was stopped with the run", "run the command again";
    ProcessLost = "trueup::process::lost", Error, "a program could not be read from", "run the command again";
    ProcessMemory = "trueup::process::memory", Error, "a program used more memory than its limit", "look for a loop, or for something that grows without end";
    ProcessNotFound = "trueup::process::not_found", Error, "a program is not installed", "install it, or put its folder on `PATH`";
    ProcessNotStarted = "trueup::process::not_started", Error, "a program could not be started", "check that it is executable, and that its folder exists";
    ProcessOutput = "trueup::process::output", Error, "a program wrote more than its limit", "look at what it prints by running it by hand";
    ProcessTimeout = "trueup::process::timeout", Error, "a program did not finish in time", "see what it waits for by running it by hand";
    ClusterAmbiguousContext = "trueup::cluster::ambiguous_context", Error, "several kubeconfig contexts match a destination", "say which with `--context-map DESTINATION=CONTEXT`";
    ClusterAmbiguousSecret = "trueup::cluster::ambiguous_secret", Error, "several cluster Secrets match a destination", "keep one Secret for each server, and use the server in place of a name that several clusters have";
    ClusterApiUnavailable = "trueup::cluster::api_unavailable", Error, "an aggregated API does not answer, so its objects are unknown", "`kubectl get apiservices` says what is wrong with it";
    ClusterBrokenAnswer = "trueup::cluster::broken_answer", Error, "an answer cannot be read", "check it with `kubectl get --raw`; a proxy between may have changed it";
    ClusterCredentials = "trueup::cluster::credentials", Error, "the kubeconfig's entry for a cluster or a user cannot be used", "`kubectl version` uses the same entry";
    ClusterExecPlugin = "trueup::cluster::exec_plugin", Error, "a credential plugin returns no credentials", "the message has the plugin's own hint";
    ClusterFolder = "trueup::cluster::folder", Error, "the folder of `--live` cannot be read", "it takes YAML or JSON manifests, such as `kubectl get -o yaml` writes";
    ClusterFolderWrite = "trueup::cluster::folder_write", Error, "a file of the folder of `--live` cannot be written", "the folder must be writable, too; the file is unchanged";
    ClusterForbidden = "trueup::cluster::forbidden", Error, "the account is not allowed to do this", "grant the right that is named; the least role is in examples/cronjob/rbac.yaml, that for a sync in examples/cronjob/reconcile/rbac.yaml";
    ClusterForeignObject = "trueup::cluster::foreign_object", Error, "an object that `trueup cluster add` would need, or `cluster rm` would delete, is somebody else's", "choose another name with `--service-account` or `--name`, or delete it by hand if nothing needs it";
    ClusterKubeconfig = "trueup::cluster::kubeconfig", Error, "the kubeconfig cannot be read", "`kubectl config view` reads the same files; `--kubeconfig` takes another";
    ClusterNoCluster = "trueup::cluster::no_cluster", Error, "nothing says which cluster is meant", "name one with `--context` or `--kubeconfig`; `--live DIR` takes a folder";
    ClusterNoSuchContext = "trueup::cluster::no_such_context", Error, "no kubeconfig context matches a destination", "say which with `--context-map DESTINATION=CONTEXT`";
    ClusterNoSuchEntry = "trueup::cluster::no_such_entry", Error, "the kubeconfig has no entry of this name", "`kubectl config view` shows what it has";
    ClusterNoToken = "trueup::cluster::no_token", Error, "the cluster issues no token for a service account", "the token controller of kube-controller-manager issues it; run the same command again";
    ClusterNotManaged = "trueup::cluster::not_managed", Error, "an object that the cluster's Secret does not let be managed: in another namespace than its `namespaces`, or cluster-scoped", "add the namespace to the Secret, or `clusterResources: \"true\"`; or deploy it to another cluster";
    ClusterNotRegistered = "trueup::cluster::not_registered", Error, "no cluster of this name is registered in Argo CD's namespace, or there is no such namespace", "`--argocd-namespace` names the namespace, `--context` its cluster";
    ClusterRefused = "trueup::cluster::refused", Error, "the server refuses an object of an account", "the server's words say why; the same command continues when the reason is gone";
    ClusterRemark = "trueup::cluster::remark", Error, "something unusual about a cluster, or a folder (warning)", "the message says what";
    ClusterSecret = "trueup::cluster::secret", Error, "the Secret that describes a cluster cannot be used", "the message names each field; the other clusters are not affected";
    ClusterServer = "trueup::cluster::server", Error, "the server answers with an error", "its own log says more; what it cannot answer now is unknown, not missing";
    ClusterTimeout = "trueup::cluster::timeout", Error, "no answer in time", "`--request-timeout` sets another limit; `0` means no limit";
    ClusterTls = "trueup::cluster::tls", Error, "no TLS connection", "check `certificate-authority-data` and `tls-server-name`, and the user's certificate";
    ClusterUnauthorized = "trueup::cluster::unauthorized", Error, "the server rejects the credentials", "log in again; `kubectl auth whoami` asks the same";
    ClusterUnreachable = "trueup::cluster::unreachable", Error, "nothing answers at the server's address", "`kubectl version` asks the same server; `--context` chooses another";
    ClusterVanished = "trueup::cluster::vanished", Error, "a kind was served when the run began, and no longer is", "its CRD was deleted during the run; run again";
    SettingsCertificate = "trueup::settings::certificate", Error, "a host of `argocd-tls-certs-cm` without a certificate (warning)", "write the host's certificate, or its authority's, in PEM";
    SettingsCluster = "trueup::settings::cluster", Error, "a cluster's Secret is invalid", "`config` is one JSON object; all of it is base64 in `data`, and written as it is in `stringData`";
    SettingsCredential = "trueup::settings::credential", Error, "a field of a repository's Secret that is not used (warning)", "the message says why; if it is a credential, give the repository a `username` and a token as its `password`";
    SettingsNone = "trueup::settings::none", Error, "no ConfigMap `argocd-cm`, or no repository Secrets, in the namespace or file", "name Argo CD's namespace with `--argocd-namespace`, or give the manifest";
    SettingsRepository = "trueup::settings::repository", Error, "a repository's Secret cannot be used", "values of `data` are base64; to write them as they are, use `stringData`";
    SettingsValue = "trueup::settings::value", Error, "an invalid value in `argocd-cm`", "the message says what it takes";
    SettingsYaml = "trueup::settings::yaml", Error, "the file of settings is not valid YAML", "correct the line that is named";
    PolicyAction = "trueup::policy::action", Error, "`can-i` with an action that applications do not have", "use one that the message lists";
    PolicyDenied = "trueup::policy::denied", Forbidden, "the policy does not permit it", "the message has the line that denies it, or the one that is missing";
    PolicyFile = "trueup::policy::file", Error, "a file that holds no policy", "give a `policy.csv`, or the manifest of `argocd-rbac-cm`";
    PolicyLine = "trueup::policy::line", Error, "a line of a policy is wrong, or matches nothing", "correct it; docs/policy.md has the form";
    PolicyPattern = "trueup::policy::pattern", Error, "a glob or a regular expression of a policy that cannot be read", "correct it; Argo CD matches nothing with it";
    PolicyRole = "trueup::policy::role", Error, "a role of an AppProject has a policy that only the whole installation can have", "a role has policies for itself, about its own project";
    PolicySetting = "trueup::policy::setting", Error, "a setting of `argocd-rbac-cm` is invalid", "the message says what it takes";
    PolicySubject = "trueup::policy::subject", Error, "a policy is given, but nobody whom it is asked about", "add `--policy-user`, `--policy-group` or `--role`";
    StatusFault = "trueup::status::fault", Error, "comparing or assessing health failed unexpectedly", "this is a bug in trueup: report it";
    StatusHidden = "trueup::status::hidden", Error, "an object cannot be looked up", "use a version and scope that the cluster serves, or fix the API that is named";
    StatusIgnoreExpression = "trueup::status::ignore_expression", Error, "a jq expression of an ignore rule cannot be run, or fails (warning)", "write a path such as `.spec.replicas`; until then the fields are compared";
    StatusIgnoreGlob = "trueup::status::ignore_glob", Error, "the group or kind of an ignore rule is not a glob (warning)", "write `*` for any text";
    StatusIgnoreLine = "trueup::status::ignore_line", Error, "a line of the annotation `trueup.dev/ignore` that is neither a JSON pointer nor a jq path expression (warning)", "start a pointer with `/` and an expression with `.`, one on each line";
    StatusIgnoreNothing = "trueup::status::ignore_nothing", Error, "an ignore rule matches nothing (warning)", "fix the path, or remove the rule";
    StatusIgnoreUnproved = "trueup::status::ignore_unproved", Error, "a rule with `when: cluster-changed` that is not used, because no record proves that git is unchanged (warning)", "sync once: the record of the sync is the proof";
    StatusOrphans = "trueup::status::orphans", Error, "a project wants a warning, and resources in the application's namespace belong to no application (warning)", "delete them, add them to git, or add them to `orphanedResources.ignore` of the project";
    StatusOrphansUnseen = "trueup::status::orphans_unseen", Error, "the account cannot list some kinds, so orphaned resources of these kinds are not reported (warning)", "grant the account `list` on them, or run without `--orphans`";
    StatusSecret = "trueup::status::secret", Error, "a value of a Secret is not base64, or not text", "values of `data` must be base64; for plain text use `stringData`";
    StatusShared = "trueup::status::shared", Error, "an object that two applications own (warning)", "keep it in one of them";
    FleetApplicationCycle = "trueup::fleet::application_cycle", Error, "Applications that contain each other (warning)", "remove one from the other; it is expanded once";
    FleetApplicationDepth = "trueup::fleet::application_depth", Error, "more Applications above one another than are expanded", "check which of them render new ones without end";
    FleetRemoval = "trueup::fleet::removal", Error, "an application on record that its ApplicationSet or parent no longer has (warning)", "`--allow-removals` removes it";
    FleetRemovalsHeld = "trueup::fleet::removals_held", Error, "applications that are no longer generated were not removed, because something failed", "correct what failed, and run it again";
    FleetRemovalsUnknown = "trueup::fleet::removals_unknown", Error, "the records of a cluster could not be listed, so applications that are no longer generated are not known (warning)", "grant the account `list` on ConfigMaps";
    FleetRepeatedChild = "trueup::fleet::repeated_child", Error, "an Application that several parents render (warning)", "keep it in one of them";
    FleetExpansion = "trueup::fleet::expansion", Error, "an ApplicationSet asks for files again and again", "report it as a fault of trueup";
    FleetBeingDeleted = "trueup::fleet::being_deleted", Error, "an Application of `--from-cluster` that waits for its finalizers (warning)", "it is left out; remove it from the cluster, or create it again";
    FleetChangesUnknown = "trueup::fleet::changes_unknown", Error, "it is not known what changed since a revision, or in a push (warning)", "every application is kept; fetch the history, or pass `--checkout DIR`";
    FleetHeldDiffers = "trueup::fleet::held_differs", Error, "an Application of `--from-cluster` differs from its manifest in PATH (warning)", "apply the manifest, or change it; the manifest is used";
    FleetNothingHeld = "trueup::fleet::nothing_held", Error, "`--from-cluster` finds no Application", "choose another cluster with `--context`, another namespace with `-n`, or all with `-A`";
    FleetSkipped = "trueup::fleet::skipped", Error, "an Application is not compared, because of an annotation (warning)", "remove the annotation";
    StatusUnseen = "trueup::status::unseen", Error, "the account cannot list some kinds, so their extras are not reported (warning)", "grant the account `list` on them, or ignore it";
    SyncEmpty = "trueup::sync::empty", Error, "git renders nothing, so everything that is live would be deleted", "if that is intended, `--allow-empty`; else see `trueup render`";
    SyncDependencyCycle = "trueup::sync::dependency_cycle", Error, "applications that wait for each other", "remove one of them from `trueup.dev/depends-on`, or change its sync wave";
    SyncDependencyUnknown = "trueup::sync::dependency_unknown", Error, "an application in `trueup.dev/depends-on` that is not in the run (warning)", "add it to the run, or correct its name";
    SyncFailed = "trueup::sync::failed", Error, "a sync or a deletion did not finish", "the message says which step failed, and why";
    SyncForeignState = "trueup::sync::foreign_state", Error, "the ConfigMap of the application's state belongs to something else", "rename one of the two, or keep the state elsewhere with `--state-namespace`";
    SyncHookNameTaken = "trueup::sync::hook_name_taken", Error, "a hook has the name of an object that trueup did not create as that hook", "rename the hook in git; `trueup sync --adopt` takes the object over instead";
    SyncHooksUnknown = "trueup::sync::hooks_unknown", Error, "an application is not deleted, because its hooks are not known", "`--no-hooks` deletes it without hooks";
    SyncImmutable = "trueup::sync::immutable", Error, "an object must be recreated", "`--force`, or its sync option `Force=true`, deletes it first";
    SyncKept = "trueup::sync::kept", Error, "the server refuses to delete an object", "remove what protects it, or keep it with `Prune=false` or `Delete=false`";
    SyncLockLost = "trueup::sync::lock_lost", Locked, "another run took the lock over meanwhile, or it expired while this run was paused", "the other run continues; check its result before you sync again";
    SyncLockRefused = "trueup::sync::lock_refused", Error, "the lock cannot be written", "a sync needs get, create and update of `leases.coordination.k8s.io` in the namespace of the state";
    SyncLocked = "trueup::sync::locked", Locked, "another run has the lock, or started later and applied a different revision", "`--lock-timeout` waits for it; run it again";
    SyncMaxPrune = "trueup::sync::max_prune", Error, "the plan deletes more than `--max-prune` allows", "if that is intended, raise it";
    SyncNamespace = "trueup::sync::namespace", Error, "a namespace does not exist, or cannot be created", "`CreateNamespace=true` creates the destination's; add a manifest of any other";
    SyncNewerState = "trueup::sync::newer_state", Error, "a newer trueup wrote the application's state", "sync with the newer version";
    SyncNoEntry = "trueup::sync::no_entry", Error, "the history has no such sync", "see `trueup history`";
    SyncNoStateNamespace = "trueup::sync::no_state_namespace", Error, "no namespace is given to keep the state in", "set `spec.destination.namespace`, or name one with `--state-namespace`";
    SyncNotPermitted = "trueup::sync::not_permitted", Forbidden, "the account, a policy or a sync window does not allow it", "the message says which";
    SyncNotRun = "trueup::sync::not_run", Error, "an application was not synced, because another one failed (`--fail-fast`)", "correct the one that failed";
    SyncOdd = "trueup::sync::odd", Error, "a problem in a plan (warning)", "the message says what";
    SyncOtherApplication = "trueup::sync::other_application", Error, "the record belongs to a different application of the same name", "rename one of the two, or keep their records apart with `--state-namespace`; `--accept-move` if it is the same one and it moved";
    SyncPast = "trueup::sync::past", Error, "the target of the last sync is not known, so nothing is healed", "`trueup sync` applies what git and the manifest say now";
    SyncPlanFile = "trueup::sync::plan_file", Error, "a saved plan cannot be read", "`trueup sync --plan FILE` writes one";
    SyncPlanLifetime = "trueup::sync::plan_lifetime", Error, "a saved plan is too old", "save it again, or raise `--plan-lifetime`";
    SyncPlanMoved = "trueup::sync::plan_moved", Error, "a saved plan is out of date", "save it again, and review it again";
    SyncPlanVersion = "trueup::sync::plan_version", Error, "another version of trueup wrote the saved plan", "save it again";
    SyncRecord = "trueup::sync::record", Error, "the last sync's record cannot be used (warning)", "nothing: the comparison is correct; the next sync writes it again";
    SyncRefused = "trueup::sync::refused", Error, "the server refuses an object", "correct it in git; `trueup render` shows what was sent";
    SyncRollbackSource = "trueup::sync::rollback_source", Error, "the manifest's source differs from that of the sync to roll back to, or that sync's parameters are not known (warning)", "the source of that sync is used; what is not known comes from the manifest";
    SyncRollbackSources = "trueup::sync::rollback_sources", Error, "the manifest and the sync to roll back to have a different number of sources", "roll back with the manifest of that sync";
    SyncShared = "trueup::sync::shared", Error, "another application owns some of this one's objects", "keep each object in one application; `--allow-shared` syncs it anyway";
    SyncSideUnknown = "trueup::sync::side_unknown", Error, "which side changed is unknown, because the target of the last sync is not known (warning)", "nothing: the comparison is correct; the next sync records what it applies";
    SyncStateContended = "trueup::sync::state_contended", Error, "another client changes the application's state each time it is written", "`kubectl get configmap -o yaml --show-managed-fields` shows who";
    SyncStateRefused = "trueup::sync::state_refused", Error, "the application's state cannot be written", "a sync needs get, create and update of ConfigMaps in its namespace";
    SyncStatusRefused = "trueup::sync::status_refused", Error, "the status of an Application cannot be written", "`--write-status` needs get and patch of `applications.argoproj.io`";
    SyncTerminated = "trueup::sync::terminated", Error, "a sync or a deletion was stopped", "run the command again: it continues from there";
    SyncUnconfirmed = "trueup::sync::unconfirmed", Error, "objects ask for confirmation before they are deleted with their application", "`--approve` confirms it, `--orphan` keeps them";
    SyncUnhealthy = "trueup::sync::unhealthy", Unhealthy, "it was applied, but is not healthy", "`trueup health` says why";
    SyncUnknown = "trueup::sync::unknown", Error, "an object could not be compared, so it is not overwritten", "see `trueup diff`";
    SyncUnreadableSource = "trueup::sync::unreadable_source", Error, "a source in the record cannot be read", "`trueup sync` records the current sources";
    SyncUnreadableState = "trueup::sync::unreadable_state", Error, "a part of the application's state cannot be read (warning)", "correct it before the next sync, which overwrites it";
    SyncWindow = "trueup::sync::window", Forbidden, "a sync window does not allow a sync now", "`--wait-window` waits until it does";
    WaitDegraded = "trueup::wait::degraded", Unhealthy, "a resource of the wait is degraded", "fix it; `--ignore-degraded` keeps waiting";
    WaitTimeout = "trueup::wait::timeout", Unhealthy, "the wait was over before what was waited for came", "the message says for what; raise `--timeout` to wait longer";
    ReportChanged = "trueup::report::changed", Error, "a written file was changed by hand, and is kept (warning)", "remove it yourself";
    ReportFile = "trueup::report::file", Error, "`-o FORMAT=` without a file", "`-o FORMAT` alone writes to standard output";
    ReportFolder = "trueup::report::folder", Error, "a folder cannot be created or read", "check that you are allowed to write there";
    ReportFormat = "trueup::report::format", Error, "no such format", "the message lists the valid ones";
    ReportNotOurs = "trueup::report::not_ours", Error, "a file is in the way", "move it away, or write to another folder";
    ReportOutput = "trueup::report::output", Error, "two reports would go to the same output", "give each a file of its own";
    ReportWrite = "trueup::report::write", Error, "a report could not be written", "check that its folder exists and that you are allowed to write there";
    CliClear = "trueup::cli::clear", Error, "`--clear` together with the ID of a sync", "remove one of the two";
    CliCustomization = "trueup::cli::customization", Error, "a script of `--customizations` is not text", "it must be UTF-8 text of a few kilobytes";
    CliEmptyFolder = "trueup::cli::empty_folder", Error, "a folder without any YAML or JSON file", "name a folder with Application manifests";
    CliEvent = "trueup::cli::event", Error, "the event of `--event` cannot be read", "name a file with the payload of a push; `github` is for jobs of GitHub Actions";
    CliGeneratorFixture = "trueup::cli::generator_fixture", Error, "the file of `--generator-fixture` is invalid", "correct what is named; docs/expand.md has the format";
    CliLargeFile = "trueup::cli::large_file", Error, "a file that is larger than any manifest", "split it, or name the files with Applications";
    CliLeavingSymlink = "trueup::cli::leaving_symlink", Error, "a symlink that leaves the folder", "if that is intended, pass its destination as a PATH of its own";
    CliManifest = "trueup::cli::manifest", Error, "the health of something in a file of `-f` cannot be assessed", "`-f` expects objects as `kubectl get -o yaml` prints them";
    CliMan = "trueup::cli::man", Error, "a man page cannot be written", "`trueup --help` says the same";
    CliNeither = "trueup::cli::neither", Error, "a word that is neither the name of an Application nor a file or folder", "check its spelling; `--app` takes names alone";
    CliNoApplication = "trueup::cli::no_application", Error, "`delete` or `rollback` without the name of one application", "name it first, or with `--app`";
    CliNoCommand = "trueup::cli::no_command", Error, "a man page of a command that does not exist", "`trueup --help` lists the commands";
    CliNoCustomizations = "trueup::cli::no_customizations", Error, "a folder without scripts, or without tests", "the layout is `<group>/<Kind>/health.lua`, and `health_test.yaml` beside it";
    CliNoPath = "trueup::cli::no_path", Error, "no PATH is given, and the current folder holds no manifest", "name files or folders of Application manifests";
    CliNoStateNamespace = "trueup::cli::no_state_namespace", Error, "`history` of a name without a manifest", "pass `--state-namespace`, or the Application's manifest";
    CliNoSuchPath = "trueup::cli::no_such_path", Error, "no such file or folder", "check its spelling";
    CliRepeatedInput = "trueup::cli::repeated_input", Error, "`-` a second time", "remove one of them";
    CliRuntime = "trueup::cli::runtime", Error, "the program cannot start its threads", "look at the limits of the account (`ulimit -u`)";
    CliSeveral = "trueup::cli::several", Error, "a name matches several applications where one is expected", "write `namespace/name`";
    CliTerminalInput = "trueup::cli::terminal_input", Error, "`-` at a terminal", "pipe manifests into it, or name a file";
    CliUnconfirmed = "trueup::cli::unconfirmed", Error, "a plan cannot be confirmed without a terminal", "`-y` continues without asking, `--dry-run` shows the plan";
    CliUnreadableCustomization = "trueup::cli::unreadable_customization", Error, "a script or a folder of `--customizations` cannot be read", "check its spelling and permissions";
    CliUnreadablePath = "trueup::cli::unreadable_path", Error, "a path cannot be read", "check that the user who runs trueup can read it";
}

impl Code {
    /// The code of a library-style diagnostic; the errors of other rooms name their code as text.
    pub(super) fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
