//! Known answers: what any engine must say before it may speak for a signature.
//!
//! An engine that accepts everything would be the worst bug there is, and one that accepts nothing an outage;
//! so right and wrong answers are both asked for, each algorithm by itself.

use super::algorithm::{Algorithm, Family};
use super::base64url;
use super::key::VerifyingKey;
use super::signature::{Engine, Outcome};

pub(super) const TEXT: &[u8] = b"vestibule known answer";
/// What nobody signed.
pub(super) const OTHER_TEXT: &[u8] = b"vestibule known answeR";

/// Public keys (DER SubjectPublicKeyInfo) and signatures of [`TEXT`], made with OpenSSL; the private keys are
/// gone.
const RSA: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArw8IouZJ1hi0kv0Jh08EruaP_TEppFed3JEY7SKDM0kr-sM6mPiunz1xv60GdU2IoX\
    DbQC2DveGqfXRTIn1K0ptXno9vgbHpWScWUmKYvM05gFT03sV-eFGmWrOsfQXpyXWjMcScTj3AZM_zFKi5BePpq5NcflRyg0iHe9GtWMZ0VcDD\
    AAymZu21s0LcqvlUMNnt8DlddU-zf8WlFtOvepIsyqvzR5VvUhyJbXASG6izUtx64VScfVg8ZzYm9SKVA3F1UbnvEeiE2Bp5ladXdrrMWxWcYe\
    QcrF00BMm-wChAxgyyzngwaY2QljQcjKJt9Itcb_Kiv4iF9B_77HjibQIDAQAB";
pub(super) const PSS_RSA: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAoNWJ7OH89P7Hc6NqE91l7FJ01cIftDWGVOygWwZy9BETDyWoSKgcynkC\
    g5vkcASMMy38zdperAhwnNfPBeXmU5r_53ItS6H81x0lRy3F8iTZ09d1H4tH8VmCH5wT9HFpGi23JxDgPVJAk-Fe68HpqopSiEOG\
    b6r0O26pLLKLIJlsXCr7apWkew9qHXnbN6eznEIF6auv0s1dMtT84pOxXyKYOtY4s0nqqWEy1yaETg_M9kMjPbvJa_EsXRdMRRHL\
    k9WLBncqYoFo45FKq2-dz-oQD-N20RtdU_lgwEgDDGny2BK5_naZd0FFyOIqOt-RJdecuP2eeao4JSiptHYVkQIDAQAB";
const ED25519: &str = "MCowBQYDK2VwAyEAXQ1pdeMYJFogwqwWr0dreJZ_mk7y520wHXbeeWdcS0E";
const P256: &str = "\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcfkTBm69XjpRPhaDxaNULIExNap7XXwEOlQF5EqvMcVqSgplPWj23XJ7b1fjxWVHIT1agyLq26\
    lA1uw8JmASDA";
const P384: &str = "\
    MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE4BPDcxH8I0V4V8CPsMQwmMvO_zqmmBWbPWfNrPMYuwaIf1zqIOigmdQp7Wzb2gnbcw8DJyGdk2AVDf\
    zBHpv8RAoWfi3MYeWDTs7ypvjFt03iZ-_op5ulsT5hs1pYAeRt";
const P521: &str = "\
    MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAk0sUDdD7GsjIke87ysANmj1xP0fKwVNcLpSoAdTj8zzsXU52w6noox_CzsuY6nAGt3Gfd\
    YTOUgKKkZV0UBYA4R4BlButNmKPAr0xZ2CuqzOgx2mp8mwfq2n-UP_R6HmKvkfMaaO3Uq1EWJg-05Yzk4Zy2VSIHWsPB_2eRMgGZ-0bc5\
    w";
const RS256: &str = "\
    S6lq4W_innF9AcJa6VZ9YKZ9DoM5l_LkrE4AplAiknUq1OoDLdNgszXl8Xk_AdBhPAoEGTvN7Nr7WyFPEsITpLgkPEImELe3ZapSp5iyWeSwY5\
    gZgZtCAnovt8PoUP5P-Qhz3nXd791J7qcbQIwyECeaIu-JaeZtf81P1NO3Vj6xlhbLcIlDOB7u-HePJ2NdMoMrHZl85jKaPsVUQWDiXC3QQhHL\
    _RJTBdHiY_doC87ehJPkHBBSLX0OqKClSvNBiHoZ8jp71Fg4oesf-Su8GvNnJmE9DWH6i9QApa--6j9chMA374II4kBSA-ZJhZhtj0eEsvVEuH\
    r4KkqfGuzviQ";
