//! Whether and how the way to PostgreSQL is encrypted: `sslmode` and `sslrootcert` of the URL, or `PGSSLMODE` and `PGSSLROOTCERT`.

use kernel::Fault;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How to connect.
pub(super) struct Tls {
    pub mode: SslMode,
    pub connector: MakeRustlsConnect,
}

/// Reads and takes them out of the URL: `disable`, `prefer` (as without), `require` (encrypted, to whoever answers) and `verify-full` (to a
/// server whose certificate is for its name, by the roots of the file or those of the web).
///
/// # Errors
/// Another mode; a file of roots that does not read.
pub(super) fn of(url: &str) -> Result<(String, Tls), Fault> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (mode, file) = (set("PGSSLMODE"), set("PGSSLROOTCERT"));
    let (mut wanted, mut roots, mut others) =
        (mode.as_deref().unwrap_or("prefer"), file.as_deref(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => wanted = mode,
            Some(("sslrootcert", file)) => roots = Some(file),
            _ => others.push(pair),
        }
    }
    let (mode, verified) = match wanted {
        "disable" => (SslMode::Disable, false),
        "prefer" => (SslMode::Prefer, false),
        "require" => (SslMode::Require, false),
        "verify-full" => (SslMode::Require, true),
        other => {
            return Err(Fault::broken(format!(
                "sslmode (of the database's URL, or PGSSLMODE) is disable, prefer, require or verify-full, not “{other}”"
            )));
        }
    };
    let provider = Arc::new(ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let config = if verified {
        config.with_root_certificates(trusted(roots)?).with_no_client_auth()
    } else {
        let anyone = Arc::new(Anyone(provider));
        config.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth()
    };
    let url = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
    Ok((url, Tls { mode, connector: MakeRustlsConnect::new(config) }))
}

fn trusted(file: Option<&str>) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    match file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let unread = || format!("read sslrootcert {file}");
            for root in
                CertificateDer::pem_file_iter(file).map_err(|e| Fault::from(e).while_doing(unread()))?
            {
                roots.add(root.map_err(|e| Fault::from(e).while_doing(unread()))?)?;
            }
        }
    }
    Ok(roots)
}

/// Takes any certificate: who asks for no more than encryption, as most servers in one's own network have one that nobody signed.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);
impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_to_connect() {
        let cases = [
            ("postgres://h/d", "postgres://h/d", SslMode::Prefer),
            ("postgres://h/d?sslmode=disable", "postgres://h/d", SslMode::Disable),
            (
                "postgres://h/d?options=-c%20a%3Db&sslmode=require",
                "postgres://h/d?options=-c%20a%3Db",
                SslMode::Require,
            ),
            (
                "postgres://h/d?sslmode=verify-full&connect_timeout=3",
                "postgres://h/d?connect_timeout=3",
                SslMode::Require,
            ),
        ];
        for (url, rest, mode) in cases {
            let (found, tls) = of(url).unwrap();
            assert_eq!((found.as_str(), tls.mode), (rest, mode), "{url}");
        }
        for bad in ["verify-ca", "allow", "on", ""] {
            let refused = of(&format!("postgres://h/d?sslmode={bad}")).err().unwrap().to_string();
            assert!(refused.contains("verify-full, not") && refused.contains(bad), "{refused}");
        }
        let missing = of("postgres://h/d?sslmode=verify-full&sslrootcert=/not/there.pem").err().unwrap();
        assert!(missing.to_string().contains("/not/there.pem"), "{missing}");
    }
}
