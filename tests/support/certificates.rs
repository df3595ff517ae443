//! Certificates of a run's own: an authority, whom it vouches for, and the set that `envoy/mesh.yaml` asks
//! for.
//!
//! Knows X.509 and files, and nothing of Envoy. Stands by itself, so that `examples/certificates.rs` can use
//! it without the rest.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};

/// The SPIFFE id of the gateway, which is the outer door.
pub const GATEWAY: &str = "spiffe://cluster.local/ns/ingress/sa/gateway";
/// The SPIFFE id of the service behind the inner door of `envoy/mesh.yaml`.
pub const BLOG: &str = "spiffe://cluster.local/ns/shop/sa/blog";
/// The SPIFFE id of the service there that blog calls.
pub const ORDERS: &str = "spiffe://cluster.local/ns/shop/sa/orders";
/// The SPIFFE id of another one.
pub const BILLING: &str = "spiffe://cluster.local/ns/shop/sa/billing";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Certificates are valid since so long ago, as clocks differ.
const PAST: Duration = DAY;
/// Certificates are valid for so long.
const LIFETIME: Duration = DAY.saturating_mul(90);

/// What a certificate says of its holder, besides the key.
#[derive(Clone, Copy, Debug)]
pub enum Name<'n> {
    /// A URI, such as a SPIFFE id.
    Uri(&'n str),
    /// A host.
    Dns(&'n str),
}

/// Who signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its private key, both PEM. Serves at either end of a connection.
#[derive(Clone)]
pub struct Leaf {
    /// The certificate.
    pub certificate: String,
    /// Its private key, PKCS#8.
    pub key: String,
}

impl Authority {
    /// An authority with a key of its own. Two have the same name: only their signatures tell them apart.
    pub fn fresh() -> Self {
        let key = KeyPair::generate().expect("a P-256 key can be made");
        let mut parameters = parameters("authority");
        // X.509-SVID section 3.1: its trust domain, without a path.
        parameters.subject_alt_names = vec![Name::Uri("spiffe://cluster.local").to_san()];
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = parameters.self_signed(&key).expect("an authority signs itself").pem();
        Self { issuer: Issuer::new(parameters, key), certificate }
    }

    /// Its own certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its private key, PKCS#8 PEM: for who signs in its name.
    pub fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate for who has this SPIFFE id and no other name (X.509-SVID section 2).
    pub fn peer(&self, spiffe_id: &str) -> Leaf {
        self.leaf(&[Name::Uri(spiffe_id)])
    }

    /// A certificate with these names, in this order.
    pub fn leaf(&self, names: &[Name<'_>]) -> Leaf {
        let key = KeyPair::generate().expect("a P-256 key can be made");
        let mut parameters = parameters("workload");
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        parameters.subject_alt_names = names.iter().copied().map(Name::to_san).collect();
        let certificate = parameters.signed_by(&key, &self.issuer).expect("an authority signs").pem();
        Leaf { certificate, key: key.serialize_pem() }
    }
}

impl Name<'_> {
    fn to_san(self) -> SanType {
        let ascii = |text: &str| Ia5String::try_from(text).expect("a name is ASCII");
        match self {
            Self::Uri(uri) => SanType::URI(ascii(uri)),
            Self::Dns(host) => SanType::DnsName(ascii(host)),
        }
    }
}

/// The set that every bootstrap of this process has.
pub fn of_this_run() -> &'static MeshCertificates {
    static SET: LazyLock<MeshCertificates> = LazyLock::new(MeshCertificates::fresh);
    &SET
}

/// What `envoy/mesh.yaml` reads from `dist/certificates/`.
pub struct MeshCertificates {
    /// Whom both doors believe.
    pub authority: Authority,
    /// What the outer door shows to the inner one.
    pub gateway: Leaf,
    /// What blog shows to whoever calls it, and to whom it calls.
    pub blog: Leaf,
    /// What orders shows to whoever calls it.
    pub orders: Leaf,
}

impl MeshCertificates {
    /// A set that nobody else has.
    pub fn fresh() -> Self {
        let authority = Authority::fresh();
        let [gateway, blog, orders] = [GATEWAY, BLOG, ORDERS].map(|id| authority.peer(id));
        Self { gateway, blog, orders, authority }
    }

    /// The files by their names. The authority comes last: where its file is there, the others are.
    pub fn files(&self) -> [(&'static str, &str); 7] {
        [
            ("gateway.pem", &self.gateway.certificate),
            ("gateway-key.pem", &self.gateway.key),
            ("blog.pem", &self.blog.certificate),
            ("blog-key.pem", &self.blog.key),
            ("orders.pem", &self.orders.certificate),
            ("orders-key.pem", &self.orders.key),
            ("authority.pem", &self.authority.certificate),
        ]
    }

    /// Writes the files into a folder, in place of those that are there; only the owner may read them.
    ///
    /// # Errors
    /// Where the folder or a file cannot be made.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (name, pem) in self.files() {
            // Made anew and moved: a file that is there would keep its mode, and nobody is to read half of
            // one.
            let (path, next) = (folder.join(name), folder.join(format!("{name}.next")));
            match fs::remove_file(&next) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
            file.write_all(pem.as_bytes())?;
            fs::rename(next, path)?;
        }
        Ok(())
    }
}

fn parameters(common_name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, "Vestibule's tests");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_1970;
    (parameters.not_before, parameters.not_after) = (now - PAST, now + LIFETIME);
    parameters
}
