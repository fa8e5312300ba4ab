//! A conversation with a server in git's protocol, by gix.
//!
//! In: where to, and what is wanted. Out: the server's references, and objects in our bare repository. One handshake,
//! one listing, one pack: over http that is three requests.

use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::progress::Discard;
use gix::protocol::fetch::{Arguments, Negotiate, Response, Shallow, Tags, negotiate};
use gix::protocol::handshake::Ref;
use gix::protocol::transport::{Protocol, Service};
use gix::protocol::{Handshake, LsRefsCommand};

use super::super::access::{BasicAuth, ServerAccess, ServerOrigin};
use super::super::limits::FetchLimits;
use super::super::revision::{GitReference, GitReferences};
use super::depth::Depth;
use super::fault::RemoteFault;
use super::transport::{self, RemoteLine};

/// How many commits that we have are named to a server: it leaves out what they share with what is wanted.
const HAVES: usize = 32;

/// A conversation, after its greeting.
pub(super) struct RemoteSession<'a> {
    repository: &'a gix::Repository,
    limits: FetchLimits,
    line: RemoteLine,
    handshake: Handshake,
    advertised: Option<Vec<Ref>>,
}

fn agent() -> (&'static str, Option<String>) {
    ("agent", Some(gix::protocol::agent(concat!("trueup/", env!("CARGO_PKG_VERSION")))))
}

impl<'a> RemoteSession<'a> {
    pub(super) fn open(
        repository: &'a gix::Repository,
        access: &ServerAccess,
        limits: &FetchLimits,
    ) -> Result<Self, RemoteFault> {
        let fault = |error: gix::Error| RemoteFault::of(&error, &[], limits.over());
        // The remote applies `url.<base>.insteadOf` of the user's configuration.
        let remote = repository.remote_at(access.url.clone()).map_err(fault)?;
        let url = remote.url(gix::remote::Direction::Fetch).unwrap_or(&access.url).clone();
        let mut line = transport::connect(repository, &url, access, limits)?;
        if let Some(identity) = access.identity.as_ref().filter(|_| access.is_sent_at_once)
            && ServerOrigin::of(&url) == access.origin
        {
            line.transport.set_identity(account(identity)).map_err(|error| fault(gix::Error::from_error(error)))?;
        }
        let greeting = gix::protocol::handshake(
            &mut line.transport,
            Service::UploadPack,
            |action| open_door(repository, access, action),
            Vec::new(),
            &mut Discard,
        );
        match greeting {
            Ok(mut handshake) => {
                let advertised = handshake.refs.take();
                Ok(Self { repository, limits: limits.clone(), line, handshake, advertised })
            }
            Err(error) => Err(fault_of(&error, &mut line, limits)),
        }
    }

    /// How the server hashes; ours must be the same.
    pub(super) fn object_hash(&self) -> gix::hash::Kind {
        let named = self.handshake.capabilities.capability("object-format");
        let named = named.as_ref().and_then(gix::protocol::transport::client::capabilities::Capability::value);
        if named.is_some_and(|value| value == "sha256") { gix::hash::Kind::Sha256 } else { gix::hash::Kind::Sha1 }
    }

    /// Whether the server hands out what no reference leads to, if it has it.
    pub(super) fn hands_out_any_object(&self) -> bool {
        self.handshake.server_protocol_version == Protocol::V2
    }

    pub(super) fn references(&mut self) -> Result<GitReferences, RemoteFault> {
        let listed = if let Some(advertised) = self.advertised.take() {
            advertised
        } else {
            let command = LsRefsCommand::new(None, &self.handshake.capabilities, agent());
            let listed = command.invoke_blocking(&mut self.line.transport, &mut Discard, false);
            listed.map_err(|error| fault_of(&error, &mut self.line, &self.limits))?
        };
        let reference = |listed: &Ref| {
            let (name, target, peeled) = listed.unpack();
            let commit = peeled.or(target)?.to_owned();
            Some(GitReference { name: name.to_str_lossy().into_owned(), commit })
        };
        Ok(GitReferences(listed.iter().filter_map(reference).collect()))
    }

