//! Limits, hosts, and what a second user of this room needs.

use std::any::Any;
use std::cell::Cell;
use std::rc::Rc;

use super::*;

fn rendered(text: &str, dot: &Value, limits: TemplateLimits) -> Result<String, ErrorKind> {
    let mut templates = Templates::new(Functions::sprig()).limits(limits);
    templates.parse("t", text).map_err(|error| error.kind)?;
    let output = templates.execute("t", dot, &NoHost).map_err(|error| error.kind)?;
    Ok(String::from_utf8(output).unwrap())
}

/// A template from somebody else's repository cannot take the machine with it.
#[test]
fn a_template_that_wants_too_much_is_an_error() {
    let limits = TemplateLimits { steps: 100_000, depth: 100, output: 10_000, memory: 1_000_000 };
    let cases = [
        ("{{range 100000000}}{{end}}", Limit::Steps(100_000)),
        ("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}", Limit::Depth(100)),
        ("{{range 5000}}0123456789{{end}}", Limit::Output(10_000)),
        ("{{repeat 2000000000 \"x\"}}", Limit::Memory(1_000_000)),
        ("{{until 2000000000}}", Limit::Memory(1_000_000)),
        ("{{indent 2000000000 \"x\"}}", Limit::Memory(1_000_000)),
        ("{{seq 1 9000000000}}", Limit::Memory(1_000_000)),
        ("{{randAlpha 2000000000}}", Limit::Memory(1_000_000)),
        ("{{$s := \"xx\"}}{{range 60}}{{$s = print $s $s}}{{end}}", Limit::Memory(1_000_000)),
        ("{{$l := list}}{{range 60}}{{$l = concat $l $l (list 1)}}{{end}}", Limit::Memory(1_000_000)),
        ("{{uniq (until 20000)}}", Limit::Memory(1_000_000)),
        ("{{$d := dict}}{{$_ := set $d \"d\" $d}}{{$d}}", Limit::Depth(200)),
        ("{{$d := dict}}{{$_ := set $d \"d\" $d}}{{toJson $d}}", Limit::Depth(200)),
        ("{{$d := dict}}{{$_ := set $d \"d\" $d}}{{deepCopy $d}}", Limit::Depth(200)),
        (
            "{{$d := dict}}{{$_ := set $d \"d\" $d}}{{$e := dict}}{{$_ := set $e \"d\" $e}}{{deepEqual $d $e}}",
            Limit::Depth(200),
        ),
    ];
    for (text, limit) in cases {
        assert_eq!(rendered(text, &Value::Nil, limits), Err(ErrorKind::Limit(limit)), "{text}");
    }
}

/// Values that share their parts print as if they were copies; the text doubles with every level.
#[test]
fn shared_values_do_not_print_without_end() {
    let text = "{{$l := list 1}}{{range 60}}{{$l = list $l $l}}{{end}}{{$l}}";
    let limits = TemplateLimits { output: 1_000_000, ..TemplateLimits::default() };
    assert_eq!(rendered(text, &Value::Nil, limits), Err(ErrorKind::Limit(Limit::Output(1_000_000))));
}

#[test]
fn deep_parentheses_and_deep_actions_are_an_error() {
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(5_000), ")".repeat(5_000));
    let actions = format!("{}{}", "{{if true}}".repeat(5_000), "{{end}}".repeat(5_000));
    let alternatives = format!("{{{{if false}}}}{}{{{{end}}}}", "{{else if false}}".repeat(5_000));
    for text in [parentheses, actions, alternatives] {
        assert_eq!(rendered(&text, &Value::Nil, TemplateLimits::default()), Err(ErrorKind::Limit(Limit::Depth(200))));
    }
}

/// What the limits allow fits on the stack of a thread, without optimisation.
#[test]
fn the_depth_that_is_allowed_fits_on_the_stack() {
    let calls =
        "{{define \"a\"}}{{if gt . 0}}{{template \"a\" (int (sub . 1))}}{{end}}{{end}}{{template \"a\" 60}}done";
    assert_eq!(rendered(calls, &Value::Nil, TemplateLimits::default()).as_deref(), Ok("done"));
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(190), ")".repeat(190));
    assert_eq!(rendered(&parentheses, &Value::Nil, TemplateLimits::default()).as_deref(), Ok("1"));
    let prints = format!("{{{{ {}1{} }}}}", "print (".repeat(90), ")".repeat(90));
    assert_eq!(rendered(&prints, &Value::Nil, TemplateLimits::default()).as_deref(), Ok("1"));
    let ranges = format!("{}x{}", "{{range 1}}".repeat(190), "{{end}}".repeat(190));
    assert_eq!(rendered(&ranges, &Value::Nil, TemplateLimits::default()).as_deref(), Ok("x"));
}

