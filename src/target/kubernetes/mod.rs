//! Kubernetes: a kubeconfig whose user gets its tokens from this program.

pub mod args;
pub(crate) mod doctor;
pub mod exec_credential;
pub mod kubeconfig;
pub(crate) mod login;
pub mod trust;
