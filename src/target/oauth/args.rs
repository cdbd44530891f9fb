//! `gp idp exchange`, `gp idp exec exchange`

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{
    ChildArgs, Format, OUTPUT, SessionArgs, TOKEN, audience, format, non_empty, variable_name,
};

/// The flags of every command for a token endpoint.
#[derive(Debug, Clone, Args)]
pub struct TokenEndpointArgs {
    /// The token endpoint [env: IDP_TOKEN_ENDPOINT]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = non_empty, conflicts_with = "issuer")]
    pub token_endpoint: Option<String>,
    /// The issuer of the service
    ///
    /// With this flag, `gp` reads the token endpoint from the issuer's metadata.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = non_empty)]
    pub issuer: Option<String>,
    /// The ID token's `aud`
    ///
    /// Repeatable.
    ///
    /// [default: the value of `--issuer`, else the token endpoint]
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    /// How the ID token is used
    #[arg(long, value_enum, value_name = "GRANT", default_value_t = GrantName::TokenExchange, hide_short_help = true)]
    pub grant: GrantName,
    /// The service that the new token is for (`audience`, RFC 8693); repeatable
    #[arg(long, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub target_audience: Vec<String>,
    /// The URI of the service that the new token is for (`resource`, RFC 8707); repeatable
    #[arg(long, value_name = "URI", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub resource: Vec<String>,
    /// The scopes of the new token, separated by spaces
    #[arg(long, value_name = "SCOPES", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub scope: Option<String>,
    /// The declared type of the ID token: jwt, id_token, access_token, or a URI
    #[arg(long, value_name = "TYPE", value_hint = ValueHint::Other, default_value = "jwt", value_parser = non_empty, hide_short_help = true)]
    pub subject_token_type: String,
    /// The type of the new token: access_token, refresh_token, id_token, jwt, or a URI
    #[arg(long, value_name = "TYPE", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub requested_token_type: Option<String>,
    /// A file with the actor token (RFC 8693): the token of the party that acts for the subject
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub actor_token_file: Option<PathBuf>,
    /// The type of the actor token, with the values of `--subject-token-type`
    #[arg(long, value_name = "TYPE", value_hint = ValueHint::Other, default_value = "jwt", value_parser = non_empty, requires = "actor_token_file", hide_short_help = true)]
    pub actor_token_type: String,
    /// The ID of the client
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub client_id: Option<String>,
    /// A file with the secret of the client
    ///
    /// Without this flag, the value of `IDP_CLIENT_SECRET` is the secret.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub client_secret_file: Option<PathBuf>,
    /// How the client authenticates [default: basic with a secret, jwt for client-credentials, else none]
    #[arg(long, value_enum, value_name = "METHOD", hide_short_help = true)]
    pub client_auth: Option<ClientAuthName>,
    /// A parameter that is specific to the service; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub param: Vec<String>,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// How the ID token is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GrantName {
    /// RFC 8693: exchange the ID token for another token
    TokenExchange,
    /// RFC 7523: send the ID token as the grant
    JwtBearer,
    /// RFC 6749: send the ID token instead of the client's secret (RFC 7523 section 2.2)
    ClientCredentials,
}

/// How the client authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClientAuthName {
    /// No authentication; the client ID is sent if there is one
    None,
    /// Client ID and secret in the Authorization header
    Basic,
    /// Client ID and secret in the body
    Post,
    /// The ID token is sent as the client assertion
    Jwt,
}

/// How the new token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExchangeFormat {
    /// The token itself
    Token,
    /// An `Authorization: Bearer …` line
    Header,
    /// A JSON object with the members of the reply
    Json,
}

/// `gp idp exchange`
#[derive(Debug, Args)]
#[command(
    long_about = "The ID token is exchanged as in RFC 8693; `--grant` chooses another grant. Secrets come from files or from the environment, never from the command line.",
    after_help = "Examples:
  gp idp exchange --token-endpoint https://sts.example.com/token --audience sts
  gp idp exchange --issuer https://login.example.com --format header"
)]
pub struct ExchangeArgs {
    /// How the new token is printed
    #[arg(long, value_name = "FORMAT", value_parser = format::<ExchangeFormat>(), default_value = "token", help_heading = OUTPUT)]
    pub format: Format<ExchangeFormat>,
    /// The name of the variable, for the formats that print one
    #[arg(long = "env", value_name = "NAME", value_hint = ValueHint::Other, default_value = "ACCESS_TOKEN", value_parser = variable_name, hide_short_help = true, help_heading = OUTPUT)]
    pub variable: String,
    #[command(flatten)]
    pub endpoint: TokenEndpointArgs,
}

/// `gp idp exec exchange`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gp idp exec exchange --issuer https://login.example.com -- ./deploy.sh
  gp idp exec exchange --token-endpoint https://sts.example.com/token \\
    --audience sts --env API_TOKEN -- ./deploy.sh")]
pub struct ExecExchangeArgs {
    #[command(flatten)]
    pub endpoint: TokenEndpointArgs,
    /// The variable for the token
    #[arg(long = "env", value_name = "NAME", value_hint = ValueHint::Other, default_value = "ACCESS_TOKEN", value_parser = variable_name)]
    pub variable: String,
    #[command(flatten)]
    pub child: ChildArgs,
}
