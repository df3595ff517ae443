//! The service behind the doors, as it runs in the pods: it says what reached it, every copy of every header.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::http::call;

struct Echo {
    process: Child,
    port: u16,
}

impl Echo {
    fn start() -> Self {
        let root = env!("CARGO_MANIFEST_DIR");
        let python = Command::new("tools/python.sh").current_dir(root).output().expect("there is a Python");
        let python = String::from_utf8(python.stdout).expect("its path is text");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("it has an address").port();
        drop(listener);
        let process = Command::new(python.trim())
            .args(["-u", "istio/kind/mesh/echo.py", "blog", &port.to_string()])
            .current_dir(root)
            .stderr(Stdio::null())
            .spawn()
            .expect("Python can be run");
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "the service does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        Self { process, port }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn the_service_says_what_reached_it() {
    let echo = Echo::start();
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let request = call(method, "/blog/1;x?y=%2f")
            .header("host", "blog")
            .header("X-Tenant-ID", "one")
            .header("x-tenant-id", "two")
            .header("x_tenant_id", "three");
        let response = request.send(echo.port);
        assert_eq!((response.status, response.header("x-echo").as_deref()), (200, Some("blog")));
        let said = response.json();
        assert_eq!((said["method"].as_str(), said["path"].as_str()), (Some(method), Some("/blog/1;x?y=%2f")));
        let headers: Vec<(String, String)> =
            serde_json::from_value(said["headers"].clone()).expect("names and values");
        let tenants = headers.iter().filter(|(name, _)| name.ends_with("tenant-id") || name.contains("_"));
        let tenants: Vec<_> = tenants.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(tenants, [("x-tenant-id", "one"), ("x-tenant-id", "two"), ("x_tenant_id", "three")]);
    }
}
