//! A team's own scripts: from `argocd-cm`, from a folder, and their tests.

use std::fmt::Write as _;

use crate::harness::{TestRepo, folder_with, trueup};

const TILL: &str = "apiVersion: shop.example.com/v1\nkind: Till\nmetadata: {name: till}\nstatus: {money: 3}\n";

/// The order of the lookup: the exact kind before a wildcard, `argocd-cm` before the folder.
#[test]
fn the_first_script_that_is_for_a_kind_decides() {
    let says = |word: &str| format!("return {{status = 'Healthy', message = '{word}'}}");
    let config_map =
        |data: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm}}\ndata:\n{data}");
    let (by_key, by_map, by_wildcard) = (
        format!("  resource.customizations.health.shop.example.com_Till: \"{}\"\n", says("key")),
        format!("  resource.customizations: |\n    shop.example.com/Till:\n      health.lua: \"{}\"\n", says("map")),
        format!(
            "  resource.customizations: |\n    '*.example.com/*':\n      health.lua: \"{}\"\n    '*/*':\n      health.lua: \"{}\"\n",
            says("wildcard"),
            says("any")
        ),
    );
    let folder = folder_with([
        ("till.yaml", &TILL),
        ("key.yaml", &config_map(&(by_key.clone() + &by_map))),
        ("map.yaml", &config_map(&by_map)),
        ("wildcard.yaml", &config_map(&by_wildcard)),
        ("other.yaml", &config_map("  url: https://argocd.example.com\n")),
        ("scripts/shop.example.com/Till/health.lua", &says("folder")),
        ("scripts/_.example.com/_/health.lua", &says("folder, any")),
        ("any/_.example.com/_/health.lua", &says("folder, any")),
    ]);
    for (settings, scripts, expected) in [
        ("key.yaml", "scripts", "key"),
        ("map.yaml", "scripts", "map"),
        ("wildcard.yaml", "scripts", "wildcard"),
        ("other.yaml", "scripts", "folder"),
        ("other.yaml", "any", "folder, any"),
    ] {
        let run =
            trueup(["health", "-f", "till.yaml", "-o", "json", "--argocd-cm", settings, "--customizations", scripts]);
        let report = run.in_folder(folder.path()).exits(0).json();
        assert_eq!(report["resources"][0]["message"], expected, "{settings} {scripts}");
    }
    let run = trueup(["health", "-f", "till.yaml", "-o", "json"]).in_folder(folder.path()).exits(0).json();
    assert_eq!(run["resources"][0].get("health"), None);
}

/// Argo CD's own ConfigMap is in the cluster: nobody has to keep a copy of it for the CI job.
#[test]
fn the_scripts_of_argo_cds_own_configmap_count() {
    let config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\ndata:\n  resource.customizations.health.shop.example.com_Till: \"return {status = 'Degraded', message = 'robbed'}\"\n";
    let till = TILL.replace("name: till", "name: till, namespace: shop");
    let folder = folder_with([
        ("live/argocd.yaml", &config_map),
        ("live/till.yaml", &till.as_str()),
        ("scripts/shop.example.com/Till/health.lua", &"return {status = 'Healthy'}"),
    ]);
    let git = TestRepo::new().file("till.yaml", TILL).commit("a till");
    let shop = git.application("shop").destination(serde_json::json!({"name": "in-cluster", "namespace": "shop"}));

    for verb in [["health", "-q"], ["wait", "-q"], ["diff", "--health"]] {
        let run = |code: i32, arguments: &[&str]| {
            let run = trueup(verb).of(&shop).live(folder.path().join("live")).in_folder(folder.path());
            run.arguments(arguments.iter().copied())
                .arguments(["--customizations", "scripts", "-o", "json"])
                .exits(code)
                .json()
        };
        assert_eq!(run(0, &[])["applications"][0]["health"], "Healthy", "{verb:?}");
        let report = run(3, &["--argocd-cm-from-cluster"]);
        assert_eq!(report["applications"][0]["health"], "Degraded", "{verb:?}");
    }
}