const RS384: &str = "\
    omLnyu0EfQsl8Suj3vQuuU_fNTHp47FAD3MuKYK2KgrHjHU5HDq0BMuGJ1i-gXF_77m_T_M1_6Xc_laTg4EEMAziih9EOSJEFZEU1mLqqqxBBe\
    GvgVzsCu2FLt47ZQhtZXocYTb0YLj4mTk9BFQ9wq9S9KnzQ5bqx_UnRUo2MAIMosWimVMwzw4v0iVdeA3cWaTOzt6feteGVZ_9gJSCB4XxIGWq\
    9pxPpbxfnJh4aiVFiai8sod3rLgOwLC4awzEAeyNJg7HWujlRCA_542IzNSP6QBuefwWw_pKUJsF_jzxVa5VDnC3O-KlU0eU2N-4TzQCY33caw\
    5a_YTT_X-wGw";
const RS512: &str = "\
    j-ynDXOQ4qjZWpP_mor1PNSB4BlUUHLk_Ni1vTP6c60fv-Bz5cAKt-1mBdI-g9txsGTUy5G5mBvBJyJ4S6PNR44tq3TVdSxX-a96L9XBBXvFPc\
    1SU0RPTJs9BD17y_xo8j7vHq21XrcJgFqEOOHepwJYzjUwouRnQqkE4FI9nFbCXbRz64e-y9VVBJXv0F4Zdfzbz_65ZSOyn_MxlFNw3bbEHIG5\
    IzSwXdktU9MUh1iajNUsYJDkq4MmJRzESo5fRUBH8r2_xQOrtKhq3zIBrJQpH2RlaENl3u4SV8GK3QAR5UObvzPCYRm58Fv-IQ54Ln83Tj1qid\
    sdy-bcQNNU_w";
const PS256: &str = "\
    XmtBeCF5qRWqzWJs3Gw1g9C1VXLUrN_xX11qv1QKC4eVwdlhBkd0h9JrbKqME7eWO6LAYnigVqjO01yOAl_gjATBBR0-R1vwd23v\
    DuMPJ07GiwZDR1xt9HPRI05-aNbZB7it54IyqUaqrubeu8pfcoSR0MjdvxwJNpWsvOOFbfHSF3W46uirGK64lK10lWXZ0IJuUk-p\
    V_foAqqfUO36SjEFJKxg1hvyTmsnNOo9JuoGfhfOkZhkkpeyynocOWpQty4qzUQmcNlJ-2xvoC48XnVvThMTtc96D0l9N5lDXcAm\
    hB07p5QT2WuFa10v0PP2N-p53l4yyGCUD5hH4F8cxQ";
const PS384: &str = "\
    BQNTKAWPwUqqYNSDuQhoey7myyehKyN3m4MUMTO5iYkaDQqA36B_5ALlZ9QS5DxZ_cTl0z4P85aPxGpD6F9EwVluKVSXnG8XEHhA\
    bK5_uiYggzDZMQv17QcAbhEZ2srzGm9ydyssYNNPBPKSZo0f1eA04_NPmOUYAe0969mUgehjzRPI9KnHMAhDceUbD_-ThCpmcD4l\
    vJq8qWlOVKFngeu2t5qtqYVNrm6jk06wTJYzjc9nj8QnXZvTKZtwqjwgBLFjMOmBqSiEm0VlPxc7Ol_bit092EGaGYG2aKDlooRI\
    qw8OU-NcnqZikaaFrSC_7tiUhiLiO2_YVdzhyfh-yA";
const PS512: &str = "\
    ZazHvGORxjZ3ZcsOlYt9sH3muH_nN-YgNuIuy-GvaE8ASYcb0_xuPvUYAknw340vW5Ph5BjFVM_E7rBGcP4Zpzdd0HZmhfujleP9\
    8nCAYFNW-h6GdAvuTSEZem9Wne7bJ94svxVAnRWI8tcKLbEUpqC8VjSav00imHzGiL7wJonmjbXz62KrHRsOZsunlsrE7-u7DA92\
    vrdxfb5hcBGkHzlvctupQj-ckSTOe_lklx2VcyTCJa1Yciu32a4X-JwwBNhrMyKC8F6yiPzTCPn-7oIhd8A4ZX0neDUPogBWf4H_\
    eG0_FinsxJSff_ZcyUK4j0KerAv85YvSsJtbJ6TIDQ";
