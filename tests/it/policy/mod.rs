//! A policy decides what Argo CD's server decides, question by question.

mod decisions;
mod globs;
mod oracle;
