//! Listeners and clusters in files that Envoy watches, so that a test can change them while Envoy runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::bootstrap::Bootstrap;

/// The two files. Envoy reads one again when another is moved over it.
pub struct LiveFiles {
    listeners: PathBuf,
    clusters: PathBuf,
}

impl LiveFiles {
    /// Moves a bootstrap's listeners and clusters into files, and leaves in it where they are.
    pub fn of(bootstrap: &Bootstrap) -> (Bootstrap, Self) {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("vestibule-live-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let files = Self { listeners: folder.join("listeners.json"), clusters: folder.join("clusters.json") };
        files.update(bootstrap);
        let mut live = bootstrap.clone();
        let document = live.document();
        document["node"] = json!({ "id": "vestibule-test", "cluster": "vestibule-test" });
        document["dynamic_resources"] = json!({
            "lds_config": { "path_config_source": { "path": files.listeners } },
            "cds_config": { "path_config_source": { "path": files.clusters } },
        });
        document["static_resources"] = json!({});
        (live, files)
    }

    /// Has Envoy use the listeners and clusters of this bootstrap from now on.
    pub fn update(&self, bootstrap: &Bootstrap) {
        let document = bootstrap.clone().document().clone();
        // Clusters first, as listeners lead to them.
        replace(&self.clusters, &document["static_resources"]["clusters"], "config.cluster.v3.Cluster");
        replace(&self.listeners, &document["static_resources"]["listeners"], "config.listener.v3.Listener");
    }
}

impl Drop for LiveFiles {
    fn drop(&mut self) {
        if let Some(folder) = self.listeners.parent() {
            // What is left is in a folder for what may be left.
            drop(fs::remove_dir_all(folder));
        }
    }
}

fn replace(path: &Path, resources: &Value, kind: &str) {
    let mut resources = resources.as_array().cloned().unwrap_or_default();
    for resource in &mut resources {
        resource["@type"] = json!(format!("type.googleapis.com/envoy.{kind}"));
    }
    // Envoy takes the same resources under another version for the same.
    let text = json!({ "version_info": "1", "resources": resources }).to_string();
    let next = path.with_extension("next");
    fs::write(&next, text).expect("a file can be written");
    fs::rename(&next, path).expect("a file can be moved");
}
