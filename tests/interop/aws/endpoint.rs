//! Prints the STS endpoint for each case: settings as JSON on standard input, one case per line, and one answer per
//! line on standard output. The comparison with botocore runs it.
//!
//! A case is an object with `role` (the ARN) and settings by their AWS names; settings of the profile are in lower
//! case. `services` is the URL in the `services` section. An answer has `url` and `region`, or `error`.

use std::io::{self, BufRead as _, Write as _};

use gp_idp::target::aws::exchange::endpoint::Settings;
use gp_idp::target::aws::exchange::role::RoleArn;
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let answer = answer(&serde_json::from_str(&line?)?).unwrap_or_else(|error| json!({ "error": error }));
        writeln!(io::stdout(), "{answer}")?;
    }
    Ok(())
}

fn answer(case: &Value) -> Result<Value, String> {
    let mut settings = Settings::default();
    let mut role = Err("no role".to_owned());
    for (name, value) in case.as_object().into_iter().flatten() {
        let value = value.as_str().ok_or("not a string")?.to_owned();
        let field = match name.as_str() {
            "role" => {
                role = RoleArn::parse(&value).map_err(|error| error.to_string());
                continue;
            }
            "--region" => &mut settings.region.flag,
            "AWS_REGION" => &mut settings.region.aws_region,
            "AWS_DEFAULT_REGION" => &mut settings.region.aws_default_region,
            "region" => &mut settings.region.profile,
            "--endpoint-url" => &mut settings.url.flag,
            "AWS_ENDPOINT_URL_STS" => &mut settings.url.sts,
            "AWS_ENDPOINT_URL" => &mut settings.url.all,
            "services" => &mut settings.url.services,
            "endpoint_url" => &mut settings.url.profile,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" => &mut settings.ignore_configured_urls.env,
            "ignore_configured_endpoint_urls" => &mut settings.ignore_configured_urls.profile,
            "AWS_STS_REGIONAL_ENDPOINTS" => &mut settings.sts_regional.env,
            "sts_regional_endpoints" => &mut settings.sts_regional.profile,
            "AWS_USE_FIPS_ENDPOINT" => &mut settings.fips.env,
            "use_fips_endpoint" => &mut settings.fips.profile,
            "AWS_USE_DUALSTACK_ENDPOINT" => &mut settings.dual_stack.env,
            "use_dualstack_endpoint" => &mut settings.dual_stack.profile,
            other => return Err(format!("no setting is called {other}")),
        };
        *field = Some(value);
    }
    let endpoint = settings.resolve(&role?).map_err(|error| error.to_string())?;
    Ok(json!({ "url": endpoint.url.as_str(), "region": endpoint.region }))
}
