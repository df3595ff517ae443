//! `vestibule keygen`.

use std::fs;
use std::path::Path;

use vestibule::jose::base64url;
use vestibule::jose::jwk::Key;
use vestibule::jose::signing::SigningKey;

use super::{directory, text, vestibule};

#[track_caller]
fn assert_private(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_gateway_key_is_43_characters_and_hash_knows_it() {
    let run = vestibule(&["keygen", "gateway-key"]).run();
    let (key, err) = (run.out.trim_end().to_owned(), run.err);
    assert_eq!(base64url(key.as_bytes()).unwrap().len(), 32);
    let hash = vestibule(&["hash"]).input(&key).succeeded();
    assert!(err.contains(&format!("sha256: {hash}")) && !err.contains(&key), "{err}");
    assert_ne!(vestibule(&["keygen", "gateway-key"]).run().out.trim_end(), key);

    let file = directory("a_gateway_key").join("gateway.key");
    assert_eq!(vestibule(&["keygen", "gateway-key", "--out", text(&file)]).run().succeeded(), "");
    assert_eq!(fs::read(&file).unwrap().len(), 43);
    assert_private(&file);
}

#[test]
fn a_private_key_is_its_owners_and_is_replaced_only_by_force() {
    let directory = directory("a_private_key");
    let file = directory.join("signing.pem");
    let keygen = ["keygen", "p256", "--out", text(&file)];
    vestibule(&keygen).run().succeeded();
    assert_private(&file);
    let first = fs::read_to_string(&file).unwrap();
    assert!(first.starts_with("-----BEGIN PRIVATE KEY-----\n"));

    vestibule(&keygen).run().failed(1, "--force");
    assert_eq!(fs::read_to_string(&file).unwrap(), first);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    vestibule(&[&keygen[..], &["--force"]].concat()).run().succeeded();
    assert_private(&file);
    assert_ne!(fs::read_to_string(&file).unwrap(), first);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);

    vestibule(&["keygen", "p256", "--force", "--out", text(&directory)])
        .run()
        .failed(1, "not a regular file");
    vestibule(&["keygen", "p256"]).run().failed(1, "--out");
    vestibule(&["keygen", "rsa", "--bits", "1024", "--out", "x.pem"]).run().failed(1, "2048");
}

/// The name of a key is its thumbprint everywhere, so that a context names the key that this prints.
#[test]
fn a_key_pair_for_contexts_is_one_and_is_printed_under_the_name_that_contexts_have() {
    let directory = directory("a_key_pair_for_contexts");
    for kind in ["p256", "rsa", "ed25519"] {
        let file = directory.join(format!("{kind}.pem"));
        let jwks = vestibule(&["keygen", kind, "--out", text(&file)]).run().succeeded();
        let jwks: serde_json::Value = serde_json::from_str(&jwks).unwrap();
        let key = SigningKey::from_pem(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(jwks["keys"][0]["kid"], key.kid());
        let public = Key::from_jwk(&jwks["keys"][0], None).unwrap();
        assert_eq!(public.material().spki(), key.public().spki());
    }
}
