//! Random templates from a grammar: mostly right, sometimes with an argument of the wrong kind. The same ones in every run.

/// xorshift64*.
pub(crate) struct Random(u64);

/// What an expression is meant to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Text,
    Int,
    Number,
    Bool,
    List,
    Map,
}

use Kind::{Any, Bool, Int, List, Map, Number, Text};

const KINDS: [Kind; 7] = [Any, Text, Int, Number, Bool, List, Map];

const LITERALS: [(Kind, &[&str]); 6] = [
    (Text, &[r#""a""#, r#""b-c""#, r#""""#, "`raw`", r#""x\ty""#, r#"" sp ace ""#, r#""é✓""#, r#""1""#, r#""2.50""#]),
    (Int, &["0", "1", "2", "3", "-1", "'a'", "0x10"]),
    (Number, &["1.5", "2.0", "-0.25", "1e3", "7", "1e6", "100000000.0"]),
    (Bool, &["true", "false"]),
    (List, &[".list", ".mixed", ".numbers", ".none", ".strings", ".ints", "$l", "(list)", ".nillist"]),
    (Map, &[".map", ".emptymap", ".map.c", "$m", "(dict)", ".nilmap"]),
];

const VALUES: [(Kind, &[&str]); 6] = [
    (Text, &[".name", ".empty", ".quoted", ".unicode", "$s", ".map.b", ".spaced", "$.name"]),
    (Int, &[".int", ".negative", "$i", ".zero"]),
    (Number, &[".float", ".whole", ".million", ".int64", ".uint", ".uint8", ".account", ".float32"]),
    (Bool, &[".yes", ".no"]),
    (List, &[".clusters", "$.list"]),
    (Map, &[".texts", "$.map"]),
];

const FUNCTIONS: [(&str, &[Kind], Kind); 136] = [
    ("print", &[Any, Any], Text),
    ("println", &[Any], Text),
    ("len", &[List], Int),
    ("len", &[Text], Int),
    ("index", &[List, Int], Any),
    ("index", &[Map, Text], Any),
    ("eq", &[Text, Text], Bool),
    ("eq", &[Int, Int], Bool),
    ("ne", &[Any, Any], Bool),
    ("lt", &[Int, Int], Bool),
    ("le", &[Text, Text], Bool),
    ("gt", &[Number, Number], Bool),
    ("ge", &[Int, Number], Bool),
    ("not", &[Any], Bool),
    ("and", &[Any, Any], Any),
    ("or", &[Any, Any, Any], Any),
    ("html", &[Any], Text),
    ("js", &[Text], Text),
    ("urlquery", &[Any], Text),
    ("upper", &[Text], Text),
    ("lower", &[Text], Text),
    ("title", &[Text], Text),
    ("untitle", &[Text], Text),
    ("trim", &[Text], Text),
    ("trunc", &[Int, Text], Text),
    ("abbrev", &[Int, Text], Text),
    ("substr", &[Int, Int, Text], Text),
    ("repeat", &[Int, Text], Text),
    ("trimAll", &[Text, Text], Text),
    ("trimSuffix", &[Text, Text], Text),
    ("trimPrefix", &[Text, Text], Text),
    ("nospace", &[Text], Text),
    ("initials", &[Text], Text),
    ("swapcase", &[Text], Text),
    ("snakecase", &[Text], Text),
    ("camelcase", &[Text], Text),
    ("kebabcase", &[Text], Text),
    ("wrap", &[Int, Text], Text),
    ("wrapWith", &[Int, Text, Text], Text),
    ("contains", &[Text, Text], Bool),
    ("hasPrefix", &[Text, Text], Bool),
    ("quote", &[Any], Text),
    ("squote", &[Any, Any], Text),
    ("cat", &[Any, Any], Text),
    ("indent", &[Int, Text], Text),
    ("nindent", &[Int, Text], Text),
    ("replace", &[Text, Text, Text], Text),
    ("plural", &[Text, Text, Int], Text),
    ("toString", &[Any], Text),
    ("split", &[Text, Text], Map),
    ("splitList", &[Text, Text], List),
    ("splitn", &[Text, Int, Text], Map),
    ("toStrings", &[List], List),
    ("join", &[Text, List], Text),
    ("sortAlpha", &[List], List),
    ("atoi", &[Text], Int),
    ("int", &[Any], Int),
    ("int64", &[Any], Number),
    ("float64", &[Any], Number),
    ("add", &[Number, Number, Any], Number),
    ("sub", &[Number, Number], Number),
    ("mul", &[Number, Number], Number),
    ("div", &[Number, Number], Number),
    ("mod", &[Number, Number], Number),
    ("addf", &[Number, Number], Number),
    ("subf", &[Number, Number], Number),
    ("mulf", &[Number, Number], Number),
    ("divf", &[Number, Number], Number),
    ("max", &[Number, Number], Number),
    ("minf", &[Number, Number], Number),
    ("ceil", &[Number], Number),
    ("floor", &[Number], Number),
    ("round", &[Number, Int], Number),
    ("seq", &[Int, Int], Text),
    ("until", &[Int], List),
    ("untilStep", &[Int, Int, Int], List),
    ("toDecimal", &[Any], Number),
    ("default", &[Any, Any], Any),
    ("empty", &[Any], Bool),
    ("coalesce", &[Any, Any, Any], Any),
    ("all", &[Any, Any], Bool),
    ("any", &[Any, Any], Bool),
    ("compact", &[List], List),
    ("ternary", &[Any, Any, Bool], Any),
    ("typeOf", &[Any], Text),
    ("kindOf", &[Any], Text),
    ("kindIs", &[Text, Any], Bool),
    ("deepEqual", &[Any, Any], Bool),
    ("dict", &[Text, Any, Text, Any], Map),
    ("get", &[Map, Text], Any),
    ("set", &[Map, Text, Any], Map),
    ("unset", &[Map, Text], Map),
    ("hasKey", &[Map, Text], Bool),
    ("pluck", &[Text, Map, Map], List),
    ("pick", &[Map, Text], Map),
    ("omit", &[Map, Text], Map),
    ("merge", &[Map, Map], Map),
    ("mergeOverwrite", &[Map, Map], Map),
    ("deepCopy", &[Any], Any),
    ("dig", &[Text, Any, Map], Any),
    ("dig", &[Text, Text, Any, Map], Any),
    ("list", &[Any, Any], List),
    ("append", &[List, Any], List),
    ("prepend", &[List, Any], List),
    ("first", &[List], Any),
    ("last", &[List], Any),
    ("rest", &[List], List),
    ("initial", &[List], List),
    ("reverse", &[List], List),
    ("uniq", &[List], List),
    ("without", &[List, Any], List),
    ("has", &[Any, List], Bool),
    ("slice", &[List, Int], List),
    ("concat", &[List, List], List),
    ("chunk", &[Int, List], List),
    ("b64enc", &[Text], Text),
    ("b64dec", &[Text], Text),
    ("b32dec", &[Text], Text),
    ("sha256sum", &[Text], Text),
    ("adler32sum", &[Text], Text),
    ("toJson", &[Any], Text),
    ("toPrettyJson", &[Any], Text),
    ("toRawJson", &[Any], Text),
    ("fromJson", &[Text], Any),
    ("base", &[Text], Text),
    ("dir", &[Text], Text),
    ("clean", &[Text], Text),
    ("ext", &[Text], Text),
    ("regexMatch", &[Text, Text], Bool),
    ("regexFind", &[Text, Text], Text),
    ("regexReplaceAll", &[Text, Text, Text], Text),
    ("regexSplit", &[Text, Text, Int], List),
    ("regexQuoteMeta", &[Text], Text),
    ("duration", &[Any], Text),
    ("durationRound", &[Text], Text),
    ("urlParse", &[Text], Map),
];

const CHANGING: [&str; 3] = ["set", "merge", "mergeOverwrite"];

const FORMATS: [&str; 14] =
    ["%v", "%s", "%d", "%q", "%x", "%5v|", "%-5s|", "%05d", "%.2f", "%T", "%t", "%+v", "%e", "%g-%v"];

const FIELDS: [&str; 12] = [
    ".missing",
    ".nothing",
    ".map.nil",
    ".name.x",
    ".map.c.d.e",
    ".map.nope.x",
    ".list.x",
    ".nothing.x",
    "$m.a",
    "$s.x",
    ".",
    "nil",
];

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next()).unwrap() % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn of_kind(&mut self, table: &[(Kind, &[&str])], kind: Kind) -> String {
        let fitting: Vec<&[&str]> =
            table.iter().filter(|(own, _)| kind == Any || *own == kind).map(|(_, texts)| *texts).collect();
        let texts = self.pick(&fitting);
        self.pick(texts).to_owned()
    }

    /// An expression that can stand as an argument.
    fn argument(&mut self, kind: Kind, depth: usize) -> String {
        let kind = if self.one_in(12) { self.pick(&KINDS) } else { kind };
        match self.below(8) {
            0..=1 => self.of_kind(&LITERALS, kind),
            2..=4 => self.of_kind(&VALUES, kind),
            5 if self.one_in(3) => self.pick(&FIELDS).to_owned(),
            _ if depth > 0 => format!("({})", self.pipeline(kind, depth - 1)),
            _ => self.of_kind(&VALUES, kind),
        }
    }

    fn call(&mut self, kind: Kind, depth: usize, leaves_last: bool) -> String {
        if self.one_in(10) {
            let format = self.pick(&FORMATS);
            return format!("printf {format:?} {}", self.argument(Any, depth));
        }
        let fitting: Vec<(&str, &[Kind], Kind)> =
            FUNCTIONS.iter().filter(|(_, _, result)| kind == Any || *result == kind).copied().collect();
        let (name, parameters, _) = self.pick(&fitting);
        if CHANGING.contains(&name) {
            return self.change(name);
        }
        let count = parameters.len() - usize::from(leaves_last);
        let mut text = name.to_owned();
        for parameter in &parameters[..count] {
            text.push(' ');
            text.push_str(&self.argument(*parameter, depth));
        }
        text
    }

    /// Changes a map, by nothing that could hold the map itself: Go has no end for that.
    fn change(&mut self, name: &str) -> String {
        let map = self.of_kind(&LITERALS, Map);
        let key = self.of_kind(&LITERALS, Text);
        let value = self.of_kind(&LITERALS, Number);
        match name {
            "set" => format!("set {map} {key} {value}"),
            _ => format!("{name} {map} (dict {key} {value} \"c\" (dict \"d\" {value}))"),
        }
    }

    fn pipeline(&mut self, kind: Kind, depth: usize) -> String {
        if self.one_in(3) {
            let first = self.argument(Any, depth);
            return format!("{first} | {}", self.call(kind, depth, true));
        }
        self.call(kind, depth, false)
    }

    fn statements(&mut self, depth: usize, in_range: bool) -> String {
        (0..=self.below(3)).map(|_| self.statement(depth, in_range)).collect()
    }

    fn statement(&mut self, depth: usize, in_range: bool) -> String {
        let inner = depth.saturating_sub(1);
        match self.below(if depth == 0 { 8 } else { 14 }) {
            0 => "text\n ".to_owned(),
            1 => format!("{{{{- {} -}}}}", self.pipeline(Any, 1)),
            2 => format!("{{{{ $i = {} }}}}", self.pipeline(Int, 1)),
            3 if in_range => "{{ if eq $i 2 }}{{ break }}{{ end }}".to_owned(),
            4 if in_range => "{{ if .x }}{{ continue }}{{ end }}".to_owned(),
            5 => format!("{{{{ template \"sub\" {} }}}}", self.argument(Any, 1)),
            3..8 => format!("{{{{ {} }}}};", self.pipeline(Any, 2)),
            8 => format!(
                "{{{{ if {} }}}}{}{{{{ else if {} }}}}{}{{{{ else }}}}{}{{{{ end }}}}",
                self.pipeline(Any, 1),
                self.statements(inner, in_range),
                self.pipeline(Bool, 1),
                self.statements(inner, in_range),
                self.statements(inner, in_range)
            ),
            9 => format!(
                "{{{{ with {} }}}}{}{{{{ else }}}}{}{{{{ end }}}}",
                self.argument(Any, 1),
                self.statements(inner, in_range),
                self.statements(inner, in_range)
            ),
            10 => format!(
                "{{{{ range $k, $v := {} }}}}{{{{ $k }}}}={{{{ $v }}}}{}{{{{ end }}}}",
                self.argument(List, 1),
                self.statements(inner, true)
            ),
            11 => format!(
                "{{{{ range {} }}}}{{{{ . }}}},{}{{{{ else }}}}{}{{{{ end }}}}",
                self.argument(Any, 1),
                self.statements(inner, true),
                self.statements(inner, in_range)
            ),
            12 => format!("{{{{ $x := {} }}}}{{{{ $x }}}}", self.pipeline(Any, 1)),
            _ => format!("{{{{ $_ := {} }}}}", self.change("set")),
        }
    }

    /// A whole template.
    pub(crate) fn template(&mut self) -> String {
        let start = "{{ $s := .name }}{{ $i := 1 }}{{ $l := list 1 \"b\" }}{{ $m := dict \"a\" 1 }}";
        let sub = "{{ define \"sub\" }}<{{ . }}|{{ $.x }}>{{ end }}";
        format!("{start}{sub}{}", self.statements(2, false))
    }
}
