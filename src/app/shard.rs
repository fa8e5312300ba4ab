//! One part of a fleet: which of so many runs an application belongs to.
//!
//! In: `--shard INDEX/COUNT`, and an application's namespace and name. Out: whether it is in this part. Each application is in
//! exactly one of them, whatever other applications there are; with one part more, only those move that move to the new one.
//!
//! Rule: rendezvous hashing (Thaler and Ravishankar, 1998): of all parts the one with the highest hash has the application.

use std::fmt;

/// The part `index` of `count`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// More parts than any cluster runs pods for one job.
const MOST: u32 = 10_000;

impl Shard {
    /// Reads `INDEX/COUNT`; for `auto/COUNT` the index is that of a Job's pod, which Kubernetes counts from 0.
    pub fn parse(text: &str, completion_index: Option<&str>) -> Result<Self, String> {
        let expected = || format!("expected INDEX/COUNT, as in `2/3`, or `auto/3`; at most {MOST} parts");
        let (index, count) = text.split_once('/').ok_or_else(expected)?;
        let count: u32 = count.parse().map_err(|_error| expected())?;
        if count == 0 || count > MOST {
            return Err(expected());
        }
        let index: u32 = if index == "auto" {
            let index = completion_index.filter(|index| !index.is_empty()).ok_or(
                "`auto` needs the variable JOB_COMPLETION_INDEX, which Kubernetes sets in the pods of an Indexed Job",
            )?;
            let unread = |_error| format!("JOB_COMPLETION_INDEX is `{index}`, which is not a number");
            index.parse::<u32>().map_err(unread)?.saturating_add(1)
        } else {
            index.parse().map_err(|_error| expected())?
        };
        match index {
            0 => Err(format!(
                "shards are counted from 1, so the first is `1/{count}`; `auto/{count}` counts as Kubernetes does"
            )),
            index if index > count => Err(format!("shard {index} of {count} does not exist")),
            index => Ok(Self { index, count }),
        }
    }

    /// Whether an application is in this part.
    pub fn contains(self, namespace: &str, name: &str) -> bool {
        let weight = |index: u32| {
            let mut hasher = blake3::Hasher::new();
            for part in [namespace.as_bytes(), b"/", name.as_bytes(), b"/", &index.to_le_bytes()] {
                hasher.update(part);
            }
            *hasher.finalize().as_bytes()
        };
        (1..=self.count).max_by_key(|index| weight(*index)) == Some(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(count: u32, name: &str) -> u32 {
        let shards = (1..=count).map(|index| Shard { index, count });
        let owners: Vec<u32> = shards.filter(|shard| shard.contains("argocd", name)).map(|shard| shard.index).collect();
        assert_eq!(owners.len(), 1, "{name} of {count}: {owners:?}");
        owners[0]
    }

    #[test]
    fn every_application_is_in_exactly_one_part_of_about_its_share() {
        let names: Vec<String> = (0..3_000).map(|number| format!("app-{number}")).collect();
        let mut sizes = [0_usize; 3];
        for name in &names {
            sizes[owner(3, name) as usize - 1] += 1;
        }
        assert!(sizes.iter().all(|size| (900..=1_100).contains(size)), "{sizes:?}");
        // One part more: whoever moves, moves to the new part.
        let moved: Vec<u32> = names
            .iter()
            .map(|name| (owner(3, name), owner(4, name)))
            .filter(|(old, new)| old != new)
            .map(|it| it.1)
            .collect();
        assert!(moved.iter().all(|new| *new == 4), "{moved:?}");
        assert!((650..=850).contains(&moved.len()), "{}", moved.len());
    }

    #[test]
    fn a_part_is_written_as_people_count_and_as_kubernetes_does() {
        for (text, variable, expected) in [
            ("1/3", None, Ok("1/3")),
            ("3/3", Some("0"), Ok("3/3")),
            ("auto/3", Some("0"), Ok("1/3")),
            ("auto/3", Some("2"), Ok("3/3")),
            ("auto/3", Some("3"), Err("shard 4 of 3 does not exist")),
            ("auto/3", Some("x"), Err("which is not a number")),
            ("auto/3", None, Err("JOB_COMPLETION_INDEX")),
            ("0/3", None, Err("counted from 1")),
            ("4/3", None, Err("shard 4 of 3 does not exist")),
            ("1/0", None, Err("expected INDEX/COUNT")),
            ("1", None, Err("expected INDEX/COUNT")),
            ("a/b", None, Err("expected INDEX/COUNT")),
            ("1/10001", None, Err("at most 10000")),
        ] {
            match (Shard::parse(text, variable), expected) {
                (Ok(shard), Ok(expected)) => assert_eq!(shard.to_string(), expected, "{text}"),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{text}: {why}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
