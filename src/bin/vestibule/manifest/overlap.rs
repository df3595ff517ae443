//! Workloads that would have two doors: plugins add up, the first takes off what the second asks for.

use super::findings::Findings;
use super::object::has_labels;
use super::plugin::Plugin;
use super::stream::ROOT_NAMESPACE;

pub(crate) fn check(plugins: &[Plugin<'_>], findings: &mut Findings) {
    for (index, plugin) in plugins.iter().enumerate() {
        let is_like = |earlier: &&Plugin<'_>| earlier.door == plugin.door && meet(earlier, plugin);
        let Some(earlier) = plugins.iter().take(index).find(is_like).filter(|_| plugin.door.is_some()) else {
            continue;
        };
        let message = format!(
            "means workloads that have a door by {} already: the first takes off what the second asks for, and every request \
             is denied. Keep one, or give each a selector of its own",
            earlier.object.title()
        );
        findings.error(plugin.object, "spec.selector", message);
    }
}

/// Whether two plugins are for the same workloads, as far as they say.
pub(crate) fn meet(one: &Plugin<'_>, other: &Plugin<'_>) -> bool {
    let targets = |plugin: &Plugin<'_>| {
        plugin.target_refs().into_iter().map(|(_, target)| target.clone()).collect::<Vec<_>>()
    };
    let (ones, others) = (targets(one), targets(other));
    if !ones.is_empty() || !others.is_empty() {
        return one.object.namespace == other.object.namespace
            && ones.iter().any(|target| others.contains(target));
    }
    let is_meshs = |plugin: &Plugin<'_>| plugin.object.namespace == ROOT_NAMESPACE;
    let in_one_place = one.object.namespace == other.object.namespace || is_meshs(one) || is_meshs(other);
    // Where the labels of one are all among those of the other, its pods are the other's too.
    let is_within = |one: &Plugin<'_>, other: &Plugin<'_>| has_labels(one.labels(), other.labels());
    in_one_place && (is_within(one, other) || is_within(other, one))
}
