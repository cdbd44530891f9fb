//! Kubernetes: a kubeconfig whose user gets its tokens from this program.

pub mod args;
pub(crate) mod doctor;
pub(crate) mod exec_credential;
pub(crate) mod kubeconfig;
pub(crate) mod login;
pub(crate) mod plugin;
pub(crate) mod trust;
