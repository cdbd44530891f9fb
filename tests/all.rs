//! All integration tests in one binary: a file a command, and `support` for what they share.

// A test that meets the unexpected ends right there.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

mod audit;
mod aws_exec;
mod aws_login;
mod aws_parallel;
mod aws_process;
mod aws_refusals;
mod aws_serve;
mod azure_login;
mod clocks;
mod completion;
mod credentials;
mod decode;
mod dev;
mod doctor;
mod error_format;
mod exchange;
mod exchange_replies;
mod faults;
mod foreign_hosts;
mod gcloud_token;
mod gcp_login;
mod hardening;
mod help;
mod hostile;
mod keep_fresh;
mod kubernetes;
mod last_lines;
mod layout;
mod local_files;
mod output;
mod pass_through;
mod platforms;
mod retries;
mod secrets;
mod security;
mod source;
mod source_ci;
mod source_given;
mod source_ona;
mod source_renewal;
mod tls;
mod token;
mod troubleshooting;
mod trust;
mod trust_subjects;
mod vault_helper;
mod vault_login;
mod vault_refusals;
mod vault_settings;
mod vault_tls;
mod verify;
