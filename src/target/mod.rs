//! One folder a target: its arguments, its request, its exchange, where its credential goes, `doctor`, `trust`.
//!
//! A wing uses the core and never another wing (`tests/layout.rs` checks it).

pub mod aws;
pub mod azure;
pub mod gcp;
pub mod kubernetes;
pub mod oauth;
pub mod vault;
