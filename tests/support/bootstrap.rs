//! The files in `envoy/`, changed where a test or the demo must change them: ports, the module's path,
//! configurations, routes.
//!
//! Tests start from the very files that readers start from, so what holds here holds there.

mod tls;

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use serde_json::{Value, json};

use super::version;
pub use tls::{Clients, Server, cluster_of_caller};

/// An Envoy bootstrap.
#[derive(Clone, Debug)]
pub struct Bootstrap(Value);

impl Bootstrap {
    /// A file of `envoy/`, with the module under test, free ports of this machine and certificates of this
    /// run ([`super::certificates::of_this_run`]), as the Envoy under test can have it.
    ///
    /// # Panics
    /// Where the tests were not started through `make test`, which says where the module is.
    pub fn of(file: &str) -> Self {
        let mut bootstrap = Self::as_it_stands(file).with_module("VESTIBULE_WASM").with_certificates();
        bootstrap.0["admin"]["address"]["socket_address"]["port_value"] = json!(0);
        for listener in bootstrap.listeners() {
            *port_of(listener) = json!(0);
        }
        for plugin in bootstrap.plugin_names() {
            let mut configuration = bootstrap.configuration(&plugin);
            if configuration.get("entrances").is_some() {
                version::rely_on_listener(&mut configuration);
                bootstrap = bootstrap.configure(&plugin, &configuration);
            }
        }
        bootstrap
    }

    /// The outer door's file with the probe (`tests/probe`) in the door's place.
    pub fn of_probe() -> Self {
        let mut bootstrap = Self::of("outer.yaml").with_module("VESTIBULE_PROBE");
        for plugin in bootstrap.plugins() {
            plugin["allow_on_headers_stop_iteration"] = json!(true);
        }
        bootstrap
    }

    /// The same, run by the module that leaves signatures to Envoy.
    pub fn by_host_module(self) -> Self {
        self.with_module("VESTIBULE_HOST_WASM")
    }

    fn with_module(mut self, variable: &str) -> Self {
        let module =
            std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `make test`"));
        for plugin in self.plugins() {
            plugin["vm_config"]["code"]["local"]["filename"] = json!(module);
        }
        self
    }