/// A chain of a million maps is dropped one after the other.
#[test]
fn long_chains_of_maps_are_dropped_without_recursion() {
    let text = "{{$d := dict}}{{range 100000}}{{$d = dict \"d\" $d}}{{end}}done";
    assert_eq!(rendered(text, &Value::Nil, TemplateLimits::default()).as_deref(), Ok("done"));
}

/// A run that takes too long is asked to end.
#[test]
fn a_stopped_run_ends() {
    struct StopsAfter(Cell<u32>);
    impl Host for StopsAfter {
        fn is_stopped(&self) -> bool {
            self.0.set(self.0.get() + 1);
            self.0.get() > 3
        }
    }
    let mut templates = Templates::new(Functions::default());
    templates.parse("t", "{{range 100000000}}{{end}}").unwrap();
    let host = StopsAfter(Cell::new(0));
    let error = templates.execute("t", &Value::Nil, &host).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit(Limit::Stopped));
    assert_eq!(host.0.get(), 4);
}

/// An error knows its place, for those who show the text around it.
#[test]
fn an_error_names_its_line_and_column() {
    let mut templates = Templates::new(Functions::default());
    templates.parse("app.yaml", "one\n  {{ .name.first }}").unwrap();
    let dot = Value::map([("name".into(), Value::text("x"))]);
    let error = templates.execute("app.yaml", &dot, &NoHost).unwrap_err();
    assert_eq!((error.template.as_str(), error.line, error.column), ("app.yaml", 2, Some(10)));
    assert_eq!(error.cause, "can't evaluate field first in type interface {}");
    let error = templates.parse("bad.yaml", "one\n{{ nope }}").unwrap_err();
    assert_eq!((error.kind, error.line, error.column), (ErrorKind::Parse, 2, None));
    assert_eq!(error.to_string(), "template: bad.yaml:2: function \"nope\" not defined");
}

/// Helm's `.Files.Get "name"`: a value with a method that takes arguments.
#[test]
fn values_may_have_methods() {
    struct Files;
    impl GoObject for Files {
        fn type_name(&self) -> &'static str {
            "engine.files"
        }
        fn as_any(&self) -> &dyn Any {
            self
        }
        fn method(self: Rc<Self>, name: &str) -> Option<Function> {
            (name == "Get").then(|| {
                Function::bound(
                    &[Param::Text],
                    Rc::new(|_, args| Ok(Value::text([b"content of ", args.text(0)].concat()))),
                )
            })
        }
    }
    let dot = Value::map([("Files".into(), Value::Object(Rc::new(Files)))]);
    let text = "{{ .Files.Get \"a\" }} {{ \"b\" | .Files.Get | upper }}";
    assert_eq!(rendered(text, &dot, TemplateLimits::default()).as_deref(), Ok("content of a CONTENT OF B"));
    assert!(rendered("{{ .Files.Put 1 }}", &dot, TemplateLimits::default()).is_err());
}

/// Helm's `include`: a function that runs another template.
#[test]
fn a_function_may_run_a_named_template() {
    let mut functions = Functions::sprig();
    let include: Bound = Rc::new(|context, args| {
        let name = String::from_utf8_lossy(args.text(0)).into_owned();
        Ok(Value::Text(context.execute(&name, args.value(1).clone())?))
    });
    functions.add("include", Function::bound(&[Param::Text, Param::Any], include));
    let mut templates = Templates::new(functions);
    templates
        .parse("helpers", "{{ define \"labels\" }}app: {{ .name }}{{ end }}{{ define \"bad\" }}{{ .x.y.z }}{{ end }}")
        .unwrap();
    templates.parse("t", "{{ include \"labels\" . | upper }}").unwrap();
    let dot = Value::map([("name".into(), Value::text("web")), ("x".into(), Value::Nil)]);
    assert_eq!(templates.execute("t", &dot, &NoHost).unwrap(), b"APP: WEB");
    templates.parse("t", "{{ include \"bad\" . }}").unwrap();
    assert_eq!(
        templates.execute("t", &dot, &NoHost).unwrap_err().to_string(),
        "template: t:1:3: executing \"t\" at <include \"bad\" .>: error calling include: template: helpers:1:69: \
         executing \"bad\" at <.x.y.z>: nil pointer evaluating interface {}.y"
    );
}

