//! What the vectors hold, as the fuzz targets take it: where fuzzing starts from.
//!
//! They are made anew from the vectors each time. What is committed of them is no more than libFuzzer needs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::support::vector::{self, Case};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The target and the bytes of a seed, and the case that it is of. What several cases hold is one seed.
pub(crate) type Seeds = BTreeMap<(&'static str, Vec<u8>), String>;

/// The seeds of all vectors.
pub(crate) fn of_vectors() -> Seeds {
    let mut seeds = Seeds::new();
    for case in vector::load_all().iter().flat_map(|file| &file.cases) {
        of_case(case, &mut |target, seed| {
            seeds.entry((target, seed)).or_insert_with(|| case.name.clone());
        });
    }
    seeds
}

#[test]
#[ignore = "writes files: `tools/fuzz.sh` calls it for the seeds that it starts from"]
fn write_the_seeds_of_the_vectors() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seeds");
    for ((target, seed), name) in of_vectors() {
        let directory = root.join(target);
        fs::create_dir_all(&directory).expect("a directory of the build can be made");
        let word = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
        let name: String = name.chars().map(word).collect();
        fs::write(directory.join(name), seed).expect("a file of the build can be written");
    }
    println!("{}", root.display());
}

fn of_case(case: &Case, seed: &mut impl FnMut(&'static str, Vec<u8>)) {
    seed("config", case.config.to_string().into());
    for issuer in case.config["issuers"].as_object().into_iter().flat_map(|issuers| issuers.values()) {
        for source in issuer["keys"].as_array().into_iter().flatten() {
            for key in [&source["jwks"], &source["pem"]] {
                match key {
                    Value::Null => {}
                    Value::String(text) => seed("jwks", text.clone().into()),
                    set => seed("jwks", set.to_string().into()),
                }
            }
        }
    }
    let request = case.request(case.now);
    let host = request.headers.iter().find(|(name, _)| matches!(&**name, b":authority" | b"host"));
    let host = host.map_or(&b"api.test"[..], |(_, host)| host);
    let (method, path) = (request.method.as_deref(), request.path.as_deref());
    seed("route", of_routes(&case.config, [method, Some(host), path].map(Option::unwrap_or_default)));
    let mut first = format!("{} 0 {}", door(&case.config), request.cluster.as_deref().unwrap_or("none"));
    if let Some(peer) = &request.peer {
        first.extend([" ", peer]);
    }
    let mut lines: Vec<Vec<u8>> = vec![first.into()];
    let pseudo = [("method", request.method), ("path", request.path)];
    lines.extend(
        pseudo.into_iter().filter_map(|(name, value)| Some([format!(":{name}: ").into(), value?].concat())),
    );
    for (name, value) in request.headers {
        let parts: Vec<&[u8]> = value.split(|byte| byte.is_ascii_whitespace() || *byte == b',').collect();
        let token = parts.into_iter().find(|part| part.starts_with(b"ey") && part.contains(&b'.'));
        let described = token.map_or(value.clone(), |token| {
            of_token(token, seed);
            let start = value.windows(token.len()).position(|window| window == token).unwrap_or_default();
            [&value[..start], b"<>", &value[start + token.len()..]].concat()
        });
        lines.push([name, b": ".to_vec(), described].concat());
    }
    seed("decide", lines.join(&b'\n'));
}

/// The request among the routes of its configuration, or on one for all.
fn of_routes(config: &Value, request: [&[u8]; 3]) -> Vec<u8> {
    let list = |value: &Value, separator: &str| {
        let texts: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if texts.is_empty() { "*".to_owned() } else { texts.join(separator) }
    };
    let routes = config["routes"].as_object().into_iter().flatten().map(|(_, route)| {
        format!(
            "{} {} {}",
            list(&route["methods"], ","),
            list(&route["hosts"], ","),
            list(&route["paths"], " ")
        )
    });
    let mut lines = vec![request.join(&b' ')];
    lines.extend(routes.map(String::into_bytes));
    if lines.len() == 1 {
        lines.push(b"* * /{*rest}".to_vec());
    }
    lines.join(&b'\n')
}

fn of_token(token: &[u8], seed: &mut impl FnMut(&'static str, Vec<u8>)) {
    let mut parts =
        token.split(|byte| *byte == b'.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap_or_default());
    let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // A signature by RSASSA-PSS is another one every time.
    if !header.windows(3).any(|window| window == b"\"PS") {
        seed("compact", token.to_vec());
    }
    seed("header", header);
    seed("claims", payload);
}

/// The door of the fuzz targets that is most like the case's own.
fn door(config: &Value) -> usize {
    let public = config["default"] == "public";
    if config.pointer("/context/mint/publish").is_some() {
        return 15;
    }
    let entrances = config["entrances"].as_object();
    if entrances.is_some_and(|all| all.values().any(|entrance| entrance.get("peers").is_some())) {
        return 16;
    }
    match (config["door"] == "outer", config.get("report").is_some(), config.get("routes").is_some()) {
        (true, true, _) => return 13,
        (false, true, _) => return 14,
        (true, false, true) => return 11,
        (false, false, true) => return 12,
        (_, false, false) => {}
    }
    match (config["door"] == "outer", config.get("issuers").is_some()) {
        (true, _) if public => 1,
        (true, _) if config["issuers"]["main"].get("sources").is_some() => 2,
        (true, _) if config.get("inject").is_some() => 3,
        (true, _) => 0,
        (false, true) => 7,
        (false, false) if public => 6,
        (false, false) if config["entrances"].as_object().is_some_and(|all| all.len() > 1) => 5,
        (false, false) => 4,
    }
}
