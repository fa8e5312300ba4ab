//! One window: its times, and which applications it is for.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::cron::CronSchedule;
use crate::app::duration;
use crate::app::fault::Fault;
use crate::app::fields::Fields;
use crate::app::project_glob::ProjectGlob;
use crate::object::Origin;

/// Whether a window opens or closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// `allow`: outside of it nothing is synced.
    Allow,
    /// `deny`: within it nothing is synced.
    Deny,
}

impl WindowKind {
    /// As the manifest has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// An entry of `spec.syncWindows`.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncWindow {
    /// `kind`.
    pub kind: WindowKind,
    /// `schedule`: when it begins.
    pub schedule: CronSchedule,
    /// `duration`.
    pub duration: Duration,
    /// `duration`, as it was written.
    pub duration_text: String,
    /// `timeZone`; `UTC` when it is not given.
    pub zone_name: String,
    /// `applications`.
    pub applications: Vec<ProjectGlob>,
    /// `namespaces`.
    pub namespaces: Vec<ProjectGlob>,
    /// `clusters`.
    pub clusters: Vec<ProjectGlob>,
    /// `andOperator`: every list that is given has to match.
    pub needs_all: bool,
    /// `manualSync`: it does not hold for a sync that somebody started.
    pub manual_sync: bool,
    /// `syncOverrun`: a sync that began in time may end later.
    pub overrun: bool,
    /// `description`.
    pub description: String,
    /// Its line.
    pub origin: Origin,
    zone: TimeZone,
}

/// What a window is matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSubject<'a> {
    /// The application's name.
    pub application: &'a str,
    /// The namespace of its destination.
    pub namespace: &'a str,
    /// The name of its cluster, as the manifest has it.
    pub cluster: &'a str,
    /// The server of its cluster, as the manifest has it.
    pub server: &'a str,
}

impl SyncWindow {
    /// When the occurrence began that is open at a time: after its start, and before its end.
    pub fn began(&self, at: Timestamp) -> Option<Timestamp> {
        let duration = SignedDuration::try_from(self.duration).ok()?;
        self.schedule.next(at.checked_sub(duration).ok()?, &self.zone).filter(|began| *began < at)
    }

    /// Whether it is open at a time.
    pub fn is_active(&self, at: Timestamp) -> bool {
        self.began(at).is_some()
    }

    /// When it begins next.
    pub fn next_start(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.next(after, &self.zone)
    }

    /// When the occurrence that is open ends, though another one may follow.
    pub fn ends(&self, at: Timestamp) -> Option<Timestamp> {
        self.began(at)?.checked_add(SignedDuration::try_from(self.duration).ok()?).ok()
    }

    /// Its time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether it is for an application.
    pub fn matches(&self, subject: &WindowSubject<'_>) -> bool {
        // Where Argo CD would crash, a window that forbids a sync does forbid it.
        let is_unclear = self.kind == WindowKind::Deny;
        let is_match =
            |glob: &ProjectGlob, text: &str| glob.as_str() == "*" || glob.matches(text).unwrap_or(is_unclear);
        let any = |globs: &[ProjectGlob], text: &str| globs.iter().any(|glob| is_match(glob, text));
        let cluster = |globs: &[ProjectGlob]| {
            !subject.cluster.is_empty() && any(globs, subject.cluster)
                || !subject.server.is_empty() && any(globs, subject.server)
        };
        let lists = [
            (!self.applications.is_empty()).then(|| any(&self.applications, subject.application)),
            (!self.clusters.is_empty()).then(|| cluster(&self.clusters)),
            (!self.namespaces.is_empty()).then(|| any(&self.namespaces, subject.namespace)),
        ];
        let mut given = lists.into_iter().flatten().peekable();
        if self.needs_all {
            given.peek().is_some() && given.all(|matches| matches)
        } else {
            given.any(|matches| matches)
        }
    }

    /// As people call it: `deny window "0 22 * * *" for 8h (Europe/Berlin)`.
    pub fn shown(&self) -> String {
        let (kind, schedule, duration) = (self.kind.as_str(), &self.schedule, &self.duration_text);
        format!("{kind} window `{schedule}` for {duration} ({})", self.zone_name)
    }
}

