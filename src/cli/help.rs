//! What `-h` shows of each command: the flags that people use, and two examples; and what to type instead of another tool's words.
//!
//! `--help` shows every flag.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::arguments::output::OutputParser;
use crate::report::Format;

/// The `-h` page of a command.
struct HelpPage {
    command: &'static str,
    /// The arguments by their ids; `--help` has the others, too.
    common: &'static [&'static str],
    /// A command line, and what it does.
    examples: [(&'static str, &'static str); 2],
}

const PAGES: [HelpPage; 24] = [
    HelpPage {
        command: "diff",
        common: &[
            "paths",
            "app",
            "selector",
            "apps_from",
            "checkout",
            "revision",
            "live",
            "context",
            "strict",
            "health",
            "output",
            "exit_zero",
            "watch",
            "verbose",
        ],
        examples: [
            ("trueup diff apps/", "Compare every Application in the folder"),
            ("trueup diff shop apps/ -o json=drift.json", "Compare one, and write a report for scripts"),
        ],
    },
    HelpPage {
        command: "status",
        common: &["paths", "app", "selector", "apps_from", "live", "context", "output", "verbose"],
        examples: [
            ("trueup status apps/", "Show sync and health of every Application in the folder"),
            ("trueup status apps/ -o wide", "List them, one a line"),
        ],
    },
    HelpPage {
        command: "plan",
        common: &["paths", "app", "selector", "prune", "adopt", "force", "revision", "context", "output", "verbose"],
        examples: [
            ("trueup plan apps/", "Show what a sync would change"),
            ("trueup plan shop apps/ --prune", "Show it for one, with what pruning would delete"),
        ],
    },
    HelpPage {
        command: "sync",
        common: &[
            "paths", "app", "dry_run", "plan", "from", "yes", "prune", "adopt", "force", "wait", "revision", "context",
            "output", "verbose",
        ],
        examples: [
            ("trueup sync shop apps/", "Show the plan of one Application, ask, apply"),
            ("trueup sync apps/ -y --prune --wait", "In a pipeline: do not ask, and wait until all is healthy"),
        ],
    },
    HelpPage {
        command: "reconcile",
        common: &[
            "paths",
            "app",
            "selector",
            "apps_from",
            "self_heal",
            "auto_prune",
            "dry_run",
            "adopt",
            "context",
            "output",
            "verbose",
            "quiet",
        ],
        examples: [
            ("trueup reconcile apps/", "Apply each sync policy once"),
            ("trueup reconcile --apps-from https://git.example.com/infra#apps", "The same for Applications in git"),
        ],
    },
    HelpPage {
        command: "rollback",
        common: &["application", "paths", "app", "clear", "dry_run", "yes", "prune", "context", "output", "verbose"],
        examples: [
            ("trueup rollback shop 7 apps/", "Go back to entry 7 of `trueup history`"),
            ("trueup rollback shop apps/ --clear", "End a rollback without a sync"),
        ],
    },
    HelpPage {
        command: "delete",
        common: &[
            "application",
            "paths",
            "app",
            "orphan",
            "no_hooks",
            "prune_protected",
            "dry_run",
            "yes",
            "context",
            "output",
            "verbose",
        ],
        examples: [
            ("trueup delete shop apps/ --dry-run", "Show what would be deleted"),
            ("trueup delete shop apps/ --orphan", "Stop tracking an application, and keep its objects"),
        ],
    },
    HelpPage {
        command: "history",
        common: &["paths", "app", "selector", "state_namespace", "context", "output", "verbose"],
        examples: [
            ("trueup history apps/", "Show the syncs of every Application in the folder"),
            ("trueup history shop --state-namespace prod", "Show those of one without its manifest"),
        ],
    },
    HelpPage {
        command: "render",
        common: &[
            "paths",
            "app",
            "selector",
            "checkout",
            "revision",
            "kube_version",
            "output",
            "output_dir",
            "check",
            "verbose",
        ],
        examples: [
            ("trueup render shop apps/", "Print the manifests of one Application"),
            ("trueup render apps/ --output-dir rendered", "Write one file per object"),
        ],
    },
    HelpPage {
        command: "health",
        common: &[
            "paths",
            "filename",
            "app",
            "selector",
            "context",
            "customizations",
            "logs",
            "output",
            "watch",
            "verbose",
        ],
        examples: [
            ("trueup health apps/", "Show what is not healthy, and why"),
            ("trueup health -f deployment.yaml", "Assess plain manifests, without a cluster"),
        ],
    },
    HelpPage {
        command: "wait",
        common: &["paths", "app", "selector", "goal", "timeout", "ignore_degraded", "context", "output", "quiet"],
        examples: [
            ("trueup wait shop apps/ --timeout 10m", "Wait until one Application is healthy"),
            ("trueup wait apps/ --for synced", "Wait until all are in sync"),
        ],
    },
    HelpPage {
        command: "expand",
        common: &[
            "paths",
            "recursive",
            "explain",
            "clusters",
            "generator_fixture",
            "repo",
            "checkout",
            "revision",
            "output",
            "verbose",
        ],
        examples: [
            (
                "trueup expand appsets/ --clusters clusters.yaml -o wide",
                "List Applications, with the generator of each",
            ),
            ("trueup expand -k bootstrap/ --recursive -o name", "Print a tree of Applications"),
        ],
    },
    HelpPage {
        command: "whoami",
        common: &["paths", "app", "selector", "context", "impersonate", "impersonate_groups", "output", "verbose"],
        examples: [
            ("trueup whoami", "Show the user and groups of the current context"),
            ("trueup whoami apps/ --as system:serviceaccount:ci:drift", "Show which rights an account lacks"),
        ],
    },
    HelpPage {
        command: "can-i",
        common: &[
            "verb",
            "application",
            "paths",
            "policy",
            "role",
            "policy_user",
            "policy_group",
            "policy_from_cluster",
            "context",
            "output",
        ],
        examples: [
            ("trueup can-i sync shop apps/ --role proj:team:deploy", "Ask for a role of an AppProject in the folder"),
            ("trueup can-i delete team/shop --policy policy.csv --policy-user ann", "Ask a policy about a user"),
        ],
    },
    HelpPage {
        command: "policy",
        common: &[],
        examples: [
            ("trueup policy validate policy.csv", "Find every line that is wrong"),
            ("trueup policy validate argocd-rbac-cm.yaml projects.yaml", "The same for manifests"),
        ],
    },
    HelpPage {
        command: "project",
        common: &[],
        examples: [
            ("trueup project check apps/ projects/", "Report what projects forbid of rendered Applications"),
            ("trueup project windows apps/ projects/", "Show which Applications may be synced now"),
        ],
    },
    HelpPage {
        command: "doctor",
        common: &["paths", "context", "helm", "kustomize", "output", "verbose"],
        examples: [
            ("trueup doctor", "Check the programs of this machine"),
            ("trueup doctor apps/ -o json", "Check the repositories and clusters, too, for a script"),
        ],
    },
    HelpPage {
        command: "cluster",
        common: &[],
        examples: [
            ("trueup cluster list apps/", "Show every cluster, whether it answers, and how many Applications it has"),
            ("trueup cluster add prod", "Add the cluster of the context `prod` to Argo CD"),
        ],
    },
    HelpPage {
        command: "cluster list",
        common: &["paths", "clusters", "argocd_namespace", "context", "request_timeout", "output", "verbose"],
        examples: [
            ("trueup cluster list", "Ask the clusters of the kubeconfig"),
            (
                "trueup cluster list apps/ --clusters argocd -o wide",
                "Ask those of Argo CD, too, and count Applications",
            ),
        ],
    },
    HelpPage {
        command: "cluster add",
        common: &[
            "target",
            "name",
            "namespace",
            "read_only",
            "service_account",
            "project",
            "label",
            "output",
            "output_dir",
            "dry_run",
            "yes",
            "argocd_namespace",
            "context",
        ],
        examples: [
            ("trueup cluster add prod --dry-run", "Show what would be created"),
            ("trueup cluster add prod --read-only --name prod-drift -y", "Add an account that can only compare"),
        ],
    },
    HelpPage {
        command: "cluster rotate",
        common: &["name", "dry_run", "yes", "argocd_namespace", "context", "context_map"],
        examples: [
            ("trueup cluster rotate prod", "Replace the token of a cluster"),
            ("trueup cluster rotate prod -y", "In a pipeline: do not ask"),
        ],
    },
    HelpPage {
        command: "cluster rm",
        common: &["name", "keep_account", "dry_run", "yes", "argocd_namespace", "context", "context_map"],
        examples: [
            ("trueup cluster rm prod --dry-run", "Show what would be deleted"),
            ("trueup cluster rm prod --keep-account -y", "Forget a cluster that no longer exists"),
        ],
    },
    HelpPage {
        command: "repo",
        common: &[],
        examples: [
            ("trueup repo list apps/ --repositories secrets.yaml", "Show what opens each repository"),
            ("trueup repo check apps/", "Ask each whether it answers"),
        ],
    },
    HelpPage {
        command: "completion",
        common: &["shell"],
        examples: [
            ("source <(trueup completion bash)", "Complete commands and flags in this shell"),
            ("trueup completion zsh", "Print the script for zsh"),
        ],
    },
];

