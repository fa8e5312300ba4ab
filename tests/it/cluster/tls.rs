//! A TLS server that asks its clients for a certificate, takes any, and remembers whether it was shown one.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, ServerConnection, SignatureScheme, StreamOwned,
};

/// The server; answers every request with 500.
pub(crate) struct TlsServer {
    pub(crate) address: String,
    shown: mpsc::Receiver<bool>,
}

impl TlsServer {
    pub(crate) fn start(certificate: &str, key: &str) -> Self {
        let config = config(certificate, key, TakesAny { insists: false });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let (tell, shown) = mpsc::channel();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A client that goes away in the middle was shown enough.
                if let Ok(was_shown) = serve(&config, client) {
                    let _ = tell.send(was_shown);
                }
            }
        });
        Self { address, shown }
    }

    /// Whether the first client showed a certificate.
    pub(crate) fn was_shown_a_certificate(&self) -> bool {
        self.shown.recv().unwrap()
    }
}

/// What a server shows, and what it wants to be shown.
pub(crate) fn config(certificate: &str, key: &str, client: TakesAny) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(client))
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

fn serve(config: &Arc<ServerConfig>, client: TcpStream) -> std::io::Result<bool> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, client);
    let _first_bytes = stream.read(&mut [0; 4096])?;
    stream.write_all(b"HTTP/1.1 500 Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    Ok(stream.conn.peer_certificates().is_some_and(|chain| !chain.is_empty()))
}

/// Asks for a certificate and believes what it is shown: the client is under test, not the server.
#[derive(Debug)]
pub(crate) struct TakesAny {
    /// Whether it goes on without one.
    pub(crate) insists: bool,
}

impl ClientCertVerifier for TakesAny {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.insists
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
