//! Filters in files that Envoy watches: extension configuration discovery, by which Istio delivers a
//! `WasmPlugin`. A new configuration takes over between two requests, and no connection is closed for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::bootstrap::Bootstrap;

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// One file for each listener's filter.
pub struct LiveFilters {
    folder: PathBuf,
}

impl LiveFilters {
    /// Moves the filters of these listeners into files, and leaves in the bootstrap where they are.
    pub fn of(bootstrap: &Bootstrap, listeners: &[&str]) -> (Bootstrap, Self) {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("vestibule-filters-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let filters = Self { folder };
        let mut live = bootstrap.clone();
        // Without a node's name Envoy discovers nothing.
        live.document()["node"] = json!({ "id": "vestibule-test", "cluster": "vestibule-test" });
        for listener in listeners {
            filters.update(bootstrap, listener);
            let path = filters.file(listener);
            let filter = filter_of(live.connection_manager(listener));
            *filter = json!({ "name": listener, "config_discovery": {
                "config_source": { "path_config_source": { "path": path }, "resource_api_version": "V3" },
                "type_urls": [WASM],
            } });
        }
        (live, filters)
    }

    /// Has Envoy use this bootstrap's filter of this listener from now on.
    pub fn update(&self, bootstrap: &Bootstrap, listener: &str) {
        let mut bootstrap = bootstrap.clone();
        let filter = filter_of(bootstrap.connection_manager(listener)).clone();
        let resource = json!({
            "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            "name": listener, "typed_config": filter["typed_config"],
        });
        let path = self.file(listener);
        let next = path.with_extension("next");
        let text = json!({ "version_info": "1", "resources": [resource] }).to_string();
        fs::write(&next, text).expect("a file can be written");
        // Envoy reads the file again when another is moved over it.
        fs::rename(&next, &path).expect("a file can be moved");
    }

    fn file(&self, listener: &str) -> PathBuf {
        Path::new(&self.folder).join(format!("{listener}.json"))
    }
}

impl Drop for LiveFilters {
    fn drop(&mut self) {
        // What is left is in a folder for what may be left.
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn filter_of(manager: &mut Value) -> &mut Value {
    let filters = manager["http_filters"].as_array_mut().expect("a listener has filters");
    filters.iter_mut().find(|filter| filter["name"] == "vestibule").expect("a door has a plugin")
}
