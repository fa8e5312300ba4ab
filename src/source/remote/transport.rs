//! The connections that gix speaks git's protocol over.
//!
//! In: where to. Out: gix's transport, and for ssh the program behind it. Each of them ends when time is up: http by its
//! client's limit, `git://` by its socket's, ssh by being killed.

use std::ffi::OsString;
use std::net::{TcpStream, ToSocketAddrs};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gix::bstr::ByteSlice;
use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::blocking_io::ssh::ProgramKind;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::protocol::transport::client::git::{ConnectMode, blocking_io::Connection};

use crate::process::{Command, Piped};

use super::super::access::Pass;
use super::super::access::{ServerAccess, ServerOrigin};
use super::super::error::SourceCause;
use super::super::limits::FetchLimits;
use super::RemoteFault;

/// Never prompts, and connects to no host with an unknown key.
pub(super) const SSH: &str = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes";

/// Variables that a program which reaches for a server may need.
pub(super) const INHERIT: [&str; 32] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_SSH_COMMAND",
    "GIT_SSH",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "KRB5CCNAME",
    "GIT_EXEC_PATH",
];

/// A connection, and the program that carries it, if one does.
pub(super) struct RemoteLine {
    pub(super) transport: Box<dyn Transport + Send>,
    pub(super) program: Option<Piped>,
}

/// Connects; for http, the first request does.
pub(super) fn connect(
    repository: &gix::Repository,
    url: &gix::Url,
    access: &ServerAccess,
    limits: &FetchLimits,
) -> Result<RemoteLine, RemoteFault> {
    match url.scheme {
        gix::url::Scheme::Ssh => ssh(repository, url, &access.files.ssh_options, limits),
        gix::url::Scheme::Git => daemon(url, limits),
        gix::url::Scheme::Https | gix::url::Scheme::Http => {
            // Where `url.<base>.insteadOf` leads to another server, nothing of the Secret is meant for it.
            let is_meant = ServerOrigin::of(url) == access.origin;
            http(repository, url, if is_meant { access.pass.clone() } else { Pass::default() }, limits)
        }
        // Only `url.<base>.insteadOf` leads here: git knows what its user meant.
        _ => Err(RemoteFault::Odd(SourceCause::saying(format!("gix does not support `{}`", url.scheme)))),
    }
}

fn http(
    repository: &gix::Repository,
    url: &gix::Url,
    pass: Pass,
    limits: &FetchLimits,
) -> Result<RemoteLine, RemoteFault> {
    // reqwest is built without a provider of its own. Where main has set one, it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let odd = |error: gix::Error| RemoteFault::of(&error, &[], limits.over());
    let mut options = repository
        .transport_options(url.to_bstring().as_bstr(), None)
        .map_err(odd)?
        .and_then(|options| options.downcast::<http::Options>().ok())
        .map(|options| *options)
        .unwrap_or_default();
    if let Some(token) = &pass.bearer {
        options.extra_headers.push(format!("Authorization: Bearer {}", token.expose()));
        // The header would go wherever the server sends us.
        options.follow_redirects = http::options::FollowRedirects::None;
    }
    let left = limits.left();
    options.backend = Some(Arc::new(Mutex::new(http::reqwest::Options {
        configure_client: Some(Box::new(move |builder| {
            let builder = builder.timeout(left).connect_timeout(left.min(Duration::from_secs(20)));
            pass.configure(builder).map_err(gix::Error::from_error)
        })),
        configure_request: None,
    })));
    let mut transport: Box<dyn Transport + Send> =
        Box::new(http::connect::<http::reqwest::Remote>(url.clone(), Protocol::V2, false));
    transport.configure(&options).map_err(odd)?;
    Ok(RemoteLine { transport, program: None })
}

