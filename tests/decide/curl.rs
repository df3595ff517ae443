//! Pasted `curl` commands: what browsers copy, what people type, and what is refused.

use serde_json::{Value, json};

use super::run::{Run, decide, directory, file};

/// A door that removes the headers by which the tests see what arrived, and sees every path.
fn ask(command: &str) -> Run {
    let configuration = json!({
        "door": "outer", "default": "public", "routes": { "all": { "paths": ["/{*rest}"], "access": "public" } },
        "strip": ["accept", "authorization", "cookie", "range", "referer", "user-agent", "x-a"],
    });
    let directory = directory(&format!("curl-{:?}", std::thread::current().id()));
    let configuration = file(&directory, "outer.json", configuration.to_string());
    decide(&configuration, &["--json", "--request", "-"]).input(command)
}

/// Method, host, path and the headers that arrived.
fn sent(command: &str) -> (String, String, String, Vec<String>) {
    let answer = ask(command).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let asked = &answer["request"];
    let headers = answer["headers"]["removed"].as_array().unwrap_or_else(|| panic!("{command}: {answer}"));
    (text(&asked["method"]), text(&asked["host"]), text(&asked["path"]), headers.iter().map(text).collect())
}

#[test]
fn what_browsers_copy_is_what_they_sent() {
    let chrome = "curl 'https://api.example.com/orders/7?filter=\\[a\\]' \\\n  -X 'PUT' \\\n  -H 'accept: */*' \\\n  \
        -H 'authorization: Bearer x' \\\n  -b 'a=1; b=it'\\''s' \\\n  -H $'x-a: it\\'s\\u0021' \\\n  --data-raw $'{\"a\":\"b\\n\"}' \\\n  --compressed --insecure";
    let headers = ["accept", "authorization", "x-a", "cookie"].map(str::to_owned).to_vec();
    assert_eq!(sent(chrome), ("PUT".into(), "api.example.com".into(), "/orders/7".into(), headers));
    let firefox = "curl 'https://api.example.com/orders' --compressed -X POST -H 'User-Agent: Mozilla/5.0' -H 'Accept: */*' \
        -H 'Cookie: a=1' --data-raw 'x=1'\n";
    let headers = ["user-agent", "accept", "cookie"].map(str::to_owned).to_vec();
    assert_eq!(sent(firefox), ("POST".into(), "api.example.com".into(), "/orders".into(), headers));
}

#[test]
fn options_that_change_the_request_do_and_the_others_do_not() {
    for (options, method, path, headers) in [
        ("-d x", "POST", "/p", &[][..]),
        ("--data-binary @file --data-urlencode a=b", "POST", "/p", &[]),
        ("-F a=b -s -S", "POST", "/p", &[]),
        ("--json {}", "POST", "/p", &[]),
        ("-T file", "PUT", "/p", &[]),
        ("-I", "HEAD", "/p", &[]),
        ("-sSLkvIf -o /dev/null -w x -m 5 --retry 3 --resolve a:1:b", "HEAD", "/p", &[]),
        ("-G -d a=1 -d b=2", "GET", "/p", &[]),
        ("-XPATCH -d x", "PATCH", "/p", &[]),
        ("--request PATCH --request PUT", "PUT", "/p", &[]),
        ("-u user:pass", "GET", "/p", &["authorization"]),
        ("--oauth2-bearer t", "GET", "/p", &["authorization"]),
        ("-u user:pass -H 'Authorization: Bearer x'", "GET", "/p", &["authorization"]),
        ("-A agent -e ref -r 0-1", "GET", "/p", &["range", "user-agent", "referer"]),
        ("-H 'Accept:' -H 'X-A;'", "GET", "/p", &["x-a"]),
        ("-H 'host: other.test'", "GET", "/p", &[]),
        ("-H 'Host: other.test' -H 'host: third.test'", "GET", "/p", &[]),
        ("-u user:pass -H 'Authorization:'", "GET", "/p", &[]),
        ("-b a=1 -H 'Cookie:' -r 0-1 -H 'range:'", "GET", "/p", &[]),
        ("-u user:pass --oauth2-bearer t", "GET", "/p", &["authorization"]),
        ("-A '' -e ''", "GET", "/p", &[]),
    ] {
        let host = if options.to_lowercase().contains("host: other") { "other.test" } else { "a.test" };
        let headers: Vec<String> = headers.iter().map(|name| (*name).to_owned()).collect();
        let expected = (method.to_owned(), host.to_owned(), path.to_owned(), headers);
        assert_eq!(sent(&format!("curl {options} https://a.test/p")), expected, "{options}");
    }
    let as_it_is = ask("curl --url a.test/p/../q --path-as-is").json();
    assert_eq!(
        as_it_is["request"],
        json!({ "method": "GET", "asksAbout": null, "host": "a.test", "path": "/p/../q" })
    );
    assert_eq!(sent("$ curl -g 'http://a.test/{x}'").2, "/{x}");
    assert_eq!(sent("curl 'https://u:p@[::1]:8080?x=[1]' -g").1, "[::1]:8080");
}