/// The windows that are for an application.
pub fn matching(windows: &[Arc<SyncWindow>], subject: &WindowSubject<'_>) -> Vec<Arc<SyncWindow>> {
    windows.iter().filter(|window| window.matches(subject)).cloned().collect()
}

/// Decodes an entry; nothing where it has a fault.
pub(in crate::app) fn decode(mut fields: Fields<'_>, file: &Arc<str>) -> Option<SyncWindow> {
    let origin = Origin { file: Arc::clone(file), line: fields.line() };
    let kind = kind(&mut fields);
    let schedule = schedule(&mut fields);
    let duration_text = fields.required_text("duration");
    let duration = length(&fields, &duration_text);
    let zone = zone(&mut fields);
    let mut globs = |name| globs(&mut fields, name);
    let (applications, namespaces, clusters) = (globs("applications"), globs("namespaces"), globs("clusters"));
    if ["applications", "namespaces", "clusters"].iter().all(|list| !fields.is_given(list))
        || applications.is_empty() && namespaces.is_empty() && clusters.is_empty()
    {
        fields.fault(&Fault::WindowOfNothing { path: fields.shown() });
    }
    let (needs_all, manual_sync, overrun) =
        (fields.flag("andOperator"), fields.flag("manualSync"), fields.flag("syncOverrun"));
    let description = fields.text("description");
    fields.finish();
    let (zone_name, zone) = zone?;
    Some(SyncWindow {
        kind: kind?,
        schedule: schedule?,
        duration: duration?,
        duration_text,
        zone_name,
        applications,
        namespaces,
        clusters,
        needs_all,
        manual_sync,
        overrun,
        description,
        origin,
        zone,
    })
}

fn kind(fields: &mut Fields<'_>) -> Option<WindowKind> {
    match fields.required_text("kind").as_str() {
        "allow" => Some(WindowKind::Allow),
        "deny" => Some(WindowKind::Deny),
        value => {
            if fields.is_given("kind") {
                let fault = Fault::BadWindowKind { path: fields.shown_field("kind"), value: value.to_owned() };
                fields.fault_at("kind", &fault);
            }
            None
        }
    }
}

fn schedule(fields: &mut Fields<'_>) -> Option<CronSchedule> {
    let value = fields.required_text("schedule");
    let why = match CronSchedule::parse(&value) {
        Ok(schedule) => {
            if schedule.is_descriptor() {
                let fault = Fault::CronDescriptor { path: fields.shown_field("schedule"), value };
                fields.fault_at("schedule", &fault);
            }
            return Some(schedule);
        }
        Err(why) => why,
    };
    if fields.is_given("schedule") {
        fields.fault_at("schedule", &Fault::BadSchedule { path: fields.shown_field("schedule"), value, why });
    }
    None
}

fn length(fields: &Fields<'_>, value: &str) -> Option<Duration> {
    // Go reads no bare numbers here, only `0`.
    let is_number = value.parse::<i64>().is_ok_and(|number| number != 0);
    let why = match duration::parse(value) {
        Ok(duration) if !is_number => return Some(duration),
        Ok(_) => "it has no unit",
        Err(why) => why,
    };
    if fields.is_given("duration") {
        let path = fields.shown_field("duration");
        fields.fault_at("duration", &Fault::BadWindowLength { path, value: value.to_owned(), why });
    }
    None
}

fn zone(fields: &mut Fields<'_>) -> Option<(String, TimeZone)> {
    let value = fields.non_empty_text("timeZone").unwrap_or_else(|| "UTC".to_owned());
    match TimeZoneDatabase::bundled().get(&value) {
        Ok(zone) => Some((value, zone)),
        Err(_unknown) => {
            fields.fault_at("timeZone", &Fault::BadTimeZone { path: fields.shown_field("timeZone"), value });
            None
        }
    }
}

fn globs(fields: &mut Fields<'_>, name: &'static str) -> Vec<ProjectGlob> {
    let mut globs = Vec::new();
    for (index, pattern) in fields.texts_with_index(name) {
        match ProjectGlob::new(&pattern, &[]) {
            Ok(glob) => globs.push(glob),
            Err(error) => {
                let path = format!("{}[{index}]", fields.shown_field(name));
                fields.fault_at_item(name, index, &Fault::NoProjectGlob { path, pattern, why: error });
            }
        }
    }
    globs
}