    /// A file of `envoy/`.
    pub fn as_it_stands(file: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy").join(file);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The document.
    pub fn to_json(&self) -> String {
        self.0.to_string()
    }

    /// The document, for what no other function here changes.
    pub fn document(&mut self) -> &mut Value {
        &mut self.0
    }

    /// The names of the filters' plugins, in order of their listeners.
    pub fn plugin_names(&mut self) -> Vec<String> {
        self.plugins().iter().map(|plugin| plugin["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The configuration of this plugin.
    pub fn configuration(&mut self, plugin: &str) -> Value {
        let text = self.plugin(plugin)["configuration"]["value"].clone();
        serde_json::from_str(text.as_str().unwrap_or_default()).expect("a plugin's configuration is JSON")
    }

    /// Gives this plugin another configuration.
    pub fn configure(mut self, plugin: &str, configuration: &Value) -> Self {
        self.plugin(plugin)["configuration"]["value"] = json!(configuration.to_string());
        self
    }

    /// Gives this plugin a configuration as text, which need not be JSON.
    pub fn configure_text(mut self, plugin: &str, text: &str) -> Self {
        self.plugin(plugin)["configuration"]["value"] = json!(text);
        self
    }

    /// Which variables of Envoy's environment this plugin can see.
    pub fn environment<'n>(mut self, plugin: &str, names: impl Iterator<Item = &'n String>) -> Self {
        self.plugin(plugin)["vm_config"]["environment_variables"] =
            json!({ "host_env_keys": names.collect::<Vec<_>>() });
        self
    }

    /// Gives every listener a port that nobody listens on, and leads the clusters of the same names there,
    /// and those of its callers.
    pub fn on_free_ports(mut self) -> Self {
        // Held together until all are known, so that they differ.
        let held: Vec<(String, TcpListener)> = self
            .listener_names()
            .into_iter()
            .map(|name| {
                (name, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port"))
            })
            .collect();
        for (name, listener) in held {
            let port = listener.local_addr().expect("a bound socket has an address").port();
            self = self.listen(&name, port);
            for cluster in self.clusters() {
                let leads_there = tls::destination(cluster["name"].as_str().unwrap_or_default()) == name;
                if leads_there {
                    lead(cluster, port);
                }
            }
        }
        self
    }

    /// Moves a listener.
    pub fn listen(mut self, listener: &str, port: u16) -> Self {
        *port_of(self.listener(listener)) = json!(port);
        self
    }

    /// Gives a listener this traffic direction, or none.
    pub fn direct(mut self, listener: &str, direction: Option<&str>) -> Self {
        let listener = self.listener(listener).as_object_mut().expect("a listener is an object");
        match direction {
            Some(direction) => listener.insert("traffic_direction".into(), json!(direction)),
            None => listener.remove("traffic_direction"),
        };
        self
    }

    /// Where a cluster's only endpoint is; makes the cluster if it is not there.
    pub fn cluster(mut self, name: &str, port: u16) -> Self {
        let clusters = self.clusters();
        clusters.retain(|cluster| cluster["name"] != name);
        let mut cluster = json!({ "name": name, "type": "STATIC", "connect_timeout": "1s" });
        lead(&mut cluster, port);
        clusters.push(cluster);
        self
    }

    /// Without this cluster.
    pub fn remove_cluster(mut self, name: &str) -> Self {
        self.clusters().retain(|cluster| cluster["name"] != name);
        self
    }

    /// With nobody in this cluster.
    pub fn without_endpoints(mut self, name: &str) -> Self {
        self.cluster_named(name)["load_assignment"]["endpoints"] = json!([]);
        self
    }

    /// The protocol options of a cluster.
    pub fn cluster_options(&mut self, name: &str, options: Value) {
        self.cluster_named(name)["typed_extension_protocol_options"] = options;
    }

    /// Puts the filter of this plugin, as it is now, into a cluster too: what is sent there meets it again.
    pub fn filter_upstream(mut self, plugin: &str, cluster: &str) -> Self {
        let config = self.plugin(plugin).clone();
        let wasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
        let codec = "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec";
        let options = json!({
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http_protocol_options": {} },
            "http_filters": [
                { "name": "vestibule", "typed_config": { "@type": wasm, "config": config } },
                { "name": "envoy.filters.http.upstream_codec", "typed_config": { "@type": codec } },
            ],
        });
        let options = json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options });
        self.cluster_options(cluster, options);
        self
    }

    /// Sends everything that a listener takes to this cluster.
    pub fn route(mut self, listener: &str, cluster: &str) -> Self {
        let routes = &mut self.connection_manager(listener)["route_config"]["virtual_hosts"][0]["routes"];
        *routes = json!([{ "match": { "prefix": "/" }, "route": { "cluster": cluster } }]);
        self
    }

    /// Sends paths with this prefix to another cluster.
    pub fn route_prefix(mut self, listener: &str, prefix: &str, cluster: &str) -> Self {
        let routes = &mut self.connection_manager(listener)["route_config"]["virtual_hosts"][0]["routes"];
        let routes = routes.as_array_mut().expect("a listener has routes");
        routes.insert(0, json!({ "match": { "prefix": prefix }, "route": { "cluster": cluster } }));
        self
    }

    /// A copy of a listener and its plugin under new names, with this configuration and everything sent to
    /// this cluster.
    pub fn copy_listener(mut self, listener: &str, copy: &str, configuration: &Value, cluster: &str) -> Self {
        let mut listener = self.listener(listener).clone();
        listener["name"] = json!(copy);
        self.listeners().push(listener);
        let manager = self.connection_manager(copy);
        manager["stat_prefix"] = json!(copy);
        plugin_of(manager).expect("a door has a plugin")["name"] = json!(copy);
        self.configure(copy, configuration).route(copy, cluster)
    }

    /// A listener in front of this one, without a plugin, that reaches it over HTTP/2, so that the requests
    /// of many clients share a connection there. It passes on upgrades and trailers as this one does. All
    /// listeners get ports of their own.
    pub fn behind_http2(mut self, listener: &str, front: &str) -> Self {
        let mut copy = self.listener(listener).clone();
        copy["name"] = json!(front);
        self.listeners().push(copy);
        self.connection_manager(front)["stat_prefix"] = json!(front);
        let bootstrap = self.without_plugin(front).route(front, listener);
        bootstrap.cluster(listener, 0).on_free_ports().with_http2(listener)
    }

    /// With this cluster reached over HTTP/2.
    pub fn with_http2(mut self, cluster: &str) -> Self {
        self.cluster_options(
            cluster,
            json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": { "http2_protocol_options": { "allow_connect": true } },
            } }),
        );
        self
    }

    /// With nothing at this listener but Envoy itself.
    pub fn without_plugin(mut self, listener: &str) -> Self {
        let filters = self.connection_manager(listener)["http_filters"].as_array_mut();
        filters.expect("a listener has filters").retain(|filter| filter["name"] != "vestibule");
        self
    }

    /// Without this listener.
    pub fn remove_listener(mut self, listener: &str) -> Self {
        self.listeners().retain(|entry| entry["name"] != listener);
        self
    }

    /// The HTTP connection manager of a listener.
    pub fn connection_manager(&mut self, listener: &str) -> &mut Value {
        manager_of(self.listener(listener))
    }

    /// The listeners' names.
    pub fn listener_names(&mut self) -> Vec<String> {
        self.listeners()
            .iter()
            .map(|listener| listener["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn listeners(&mut self) -> &mut Vec<Value> {
        self.0["static_resources"]["listeners"].as_array_mut().expect("a bootstrap has listeners")
    }

    fn clusters(&mut self) -> &mut Vec<Value> {
        self.0["static_resources"]["clusters"].as_array_mut().expect("a bootstrap has clusters")
    }

    fn cluster_named(&mut self, name: &str) -> &mut Value {
        let cluster = self.clusters().iter_mut().find(|cluster| cluster["name"] == name);
        cluster.unwrap_or_else(|| panic!("there is no cluster {name}"))
    }

    fn listener(&mut self, name: &str) -> &mut Value {
        let listener = self.listeners().iter_mut().find(|listener| listener["name"] == name);
        listener.unwrap_or_else(|| panic!("there is no listener {name}"))
    }

    fn plugins(&mut self) -> Vec<&mut Value> {
        self.listeners().iter_mut().filter_map(|listener| plugin_of(manager_of(listener))).collect()
    }

    fn plugin(&mut self, name: &str) -> &mut Value {
        let plugin = self.plugins().into_iter().find(|plugin| plugin["name"] == name);
        plugin.unwrap_or_else(|| panic!("there is no plugin {name}"))
    }
}

fn port_of(listener: &mut Value) -> &mut Value {
    &mut listener["address"]["socket_address"]["port_value"]
}

/// Makes a port of this machine a cluster's only endpoint.
fn lead(cluster: &mut Value, port: u16) {
    let address = json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    cluster["load_assignment"] = json!({
        "cluster_name": cluster["name"],
        "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address } }] }],
    });
}

fn manager_of(listener: &mut Value) -> &mut Value {
    &mut listener["filter_chains"][0]["filters"][0]["typed_config"]
}

fn plugin_of(manager: &mut Value) -> Option<&mut Value> {
    let filters = manager["http_filters"].as_array_mut()?;
    filters
        .iter_mut()
        .find(|filter| filter["name"] == "vestibule")
        .map(|filter| &mut filter["typed_config"]["config"])
}