/// Words of other tools, and the command to use instead.
const TIPS: [(&[&str], &str); 12] = [
    (&["get", "ls", "ps", "info"], "`trueup status PATH` lists applications with their sync and health status"),
    (&["app", "apps", "application", "appset"], "leave it out: `trueup sync shop apps/`, `trueup diff shop apps/`"),
    (&["check", "compare", "drift", "verify", "show", "manifests"], "`trueup diff PATH` shows what differs"),
    (&["deploy", "install", "upgrade", "up", "create", "add"], "`trueup sync PATH` applies what git says"),
    (&["template", "build", "validate", "lint"], "`trueup render PATH` prints the rendered manifests"),
    (&["remove", "rm", "uninstall", "destroy", "down"], "`trueup delete APP PATH` deletes an application"),
    (&["undo", "revert", "restore"], "`trueup rollback APP PATH` goes back to an earlier sync"),
    (&["log", "events"], "`trueup history PATH` shows past syncs; `trueup health --logs PATH` shows containers' logs"),
    (&["logs"], "`trueup health --logs PATH` shows the logs of containers that failed"),
    (&["watch", "run", "server", "daemon"], "`trueup reconcile PATH` runs once; a CronJob repeats it"),
    (&["login", "context", "account"], "there is no server: trueup uses your kubeconfig; see `--context`"),
    (&["preflight", "env"], "`trueup doctor PATH` checks what a run needs"),
];