/// A script that fails says where; the run goes on.
#[test]
fn a_script_that_fails_is_unknown_with_its_line() {
    let folder = folder_with([
        ("till.yaml", &TILL),
        (
            "scripts/shop.example.com/Till/health.lua",
            &"local hs = {}\nhs.status = obj.status.drawer.state\nreturn hs\n",
        ),
        ("hostile/shop.example.com/Till/health.lua", &"while true do end"),
    ]);
    let run = trueup(["health", "-f", "till.yaml", "--customizations", "scripts"]).in_folder(folder.path()).exits(3);
    insta::assert_snapshot!(run, @r"
    1 unknown
      Unknown      shop.example.com/Till till  scripts/shop.example.com/Till/health.lua:2: attempt to index field 'drawer' (a nil value)
    [exit 3]
    ");
    let run = trueup(["health", "-f", "till.yaml", "--customizations", "hostile"]).in_folder(folder.path()).exits(3);
    insta::assert_snapshot!(run, @r"
    1 unknown
      Unknown      shop.example.com/Till till  hostile/shop.example.com/Till/health.lua: the script took longer than [DURATION]
    [exit 3]
    ");
}

/// Settings that say nothing sensible are errors, not silence.
#[test]
fn wrong_settings_are_refused() {
    let folder = folder_with([
        ("till.yaml", &TILL),
        ("pod.yaml", &"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"),
        (
            "list.yaml",
            &"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata: {resource.customizations: '- a'}\n",
        ),
    ]);
    for settings in ["pod.yaml", "list.yaml", "absent.yaml"] {
        let run = trueup(["health", "-f", "till.yaml", "--argocd-cm", settings]).in_folder(folder.path()).exits(2);
        assert_eq!(run.stdout, "", "{settings}");
        assert!(run.stderr.contains(&format!("× {settings}: ")), "{}", run.stderr);
    }
    let _ = trueup(["health", "-f", "till.yaml", "--customizations", "."]).in_folder(folder.path()).exits(2);
}

/// A team's tests in Argo CD's format: each case is told, a failure with its difference.
#[test]
fn a_team_s_tests_pass_or_fail_case_by_case() {
    let folder = folder_with([
        (
            "shop.example.com/Till/health.lua",
            &"if obj.status.money > 2 then return {status = 'Healthy', message = 'rich'} end\nreturn {status = 'Degraded'}\n",
        ),
        ("shop.example.com/Till/testdata/rich.yaml", &TILL),
        ("shop.example.com/Till/testdata/poor.yaml", &TILL.replace('3', "1")),
        (
            "shop.example.com/Till/health_test.yaml",
            &"tests:\n\
             - healthStatus: {status: Healthy, message: rich}\n  inputPath: testdata/rich.yaml\n\
             - healthStatus: {status: Degraded, message: poor}\n  inputpath: testdata/poor.yaml\n\
             - healthStatus: {status: Degraded}\n  inputPath: testdata/poor.yaml\n\
             - healthStatus: {status: Degraded}\n  inputPath: testdata/absent.yaml\n\
             - healthStatus: {status: Degraded}\n  inputPath: ../../../../../etc/hostname\n",
        ),
    ]);
    let run = trueup(["health", "test", "."]).in_folder(folder.path()).exits(1);
    insta::assert_snapshot!(run, @r"
    pass  shop.example.com/Till  testdata/rich.yaml
    FAIL  shop.example.com/Till  testdata/poor.yaml
          message - poor
                  + (empty)
    pass  shop.example.com/Till  testdata/poor.yaml
    FAIL  shop.example.com/Till  testdata/absent.yaml
          ./shop.example.com/Till/testdata/absent.yaml: No such file or directory (os error 2)
    FAIL  shop.example.com/Till  ../../../../../etc/hostname
          ../../../../../etc/hostname: leaves the folder of the tests
    2 passed, 3 failed
    [exit 1]
    ");
}

/// A thousand cases are one CI step, not a coffee break.
#[test]
fn a_suite_of_a_thousand_cases_passes() {
    let mut cases = "tests:\n".to_owned();
    for _ in 0..1000 {
        cases.push_str("- healthStatus: {status: Healthy}\n  inputPath: testdata/till.yaml\n");
    }
    let mut script = String::new();
    for number in 0..50 {
        let _ = writeln!(script, "if obj.status.money == -{number} then return {{status = 'Degraded'}} end");
    }
    script.push_str("return {status = 'Healthy'}\n");
    let folder = folder_with([
        ("shop.example.com/Till/health.lua", &script),
        ("shop.example.com/Till/testdata/till.yaml", &TILL),
        ("shop.example.com/Till/health_test.yaml", &cases),
    ]);
    let run = trueup(["health", "test", "."]).in_folder(folder.path()).exits(0);
    assert!(run.stdout.ends_with("1000 passed\n"));
}
