//! What trueup prints as YAML is one value to every reader: kubectl's YAML 1.1, and YAML 1.2.

use serde_json::{Map, Value, json};
use trueup::object::yaml::write;

use super::corpus::{Random, scalars};
use crate::harness::{TestCluster, TestRepo, folder_with, or_skip, trueup};

/// Texts that one of the two versions takes for something else, and those that writers of YAML get wrong.
const TRICKY: [&str; 44] = [
    "no",
    "NO",
    "yes",
    "on",
    "off",
    "y",
    "n",
    "~",
    "null",
    "Null",
    "true",
    "1e3",
    "1E+3",
    "0o17",
    "017",
    "0017",
    "08",
    "0x1f",
    "0b11",
    "1_000",
    "1:30",
    "190:20:30",
    "12:30:45.5",
    "2001-12-14",
    "2001-12-14T21:59:43.10-05:00",
    ".5",
    "5.",
    ".inf",
    "-.INF",
    ".nan",
    "+1",
    "-0",
    "=",
    "<<",
    "",
    " ",
    "a\tb",
    "\ttab",
    "a: b",
    "a #b",
    "😀 done",
    "- a",
    "trailing \nblank\n",
    "\u{feff}mark",
];

fn strings() -> Vec<String> {
    let long = ["word ".repeat(60).trim_end().to_owned(), "x".repeat(300), format!("{}\nb", "y ".repeat(100))];
    let scalars = scalars().into_iter().map(|case| case.name.split(" in ").next().unwrap_or("").to_owned());
    TRICKY.iter().map(|text| (*text).to_owned()).chain(long).chain(scalars.take(96)).collect()
}

/// A value of any shape whose texts are tricky or random.
fn random_value(random: &mut Random, strings: &[String], depth: usize) -> Value {
    const LETTERS: [&str; 16] = ["a", "1", "0", ".", ":", "-", " ", "#", "e", "\n", "\t", "é", "😀", "'", "\"", "_"];
    let text = |random: &mut Random| {
        if random.below(2) == 0 {
            return strings[random.below(strings.len())].clone();
        }
        let length = random.below(7);
        (0..length).map(|_| LETTERS[random.below(LETTERS.len())]).collect()
    };
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.below(2) == 0),
        2 => json!(i64::try_from(random.below(1 << 40)).unwrap() - (1 << 39)),
        3 => json!(f64::from(u32::try_from(random.below(1 << 20)).unwrap()) / 1024.0 + 0.25 / 1024.0),
        4 | 5 => Value::String(text(random)),
        6 => (0..random.below(4)).map(|_| random_value(random, strings, depth - 1)).collect(),
        _ => {
            let entries = (0..random.below(4)).map(|_| (text(random), random_value(random, strings, depth - 1)));
            Value::Object(entries.collect::<Vec<_>>().into_iter().collect::<Map<String, Value>>())
        }
    }
}

fn values() -> Vec<Value> {
    let strings = strings();
    let mut random = Random(3);
    let mut values: Vec<Value> =
        strings.iter().map(|text| json!({ "text": text, text.as_str(): [text, {"a": text}] })).collect();
    values.extend((0..3_000).map(|_| json!({ "value": random_value(&mut random, &strings, 4) })));
    values
}

/// As a reader of YAML 1.2 takes it.
fn in_yaml_1_2(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Whoever reads a report or rendered manifests with a tool of their own, in Python, Go or Rust.
#[test]
fn what_is_written_reads_as_the_same_value_in_yaml_1_2() {
    for value in values() {
        let written = write(&value);
        assert_eq!(in_yaml_1_2(&written), value, "{written}");
    }
}

/// The real kubectl, on its own way from a file to the API server.
#[test]
fn what_is_written_reads_as_the_same_value_in_the_real_kubectl() {
    let cluster = or_skip!(TestCluster::namespace());
    let strings = strings();
    let map = |(index, text): (usize, &String)| {
        let data = json!({ "a": text, "nested": write(&json!({ "b": [text] })) });
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("c{index}")}, "data": data})
    };
    let maps: Vec<Value> = strings.iter().enumerate().map(map).collect();
    let stream = maps.iter().map(write).collect::<Vec<_>>().join("---\n");
    let arguments = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"];
    let output = cluster.try_kubectl(cluster.kubeconfig(), &arguments, &stream);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // kubectl prints one object after the other.
    let read: Vec<Value> =
        serde_json::Deserializer::from_slice(&output.stdout).into_iter().map(Result::unwrap).collect();
    let read: Vec<&Value> = match &read[..] {
        [list] if list["kind"] == "List" => list["items"].as_array().unwrap().iter().collect(),
        objects => objects.iter().collect(),
    };
    assert_eq!(read.len(), maps.len());
    for (read, map) in read.into_iter().zip(&maps) {
        assert_eq!(read["data"], map["data"]);
    }
}

/// Manifests, reports, suggestions and plans of an Application whose values are all that is tricky.
#[test]
fn what_each_command_prints_reads_alike_in_both_versions() {
    let data: Map<String, Value> =
        strings().into_iter().enumerate().map(|(index, text)| (format!("k{index}"), json!(text))).collect();
    let map = |name: &str, data: &Map<String, Value>| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data});
    let mut changed = data.clone();
    for value in changed.values_mut() {
        *value = json!(format!("{} and more", value.as_str().unwrap()));
    }
    // JSON is YAML, and no writer of ours had a hand in it.
    let git = TestRepo::new().file("a.yaml", map("a", &data)).file("new.yaml", map("new", &data)).commit("tricky");
    let live = folder_with([("a.json", &map("a", &changed))]);
    let shop = git.application("shop");

    let rendered = trueup(["render", "-q"]).of(&shop).exits(0).stdout;
    let documents: Vec<Value> = rendered.split("---\n").filter(|text| !text.is_empty()).map(in_yaml_1_2).collect();
    assert_eq!(documents.iter().map(|document| &document["data"]).collect::<Vec<_>>(), [&json!(data), &json!(data)]);

    let report = |format: &str| trueup(["diff", "-q", "-o", format]).live(live.path()).of(&shop).exits(1).stdout;
    let json: Value = serde_json::from_str(&report("json")).unwrap();
    assert_eq!(in_yaml_1_2(&report("yaml"))["applications"], json["applications"]);

    // The missing object is a fence of added lines.
    let markdown = report("markdown");
    let fence = markdown.split("```diff\n").find(|fence| fence.starts_with("+ apiVersion")).expect("it is there");
    let lines = fence.lines().take_while(|line| !line.starts_with("```") && !line.starts_with('…'));
    let shown: String = lines.map(|line| line.get(2..).unwrap_or("").to_owned() + "\n").collect();
    let shown = in_yaml_1_2(&shown);
    assert_eq!(shown["metadata"]["name"], "new");
    for (key, value) in shown["data"].as_object().unwrap() {
        assert_eq!(Some(value), data.get(key), "{key}");
    }

    let suggested = trueup(["diff", "-q", "--suggest-ignores"]).live(live.path()).of(&shop).exits(1).stdout;
    assert!(in_yaml_1_2(&suggested)["ignoreDifferences"].is_array(), "{suggested}");
}
