//! The content of a trust policy.

use serde::Serialize;

use super::document;
use super::error::PolicyError;
use super::operator::Operator;
use crate::json::Json;

/// A role's trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    /// Whether `${…}` in values are variables, as they are in version 2012-10-17.
    pub variables: bool,
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The name, if it has one.
    pub sid: Option<String>,
    /// The effect if everything in the statement matches.
    pub effect: Effect,
    pub principal: Principal,
    pub actions: Actions,
    /// The conditions, which must all hold.
    pub conditions: Vec<Condition>,
}

/// The effect of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Effect {
    Allow,
    /// Denies, even if other statements allow.
    Deny,
}

/// The principals of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// `"*"`
    Anyone,
    /// Kind and id of each, such as `Federated` and an ARN.
    Named(Vec<(String, String)>),
}

/// The actions of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// `Action`: one of these.
    OneOf(Vec<String>),
    /// `NotAction`: anything but these.
    AllBut(Vec<String>),
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub operator: Operator,
    pub key: String,
    /// The values that the key is compared with.
    pub values: Vec<String>,
}

impl TrustPolicy {
    /// Reads a trust policy: the document, or what `aws iam get-role` prints, URL-encoded or not.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let json = document::find(text)?;
        let variables = match json.get("Version").map(Json::as_str) {
            None => false,
            Some(Some(version)) if version == "2012-10-17" => true,
            Some(Some(version)) if version == "2008-10-17" => false,
            Some(_) => return Err(form("Version", "`2012-10-17`, or `2008-10-17`")),
        };
        let statements = match json.get("Statement") {
            Some(Json::Array(items)) if !items.is_empty() => {
                items.iter().enumerate().map(|(index, item)| Statement::read(item, index)).collect()
            }
            Some(single @ Json::Object(_)) => Statement::read(single, 0).map(|statement| vec![statement]),
            _ => Err(form("Statement", "an object, or an array with at least one")),
        };
        Ok(Self { variables, statements: statements? })
    }

    /// Host and path of each OIDC provider that a statement names, such as `app.gitpod.io`, in the order of the policy.
    pub fn oidc_providers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for statement in &self.statements {
            let Principal::Named(named) = &statement.principal else { continue };
            let federated = named.iter().filter(|(kind, _)| kind == "Federated");
            for (_, name) in federated.filter_map(|(_, id)| id.split_once(":oidc-provider/")) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

impl Statement {
    fn read(json: &Json, index: usize) -> Result<Self, PolicyError> {
        let path = format!("Statement[{index}]");
        let Json::Object(members) = json else { return Err(form(&path, "an object")) };
        for (member, _) in members {
            match member.as_str() {
                "Sid" | "Effect" | "Principal" | "Action" | "NotAction" | "Condition" => (),
                "NotPrincipal" => return Err(PolicyError::NotPrincipal { path }),
                _ => return Err(PolicyError::Member { path, member: member.clone() }),
            }
        }
        let required = |member| json.get(member).ok_or(PolicyError::Missing { path: path.clone(), member });
        let effect = match required("Effect")?.as_str().as_deref() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(form(&format!("{path}.Effect"), "`Allow` or `Deny`, spelled exactly like this")),
        };
        let actions = match json.get("NotAction") {
            Some(_) if json.get("Action").is_some() => {
                return Err(PolicyError::Both { path, member: "Action" });
            }
            Some(actions) => Actions::AllBut(strings(actions, &format!("{path}.NotAction"))?),
            None => Actions::OneOf(strings(required("Action")?, &format!("{path}.Action"))?),
        };
        Ok(Self {
            sid: json.get("Sid").and_then(Json::as_str),
            effect,
            principal: Principal::read(required("Principal")?, &format!("{path}.Principal"))?,
            actions,
            conditions: match json.get("Condition") {
                Some(block) => read_conditions(block, &format!("{path}.Condition"))?,
                None => Vec::new(),
            },
        })
    }
}

impl Principal {
    fn read(json: &Json, path: &str) -> Result<Self, PolicyError> {
        let Json::Object(members) = json else {
            return match json.as_str().as_deref() {
                Some("*") => Ok(Self::Anyone),
                _ => Err(form(path, "`\"*\"`, or an object like `{\"Federated\": \"arn:…\"}`")),
            };
        };
        let mut named = Vec::new();
        for (kind, ids) in members {
            let path = format!("{path}.{kind}");
            if !["AWS", "CanonicalUser", "Federated", "Service"].contains(&kind.as_str()) {
                return Err(form(
                    &path,
                    "one of AWS, CanonicalUser, Federated and Service, spelled exactly like this",
                ));
            }
            named.extend(strings(ids, &path)?.into_iter().map(|id| (kind.clone(), id)));
        }
        Ok(Self::Named(named))
    }
}

fn read_conditions(block: &Json, path: &str) -> Result<Vec<Condition>, PolicyError> {
    let Json::Object(operators) = block else {
        return Err(form(path, "an object of operators, like `{\"StringEquals\": {…}}`"));
    };
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let path = format!("{path}.{name}");
        let operator = Operator::parse(name)
            .ok_or_else(|| PolicyError::Operator { path: path.clone(), operator: name.clone() })?;
        let Json::Object(keys) = keys else {
            return Err(form(&path, "an object of keys and values"));
        };
        for (key, values) in keys {
            let values = strings(values, &format!("{path}.{key}"))?;
            conditions.push(Condition { operator: operator.clone(), key: key.clone(), values });
        }
    }
    Ok(conditions)
}

/// A string or a list of strings. Numbers and booleans need no quotation marks.
fn strings(json: &Json, path: &str) -> Result<Vec<String>, PolicyError> {
    let string = |json: &Json| match json {
        Json::Scalar(text) if text != "null" => Ok(json.as_str().unwrap_or_else(|| text.clone())),
        _ => Err(form(path, "a string, or an array of strings")),
    };
    match json {
        Json::Array(items) => items.iter().map(string).collect(),
        single => Ok(vec![string(single)?]),
    }
}

fn form(path: &str, form: &'static str) -> PolicyError {
    PolicyError::Form { path: path.to_owned(), form }
}
