//! Whether the filter's VM gets the variables that the configuration names, and no secret stands in the manifest.

use serde_json::Value;

use super::findings::Findings;
use super::object::text;
use super::plugin::Plugin;

/// The most that Istio takes.
const MOST: usize = 256;

pub(crate) fn check(plugin: &Plugin<'_>, findings: &mut Findings) {
    let object = plugin.object;
    let variables = plugin.list("/vmConfig/env");
    let path = |index: usize, field: &str| plugin.path(&format!("vmConfig.env[{index}]{field}"));
    if variables.len() > MOST {
        let message = format!("has {} variables, and Istio takes {MOST}: remove some", variables.len());
        findings.error(object, &plugin.path("vmConfig.env"), message);
    }
    // What the configuration names is known once it can be read.
    let secrets = plugin.outline.as_ref().map(|outline| outline.secrets());
    for (index, variable) in variables.iter().enumerate() {
        let Some(name) = text(variable, "/name").filter(|name| !name.is_empty()) else {
            findings.error(object, &path(index, ".name"), "is missing: name the variable, or remove it");
            continue;
        };
        if variables.iter().take(index).any(|earlier| text(earlier, "/name") == Some(name)) {
            findings.error(object, &path(index, ".name"), "is there already: remove one");
        }
        let has_value = variable.get("value").is_some_and(|value| !value.is_null());
        let is_secret = secrets.is_some_and(|secrets| secrets.iter().any(|(_, secret)| secret == name));
        match text(variable, "/valueFrom") {
            Some("HOST") if has_value => findings.error(
                object,
                &path(index, ".value"),
                "goes with no `valueFrom: HOST`, which takes it from the proxy's container: remove it, and if it was the \
                 secret, make a new one",
            ),
            Some("HOST") => {}
            None | Some("INLINE") if is_secret => findings.error(
                object,
                &path(index, ""),
                "holds a secret in the manifest, where whoever reads it has it: write `valueFrom: HOST`, give it to the \
                 proxy's container by a Secret, and make a new one",
            ),
            None | Some("INLINE") => {}
            Some(_) => findings.error(object, &path(index, ".valueFrom"), "is not HOST: write HOST"),
        }
        if secrets.is_some_and(|secrets| !secrets.iter().any(|(_, secret)| is_for(name, secret))) {
            findings.warn(
                object,
                &path(index, ".name"),
                "is named by no field of pluginConfig: remove it, or correct one of them",
            );
        }
    }
    for (place, secret) in secrets.into_iter().flatten() {
        if !variables.iter().any(|variable| text(variable, "/name") == Some(secret)) {
            findings.error(
                object,
                &plugin.path("vmConfig.env"),
                format!(
                    "has not the variable that pluginConfig.{place} names, so the filter would refuse to start: add \
                     `{{name: {secret}, valueFrom: HOST}}`"
                ),
            );
        }
    }
}

/// Whether a variable is this secret's, or the place of its successor, which is there before it is used: names
/// that differ in their last word.
fn is_for(variable: &str, secret: &str) -> bool {
    let stem = |name: &str| name.rsplit_once('_').map(|(stem, _)| stem.to_owned());
    variable == secret || (stem(variable).is_some() && stem(variable) == stem(secret))
}

/// Where the filter will find the value of this variable.
pub(crate) fn value_of(
    plugin: &Plugin<'_>,
    name: &str,
    process: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let variables = plugin.list("/vmConfig/env");
    let variable = variables.iter().find(|variable| text(variable, "/name") == Some(name))?;
    match text(variable, "/valueFrom") {
        Some("HOST") => process(name),
        Some(_) | None => variable.get("value").and_then(Value::as_str).map(str::to_owned),
    }
}