const EDDSA: &str = "_kKhlOL3wCAEBJ0YixG0paj0W0ShgJ1NovMQB09FPZd4TcyWlHg-610mpSG8VQgTwTT67tQR-bVi3yxadDPfCg";
const ES256: &str = "9PKEfSiBn1S4W4v2L-1GO8W9UGIk9YRYNFjCec6yFo6cGuGhcEt2kCAsPrkx7rMrC31nqZnFkPW3imI9-b8dig";
const ES384: &str = "\
    ZQjSWzsNPkMS7WiexToK6UHa3upZL1RUOF4r2bZUqz1-TvJRB60rUTnP69DMaNA1zR3uOmgIvanQ9FS9e6eMt3W4a43ssn7GlIv9UNentcUgFP\
    ho_XkXMncyc-rkXJ7J";
const ES512: &str = "\
    AZCiECM5cToJNASVEM8ibvW7SQvi0ZM-i_mOQdogPEUUyXUF8SLq93hlWj7ZLYWUOtNBaEbboM5n2Gbui8ZF1VIcAQWLWOxvMHHtwHTF7\
    oJ7rN7sxHCHVCVLmKXRP_kC-JrCX61OBITsxyD9mbrYnk7zMLoIQJCFFXyjynAVa-T-VQGN";

/// The secret of the HMACs.
const SECRET: &[u8] = b"a secret of 64 bytes that stands in this file and guards nothing";
const HS256: &str = "GJ1D0L64w8gGMhEvOUbHtRLGr2hRa-t7xslWZt22TbE";
const HS384: &str = "iNSjXK-jBAb5lVIbCYxTPlv4RuXI9Z8hiujo_gpE4U8--b5-FzK8biN1DwVUybZd";
const HS512: &str = "Zw49iX6JWvTMBeQxKoeA4L1qhEHUrgQhAoDqyQacNC2nLmc-xYwNxi1VyaEACjl7hWk0553jZMLos2gExdubeg";

/// Whether the engine answers as it must for this algorithm: yes to the right signature; no to the same
/// signature with one bit changed in its first, middle or last byte, to one of all zeros, and to the right
/// one under another text.
#[must_use]
pub fn right(engine: &dyn Engine, algorithm: Algorithm) -> bool {
    let (spki, signature) = match algorithm {
        Algorithm::Rs256 => (RSA, RS256),
        Algorithm::Rs384 => (RSA, RS384),
        Algorithm::Rs512 => (RSA, RS512),
        Algorithm::Ps256 => (PSS_RSA, PS256),
        Algorithm::Ps384 => (PSS_RSA, PS384),
        Algorithm::Ps512 => (PSS_RSA, PS512),
        Algorithm::EdDsa => (ED25519, EDDSA),
        Algorithm::Hs256 => ("", HS256),
        Algorithm::Hs384 => ("", HS384),
        Algorithm::Hs512 => ("", HS512),
        Algorithm::Es256 => (P256, ES256),
        Algorithm::Es384 => (P384, ES384),
        Algorithm::Es512 => (P521, ES512),
    };
    let key = match algorithm.family() {
        Family::Hmac => VerifyingKey::hmac(SECRET).ok(),
        Family::Rsa | Family::P256 | Family::P384 | Family::P521 | Family::Ed25519 => {
            base64url(spki.as_bytes()).and_then(|spki| VerifyingKey::from_spki(&spki).ok())
        }
    };
    let (Some(key), Some(signature)) = (key, base64url(signature.as_bytes())) else { return false };
    let says =
        |text: &[u8], signature: &[u8], outcome| engine.verify(algorithm, &key, text, signature) == outcome;
    let flipped = |position: usize| {
        let mut signature = signature.clone();
        signature.get_mut(position).map(|byte| *byte ^= 1).map(|()| signature)
    };
    let wrong: Option<Vec<Vec<u8>>> =
        [0, signature.len() / 2, signature.len().saturating_sub(1)].into_iter().map(flipped).collect();
    says(TEXT, &signature, Outcome::Valid)
        && wrong.is_some_and(|wrong| wrong.iter().all(|signature| says(TEXT, signature, Outcome::Invalid)))
        && says(TEXT, &vec![0; signature.len()], Outcome::Invalid)
        && says(OTHER_TEXT, &signature, Outcome::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::software::Software;

    struct Always(Outcome);

    impl Engine for Always {
        fn verify(&self, _: Algorithm, _: &VerifyingKey, _: &[u8], _: &[u8]) -> Outcome {
            self.0
        }
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn the_module_answers_rightly_for_every_algorithm() {
        for algorithm in Algorithm::ALL {
            assert!(right(&Software, algorithm), "{algorithm}");
        }
    }

    #[test]
    fn an_engine_that_always_says_the_same_is_not_believed() {
        for outcome in [Outcome::Valid, Outcome::Invalid, Outcome::Unavailable] {
            assert!(!right(&Always(outcome), Algorithm::Rs256));
        }
    }
}