/// The functions of sprig's documentation that are refused, each with arguments of the right types, and why.
const REFUSED: [(&str, &str, &str); 12] = [
    ("bcrypt", "\"a\"", "its result differs at each run"),
    ("htpasswd", "\"a\" \"b\"", "its result differs at each run"),
    ("genPrivateKey", "\"rsa\"", "its result differs at each run"),
    ("genCA", "\"a\" 365", "its result differs at each run"),
    ("genCAWithKey", "\"a\" 365 \"key\"", "its result differs at each run"),
    ("genSelfSignedCert", "\"a\" nil nil 365", "its result differs at each run"),
    ("genSelfSignedCertWithKey", "\"a\" nil nil 365 \"key\"", "its result differs at each run"),
    ("genSignedCert", "\"a\" nil nil 365 .ca", "its result differs at each run"),
    ("genSignedCertWithKey", "\"a\" nil nil 365 .ca \"key\"", "its result differs at each run"),
    ("encryptAES", "\"a\" \"b\"", "its result differs at each run"),
    ("decryptAES", "\"a\" \"b\"", "ciphers are not supported"),
    ("buildCustomCert", "\"a\" \"b\"", "certificates are not read"),
];

/// Argo CD and Helm leave these out: they read the environment, or ask the network.
const ABSENT: [&str; 3] = ["env", "expandenv", "getHostByName"];

/// What is refused says so, with its name and the reason, and is known to the parser.
#[test]
fn keys_certificates_and_ciphers_are_refused_by_name() {
    let dot = Value::map([("ca".into(), Value::Object(Rc::new(Certificate)))]);
    for (name, arguments, why) in REFUSED {
        let mut templates = Templates::new(Functions::sprig());
        templates.parse("t", &format!("{{{{ {name} {arguments} }}}}")).unwrap();
        let error = templates.execute("t", &dot, &NoHost).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}` is refused: {why}")), "{error}");
    }
}

struct Certificate;

impl GoObject for Certificate {
    fn type_name(&self) -> &'static str {
        "sprig.certificate"
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Every function of sprig v3.3.0 (`functions.go`, which has all names of its documentation) is done, refused or absent, and
/// each that is done stands in the tables that are compared with Go's own answers.
#[test]
fn every_function_of_sprig_is_accounted_for() {
    let names: Vec<&str> = include_str!("../../tests/it/gotemplate/sprig_functions.txt").lines().collect();
    assert_eq!(names.len(), 211);
    let functions = Functions::sprig();
    let compared = [
        include_str!("../../tests/it/gotemplate/sprig.txt"),
        include_str!("../../tests/it/gotemplate/templates.txt"),
        include_str!("../../tests/it/gotemplate/formats.txt"),
        include_str!("../../tests/it/gotemplate/mod.rs"),
    ]
    .concat();
    let compared: std::collections::BTreeSet<&str> =
        compared.split(|character: char| !character.is_alphanumeric() && character != '_').collect();
    for name in &names {
        let is_refused = REFUSED.iter().any(|(refused, ..)| refused == name);
        match functions.get(name) {
            None => assert!(ABSENT.contains(name), "{name} does not exist"),
            Some(_) => assert!(is_refused || compared.contains(name), "{name} is compared with nothing"),
        }
    }
    let ours: Vec<&str> = functions.names().filter(|name| !names.contains(name)).collect();
    assert_eq!(ours, Vec::<&str>::new(), "sprig has no such functions");
    let mut templates = Templates::new(functions);
    for name in ABSENT {
        let error = templates.parse("t", &format!("{{{{ {name} \"x\" }}}}")).unwrap_err();
        assert!(error.to_string().ends_with(&format!("function \"{name}\" not defined")), "{error}");
    }
}

/// Nothing that somebody types makes it panic.
#[test]
fn mangled_templates_do_not_panic() {
    let whole = include_str!("../../tests/it/gotemplate/templates.txt");
    let lines: Vec<&str> = whole.lines().filter(|line| !line.starts_with('#')).collect();
    let functions = Rc::new(Functions::sprig());
    let dot = Value::map([("name".into(), Value::text("x")), ("list".into(), Value::list(vec![Value::int(1)]))]);
    let mut state = 7_usize;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound.max(1)
    };
    let limits = TemplateLimits { steps: 10_000, depth: 50, output: 10_000, memory: 100_000 };
    for _ in 0..3_000 {
        let (one, other) = (lines[random(lines.len())], lines[random(lines.len())]);
        let cut = |text: &str, at: usize| text.chars().take(at).collect::<String>();
        let text = format!("{}{}", cut(one, random(one.chars().count() + 1)), cut(other, random(40)));
        let mut templates = Templates::sharing(Rc::clone(&functions)).limits(limits);
        if templates.parse("t", &text).is_ok() {
            let _ = templates.execute("t", &dot, &NoHost);
        }
    }
}
