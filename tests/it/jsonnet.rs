//! Jsonnet sources, compared with the official `jsonnet` program on the same files; and what a program may not do.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{TestApplication, TestRepo, config_map, or_skip, program, trueup};

/// A program that gives one object with this expression in it.
fn object(name: &str, expression: &str) -> String {
    format!(
        "{{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {{ name: '{name}', namespace: 'shop' }}, value: {expression} }}\n"
    )
}

fn render(application: &TestApplication) -> Vec<Value> {
    let mut list = trueup(["render", "-o", "json"]).of(application).exits(0).json();
    serde_json::from_value(list["items"].take()).expect("a list of objects")
}

/// Every value is what the official program gives for the same text, in the same folder.
#[test]
fn values_are_those_of_the_official_jsonnet() {
    let jsonnet = or_skip!(program("jsonnet"));
    let expressions = [
        ("numbers", "[1, 1.0, 0.1, 1e100, -0, 1/3, 100000000000000000000, 5 % 3, std.pow(2, 53)]"),
        ("large numbers", "[std.pow(2, 60), -std.pow(2, 62) - 1024, 1234567890123456789, std.pow(2, 63)]"),
        ("texts", r#"["a\"b\\\n\t\u00e9", @'raw\n', 'tab	', "ünï → 𝄞"]"#),
        ("blocks", "|||\n  one\n    two\n|||"),
        ("objects", "{ a: 1, b:: 2, ['c' + 1]: self.a, d: $.metadata.name, e+: { f: 1 } }"),
        ("inheritance", "({ a: 1, b: self.a + 1 } + { a: 10, c: super.b })"),
        ("comprehensions", "[x * y for x in [1, 2, 3] for y in [10, 20] if x != 2]"),
        ("conditions", "if std.length('é') == 1 then 'one' else error 'more'"),
        ("formats", "'%s %05.2f %x %-5s|' % ['a', 3.14159, 255, 'b']"),
        ("sorting", "std.sort(['b', 'a', 'C'], function(x) std.asciiLower(x))"),
        ("sets", "std.setUnion([1, 3], [2, 3])"),
        ("merging", "std.mergePatch({ a: { b: 1, c: 2 }, d: 1 }, { a: { b: null, e: 3 } })"),
        ("pruning", "std.prune({ a: null, b: [], c: { d: {} }, e: 0 })"),
        ("encoding", "[std.base64('é'), std.base64([1, 2, 255]), std.base64Decode('w6k='), std.md5('a')]"),
        ("hashes", "[std.sha1('a'), std.sha256('a'), std.sha512('a'), std.sha3('a')]"),
        (
            "manifesting",
            "[std.manifestYamlDoc({ a: [1, 'yes'], b: 'x\\ny' }), std.manifestJsonEx({ a: 1 }, '  '), std.manifestIni({ main: { a: 1 }, sections: {} })]",
        ),
        ("yaml", r#"std.parseYaml("on: yes\nmode: 0644\ntime: 12:30\nlist: [~, 1_000, 0x1F, 1.5]\n<<: {a: 1}\n")"#),
        ("yaml streams", r#"std.parseYaml("a: 1\n---\nb: 2\n")"#),
        ("a yaml stream of one", r#"std.parseYaml("---\na: 1\n")"#),
        ("yaml on the line of its marker", "std.parseYaml('# first\\n--- 3\\n--- |\\n  text\\n---\\na: ---b\\n---')"),
        ("folding text", "[std.foldl(function(a, b) b + a, 'abc', ''), std.foldr(function(a, b) b + a, 'abc', '')]"),
        ("no yaml", "std.parseYaml('')"),
        ("json", r#"std.parseJson('{"a": [1.5, null, "b"]}')"#),
        (
            "text functions",
            "[std.split('a,b', ','), std.strReplace('aXb', 'X', '-'), std.splitLimit('a.b.c', '.', 1), std.lstripChars('xxa', 'x'), std.findSubstr('a', 'banana')]",
        ),
        (
            "reflection",
            "[std.type(null), std.objectFields({ b: 1, a:: 2 }), std.objectHasAll({ a:: 1 }, 'a'), std.thisFile != '']",
        ),
        (
            "numbers from text",
            "[std.parseInt('12'), std.parseHex('ff'), std.parseOctal('17'), std.toString(1.5), std.codepoint('é'), std.char(955)]",
        ),
        (
            "folding",
            "[std.foldl(function(a, b) a + b, std.range(1, 100), 0), std.makeArray(3, function(i) i * i), std.flatMap(function(x) [x, x], [1, 2])]",
        ),
        ("recursion", "local f(n) = if n == 0 then 0 else 1 + f(n - 1); f(400)"),
        ("assertions", "{ assert self.a == 1, a: 1 }"),
    ];
    let git = expressions.iter().enumerate().fold(TestRepo::new(), |git, (index, (name, expression))| {
        git.file(&format!("app/{index:02}.jsonnet"), object(&name.replace(' ', "-"), expression))
    });
    let git = git.commit("expressions");

    let rendered = render(&git.application("shop").path("app"));

    assert_eq!(rendered.len(), expressions.len());
    for (index, (name, _)) in expressions.iter().enumerate() {
        let output = Command::new(&jsonnet).arg(git.path().join(format!("app/{index:02}.jsonnet"))).output();
        let output = output.expect("jsonnet can be started");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let expected: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(rendered[index], expected, "{name}");
    }
}

/// Libraries, external variables and arguments reach a program as with the official program's flags; the build environment
/// is filled into their values, and into nothing else.
#[test]
fn variables_and_libraries_are_given_as_argo_cd_gives_them() {
    let jsonnet = or_skip!(program("jsonnet"));
    let text = "local shop = import 'shop.libsonnet';\nlocal beside = import 'beside.libsonnet';\nfunction(colour, replicas=1)\n  [shop.map(std.extVar('team'), { colour: colour, beside: beside.where, text: importstr 'motd.txt', replicas: replicas }), shop.map('second', std.extVar('limits'))]\n";
    let git = TestRepo::new()
        .file("app/main.jsonnet", text)
        .file("app/beside.libsonnet", "{ where: 'in the folder' }")
        .file("lib/a/shop.libsonnet", "{ map(name, data):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name, namespace: 'shop' }, data: data + { lib: 'a' } } }")
        .file("lib/b/shop.libsonnet", "{ map(name, data):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name, namespace: 'shop' }, data: data + { lib: 'b' } } }")
        .file("lib/b/beside.libsonnet", "{ where: 'in the library' }")
        .file("lib/a/motd.txt", "$ARGOCD_APP_NAME\n")
        .commit("a library");
    let options = json!({"jsonnet": {
        "libs": ["lib/a", "lib/b", "vendor"],
        "extVars": [
            {"name": "team", "value": "of two with one name the last counts"},
            {"name": "team", "value": "$ARGOCD_APP_NAME-$$x-${HOME}"},
            {"name": "limits", "value": "{ cpu: 1 + 1 }", "code": true},
        ],
        "tlas": [
            {"name": "colour", "value": "red"},
            {"name": "colour", "value": "${ARGOCD_APP_SOURCE_PATH}"}, {"name": "replicas", "value": "1 + 2", "code": true},
        ],
    }});

    let rendered = render(&git.application("shop").path("app").source_field("directory", options));

    let mut official = Command::new(&jsonnet);
    official.current_dir(git.path()).args(["-J", "app", "-J", "lib/a", "-J", "lib/b", "-J", "vendor"]);
    official.args(["--ext-str", "team=shop-$x-", "--ext-code", "limits={ cpu: 1 + 1 }"]);
    official.args(["--tla-str", "colour=app", "--tla-code", "replicas=1 + 2", "app/main.jsonnet"]);
    let output = official.output().expect("jsonnet can be started");
    let expected: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json!(rendered), expected);
}

/// Lists of objects, `v1` Lists and YAML beside them, all in the order of their files.
#[test]
fn programs_and_manifests_share_a_folder() {
    let git = TestRepo::new()
        .file("1.yaml", config_map("one"))
        .file("2.jsonnet", format!("[{}, null, {}]", object("two", "1"), object("three", "2")))
        .file("3.jsonnet", format!("{{ apiVersion: 'v1', kind: 'List', items: [{}] }}", object("four", "1")))
        .file("4.json", r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "five"}}"#)
        .file("5.jsonnet", format!("{{ web: {{ config: {} }} }}", object("six", "1")))
        .file("6.libsonnet", "error 'a library is no program'")
        .commit("a mixture");

    let rendered = render(&git.application("shop"));

    let names: Vec<_> = rendered.iter().map(|object| object["metadata"]["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["one", "two", "three", "four", "five", "six"]);
}

/// A fault names the file, the line and what led there.
#[test]
fn a_fault_names_its_line() {
    let git = TestRepo::new()
        .file("app/web.jsonnet", "local lib = import '../lib.libsonnet';\n{ replicas: lib.replicas('web') }\n")
        .file("lib.libsonnet", "{\n  replicas(name):: { front: 2 }[name],\n}\n")
        .commit("a typo");

    insta::assert_snapshot!(trueup(["render", "-q"]).of(&git.application("shop").path("app")).exits(2), @r"
    --- stderr
      × shop: `app/web.jsonnet`: there is no field `web`
      ╰─▶ app/web.jsonnet:2: in a call
       ╭─[lib.libsonnet:2:20]
     1 │ {
     2 │   replicas(name):: { front: 2 }[name],
       ·                    ─────────┬────────
       ·                             ╰── here
     3 │ }
       ╰────
      help: run it alone with `jsonnet app/web.jsonnet`
    [exit 2]
    ");
}

/// Text that is no program, in the words of the line.
#[test]
fn a_text_that_is_no_program_names_its_place() {
    let git =
        TestRepo::new().file("app/web.jsonnet", "{\n  apiVersion: 'v1'\n  kind: 'ConfigMap',\n}\n").commit("a typo");

    insta::assert_snapshot!(trueup(["render", "-q"]).of(&git.application("shop").path("app")).exits(2), @r"
    --- stderr
      × shop: `app/web.jsonnet`: expected `(`, `,`, `.`, `[`, `{`, `}` or an operator, found `kind`
       ╭─[app/web.jsonnet:3:3]
     2 │   apiVersion: 'v1'
     3 │   kind: 'ConfigMap',
       ·   ──┬─
       ·     ╰── here
     4 │ }
       ╰────
      help: run it alone with `jsonnet app/web.jsonnet`
    [exit 2]
    ");
}

/// A repository is somebody else's: its programs read nothing of the machine that renders them.
#[test]
fn programs_read_nothing_outside_of_their_repository() {
    let cases = [
        ("an absolute path", "importstr '/etc/passwd'", "`/etc/passwd` points outside its repository"),
        (
            "a way up",
            "importstr '../../../../../../etc/passwd'",
            "`../../../../../../etc/passwd` points outside its repository",
        ),
        ("git's own files", "importstr '../.git/config'", "`../.git/config` points outside its repository"),
        ("an import", "import '/etc/hostname'", "`/etc/hostname` points outside its repository"),
        ("bytes", "importbin '/etc/hostname'", "`/etc/hostname` points outside its repository"),
        ("nothing", "import 'gone.libsonnet'", "no file `gone.libsonnet` to import"),
    ];
    for (name, expression, message) in cases {
        let git = TestRepo::new().file("app/a.jsonnet", object("a", expression)).commit(name);
        let working_tree = format!("{}={}", git.url(), git.path().display());
        let outcome = trueup(["render", "-q"])
            .argument("--repo")
            .argument(working_tree)
            .of(&git.application("shop").path("app"))
            .exits(2);
        assert!(outcome.stderr.contains(message), "{name}\n{}", outcome.transcript());
        assert!(!outcome.stderr.contains("root:"), "{name}\n{}", outcome.transcript());
    }
    let options = json!({"jsonnet": {"libs": ["../elsewhere"]}});
    let git = TestRepo::new().file("app/a.jsonnet", object("a", "1")).commit("a library outside");
    let outcome =
        trueup(["render", "-q"]).of(&git.application("shop").path("app").source_field("directory", options)).exits(2);
    assert!(outcome.stderr.contains("`directory.jsonnet.libs` names `../elsewhere`"), "{}", outcome.transcript());
}

/// A program that never ends, or takes all it can get, is one error; the other application is rendered.
#[test]
fn a_program_without_end_ends_alone() {
    let cases = [
        ("a call without end", "local f(n) = 1 + f(n + 1); f(0)".to_owned(), "60", "more than 10000 calls deep"),
        ("a value that needs itself", "local a = b, b = a; a".to_owned(), "60", "the value needs itself"),
        (
            "a loop without end",
            "std.foldl(function(a, i) std.foldl(function(b, j) b + j, std.range(1, 100000), a), std.range(1, 100000), 0)".to_owned(),
            "1",
            "`app/a.jsonnet` did not finish within 1 seconds",
        ),
        (
            "a text without end",
            "std.foldl(function(a, i) a + a, std.range(1, 60), 'text')".to_owned(),
            "60",
            "`app/a.jsonnet` used more than 1024 MiB of memory",
        ),
        ("brackets without end", "[".repeat(2_000_000), "60",
            "`app/a.jsonnet` used more than 1024 MiB of memory"),
    ];
    for (name, expression, seconds, message) in cases {
        let git = TestRepo::new()
            .file("app/a.jsonnet", object("a", &expression))
            .file("other/b.jsonnet", object("b", "1"))
            .commit(name);
        let broken = git.application("broken").path("app");
        let whole = git.application("whole").path("other");

        let outcome =
            trueup(["render", "-o", "json", "-q", "--render-timeout", seconds]).of(&broken).of(&whole).exits(2);

        assert!(outcome.stderr.contains(message), "{name}\n{}", outcome.transcript());
        assert_eq!(outcome.json()["items"][0]["metadata"]["name"], "b", "{name}");
    }
}

/// Argo CD registers no native functions, and what works here alone would fail there.
#[test]
fn native_functions_are_those_of_argo_cd_which_are_none() {
    let git = TestRepo::new().file("a.jsonnet", object("a", "std.native('parseYaml')('a: 1')")).commit("a native");
    let outcome = trueup(["render", "-q"]).of(&git.application("shop")).exits(2);
    assert!(outcome.stderr.contains("parseYaml"), "{}", outcome.transcript());
}