    /// Receives objects into the bare repository.
    pub(super) fn fetch(&mut self, wanted: &[ObjectId], depth: Depth) -> Result<(), RemoteFault> {
        let shallow = self.shallow(depth);
        let haves = if depth == Depth::One { self.haves() } else { Vec::new() };
        let repository = self.repository;
        let packs = repository.objects.store_ref().path().join("pack");
        let fault = |error: gix::Error| RemoteFault::of(&error, &[], self.limits.over());
        let shallow_file = repository.shallow_file().map_err(fault)?;
        let stop = self.limits.stop.clone();
        let received = gix::protocol::fetch(
            &mut Exactly { wanted, haves },
            |pack, progress, stop: &AtomicBool| {
                gix::odb::pack::Bundle::write_to_directory(
                    pack,
                    Some(&packs),
                    progress,
                    stop,
                    Some(repository.objects.clone()),
                    repository.object_hash(),
                    gix::odb::pack::bundle::write::Options::default(),
                )?;
                Ok(true)
            },
            Discard,
            stop.flag(),
            gix::protocol::fetch::Context {
                handshake: &mut self.handshake,
                transport: &mut self.line.transport,
                user_agent: agent(),
                trace_packetlines: false,
            },
            gix::protocol::fetch::Options {
                shallow_file,
                shallow: &shallow,
                tags: Tags::None,
                reject_shallow_remote: false,
            },
        );
        match received {
            Ok(_) => Ok(()),
            Err(error) => Err(fault_of(&error, &mut self.line, &self.limits)),
        }
    }

    fn shallow(&self, depth: Depth) -> Shallow {
        let capabilities = &self.handshake.capabilities;
        let supported = match self.handshake.server_protocol_version {
            Protocol::V2 => {
                capabilities.capability("fetch").and_then(|fetch| fetch.supports("shallow")).unwrap_or(false)
            }
            _ => capabilities.contains("shallow"),
        };
        match depth {
            Depth::One if supported => Shallow::DepthAtRemote(std::num::NonZeroU32::MIN),
            Depth::Some(commits) if supported => {
                Shallow::DepthAtRemote(std::num::NonZeroU32::new(commits).unwrap_or(std::num::NonZeroU32::MIN))
            }
            Depth::All if self.repository.is_shallow().unwrap_or(false) => Shallow::undo(),
            _ => Shallow::NoChange,
        }
    }

    fn haves(&self) -> Vec<ObjectId> {
        let Ok(platform) = self.repository.references() else { return Vec::new() };
        let Ok(kept) = platform.prefixed(super::depth::KEPT) else { return Vec::new() };
        let ids = kept.flatten().filter_map(|reference| Some(reference.try_id()?.detach()));
        ids.filter(|id| self.repository.has_object(*id)).take(HAVES).collect()
    }
}

fn fault_of(error: &gix::Error, line: &mut RemoteLine, limits: &FetchLimits) -> RemoteFault {
    // A program that carries the line says why it ended in its own words, a moment later.
    let stderr_text = line.program.as_mut().map(|program| program.stderr_text(std::time::Duration::from_millis(500)));
    RemoteFault::of(error, &stderr_text.unwrap_or_default(), limits.over())
}

fn account(identity: &BasicAuth) -> gix::sec::identity::Account {
    gix::sec::identity::Account {
        username: identity.username.clone(),
        password: identity.password.expose().clone(),
        oauth_refresh_token: None,
    }
}

/// Answers a server that asks who is there: what was meant for it, or what git's credential helpers know of it. Nobody
/// is prompted, and nothing is stored or erased.
fn open_door(
    repository: &gix::Repository,
    access: &ServerAccess,
    action: gix::credentials::helper::Action,
) -> gix::Result<Option<gix::credentials::protocol::Outcome>> {
    use gix::credentials::{helper::Action, protocol::Outcome};
    let Action::Get(context) = action else { return Ok(None) };
    let asks = context.url.clone().unwrap_or_default();
    let asks = gix::url::parse(asks.as_bstr())?;
    if let Some(identity) = access.identity.as_ref().filter(|_| ServerOrigin::of(&asks) == access.origin) {
        return Ok(Some(Outcome { identity: account(identity), next: context.into() }));
    }
    let (mut cascade, _, mut prompt) = repository.config_snapshot().credential_helpers(asks)?;
    cascade.stderr = false;
    prompt.mode = gix::prompt::Mode::Disable;
    prompt.askpass = None;
    cascade.invoke(Action::Get(context), prompt)
}

/// Asks for exactly these objects, in one round.
struct Exactly<'a> {
    wanted: &'a [ObjectId],
    haves: Vec<ObjectId>,
}

impl Negotiate for Exactly<'_> {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<negotiate::Action> {
        Ok(negotiate::Action::MustNegotiate { remote_ref_target_known: Vec::new() })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _known: &[bool]) -> bool {
        for id in self.wanted {
            arguments.want(id);
        }
        !self.wanted.is_empty()
    }

    fn one_round(
        &mut self,
        state: &mut negotiate::one_round::State,
        arguments: &mut Arguments,
        _previous: Option<&Response>,
    ) -> gix::Result<(negotiate::Round, bool)> {
        for id in &self.haves {
            arguments.have(id);
        }
        let round = negotiate::Round {
            haves_sent: self.haves.len(),
            in_vain: 0,
            haves_to_send: state.haves_to_send,
            previous_response_had_at_least_one_in_common: false,
        };
        Ok((round, true))
    }
}