fn daemon(url: &gix::Url, limits: &FetchLimits) -> Result<RemoteLine, RemoteFault> {
    let host = url.host().unwrap_or_default();
    let unreachable = |error: std::io::Error| RemoteFault::Unreachable(SourceCause::of(&error));
    let addresses = (host, url.port.unwrap_or(9418)).to_socket_addrs().map_err(unreachable)?;
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect_timeout(&address, limits.left().max(Duration::from_millis(1))) {
            Ok(stream) => {
                stream.set_read_timeout(Some(limits.left().max(Duration::from_millis(1)))).map_err(unreachable)?;
                let write = stream.try_clone().map_err(unreachable)?;
                let virtual_host = Some((host.to_owned(), url.port));
                let path = url.path.clone();
                let connection =
                    Connection::new(stream, write, Protocol::V2, path, virtual_host, ConnectMode::Daemon, false);
                return Ok(RemoteLine { transport: Box::new(connection), program: None });
            }
            Err(error) => last = error,
        }
    }
    Err(unreachable(last))
}

/// Runs ssh ourselves: gix would let it write to our terminal, and could not end it.
fn ssh(
    repository: &gix::Repository,
    url: &gix::Url,
    more: &[String],
    limits: &FetchLimits,
) -> Result<RemoteLine, RemoteFault> {
    let options = repository.ssh_connect_options().map_err(|error| RemoteFault::of(&error, &[], limits.over()))?;
    let host = url.host().unwrap_or_default();
    let destination = match url.user() {
        Some(user) if !user.is_empty() => format!("{user}@{host}"),
        _ => host.to_owned(),
    };
    let mut command = ssh_command(options.command, options.disallow_shell);
    command.inherit = INHERIT.to_vec();
    command = command.env("LC_ALL", "C");
    let plain = match options.kind {
        Some(kind) => !matches!(kind, ProgramKind::Ssh),
        None => !understands_options(&command, &destination)?,
    };
    let mut arguments: Vec<OsString> = Vec::new();
    if !plain {
        arguments.extend(more.iter().map(OsString::from));
        arguments.extend(["-o".into(), "SendEnv=GIT_PROTOCOL".into()]);
        command = command.env("GIT_PROTOCOL", "version=2");
    }
    if let Some(port) = url.port {
        arguments.extend([if plain { "-P".into() } else { "-p".into() }, port.to_string().into()]);
    }
    // `~user/repo` is the shell's over there; the quotes keep everything else from it.
    let path = gix::url::expand_path::for_shell(url.path.clone());
    let quoted = gix::quote::single(path.as_ref());
    arguments.extend([destination.into(), format!("git-upload-pack {}", quoted.to_str_lossy()).into()]);
    let (program, stdin, stdout) = start(&command.args(arguments))?;
    watch(&program, limits);
    let connection = Connection::new(stdout, stdin, Protocol::V2, path, None::<(&str, _)>, ConnectMode::Process, false)
        .custom_url(Some(url.to_bstring()));
    Ok(RemoteLine { transport: Box::new(connection), program: Some(program) })
}

fn start(command: &Command) -> Result<(Piped, ChildStdin, ChildStdout), RemoteFault> {
    Piped::start(command).map_err(|error| RemoteFault::Odd(SourceCause::of(&error)))
}

/// `GIT_SSH` names a program; `GIT_SSH_COMMAND` and `core.sshCommand` are command lines. Both as git has them.
fn ssh_command(configured: Option<OsString>, program_only: bool) -> Command {
    match configured {
        Some(program) if program_only => Command::new(program),
        configured => {
            let mut line = configured.unwrap_or_else(|| SSH.into());
            line.push(" \"$@\"");
            Command::new("sh").args(["-c".into(), line, OsString::from("ssh")])
        }
    }
}

/// Whether a program takes OpenSSH's options; git asks it in the same way (connect.c, `determine_ssh_variant`).
fn understands_options(command: &Command, destination: &str) -> Result<bool, RemoteFault> {
    let line = command.args.get(1).map_or(command.program.as_os_str(), OsString::as_os_str).to_string_lossy();
    let first = line.split_whitespace().next().unwrap_or_default();
    if first.rsplit('/').next() == Some("ssh") {
        return Ok(true);
    }
    let (probe, _stdin, _stdout) = start(&command.clone().args(["-G", destination]))?;
    Ok(probe.succeeds())
}

/// Ends the program when time is up: who reads from it then reads its end.
fn watch(program: &Piped, limits: &FetchLimits) {
    let killer = program.killer();
    let watched = program.ended();
    let limits = limits.clone();
    std::thread::spawn(move || {
        while !watched.load(std::sync::atomic::Ordering::SeqCst) {
            if limits.over() {
                killer.kill();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
}
