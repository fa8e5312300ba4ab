//! A policy decides what Argo CD's server decides, question by question; a run is held to it, and what it writes is written down.

mod audit;
mod decisions;
mod globs;
mod oracle;
mod people;
mod whoami;