/// Flags of other tools, and what to do instead.
const FLAG_TIPS: [(&[&str], &str); 13] = [
    (&["--kube-context", "--kubecontext"], "`--context NAME` chooses the kubeconfig context"),
    (
        &["--local"],
        "`--checkout` uses a local checkout instead of the repository, `--live DIR` a folder instead of the cluster",
    ),
    (&["--file", "--manifest", "--manifests"], "name files and folders as PATH, or with `-f`"),
    (&["--format", "--json", "--yaml"], "`-o json`, `-o yaml` and others choose the format"),
    (&["--recursive", "--recurse", "-R"], "leave it out: folders are searched recursively"),
    (&["--all"], "leave it out: all applications of PATH are selected, unless some are named"),
    (&["--refresh", "--hard-refresh"], "leave it out: every run fetches; `--no-cache` also renders again"),
    (
        &["--server", "--auth-token", "--grpc-web", "--insecure", "--core"],
        "there is no server: trueup uses your kubeconfig; see `--context`",
    ),
    (&["--set", "--values", "--parameter", "-p"], "parameters are in the Application: `spec.source.helm`"),
    (&["--exit-code"], "drift exits with 1; `--exit-zero` and `--diff-exit-code` change that"),
    (&["--app-namespace", "-N"], "`-n NAMESPACE` selects the Applications of a namespace"),
    (&["--name", "--application"], "name the application as an argument, or with `--app`"),
    (&["-a"], "long flags have two dashes: `--auto-approve`"),
];