#[test]
fn one_credential_is_sent_and_it_is_the_one_that_curl_sends() {
    let directory = directory("curl-one-credential");
    let configuration = json!({ "door": "outer", "default": "optional", "issuers": { "i": {
        "issuer": "i", "audiences": ["a"], "keys": [{ "remote": { "url": "https://i.test/" } }],
    } } });
    let configuration = file(&directory, "outer.json", configuration.to_string());
    let code = |run: Run| run.json()["denial"]["code"].as_str().map(str::to_owned);
    let malformed = Some("token_malformed".to_owned());
    for command in [
        "curl -u user:pass --oauth2-bearer t https://a.test/",
        "curl --oauth2-bearer t https://user:pass@a.test/",
        "curl -H 'Authorization: Bearer t' https://user:pass@a.test/",
    ] {
        let run = decide(&configuration, &["--json", "--request", "-"]).input(command);
        assert_eq!(code(run), malformed, "{command}");
    }
    let arguments = ["--json", "-H", "Authorization: Bearer t", "https://user:pass@a.test/"];
    assert_eq!(code(decide(&configuration, &arguments).run()), malformed);
    let arguments = ["--json", "-H", "Authorization:", "https://user:pass@a.test/"];
    assert_eq!(code(decide(&configuration, &arguments).run()), None);
}

#[test]
fn what_is_not_understood_is_refused_by_its_name_and_shows_no_value() {
    let secret = "s3cr3t-s3cr3t-s3cr3t";
    for (command, message) in [
        ("curl https://a.test/ --next https://b.test/ s3cr3t-s3cr3t-s3cr3t", "`--next`"),
        ("curl https://a.test/ --netrc-file=s3cr3t-s3cr3t-s3cr3t", "`--netrc-file`"),
        ("curl https://a.test/ -Ks3cr3t-s3cr3t-s3cr3t", "`-K`"),
        ("curl https://a.test/ -n", "`-n`"),
        ("curl https://a.test/ -H", "`--header` without a value"),
        ("curl https://a.test/ s3cr3t-s3cr3t-s3cr3t", "one URL"),
        ("curl -H 'authorization: s3cr3t-s3cr3t-s3cr3t'", "one URL"),
        ("curl -H s3cr3t-s3cr3t-s3cr3t https://a.test/", "name: value"),
        ("curl https://a.test/ -u s3cr3t-s3cr3t-s3cr3t", "without a password"),
        ("curl https://a.test/ -b s3cr3t-s3cr3t-s3cr3t", "file of cookies"),
        ("curl -G --data-urlencode s3cr3t-s3cr3t-s3cr3t https://a.test/", "-G"),
        ("curl -G -d @s3cr3t-s3cr3t-s3cr3t https://a.test/", "-G"),
        ("curl 'https://a.test/{s3cr3t-s3cr3t-s3cr3t,b}'", "several"),
        ("curl https://a.test/x/../s3cr3t-s3cr3t-s3cr3t", "--path-as-is"),
        ("curl https://a.test/x/%2E%2e", "--path-as-is"),
        ("curl ftp://a.test/", "http://"),
        ("curl http:/a.test/s3cr3t-s3cr3t-s3cr3t", "http://"),
        ("curl -T s3cr3t-s3cr3t-s3cr3t https://a.test/up/", "name of the file"),
        ("curl -T s3cr3t-s3cr3t-s3cr3t https://a.test", "name of the file"),
        ("curl -I -d s3cr3t-s3cr3t-s3cr3t https://a.test/", "at most one"),
        ("curl -T file -F s3cr3t-s3cr3t-s3cr3t https://a.test/p", "at most one"),
        ("curl -H 'Host:' https://a.test/", "without a host"),
        ("curl \"https://a.test/$TOKEN\"", "expand"),
        ("curl 'https://a.test/", "quote"),
        ("curl https://a.test/ | s3cr3t-s3cr3t-s3cr3t", "one command"),
        ("curl ^\"https://a.test/^\"", "cmd.exe"),
        ("curl https://a.test/\nrm -rf /", "goes on"),
        ("curlie https://a.test/", "does not begin"),
    ] {
        let run = ask(command);
        assert!(!run.err.contains(secret), "{}", run.err);
        run.failed(1, message);
    }
}