/// Adds the `-h` pages to the command line.
pub(super) fn with_pages(command: clap::Command) -> clap::Command {
    let command = command
        .mut_subcommand("health", |health| health.mut_arg("filename", of_plain_manifests))
        .mut_subcommand("rollback", |rollback| rollback.mut_arg("paths", |paths| paths.help(ID_AND_PATHS)));
    // Only what writes has something to write down.
    let command = ["diff", "status", "plan"].into_iter().fold(command, |command, name| {
        let of_drift = |output: clap::Arg| output.value_parser(OutputParser(Format::OF_DRIFT));
        command.mut_subcommand(name, |command| command.mut_arg("output", of_drift))
    });
    PAGES.iter().fold(command, |command, page| match page.command.split_once(' ') {
        None => command.mut_subcommand(page.command, |command| with_page(command, page)),
        Some((above, name)) => {
            command.mut_subcommand(above, |above| above.mut_subcommand(name, |command| with_page(command, page)))
        }
    })
}

fn with_page(command: clap::Command, page: &HelpPage) -> clap::Command {
    let is_rare = |arg: &clap::Arg| !page.common.contains(&arg.get_id().as_str());
    let command = command.mut_args(|arg| {
        let is_rare = is_rare(&arg);
        arg.hide_short_help(is_rare)
    });
    command.after_help(examples(page))
}

/// The positional arguments of `rollback`.
const ID_AND_PATHS: &str = "First the ID of a sync, as `trueup history` lists them [default: that of the sync before the \
     last]; then Application manifests: files, folders (searched recursively), or `-` for standard input [default: `.`]";

/// `-f` of `health`: objects as they are, and no Applications.
fn of_plain_manifests(filename: clap::Arg) -> clap::Arg {
    let help = "Assess the objects of a manifest, or of standard input with `-`, without a cluster; repeatable";
    let of_clusters = [
        "paths",
        "apps_from",
        "chart",
        "kustomization",
        "from_cluster",
        "argocd_cm_from_cluster",
        "repositories_from_cluster",
        "logs",
    ];
    filename.help(help).conflicts_with_all(of_clusters)
}

fn examples(page: &HelpPage) -> String {
    let width = page.examples.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
    let lines: Vec<String> = page.examples.iter().map(|(line, does)| format!("  {line:width$}  {does}")).collect();
    format!("Examples:\n{}", lines.join("\n"))
}

/// The error of a command line, with what to type instead of a command that trueup does not have.
pub(super) fn with_tip(mut error: clap::Error) -> clap::Error {
    let tip = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) => tip(&TIPS, word),
        (ErrorKind::UnknownArgument, _) => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(flag)) => tip(&FLAG_TIPS, flag),
            _ => None,
        },
        _ => None,
    };
    if let Some(tip) = tip {
        // The nearest spelling is no better guess than the meaning.
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error
}

fn tip(tips: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    tips.iter().find(|(words, _)| words.contains(&word)).map(|(_, tip)| *tip)
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    /// A flag that was renamed must not vanish from `-h`.
    #[test]
    fn every_argument_of_the_short_help_is_one_of_its_command() {
        let command = command();
        for page in &PAGES {
            let mut names = page.command.split(' ');
            let command = names.try_fold(&command, |command, name| command.find_subcommand(name)).unwrap();
            for id in page.common {
                let is_there = command.get_arguments().any(|argument| argument.get_id() == id);
                assert!(is_there, "`{}` has no argument `{id}`", page.command);
            }
            assert!(page.common.len() <= 14, "{}: -h shows too much", page.command);
        }
        let with_page = |name: &str| PAGES.iter().any(|page| page.command == name);
        let visible = command.get_subcommands().filter(|command| !command.is_hide_set());
        let without: Vec<&str> = visible.map(clap::Command::get_name).filter(|name| !with_page(name)).collect();
        assert_eq!(without, ["version"]);
    }

    #[test]
    fn every_example_is_a_command_line() {
        for (line, _) in PAGES.iter().flat_map(|page| page.examples) {
            let line = line.trim_start_matches("source <(").trim_end_matches(')');
            command().try_get_matches_from(line.split(' ')).unwrap();
        }
    }

    /// Words that have a meaning here need no tip.
    #[test]
    fn no_tip_is_for_a_command_that_there_is() {
        for word in TIPS.iter().flat_map(|(words, _)| *words) {
            let error = command().try_get_matches_from(["trueup", word]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSubcommand, "{word}");
        }
    }
}
